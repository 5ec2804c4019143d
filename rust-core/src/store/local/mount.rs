//! Where folders lie: in go the table's and the log's folder, out comes whether files can be
//! renamed between them and written at all. Reads only.

use crate::error::{Error, Kind, Result};
use crate::store::Checked;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A file becomes visible by a rename out of the log's staging folder, which works within one
/// mount only.
///
/// # Errors
/// [`Kind::Config`] naming both folders.
pub(in crate::store) fn refuse_two_mounts(table: &Path, meta: &Path) -> Result<()> {
    let device = |folder| nearest(folder).and_then(|near| Ok(near.metadata()?.dev()));
    let unreadable = |key: &'static str, folder: &Path, error: std::io::Error| {
        let message = "the folder cannot be looked at";
        Error::new(Kind::Config, message)
            .with("key", key)
            .with("value", folder.display())
            .because(error)
    };
    let of_table = device(table).map_err(|e| unreadable("lake.url", table, e))?;
    let of_meta = device(meta).map_err(|e| unreadable("lake.meta.url", meta, e))?;
    if of_table == of_meta {
        return Ok(());
    }
    let message = "must lie on the same mount as lake.url: files become visible by a rename, \
                   which does not cross mounts";
    Err(Error::new(Kind::Config, message)
        .with("key", "lake.meta.url")
        .with("value", meta.display())
        .with("lake.url", table.display()))
}

/// Whether this worker could write there. Another one may be where the task runs.
pub(in crate::store) fn look(folder: &Path) -> Checked {
    use rustix::fs::{Access, access};
    let wrong = |message: &str, near: &Path| {
        Error::new(Kind::Store, message.to_owned())
            .with("folder", folder.display())
            .with("nearest", near.display())
    };
    match nearest(folder) {
        Err(error) => {
            Checked::Unclear(wrong("the folder cannot be looked at", folder).because(error))
        }
        Ok(near) if !near.is_dir() => {
            Checked::Unclear(wrong("a file stands where a folder is needed", near))
        }
        Ok(near) => match access(near, Access::WRITE_OK | Access::EXEC_OK) {
            Ok(()) => Checked::Good,
            Err(error) => Checked::Unclear(
                wrong("the worker's user may not write to the folder", near)
                    .because(std::io::Error::from(error)),
            ),
        },
    }
}

/// The folder, or the nearest one above it that is there.
fn nearest(folder: &Path) -> std::io::Result<&Path> {
    for near in folder.ancestors() {
        match near.try_exists() {
            Ok(true) => return Ok(near),
            Ok(false) => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::ErrorKind::NotFound.into())
}
