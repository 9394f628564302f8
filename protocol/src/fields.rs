//! The fields of a JSON object whose values nobody looks into before it is clear that they count.
//!
//! One reader for every kind of object: browsers download what reads each kind by itself.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use litemap::LiteMap;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// By name, so that the same fields make the same text.
#[derive(Clone, Debug, Default)]
pub struct Fields<'a>(LiteMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
    /// The fields of a value, if it is an object. Of several with one name the last one counts.
    #[must_use]
    pub fn read(object: &'a RawValue) -> Option<Self> {
        Self::parse(object.get())
    }

    /// The fields of a text, if it is an object.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// A field as it came.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied()
    }

    /// A field that is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    /// A field that is a whole number, and not negative.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.get().parse().ok()
    }

    /// The items of a field that is a list; none if it is not.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<&'a RawValue> {
        let items = self.get(name).and_then(|list| serde_json::from_str(list.get()).ok());
        items.unwrap_or_default()
    }

    /// Sets a field.
    pub fn insert(&mut self, name: &str, value: &'a RawValue) {
        self.0.insert(name.into(), value);
    }

    /// Takes a field away.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter())
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Fields::default();
        while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
            fields.0.insert(name, value);
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RawJson, raw_json};

    #[test]
    fn fields_are_sorted_by_name_and_values_stay_as_they_came() {
        let object: RawJson = serde_json::from_str(r#"{"b":[1.0, 2],"a":1,"c":"x","a":"\u0041"}"#).unwrap();
        let mut fields = Fields::read(&object).unwrap();
        fields.remove("c");
        assert_eq!(raw_json(&fields).get(), r#"{"a":"\u0041","b":[1.0, 2]}"#);
    }

    #[test]
    fn fields_are_read_one_by_one() {
        let fields = Fields::parse(r#"{"a":"x\u0041","b":["c",{"d": 1}],"e":1,"f":1.5}"#).unwrap();
        assert_eq!(
            (fields.text("a").as_deref(), fields.text("b"), fields.text("z")),
            (Some("xA"), None, None)
        );
        assert_eq!((fields.number("e"), fields.number("f"), fields.number("a")), (Some(1), None, None));
        let items = fields.list("b");
        assert_eq!((items.len(), items[1].get()), (2, r#"{"d": 1}"#));
        assert!(fields.list("e").is_empty() && fields.list("z").is_empty());
    }

    #[test]
    fn what_is_no_object_has_no_fields() {
        for text in ["[]", "null", "7", r#""a""#] {
            let value: RawJson = serde_json::from_str(text).unwrap();
            assert!(Fields::read(&value).is_none(), "{text}");
        }
        assert_eq!(raw_json(&Fields::default()).get(), "{}");
    }
}
