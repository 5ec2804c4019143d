//! The command line of Alluvium: in go flags, out come lines on standard output and an exit code.
//! The pipeline's own parser, store and log; nothing here decides what a commit is.

mod args;
mod chain;
mod failure;
mod files;
mod forget;
mod gc;
mod log;
mod out;
mod scope;
mod settings;
mod show;
mod verify;

use args::{Arguments, Command};
use clap::Parser;
use failure::{Failure, Outcome};
use out::Out;
use std::io::Write;
use std::process::ExitCode;
use tracing_subscriber::filter::LevelFilter;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::WARN)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .init();
    let mut out = Out::locked();
    let outcome = start(&arguments, &mut out);
    let flushed = out.flush().map_err(Failure::from);
    match outcome.and_then(|code| flushed.map(|()| code)) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            // Standard error may be closed too; the exit code still tells.
            _ = writeln!(std::io::stderr(), "alluvium: {failure}");
            ExitCode::from(failure.code())
        }
    }
}

fn start(arguments: &Arguments, out: &mut Out) -> Outcome {
    let settings = settings::settings(&arguments.place, &|name| std::env::var(name).ok())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Failure::unreadable(format!("no threads could be started: {e}")))?;
    runtime.block_on(async {
        match &arguments.command {
            Command::Log { which, reverse, files, json } => {
                let form = log::Form { reverse: *reverse, files: *files, json: *json };
                log::run(&settings, which, form, out).await
            }
            Command::Files { which, keys, json } => {
                let form = match (keys, json) {
                    (_, true) => files::Form::Json,
                    (true, _) => files::Form::Keys,
                    _ => files::Form::Urls,
                };
                files::run(&settings, which, form, out).await
            }
            Command::Verify(verify) => verify::run(&settings, verify, out).await,
            Command::Gc { dry_run } => gc::run(&settings, *dry_run, out).await,
            Command::Forget { topic, yes } => forget::run(&settings, topic, *yes, out).await,
        }
    })
}
