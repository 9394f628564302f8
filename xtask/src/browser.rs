//! Chromium and its driver, for the tests that happen in real pages.

use anyhow::{Context, Result};

use crate::house::House;
use crate::tools::{Tool, ensure_tools};

const CHROMIUM: Tool = Tool {
    names: &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    variable: Some("CHROME"),
    purpose: "test the package and the demo in real pages",
    package: "chromium",
};

const CHROMEDRIVER: Tool = Tool {
    names: &["chromedriver"],
    variable: Some("CHROMEDRIVER"),
    purpose: "drive Chromium from tests",
    package: "chromium-driver",
};

/// The environment that tells tests where both are; installs them where that is allowed.
pub fn environment(house: &House) -> Result<Vec<(&'static str, String)>> {
    ensure_tools(house, &[&CHROMIUM, &CHROMEDRIVER])?;
    [("CHROME", CHROMIUM), ("CHROMEDRIVER", CHROMEDRIVER)]
        .into_iter()
        .map(|(variable, tool)| {
            let path = tool.find().context("found a moment ago")?;
            Ok((variable, path.to_string_lossy().into_owned()))
        })
        .collect()
}
