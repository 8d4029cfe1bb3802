//! From JSON values to fields: one value converted to the type of its field, or a whole
//! tree walked beside the catalogue.

use super::super::{Json, address, time};
use super::{DEEPEST, boolean, double, entries, inner, integer, is_empty, items, pairs, text};
use crate::schema::{Cell, EventRow, FieldId, FieldType, Node};

/// Puts a value into a field, converted to its type. A scalar field that is set already
/// keeps its value, a list grows. What cannot be converted is left to `raw`.
pub(crate) fn put<'a>(row: &mut EventRow<'a>, field: FieldId, value: Json<'a>) {
    let data_type = field.field().data_type;
    if data_type == FieldType::Keyword
        && let Some(text) = value.as_str()
    {
        if !row.has(field) {
            row.text(field, text);
        }
        return;
    }
    if data_type == FieldType::Keywords {
        for item in items(value) {
            if let Some(item) = text(item) {
                row.add(field, item);
            }
        }
        return;
    }
    if row.has(field) {
        return;
    }
    if data_type == FieldType::Pairs {
        let pairs = pairs(value);
        if !pairs.is_empty() {
            row.set(field, Cell::Pairs(pairs));
        }
        return;
    }
    let cell = match value.is_array() {
        false => scalar(data_type, value),
        true => items(value).find_map(|item| scalar(data_type, item)),
    };
    if let Some(cell) = cell {
        row.set(field, cell);
    }
}

fn scalar(data_type: FieldType, value: Json<'_>) -> Option<Cell<'_>> {
    match data_type {
        FieldType::Keyword => text(value).map(Cell::Text),
        FieldType::Ip => address::parse(value.as_str()?).ip.map(Cell::Text),
        FieldType::Long => integer(value).map(Cell::Long),
        FieldType::Double => double(value).map(Cell::Double),
        FieldType::Boolean => boolean(value).map(Cell::Boolean),
        FieldType::Timestamp => time::of(value).map(Cell::Timestamp),
        FieldType::Keywords | FieldType::Pairs => None,
    }
}

/// How the keys of a record become segments of a field name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// As they are.
    Kept,
    /// In snake case, as Elastic's Azure integration writes them.
    Snake,
}

/// Walks a value beside the catalogue and fills every field that it reaches.
///
/// A dotted key walks several segments. The objects of a list fill the same fields one
/// after the other, so that list fields become parallel lists. Text that holds JSON is
/// walked as that JSON where the catalogue goes on below it.
pub(crate) fn flatten<'a>(row: &mut EventRow<'a>, node: Node<'_>, value: Json<'a>, keys: Keys) {
    flatten_at(row, node, value, keys, 0);
}

fn flatten_at<'a>(row: &mut EventRow<'a>, node: Node<'_>, value: Json<'a>, keys: Keys, depth: usize) {
    if depth > DEEPEST || is_empty(value) {
        return;
    }
    if let Some(field) = node.field() {
        put(row, field, value);
    }
    if node.is_leaf() {
        return;
    }
    if let Some(inner) = inner(value) {
        let mut below = EventRow::new();
        flatten_at(&mut below, node, inner.root(), keys, depth + 1);
        row.absorb(below);
        return;
    }
    if value.is_object() {
        members(row, node, value, keys, depth);
        return;
    }
    for item in items(value) {
        if item.is_array() {
            flatten_at(row, node, item, keys, depth + 1);
        }
        members(row, node, item, keys, depth);
    }
}

fn members<'a>(row: &mut EventRow<'a>, node: Node<'_>, object: Json<'a>, keys: Keys, depth: usize) {
    for (key, value) in entries(object) {
        if let Some(child) = descend(node, key, keys) {
            flatten_at(row, child, value, keys, depth + 1);
        }
    }
}

/// The place in the catalogue that a key leads to.
pub(crate) fn descend<'n>(node: Node<'n>, key: &str, keys: Keys) -> Option<Node<'n>> {
    let step = |node: Node<'n>, segment: &str| match keys {
        Keys::Kept => node.child(segment),
        Keys::Snake => node.child_in_snake_case(segment),
    };
    match step(node, key) {
        None if key.contains('.') => key.split('.').try_fold(node, step),
        child => child,
    }
}

#[cfg(test)]
mod tests {
    use super::super::made;
    use super::*;
    use crate::schema::*;
    use sonic_rs::json;

    #[test]
    fn flatten_fills_parallel_lists_and_walks_dotted_keys() {
        let record = made(&json!({
            "Actor": [{"ID": "a", "Type": 5}, {"ID": "b", "Type": 0}],
            "Item.ParentFolder": {"Path": "\\Inbox"},
            "Item": {"Subject": "", "SizeInBytes": "12"},
            "ExternalAccess": "False",
            "Site": {"unexpected": "object"},
        }));
        let mut row = EventRow::new();
        flatten(
            &mut row,
            CATALOGUE.node("o365.audit").unwrap(),
            record.root(),
            Keys::Kept,
        );
        assert_eq!(row.get_texts(O365_AUDIT_ACTOR_ID), ["a", "b"]);
        assert_eq!(row.get_texts(O365_AUDIT_ACTOR_TYPE), ["5", "0"]);
        assert_eq!(row.get_text(O365_AUDIT_ITEM_PARENT_FOLDER_PATH), Some("\\Inbox"));
        assert_eq!(row.get(O365_AUDIT_ITEM_SIZE_IN_BYTES), Some(&Cell::Long(12)));
        assert_eq!(row.get(O365_AUDIT_EXTERNAL_ACCESS), Some(&Cell::Boolean(false)));
        assert!(!row.has(O365_AUDIT_ITEM_SUBJECT) && !row.has(O365_AUDIT_SITE));
    }

    #[test]
    fn deep_nesting_ends() {
        let text = format!("{{\"Folders\":{}1{}}}", "[".repeat(100), "]".repeat(100));
        let record = super::super::parse(&text).unwrap();
        let mut row = EventRow::new();
        flatten(
            &mut row,
            CATALOGUE.node("o365.audit").unwrap(),
            record.root(),
            Keys::Kept,
        );
        assert!(row.cells().is_empty());
    }
}
