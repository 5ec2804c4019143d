//! The whole stack of one test, demo or benchmark.
//!
//! In: which parts are wanted, and what differs from the usual. Out: servers that answer, in one
//! run folder. Never: a server, a port or a folder that is left when the stack is dropped.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::builder::StackBuilder;
use crate::connect::Worker;
use crate::error::{Context as _, Error, Result};
use crate::kafka::Kafka;
use crate::mysql_server::MySql;
use crate::parts::Parts;
use crate::process::Process;
use crate::rest::ConnectRest;
use crate::run_folder::RunFolder;
use crate::s3::S3;
use crate::say::say;
use crate::server::Server as _;

/// Running servers. They end in the order of the fields, the run folder last.
#[derive(Debug)]
pub struct Stack {
    pub(crate) workers: Vec<Worker>,
    pub(crate) mysql: Option<MySql>,
    pub(crate) kafka: Option<Kafka>,
    pub(crate) s3: Option<S3>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) parts: Parts,
    pub(crate) run: RunFolder,
}

impl Stack {
    /// Says what is wanted.
    #[must_use]
    pub fn builder() -> StackBuilder {
        StackBuilder::default()
    }

    /// The source database.
    ///
    /// # Errors
    /// This stack has none.
    pub fn mysql(&self) -> Result<&MySql> {
        self.mysql.as_ref().ok_or_else(|| absent("MySQL"))
    }

    /// The broker.
    ///
    /// # Errors
    /// This stack has none.
    pub fn kafka(&self) -> Result<&Kafka> {
        self.kafka.as_ref().ok_or_else(|| absent("Kafka"))
    }

    /// The object store.
    ///
    /// # Errors
    /// This stack has none.
    pub fn s3(&self) -> Result<&S3> {
        self.s3.as_ref().ok_or_else(|| absent("S3"))
    }

    /// A Connect worker, counted from 0.
    ///
    /// # Errors
    /// There are not as many.
    pub fn worker(&self, index: usize) -> Result<&Worker> {
        self.workers.get(index).ok_or_else(|| absent(&format!("worker {index}")))
    }

    /// All Connect workers.
    pub fn workers(&self) -> impl Iterator<Item = &Worker> {
        self.workers.iter()
    }

    /// The REST API of the first worker that runs.
    ///
    /// # Errors
    /// None runs.
    pub fn rest(&self) -> Result<&ConnectRest> {
        let running = self.workers.iter().find(|worker| worker.process().is_running());
        running.map(Worker::rest).ok_or_else(|| absent("running worker"))
    }

    /// What connector JSON and the scripts of compose find in their environment.
    #[must_use]
    pub fn env(&self) -> &[(String, String)] {
        &self.env
    }

    /// A file or folder of the clone.
    #[must_use]
    pub fn clone_path(&self, path: &str) -> PathBuf {
        self.parts.root().join(path)
    }

    /// The run folder: logs in `logs`, and room for a test's own files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.run.path()
    }

    /// Where the installed parts are.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Writes a file into the run folder.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<PathBuf> {
        let path = self.folder().join(name);
        std::fs::write(&path, content).context(|| path.display().to_string())?;
        Ok(path)
    }

    /// Stops a sink connector; it is STOPPED and the last member has left its group on return.
    ///
    /// The state of its tasks over REST says nothing: a task that is woken while it stops writes
    /// RUNNING once more, and Connect (4.3.0) shows that until the next rebalance.
    ///
    /// # Errors
    /// It does not stop within the time.
    pub fn stop_sink(&self, name: &str, limit: Duration) -> Result<()> {
        let (rest, tool) = (self.rest()?, self.kafka()?.tool());
        let group = format!("connect-{name}");
        rest.set_state(name, "stop")?;
        let began = Instant::now();
        loop {
            let status = rest.status(name)?;
            let members = tool.run(&["group", &group], &[])?;
            let left = members.first().is_some_and(|group| group["members"] == 0);
            if status["connector"]["state"] == "STOPPED" && left {
                return Ok(());
            }
            if began.elapsed() > limit {
                return Err(Error::new(format!("{name} does not stop: {status}, {members:?}")));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Every process, for those who want all of them.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        let workers = self.workers.iter().map(Worker::process);
        let kafka = self.kafka.iter().map(|kafka| kafka.process());
        let mysql = self.mysql.iter().map(|mysql| mysql.process());
        workers.chain(kafka).chain(mysql).chain(self.s3.iter().map(|s3| s3.process()))
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // The folder goes, and the logs with it: what a failed test leaves must be seen now.
        if std::thread::panicking() {
            for process in self.processes() {
                say(format!("log of {}", process.log().tail()));
            }
        }
    }
}

fn absent(what: &str) -> Error {
    Error::new(format!("this stack has no {what}: see how it was built"))
}
