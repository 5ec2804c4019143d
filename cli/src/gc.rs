//! `alluvium gc`: removes staged files that were left behind, on a folder. On S3 lifecycle rules do
//! that: the store's port does not tell how old an object is.

use crate::chain::Chain;
use crate::failure::{FINE, Failure, Outcome};
use crate::out::{Out, line};
use crate::settings::Settings;
use crate::show;
use alluvium_core::survey;
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Longer than any upload may wait for its record (`upload.max.age.ms`, 7 days at most).
const OLD: Duration = Duration::from_secs(7 * 24 * 3600);

/// A staged file that may be a leftover.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Staged {
    file: PathBuf,
    size: u64,
    age: Duration,
}

/// Runs the command.
pub(crate) async fn run(settings: &Settings, dry_run: bool, out: &mut Out) -> Outcome {
    let meta = &settings.lake.meta;
    if settings.config.meta_url.starts_with("s3://") {
        line!(
            out,
            "nothing to do on S3: the bucket's lifecycle rules remove what was left behind, one for \
             incomplete uploads and, with publish.mode=copy, one for what lies below {}/staging \
             (7 days or more, both)",
            settings.config.meta_url
        )?;
        return Ok(FINE);
    }
    let folder = Path::new("/").join(&meta.prefix).join("staging");
    let mut old = staged(&folder, SystemTime::now())
        .map_err(|e| Failure::unreadable(format!("{}: {e}", folder.display())))?;
    let found = old.len();
    let named = if old.is_empty() { 0 } else { keep_named(settings, &mut old, out).await? };
    let bytes: u64 = old.values().map(|staged| staged.size).sum();
    for staged in old.values() {
        let days = staged.age.as_secs() / 86_400;
        let verb = if dry_run { "would remove" } else { "removing" };
        let size = show::bytes(staged.size);
        let file = staged.file.display();
        line!(out, "{verb} {file}: {size}, {days} days old, named in no log record")?;
        if !dry_run {
            remove(&staged.file)?;
        }
    }
    let verb = if dry_run { "would be removed" } else { "removed" };
    let total = show::bytes(bytes);
    line!(
        out,
        "{} of {found} old staged files {verb} ({total}); {named} are on record",
        old.len()
    )?;
    Ok(FINE)
}

/// The staged files older than [`OLD`], by upload id. Files of other names are not ours.
fn staged(folder: &Path, now: SystemTime) -> std::io::Result<BTreeMap<String, Staged>> {
    let mut old = BTreeMap::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(old),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let Some(id) = name.strip_suffix(".tmp") else { continue };
        let ours = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
        // One may be published, and so be gone, at any time.
        let Some(found) = entry.metadata().ok().filter(|found| ours && found.is_file()) else {
            continue;
        };
        let age = now.duration_since(found.modified()?).unwrap_or_default();
        if age > OLD {
            let staged = Staged { file: entry.path(), size: found.len(), age };
            old.insert(id.to_owned(), staged);
        }
    }
    Ok(old)
}

/// Takes out what any record of any log names, and says so. Gives how many.
async fn keep_named(
    settings: &Settings,
    old: &mut BTreeMap<String, Staged>,
    out: &mut Out,
) -> Outcome<usize> {
    let (meta, found) = (&settings.lake.meta, old.len());
    for log in survey::logs(meta).await? {
        // A chain that cannot be read to its end may name any file: then nothing is removed.
        let mut chain = Chain::open(meta, &log).await?;
        while let Some(record) = chain.next().await? {
            for file in &record.files {
                if let Some(staged) = old.remove(&file.upload_id) {
                    let file = staged.file.display();
                    line!(out, "keeping {file}: named in record {} of {log}", record.seq)?;
                }
            }
        }
    }
    Ok(found - old.len())
}

fn remove(file: &Path) -> Outcome<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Failure::unreadable(format!("removing {}: {error}", file.display())))
        }
        _ => Ok(()),
    }
}
