//! Over a small lake with known answers.

mod folders;

use super::*;
use crate::config::{Resources, format_instant, parse_instant};
use crate::engine::Engine;
use crate::ingest::{IngestRequest, Progress, Stop, ingest};
use crate::lake::Lake;
use serde_json::{Value, json};
use std::sync::Arc;

const ANN: &str = "ann@contoso.example";
const BEN: &str = "ben@contoso.example";
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
const READER: &str = "77aa0000-0000-0000-0000-00000000000a";
const SESSION: &str = "5e550000-0000-0000-0000-000000000001";

struct Quiet;

impl Progress for Quiet {
    fn total(&self, _: u64) {}
    fn position(&self, _: u64) {}
}

async fn lake_of(records: &[Value]) -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.json");
    std::fs::write(
        &log,
        records.iter().map(|record| format!("{record}\n")).collect::<String>(),
    )
    .unwrap();
    let lake = Lake::at(&folder.path().join("lake").to_string_lossy()).unwrap();
    let request = IngestRequest {
        paths: vec![log.to_string_lossy().into_owned()],
        memory_limit: 256 << 20,
        threads: 2,
        again: false,
        unwrap: true,
    };
    let report = ingest(&lake, request, Arc::new(Quiet), Stop::default()).await.unwrap();
    let read = (report.stored + report.rejected) as usize;
    assert_eq!(read, records.len());
    let engine = Engine::open(&lake, Resources::new(256 << 20, 2).unwrap())
        .await
        .unwrap();
    (folder, engine)
}

fn record(number: u32, time: &str, record_type: u32, access: &str, owner: &str, rest: Value) -> Value {
    let mut record = json!({
        "CreationTime": time, "Id": format!("00000000-0000-0000-0000-{number:012}"), "Operation": "MailItemsAccessed",
        "OrganizationId": "0f000000-0000-0000-0000-000000000000", "RecordType": record_type, "ResultStatus": "Succeeded",
        "UserType": 0, "Version": 1, "Workload": "Exchange", "UserId": owner, "LogonType": 0, "MailboxOwnerUPN": owner,
        "MailboxGuid": format!("guid-of-{}", owner.to_lowercase()), "ClientIPAddress": "198.51.100.7", "ClientInfoString": "Client=OWA",
        "OperationProperties": [{"Name": "MailAccessType", "Value": access}, {"Name": "IsThrottled", "Value": "False"}],
    });
    merge(&mut record, rest);
    record
}

fn merge(record: &mut Value, rest: Value) {
    let (Value::Object(record), Value::Object(rest)) = (record, rest) else {
        panic!("objects")
    };
    record.extend(rest);
}

/// A bind of messages in folders: `[(path, [message id])]`.
fn bind(number: u32, time: &str, owner: &str, folders: &[(&str, &[&str])], rest: Value) -> Value {
    let items = |ids: &[&str]| -> Vec<Value> {
        ids.iter()
            .map(|id| json!({"Id": format!("item {id}"), "InternetMessageId": id}))
            .collect()
    };
    let listed: Vec<Value> = folders
        .iter()
        .map(|(path, ids)| json!({"Path": path, "FolderItems": items(ids)}))
        .collect();
    let count: usize = folders.iter().map(|(_, ids)| ids.len()).sum();
    let mut record = record(
        number,
        time,
        50,
        "Bind",
        owner,
        json!({"Folders": listed, "OperationCount": count}),
    );
    merge(&mut record, rest);
    record
}

fn sync(number: u32, time: &str, owner: &str, folder: &str, rest: Value) -> Value {
    let item = json!({"Item": {"ParentFolder": {"Path": folder, "Name": folder.trim_start_matches('\\')}}});
    let mut record = record(number, time, 2, "Sync", owner, item);
    merge(&mut record, rest);
    record
}

fn throttled(access: &str) -> Value {
    let pairs = [
        json!({"Name": "IsThrottled", "Value": "True"}),
        json!({"Name": "MailAccessType", "Value": access}),
    ];
    json!({"OperationProperties": pairs})
}

