//! House rules for files: a first line that says what it is, short, finished, at home anywhere.

use std::fs;

use anyhow::Result;

use crate::house::House;
use crate::sync::{extension, files_of};

/// At this length one asks why.
const MAX_LINES: usize = 400;

/// Longer files and why they are.
const LONG: [(&str, &str); 0] = [];

/// Written by hand, so that their length is somebody's choice.
const CODE: [&str; 5] = ["rs", "js", "mjs", "ts", "css"];

const TEXT: [&str; 13] =
    ["rs", "js", "mjs", "ts", "css", "html", "json", "md", "sh", "toml", "txt", "yaml", "yml"];

// The patterns are put together from pieces, so that this file does not find itself.

/// Marks of unfinished work in Rust.
const UNFINISHED: [&str; 5] = [
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("FIX", "ME"),
    concat!("#[ig", "nore]"),
    concat!("#[ig", "nore ="),
];

/// Beginnings of paths that exist on one machine only.
const MACHINE_PATHS: [&str; 5] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("/fa", "rm/"),
];

/// Every file that breaks a rule.
pub fn faults(house: &House) -> Result<Vec<String>> {
    let files = files_of(house)?;
    let mut faults = Vec::new();
    for file in files.iter().filter(|file| TEXT.contains(&extension(file))) {
        let path = file.strip_prefix(&house.root)?.to_string_lossy();
        match fs::read_to_string(file) {
            Ok(text) => faults.extend(file_faults(&path, extension(file), &text)),
            Err(error) => faults.push(format!("{path}: {error}")),
        }
    }
    Ok(faults)
}

fn file_faults(path: &str, extension: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if extension == "rs" && !text.starts_with("//! ") {
        faults.push(format!("{path}:1: must begin with `//! ` and what this file is"));
    }
    if CODE.contains(&extension) {
        let excused = LONG.iter().any(|(long, _)| *long == path);
        match (text.lines().count(), excused) {
            (lines, false) if lines > MAX_LINES => {
                faults.push(format!("{path}: {lines} lines; more than {MAX_LINES} need a reason"));
            }
            (lines, true) if lines <= MAX_LINES => {
                faults.push(format!("{path}: {lines} lines; needs no excuse any more"));
            }
            _ => {}
        }
    }
    for (number, line) in (1..).zip(text.lines()) {
        if extension == "rs"
            && let Some(mark) = UNFINISHED.iter().find(|mark| line.contains(**mark))
        {
            faults.push(format!("{path}:{number}: `{mark}` is unfinished work"));
        }
        if let Some(start) = MACHINE_PATHS.iter().find(|start| begins_a_path(line, start)) {
            faults.push(format!("{path}:{number}: `{start}` is a path of one machine"));
        }
    }
    faults
}

/// Whether a path begins so; in the middle of an address or of a longer path it does not count.
fn begins_a_path(line: &str, start: &str) -> bool {
    line.match_indices(start).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|before| !before.is_alphanumeric() && !"._-}*/".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rust_faults(text: &str) -> usize {
        file_faults("a/src/b.rs", "rs", text).len()
    }

    #[test]
    fn the_first_line_says_what_the_file_is() {
        assert_eq!(rust_faults("//! A file.\n"), 0);
        assert_eq!(rust_faults("use std::fs;\n"), 1);
        assert_eq!(rust_faults("//!\n"), 1);
        assert_eq!(file_faults("a.md", "md", "# Title\n").len(), 0);
    }

    #[test]
    fn four_hundred_lines_are_enough() {
        let lines = |count: usize| format!("//! A file.\n{}", "\n".repeat(count - 1));
        assert_eq!(rust_faults(&lines(MAX_LINES)), 0);
        assert_eq!(rust_faults(&lines(MAX_LINES + 1)), 1);
        assert_eq!(file_faults("a.json", "json", &lines(MAX_LINES + 1)).len(), 0);
    }

    #[test]
    fn unfinished_work_is_found() {
        for mark in UNFINISHED {
            assert_eq!(rust_faults(&format!("//! A file.\n    {mark}\n")), 1, "{mark}");
        }
    }

    #[test]
    fn paths_of_one_machine_are_found_and_addresses_are_not() {
        for start in MACHINE_PATHS {
            for line in [format!("{start}x"), format!("\"{start}x\""), format!("in {start}x")] {
                assert!(begins_a_path(&line, start), "{line}");
            }
            for line in [format!("https://example.org{start}x"), format!("..{start}x")] {
                assert!(!begins_a_path(&line, start), "{line}");
            }
        }
    }
}
