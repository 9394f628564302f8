//! Imports between our crates run one way, and the cores hold no standard library.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::house::House;

/// The crates that decide, and the store that is the same on every host: no standard library.
pub const NO_STD: [&str; 5] = [
    "pigeonhub-protocol",
    "pigeonhub-bootstrap",
    "pigeonhub-node-core",
    "pigeonhub-node-sql",
    "pigeonhub-client-core",
];

/// What each crate may import of ours, dev-dependencies included. `docs/architecture.md` says why.
const WALLS: [(&str, &[&str]); 12] = [
    ("pigeonhub-protocol", &[]),
    ("pigeonhub-bootstrap", &["pigeonhub-protocol"]),
    ("pigeonhub-node-core", &["pigeonhub-protocol"]),
    ("pigeonhub-node-sql", &["pigeonhub-protocol", "pigeonhub-node-core"]),
    (
        "pigeonhub-node-spin",
        &["pigeonhub-protocol", "pigeonhub-bootstrap", "pigeonhub-node-core", "pigeonhub-node-sql"],
    ),
    (
        "pigeonhub",
        &["pigeonhub-protocol", "pigeonhub-bootstrap", "pigeonhub-node-core", "pigeonhub-node-sql"],
    ),
    ("pigeonhub-client-core", &["pigeonhub-protocol"]),
    ("pigeonhub-wasm", &["pigeonhub-protocol", "pigeonhub-client-core"]),
    ("demo-app", &["pigeonhub-protocol", "pigeonhub-client-core", "pigeonhub-wasm"]),
    ("pigeonhub-spin-host", &[]),
    (
        "pigeonhub-tests",
        &[
            "pigeonhub-protocol",
            "pigeonhub-bootstrap",
            "pigeonhub-node-core",
            "pigeonhub-node-sql",
            "pigeonhub",
            "pigeonhub-client-core",
            "pigeonhub-wasm",
            "demo-app",
            "pigeonhub-spin-host",
        ],
    ),
    ("xtask", &[]),
];

/// Every import that breaks a wall, and every core that does not declare itself `no_std`.
pub fn faults(house: &House) -> Result<Vec<String>> {
    let packages = house.metadata["packages"].as_array().context("cargo metadata: packages")?;
    let mut faults = import_faults(packages);
    for package in packages.iter().filter(|package| NO_STD.contains(&name(package))) {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
        let library = manifest.with_file_name("src").join("lib.rs");
        let source =
            fs::read_to_string(&library).with_context(|| format!("cannot read {}", library.display()))?;
        if !declares_no_std(&source) {
            faults.push(format!("{}: src/lib.rs does not say #![no_std]", name(package)));
        }
    }
    Ok(faults)
}

fn import_faults(packages: &[Value]) -> Vec<String> {
    let ours: Vec<_> = packages.iter().map(name).collect();
    let mut faults = Vec::new();
    for package in packages {
        let crate_name = name(package);
        let Some((_, allowed)) = WALLS.iter().find(|(row, _)| *row == crate_name) else {
            faults.push(format!("{crate_name}: has no row in the table of walls"));
            continue;
        };
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        for import in dependencies.map(name) {
            // A crate's own tests may want it with a feature.
            if import != crate_name && ours.contains(&import) && !allowed.contains(&import) {
                faults.push(format!("{crate_name}: must not import {import}"));
            }
        }
    }
    faults
}

fn name(package_or_dependency: &Value) -> &str {
    package_or_dependency["name"].as_str().unwrap_or_default()
}

fn declares_no_std(source: &str) -> bool {
    source.lines().any(|line| line.trim_end() == "#![no_std]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A workspace of all crates in which only `from` imports anything.
    fn workspace(from: &str, import: &str, kind: &Value) -> Vec<Value> {
        let dependency = json!({ "name": import, "kind": kind });
        WALLS
            .iter()
            .map(|(row, _)| {
                let imports = if *row == from { vec![&dependency] } else { vec![] };
                json!({ "name": row, "dependencies": imports })
            })
            .collect()
    }

    #[test]
    fn every_pair_of_crates_is_allowed_or_refused_as_the_table_says() {
        for (from, allowed) in WALLS {
            for (import, _) in WALLS {
                for kind in [json!(null), json!("dev"), json!("build")] {
                    let faults = import_faults(&workspace(from, import, &kind));
                    let is_allowed = from == import || allowed.contains(&import);
                    assert_eq!(faults.is_empty(), is_allowed, "{faults:?}");
                }
            }
        }
    }

    #[test]
    fn the_table_has_one_direction() {
        for (row, (_, allowed)) in WALLS.iter().enumerate() {
            for import in *allowed {
                let above = WALLS[..row].iter().any(|(earlier, _)| earlier == import);
                assert!(above, "{import} must stand above those that import it");
                assert!(!["pigeonhub-tests", "xtask"].contains(import));
            }
        }
        let cores_import = |name| WALLS.iter().find(|(row, _)| *row == name).map(|(_, to)| *to);
        for core in ["pigeonhub-node-core", "pigeonhub-client-core"] {
            for import in cores_import(core).unwrap_or_default() {
                assert_eq!(*import, "pigeonhub-protocol");
            }
        }
    }

    #[test]
    fn crates_from_elsewhere_are_free_and_unknown_ones_of_ours_are_not() {
        let faults = import_faults(&workspace("pigeonhub-protocol", "serde", &json!(null)));
        assert!(faults.is_empty());
        let faults = import_faults(&[json!({ "name": "newcomer", "dependencies": [] })]);
        assert_eq!(faults.len(), 1);
    }

    #[test]
    fn no_std_must_be_unconditional() {
        assert!(declares_no_std("//! words\n\n#![no_std]\n"));
        assert!(!declares_no_std("//! #![no_std]\n// #![no_std]\n"));
        assert!(!declares_no_std("#![cfg_attr(not(feature = \"std\"), no_std)]\n"));
    }
}
