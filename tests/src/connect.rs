//! A Connect worker in distributed mode.
//!
//! In: plugin folders, properties, environment. Out: a worker whose REST API answers. Never: a
//! property or variable of this machine that compose would not set too.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::java::{Java, Line, write_properties};
use crate::parts::Parts;
use crate::process::Process;
use crate::rest::ConnectRest;
use crate::server::Server;

const READY_LIMIT: Duration = Duration::from_secs(120);

/// How the workers of a stack are started.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorkerSettings {
    pub(crate) line: Line,
    pub(crate) plugin_path: Vec<PathBuf>,
    pub(crate) properties: Vec<(String, String)>,
    pub(crate) without: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) flags: Vec<String>,
}

/// One worker of the group.
#[derive(Debug)]
pub struct Worker {
    process: Process,
    rest: ConnectRest,
    port: u16,
}

impl Worker {
    pub(crate) fn start(
        parts: &Parts,
        run: &Path,
        settings: &WorkerSettings,
        bootstrap: &str,
        (index, port): (usize, u16),
    ) -> Result<Self> {
        let name = format!("connect-{index}");
        let plugins: Vec<_> =
            settings.plugin_path.iter().map(|folder| folder.display().to_string()).collect();
        let mut lines = vec![
            ("bootstrap.servers".to_owned(), bootstrap.to_owned()),
            ("listeners".to_owned(), format!("http://127.0.0.1:{port}")),
            ("plugin.path".to_owned(), plugins.join(",")),
        ];
        lines.extend(settings.properties.iter().cloned());
        let properties = run.join(format!("{name}.properties"));
        let base = parts.root().join("tests/stack/kafka/worker.properties");
        write_properties(&base, &settings.without, &lines, &properties)?;
        let java = Java {
            name: &name,
            line: settings.line,
            flags: &settings.flags,
            main: "org.apache.kafka.connect.cli.ConnectDistributed",
            properties: &properties,
        };
        let mut recipe = java.recipe(parts, run)?;
        recipe.env.extend(settings.env.iter().cloned());
        Ok(Self { process: Process::start(recipe)?, rest: ConnectRest::new(port), port })
    }

    /// Its REST API.
    #[must_use]
    pub fn rest(&self) -> &ConnectRest {
        &self.rest
    }

    /// The port of its REST API.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Server for Worker {
    fn process(&self) -> &Process {
        &self.process
    }

    fn wait_ready(&self) -> Result<()> {
        self.process.wait_until("answering", READY_LIMIT, || {
            let answer = self.rest.call("GET", "/connectors", b"")?;
            if answer.status == 200 {
                return Ok(());
            }
            Err(Error::new(format!("HTTP {}: {}", answer.status, answer.body)))
        })
    }
}
