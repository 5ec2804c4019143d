//! What a store does, on folders: create-if-absent, staging, publishing. Blocking.
//!
//! Every answer that says "done" is given after the files and the names on the way to them are on
//! the disk.

use super::disk;
use std::collections::HashSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Folders whose names are known to be on the disk are remembered up to this many.
const DURABLE_MAX: usize = 10_000;

#[derive(Debug)]
pub(super) struct Folders {
    /// Folders above which nothing is ever made or synced by us.
    roots: [PathBuf; 2],
    staging: PathBuf,
    pub(super) part_size: usize,
    durable: Mutex<HashSet<PathBuf>>,
    /// Folders with names that may not be on the disk: bringing them there failed. Until it works
    /// nobody is told of a file in them, because what was read back would be taken for durable.
    unsynced: Mutex<HashSet<PathBuf>>,
}

impl Folders {
    pub(super) fn new(table: PathBuf, meta: PathBuf, part_size: usize) -> Self {
        let staging = meta.join("staging");
        Self {
            roots: [table, meta],
            staging,
            part_size,
            durable: Mutex::default(),
            unsynced: Mutex::default(),
        }
    }

    pub(super) fn read(&self, file: &Path) -> io::Result<Option<bytes::Bytes>> {
        self.settle(file)?;
        Ok(found(fs::read(file))?.map(bytes::Bytes::from))
    }

    pub(super) fn size(&self, file: &Path) -> io::Result<Option<u64>> {
        self.settle(file)?;
        Ok(found(fs::metadata(file))?.filter(fs::Metadata::is_file).map(|m| m.len()))
    }

    pub(super) fn delete(file: &Path) -> io::Result<()> {
        found(fs::remove_file(file)).map(drop)
    }

    /// Creates a file with all of its bytes or not at all; `false` = there is one.
    pub(super) fn create(&self, file: &Path, body: &[u8]) -> io::Result<bool> {
        let (_, staged) = self.stage_bytes(body)?;
        let named = self.in_folder_of(file, || disk::name_unless_taken(&staged, file));
        // The file's first name, or what is left of a failure.
        drop(fs::remove_file(&staged));
        let (created, folder) = named?;
        if created {
            self.sync(&folder)?;
        }
        Ok(created)
    }

    /// Writes a file whatever is there: readers see the old bytes or the new ones.
    pub(super) fn replace(&self, file: &Path, body: &[u8]) -> io::Result<()> {
        let (_, staged) = self.stage_bytes(body)?;
        let renamed = self.in_folder_of(file, || disk::rename_over(&staged, file).map(|()| true));
        if renamed.is_err() {
            drop(fs::remove_file(&staged));
        }
        self.sync(&renamed?.1)
    }

    /// Copies a file whatever is there; `false` = there is no such file.
    pub(super) fn copy(&self, from: &Path, to: &Path) -> io::Result<bool> {
        match found(fs::read(from))? {
            Some(body) => self.replace(to, &body).map(|()| true),
            None => Ok(false),
        }
    }

    /// Begins a staged file. Gives its id.
    pub(super) fn stage(&self) -> io::Result<String> {
        let (id, _) = self.stage_bytes(&[])?;
        disk::sync_folder(&self.staging)?;
        Ok(id)
    }

    fn stage_bytes(&self, body: &[u8]) -> io::Result<(String, PathBuf)> {
        self.make_durable(&self.staging)?;
        let id = Uuid::new_v4().simple().to_string();
        let file = self.staged(&id)?;
        match disk::write_new(&file, body) {
            Ok(()) => Ok((id, file)),
            Err(error) => {
                // Somebody may have removed the folder; it is made again next time.
                self.forget(&self.staging);
                drop(fs::remove_file(&file));
                Err(error)
            }
        }
    }

