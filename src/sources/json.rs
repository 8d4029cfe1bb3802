//! Reading JSON whose types are not to be trusted: numbers and booleans that come as
//! text, lists that come as one value, text that holds JSON.
//!
//! Null, empty text and empty containers count as absent everywhere.

use super::{Json, address, time};
use crate::schema::{Cell, EventRow, FieldId, FieldType, Node};
use sonic_rs::{JsonContainerTrait as _, JsonType, JsonValueTrait as _};
use std::borrow::Cow;

/// How deep records are walked; nothing in any log comes near it.
const DEEPEST: usize = 64;

/// Name and, where there is one, value.
pub(crate) type Pair<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

/// The value of a key, where it says anything.
pub(crate) fn get<'a>(record: &'a Json, key: &str) -> Option<&'a Json> {
    record.get(key).filter(|value| !is_empty(value))
}

/// True where an object has all of these keys, whatever their values.
pub(crate) fn has_all(record: &Json, keys: &[&str]) -> bool {
    keys.iter().all(|key| record.get(*key).is_some())
}

/// The value at the end of a path of keys.
pub(crate) fn at<'a>(record: &'a Json, path: &[&str]) -> Option<&'a Json> {
    path.iter().try_fold(record, |value, key| get(value, key))
}

fn is_empty(value: &Json) -> bool {
    match value.get_type() {
        JsonType::Null => true,
        JsonType::String => value.as_str().is_some_and(str::is_empty),
        JsonType::Array => value.as_array().is_some_and(|array| array.is_empty()),
        JsonType::Object => value.as_object().is_some_and(|object| object.is_empty()),
        _ => false,
    }
}

/// Keys and values of an object; nothing for any other value.
pub(crate) fn entries(value: &Json) -> impl Iterator<Item = (&str, &Json)> {
    value.as_object().into_iter().flat_map(|object| object.iter())
}

/// Elements of a list; a value that is no list is its only element.
pub(crate) fn items(value: &Json) -> impl Iterator<Item = &Json> {
    let items = match value.as_array() {
        Some(array) => array.as_slice(),
        None => std::slice::from_ref(value),
    };
    items.iter().filter(|item| !is_empty(item))
}

/// A scalar as text; a number without a fraction as an integer.
pub(crate) fn text(value: &Json) -> Option<Cow<'_, str>> {
    match value.get_type() {
        JsonType::String => value.as_str().filter(|text| !text.is_empty()).map(Cow::Borrowed),
        JsonType::Boolean => value
            .as_bool()
            .map(|boolean| Cow::Borrowed(if boolean { "true" } else { "false" })),
        JsonType::Number => Some(Cow::Owned(number_text(value))),
        _ => None,
    }
}

fn number_text(value: &Json) -> String {
    if let Some(number) = value.as_i64() {
        return number.to_string();
    }
    if let Some(number) = value.as_u64() {
        return number.to_string();
    }
    match value.as_f64() {
        Some(number) => whole(number).map_or_else(|| number.to_string(), |number| number.to_string()),
        None => value.to_string(),
    }
}

/// The text of the scalar at a key.
pub(crate) fn text_of<'a>(record: &'a Json, key: &str) -> Option<Cow<'a, str>> {
    text(record.get(key)?)
}

/// The string at a key.
pub(crate) fn str_of<'a>(record: &'a Json, key: &str) -> Option<&'a str> {
    record.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// As [`text`], and text that spells a number is that number's: `"1.0E9"` is `1000000000`.
pub(crate) fn number_as_text(value: &Json) -> Option<Cow<'_, str>> {
    match value.as_str() {
        Some(spelled) if spelled.bytes().any(|byte| !byte.is_ascii_digit()) => match integer(value) {
            Some(number) => Some(Cow::Owned(number.to_string())),
            None => text(value),
        },
        _ => text(value),
    }
}

/// An integer, also from `15.0`, `"15"` and `"1.0E9"`.
pub(crate) fn integer(value: &Json) -> Option<i64> {
    if let Some(number) = value.as_i64() {
        return Some(number);
    }
    match value.as_str() {
        Some(spelled) => spelled.trim().parse().ok().or_else(|| whole(spelled_number(spelled)?)),
        None => whole(value.as_f64()?),
    }
}

/// A number, also from text.
pub(crate) fn double(value: &Json) -> Option<f64> {
    match value.as_str() {
        Some(spelled) => spelled_number(spelled),
        None => value.as_f64(),
    }
}

/// Rust also reads `inf` and `nan`, which no log means as numbers.
fn spelled_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.bytes().any(|byte| byte.is_ascii_digit());
    if digits {
        text.parse::<f64>().ok().filter(|number| number.is_finite())
    } else {
        None
    }
}

/// Up to 2^53 every integer is a float of its own.
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}

/// A boolean, also from text in any letter case; 0 and 1 as well.
pub(crate) fn boolean(value: &Json) -> Option<bool> {
    if let Some(boolean) = value.as_bool() {
        return Some(boolean);
    }
    match value.as_str() {
        Some(spelled) if spelled.eq_ignore_ascii_case("true") || spelled == "1" => Some(true),
        Some(spelled) if spelled.eq_ignore_ascii_case("false") || spelled == "0" => Some(false),
        Some(_) => None,
        None => match integer(value)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
    }
}

