//! How a stack is put together.
//!
//! In: the wishes of a test. Out: a started `Stack`, its servers started side by side. Never: a
//! half-started one; when a part does not come up, those that did are ended.

use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use crate::addresses::{Ports, environment};
use crate::connect::{Worker, WorkerSettings};
use crate::error::{Error, Result};
use crate::java::Line;
use crate::kafka::{Kafka, KafkaPorts};
use crate::mysql_server::MySql;
use crate::parts::Parts;
use crate::plugin::Plugin;
use crate::run_folder::RunFolder;
use crate::s3::S3;
use crate::say::say;
use crate::server::Server;
use crate::stack::Stack;

/// Halves the start of broker and worker on two cores; costs speed later.
const QUICK_START: &str = "-XX:TieredStopAtLevel=1";

/// What a stack shall be: by default MySQL, Kafka, S3 and one worker with Debezium, on free ports.
#[derive(Debug, Clone)]
pub struct StackBuilder {
    mysql: bool,
    s3: bool,
    seed: bool,
    alluvium: bool,
    fixed_ports: bool,
    workers: usize,
    settings: WorkerSettings,
    kafka_flags: Vec<String>,
    kafka_properties: Vec<(String, String)>,
}

impl Default for StackBuilder {
    fn default() -> Self {
        let flags =
            |heap: &str| [heap, "-XX:+UseSerialGC", QUICK_START].map(str::to_owned).to_vec();
        Self {
            mysql: true,
            s3: true,
            seed: false,
            alluvium: false,
            fixed_ports: false,
            workers: 1,
            settings: WorkerSettings { flags: flags("-Xmx1g"), ..WorkerSettings::default() },
            kafka_flags: flags("-Xmx512m"),
            kafka_properties: Vec::new(),
        }
    }
}

impl StackBuilder {
    /// No source database.
    #[must_use]
    pub fn without_mysql(mut self) -> Self {
        self.mysql = false;
        self
    }

    /// No object store.
    #[must_use]
    pub fn without_s3(mut self) -> Self {
        self.s3 = false;
        self
    }

    /// The rows of `03-seed.sql` are in the tables before anything reads them.
    #[must_use]
    pub fn seed(mut self) -> Self {
        self.seed = true;
        self
    }

    /// The ports that the documents name: 3306, 9092, 29092, 8083, 8333.
    #[must_use]
    pub fn fixed_ports(mut self) -> Self {
        self.fixed_ports = true;
        self
    }

    /// How many Connect workers share the work; 0 for none.
    #[must_use]
    pub fn workers(mut self, count: usize) -> Self {
        self.workers = count;
        self
    }

    /// The Kafka line of the workers.
    #[must_use]
    pub fn worker_line(mut self, line: Line) -> Self {
        self.settings.line = line;
        self
    }

    /// A folder of plugins beside Debezium's.
    #[must_use]
    pub fn plugin_path(mut self, folder: impl Into<PathBuf>) -> Self {
        self.settings.plugin_path.push(folder.into());
        self
    }

    /// The plugin zip, unpacked for the workers of this stack.
    #[must_use]
    pub fn alluvium(mut self) -> Self {
        self.alluvium = true;
        self
    }