/// Ann's mailbox, read by herself, a delegate and an application; Ben's, and other things.
fn records() -> Vec<Value> {
    let application = json!({"UserType": 5, "UserId": READER, "AppId": GRAPH, "ClientAppId": READER,
        "ClientInfoString": "Client=REST;Client=RESTSystem;;", "ClientIPAddress": "[2001:db8::5]:443"});
    let delegate =
        json!({"UserId": BEN, "LogonType": 2, "SessionId": SESSION, "ClientInfoString": "Client=MSExchangeRPC"});
    let mut ecs = json!({"@timestamp": "2026-03-02T09:30:00.000Z",
        "event": {"action": "MailItemsAccessed", "dataset": "o365.audit", "id": "e-1", "kind": "event", "provider": "Exchange"},
        "o365": {"audit": {"UserId": BEN, "MailboxGuid": format!("guid-of-{ANN}"), "RecordType": "2",
            "OperationProperties": [{"Name": "MailAccessType", "Value": "Sync"}], "Item": {"ParentFolder": {"Path": "\\Archive"}}}},
        "user": {"id": BEN, "email": BEN}});
    let alert = {
        let mut alert = ecs.clone();
        merge(
            &mut alert,
            json!({"kibana.alert.uuid": "a-1", "kibana.alert.rule.name": "r"}),
        );
        alert["event"]["kind"] = "signal".into();
        alert
    };
    ecs["source"] = json!({"ip": "203.0.113.9"});
    vec![
        bind(
            1,
            "2026-03-02T08:00:00",
            "Ann@Contoso.example",
            &[("\\Inbox", &["<m1@x>", "<m2@x>"])],
            json!({"SessionId": SESSION}),
        ),
        // The same message again, in another record and folder; the record counts one more than it lists.
        bind(
            2,
            "2026-03-02T08:10:00",
            ANN,
            &[("\\Inbox", &["<m2@x>"]), ("\\Sent", &["<M3@x>"])],
            json!({"OperationCount": 3}),
        ),
        bind(3, "2026-03-02T08:20:00", ANN, &[("\\Inbox", &["<m1@x>"])], application),
        sync(4, "2026-03-02T09:00:00", ANN, "\\Inbox", delegate),
        sync(5, "2026-03-02T09:10:00", ANN, "\\Inbox", json!({})),
        // Two windows that overlap, and one apart.
        bind(6, "2026-03-03T00:00:00", ANN, &[], throttled("Bind")),
        bind(7, "2026-03-03T12:00:00", ANN, &[], throttled("Bind")),
        bind(8, "2026-03-06T00:00:00", ANN, &[], throttled("Bind")),
        // An item without a message id, and one that failed.
        record(
            9,
            "2026-03-07T00:00:00",
            50,
            "Bind",
            ANN,
            json!({"ResultStatus": "Failed", "OperationCount": 1,
            "Folders": [{"Path": "\\Drafts", "FolderItems": [{"Id": "only item id"}]}]}),
        ),
        bind(
            10,
            "2026-03-08T00:00:00",
            BEN,
            &[("\\Inbox", &["<m1@x>"])],
            json!({"ClientIPAddress": "198.51.100.200",
            "AppAccessContext": {"AADSessionId": SESSION.to_uppercase(), "ClientAppId": READER}}),
        ),
        json!({"CreationTime": "2026-03-20T00:00:00", "Id": "00000000-0000-0000-0001-000000000000", "Operation": "FileAccessed",
            "RecordType": 6, "UserType": 0, "Workload": "SharePoint", "UserId": ANN, "OrganizationId": "0f"}),
        ecs,
        alert,
        json!({"Operation": "MailItemsAccessed", "RecordType": 50, "UserType": 0, "Id": "no time"}),
    ]
}

fn at(text: &str) -> Option<i64> {
    Some(parse_instant(text, 0).unwrap())
}

fn range(from: &str, to: &str) -> Range {
    Range {
        from: at(from),
        to: at(to),
    }
}

fn windows(report: &MailboxReport) -> Vec<[String; 2]> {
    report
        .unlogged_windows
        .iter()
        .map(|window| [format_instant(window.from), format_instant(window.to)])
        .collect()
}