/// The JSON that a text holds, where it holds an object or a list.
pub(crate) fn inner(value: &Json) -> Option<Json> {
    let text = value.as_str()?.trim_ascii();
    if !text.starts_with(['{', '[']) {
        return None;
    }
    sonic_rs::from_str(text).ok()
}

/// The pairs of a list of names and values, of an object, of parallel lists of both, or
/// of a text that holds one of these.
pub(crate) fn pairs(value: &Json) -> Vec<Pair<'_>> {
    if let Some(inner) = inner(value) {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        return pairs(&inner).into_iter().map(|(name, value)| (own(name), value.map(own))).collect();
    }
    if let Some(object) = value.as_object() {
        if let (Some(names), values) = (keyed(value, NAME_KEYS), keyed(value, VALUE_KEYS)) {
            return zip(names, values);
        }
        return object
            .iter()
            .map(|(name, value)| (Cow::Borrowed(name), shown(value)))
            .collect();
    }
    items(value)
        .filter_map(|item| Some((text(keyed(item, NAME_KEYS)?)?, keyed(item, VALUE_KEYS).and_then(shown))))
        .collect()
}

/// Pairs up parallel lists; a name without a value stays.
pub(crate) fn zip<'a>(names: &'a Json, values: Option<&'a Json>) -> Vec<Pair<'a>> {
    let mut values = values.into_iter().flat_map(items);
    items(names)
        .filter_map(|name| Some((text(name)?, values.next().and_then(shown))))
        .collect()
}

const NAME_KEYS: &[&str] = &["Name", "name", "Key", "key"];
const VALUE_KEYS: &[&str] = &["Value", "value"];

fn keyed<'a>(value: &'a Json, keys: &[&str]) -> Option<&'a Json> {
    keys.iter().find_map(|key| get(value, key))
}

/// A scalar as text, a container as JSON.
pub(crate) fn shown(value: &Json) -> Option<Cow<'_, str>> {
    if is_empty(value) {
        return None;
    }
    text(value).or_else(|| sonic_rs::to_string(value).ok().map(Cow::Owned))
}

/// Every scalar below a value, as text.
pub(crate) fn leaves<'a>(value: &'a Json, found: &mut Vec<Cow<'a, str>>) {
    leaves_at(value, found, 0);
}

fn leaves_at<'a>(value: &'a Json, found: &mut Vec<Cow<'a, str>>, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    if value.is_object() {
        entries(value).for_each(|(_, value)| leaves_at(value, found, depth + 1));
    } else if value.is_array() {
        items(value).for_each(|value| leaves_at(value, found, depth + 1));
    } else {
        found.extend(text(value));
    }
}

/// Puts a value into a field, converted to its type. A scalar field that is set already
/// keeps its value, a list grows. What cannot be converted is left to `raw`.
pub(crate) fn put<'a>(row: &mut EventRow<'a>, field: FieldId, value: &'a Json) {
    let data_type = field.field().data_type;
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
    if let Some(cell) = items(value).find_map(|item| scalar(data_type, item)) {
        row.set(field, cell);
    }
}

fn scalar(data_type: FieldType, value: &Json) -> Option<Cell<'_>> {
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
pub(crate) fn flatten<'a>(row: &mut EventRow<'a>, node: Node<'_>, value: &'a Json, keys: Keys) {
    flatten_at(row, node, value, keys, 0);
}

fn flatten_at<'a>(row: &mut EventRow<'a>, node: Node<'_>, value: &'a Json, keys: Keys, depth: usize) {
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
        flatten_at(&mut below, node, &inner, keys, depth + 1);
        row.absorb(below);
        return;
    }
    for item in items(value) {
        if item.is_array() {
            flatten_at(row, node, item, keys, depth + 1);
        }
        for (key, value) in entries(item) {
            if let Some(child) = descend(node, key, keys) {
                flatten_at(row, child, value, keys, depth + 1);
            }
        }
    }
}

/// The place in the catalogue that a key leads to.
pub(crate) fn descend<'n>(node: Node<'n>, key: &str, keys: Keys) -> Option<Node<'n>> {
    let key = match keys {
        Keys::Kept => Cow::Borrowed(key),
        Keys::Snake => snake_case(key),
    };
    match node.child(&key) {
        Some(child) => Some(child),
        None if key.contains('.') => key.split('.').try_fold(node, |node, segment| node.child(segment)),
        None => None,
    }
}

/// Elastic's snake case: `_` between a lower-case letter and the capitals after it, so
/// that a run of capitals stays together: `isMFARequired` is `is_mfarequired`.
pub(crate) fn snake_case(key: &str) -> Cow<'_, str> {
    if !key.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Borrowed(key);
    }
    let mut snake = String::with_capacity(key.len() + 6);
    let mut after_lower = false;
    for character in key.chars() {
        if character.is_ascii_uppercase() && after_lower {
            snake.push('_');
        }
        after_lower = character.is_ascii_lowercase();
        snake.push(character.to_ascii_lowercase());
    }
    Cow::Owned(snake)
}

