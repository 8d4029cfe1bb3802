//! An alert in as many bytes as there are. Whoever can write long texts into a log must not be
//! able to keep an alert from arriving.

use super::json;
use crate::alerts::Revision;
use serde_json::{Map, Value};

/// Tried in turn: characters of a text, entries of a list or of an object.
const LIMITS: [(usize, usize); 5] = [(2000, 100), (500, 50), (120, 20), (40, 10), (12, 3)];

/// What is left where not even short texts fit.
const ESSENTIAL: [&str; 9] = [
    "alert_id",
    "detection",
    "severity",
    "time",
    "title",
    "revision",
    "change",
    "recorded",
    "suppressed_by",
];

/// What is never cut: it tells one alert from another.
const NEVER_CUT: [&str; 3] = ["alert_id", "detection", "suppressed_by"];

/// A revision as one line of JSON of at most so many bytes. Where something was cut for it, the
/// object has `"truncated": true`; the lake has all of it.
pub(super) fn fitting_json(revision: &Revision, most: usize) -> Result<String, String> {
    let whole = json(revision)?;
    if whole.len() <= most {
        return Ok(whole);
    }
    let Ok(Value::Object(whole)) = serde_json::to_value(revision) else {
        return Err("cannot be written as JSON".into());
    };
    for (characters, entries) in LIMITS {
        let mut smaller = Map::new();
        for (name, value) in &whole {
            let value = match NEVER_CUT.contains(&name.as_str()) {
                true => value.clone(),
                false => shortened(value, characters, entries),
            };
            smaller.insert(name.clone(), value);
        }
        smaller.insert("truncated".into(), true.into());
        let text = Value::Object(smaller).to_string();
        if text.len() <= most {
            return Ok(text);
        }
    }
    let mut least = whole;
    least.retain(|name, _| ESSENTIAL.contains(&name.as_str()));
    if let Some(title) = least.get_mut("title") {
        *title = shortened(title, 12, 0);
    }
    least.insert("truncated".into(), true.into());
    let text = Value::Object(least).to_string();
    match text.len() <= most {
        true => Ok(text),
        false => Err(format!(
            "even its essentials need {} bytes, more than {most}",
            text.len()
        )),
    }
}

fn shortened(value: &Value, characters: usize, entries: usize) -> Value {
    match value {
        Value::String(text) => cut(text, characters).into(),
        Value::Array(values) => {
            let values = values.iter().take(entries);
            values.map(|value| shortened(value, characters, entries)).collect()
        }
        Value::Object(members) => {
            let members = members.iter().take(entries);
            let members = members.map(|(name, value)| (cut(name, characters), shortened(value, characters, entries)));
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

/// A text of at most so many characters, in the way that Slack and JavaScript count them, where
/// some characters are two. Ends with an ellipsis if it was longer.
pub(super) fn cut(text: &str, most: usize) -> String {
    let Some(room) = most.checked_sub(1) else {
        return String::new();
    };
    let mut used = 0;
    // Where the text ends if there has to be room for the ellipsis as well.
    let mut end = 0;
    for (at, character) in text.char_indices() {
        if used <= room {
            end = at;
        }
        used += character.len_utf16();
        if used > most {
            return format!("{}…", &text[..end]);
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::conformance::{odd, revision};
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("𝕏𝕏", 4), "𝕏𝕏");
        assert_eq!(cut("𝕏𝕏", 3), "𝕏…");
        assert_eq!(cut("a𝕏𝕏", 4), "a𝕏…");
        assert_eq!(cut("abc", 1), "…");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(cut("", 0), "");
    }

    #[test]
    fn what_fits_is_whole() {
        let revision = revision(1);
        let whole = json(&revision).unwrap();
        assert_eq!(fitting_json(&revision, whole.len()).unwrap(), whole);
        assert_ne!(fitting_json(&revision, whole.len() - 1).unwrap(), whole);
    }

    #[test]
    fn whatever_the_texts_an_alert_fits_and_says_what_it_is() {
        let mut longest = odd();
        for at in 0..5000 {
            longest.alert.event_ids.push(format!("event {at}"));
            longest
                .alert
                .fields
                .insert(format!("field {at}"), "\u{1}".repeat(100).into());
        }
        longest.title = "𝕏".repeat(1000);
        for most in [600, 2048, 8192, 65_000] {
            let text = fitting_json(&longest, most).unwrap();
            assert!(text.len() <= most);
            let value: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["alert_id"], longest.alert.alert_id);
            assert_eq!(value["revision"], longest.revision);
            assert_eq!(value["truncated"], true);
        }
        assert!(fitting_json(&longest, 100).unwrap_err().contains("more than 100"));
    }
}
