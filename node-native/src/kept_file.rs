//! A small file in `DATA_DIR`: what a node would rather not find out anew after a restart.

use std::path::{Path, PathBuf};

use tokio::fs;
use tokio::io::AsyncReadExt;
use tokio::sync::Mutex;

use crate::Error;

/// More than that was not written by a node.
const MOST: u64 = 256 * 1024;

/// The file, if there is a folder for it.
#[derive(Debug)]
pub struct KeptFile {
    path: Option<PathBuf>,
    /// One writer at a time, as all write to the same file first.
    writing: Mutex<()>,
}

impl KeptFile {
    /// The file of this name; the folder is made if it is missing.
    ///
    /// # Errors
    /// [`Error::Option`]: the folder cannot be made.
    pub fn open(folder: Option<&Path>, name: &str) -> Result<Self, Error> {
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder).map_err(|error| Error::Option {
                option: "DATA_DIR",
                reason: format!("{}: {error}", folder.display()),
            })?;
        }
        Ok(Self { path: folder.map(|folder| folder.join(name)), writing: Mutex::default() })
    }

    /// What it holds, if it is there and can be read.
    pub async fn read(&self) -> Option<String> {
        let path = self.path.as_ref()?;
        let mut text = String::new();
        let file = fs::File::open(path).await.ok()?;
        match file.take(MOST + 1).read_to_string(&mut text).await {
            Ok(_) => Some(text),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "what was kept cannot be read");
                None
            }
        }
    }

    /// Replaces what it holds, whole or not at all.
    pub async fn write(&self, text: &str) {
        let Some(path) = &self.path else { return };
        let _one = self.writing.lock().await;
        let new = path.with_extension("new");
        let written = match fs::write(&new, text).await {
            Ok(()) => fs::rename(&new, path).await,
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            tracing::warn!(path = %path.display(), %error, "what was found is not kept");
        }
    }
}
