//! The few things a file system must do on the disk and not only in memory. Every call here is on
//! the way of the promise: what was answered is there after a power cut.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Writes a new file and brings it to the disk; its name is not on the disk yet.
pub(super) fn write_new(file: &Path, body: &[u8]) -> io::Result<()> {
    write(&OpenOptions::new().write(true).create_new(true).open(file)?, file, body, 0)
}

/// Brings bytes written at an offset to the disk.
pub(super) fn write_at(file: &Path, body: &[u8], offset: u64) -> io::Result<()> {
    write(&OpenOptions::new().write(true).open(file)?, file, body, offset)
}

fn write(opened: &File, file: &Path, body: &[u8], offset: u64) -> io::Result<()> {
    opened.write_all_at(body, offset)?;
    trace("file", file);
    opened.sync_all()
}

/// Brings a folder's names to the disk.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    trace("folder", folder);
    fault(folder)?;
    File::open(folder)?.sync_all()
}

/// Gives a file another name, whatever has that name now.
pub(super) fn rename_over(from: &Path, to: &Path) -> io::Result<()> {
    trace("replace", to);
    std::fs::rename(from, to)
}

/// Gives a file another name unless that name is taken; `false` = taken. The old name may remain
/// when a power cut comes between two steps of a file system without the one-step form.
pub(super) fn rename_unless_taken(from: &Path, to: &Path) -> io::Result<bool> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    trace("rename", to);
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            let linked = link_unless_taken(from, to)?;
            if linked {
                std::fs::remove_file(from)?;
            }
            Ok(linked)
        }
        Err(other) => Err(other.into()),
    }
}

/// Gives a file a second name unless that name is taken; `false` = taken. The caller removes the
/// first name. On a file system without links the file loses its first name at once.
pub(super) fn name_unless_taken(from: &Path, to: &Path) -> io::Result<bool> {
    trace("link", to);
    match link_unless_taken(from, to) {
        Err(error) if lacks_links(&error) => rename_unless_taken(from, to)
            .map_err(|e| if lacks_links(&e) { io::ErrorKind::Unsupported.into() } else { e }),
        linked => linked,
    }
}

fn link_unless_taken(from: &Path, to: &Path) -> io::Result<bool> {
    match std::fs::hard_link(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Linux says EPERM where a file system has no hard links (link(2)).
fn lacks_links(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let code = error.raw_os_error();
    [Errno::PERM, Errno::OPNOTSUPP, Errno::NOSYS, Errno::INVAL, Errno::MLINK]
        .iter()
        .any(|e| code == Some(e.raw_os_error()))
}

#[cfg(not(test))]
fn trace(_: &'static str, _: &Path) {}

#[cfg(not(test))]
fn fault(_: &Path) -> io::Result<()> {
    Ok(())
}

/// In tests: folders that cannot be brought to the disk, as when it fails (EIO), and how often.
#[cfg(test)]
pub(super) static FAULTS: std::sync::Mutex<Vec<(std::path::PathBuf, u32)>> =
    std::sync::Mutex::new(Vec::new());

#[cfg(test)]
fn fault(folder: &Path) -> io::Result<()> {
    let mut faults = FAULTS.lock().unwrap();
    let of_folder = faults.iter_mut().find(|(broken, left)| broken == folder && *left > 0);
    match of_folder {
        Some((_, left)) => {
            *left -= 1;
            Err(io::Error::from_raw_os_error(5))
        }
        None => Ok(()),
    }
}

/// In tests: what was done in which order, by this thread.
#[cfg(test)]
pub(super) fn trace(what: &'static str, path: &Path) {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    TRACE.with_borrow_mut(|t| t.push(format!("{what} {name}")));
}

#[cfg(test)]
thread_local! {
    pub(super) static TRACE: std::cell::RefCell<Vec<String>> = std::cell::RefCell::default();
}
