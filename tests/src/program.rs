//! The command line `alluvium`, run as its users do, on the tables of a stack.
//!
//! In: a connector, as it was posted. Out: what the program says of its table. Never: a finding
//! passed over.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::connectors::Connector;
use crate::error::{Context as _, Error, Result};
use crate::say::say;
use crate::stack::Stack;

/// `alluvium`, built beside the tests (`cargo build -p alluvium-cli`).
#[derive(Debug)]
pub struct Program;

impl Program {
    /// Holds a sink's table against its commit log and against Kafka: `alluvium verify --kafka`.
    ///
    /// # Errors
    /// The program is not built, cannot read something, or has a finding; the message has them.
    pub fn verify(stack: &Stack, sink: &Connector) -> Result<Value> {
        let said = Self::run(stack, sink, &["verify", "--json", "--kafka"])?;
        let last = said.lines().last().unwrap_or_default();
        let seen: Value = serde_json::from_str(last).context(|| said.clone())?;
        say(format!("verify {}: {seen}", sink.name));
        // What is compared with nothing is right for nothing.
        let compared = seen["summary"]["rows"].as_u64().min(seen["summary"]["kafka"].as_u64());
        if seen["findings"] == 0 && compared.is_some_and(|rows| rows > 0) {
            return Ok(seen);
        }
        Err(Error::new(format!("verify {}: {said}", sink.name)))
    }

    fn run(stack: &Stack, sink: &Connector, args: &[&str]) -> Result<String> {
        let file = format!("{}.verify.json", sink.name);
        let posted = json!({"name": sink.name, "config": sink.config()});
        let config = stack.write(&file, posted.to_string().as_bytes())?;
        let doing = || format!("alluvium {} of {}", args.join(" "), sink.name);
        let output = Command::new(Self::path()?)
            .arg("--config")
            .arg(config)
            .args(args)
            .arg(stack.kafka()?.bootstrap())
            .envs(stack.env().iter().map(|(name, value)| (name, value)))
            .output()
            .context(doing)?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        // 1: it has findings, and says them on its standard output.
        if matches!(output.status.code(), Some(0 | 1)) {
            return Ok(said);
        }
        let why = String::from_utf8_lossy(&output.stderr);
        Err(Error::new(format!("{}: {said}{why}", doing())))
    }

    /// Tests lie in `deps`, the program beside that folder.
    fn path() -> Result<PathBuf> {
        let test = std::env::current_exe().context(|| "this test".to_owned())?;
        let program = test.ancestors().nth(2).map(|folder| folder.join("alluvium"));
        program.filter(|path| path.is_file()).ok_or_else(|| {
            Error::new("alluvium is not there: build it by `cargo build -p alluvium-cli`")
        })
    }
}
