//! The record behind an event or alert: shown, verified against its file, handed over.

use crate::sandbox::{Run, Sandbox, gzip, repository, sha256, zip};
use crate::stores::servers::python_readers;
use serde_json::{Value, json};
use std::io::{Cursor, Read as _, Write as _};
use std::process::{Command, Stdio};

fn record(id: &str) -> String {
    json!({
        "CreationTime": "2026-03-01T08:00:00", "Id": id, "Operation": "New-InboxRule", "OrganizationId": "0F00",
        "RecordType": 1, "ResultStatus": "Succeeded", "UserKey": "k", "UserType": 2, "Version": 1,
        "Workload": "Exchange", "UserId": "ann@contoso.example", "Note": "é \u{202e}",
    })
    .to_string()
}

fn lines(ids: &[&str]) -> String {
    ids.iter().map(|id| record(id) + "\n").collect()
}

/// What is printed as JSON, whatever came of verifying it.
fn evidence(sandbox: &Sandbox, arguments: &[&str]) -> (i32, Vec<Value>) {
    let run = sandbox.run(&[&["evidence", "--format", "json"], arguments].concat());
    let events = serde_json::from_str(&run.stdout);
    (run.code, events.unwrap_or_else(|error| panic!("{error}: {run:?}")))
}

fn status(event: &Value) -> &str {
    event["verification"]["status"].as_str().unwrap()
}

/// The members of a bundle in their order.
fn unpacked(sandbox: &Sandbox, name: &str) -> Vec<(String, Vec<u8>)> {
    let bytes = std::fs::read(sandbox.path(name)).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|place| {
            let mut member = archive.by_index(place).unwrap();
            let mut content = Vec::new();
            member.read_to_end(&mut content).unwrap();
            (member.name().unwrap().into_owned(), content)
        })
        .collect()
}

#[test]
fn a_record_is_verified_whatever_its_file_was_packed_in() {
    let text = lines(&["first", "wanted", "last"]);
    let raw = record("wanted");
    let quoted = raw.replace('"', "\"\"");
    let csv = format!(
        "RecordId,CreationDate,RecordType,Operation,UserId,AuditData,AssociatedAdminUnits\r\n\
         wanted,2026-03-01T08:00:00Z,1,New-InboxRule,ann@contoso.example,\"{quoted}\",\r\n"
    );
    let row = csv.lines().nth(1).unwrap();
    let utf16: Vec<u8> = "\u{feff}"
        .chars()
        .chain(text.chars())
        .collect::<String>()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let inner = zip(&[
        ("deep/b.json", text.as_bytes()),
        ("deep/a.json", lines(&["other"]).as_bytes()),
    ]);
    let files: [(&str, Vec<u8>, &str); 6] = [
        ("lines.json", text.clone().into(), &raw),
        ("export.csv", csv.clone().into(), row),
        ("lines.json.gz", gzip(text.as_bytes()), &raw),
        ("case.zip", zip(&[("logs/x.json.gz", &gzip(text.as_bytes()))]), &raw),
        ("nested.zip", zip(&[("inner.zip", &inner)]), &raw),
        ("powershell.txt", utf16, &raw),
    ];
    for (name, bytes, original) in files {
        let sandbox = Sandbox::new();
        let path = sandbox.file(&format!("a!/{name}"), &bytes);
        sandbox.ingest(&[&path]);
        let path = format!("[FOLDER]/a!/{name}");
        let (code, events) = evidence(&sandbox, &["wanted", "--bundle", "case-1.zip"]);
        assert_eq!((code, events.len()), (0, 1), "{name}");
        let event = &events[0];
        assert_eq!(status(event), "verified", "{name}");
        assert_eq!(event["raw"], raw, "{name}");
        assert_eq!(event["source_sha256"], sha256(&bytes), "{name}");
        assert_eq!(event["ledger"]["source_file"], path, "{name}");
        assert!(event["source_file"].as_str().unwrap().starts_with(&path), "{name}");
        let alone = sandbox.run(&["evidence", "wanted", "--raw"]);
        assert_eq!((alone.code, alone.stdout), (0, raw.clone()), "{name}");
        let key = event["event_key"].as_str().unwrap();
        assert_eq!(evidence(&sandbox, &[&key.to_uppercase()]).1[0]["event_id"], "wanted");
        let members = unpacked(&sandbox, "case-1.zip");
        let content = |member: &str| &members.iter().find(|(name, _)| name == member).unwrap().1;
        assert_eq!(content(&format!("records/1-{key}.json")), raw.as_bytes(), "{name}");
        assert_eq!(
            content(&format!("originals/1-{key}.bin")),
            original.as_bytes(),
            "{name}"
        );
    }
}

