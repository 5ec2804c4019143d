//! The one thread that starts processes.
//!
//! In: commands. Out: running children that the kernel kills when this program dies, however it
//! dies. Never: a child started by a test's own thread, since Linux sends the parent-death signal
//! when the starting thread ends, not the program.

use std::io;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

struct Job {
    command: Command,
    answer: SyncSender<io::Result<Child>>,
}

static SPAWNER: OnceLock<Sender<Job>> = OnceLock::new();

/// Starts a command on the thread that lives as long as the program.
pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    let gone = || io::Error::other("the thread that starts processes has ended");
    let (answer, result) = sync_channel(1);
    sender().send(Job { command, answer }).map_err(|_| gone())?;
    result.recv().map_err(|_| gone())?
}

fn sender() -> &'static Sender<Job> {
    SPAWNER.get_or_init(|| {
        let (sender, jobs) = channel();
        thread::spawn(move || serve(&jobs));
        sender
    })
}

fn serve(jobs: &Receiver<Job>) {
    for mut job in jobs {
        // A caller that no longer waits has dropped its end; there is nobody to tell.
        let _ = job.answer.send(job.command.spawn());
    }
}