    /// A property of every worker; it wins over the usual one.
    #[must_use]
    pub fn worker_property(mut self, key: &str, value: &str) -> Self {
        self.settings.properties.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Kafka's own default for a property that this stack sets for its workers.
    #[must_use]
    pub fn without_worker_property(mut self, key: &str) -> Self {
        self.settings.without.push(key.to_owned());
        self
    }

    /// A property of the broker; it wins over the usual one.
    #[must_use]
    pub fn broker_property(mut self, key: &str, value: &str) -> Self {
        self.kafka_properties.push((key.to_owned(), value.to_owned()));
        self
    }

    /// An environment variable of every worker.
    #[must_use]
    pub fn worker_env(mut self, name: &str, value: &str) -> Self {
        self.settings.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// JVMs that optimise fully, for benchmarks and the demo: they start slower and run faster.
    #[must_use]
    pub fn optimising_jvms(mut self) -> Self {
        self.settings.flags.retain(|flag| flag != QUICK_START);
        self.kafka_flags.retain(|flag| flag != QUICK_START);
        self
    }

    /// A flag of every worker's JVM, after `-Xmx1g -XX:+UseSerialGC`.
    #[must_use]
    pub fn worker_flag(mut self, flag: &str) -> Self {
        self.settings.flags.push(flag.to_owned());
        self
    }

    /// A flag of the broker's JVM, after `-Xmx512m -XX:+UseSerialGC`.
    #[must_use]
    pub fn kafka_flag(mut self, flag: &str) -> Self {
        self.kafka_flags.push(flag.to_owned());
        self
    }

    /// Starts everything and waits until it answers.
    ///
    /// # Errors
    /// A part is not installed, a fixed port is taken, or a server does not come up.
    pub fn start(self) -> Result<Stack> {
        let parts = Parts::find()?;
        let run = RunFolder::new(&parts.runs()?)?;
        run.folder("logs")?;
        run.folder("tmp")?;
        say(format!("starting {} in {}", self.names(), run.path().display()));
        let ports = Ports::choose(self.fixed_ports, self.workers)?;
        // Side by side: each waits for disk or start-up of its own most of the time.
        let (mysql, s3, kafka) = thread::scope(|scope| {
            let mysql = scope.spawn(|| self.start_mysql(&parts, &run, ports.mysql));
            let s3 = scope.spawn(|| self.start_s3(&parts, &run, ports.s3));
            let kafka = scope.spawn(|| self.start_kafka(&parts, &run, ports.kafka));
            (joined(mysql), joined(s3), joined(kafka))
        });
        let (mysql, s3, kafka) = (mysql?, s3?, kafka?);
        let env = environment(mysql.as_ref(), s3.as_ref(), &kafka);
        let workers = self.start_workers(&parts, &run, &kafka, &env, &ports.rest)?;
        Ok(Stack { workers, mysql, kafka: Some(kafka), s3, env, parts, run })
    }

    fn start_mysql(&self, parts: &Parts, run: &RunFolder, port: u16) -> Result<Option<MySql>> {
        if !self.mysql {
            return Ok(None);
        }
        let began = Instant::now();
        let mysql = MySql::start(parts, run.path(), port)?;
        mysql.wait_ready()?;
        let seed = self.seed.then_some("03-seed.sql");
        let files: Vec<_> = ["01-tables.sql", "02-grants.sql"]
            .into_iter()
            .chain(seed)
            .map(|file| parts.root().join("tests/sql/init").join(file))
            .collect();
        mysql.initialise(&files)?;
        ready(&mysql, &format!("127.0.0.1:{port}"), began);
        Ok(Some(mysql))
    }

    fn start_s3(&self, parts: &Parts, run: &RunFolder, port: u16) -> Result<Option<S3>> {
        if !self.s3 {
            return Ok(None);
        }
        let began = Instant::now();
        let s3 = S3::start(parts, run, port)?;
        s3.wait_ready()?;
        ready(&s3, &s3.endpoint(), began);
        Ok(Some(s3))
    }

    fn start_kafka(&self, parts: &Parts, run: &RunFolder, ports: KafkaPorts) -> Result<Kafka> {
        let began = Instant::now();
        let (flags, properties) = (&self.kafka_flags, &self.kafka_properties);
        let kafka = Kafka::start(parts, run.path(), ports, flags, properties)?;
        kafka.wait_ready()?;
        let addresses = format!("{}, workers {}", kafka.bootstrap(), kafka.internal_bootstrap());
        ready(&kafka, &addresses, began);
        Ok(kafka)
    }

    fn start_workers(
        &self,
        parts: &Parts,
        run: &RunFolder,
        kafka: &Kafka,
        env: &[(String, String)],
        ports: &[u16],
    ) -> Result<Vec<Worker>> {
        let began = Instant::now();
        let mut settings = self.settings.clone();
        settings.env.splice(0..0, env.iter().cloned());
        if self.workers > 0 {
            settings.plugin_path.insert(0, parts.debezium()?);
        }
        if self.alluvium {
            settings.plugin_path.push(Plugin::unpacked(run.path())?);
        }
        let start =
            |one| Worker::start(parts, run.path(), &settings, &kafka.internal_bootstrap(), one);
        let workers = ports.iter().copied().enumerate().map(start).collect::<Result<Vec<_>>>()?;
        for worker in &workers {
            worker.wait_ready()?;
            ready(worker, &format!("http://127.0.0.1:{}", worker.port()), began);
        }
        Ok(workers)
    }

    fn names(&self) -> String {
        let mut names = vec!["Kafka".to_owned()];
        names.extend(self.mysql.then(|| "MySQL".to_owned()));
        names.extend(self.s3.then(|| "S3".to_owned()));
        names.push(format!("{} Connect worker(s)", self.workers));
        names.join(", ")
    }
}

fn joined<T>(handle: thread::ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    handle.join().unwrap_or_else(|_| Err(Error::new("a thread that starts a server has panicked")))
}

fn ready(server: &impl Server, address: &str, began: Instant) {
    let seconds = began.elapsed().as_secs_f32();
    let name = &server.process().recipe().name;
    say(format!("{name} is ready after {seconds:.1} s: {address}"));
}
