//! The source database.
//!
//! In: a port and the SQL of `tests/sql/init`. Out: a server with binlog and GTIDs whose user for
//! Debezium has exactly the rights of `02-grants.sql`. Never: the data of an earlier run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use mysql::prelude::Queryable as _;
use mysql::{Conn, OptsBuilder};

use crate::error::{Context as _, Error, Result};
use crate::parts::Parts;
use crate::process::{Process, Recipe};
use crate::server::Server;
use crate::settings::demo;

const READY_LIMIT: Duration = Duration::from_secs(60);

/// A MySQL server with the tables `inventory.orders` and `inventory.transactions`.
#[derive(Debug)]
pub struct MySql {
    process: Process,
    port: u16,
    socket: PathBuf,
}

impl MySql {
    pub(crate) fn start(parts: &Parts, run: &Path, port: u16) -> Result<Self> {
        let part = parts.folder("mysql")?;
        let (data, socket) = (run.join("mysql"), run.join("mysql.sock"));
        copy_folder(&part.join("data"), &data)?;
        let recipe = Recipe {
            name: "mysql".to_owned(),
            program: part.join("bin/mysqld"),
            args: arguments(part, &data, &socket, port),
            env: Vec::new(),
            folder: run.to_path_buf(),
            log: run.join("logs/mysql.log"),
        };
        Ok(Self { process: Process::start(recipe)?, port, socket })
    }

    /// Makes Debezium's user, as the MySQL image's entry point does, and runs the SQL files.
    pub(crate) fn initialise(&self, files: &[PathBuf]) -> Result<()> {
        let (user, password) = (demo("MYSQL_USER"), demo("MYSQL_PASSWORD"));
        self.execute(&format!("CREATE USER '{user}'@'%' IDENTIFIED BY '{password}'"))?;
        files.iter().try_for_each(|file| self.run_file(file))
    }

    /// A connection as root, by the server's socket.
    ///
    /// # Errors
    /// The server does not answer.
    pub fn connection(&self) -> Result<Conn> {
        let socket = self.socket.to_str();
        let options = OptsBuilder::new().user(Some("root")).socket(socket).prefer_socket(true);
        Conn::new(options).context(|| format!("MySQL at {}", self.socket.display()))
    }

    /// Runs statements, separated by semicolons; their results are dropped.
    ///
    /// # Errors
    /// One of them fails; those before it have run.
    pub fn execute(&self, sql: &str) -> Result<()> {
        self.connection()?.query_drop(sql).context(|| format!("MySQL: {}", first_line(sql)))
    }

    /// Runs the statements of a file.
    ///
    /// # Errors
    /// The file cannot be read or a statement fails.
    pub fn run_file(&self, file: &Path) -> Result<()> {
        let sql = std::fs::read_to_string(file).context(|| file.display().to_string())?;
        self.connection()?.query_drop(sql).context(|| file.display().to_string())
    }

    /// The port on this machine.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Server for MySql {
    fn process(&self) -> &Process {
        &self.process
    }

    fn wait_ready(&self) -> Result<()> {
        self.process.wait_until("answering", READY_LIMIT, || {
            self.connection()?.ping().context(|| "ping".to_owned())
        })
    }
}

fn arguments(part: &Path, data: &Path, socket: &Path, port: u16) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "--no-defaults",
        "--user=root",
        "--bind-address=127.0.0.1",
        "--mysqlx=OFF",
        "--secure-file-priv=NULL",
        "--server-id=1",
        "--log-bin=binlog",
        "--binlog-row-image=FULL",
        "--gtid-mode=ON",
        "--enforce-gtid-consistency=ON",
        // Columns without a zone are filled from the session's: the same on every machine.
        "--default-time-zone=+00:00",
        "--innodb-redo-log-capacity=64M",
    ]
    .map(str::to_owned)
    .to_vec();
    arguments.push(format!("--basedir={}", part.join("root/usr").display()));
    arguments.push(format!("--datadir={}", data.display()));
    arguments.push(format!("--socket={}", socket.display()));
    arguments.push(format!("--pid-file={}", data.join("mysql.pid").display()));
    arguments.push(format!("--port={port}"));
    arguments
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    let doing = || format!("copying {} to {}", from.display(), to.display());
    let copy = ["--recursive", "--sparse=always", "--reflink=auto", "--no-target-directory"];
    let output = Command::new("cp").args(copy).arg(from).arg(to).output().context(doing)?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::new(format!("{}: {}", doing(), String::from_utf8_lossy(&output.stderr))))
}

fn first_line(sql: &str) -> &str {
    sql.lines().next().unwrap_or_default()
}
