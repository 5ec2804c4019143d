//! One page of the files below a folder, in ascending order of keys, as a store gives it.

use crate::store::ObjectInfo;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// The first `max` files whose key begins with `prefix` (which ends in `/`) and is greater than
/// `after`.
pub(super) fn page(prefix: &str, after: Option<&str>, max: usize) -> io::Result<Vec<ObjectInfo>> {
    let mut keys = Vec::new();
    walk(prefix.trim_end_matches('/'), after, &mut keys)?;
    // Folders are walked one by one, but '-' comes before '/': only the whole keys can be ordered.
    keys.sort_unstable();
    let mut page = Vec::with_capacity(keys.len().min(max));
    for key in keys {
        // A file may be deleted between the walk and here.
        match fs::metadata(Path::new("/").join(&key)) {
            Ok(found) => page.push(ObjectInfo { key, size: found.len(), etag: None }),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        if page.len() == max {
            break;
        }
    }
    Ok(page)
}

fn walk(folder: &str, after: Option<&str>, keys: &mut Vec<String>) -> io::Result<()> {
    let entries = match fs::read_dir(Path::new("/").join(folder)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        // Names that are not text are not ours.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let key = format!("{folder}/{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&key, after, keys)?;
        } else if kind.is_file() && after.is_none_or(|after| &*key > after) {
            keys.push(key);
        }
    }
    Ok(())
}
