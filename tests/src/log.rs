//! The log file of one process.
//!
//! In: what the process wrote, over all its starts. Out: text, whole or since the last start.
//! Never: a line hidden because it is not UTF-8.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Context as _, Result};

const TAIL_LINES: usize = 40;

/// Standard output and standard error of a process.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    /// Length when the process was last started.
    start: AtomicUsize,
}

impl Log {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, start: AtomicUsize::new(0) }
    }

    /// Opens the file to append to; what follows counts as since this start.
    pub(crate) fn begin(&self) -> Result<File> {
        let open = OpenOptions::new().create(true).append(true).open(&self.path);
        let file = open.context(|| self.path.display().to_string())?;
        let length = file.metadata().map_or(0, |meta| usize::try_from(meta.len()).unwrap_or(0));
        self.start.store(length, Ordering::Relaxed);
        Ok(file)
    }

    /// Everything logged, earlier starts included.
    #[must_use]
    pub fn text(&self) -> String {
        self.from(0)
    }

    /// What was logged since the last start.
    #[must_use]
    pub fn since_start(&self) -> String {
        self.from(self.start.load(Ordering::Relaxed))
    }

    /// Whether a text stands anywhere in it, earlier starts included.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    /// Its last lines, indented under its path.
    #[must_use]
    pub fn tail(&self) -> String {
        let text = self.text();
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n    ");
        format!("{}:\n    {tail}", self.path.display())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn from(&self, offset: usize) -> String {
        let bytes = std::fs::read(&self.path).unwrap_or_default();
        String::from_utf8_lossy(&bytes[offset.min(bytes.len())..]).into_owned()
    }
}
