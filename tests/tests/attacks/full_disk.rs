//! A table in a folder whose disk fills up while rows flow, and then has room again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use alluvium_tests::{Connector, Server as _};

use super::row::Proof;
use super::{Arena, LIMIT};

const FULL: Duration = Duration::from_secs(20);
const ROOM: &str = "size=1g";
/// Beyond what is used: for some seconds.
const LITTLE_KB: u64 = 400;
const SAID: &str = "No space left on device";

/// A disk of its own; unmounted when dropped.
#[derive(Debug)]
struct Disk(PathBuf);

impl Disk {
    /// A tmpfs in the run folder, for root only.
    fn mount(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        run("mount", &["-t", "tmpfs", "-o", ROOM, "tmpfs", &folder.display().to_string()]);
        Self(folder.to_path_buf())
    }

    fn resize(&self, size: &str) {
        run("mount", &["-o", &format!("remount,{size}"), &self.0.display().to_string()]);
    }

    /// Used and available, in KB.
    fn space(&self) -> (u64, u64) {
        let folder = self.0.display().to_string();
        let said = run("df", &["--output=used,avail", "-k", &folder]);
        let mut numbers = said.split_whitespace().filter_map(|word| word.parse().ok());
        (numbers.next().unwrap(), numbers.next().unwrap())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a worker may have files open, and the run folder goes next.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// The shipped sink with its table on this disk.
fn on(shipped: &Connector, disk: &Disk) -> Connector {
    let url = format!("file://{}/table", disk.0.display());
    shipped.clone().named("orders-disk").with("lake.url", &url)
}

pub fn fills_up(arena: &mut Arena, shipped: &Connector) {
    let disk = Disk::mount(&arena.stack.folder().join("disk"));
    let sink = &on(shipped, &disk);
    arena.attack("the disk is full", &[sink], |arena| {
        let said = arena.said(SAID);
        disk.resize(&format!("size={}k", disk.space().0 + LITTLE_KB));
        let began = Instant::now();
        while arena.said(SAID) == said {
            assert!(began.elapsed() < LIMIT, "{} KB left, nobody complains", disk.space().1);
            sleep(Duration::from_millis(200));
        }
        sleep(FULL);
        let left = disk.space().1;
        let status = arena.stack.rest().unwrap().status(&sink.name).unwrap();
        let tasks: Vec<_> = status["tasks"].as_array().into_iter().flatten().collect();
        assert!(tasks.iter().all(|task| task["state"] == "RUNNING"), "{status}");
        let lines = arena.said(SAID) - said;
        disk.resize(ROOM);
        let again = arena.again(sink, Instant::now());
        let what = format!(
            "{left} KB left for {} s, said {lines} times, tasks RUNNING all the while",
            FULL.as_secs()
        );
        Proof { what, times: 1, again }
    });
    arena.delete(&[sink]);
    for worker in arena.stack.workers() {
        let log = worker.process().log().text();
        if let Some(line) = log.lines().find(|line| line.contains(SAID)) {
            alluvium_tests::say(line);
        }
    }
}

fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