#[test]
fn every_event_of_the_samples_is_where_it_was() {
    for folder in ["data/contoso", "data/formats"] {
        let sandbox = Sandbox::new();
        sandbox.ingest(&[&repository(folder)]);
        let keys = sandbox.sql("SELECT DISTINCT event_key FROM events");
        let keys: Vec<&str> = keys.iter().map(|row| row["event_key"].as_str().unwrap()).collect();
        let (_, events) = evidence(&sandbox, &keys);
        assert_eq!(
            events.len() as u64,
            sandbox.sql("SELECT count(*) AS n FROM events")[0]["n"]
                .as_u64()
                .unwrap()
        );
        let others: Vec<&Value> = events.iter().filter(|event| status(event) != "verified").collect();
        assert!(others.is_empty(), "{folder}: {others:#?}");
    }
}

#[test]
fn what_does_not_agree_is_said() {
    let sandbox = Sandbox::new();
    let text = lines(&["x", "y"]);
    let path = sandbox.file("a.json", &text);
    sandbox.ingest(&[&path]);
    let seen = || {
        let (code, events) = evidence(&sandbox, &["y"]);
        (code, status(&events[0]).to_owned(), events[0]["verification"].clone())
    };
    assert_eq!(seen().0, 0);

    sandbox.file("a.json", format!("{text}{}", lines(&["z"])));
    let (code, word, grown) = seen();
    assert_eq!((code, word.as_str()), (3, "file changed"));
    assert!(
        grown["detail"].as_str().unwrap().contains("still at its position"),
        "{grown}"
    );
    sandbox.file("a.json", format!(" {text}"));
    let (_, word, moved) = seen();
    assert_eq!(word, "file changed");
    assert!(
        moved["detail"].as_str().unwrap().contains("not at its position"),
        "{moved}"
    );
    assert_eq!(moved["sha256_now"], sha256(format!(" {text}").as_bytes()));

    std::fs::remove_file(&path).unwrap();
    let (code, word, gone) = seen();
    assert_eq!((code, word.as_str()), (3, "file not reachable"));
    assert_eq!(gone["sha256_now"], Value::Null);
    std::fs::create_dir(&path).unwrap();
    assert_eq!(seen().1, "file not reachable");
    let shown = sandbox.run(&["evidence", "y"]);
    assert_eq!(shown.code, 3);
    assert!(shown.stdout.contains("file not reachable: "), "{shown:?}");
    assert!(shown.stderr.contains("1 event: file not reachable"), "{shown:?}");
    assert!(shown.stdout.contains("\"Id\": \"y\","), "readable: {shown:?}");
    assert!(!shown.stdout.contains('\u{202e}'), "{shown:?}");
}

/// Rewrites rows of `events` as somebody with access to the lake could.
const TAMPER: &str = r#"
import deltalake, sys
lake, column, value, condition = sys.argv[1:]
deltalake.DeltaTable(f"{lake}/events").update(updates={column: value}, predicate=condition)
"#;

