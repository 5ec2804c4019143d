//! Where the installed parts of the stack are.
//!
//! In: `scripts/install.sh where`, the one place that knows versions and folders. Out: paths of
//! parts that are there. Never: an installation; a missing part is an error with the command that
//! installs it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Context as _, Error, Result};

/// The folders of the parts, by the names that `scripts/install.sh` gives them.
#[derive(Debug, Clone)]
pub struct Parts {
    root: PathBuf,
    folders: HashMap<String, PathBuf>,
}

impl Parts {
    /// Asks the install script where its parts are.
    ///
    /// # Errors
    /// The script cannot be run.
    pub fn find() -> Result<Self> {
        let root = clone_root();
        let script = root.join("scripts/install.sh");
        let answer =
            Command::new(&script).arg("where").output().context(|| script.display().to_string())?;
        if !answer.status.success() {
            let said = String::from_utf8_lossy(&answer.stderr);
            return Err(Error::new(format!("{} where: {said}", script.display())));
        }
        let folders = String::from_utf8_lossy(&answer.stdout)
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(part, folder)| (part.to_owned(), PathBuf::from(folder)))
            .collect();
        Ok(Self { root, folders })
    }

    /// The folder of one part.
    ///
    /// # Errors
    /// The part is not installed.
    pub fn folder(&self, part: &str) -> Result<&Path> {
        match self.folders.get(part) {
            Some(folder) if folder.is_dir() => Ok(folder),
            _ => Err(Error::new(format!(
                "part '{part}' of the stack is not installed: run scripts/install.sh {part}"
            ))),
        }
    }

    /// The folder to put into `plugin.path` for Debezium's MySQL source.
    ///
    /// # Errors
    /// The part is not installed.
    pub fn debezium(&self) -> Result<PathBuf> {
        self.folder("debezium").map(Path::to_path_buf)
    }

    /// The Python program with the readers of `tests/readback/requirements.txt`.
    ///
    /// # Errors
    /// The part is not installed.
    pub fn python(&self) -> Result<PathBuf> {
        Ok(self.folder("readback")?.join("bin/python"))
    }

    /// Where the run folders are made: this user's own, not the temporary folder of everybody.
    pub(crate) fn runs(&self) -> Result<PathBuf> {
        let runs = self.folders.get("runs").cloned();
        runs.ok_or_else(|| Error::new("scripts/install.sh where names no folder 'runs'"))
    }

    /// The clone this crate was built in.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }
}

fn clone_root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}
