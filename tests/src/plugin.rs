//! The plugin as it is shipped: the zip of `gradle pluginZip`, unpacked as a user does.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Context as _, Error, Result};

/// The plugin zip in `dist`.
#[derive(Debug)]
pub struct Plugin;

impl Plugin {
    /// The zip of this version.
    ///
    /// # Errors
    /// It was not built.
    pub fn zip() -> Result<PathBuf> {
        let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist");
        let version = env!("CARGO_PKG_VERSION");
        let zip = dist.join(format!("alluvium-connect-{version}.zip"));
        if zip.is_file() {
            return Ok(zip);
        }
        Err(Error::new(format!(
            "{} is not there: build it by `gradle --no-daemon -PnativeDebug pluginZip`",
            zip.display()
        )))
    }

    /// A folder for `plugin.path` that holds nothing but the jar; it goes when dropped.
    ///
    /// # Errors
    /// The zip is not there, or is none.
    pub fn bare_jar() -> Result<tempfile::TempDir> {
        let doing = || "the bare jar".to_owned();
        let (unpacked, bare) = (tempfile::tempdir(), tempfile::tempdir());
        let (unpacked, bare) = (unpacked.context(doing)?, bare.context(doing)?);
        let name = format!("alluvium-connect-{}", env!("CARGO_PKG_VERSION"));
        let jar = format!("{name}.jar");
        let from = Self::unpacked(unpacked.path())?.join(name).join(&jar);
        std::fs::copy(from, bare.path().join(jar)).context(doing)?;
        Ok(bare)
    }

    /// A folder for `plugin.path` with the zip unpacked in it, below `under`.
    ///
    /// # Errors
    /// The zip is not there, or is none.
    pub fn unpacked(under: &Path) -> Result<PathBuf> {
        let (zip, folder) = (Self::zip()?, under.join("plugins"));
        // Python's, which the stack needs anyway: `unzip` is not on every machine.
        let doing = || format!("unpacking {}", zip.display());
        let output = Command::new("python3")
            .args(["-m", "zipfile", "-e"])
            .args([&zip, &folder])
            .output()
            .context(doing)?;
        if output.status.success() {
            return Ok(folder);
        }
        Err(Error::new(format!("{}: {}", doing(), String::from_utf8_lossy(&output.stderr))))
    }
}
