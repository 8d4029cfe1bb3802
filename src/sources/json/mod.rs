//! Reading JSON whose types are not to be trusted: numbers and booleans that come as
//! text, lists that come as one value, text that holds JSON.
//!
//! Null, empty text and empty containers count as absent everywhere.

mod assembled;
mod document;
mod flatten;
#[cfg(test)]
mod properties;
mod sixteen;
mod value;

pub(crate) use assembled::Assembled;
pub use document::Document;
pub(crate) use flatten::*;
pub(crate) use sixteen::Sixteen;
pub(crate) use value::Members;
pub use value::{Json, JsonType};

use std::borrow::Cow;

/// How deep records are walked; nothing in any log comes near it.
const DEEPEST: usize = 64;

/// Name and, where there is one, value.
pub(crate) type Pair<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

/// Parses one JSON text. The only way in: it refuses what nests too deeply to be walked.
pub fn parse(text: &str) -> Result<Document<'_>, String> {
    Document::parse(Cow::Borrowed(text)).ok_or_else(|| fault(text))
}

/// What is wrong with a text that is no JSON: a slower parser says where.
fn fault(text: &str) -> String {
    if nests_deeper(text.as_bytes(), document::DEEPEST_TEXT) {
        return format!("nested deeper than {} levels", document::DEEPEST_TEXT);
    }
    // It quotes the text around the fault on further lines.
    match sonic_rs::from_str::<sonic_rs::Value>(text) {
        Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
        Ok(_) => "a number that no float is near to, or a text of 4 GB".to_owned(),
    }
}

/// True where brackets open more than `limit` levels, not counting those inside strings.
fn nests_deeper(text: &[u8], limit: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limit {
            return true;
        }
    }
    false
}

/// The value of a key, where it says anything.
#[inline(always)]
pub(crate) fn get<'a>(record: Json<'a>, key: &str) -> Option<Json<'a>> {
    record.get(key).filter(|value| !is_empty(*value))
}

/// False for null, empty text and empty containers.
pub(crate) fn says_anything(value: Json<'_>) -> bool {
    !is_empty(value)
}

/// True where an object has all of these keys, whatever their values.
#[inline(always)]
pub(crate) fn has_all(record: Json<'_>, keys: &[&str]) -> bool {
    keys.iter().all(|key| record.get(key).is_some())
}

/// The value at the end of a path of keys.
pub(crate) fn at<'a>(record: Json<'a>, path: &[&str]) -> Option<Json<'a>> {
    path.iter().try_fold(record, |value, key| get(value, key))
}

#[inline]
fn is_empty(value: Json<'_>) -> bool {
    match value.get_type() {
        JsonType::Null => true,
        JsonType::String => value.as_bytes().is_some_and(<[u8]>::is_empty),
        JsonType::Array | JsonType::Object => value.is_empty_container(),
        _ => false,
    }
}

