//! The folder of one run: configurations, data and logs of every process.
//!
//! In: nothing. Out: a fresh folder, gone at the end unless `KEEP=1`, and with it the few files
//! that a server insists on putting elsewhere. Never: a folder of a run whose program is alive;
//! what a killed program left is removed by the next run.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{Context as _, Result};
use crate::guard;
use crate::say::say;

/// In a run folder: stays when its program ends.
const KEEP: &str = "KEEP";
/// In a run folder: paths of files elsewhere that go with it, one a line.
const ELSEWHERE: &str = "elsewhere";

/// Deleted when dropped, unless `KEEP=1`.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    keep: bool,
}

impl RunFolder {
    /// Makes the folder, after removing those of runs whose program is dead.
    pub(crate) fn new(parent: &Path) -> Result<Self> {
        fs::create_dir_all(parent).context(|| parent.display().to_string())?;
        remove_leftovers(parent);
        let keep = std::env::var(KEEP).is_ok_and(|keep| keep == "1");
        let path = tempfile::Builder::new()
            .prefix(&format!("{}-", std::process::id()))
            .tempdir_in(parent)
            .context(|| format!("a run folder in {}", parent.display()))?
            .keep();
        if keep {
            fs::write(path.join(KEEP), "").context(|| path.display().to_string())?;
            say(format!("KEEP=1: the run folder stays, {}", path.display()));
        } else {
            guard::watch_folder(&path);
        }
        Ok(Self { path, keep })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A folder inside of this one.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        fs::create_dir_all(&path).context(|| path.display().to_string())?;
        Ok(path)
    }

    /// A file elsewhere that goes with this folder; it need not be there yet.
    pub(crate) fn owns(&self, file: &str) -> Result<()> {
        let list = self.path.join(ELSEWHERE);
        let opened = OpenOptions::new().create(true).append(true).open(&list);
        opened.and_then(|mut list| writeln!(list, "{file}")).context(|| list.display().to_string())
    }
}

/// Removes a run folder, first the files elsewhere that go with it.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    for file in fs::read_to_string(folder.join(ELSEWHERE)).unwrap_or_default().lines() {
        // Named before it was made: not every one is there.
        let _ = fs::remove_file(file);
    }
    fs::remove_dir_all(folder)
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        if let Err(error) = remove(&self.path) {
            say(format!("cannot remove {}: {error}", self.path.display()));
        }
        guard::forget_folder(&self.path);
    }
}

fn remove_leftovers(parent: &Path) {
    for run in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = run.file_name();
        let owner = name.to_str().and_then(|name| name.split_once('-')).map(|(pid, _)| pid);
        let alive = owner.is_none_or(|pid| Path::new("/proc").join(pid).exists());
        if !alive && !run.path().join(KEEP).exists() {
            // Another test program may be removing the very same folder.
            let _ = remove(&run.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_the_folders_of_dead_programs_only() {
        let parent = tempfile::tempdir().unwrap();
        let dead = parent.path().join("999999999-left");
        let kept = parent.path().join("999999999-kept");
        let own = parent.path().join(format!("{}-own", std::process::id()));
        for folder in [&dead, &kept, &own] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(kept.join(KEEP), "").unwrap();
        let socket = parent.path().join("socket");
        fs::write(&socket, "").unwrap();
        fs::write(dead.join(ELSEWHERE), format!("{}\n", socket.display())).unwrap();
        remove_leftovers(parent.path());
        assert!(!dead.exists());
        assert!(!socket.exists());
        assert!(kept.exists());
        assert!(own.exists());
    }
}
