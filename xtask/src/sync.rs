//! Copies that touch only what differs, so that nothing downstream is rebuilt without need.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::house::House;

/// Copies a file unless the copy is already equal.
pub fn copy_file(from: &Path, to: &Path) -> Result<()> {
    write(to, &fs::read(from).with_context(|| format!("cannot read {}", from.display()))?)
}

/// Writes a file unless it has this content already.
pub fn write(to: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    if let Some(dir) = to.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(to, bytes).with_context(|| format!("cannot write {}", to.display()))
}

/// Makes `to` equal to `from`: files copied where they differ, files that are gone removed.
pub fn mirror(from: &Path, to: &Path) -> Result<()> {
    for file in files_below(to)? {
        let inner = file.strip_prefix(to)?;
        if !from.join(inner).is_file() {
            fs::remove_file(&file)?;
        }
    }
    for file in files_below(from)? {
        copy_file(&file, &to.join(file.strip_prefix(from)?))?;
    }
    Ok(())
}

/// Every file below a directory, in a stable order; none if there is no such directory.
pub fn files_below(dir: &Path) -> Result<Vec<PathBuf>> {
    files_below_except(dir, &|_| false)
}

/// As [`files_below`], without the directories that `skip` names.
fn files_below_except(dir: &Path, skip: &dyn Fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if !dir.is_dir() {
        return Ok(files);
    }
    let entries: Result<Vec<_>, _> = fs::read_dir(dir)?.collect();
    let mut entries = entries?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() && !skip(&path) {
            files.extend(files_below_except(&path, skip)?);
        } else if kind.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

/// Every file of the house: what is built, downloaded or not ours is left out.
pub fn files_of(house: &House) -> Result<Vec<PathBuf>> {
    const SKIPPED: [&str; 4] = [".git", "target", "node_modules", "dist"];
    let generated = house.root.join("pkg/wasm");
    files_below_except(&house.root, &|dir| {
        let named = |name| dir.file_name().is_some_and(|dir_name| dir_name == name);
        SKIPPED.into_iter().any(named) || dir == house.target || dir == generated
    })
}

/// The extension as text, empty if there is none.
pub fn extension(path: &Path) -> &str {
    path.extension().and_then(OsStr::to_str).unwrap_or_default()
}
