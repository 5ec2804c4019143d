//! How a JVM of the stack is started.
//!
//! In: a class path folder, a main class, flags. Out: a recipe. Never: options taken from this
//! program's environment; a developer's `JAVA_TOOL_OPTIONS` must not change what is tested.

use std::path::Path;

use crate::error::{Context as _, Result};
use crate::parts::Parts;
use crate::process::Recipe;

/// Which Kafka a JVM runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Line {
    /// The newest that is tested; the broker is always of this line.
    #[default]
    Newest,
    /// The oldest worker that the plugin promises to run in.
    Oldest,
}

/// What is started: names it, says where it logs, and what its main class gets.
#[derive(Debug)]
pub(crate) struct Java<'a> {
    pub(crate) name: &'a str,
    pub(crate) line: Line,
    pub(crate) flags: &'a [String],
    pub(crate) main: &'a str,
    pub(crate) properties: &'a Path,
}

impl Java<'_> {
    /// The recipe: `run` is the run folder, its `logs` folder takes the log.
    pub(crate) fn recipe(&self, parts: &Parts, run: &Path) -> Result<Recipe> {
        let mut args = java_args(parts, self.line)?;
        // Libraries unpacked by a killed JVM go with the run folder.
        let temporary = format!("-Djava.io.tmpdir={}", run.join("tmp").display());
        args.splice(0..0, self.flags.iter().cloned().chain([temporary]));
        args.push(self.main.to_owned());
        args.push(self.properties.display().to_string());
        Ok(Recipe {
            name: self.name.to_owned(),
            program: "java".into(),
            args,
            env: vec![("JAVA_TOOL_OPTIONS".to_owned(), String::new())],
            folder: run.to_path_buf(),
            log: run.join("logs").join(format!("{}.log", self.name)),
        })
    }
}

/// Class path and logging of a line, everything before the main class.
pub(crate) fn java_args(parts: &Parts, line: Line) -> Result<Vec<String>> {
    let stack = parts.root().join("tests/stack");
    let (part, logging) = match line {
        Line::Newest => ("kafka", ("log4j2.configurationFile", "kafka/log4j2.xml")),
        Line::Oldest => ("kafka-old", ("log4j.configuration", "connect-old/log4j.properties")),
    };
    let file = stack.join(logging.1);
    Ok(vec![
        format!("-D{}=file:{}", logging.0, file.display()),
        "-cp".to_owned(),
        format!("{}/*", parts.folder(part)?.display()),
    ])
}

/// Writes a properties file: a base from the clone but for the keys `without`, then lines that win
/// over it.
pub(crate) fn write_properties(
    base: &Path,
    without: &[String],
    lines: &[(String, String)],
    to: &Path,
) -> Result<()> {
    let base_text = std::fs::read_to_string(base).context(|| base.display().to_string())?;
    let left_out = |line: &str| {
        line.split_once('=').is_some_and(|(key, _)| without.iter().any(|name| name == key))
    };
    let kept = base_text.lines().filter(|line| !left_out(line));
    let mut text: String = kept.map(|line| format!("{line}\n")).collect();
    for (key, value) in lines {
        text.push_str(&format!("{key}={value}\n"));
    }
    std::fs::write(to, text).context(|| to.display().to_string())
}
