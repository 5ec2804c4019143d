//! What must not outlive this program: process groups and run folders.
//!
//! In: each of them when it begins and when it ends. Out: on Ctrl-C, TERM or HUP all are ended,
//! then the program. Never: a wait; after SIGKILL, where nothing here can run, the kernel ends the
//! processes (see `spawner`) and the next run removes the folders (see `run_folder`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::run_folder;
use crate::say::say;

#[derive(Default)]
struct Live {
    groups: BTreeSet<i32>,
    folders: BTreeSet<PathBuf>,
}

static LIVE: Mutex<Option<Live>> = Mutex::new(None);
static HANDLER: Once = Once::new();

/// Begins to watch over a process group.
pub(crate) fn watch_group(pid: i32) {
    HANDLER.call_once(handle_signals);
    lock().get_or_insert_default().groups.insert(pid);
}

/// Ends the watch: the leader of the group has been waited for.
pub(crate) fn forget_group(pid: i32) {
    lock().get_or_insert_default().groups.remove(&pid);
}

/// Begins to watch over a folder that goes with the program.
pub(crate) fn watch_folder(folder: &Path) {
    HANDLER.call_once(handle_signals);
    lock().get_or_insert_default().folders.insert(folder.to_path_buf());
}

/// Ends the watch: the folder is gone or is kept.
pub(crate) fn forget_folder(folder: &Path) {
    lock().get_or_insert_default().folders.remove(folder);
}

fn handle_signals() {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else {
        say("cannot handle signals here: Ctrl-C leaves the run folder behind");
        return;
    };
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            say(format!("signal {signal}: stopping everything"));
            end_all();
            std::process::exit(128 + signal);
        }
    });
}

fn end_all() {
    // Held to the end on purpose: nothing new may begin.
    let mut live = lock();
    let live = live.get_or_insert_default();
    for group in &live.groups {
        let _ = killpg(Pid::from_raw(*group), Signal::SIGKILL);
    }
    for folder in &live.folders {
        let _ = run_folder::remove(folder);
    }
}

fn lock() -> MutexGuard<'static, Option<Live>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}
