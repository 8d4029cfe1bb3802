//! The suite that every sink passes, and what its tests share.

mod benches;
pub(super) mod http;
mod suite;

use super::Policy;
use crate::alerts::{Alert, Change, Origin, Revision};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// What is hidden somewhere in a sink's settings and must not come out.
pub(super) const SECRET: &str = "hunter2hunter2";

/// Midnight of 2026-03-01.
const MIDNIGHT: i64 = 1_772_323_200_000_000;

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

/// The first revision of one of many alerts; later numbers were recorded later.
pub(in crate::sinks) fn revision(number: usize) -> Revision {
    let at = MIDNIGHT + i64::try_from(number).unwrap() * 1_000_001;
    Revision {
        alert: Alert {
            alert_id: format!("{number:032x}"),
            detection: "entra.brute_force".into(),
            severity: "high".into(),
            time: MIDNIGHT,
            key: object(json!({"source.ip": format!("203.0.113.{number}"), "user.name": "ada@example.com"})),
            window_start: None,
            window_end: None,
            windows: None,
            event_ids: vec!["e1".into(), "e2".into()],
            event_count: 2,
            history_complete: None,
            fields: object(json!({"source.ip": format!("203.0.113.{number}"), "failures": 17, "share": 0.5})),
        },
        title: "Many failed sign-ins".into(),
        risk_score: 73,
        attack: vec!["TA0006/T1110".into()],
        revision: 1,
        change: Change::New,
        recorded: at,
        late_by: None,
        suppressed_by: None,
        origin: Origin::Schedule,
    }
}

/// With texts that break what is put together without care.
pub(in crate::sinks) fn odd() -> Revision {
    let texts = [
        ("quotes", "\"'`\\ {{ x }} {% y %} ${z}".to_owned()),
        (
            "control",
            (0..32)
                .filter_map(char::from_u32)
                .chain(['\u{7f}', '\u{85}', '\u{2028}'])
                .collect(),
        ),
        ("wide", "𝕏👩‍👩‍👧‍👦 e\u{301} \u{202e}abc \u{feff}".into()),
        (
            "markup",
            "<!channel> <https://evil.example|x> & *b* [x](https://evil.example) </script>".into(),
        ),
        ("syslog", "] \" \\] <13>1 - - - - - -\n<14>x".into()),
        ("long", "x\"𝕏\n".repeat(12_500)),
        ("empty", String::new()),
    ];
    let mut odd = revision(0);
    for (name, text) in texts {
        odd.alert.key.insert(name.into(), text.clone().into());
        odd.alert
            .fields
            .insert(format!("{name}: {text:.20}"), json!([text, null, {"a": text}]));
    }
    odd.title = "\"Odd\" <title> \u{1}𝕏".into();
    odd
}

/// What tests have time for.
pub(in crate::sinks) fn quick() -> Policy {
    Policy {
        attempts: 3,
        backoff: Duration::from_millis(1),
        longest_wait: Duration::from_millis(5),
        timeout: Duration::from_secs(20),
        ..Policy::default()
    }
}
