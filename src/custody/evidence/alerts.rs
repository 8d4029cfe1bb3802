//! Alerts in the files that a hunt wrote.

use crate::error::{Error, Result};
use chrono::DateTime;
use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeSet;
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

/// An alert that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundAlert {
    /// Its id.
    pub alert_id: String,
    /// Id of the detection.
    pub detection: String,
    /// How many events are behind it.
    pub event_count: u64,
    /// Ids of those that it lists.
    pub event_ids: Vec<String>,
    /// Ids of these that the lake does not have.
    pub not_in_lake: Vec<String>,
    /// The file it was found in.
    pub file: String,
    /// Its text in that file.
    #[serde(skip)]
    pub text: String,
    /// First and last time that its events can have, microseconds since the Unix epoch.
    #[serde(skip)]
    pub(super) times: Option<(i64, i64)>,
}

/// What has to be known of an alert.
#[derive(Deserialize)]
struct Head {
    alert_id: String,
    detection: String,
    event_ids: Vec<String>,
    event_count: u64,
    time: String,
    window_start: Option<String>,
    window_end: Option<String>,
}

impl Head {
    fn times(&self) -> Option<(i64, i64)> {
        let mut times = Vec::new();
        for time in [Some(&self.time), self.window_start.as_ref(), self.window_end.as_ref()]
            .into_iter()
            .flatten()
        {
            times.push(DateTime::parse_from_rfc3339(time).ok()?.timestamp_micros());
        }
        Some((*times.iter().min()?, *times.iter().max()?))
    }
}

impl FoundAlert {
    /// How many of its events it does not name.
    pub fn unlisted(&self) -> u64 {
        self.event_count.saturating_sub(self.event_ids.len() as u64)
    }
}

/// Adds the alerts of these ids; returns how many alerts there are in the file.
pub(super) fn find(file: AlertFile, ids: &BTreeSet<String>, found: &mut Vec<FoundAlert>) -> Result<u64> {
    let name = file.name;
    let failed = |problem: String| Error::File {
        path: PathBuf::from(&name),
        source: io::Error::new(io::ErrorKind::InvalidData, problem),
    };
    let foreign = |number: u64, error: serde_json::Error| match error.is_io() {
        true => failed(error.to_string()),
        false => failed(format!(
            "item {number} is no alert ({error}); give what `retrohunt hunt --format jsonl --output FILE` wrote"
        )),
    };
    let mut read = 0;
    let mut take = |text: Box<RawValue>| {
        read += 1;
        let head: Head = serde_json::from_str(text.get()).map_err(|error| foreign(read, error))?;
        let known = found
            .iter()
            .any(|alert: &FoundAlert| alert.alert_id == head.alert_id && alert.text == text.get());
        if ids.contains(&head.alert_id) && !known {
            found.push(FoundAlert {
                times: head.times(),
                alert_id: head.alert_id,
                detection: head.detection,
                event_count: head.event_count,
                event_ids: head.event_ids,
                not_in_lake: Vec::new(),
                file: name.clone(),
                text: text.get().to_owned(),
            });
        }
        Ok::<_, Error>(())
    };
    let mut content = BufReader::new(file.content);
    let is_array = first_byte(&mut content).map_err(|error| failed(error.to_string()))? == Some(b'[');
    let mut json = serde_json::Deserializer::from_reader(content);
    if is_array {
        // One after the other: a hunt may have found millions.
        let mut problem = None;
        let each = Each(&mut |text| take(text).map_err(|error| problem = Some(error)).is_ok());
        let ended = each.deserialize(&mut json);
        if let Some(problem) = problem {
            return Err(problem);
        }
        ended.map_err(|error| foreign(read + 1, error))?;
    } else {
        for text in json.into_iter::<Box<RawValue>>() {
            match text {
                Ok(text) => take(text)?,
                Err(error) => return Err(foreign(read + 1, error)),
            }
        }
    }
    Ok(read)
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

#[cfg(test)]
mod tests {
    use super::*;

    const ALERT: &str = r#"{"alert_id":"a1","detection":"d","severity":"low","time":"2026-03-01T08:00:00Z","key":{},"window_start":"2026-03-01T07:00:00Z","window_end":"2026-03-01T09:00:00Z","event_ids":["x"],"event_count":3,"fields":{"n":1.10}}"#;

    fn found(text: &str) -> Result<(u64, Vec<FoundAlert>)> {
        let file = AlertFile {
            name: "alerts.jsonl".into(),
            content: Box::new(io::Cursor::new(text.to_owned())),
        };
        let mut found = Vec::new();
        let read = find(file, &BTreeSet::from(["a1".to_owned()]), &mut found)?;
        Ok((read, found))
    }

    #[test]
    fn lines_and_arrays() {
        let other = ALERT.replace("a1", "a2");
        for text in [
            format!("{other}\n{ALERT}\n"),
            format!(" \n[{ALERT},\n {other}]\n"),
            format!("[\n  {other},\n  {ALERT}\n]"),
        ] {
            let (read, found) = found(&text).unwrap();
            assert_eq!((read, found.len()), (2, 1), "{text}");
            assert_eq!(found[0].text, ALERT, "as it was written");
            assert_eq!(found[0].unlisted(), 2);
            let (from, to) = found[0].times.unwrap();
            assert_eq!(to - from, 7_200_000_000);
        }
        assert_eq!(found("").unwrap().0, 0);
        assert_eq!(found("[]").unwrap().0, 0);
    }

    #[test]
    fn what_is_no_alert_is_said() {
        for text in ["alert_id,detection\na1,d\n", "{\"a\":1}", "[1]", "[{\"alert_id\":"] {
            let problem = found(text).unwrap_err().to_string();
            assert!(problem.contains("hunt --format jsonl"), "{problem}");
            assert!(problem.contains("item 1"), "{problem}");
        }
    }
}
