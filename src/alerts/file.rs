//! Alerts in the files that a hunt wrote.

use super::Alert;
use crate::detections::Severity;
use crate::error::{Error, Result};
use chrono::DateTime;
use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

/// What `hunt --format jsonl` or `json` wrote.
pub struct AlertFile {
    /// How to call it.
    pub name: String,
    /// Its text.
    pub content: Box<dyn Read + Send>,
}

impl fmt::Debug for AlertFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AlertFile").field(&self.name).finish()
    }
}

impl AlertFile {
    /// Shows the text of every alert, one after the other: a hunt may have found millions.
    /// Returns how many there are. An error that `take` gives, or a text that is no JSON, ends it
    /// with a message that names the file and the number of the alert in it.
    pub fn each(self, mut take: impl FnMut(&str) -> Result<(), String>) -> Result<u64> {
        let name = self.name;
        let failed = |problem: String| Error::File {
            path: PathBuf::from(&name),
            source: io::Error::new(io::ErrorKind::InvalidData, problem),
        };
        let foreign = |number: u64, problem: &str| {
            failed(format!(
                "item {number} is no alert ({problem}); give what `retrohunt hunt --format jsonl --output FILE` wrote"
            ))
        };
        let no_json = |number: u64, error: serde_json::Error| match error.is_io() {
            true => failed(error.to_string()),
            false => foreign(number, &error.to_string()),
        };
        let mut read = 0;
        let mut take = |text: Box<RawValue>| {
            read += 1;
            take(text.get()).map_err(|problem| foreign(read, &problem))
        };
        let mut content = BufReader::new(self.content);
        let is_array = first_byte(&mut content).map_err(|error| failed(error.to_string()))? == Some(b'[');
        let mut json = serde_json::Deserializer::from_reader(content);
        if is_array {
            let mut problem = None;
            let each = Each(&mut |text| take(text).map_err(|error| problem = Some(error)).is_ok());
            let ended = each.deserialize(&mut json);
            if let Some(problem) = problem {
                return Err(problem);
            }
            ended.map_err(|error| no_json(read + 1, error))?;
        } else {
            for text in json.into_iter::<Box<RawValue>>() {
                match text {
                    Ok(text) => take(text)?,
                    Err(error) => return Err(no_json(read + 1, error)),
                }
            }
        }
        Ok(read)
    }
}

fn first_byte(content: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let bytes = content.fill_buf()?;
        let blank = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        match bytes.get(blank) {
            Some(byte) => return Ok(Some(*byte)),
            None if bytes.is_empty() => return Ok(None),
            None => content.consume(blank),
        }
    }
}

/// Shows every element of an array; the function returns false to end it.
struct Each<'a>(&'a mut dyn FnMut(Box<RawValue>) -> bool);

impl<'de> DeserializeSeed<'de> for Each<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Each<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of alerts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while let Some(text) = array.next_element()? {
            if !(self.0)(text) {
                return Err(serde::de::Error::custom("ended"));
            }
        }
        Ok(())
    }
}

/// An alert as a hunt writes it; what else is there is left out.
#[derive(Deserialize)]
struct Written {
    alert_id: String,
    detection: String,
    severity: String,
    time: String,
    key: Map<String, Value>,
    window_start: Option<String>,
    window_end: Option<String>,
    windows: Option<u64>,
    event_ids: Vec<String>,
    event_count: u64,
    history_complete: Option<bool>,
    fields: Map<String, Value>,
}

impl Alert {
    /// Reads an alert in the form that a hunt, or `alerts list`, writes. An error says what is
    /// wrong with it.
    pub fn from_json(text: &str) -> Result<Self, String> {
        // Not serde_json, which reads some numbers only nearly.
        let written: Written = sonic_rs::from_str(text).map_err(|error| first_line(&error.to_string()))?;
        let time = |name: &str, text: &str| match DateTime::parse_from_rfc3339(text) {
            Ok(time) => Ok(time.timestamp_micros()),
            Err(_) => Err(format!("its {name} {text:?} is no time such as 2026-03-01T08:00:00Z")),
        };
        let maybe = |name: &str, text: Option<String>| text.map(|text| time(name, &text)).transpose();
        if written.alert_id.is_empty() || written.detection.is_empty() {
            return Err("its alert_id or its detection is empty".into());
        }
        if !Severity::ALL.iter().any(|known| known.as_str() == written.severity) {
            return Err(format!("{:?} is no severity", written.severity));
        }
        Ok(Self {
            time: time("time", &written.time)?,
            window_start: maybe("window_start", written.window_start)?,
            window_end: maybe("window_end", written.window_end)?,
            alert_id: written.alert_id,
            detection: written.detection,
            severity: written.severity,
            key: written.key,
            windows: written.windows,
            event_ids: written.event_ids,
            event_count: written.event_count,
            history_complete: written.history_complete,
            fields: written.fields,
        })
    }
}

/// The parser's message without the piece of the text that it draws below it.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn alert() -> Alert {
        let object = |value: Value| value.as_object().cloned().unwrap();
        Alert {
            alert_id: "a1".into(),
            detection: "d".into(),
            severity: "low".into(),
            time: 1_772_323_200_000_001,
            key: object(json!({"z": "é\n", "a": null})),
            window_start: Some(1_772_323_200_000_000),
            window_end: None,
            windows: Some(2),
            event_ids: vec!["x".into()],
            event_count: 3,
            history_complete: Some(false),
            fields: object(json!({"share": 0.1, "list": [1, "2"], "big": 9_007_199_254_740_993_i64})),
        }
    }

    #[test]
    fn what_a_hunt_writes_is_read_back() {
        let text = serde_json::to_string(&alert()).unwrap();
        assert_eq!(Alert::from_json(&text), Ok(alert()));
        let more = text.replacen('{', r#"{"revision":3,"title":"T","#, 1);
        assert_eq!(Alert::from_json(&more), Ok(alert()), "as a recorded one is written");
    }

    #[test]
    fn what_is_no_alert_is_said() {
        let text = serde_json::to_string(&alert()).unwrap();
        for (from, to, said) in [
            ("2026-03-01T00:00:00.000001Z", "yesterday", "its time \"yesterday\""),
            ("\"low\"", "\"lowish\"", "\"lowish\" is no severity"),
            ("\"a1\"", "\"\"", "its alert_id"),
            ("\"event_count\":3,", "", "event_count"),
        ] {
            assert!(text.contains(from), "{text}");
            let problem = Alert::from_json(&text.replace(from, to)).unwrap_err();
            assert!(problem.contains(said) && !problem.contains('\n'), "{problem}");
        }
    }
}