    /// Writes one part of a staged file. Gives its length, the id of its content.
    pub(super) fn write_part(&self, id: &str, index: usize, part: &[u8]) -> io::Result<String> {
        if part.len() > self.part_size {
            return Err(io::Error::new(ErrorKind::InvalidInput, "a part longer than part size"));
        }
        let file = self.staged(id)?;
        match disk::write_at(&file, part, (index * self.part_size) as u64) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let gone = format!("the staged file {} is gone", file.display());
                Err(io::Error::new(ErrorKind::InvalidData, gone))
            }
            written => written.map(|()| part.len().to_string()),
        }
    }

    /// Moves a staged file to its place; `false` = there is no such staged file (any more).
    pub(super) fn publish(&self, id: &str, file: &Path, parts: &[String]) -> io::Result<bool> {
        let staged = self.staged(id)?;
        let Some(size) = self.size(&staged)? else {
            // Another owner moved it and may have died before its folders were on the disk.
            if let Some(folder) = file.parent().filter(|f| f.is_dir()) {
                self.make_durable(folder)?;
                self.sync(folder)?;
            }
            return Ok(false);
        };
        if Some(size) != total(parts) {
            let message = format!("{} has {size} bytes, not those of its parts", staged.display());
            return Err(io::Error::new(ErrorKind::InvalidData, message));
        }
        let moved = self.in_folder_of(file, || disk::rename_unless_taken(&staged, file));
        let (moved, folder) = match moved {
            Err(error) if error.kind() == ErrorKind::NotFound && !staged.exists() => {
                return self.publish(id, file, parts);
            }
            moved => moved?,
        };
        if !moved && !same_file(&staged, file)? {
            let message = format!("{} is there already and is another file", file.display());
            return Err(io::Error::new(ErrorKind::InvalidData, message));
        }
        self.sync(&folder)?;
        if !moved {
            // Both names of one file: a power cut came between them.
            found(fs::remove_file(&staged))?;
        }
        disk::sync_folder(&self.staging)?;
        Ok(true)
    }

    pub(super) fn discard(&self, id: &str) -> io::Result<()> {
        Self::delete(&self.staged(id)?)
    }

    /// Ids come back from log records: one that is not ours never becomes a path.
    fn staged(&self, id: &str) -> io::Result<PathBuf> {
        if id.len() != 32 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
            let message = format!("{id:?} is not the id of a staged file");
            return Err(io::Error::new(ErrorKind::InvalidInput, message));
        }
        Ok(self.staging.join(format!("{id}.tmp")))
    }

    /// Does something that needs the file's folder, which somebody may remove while it is empty.
    /// Gives the folder too.
    fn in_folder_of(
        &self,
        file: &Path,
        act: impl Fn() -> io::Result<bool>,
    ) -> io::Result<(bool, PathBuf)> {
        let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
        self.make_durable(&folder)?;
        let done = match act() {
            Err(error) if error.kind() == ErrorKind::NotFound && !folder.is_dir() => {
                self.forget(&folder);
                self.make_durable(&folder)?;
                act()?
            }
            done => done?,
        };
        Ok((done, folder))
    }

    /// Makes a folder and those above it, and brings their names to the disk. A folder that is
    /// there may have been made by somebody who died before he did that, so it is done once for
    /// every folder below the roots.
    fn make_durable(&self, folder: &Path) -> io::Result<()> {
        if self.durable().contains(folder) {
            return Ok(());
        }
        let missing: Vec<&Path> = folder.ancestors().take_while(|f| !f.is_dir()).collect();
        fs::create_dir_all(folder)?;
        let ours = |f: &Path| self.roots.iter().any(|root| f.starts_with(root));
        for made in folder.ancestors().take_while(|f| missing.contains(f) || ours(f)) {
            if let Some(above) = made.parent() {
                disk::sync_folder(above)?;
            }
        }
        let mut durable = self.durable();
        if durable.len() >= DURABLE_MAX {
            durable.clear();
        }
        durable.insert(folder.to_owned());
        Ok(())
    }

    /// Brings a folder's names to the disk. One that fails is remembered: what failed once may have
    /// left names in memory only, and whoever asks for one of them tries again first.
    fn sync(&self, folder: &Path) -> io::Result<()> {
        let synced = disk::sync_folder(folder);
        let mut unsynced = self.unsynced.lock().unwrap_or_else(PoisonError::into_inner);
        match &synced {
            Ok(()) => _ = unsynced.remove(folder),
            Err(_) => _ = unsynced.insert(folder.to_owned()),
        }
        synced
    }

    /// Before anything is told of a file: its name must be on the disk.
    fn settle(&self, file: &Path) -> io::Result<()> {
        file.parent().map_or(Ok(()), |folder| self.settle_folder(folder))
    }

    /// Before anything is told of files right in a folder.
    pub(super) fn settle_folder(&self, folder: &Path) -> io::Result<()> {
        let unsynced = self.unsynced.lock().unwrap_or_else(PoisonError::into_inner);
        let open = unsynced.contains(folder);
        drop(unsynced);
        if open { self.sync(folder) } else { Ok(()) }
    }

    fn forget(&self, folder: &Path) {
        self.durable().remove(folder);
    }

    fn durable(&self) -> MutexGuard<'_, HashSet<PathBuf>> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn found<T>(answer: io::Result<T>) -> io::Result<Option<T>> {
    match answer {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        answer => answer.map(Some),
    }
}

fn total(parts: &[String]) -> Option<u64> {
    parts.iter().map(|length| length.parse::<u64>().ok()).sum()
}

fn same_file(a: &Path, b: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (a, b) = (fs::metadata(a)?, fs::metadata(b)?);
    Ok((a.dev(), a.ino()) == (b.dev(), b.ino()))
}