#[tokio::test]
async fn a_mailbox() {
    let (_folder, engine) = lake_of(&records()).await;
    let report = investigate_mailbox(&engine, " ANN@contoso.example", Range::default())
        .await
        .unwrap();
    assert_eq!(report.verdict, Verdict::Throttled);
    assert_eq!(
        (
            report.events,
            report.bind_events,
            report.sync_events,
            report.unknown_events
        ),
        (10, 7, 3, 0)
    );
    let ids: Vec<_> = report
        .messages
        .iter()
        .map(|message| (message.message_id.as_str(), message.events))
        .collect();
    assert_eq!(ids, [("<m1@x>", 2), ("<m2@x>", 2), ("<M3@x>", 1)]);
    assert_eq!(report.bind_messages, 3);
    assert_eq!(
        (report.bind_items_without_message_id, report.bind_items_not_listed),
        (1, 1)
    );
    assert_eq!(report.synced_folders, ["\\Archive", "\\Inbox"]);
    assert_eq!(
        (
            report.failed_events,
            report.throttled_events,
            report.events_without_owner
        ),
        (1, 3, 1)
    );
    assert_eq!(
        windows(&report),
        [
            ["2026-03-03T00:00:00Z", "2026-03-04T12:00:00Z"],
            ["2026-03-06T00:00:00Z", "2026-03-07T00:00:00Z"]
        ]
    );
    let m2 = &report.messages[1];
    assert_eq!(
        (format_instant(m2.first), format_instant(m2.last)),
        ("2026-03-02T08:00:00Z".into(), "2026-03-02T08:10:00Z".into())
    );
    assert_eq!(m2.folders.iter().collect::<Vec<_>>(), ["\\Inbox"]);
    let m1 = &report.messages[0];
    assert_eq!(
        m1.applications.iter().collect::<Vec<_>>(),
        [&format!("{READER} via {GRAPH}")]
    );
    assert_eq!(m1.users.len(), 2);
    // Who: herself, Ben as delegate, the application.
    let users: Vec<_> = report
        .by
        .users
        .iter()
        .map(|user| (user.user.as_str(), user.tally.events))
        .collect();
    assert_eq!(users, [(ANN, 7), (READER, 1), (BEN, 2)]);
    let addresses: Vec<_> = report.by.addresses.iter().map(|row| row.address.as_str()).collect();
    assert_eq!(addresses, ["198.51.100.7", "2001:db8::5", "203.0.113.9"]);
    assert_eq!(report.by.sessions.len(), 1);
    assert_eq!(report.by.sessions[0].tally.events, 2);
    assert_eq!(report.by.clients.len(), 3);
    // By folder, client and address.
    assert_eq!(report.syncs.len(), 3);
    assert!(report.audited);
    assert_eq!(report.audit_log.mail_items_accessed.events, 11);
    assert_eq!(report.audit_log.mail_items_accessed.mailboxes, 2);
    assert_eq!(
        (
            report.audit_log.events,
            report.audit_log.rejected_records_about_mail_access
        ),
        (12, 1)
    );
    assert!(
        report
            .accesses
            .iter()
            .all(|access| access.source_file.is_some() && access.event_id.is_some())
    );
}