#[test]
fn what_was_changed_in_the_lake_is_not_what_the_file_has() {
    for (column, value) in [
        ("source_position", "source_position + 1"),
        ("source_position", "CAST(NULL AS BIGINT)"),
        ("raw", "replace(raw, 'ann@contoso.example', 'ben@contoso.example')"),
        ("source_sha256", "'0'"),
    ] {
        let sandbox = Sandbox::new();
        let path = sandbox.file("a.json", lines(&["x", "y"]));
        sandbox.ingest(&[&path]);
        let lake = sandbox.path("lake").display().to_string();
        let arguments = ["-c", TAMPER, &lake, column, value, "event_id = 'y'"];
        let output = Command::new(python_readers()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let (code, events) = evidence(&sandbox, &["x", "y"]);
        let words: Vec<&str> = events.iter().map(status).collect();
        let expected = match column {
            "source_sha256" => "file changed",
            _ => "record not found at its position",
        };
        assert_eq!(code, 3);
        for (event, word) in events.iter().zip(words) {
            let is_tampered = event["event_id"] == "y";
            assert_eq!(
                word,
                if is_tampered { expected } else { "verified" },
                "{column}: {event}"
            );
            assert_eq!(event["ledger"].is_null(), is_tampered && column == "source_sha256");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_the_file_is_not_waited_for() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("a.json", lines(&["x"]));
    sandbox.ingest(&[&path]);
    std::fs::remove_file(&path).unwrap();
    crate::sandbox::make_pipe(&path);
    let (code, events) = evidence(&sandbox, &["x"]);
    assert_eq!((code, status(&events[0])), (3, "file not reachable"));
}

#[test]
fn ids_are_values_whatever_they_hold() {
    let ids = [
        "it's",
        "x' OR '1'='1",
        "'; DROP TABLE events; --",
        "a\"b\\c",
        "two\nlines\t\u{1b}[31m",
        "größe-漢字-\u{1f980}",
        "%_",
        "$1 ?",
    ];
    let sandbox = Sandbox::new();
    let path = sandbox.file("a.json", lines(&ids));
    assert_eq!(sandbox.ingest(&[&path])[1], ids.len() as u64);
    for id in ids {
        let (code, events) = evidence(&sandbox, &["--bundle", "b.zip", "--force", "--", id]);
        assert_eq!((code, events.len()), (0, 1), "{id:?}");
        assert_eq!(events[0]["event_id"], id);
        let shown = sandbox.run(&["evidence", "--", id]);
        assert!(
            !shown.stdout.contains('\u{1b}') && !shown.stderr.contains('\u{1b}'),
            "{shown:?}"
        );
    }
    let nowhere = sandbox.run(&["evidence", "x' OR 'a'='a"]);
    assert_eq!((nowhere.code, nowhere.stdout.as_str()), (1, ""));
    assert!(
        nowhere.stderr.contains("none of the 8 events of [FOLDER]/lake"),
        "{nowhere:?}"
    );
    assert!(nowhere.stderr.contains("--alerts FILE"), "the remedy: {nowhere:?}");
    let empty = sandbox.run(&["evidence", ""]);
    assert_eq!(empty.code, 2);
}

#[test]
fn one_id_in_several_places_is_shown_everywhere() {
    let sandbox = Sandbox::new();
    let other_day = record("x").replace("2026-03-01", "2026-03-02");
    let other_tenant = record("x").replace("0F00", "0F01");
    let path = sandbox.file("a.json", [record("x"), other_day, other_tenant].join("\n"));
    sandbox.ingest(&[&path]);
    let (code, events) = evidence(&sandbox, &["x"]);
    let found: Vec<(&str, &str)> = events
        .iter()
        .map(|event| {
            (
                event["timestamp"].as_str().unwrap(),
                event["organization"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!((code, found.len()), (0, 3), "{found:?}");
    assert_eq!(found[2], ("2026-03-02T08:00:00Z", "0f00"), "in order of time");
    let raw = sandbox.run(&["evidence", "x", "--raw"]);
    assert_eq!((raw.code, raw.stdout.as_str()), (2, ""));
    assert!(raw.stderr.contains("3 were found"), "{raw:?}");
}

#[test]
fn an_alert_stands_for_its_events_and_goes_into_the_bundle() {
    let sandbox = Sandbox::new();
    sandbox.ingest(&[&repository("data/contoso")]);
    for format in ["jsonl", "json"] {
        sandbox.ok(&["hunt", "--format", format, "--output", &format!("alerts.{format}")]);
    }
    let text = std::fs::read_to_string(sandbox.path("alerts.jsonl")).unwrap();
    let alerts: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let largest = alerts
        .iter()
        .max_by_key(|alert| alert["event_ids"].as_array().unwrap().len())
        .unwrap();
    let ids = largest["event_ids"].as_array().unwrap();
    assert!(ids.len() > 1, "{largest}");
    let alert_id = largest["alert_id"].as_str().unwrap();
    for file in ["alerts.jsonl", "alerts.json"] {
        let (code, events) = evidence(&sandbox, &[alert_id, "--alerts", file]);
        assert_eq!((code, events.len()), (0, ids.len()), "{file}");
        assert!(
            events.iter().all(|event| event["asked"] == json!([alert_id])),
            "{events:?}"
        );
        let is_listed = |event: &Value| {
            let others = event["other_ids"].as_array().cloned().unwrap_or_default();
            let mut names = others.into_iter().chain([event["event_id"].clone()]);
            names.any(|name| ids.contains(&name))
        };
        assert!(events.iter().all(is_listed), "{ids:?} {events:#?}");
    }
    for alert in &alerts {
        let id = alert["alert_id"].as_str().unwrap();
        let run = sandbox.run(&["evidence", id, "--alerts", "alerts.jsonl"]);
        assert_eq!(run.code, 0, "{alert}: {run:?}");
    }
    let nowhere = sandbox.run(&["evidence", &"0".repeat(32), "--alerts", "alerts.jsonl"]);
    assert_eq!(nowhere.code, 1);
    let looked = format!("none of the {} alerts in alerts.jsonl has it", alerts.len());
    assert!(nowhere.stderr.contains(&looked), "{nowhere:?}");

    let mut command = sandbox.command(&[
        "evidence",
        alert_id,
        "--alerts",
        "-",
        "--bundle",
        "case.zip",
        "--with-sources",
    ]);
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let run = Run::of(child.wait_with_output().unwrap(), &sandbox.path(""));
    assert_eq!(run.code, 0, "{run:?}");
    let bundle = std::fs::read(sandbox.path("case.zip")).unwrap();
    assert!(run.stderr.contains(&sha256(&bundle)), "to be noted down: {run:?}");
    check_bundle(&sandbox, "case.zip", largest, ids.len(), &text);

    let refused = sandbox.run(&["evidence", alert_id, "--alerts", "alerts.json", "--bundle", "case.zip"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("--force"), "{refused:?}");
    assert_eq!(std::fs::read(sandbox.path("case.zip")).unwrap(), bundle, "untouched");
    sandbox.ok(&[
        "evidence",
        alert_id,
        "--alerts",
        "alerts.json",
        "--bundle",
        "case.zip",
        "--force",
    ]);
    assert_ne!(std::fs::read(sandbox.path("case.zip")).unwrap(), bundle);
}

fn check_bundle(sandbox: &Sandbox, name: &str, alert: &Value, events: usize, alerts: &str) {
    let members = unpacked(sandbox, name);
    let content = |member: &str| &members.iter().find(|(name, _)| name == member).unwrap().1;
    let manifest: Value = serde_json::from_slice(content("manifest.json")).unwrap();
    let hashes = manifest["sha256"].as_object().unwrap();
    let sums = String::from_utf8(content("SHA256SUMS").clone()).unwrap();
    for (name, bytes) in &members {
        if name != "manifest.json" {
            assert_eq!(hashes[name], sha256(bytes), "{name}");
        }
        if name != "manifest.json" && name != "SHA256SUMS" {
            assert!(sums.contains(&format!("{}  {name}\n", sha256(bytes))), "{name}");
        }
    }
    assert_eq!(hashes.len(), members.len() - 1);
    let folders: Vec<&str> = members
        .iter()
        .map(|(name, _)| name.split('/').next().unwrap())
        .collect();
    let mut order = folders.clone();
    order.dedup();
    let expected = [
        "README.txt",
        "alerts",
        "records",
        "originals",
        "sources",
        "SHA256SUMS",
        "manifest.json",
    ];
    assert_eq!(order, expected);
    let alert_id = alert["alert_id"].as_str().unwrap();
    let as_written = alerts.lines().find(|line| line.contains(alert_id)).unwrap();
    assert_eq!(content(&format!("alerts/{alert_id}.json")), as_written.as_bytes());
    let listed = manifest["events"].as_array().unwrap();
    assert_eq!(listed.len(), events);
    for event in listed {
        let file = |name: &str| content(event[name].as_str().unwrap());
        assert_eq!(status(event), "verified");
        assert_eq!(sha256(file("source_copy")), event["source_sha256"].as_str().unwrap());
        let stored = sandbox.sql(&format!(
            "SELECT raw FROM events WHERE event_key = '{}'",
            event["event_key"].as_str().unwrap()
        ));
        assert_eq!(file("record_file"), stored[0]["raw"].as_str().unwrap().as_bytes());
        assert!(!file("original_file").is_empty());
    }
    let readme = String::from_utf8(content("README.txt").clone()).unwrap();
    assert!(readme.contains("sha256sum -c SHA256SUMS"), "{readme}");
}

#[test]
fn what_an_alert_does_not_name_or_the_lake_does_not_have_is_said() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("a.json", lines(&["x"]));
    sandbox.ingest(&[&path]);
    let alert = |id: &str, events: &[&str], count: u64| {
        json!({"alert_id": id, "detection": "d", "severity": "low", "time": "2020-01-01T00:00:00Z", "key": {},
            "event_ids": events, "event_count": count, "fields": {}})
    };
    // At another time than its event, which is found none the less.
    let alerts = [
        alert("../more", &["x"], 3),
        alert("elsewhere", &["x", "it's gone"], 2),
        alert("nameless", &[], 2),
        alert("foreign", &["gone"], 1),
    ];
    let file = sandbox.file("alerts.jsonl", alerts.map(|alert| format!("{alert}\n")).concat());
    let more = sandbox.run(&["evidence", "../more", "--alerts", &file, "--bundle", "b.zip"]);
    assert_eq!(more.code, 0, "{more:?}");
    assert!(
        more.stderr.contains("stands for 3 events and names 1 of them"),
        "{more:?}"
    );
    let names: Vec<String> = unpacked(&sandbox, "b.zip").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names[1], "alerts/_more.json", "{names:?}");
    let elsewhere = sandbox.run(&["evidence", "elsewhere", "--alerts", &file]);
    assert_eq!(elsewhere.code, 3, "{elsewhere:?}");
    assert!(
        elsewhere.stderr.contains("event it's gone of alert elsewhere"),
        "{elsewhere:?}"
    );
    for (id, said) in [("nameless", "gives no event_ids"), ("foreign", "are not in")] {
        let run = sandbox.run(&["evidence", id, "--alerts", &file]);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.stderr.contains(said), "{run:?}");
    }
    let no_alerts = sandbox.file("alerts.csv", "alert_id,detection\n");
    let run = sandbox.run(&["evidence", "x", "--alerts", &no_alerts]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("give what `retrohunt hunt --format jsonl"),
        "{run:?}"
    );
}

#[test]
fn a_changed_file_is_not_copied_as_the_source() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("a.json", lines(&["x"]));
    sandbox.ingest(&[&path]);
    sandbox.file("a.json", lines(&["x", "y"]));
    let run = sandbox.run(&["evidence", "x", "--bundle", "b.zip", "--with-sources"]);
    assert_eq!(run.code, 3);
    assert!(run.stderr.contains("not copied: [FOLDER]/a.json"), "{run:?}");
    let members = unpacked(&sandbox, "b.zip");
    let names: Vec<&str> = members
        .iter()
        .map(|(name, _)| name.split('/').next().unwrap())
        .collect();
    assert_eq!(names, ["README.txt", "records", "SHA256SUMS", "manifest.json"]);
    let manifest: Value = serde_json::from_slice(&members[3].1).unwrap();
    assert_eq!(manifest["sources_left_out"].as_array().unwrap().len(), 1);
    assert_eq!(status(&manifest["events"][0]), "file changed");
    let leftovers: Vec<_> = std::fs::read_dir(sandbox.path("")).unwrap().collect();
    assert_eq!(leftovers.len(), 3, "a.json, lake, b.zip: {leftovers:?}");
    let nowhere = sandbox.run(&["evidence", "x", "--bundle", "no/such/folder/b.zip"]);
    assert_eq!(nowhere.code, 1, "{nowhere:?}");
}
