//! An object that is put together from parts of others.

use super::{Document, Json};
use std::borrow::Cow;

/// An object whose keys keep the order in which they came, as those of a record do. The parser's
/// own objects are hash maps once they are changed: what is made of one differs from run to run.
#[derive(Debug, Default)]
pub(crate) struct Assembled(Vec<(String, String)>);

impl Assembled {
    /// Whether it has a value of this name.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(known, _)| known == key)
    }

    /// Adds a value, or puts it in the place of the one of this name.
    pub(crate) fn insert(&mut self, key: impl Into<String>, value: Json<'_>) {
        self.insert_json(key.into(), value.to_json());
    }

    /// The same with what a text holds that is JSON of an object or a list.
    pub(crate) fn insert_inner(&mut self, key: impl Into<String>, value: Json<'_>) {
        match super::inner(value) {
            Some(inner) => self.insert(key, inner.root()),
            None => self.insert(key, value),
        }
    }

    /// The same with a text.
    pub(crate) fn insert_text(&mut self, key: impl Into<String>, value: &str) {
        self.insert_json(key.into(), text(value));
    }

    /// The same with an object.
    pub(crate) fn insert_object(&mut self, key: impl Into<String>, value: Self) {
        self.insert_json(key.into(), value.into_text());
    }

    fn insert_json(&mut self, key: String, value: String) {
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some(known) => known.1 = value,
            None => self.0.push((key, value)),
        }
    }

    /// Its JSON.
    pub(crate) fn into_text(self) -> String {
        let members = self.0.iter().map(|(key, value)| format!("{}:{value}", text(key)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }

    /// It as a record.
    pub(crate) fn into_document(self) -> Document<'static> {
        Document::parse(Cow::Owned(self.into_text())).unwrap_or_default()
    }
}

fn text<T: serde::Serialize + ?Sized>(value: &T) -> String {
    sonic_rs::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_order_and_values_their_spelling() {
        let part = super::super::parse(r#"{"z":1,"a":[{"y":2.50,"b":"\u00e9"}]}"#).unwrap();
        let mut object = Assembled::default();
        object.insert("z\"", part.root());
        object.insert_text("b", "x\ny");
        object.insert_text("a", "1");
        object.insert_text("b", "2");
        let mut outer = Assembled::default();
        outer.insert_object("in", object);
        assert!(outer.has("in") && !outer.has("b"));
        assert_eq!(
            outer.into_text(),
            r#"{"in":{"z\"":{"z":1,"a":[{"y":2.5,"b":"é"}]},"b":"2","a":"1"}}"#
        );
    }
}
