//! Helpers of the tests of all sources, and what every source has to stand.

use super::{Identity, Json, Recognised, Rejection, SOURCES, Source, parse, recognise};
use crate::schema::*;
use proptest::prelude::*;
use sonic_rs::JsonValueMutTrait as _;
use std::collections::HashSet;

/// One mapped record.
#[derive(Debug)]
pub(super) struct Mapped {
    pub(super) source: &'static str,
    pub(super) identity: Identity,
    row: EventRow<'static>,
}

/// Recognises and maps a record, through its envelope where it has one.
pub(super) fn mapped(text: &str) -> Mapped {
    match try_map(text) {
        Ok(mapped) => mapped,
        Err(rejection) => panic!("{rejection}: {text}"),
    }
}

/// As [`mapped`], for records that may be rejected.
pub(super) fn try_map(text: &str) -> Result<Mapped, Rejection> {
    let document = parse(text).map_err(Rejection::Json)?;
    let record = document.root();
    let Recognised::Event(source) = recognise(record)? else {
        panic!("no event: {text}")
    };
    match source.content(record, text)? {
        Some(content) => {
            let inner = parse(&content).map_err(|error| Rejection::Content("content", error))?;
            by(source, inner.root())
        }
        None => by(source, record),
    }
}

/// The record of the audit log that a record carries, mapped, and its text.
pub(super) fn carried(text: &str) -> Option<(Mapped, String)> {
    let document = parse(text).unwrap();
    let record = document.root();
    let Ok(Recognised::Event(source)) = recognise(record) else {
        panic!("no event: {text}")
    };
    let carried = source.carried(record, text)?;
    let mapped = by(carried.source, parse(&carried.text).ok()?.root()).ok()?;
    Some((mapped, carried.text.into_owned()))
}

fn by(source: &'static dyn Source, record: Json<'_>) -> Result<Mapped, Rejection> {
    let mut row = EventRow::new();
    let identity = source.map(record, &mut row)?;
    let mut owned = EventRow::new();
    owned.absorb(row);
    Ok(Mapped {
        source: source.name(),
        identity,
        row: owned,
    })
}