/// The first keys of a record, for a message about one that nobody knows.
pub(crate) fn key_summary(record: &Json) -> String {
    const SHOWN: usize = 8;
    const LONGEST: usize = 40;
    let mut summary = String::new();
    for (position, (key, _)) in entries(record).enumerate() {
        if position == SHOWN {
            summary.push_str(", ...");
            break;
        }
        if position > 0 {
            summary.push_str(", ");
        }
        summary.extend(key.chars().take(LONGEST));
    }
    if summary.is_empty() { "none".to_owned() } else { summary }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::*;
    use sonic_rs::json;

    #[test]
    fn numbers_as_text() {
        for (value, expected) in [
            (json!(15), "15"),
            (json!(15.0), "15"),
            (json!(1e9), "1000000000"),
            (json!("15"), "15"),
            (json!("1000.0"), "1000"),
            (json!("1.0E9"), "1000000000"),
            (json!(-1), "-1"),
            (json!(1.5), "1.5"),
            (json!("ExchangeAdmin"), "ExchangeAdmin"),
            (json!("15.20.4129.032"), "15.20.4129.032"),
            (json!("inf"), "inf"),
            (json!(18446744073709551615_u64), "18446744073709551615"),
        ] {
            assert_eq!(number_as_text(&value).as_deref(), Some(expected), "{value}");
        }
        assert_eq!(text(&json!("1.0E9")).as_deref(), Some("1.0E9"));
        assert_eq!(text(&json!(null)), None);
        assert_eq!(text(&json!("")), None);
    }

    #[test]
    fn booleans() {
        for (value, expected) in [
            (json!(true), Some(true)),
            (json!("False"), Some(false)),
            (json!("TRUE"), Some(true)),
            (json!(0), Some(false)),
            (json!("1"), Some(true)),
            (json!("yes"), None),
            (json!(2), None),
            (json!([]), None),
        ] {
            assert_eq!(boolean(&value), expected, "{value}");
        }
    }

    #[test]
    fn snake_case_as_elastic() {
        for (key, expected) in [
            ("ipAddress", "ip_address"),
            ("IPAddress", "ipaddress"),
            ("isMFARequired", "is_mfarequired"),
            ("riskEventTypes_v2", "risk_event_types_v2"),
            ("StatusSequence", "status_sequence"),
            ("mfaDetail", "mfa_detail"),
            ("oauth2Permission", "oauth2permission"),
            ("id", "id"),
        ] {
            assert_eq!(snake_case(key), expected);
        }
    }

    #[test]
    fn pairs_in_every_shape() {
        let expected: Vec<Pair<'_>> = vec![("A".into(), Some("1".into())), ("B".into(), None)];
        for value in [
            json!([{"Name": "A", "Value": "1"}, {"Name": "B"}]),
            json!([{"key": "A", "value": 1}, {"key": "B", "value": null}, {"value": "x"}, 7]),
            json!({"Name": ["A", "B"], "Value": ["1"]}),
            json!({"A": "1", "B": null}),
        ] {
            assert_eq!(pairs(&value), expected, "{value}");
        }
    }

    #[test]
    fn flatten_fills_parallel_lists_and_walks_dotted_keys() {
        let record = json!({
            "Actor": [{"ID": "a", "Type": 5}, {"ID": "b", "Type": 0}],
            "Item.ParentFolder": {"Path": "\\Inbox"},
            "Item": {"Subject": "", "SizeInBytes": "12"},
            "ExternalAccess": "False",
            "Site": {"unexpected": "object"},
        });
        let mut row = EventRow::new();
        flatten(&mut row, CATALOGUE.node("o365.audit").unwrap(), &record, Keys::Kept);
        assert_eq!(row.get_texts(O365_AUDIT_ACTOR_ID), ["a", "b"]);
        assert_eq!(row.get_texts(O365_AUDIT_ACTOR_TYPE), ["5", "0"]);
        assert_eq!(row.get_text(O365_AUDIT_ITEM_PARENT_FOLDER_PATH), Some("\\Inbox"));
        assert_eq!(row.get(O365_AUDIT_ITEM_SIZE_IN_BYTES), Some(&Cell::Long(12)));
        assert_eq!(row.get(O365_AUDIT_EXTERNAL_ACCESS), Some(&Cell::Boolean(false)));
        assert!(!row.has(O365_AUDIT_ITEM_SUBJECT) && !row.has(O365_AUDIT_SITE));
    }

    #[test]
    fn deep_nesting_ends() {
        let text = format!("{{\"Folders\":{}1{}}}", "[".repeat(200), "]".repeat(200));
        let record: Json = sonic_rs::from_str(&text).unwrap();
        let mut row = EventRow::new();
        flatten(&mut row, CATALOGUE.node("o365.audit").unwrap(), &record, Keys::Kept);
        assert!(row.cells().is_empty());
    }

    #[test]
    fn key_summaries() {
        assert_eq!(key_summary(&json!({})), "none");
        assert_eq!(key_summary(&json!({"a": 1})), "a");
        assert!(key_summary(&json!({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1})).ends_with(", ..."));
    }
}
