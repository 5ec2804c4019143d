//! Runs the stack until Ctrl-C or until standard input ends, for the demo and for looking around.
//!
//! In: `--fixed-ports`, `--seed`, `--workers N`, `--plugin-path FOLDER` (repeatable). Out: one
//! `NAME=value` a line on standard output (what connector JSON finds in its environment, and
//! `CONNECT_URL`, `KAFKA_HOST_BOOTSTRAP`, `RUN_FOLDER`), then a line `ready`. Never: a server that
//! outlives it.

use std::io::{Read as _, Write as _};

use alluvium_tests::{Error, Result, Stack, StackBuilder};

fn main() -> Result<()> {
    let stack = builder(std::env::args().skip(1))?.start()?;
    let mut lines = stack.env().to_vec();
    let mut line = |name: &str, value: String| lines.push((name.to_owned(), value));
    line("KAFKA_HOST_BOOTSTRAP", stack.kafka()?.bootstrap());
    line("RUN_FOLDER", stack.folder().display().to_string());
    if let Ok(worker) = stack.worker(0) {
        line("CONNECT_URL", format!("http://127.0.0.1:{}", worker.port()));
    }
    let mut text: String = lines.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    text.push_str("ready\n");
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(failed)?;
    std::io::stdin().read_to_end(&mut Vec::new()).map_err(failed).map(|_| ())
}

fn builder(mut args: impl Iterator<Item = String>) -> Result<StackBuilder> {
    let mut builder = Stack::builder().optimising_jvms();
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| Error::new(format!("{arg} needs a value")));
        builder = match arg.as_str() {
            "--fixed-ports" => builder.fixed_ports(),
            "--seed" => builder.seed(),
            "--workers" => builder.workers(value()?.parse().map_err(failed)?),
            "--plugin-path" => builder.plugin_path(value()?),
            _ => return Err(Error::new(format!("no option {arg}: see the head of stack.rs"))),
        };
    }
    Ok(builder)
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(error.to_string())
}
