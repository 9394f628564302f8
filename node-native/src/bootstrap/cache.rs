//! The file in which the nodes are kept that were found.

use std::io;
use std::path::{Path, PathBuf};

use tokio::fs;
use tokio::io::AsyncReadExt;
use tokio::sync::Mutex;

use crate::Error;

/// Its name in `DATA_DIR`.
const NAME: &str = "bootstrap.json";
/// More than that was not written by a node.
const MOST: u64 = 256 * 1024;

/// One writer at a time, as all write to the same file first.
static WRITING: Mutex<()> = Mutex::const_new(());

/// The file's path; the folder is made if it is missing.
pub fn open(folder: &Path) -> Result<PathBuf, Error> {
    std::fs::create_dir_all(folder).map_err(|error| Error::Option {
        option: "DATA_DIR",
        reason: format!("{}: {error}", folder.display()),
    })?;
    Ok(folder.join(NAME))
}

/// What it holds, if it can be read.
pub async fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    let file = fs::File::open(path).await.ok()?;
    match file.take(MOST + 1).read_to_string(&mut text).await {
        Ok(_) => Some(text),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "the cache cannot be read");
            None
        }
    }
}

/// Replaces what it holds, whole or not at all.
pub async fn write(path: &Path, text: &str) -> io::Result<()> {
    let _one = WRITING.lock().await;
    let new = path.with_extension("new");
    fs::write(&new, text).await?;
    fs::rename(&new, path).await
}
