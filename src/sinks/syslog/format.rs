//! An alert as a message of RFC 5424.

use super::super::fit::{cut, fitting_json};
use super::settings::{Facility, Message};
use crate::alerts::Revision;
use crate::config::format_instant;
use std::fmt::Write as _;

/// Bytes of the longest HOSTNAME.
pub(super) const LONGEST_HOSTNAME: usize = 255;

/// A message has room for what is not cut: the header, the structured data and the essentials.
pub(super) const SMALLEST: usize = 2048;

/// Name of the structured data. 32473 is the enterprise number that stands for none.
const DATA: &str = "retrohunt@32473";

/// Characters of a parameter of the structured data; ids of detections are shorter.
const PARAMETER: usize = 64;

/// Says that the text is UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// How messages are made.
#[derive(Debug)]
pub(super) struct Format {
    pub(super) facility: Facility,
    pub(super) message: Message,
    pub(super) hostname: String,
    pub(super) process: u32,
    /// Bytes of the longest message.
    pub(super) most: usize,
}

impl Format {
    /// The message, without a frame. The same revision gives the same message.
    pub(super) fn message(&self, revision: &Revision) -> Result<String, String> {
        let mut text = format!(
            "<{}>1 {} {} retrohunt {} alert [{DATA}",
            self.facility as u8 * 8 + severity(&revision.alert.severity),
            format_instant(revision.recorded),
            self.hostname,
            self.process,
        );
        let number = revision.revision.to_string();
        for (name, value) in [
            ("alert_id", revision.alert.alert_id.as_str()),
            ("detection", &revision.alert.detection),
            ("revision", &number),
            ("change", revision.change.as_str()),
        ] {
            // Writing to a String does not fail.
            let _ = write!(text, " {name}=\"{}\"", escaped(&cut(value, PARAMETER)));
        }
        text.push_str("] ");
        text.push_str(BYTE_ORDER_MARK);
        let room = self.most.saturating_sub(text.len());
        match self.message {
            Message::Json => text.push_str(&fitting_json(revision, room)?),
            Message::Summary => text.push_str(&in_bytes(&one_line(&revision.summary()), room)),
        }
        Ok(text)
    }
}

/// Severity of RFC 5424. Only what it may do by itself is an emergency or an alert there.
fn severity(name: &str) -> u8 {
    match name {
        "critical" => 2,
        "high" => 3,
        "low" => 5,
        "informational" => 6,
        // Medium, and what is not known.
        _ => 4,
    }
}

/// A value of the structured data.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for character in value.chars() {
        if matches!(character, '"' | '\\' | ']') {
            text.push('\\');
        }
        text.push(if character.is_control() { ' ' } else { character });
    }
    text
}

/// Visible characters of ASCII; others become `?`. None are `-`, which stands for no value.
pub(super) fn printable(text: &str, most: usize) -> String {
    let visible = text.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' });
    let text: String = visible.take(most).collect();
    if text.is_empty() { "-".into() } else { text }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The longest beginning that has so many bytes.
fn in_bytes(text: &str, most: usize) -> String {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::super::conformance::{odd, revision};
    use super::super::super::json;
    use super::*;

    fn format(message: Message) -> Format {
        Format {
            facility: Facility::Local4,
            message,
            hostname: "hunter.example".into(),
            process: 42,
            most: 8192,
        }
    }

    #[test]
    fn byte_for_byte() {
        let revision = revision(1);
        assert_eq!(
            format(Message::Summary).message(&revision).unwrap(),
            format!(
                "<163>1 2026-03-01T00:00:01.000001Z hunter.example retrohunt 42 alert [retrohunt@32473 \
                 alert_id=\"{}\" detection=\"entra.brute_force\" revision=\"1\" change=\"new\"] \u{feff}{}",
                revision.alert.alert_id,
                revision.summary()
            )
        );
        let message = format(Message::Json).message(&revision).unwrap();
        let (_, text) = message.split_once("] \u{feff}").unwrap();
        assert_eq!(text, json(&revision).unwrap());
        // A whole second has no fraction at all.
        let mut whole = revision;
        whole.recorded = 1_772_323_200_000_000;
        let message = format(Message::Summary).message(&whole).unwrap();
        assert!(
            message.starts_with("<163>1 2026-03-01T00:00:00Z hunter.example "),
            "{message}"
        );
    }

    #[test]
    fn priorities() {
        let severities = ["critical", "high", "medium", "low", "informational", "other"];
        assert_eq!(severities.map(severity), [2, 3, 4, 5, 6, 4]);
        let mut alert = revision(1);
        alert.alert.severity = "critical".into();
        for (facility, priority) in [
            (Facility::User, "<10>1 "),
            (Facility::Audit, "<106>1 "),
            (Facility::Local7, "<186>1 "),
        ] {
            let format = Format {
                facility,
                ..format(Message::Summary)
            };
            let message = format.message(&alert).unwrap();
            assert!(message.starts_with(priority), "{message}");
        }
    }

    #[test]
    fn parameters_are_escaped() {
        let mut alert = revision(1);
        alert.alert.detection = "a\"b]c\\d\ne=é𝕏".into();
        let message = format(Message::Summary).message(&alert).unwrap();
        assert!(
            message.contains(r#" detection="a\"b\]c\\d e=é𝕏" revision="#),
            "{message}"
        );
    }

    #[test]
    fn whatever_the_texts_it_is_one_line_that_fits() {
        for message in [Message::Json, Message::Summary] {
            for most in [SMALLEST, 8192, 65_507] {
                let mut longest = odd();
                longest.alert.detection = "]".repeat(1000);
                longest.title = "\n𝕏\u{85}".repeat(50_000);
                let format = Format {
                    most,
                    ..format(message)
                };
                let text = format.message(&longest).unwrap();
                assert!(text.len() <= most && !text.contains(['\n', '\r', '\0']));
            }
        }
    }

    #[test]
    fn names_are_printable() {
        assert_eq!(printable("", 10), "-");
        assert_eq!(printable("a b\né", 10), "a?b??");
        assert_eq!(printable("abcdef", 3), "abc");
    }
}
