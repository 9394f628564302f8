//! `fermyon:spin/variables`: what the operator gave, under Spin's rules for names.

use crate::bindings::fermyon::spin::variables::{Error, Host};
use crate::instance::Instance;

impl Host for Instance {
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<String, Error>> {
        if let Some(reason) = fault_of(&name) {
            return Ok(Err(Error::InvalidName(format!("{name:?}: {reason}"))));
        }
        let value = self.app.variables.get(&name).cloned();
        Ok(value.ok_or_else(|| Error::Undefined(format!("no variable for \"component\".{name:?}"))))
    }
}

/// Why Spin would refuse the name, `None` when it would not.
pub(crate) fn fault_of(name: &str) -> Option<&'static str> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() {
        Some("must not be empty")
    } else if !name.chars().all(allowed) {
        Some("may contain only lower-case letters, digits and underscores")
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        Some("must start with a lower-case letter")
    } else if name.ends_with('_') {
        Some("must end with a letter or digit")
    } else if name.contains("__") {
        Some("must not contain two underscores in a row")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::fault_of;

    #[test]
    fn names_follow_spins_rules() {
        for good in ["region", "node_id", "a1", "bootstrap_peers"] {
            assert_eq!(fault_of(good), None, "{good}");
        }
        for bad in ["", "Region", "node-id", "1a", "_a", "a_", "a__b", "ä"] {
            assert!(fault_of(bad).is_some(), "{bad}");
        }
    }
}
