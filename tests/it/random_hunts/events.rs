//! Random events in small worlds, where everything collides: three users, three addresses,
//! a dozen instants, many of them exactly on ticks and edges of windows.

use super::choices::{Choices, tape};
use serde_json::{Map, Value, json};

pub(super) const SECOND: i64 = 1_000_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

pub(super) const TENANT: &str = "7d0a6a1e-52c4-4b0f-9d53-c0de00c0ffee";
pub(super) const USERS: [&str; 3] = ["ann@contoso.example", "ben@contoso.example", "eve@contoso.example"];
/// Entra's object ids of the same people.
pub(super) const OBJECT_IDS: [&str; 3] = [
    "a0000000-0000-4000-8000-00000000000a",
    "b0000000-0000-4000-8000-00000000000b",
    "e0000000-0000-4000-8000-00000000000e",
];
/// The last two are the same address, one of them mapped to IPv6.
pub(super) const ADDRESSES: [&str; 4] = ["198.51.100.7", "2001:db8::7", "203.0.113.9", "::ffff:203.0.113.9"];
/// Two of the list `first_party_apps`, and one that is not.
pub(super) const APPS: [&str; 3] = [
    "00000002-0000-0000-c000-000000000000",
    "00000004-0000-0ff1-ce00-000000000000",
    "c0000000-0000-4000-8000-00000000000c",
];
pub(super) const ACTIONS: [&str; 4] = ["MailItemsAccessed", "FileAccessed", "New-InboxRule", "UserLoggedIn"];
pub(super) const SESSIONS: [&str; 2] = ["session-1", "session-2"];

/// What kind of world: how long, and with what distances between ticks it is hunted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Era {
    pub(super) start: i64,
    pub(super) length: i64,
    pub(super) intervals: &'static [i64],
    /// Patterns that have ticks about as close.
    pub(super) patterns: &'static [&'static str],
}

/// None of them starts at a midnight or ends at one, so that ticks before the first and
/// after the last event are part of every hunt without a range.
pub(super) const ERAS: [Era; 3] = [
    Era {
        start: 1_772_409_600 * SECOND + 22 * HOUR,
        length: 3 * HOUR,
        intervals: &[15 * MINUTE, 7 * MINUTE],
        patterns: &["*/20 22-23 * * *", "5,20,50 22,23,0 * * *"],
    },
    Era {
        start: 1_772_409_600 * SECOND + 5 * HOUR,
        length: 26 * HOUR,
        intervals: &[HOUR, 90 * MINUTE],
        patterns: &["15 2,8,11,20 * * *", "30 9-17/2,23 * * 1-5"],
    },
    Era {
        start: 1_772_409_600 * SECOND + 7 * HOUR,
        length: 13 * DAY,
        intervals: &[DAY],
        patterns: &["0 6 * * 1-5", "30 4,16 * * 2,4,6"],
    },
];

/// Records and in which of the two ingests each arrives.
#[derive(Debug, Clone)]
pub(super) struct Events {
    pub(super) era: Era,
    pub(super) records: Vec<(Value, usize)>,
}

/// How finely a format tells times apart, in microseconds.
#[derive(Clone, Copy)]
enum Precision {
    Second = 1_000_000,
    Millisecond = 1_000,
    Microsecond = 1,
}

impl Events {
    pub(super) fn of(seed: u64) -> Self {
        let numbers = tape(seed, 4096);
        let choices = &mut Choices::new(&numbers);
        let era = ERAS[seed as usize % ERAS.len()];
        let instants = instants(era, choices);
        let count = 16 + choices.below(25);
        let mut records: Vec<(Value, usize)> = Vec::new();
        for number in 0..count {
            let base = instants[choices.below(instants.len())];
            // Scrambled, so that ids are not in the order of time.
            let id = format!("id-{:03}", (number * 37 + 11) % 101);
            let record = record(base, &id, choices);
            let late = usize::from(choices.chance(25));
            if choices.chance(10) {
                records.push((record.clone(), usize::from(choices.chance(50))));
            }
            records.push((record, late));
        }
        Self { era, records }
    }

