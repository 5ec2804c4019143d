//! The last look at a finished path.

use super::escape::push_escaped;
use crate::error::{Error, Kind, Result};

/// Longest folder name, bytes: what file systems take.
const MAX_FOLDER: usize = 255;
/// Longest partition path, bytes: leaves room for the table's prefix and the file's name in the
/// 1,024 bytes of an S3 key.
const MAX_PATH: usize = 640;

/// Looks at the finished path: what a value could not do alone, several side by side may have.
pub(super) fn check(path: &mut String) -> Result<()> {
    let mut start = 0;
    let mut dotted = false;
    let bytes = path.as_bytes();
    for at in 0..=bytes.len() {
        if at < bytes.len() && bytes[at] != b'/' {
            continue;
        }
        let folder = &path[start..at];
        if folder.is_empty() || folder.len() > MAX_FOLDER {
            return Err(bad_folder(folder));
        }
        dotted |= folder.starts_with('.');
        start = at + 1;
    }
    if dotted {
        undot(path);
        return check(path);
    }
    if path.len() > MAX_PATH {
        return Err(Error::new(
            Kind::BadRecord,
            format!("partition.path gives this row a path of over {MAX_PATH} bytes"),
        )
        .with("length", path.len()));
    }
    Ok(())
}

/// Escapes the dot at the beginning of each folder: `.` and `..` would leave the table, other
/// such folders would be hidden from readers.
#[cold]
fn undot(path: &mut String) {
    let old = std::mem::take(path);
    for (n, folder) in old.split('/').enumerate() {
        if n > 0 {
            path.push('/');
        }
        match folder.strip_prefix('.') {
            Some(rest) => {
                push_escaped(path, b'.');
                path.push_str(rest);
            }
            None => path.push_str(folder),
        }
    }
}

#[cold]
fn bad_folder(folder: &str) -> Error {
    let what = if folder.is_empty() {
        "partition.path gives this row a folder without a name".to_owned()
    } else {
        format!("partition.path gives this row a folder name of over {MAX_FOLDER} bytes")
    };
    Error::new(Kind::BadRecord, what)
        .with("length", folder.len())
        .with("begins", folder.chars().take(40).collect::<String>())
}
