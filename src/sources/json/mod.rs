//! Reading JSON whose types are not to be trusted: numbers and booleans that come as
//! text, lists that come as one value, text that holds JSON.
//!
//! Null, empty text and empty containers count as absent everywhere.

mod assembled;
mod flatten;

pub(crate) use assembled::Assembled;
pub(crate) use flatten::*;

use super::Json;
use sonic_rs::{JsonContainerTrait as _, JsonType, JsonValueTrait as _};
use std::borrow::Cow;

/// How deep records are walked; nothing in any log comes near it.
const DEEPEST: usize = 64;

/// Name and, where there is one, value.
pub(crate) type Pair<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

/// How deep a text may nest to be parsed at all. The parser recurses once per level and
/// overflows the stack, which ends the process, some thousands of levels down.
const DEEPEST_TEXT: usize = 128;

/// Parses one JSON text. The only way in: it refuses what would overflow the parser.
pub fn parse(text: &str) -> Result<Json, String> {
    if nests_deeper(text.as_bytes(), DEEPEST_TEXT) {
        return Err(format!("nested deeper than {DEEPEST_TEXT} levels"));
    }
    // The parser quotes the text around the fault on further lines.
    sonic_rs::from_str(text).map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())
}

/// True where brackets open more than `limit` levels, not counting those inside strings.
fn nests_deeper(text: &[u8], limit: usize) -> bool {
    // Nearly every record has fewer brackets than that in all.
    if memchr::memchr2_iter(b'[', b'{', text).take(limit + 1).count() <= limit {
        return false;
    }
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
pub(crate) fn get<'a>(record: &'a Json, key: &str) -> Option<&'a Json> {
    record.get(key).filter(|value| !is_empty(value))
}

/// False for null, empty text and empty containers.
pub(crate) fn says_anything(value: &Json) -> bool {
    !is_empty(value)
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
    parse(text).ok()
}

/// The pairs of a list of names and values, of an object, of parallel lists of both, or
/// of a text that holds one of these.
pub(crate) fn pairs(value: &Json) -> Vec<Pair<'_>> {
    if let Some(inner) = inner(value) {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        return pairs(&inner)
            .into_iter()
            .map(|(name, value)| (own(name), value.map(own)))
            .collect();
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
    fn pairs_in_every_shape() {
        let expected: Vec<Pair<'_>> = vec![("A".into(), Some("1".into())), ("B".into(), None)];
        for text in [
            r#"[{"Name": "A", "Value": "1"}, {"Name": "B"}]"#,
            r#"[{"key": "A", "value": 1}, {"key": "B", "value": null}, {"value": "x"}, 7]"#,
            r#"{"Name": ["A", "B"], "Value": ["1"]}"#,
            r#"{"A": "1", "B": null}"#,
            r#""[{\"Name\":\"A\",\"Value\":\"1\"},{\"Name\":\"B\"}]""#,
        ] {
            let value: Json = sonic_rs::from_str(text).unwrap();
            assert_eq!(pairs(&value), expected, "{text}");
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
        assert_eq!(key_summary(&json!({})), "none");
        assert_eq!(key_summary(&json!({"a": 1})), "a");
        assert!(key_summary(&json!({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1})).ends_with(", ..."));
    }
}