    /// For people: a line for each record, after the number of its ingest.
    pub(super) fn lines(&self) -> String {
        let lines = self.records.iter().map(|(record, part)| format!("{part} {record}"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// The few instants at which everything happens. Most are at the beginning and the end, so
/// that there are gaps longer than most lookbacks.
fn instants(era: Era, choices: &mut Choices<'_>) -> Vec<i64> {
    let count = 6 + choices.below(8);
    let mut instants = Vec::with_capacity(count);
    for _ in 0..count {
        let part = match choices.below(5) {
            0 | 1 => choices.below(30),
            2 | 3 => 75 + choices.below(25),
            _ => choices.below(100),
        };
        let about = era.start + era.length / 100 * part as i64;
        let unit = match choices.below(6) {
            0 | 1 => choices.of(era.intervals),
            2 => 30 * MINUTE,
            3 => 10 * MINUTE,
            4 => SECOND,
            _ => MINUTE,
        };
        instants.push(about.div_euclid(unit) * unit);
    }
    instants
}

/// The instant, or the one just before or after it that the format can tell from it.
fn moved(base: i64, precision: Precision, choices: &mut Choices<'_>) -> i64 {
    base + [0, 0, 0, 0, -1, 1][choices.below(6)] * precision as i64
}

fn text(micros: i64, digits: usize) -> String {
    let time = chrono::DateTime::from_timestamp_micros(micros).unwrap();
    let all = format!("{}0", time.format("%Y-%m-%dT%H:%M:%S%.6f"));
    match digits {
        0 => all[..19].to_owned(),
        digits => all[..20 + digits].to_owned(),
    }
}

fn record(base: i64, id: &str, choices: &mut Choices<'_>) -> Value {
    let kind = choices.below(10);
    match kind {
        0..4 => audit(text(moved(base, Precision::Second, choices), 0), id, choices),
        4 | 5 => sign_in(text(moved(base, Precision::Microsecond, choices), 7), id, choices),
        6 => elastic_alert(text(moved(base, Precision::Millisecond, choices), 3), id, choices),
        7 => document(text(moved(base, Precision::Millisecond, choices), 3), id, choices),
        8 => cloud_app_event(base, id, choices),
        _ if choices.chance(50) => defender_sign_in(text(moved(base, Precision::Microsecond, choices), 7), id, choices),
        _ => alert_evidence(text(moved(base, Precision::Microsecond, choices), 7), id, choices),
    }
}

/// Puts a value, null or nothing under a key.
fn perhaps(map: &mut Map<String, Value>, key: &str, value: impl Into<Value>, choices: &mut Choices<'_>) {
    match choices.below(8) {
        0 => drop(map.insert(key.to_owned(), Value::Null)),
        1 => {}
        _ => drop(map.insert(key.to_owned(), value.into())),
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// A record of the Management Activity API.
pub(super) fn audit(time: String, id: &str, choices: &mut Choices<'_>) -> Value {
    let who = choices.below(USERS.len());
    let action = choices.pick(&ACTIONS);
    let mut record = object(json!({
        "CreationTime": time, "Id": id, "Operation": action, "OrganizationId": TENANT, "RecordType": 50,
        "ResultStatus": choices.pick(&["Succeeded", "Failed"]), "UserType": 0, "Version": 1, "Workload": "Exchange",
        "UserKey": choices.pick(&["S-1-5-21", OBJECT_IDS[who]]),
    }));
    perhaps(&mut record, "UserId", USERS[who], choices);
    let address = choices.pick(&ADDRESSES);
    let port = choices.pick(&["", ":443", ":52114"]);
    let address = match (address.contains(':'), port) {
        (_, "") => address.to_owned(),
        (true, port) => format!("[{address}]{port}"),
        (false, port) => format!("{address}{port}"),
    };
    perhaps(&mut record, "ClientIPAddress", address, choices);
    perhaps(&mut record, "ClientAppId", choices.pick(&APPS), choices);
    let count = choices.below(5);
    perhaps(&mut record, "OperationCount", count, choices);
    let properties = json!([
        {"Name": "MailAccessType", "Value": choices.pick(&["Bind", "Sync"])},
        {"Name": "IsThrottled", "Value": choices.pick(&["False", "True"])},
    ]);
    perhaps(&mut record, "OperationProperties", properties, choices);
    let items = choices.below(3);
    let messages: Vec<Value> = (0..items)
        .map(|_| json!({"InternetMessageId": choices.pick(&["<m1>", "<m2>", "<m3>"])}))
        .collect();
    perhaps(
        &mut record,
        "Folders",
        json!([{"Path": "\\Inbox", "FolderItems": messages}]),
        choices,
    );
    // A key without a column: it is read from the record's text.
    perhaps(&mut record, "Oddity", choices.pick(&["odd", "even"]), choices);
    Value::Object(record)
}

/// A sign-in as Azure Monitor writes it.
fn sign_in(time: String, id: &str, choices: &mut Choices<'_>) -> Value {
    let who = choices.below(USERS.len());
    let mut properties = object(json!({
        "id": id, "createdDateTime": format!("{time}+00:00"), "userPrincipalName": USERS[who],
        "status": {"errorCode": choices.of(&[0, 0, 50126])},
    }));
    perhaps(&mut properties, "userId", OBJECT_IDS[who], choices);
    perhaps(&mut properties, "ipAddress", choices.pick(&ADDRESSES), choices);
    perhaps(&mut properties, "sessionId", choices.pick(&SESSIONS), choices);
    perhaps(&mut properties, "appId", choices.pick(&APPS), choices);
    perhaps(
        &mut properties,
        "riskLevelDuringSignIn",
        choices.pick(&["none", "low", "high"]),
        choices,
    );
    json!({
        "time": format!("{time}Z"), "operationName": "Sign-in activity", "category": "SignInLogs", "tenantId": TENANT,
        "callerIpAddress": choices.pick(&ADDRESSES), "properties": properties,
    })
}

/// An alert of Elastic's rule over external alerts.
fn elastic_alert(time: String, id: &str, choices: &mut Choices<'_>) -> Value {
    let mut source = Map::new();
    perhaps(&mut source, "ip", choices.pick(&ADDRESSES), choices);
    json!({
        "@timestamp": format!("{time}Z"), "kibana.alert.rule.name": choices.pick(&["External Alerts", "Port Scan"]),
        "kibana.alert.uuid": id, "kibana.alert.risk_score": 47, "event.kind": "signal",
        "event": {
            "module": "suricata", "dataset": choices.pick(&["suricata.eve", "panw.panos"]),
            "category": choices.of(&[&["network", "intrusion_detection"][..], &["network"][..]]), "severity": choices.below(4),
        },
        "source": source,
    })
}

/// An ECS document, now and then without id or dataset.
fn document(time: String, id: &str, choices: &mut Choices<'_>) -> Value {
    let mut document = object(json!({"@timestamp": format!("{time}Z"), "message": id}));
    let who = choices.below(USERS.len());
    perhaps(&mut document, "event.id", id, choices);
    perhaps(&mut document, "event.dataset", "suricata.eve", choices);
    perhaps(&mut document, "event.action", choices.pick(&ACTIONS), choices);
    perhaps(&mut document, "source.ip", choices.pick(&ADDRESSES), choices);
    perhaps(&mut document, "user.id", USERS[who], choices);
    perhaps(
        &mut document,
        "tags",
        choices.of(&[&["x"][..], &["x", "y"], &[]]),
        choices,
    );
    let severity = choices.below(4);
    perhaps(&mut document, "event.severity", severity, choices);
    perhaps(
        &mut document,
        "related.user",
        choices.of(&[&[USERS[0]][..], &[USERS[1], USERS[2]]]),
        choices,
    );
    Value::Object(document)
}

/// A row of CloudAppEvents around an audit record of its own.
fn cloud_app_event(base: i64, id: &str, choices: &mut Choices<'_>) -> Value {
    let time = moved(base, Precision::Second, choices);
    let who = choices.below(USERS.len());
    let inner = audit(text(time, 0), &format!("inner-{id}"), choices);
    let mut row = object(json!({
        "Timestamp": format!("{}Z", text(time, 7)), "ActionType": inner["Operation"], "Application": "Microsoft Exchange Online",
        "ApplicationId": choices.of(&[20893, 20892]), "IsAdminOperation": choices.chance(30),
        "ReportId": format!("report-{id}"), "RawEventData": inner,
    }));
    perhaps(&mut row, "AccountObjectId", OBJECT_IDS[who], choices);
    perhaps(&mut row, "AccountId", OBJECT_IDS[who], choices);
    perhaps(&mut row, "IPAddress", choices.pick(&ADDRESSES), choices);
    Value::Object(row)
}

/// A row of AADSignInEventsBeta.
fn defender_sign_in(time: String, id: &str, choices: &mut Choices<'_>) -> Value {
    let who = choices.below(USERS.len());
    let mut row = object(json!({
        "Timestamp": format!("{time}Z"), "ErrorCode": choices.of(&[0, 50126]), "LogonType": "[\"interactiveUser\"]",
        "AccountUpn": USERS[who], "RequestId": format!("request-{id}"), "ReportId": format!("report-{id}"),
        "RiskLevelDuringSignIn": choices.of(&[0, 10, 100]),
    }));
    perhaps(&mut row, "AccountObjectId", OBJECT_IDS[who], choices);
    perhaps(&mut row, "SessionId", choices.pick(&SESSIONS), choices);
    perhaps(&mut row, "IPAddress", choices.pick(&ADDRESSES), choices);
    let managed = choices.below(2);
    perhaps(&mut row, "IsManaged", managed, choices);
    Value::Object(row)
}

/// A row of AlertEvidence.
fn alert_evidence(time: String, id: &str, choices: &mut Choices<'_>) -> Value {
    let who = choices.below(USERS.len());
    let mut row = object(json!({
        "Timestamp": format!("{time}Z"), "AlertId": choices.pick(&["da-1", "da-2"]), "EntityType": choices.pick(&["User", "Ip"]),
        "Title": format!("title {id}"), "Categories": "[\"InitialAccess\",\"Exfiltration\"]", "Severity": "High",
    }));
    perhaps(&mut row, "AccountObjectId", OBJECT_IDS[who], choices);
    perhaps(&mut row, "RemoteIP", choices.pick(&ADDRESSES), choices);
    Value::Object(row)
}
