//! From the names of a document to fields.

use super::super::{Json, json};
use crate::schema::*;
use std::collections::HashMap;
use std::sync::LazyLock;

/// How deep documents are walked; nothing in any index comes near it.
const DEEPEST: usize = 64;

/// The field of every dotted name, in all spellings. A document cannot set the columns of
/// the lake, and its data stream names the dataset only where it does not do so itself.
static NAMES: LazyLock<HashMap<&'static str, FieldId>> = LazyLock::new(|| {
    let own = CATALOGUE.fields().iter().map(|field| (field.ecs, field.id));
    let aliases = ALIASES.iter().filter(|(alias, _)| *alias != "data_stream.dataset");
    let aliases = aliases.filter_map(|(alias, ecs)| Some((*alias, CATALOGUE.by_ecs(ecs)?.id)));
    aliases
        .chain(own)
        .filter(|(_, field)| !LAKE_FIELDS.contains(field))
        .collect()
});

/// Fills every field that the document names.
pub(super) fn fill<'a>(document: Json<'a>, row: &mut EventRow<'a>) {
    let mut path = String::with_capacity(96);
    for (key, value) in json::entries(document).filter(|(key, _)| key.contains('.')) {
        path.push_str(key);
        walk(row, &mut path, value, 0);
        path.clear();
    }
    let mut nested = EventRow::new();
    for (key, value) in json::entries(document).filter(|(key, _)| !key.contains('.')) {
        path.push_str(key);
        walk(&mut nested, &mut path, value, 0);
        path.clear();
    }
    row.fill(nested);
    parallel_lists(document, row);
}

fn walk<'a>(row: &mut EventRow<'a>, path: &mut String, value: Json<'a>, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    if let Some(field) = NAMES.get(path.as_str()) {
        json::put(row, *field, value);
    }
    for item in json::items(value) {
        if item.is_array() {
            walk(row, path, item, depth + 1);
        }
        for (key, value) in json::entries(item) {
            let length = path.len();
            path.push('.');
            path.push_str(key);
            walk(row, path, value, depth + 1);
            path.truncate(length);
        }
    }
}

/// Lists of names and values that the document carries as two dotted lists, as searches
/// return them.
fn parallel_lists<'a>(document: Json<'a>, row: &mut EventRow<'a>) {
    for field in CATALOGUE
        .fields()
        .iter()
        .filter(|field| field.data_type == FieldType::Pairs)
    {
        if row.has(field.id) {
            continue;
        }
        for (name_key, value_key) in [("Name", "Value"), ("key", "value")] {
            let names = json::get(document, &format!("{}.{name_key}", field.ecs));
            let values = json::get(document, &format!("{}.{value_key}", field.ecs));
            if let Some(names) = names {
                let pairs = json::zip(names, values);
                if !pairs.is_empty() {
                    row.set(field.id, Cell::Pairs(pairs));
                }
            }
        }
    }
}
