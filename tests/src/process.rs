//! One process of the stack: started in its own group, logged to a file, always ended.
//!
//! In: a recipe. Out: a handle to wait for it, read its log, stop, freeze, kill and start it again.
//! Never: a process that outlives its handle, or a wait without a limit and a reason.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::error::{Context as _, Error, Result};
use crate::log::Log;
use crate::say::say;
use crate::{guard, spawner};

const POLL: Duration = Duration::from_millis(50);

/// How a process is started, the first time and every later one.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// What it is called in messages.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Environment variables in addition to those of this program.
    pub env: Vec<(String, String)>,
    /// Its working folder.
    pub folder: PathBuf,
    /// The file that standard output and standard error go to.
    pub log: PathBuf,
}

/// A started process. Ended with SIGKILL when dropped: its data folder goes with it anyway.
#[derive(Debug)]
pub struct Process {
    recipe: Recipe,
    log: Log,
    child: Mutex<Option<Child>>,
}

impl Process {
    /// Starts it; it need not be ready yet.
    ///
    /// # Errors
    /// The program or the log file cannot be opened.
    pub fn start(recipe: Recipe) -> Result<Self> {
        let log = Log::new(recipe.log.clone());
        let process = Self { recipe, log, child: Mutex::default() };
        process.start_again()?;
        Ok(process)
    }

    /// Starts it once more after it was killed or stopped; the log goes on in the same file.
    ///
    /// # Errors
    /// It still runs, or cannot be started.
    pub fn start_again(&self) -> Result<()> {
        if self.is_running() {
            return Err(Error::new(format!("{} runs already", self.recipe.name)));
        }
        let child = spawner::spawn(self.command()?)
            .context(|| format!("{}: {}", self.recipe.name, self.recipe.program.display()))?;
        guard::watch_group(group_of(&child).as_raw());
        *self.lock() = Some(child);
        Ok(())
    }

    /// The process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.is_running().then(|| self.lock().as_ref().map(Child::id)).flatten()
    }

    /// Whether it has been started and has not ended. A frozen process runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.ended().is_none()
    }

    /// Ends it as a crash would: no handler runs, nothing is flushed.
    pub fn kill9(&self) {
        if self.kill() {
            say("counted: kills=1");
        }
    }

    /// False when there was nothing to kill.
    fn kill(&self) -> bool {
        self.signal(Signal::SIGKILL);
        let Some(mut child) = self.lock().take() else { return false };
        let _ = child.wait();
        guard::forget_group(group_of(&child).as_raw());
        true
    }

    /// Asks it to end, and waits.
    ///
    /// # Errors
    /// It has not ended within `limit`; it runs on.
    pub fn terminate(&self, limit: Duration) -> Result<()> {
        self.signal(Signal::SIGTERM);
        let began = Instant::now();
        while self.is_running() {
            if began.elapsed() > limit {
                return Err(self.failure(&format!("has not ended {limit:?} after SIGTERM")));
            }
            sleep(POLL);
        }
        Ok(())
    }

    /// Freezes it where it stands, as a long pause of the machine would.
    pub fn sigstop(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets a frozen process go on.
    pub fn sigcont(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Asks `probe` again and again until it gives a value; it gives the reason while it does not.
    ///
    /// # Errors
    /// The process ends, or `limit` passes; the message has the last reason and the log's end.
    pub fn wait_until<T>(
        &self,
        what: &str,
        limit: Duration,
        mut probe: impl FnMut() -> Result<T>,
    ) -> Result<T> {
        let began = Instant::now();
        loop {
            let reason = match probe() {
                Ok(value) => return Ok(value),
                Err(reason) => reason,
            };
            if let Some(status) = self.ended() {
                return Err(self.failure(&format!("ended ({status}) before {what}")));
            }
            if began.elapsed() > limit {
                return Err(self.failure(&format!("not {what} within {limit:?}: {reason}")));
            }
            sleep(POLL);
        }
    }

    /// Waits until a text stands in what was logged since the last start.
    ///
    /// # Errors
    /// The process ends, or `limit` passes.
    pub fn wait_for_log(&self, text: &str, limit: Duration) -> Result<()> {
        self.wait_until(&format!("'{text}' in its log"), limit, || {
            let found = self.log.since_start().contains(text);
            if found { Ok(()) } else { Err(Error::new("not there yet")) }
        })
    }

    /// What it wrote.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// How it is started.
    #[must_use]
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// An error about this process, with the end of its log.
    #[must_use]
    pub fn failure(&self, what: &str) -> Error {
        Error::new(format!("{} {what}\n  {}", self.recipe.name, self.log.tail()))
    }

    /// `None` while it runs, else how it ended.
    fn ended(&self) -> Option<String> {
        let mut running = self.lock();
        let Some(child) = running.as_mut() else { return Some("ended earlier".to_owned()) };
        let status = child.try_wait().ok().flatten()?;
        guard::forget_group(group_of(child).as_raw());
        *running = None;
        Some(status.to_string())
    }

    fn signal(&self, signal: Signal) {
        if let Some(child) = self.lock().as_ref() {
            // It may have ended by itself meanwhile; then there is nobody to tell.
            let _ = killpg(group_of(child), signal);
        }
    }

    fn command(&self) -> Result<Command> {
        let log = self.log.begin()?;
        // setpriv: the kernel kills the process when the thread that started it is gone, so that
        // nothing outlives a test program that was itself killed with SIGKILL.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(&self.recipe.program);
        command.args(&self.recipe.args).envs(self.recipe.env.iter().cloned());
        command.current_dir(&self.recipe.folder).stdin(Stdio::null());
        command.stderr(log.try_clone().context(|| self.log.path().display().to_string())?);
        command.stdout(log);
        // A group of its own: Ctrl-C goes to this program, which then ends them in order.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Ok(command)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The group's number is its leader's process id.
fn group_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX))
}