#[tokio::test]
async fn ranges_and_absence() {
    let (_folder, engine) = lake_of(&records()).await;
    let ask =
        async |user: &str, from: &str, to: &str| investigate_mailbox(&engine, user, range(from, to)).await.unwrap();
    let report = ask(ANN, "2026-03-02", "2026-03-02T08:10:00").await;
    assert_eq!(
        (report.verdict, report.bind_messages, report.events),
        (Verdict::Complete, 2, 1)
    );
    let report = ask(ANN, "2026-03-02", "2026-03-02T08:15:00").await;
    assert_eq!((report.verdict, report.events), (Verdict::PartlyListed, 2));
    let report = ask(ANN, "2026-03-02T09:00:00", "2026-03-03").await;
    assert_eq!((report.verdict, report.sync_events), (Verdict::FoldersSynchronised, 3));
    // The record that names no owner, and none in the range that does.
    let report = ask(ANN, "2026-03-02T09:20:00", "2026-03-03").await;
    assert_eq!(
        (report.events, report.synced_folders.as_slice()),
        (1, ["\\Archive".to_owned()].as_slice())
    );
    assert_eq!(ask(BEN, "2026-03-02T09:20:00", "2026-03-03").await.events, 0);
    // The day before reaches in.
    let report = ask(ANN, "2026-03-04", "2026-03-05").await;
    assert_eq!(
        (
            report.verdict,
            report.events,
            report.throttled_events,
            report.throttled_events_before
        ),
        (Verdict::Throttled, 0, 0, 1)
    );
    assert_eq!(windows(&report), [["2026-03-03T12:00:00Z", "2026-03-04T12:00:00Z"]]);
    // And ends where it ends.
    let report = ask(ANN, "2026-03-07", "2026-03-08").await;
    assert_eq!(
        (
            report.verdict,
            windows(&report).len(),
            report.bind_items_without_message_id
        ),
        (Verdict::Complete, 0, 1)
    );
    let report = ask(ANN, "2026-03-08", "2026-03-09").await;
    assert_eq!((report.verdict, report.audited), (Verdict::NoAccessRecorded, true));
    let report = ask(ANN, "2026-03-20", "2026-03-21").await;
    assert_eq!((report.verdict, report.audited), (Verdict::NotAudited, false));
    assert!(
        report.verdict_text.contains("At other times"),
        "{}",
        report.verdict_text
    );
    let report = ask(ANN, "2026-04-20", "2026-04-21").await;
    assert_eq!(report.verdict, Verdict::NoAuditLog);
    // What Ben opened in Ann's mailbox is not his.
    let report = investigate_mailbox(&engine, BEN, Range::default()).await.unwrap();
    assert_eq!((report.verdict, report.events), (Verdict::Complete, 1));
    // A user's text is a value, never SQL.
    let report = investigate_mailbox(&engine, "x' OR '1'='1", Range::default())
        .await
        .unwrap();
    assert_eq!((report.verdict, report.events), (Verdict::NoAccessRecorded, 0));
    assert!(investigate_mailbox(&engine, "  ", Range::default()).await.is_err());
}

#[tokio::test]
async fn traces() {
    let (_folder, engine) = lake_of(&records()).await;
    let ask = async |question: crate::Result<Question>| {
        find_accesses(&engine, question.unwrap(), Range::default())
            .await
            .unwrap()
    };
    let found = |report: &AccessReport| -> Vec<(String, u64)> {
        report
            .mailboxes
            .iter()
            .map(|mailbox| (mailbox.mailbox.clone(), mailbox.tally.events))
            .collect()
    };
    let both = |ann: u64, ben: u64| vec![(ANN.to_owned(), ann), (BEN.to_owned(), ben)];
    for id in ["<m1@x>", "M1@X"] {
        let report = ask(Question::message_id(id)).await;
        assert_eq!(found(&report), both(2, 1));
        assert!(report.accesses.iter().all(|access| access.items.len() == 1));
    }
    assert_eq!(found(&ask(Question::message_id("m3@x")).await), [(ANN.to_owned(), 1)]);
    // A part of an id is another id, and so is a pattern.
    assert_eq!(
        ask(Question::message_id("m1@")).await.verdict,
        Verdict::NoAccessRecorded
    );
    assert_eq!(ask(Question::message_id("%")).await.events, 0);
    assert_eq!(found(&ask(Question::app_id(&READER.to_uppercase())).await), both(1, 1));
    assert_eq!(found(&ask(Question::app_id(GRAPH)).await), [(ANN.to_owned(), 1)]);
    assert_eq!(found(&ask(Question::session(SESSION)).await), both(2, 1));
    assert_eq!(found(&ask(Question::address("198.51.100.0/24")).await), both(8, 1));
    assert_eq!(
        found(&ask(Question::address("198.51.100.200")).await),
        [(BEN.to_owned(), 1)]
    );
    assert_eq!(
        found(&ask(Question::address("2001:db8::/32")).await),
        [(ANN.to_owned(), 1)]
    );
    let report = ask(Question::address("203.0.113.0/24")).await;
    // Without an owner and with nothing to compare the guid with, it is who opened it.
    assert_eq!(
        (found(&report), report.accesses[0].owner_recorded),
        (vec![(BEN.to_owned(), 1)], false)
    );
    let narrow = find_accesses(
        &engine,
        Question::session(SESSION).unwrap(),
        range("2026-03-08", "2026-03-09"),
    )
    .await
    .unwrap();
    assert_eq!(found(&narrow), [(BEN.to_owned(), 1)]);
    let json = serde_json::to_value(&narrow).unwrap();
    assert_eq!(json["question"], json!({"kind": "session", "value": SESSION}));
    assert_eq!(json["mailboxes"][0]["first"], "2026-03-08T00:00:00Z");
}

