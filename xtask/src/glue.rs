//! The JavaScript between a module and its page, made small.
//!
//! wasm-bindgen calls what a module takes from the page by long names that end in a hash, once in the
//! module and once in the JavaScript. Nobody reads them, and a hash cannot be compressed.

use std::fs;
use std::path::Path;

use anyhow::Result;
use wasm_bindgen_cli_support::Output;

/// Writes a module and its JavaScript to a directory, with short names between them.
pub fn emit(mut output: Output, stem: &str, dir: &Path) -> Result<()> {
    let names = shorten(&mut output, stem);
    output.emit(dir)?;
    let file = dir.join(format!("{stem}.js"));
    fs::write(&file, tidy(&fs::read_to_string(&file)?, &names))?;
    Ok(())
}

/// Gives short names to what is passed between the two; returns old and new.
fn shorten(output: &mut Output, stem: &str) -> Vec<(String, String)> {
    let glue = format!("./{stem}_bg.js");
    let mut names = Vec::new();
    let mut rename = |name: &mut String, kind: &str| {
        let short = format!("{kind}{}", names.len());
        names.push((std::mem::replace(name, short.clone()), short));
    };
    let module = output.wasm_mut();
    // What other files give has the names that they have there.
    let imports = module.imports.iter_mut().filter(|import| import.module == glue);
    imports.for_each(|import| rename(&mut import.name, "_"));
    let closures = module.exports.iter_mut().filter(|export| export.name.contains("closures"));
    closures.for_each(|export| rename(&mut export.name, "$"));
    // A name may be the beginning of another one.
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    names
}

/// JavaScript with other names, and without comments and indentation.
fn tidy(script: &str, names: &[(String, String)]) -> String {
    let is_comment = |line: &str| ["//", "/*", "*"].iter().any(|mark| line.starts_with(mark));
    let lines = script.lines().map(str::trim_start).filter(|line| !line.is_empty() && !is_comment(line));
    let script = lines.flat_map(|line| [line, "\n"]).collect();
    names.iter().fold(script, |script: String, (name, short)| script.replace(name, short))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_reads_is_left_out() {
        let script = "/**\n * A hub.\n */\nclass A {\n    // So.\n    b() { f_1(f_12); }\n}\n\n";
        let names = [("f_12", "_1"), ("f_1", "_0")].map(|(name, short)| (name.into(), short.into()));
        assert_eq!(tidy(script, &names), "class A {\nb() { _0(_1); }\n}\n");
    }
}