/// Keys and values of an object; nothing for any other value.
pub(crate) fn entries(value: Json<'_>) -> Members<'_> {
    value.members()
}

/// Elements of a list; a value that is no list is its only element.
pub(crate) fn items(value: Json<'_>) -> impl Iterator<Item = Json<'_>> {
    let elements = value.as_array();
    let itself = if elements.is_none() { Some(value) } else { None };
    let items = elements.into_iter().flatten().chain(itself);
    items.filter(|item| !is_empty(*item))
}

/// A scalar as text; a number without a fraction as an integer.
pub(crate) fn text(value: Json<'_>) -> Option<Cow<'_, str>> {
    match value.get_type() {
        JsonType::String => value.as_str().filter(|text| !text.is_empty()).map(Cow::Borrowed),
        JsonType::Boolean => value
            .as_bool()
            .map(|boolean| Cow::Borrowed(if boolean { "true" } else { "false" })),
        JsonType::Number => Some(number_text(value)),
        _ => None,
    }
}

/// So many digits are a number of 64 bits in any case.
const SURE_DIGITS: usize = 18;

fn number_text(value: Json<'_>) -> Cow<'_, str> {
    let spelled = value.spelling();
    if spelled.len() <= SURE_DIGITS && spelled.bytes().all(|byte| byte.is_ascii_digit()) {
        return Cow::Borrowed(spelled);
    }
    if let Some(number) = value.as_i64() {
        return Cow::Owned(number.to_string());
    }
    if let Some(number) = value.as_u64() {
        return Cow::Owned(number.to_string());
    }
    match value.as_f64() {
        Some(number) => Cow::Owned(whole(number).map_or_else(|| number.to_string(), |number| number.to_string())),
        None => Cow::Borrowed(spelled),
    }
}

/// The text of the scalar at a key.
#[inline(always)]
pub(crate) fn text_of<'a>(record: Json<'a>, key: &str) -> Option<Cow<'a, str>> {
    text(record.get(key)?)
}

/// The string at a key.
#[inline(always)]
pub(crate) fn str_of<'a>(record: Json<'a>, key: &str) -> Option<&'a str> {
    record.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// As [`text`], and text that spells a number is that number's: `"1.0E9"` is `1000000000`.
pub(crate) fn number_as_text(value: Json<'_>) -> Option<Cow<'_, str>> {
    match value.as_str() {
        Some(spelled) if spelled.bytes().any(|byte| !byte.is_ascii_digit()) => match integer(value) {
            Some(number) => Some(Cow::Owned(number.to_string())),
            None => text(value),
        },
        _ => text(value),
    }
}

/// An integer, also from `15.0`, `"15"` and `"1.0E9"`.
pub(crate) fn integer(value: Json<'_>) -> Option<i64> {
    if let Some(number) = value.as_i64() {
        return Some(number);
    }
    match value.as_str() {
        Some(spelled) => spelled.trim().parse().ok().or_else(|| whole(spelled_number(spelled)?)),
        None => whole(value.as_f64()?),
    }
}

/// A number, also from text.
pub(crate) fn double(value: Json<'_>) -> Option<f64> {
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
pub(crate) fn boolean(value: Json<'_>) -> Option<bool> {
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
pub(crate) fn inner(value: Json<'_>) -> Option<Document<'_>> {
    let text = value.as_str()?.trim_ascii();
    if !text.starts_with(['{', '[']) {
        return None;
    }
    parse(text).ok()
}

/// The pairs of a list of names and values, of an object, of parallel lists of both, or
/// of a text that holds one of these.
pub(crate) fn pairs(value: Json<'_>) -> Vec<Pair<'_>> {
    if let Some(inner) = inner(value) {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        return pairs(inner.root())
            .into_iter()
            .map(|(name, value)| (own(name), value.map(own)))
            .collect();
    }
    if let Some(object) = value.as_object() {
        if let (Some(names), values) = (keyed(value, NAME_KEYS), keyed(value, VALUE_KEYS)) {
            return zip(names, values);
        }
        return object
            .map(|(name, value)| (Cow::Borrowed(name), shown(value)))
            .collect();
    }
    items(value)
        .filter_map(|item| Some((text(keyed(item, NAME_KEYS)?)?, keyed(item, VALUE_KEYS).and_then(shown))))
        .collect()
}

/// Pairs up parallel lists; a name without a value stays.
pub(crate) fn zip<'a>(names: Json<'a>, values: Option<Json<'a>>) -> Vec<Pair<'a>> {
    let mut values = values.into_iter().flat_map(items);
    items(names)
        .filter_map(|name| Some((text(name)?, values.next().and_then(shown))))
        .collect()
}

const NAME_KEYS: &[&str] = &["Name", "name", "Key", "key"];
const VALUE_KEYS: &[&str] = &["Value", "value"];

fn keyed<'a>(value: Json<'a>, keys: &[&str]) -> Option<Json<'a>> {
    keys.iter().find_map(|key| get(value, key))
}

/// A scalar as text, a container as JSON.
pub(crate) fn shown(value: Json<'_>) -> Option<Cow<'_, str>> {
    if is_empty(value) {
        return None;
    }
    text(value).or_else(|| Some(Cow::Owned(value.to_json())))
}

/// Every scalar below a value, as text.
pub(crate) fn leaves<'a>(value: Json<'a>, found: &mut Vec<Cow<'a, str>>) {
    leaves_at(value, found, 0);
}

fn leaves_at<'a>(value: Json<'a>, found: &mut Vec<Cow<'a, str>>, depth: usize) {
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

/// The first keys of a record, for a message about one that nobody knows.
pub(crate) fn key_summary(record: Json<'_>) -> String {
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

/// A value that a test spells.
#[cfg(test)]
pub(crate) fn made(value: &sonic_rs::Value) -> Document<'static> {
    Document::parse(Cow::Owned(value.to_string())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
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
            (json!(0), "0"),
            (json!(123456789012345678_u64), "123456789012345678"),
            (json!(1234567890123456789_u64), "1234567890123456789"),
            (json!(-123456789012345678_i64), "-123456789012345678"),
        ] {
            assert_eq!(
                number_as_text(made(&value).root()).as_deref(),
                Some(expected),
                "{value}"
            );
        }
        // As spelled: no value of the library's keeps these.
        for (spelled, expected) in [
            ("-0", "0"),
            ("99999999999999999999", "100000000000000000000"),
            ("1e400", ""),
        ] {
            let Ok(document) = parse(spelled) else {
                assert_eq!(expected, "", "{spelled}");
                continue;
            };
            assert_eq!(text(document.root()).as_deref(), Some(expected), "{spelled}");
        }
        assert_eq!(text(made(&json!("1.0E9")).root()).as_deref(), Some("1.0E9"));
        assert_eq!(text(made(&json!(null)).root()), None);
        assert_eq!(text(made(&json!("")).root()), None);
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
            assert_eq!(boolean(made(&value).root()), expected, "{value}");
        }
    }

    #[test]
    fn pairs_in_every_shape() {
        let expected: Vec<Pair<'_>> = vec![("A".into(), Some("1".into())), ("B".into(), None)];
        for text in [
            r#"[{"Name": "A", "Value": "1"}, {"Name": "B"}]"#,
            r#"[{"key": "A", "value": 1}, {"key": "B", "value": null}, {"value": "x"}, 7]"#,
            r#"{"Name": ["A", "B"], "Value": ["1"]}"#,
            r#"{"A": "1", "B": null}"#,
            r#""[{\"Name\":\"A\",\"Value\":\"1\"},{\"Name\":\"B\"}]""#,
        ] {
            let value = parse(text).unwrap();
            assert_eq!(pairs(value.root()), expected, "{text}");
        }
    }

    #[test]
    fn nesting_that_would_overflow_is_refused() {
        let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(&nested(128)).is_ok());
        assert!(parse(&nested(129)).is_err());
        assert!(parse(&"{\"a\":".repeat(1_000_000)).is_err());
        assert!(parse(&format!("[{}\"[[\\\"[[\"]", "[],".repeat(500))).is_ok());
        assert!(parse(&format!("\"{}\"", "[".repeat(1000))).is_ok());
    }

    #[test]
    fn key_summaries() {
        assert_eq!(key_summary(made(&json!({})).root()), "none");
        assert_eq!(key_summary(made(&json!({"a": 1})).root()), "a");
        assert!(
            key_summary(made(&json!({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1})).root())
                .ends_with(", ...")
        );
    }
}