fn rows(files: &[CsvFile], name: &str) -> Vec<std::collections::HashMap<String, String>> {
    let file = files.iter().find(|file| file.name == name).unwrap();
    let mut reader = csv::Reader::from_reader(file.content.as_slice());
    reader.deserialize().collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn mailboxes_that_may_have_been_meant() {
    let (_folder, engine) = lake_of(&records()).await;
    let ask = async |user: &str, range: Range| investigate_mailbox(&engine, user, range).await.unwrap();
    let report = ask("Ann", Range::default()).await;
    assert_eq!(report.similar_mailboxes, [ANN]);
    assert!(
        report.verdict_text.contains("of 2 mailboxes in this range")
            && report.verdict_text.ends_with("Did you mean ann@contoso.example?"),
        "{}",
        report.verdict_text
    );
    assert_eq!(
        ask("bne@contoso.example", Range::default()).await.similar_mailboxes,
        [BEN]
    );
    // Only those of the range, and none where something is found.
    let report = ask("ann", range("2026-03-08", "2026-03-09")).await;
    assert_eq!(report.verdict, Verdict::NoAccessRecorded);
    assert!(report.similar_mailboxes.is_empty(), "{:?}", report.similar_mailboxes);
    assert!(report.verdict_text.contains("of 1 mailbox in this range"));
    assert!(ask(ANN, Range::default()).await.similar_mailboxes.is_empty());
}

#[tokio::test]
async fn nothing_is_audited() {
    let (_folder, engine) = lake_of(&records()[10..11]).await;
    let report = investigate_mailbox(&engine, ANN, Range::default()).await.unwrap();
    assert_eq!((report.verdict, report.audited), (Verdict::NotAudited, false));
    assert!(report.verdict_text.contains("licence"));
}

#[tokio::test]
async fn outputs() {
    let (_folder, engine) = lake_of(&records()).await;
    let report = investigate_mailbox(&engine, ANN, range("2026-03-02", "2026-03-03"))
        .await
        .unwrap();
    let json = serde_json::to_value(&report).unwrap();
    for name in [
        "mailbox",
        "from",
        "to",
        "verdict",
        "bind_events",
        "bind_messages",
        "sync_events",
        "synced_folders",
        "throttled_events",
        "unlogged_windows",
        "sessions",
        "clients",
        "addresses",
        "applications",
    ] {
        assert!(json.get(name).is_some(), "{name}");
    }
    assert_eq!(json["verdict"], "folders_synchronised");
    assert_eq!(json["from"], "2026-03-02T00:00:00Z");
    assert_eq!(
        json["accesses"][0]["items"][1],
        json!({"folder": "\\Inbox", "message_id": "<m2@x>", "item_id": "item <m2@x>", "subject": null})
    );
    assert_eq!(json["sessions"][0]["session"], SESSION);
    let files = report.csv_files().unwrap();
    for file in &files {
        assert!(file.content.starts_with("\u{feff}".as_bytes()), "{}", file.name);
    }
    let rows = |name: &str| rows(&files, name);
    let messages = rows("messages.csv");
    // Five items, and three synchronisations without.
    assert_eq!(messages.len(), 8);
    assert_eq!(messages[0]["message_id"], "<m1@x>");
    assert_eq!(
        (messages[3]["folder"].as_str(), messages[3]["items_not_listed"].as_str()),
        ("\\Sent", "1")
    );
    assert_eq!(rows("syncs.csv").len(), 3);
    assert_eq!(rows("unlogged.csv").len(), 0);
    assert_eq!(rows("users.csv").len(), 3);
    assert!(
        rows("summary.csv")
            .iter()
            .any(|row| row["name"] == "bind_messages" && row["value"] == "3")
    );
    let found = find_accesses(&engine, Question::session(SESSION).unwrap(), Range::default())
        .await
        .unwrap();
    let names: Vec<_> = found.csv_files().unwrap().iter().map(|file| file.name).collect();
    assert_eq!(
        names,
        [
            "mailboxes.csv",
            "accesses.csv",
            "sessions.csv",
            "clients.csv",
            "addresses.csv",
            "applications.csv",
            "users.csv",
            "summary.csv"
        ]
    );
}