impl Mapped {
    /// A field as text: lists in `[a, b]`, pairs as `a=1`, `-` where it is not set.
    pub(super) fn shown(&self, ecs: &str) -> String {
        let field = CATALOGUE.by_ecs(ecs).unwrap_or_else(|| panic!("no field {ecs}"));
        match self.row.get(field.id) {
            None => "-".to_owned(),
            Some(Cell::Text(text)) => text.to_string(),
            Some(Cell::Texts(texts)) => format!("[{}]", texts.join(", ")),
            Some(Cell::Long(number)) => number.to_string(),
            Some(Cell::Double(number)) => number.to_string(),
            Some(Cell::Boolean(boolean)) => boolean.to_string(),
            Some(Cell::Timestamp(micros)) => chrono::DateTime::from_timestamp_micros(*micros)
                .unwrap()
                .format("%Y-%m-%dT%H:%M:%S%.fZ")
                .to_string(),
            Some(Cell::Pairs(pairs)) => {
                let shown = |(name, value): &(_, Option<_>)| format!("{name}={}", value.as_deref().unwrap_or("-"));
                format!("[{}]", pairs.iter().map(shown).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// Compares fields with what they should hold.
    pub(super) fn expect(&self, fields: &[(&str, &str)]) -> &Self {
        for (ecs, expected) in fields {
            assert_eq!(self.shown(ecs), *expected, "{ecs}");
        }
        self
    }
}

/// One record of every kind, for tests that break them.
pub(super) const SAMPLES: &[&str] = &[
    super::o365_audit::MAIL_ITEMS_ACCESSED,
    super::o365_audit::LOGIN_FAILED,
    super::o365_audit::INBOX_RULE,
    super::o365_audit::ALERT,
    super::o365_audit::DLP,
    super::azure::SIGN_IN,
    super::azure::AUDIT,
    super::azure::RISK,
    super::azure::GRAPH_RISK_DETECTION,
    super::azure::GRAPH_RISKY_USER,
    super::log_analytics::SIGN_IN_ROW,
    super::log_analytics::AUDIT_ROW,
    super::log_analytics::OFFICE_ROW,
    super::defender::CLOUD_APP_EVENT,
    super::defender::SIGN_IN,
    super::defender::EVIDENCE,
    super::elastic::DOCUMENT,
    super::elastic::ALERT,
];

#[test]
fn names_are_unique_and_described() {
    let names: HashSet<_> = SOURCES.iter().map(|source| source.name()).collect();
    assert_eq!(names.len(), SOURCES.len());
    assert!(SOURCES.iter().all(|source| !source.recognised_by().is_empty()));
}

#[test]
fn every_sample_maps_to_a_time_and_a_dataset() {
    for sample in SAMPLES {
        let mapped = mapped(sample);
        assert_ne!(mapped.shown("@timestamp"), "-", "{sample}");
        assert_ne!(mapped.shown("event.dataset"), "-", "{sample}");
        for field in LAKE_FIELDS {
            assert!(!mapped.row.has(*field), "{} in {sample}", field.field().ecs);
        }
    }
}

#[test]
fn records_that_are_no_events() {
    for text in [
        r#"{"contentType":"Audit.Exchange","contentId":"1","contentUri":"https://manage.example/1","contentCreated":"2026-03-02T08:14:55Z"}"#,
        r#"{"index":{"_index":"logs-o365.audit-default"}}"#,
        r#"{"create":{}}"#,
        r#"{"timestamp":"2026-03-07T19:54:41.712927+0000","event_type":"stats","stats":{"uptime":8,"capture":{"kernel_packets":0}}}"#,
    ] {
        let document = parse(text).unwrap();
        assert!(
            matches!(recognise(document.root()), Ok(Recognised::NotAnEvent(_))),
            "{text}"
        );
    }
}

#[test]
fn unknown_records_are_named_by_their_keys() {
    let unknown = |text: &str| try_map(text).map(|mapped| mapped.source).unwrap_err().to_string();
    assert_eq!(unknown(r#"{"a":1,"b":2}"#), "no known log has these keys: a, b");
    assert_eq!(unknown("[1]"), "not a JSON object");
}

/// Values that do not belong where they are put.
fn misfit() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "null",
        "true",
        "-1",
        "1e300",
        "18446744073709551615",
        "\"\"",
        "\"x\"",
        "\"[\"",
        "\"{\\\"a\\\":[1,{}]}\"",
        "[]",
        "{}",
        "[null,[[1]],{}]",
        "[{\"Name\":7,\"Value\":{\"a\":1}},\"x\"]",
        "{\"0\":{\"Name\":[]}}",
        "\"@@\"",
        "\"[::1\"",
        "[{\"ID\":{},\"Type\":[]}]",
        "\"\\u0000\\ud83d\\ude00\"",
    ])
}

/// Replaces the values at positions of a walk over the whole record.
fn replace(value: &mut sonic_rs::Value, picks: &mut Vec<(usize, &'static str)>, at: &mut usize) {
    if let Some(position) = picks.iter().position(|(pick, _)| *pick == *at) {
        let (_, text) = picks.swap_remove(position);
        *value = sonic_rs::from_str(text).unwrap();
    }
    *at += 1;
    if let Some(object) = value.as_object_mut() {
        object.iter_mut().for_each(|(_, value)| replace(value, picks, at));
    } else if let Some(array) = value.as_array_mut() {
        array.iter_mut().for_each(|value| replace(value, picks, at));
    }
}

/// Keys by which records are told, together.
const TELLING: &[&[&str]] = &[
    &["TimeGenerated", "OfficeId", "Operation"],
    &["TimeGenerated [UTC]", "InitiatedBy", "TargetResources"],
    &["TimeGenerated", "ResultType", "AppId"],
    &["TimeGenerated [UTC]", "RiskState", "RiskLevel"],
    &["TimeGenerated", "Type", "TenantId"],
    &["CreationDate", "UserIds", "Operations", "Identity", "AuditData"],
    &["CreationDate", "RecordId", "UserId", "AuditData"],
    &["auditLogRecordType", "createdDateTime", "auditData"],
    &["o365audit"],
    &["CreationTime", "Operation", "RecordType"],
    &["Timestamp", "ActionType", "RawEventData"],
    &["Timestamp", "AlertId", "EntityType"],
];

/// Some of the keys of some of them, with values of each type.
fn telling() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let values = vec![
        "1",
        "\"x\"",
        "{\"a\":1}",
        "\"SigninLogs\"",
        "\"OfficeActivity\"",
        "\"CloudAppEvents\"",
        "\"2026-03-02T08:14:55Z\"",
    ];
    let group = (
        prop::sample::select(TELLING),
        prop::collection::vec((prop::sample::select(values), 0..6), 5),
    );
    let members = group.prop_map(|(keys, values)| {
        let kept = keys.iter().zip(values).filter(|(_, (_, dropped))| *dropped > 0);
        kept.map(|(key, (value, _))| (*key, value)).collect::<Vec<_>>()
    });
    prop::collection::vec(members, 1..3).prop_map(|groups| groups.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    /// The slow twin: asking all of them.
    #[test]
    fn no_source_is_passed_over_that_recognises_a_record(members in telling()) {
        let members: Vec<String> = members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        let text = format!("{{{}}}", members.join(","));
        let document = parse(&text).unwrap();
        let record = document.root();
        let all = SOURCES.iter().find(|source| source.recognises(record));
        let found = super::source_of(record);
        prop_assert_eq!(found.map(Source::name), all.map(|source| source.name()), "{}", text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn no_record_panics(
        sample in prop::sample::select(SAMPLES),
        picks in prop::collection::vec((1_usize..80, misfit()), 1..6),
    ) {
        let mut record: sonic_rs::Value = sonic_rs::from_str(sample).unwrap();
        replace(&mut record, &mut picks.clone(), &mut 0);
        let text = record.to_string();
        let _ = try_map(&text);
        let document = parse(&text).unwrap();
        // Each source stands every record, also one that is not its own.
        for source in SOURCES {
            let _ = source.map(document.root(), &mut EventRow::new());
        }
    }
}

#[test]
fn deep_nesting_in_every_field() {
    for sample in SAMPLES {
        let record: sonic_rs::Value = sonic_rs::from_str(sample).unwrap();
        for key in super::json::entries(parse(sample).unwrap().root())
            .map(|(key, _)| key.to_owned())
            .collect::<Vec<_>>()
        {
            for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
                let mut record = record.clone();
                let nested = format!("{}1{}", open.repeat(100), close.repeat(100));
                if let Some(value) = record.get_mut(&key) {
                    *value = sonic_rs::from_str(&nested).unwrap();
                }
                let _ = try_map(&record.to_string());
            }
        }
    }
}
