//! Vectors are lists of cases, each with a name and (most) the text on the wire.

use std::ops::Index;

use serde_json::Value;

/// One vector.
pub struct Case(Value);

impl Case {
    pub fn name(&self) -> &str {
        self.0["name"].as_str().unwrap()
    }

    pub fn text(&self) -> &str {
        self.0["text"].as_str().unwrap()
    }
}

impl Index<&str> for Case {
    type Output = Value;

    fn index(&self, field: &str) -> &Value {
        &self.0[field]
    }
}

/// The cases of a file.
pub fn cases(file: &str) -> Vec<Case> {
    serde_json::from_str::<Vec<Value>>(file).unwrap().into_iter().map(Case).collect()
}
