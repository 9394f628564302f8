//! Every Rust file is part of a program: one that no `mod` names is not compiled, and its tests pass unseen.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::house::House;
use crate::sync::{extension, files_of};

/// Cargo finds these by their names, or by those of their folders.
const ROOTS: [&str; 3] = ["main.rs", "lib.rs", "build.rs"];
const FOLDERS_OF_ROOTS: [&str; 3] = ["tests", "bin", "examples"];

/// Every file that no other one names.
pub fn faults(house: &House) -> Result<Vec<String>> {
    let files = files_of(house)?;
    let mut texts = Vec::new();
    for file in files.into_iter().filter(|file| extension(file) == "rs") {
        texts.push((file.strip_prefix(&house.root)?.to_owned(), fs::read_to_string(&file)?));
    }
    Ok(unnamed(&texts).into_iter().map(|file| format!("{}: no `mod` names it", file.display())).collect())
}

/// A module is named by a file beside its own, or beside its folder.
fn unnamed(texts: &[(PathBuf, String)]) -> Vec<&Path> {
    let mut named: HashMap<&Path, HashSet<&str>> = HashMap::new();
    for (file, text) in texts {
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        let names = lines.filter_map(|line| {
            let module = line.rsplit_once("mod ").and_then(|(_, name)| name.strip_suffix(';'));
            module.or_else(|| line.strip_prefix("#[path = \"")?.strip_suffix(".rs\"]"))
        });
        named.entry(file.parent().unwrap_or(Path::new(""))).or_default().extend(names);
    }
    let is_named = |file: &Path| {
        let mut folders = file.ancestors().skip(1).take(2);
        let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        folders.any(|folder| named.get(folder).is_some_and(|names| names.contains(name)))
    };
    let is_root = |file: &Path| {
        let folder = file.parent().and_then(Path::file_name);
        ROOTS.iter().any(|root| file.ends_with(root))
            || FOLDERS_OF_ROOTS.iter().any(|root| folder.is_some_and(|folder| folder == *root))
    };
    texts.iter().map(|(file, _)| file.as_path()).filter(|file| !is_root(file) && !is_named(file)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_no_module_names_is_found() {
        let texts = [
            ("a/src/lib.rs", "mod b;\npub(crate) mod c;\n#[path = \"d_tests.rs\"]\nmod tests;\n// mod e;\n"),
            ("a/src/b.rs", "mod inner;\n"),
            ("a/src/b/inner.rs", ""),
            ("a/src/c.rs", ""),
            ("a/src/d_tests.rs", ""),
            ("a/src/e.rs", ""),
            ("a/tests/whole.rs", "mod parts {\n    mod one;\n}\n"),
            ("a/tests/parts/one.rs", ""),
            ("a/tests/parts/two.rs", ""),
        ];
        let texts = texts.map(|(file, text)| (PathBuf::from(file), text.to_owned()));
        let found = unnamed(&texts);
        assert_eq!(found, [Path::new("a/src/e.rs"), Path::new("a/tests/parts/two.rs")]);
    }
}
