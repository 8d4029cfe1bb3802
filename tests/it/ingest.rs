//! Logs in: what is stored, what is a repeat, what is rejected.

use crate::sandbox::{Sandbox, repository, sha256, zip};
use serde_json::{Value, json};

/// A Management Activity record.
fn record(id: &str, time: &str, more: Value) -> Value {
    let mut record = json!({
        "CreationTime": time, "Id": id, "Operation": "MailItemsAccessed", "OrganizationId": "0F00",
        "RecordType": 50, "ResultStatus": "Succeeded", "UserKey": "k", "UserType": 0, "Version": 1,
        "Workload": "Exchange", "UserId": "ann@contoso.example", "ClientIPAddress": "198.51.100.7",
        "OperationProperties": [{"Name": "MailAccessType", "Value": "Bind"}, {"Name": "IsThrottled", "Value": "False"}],
    });
    record
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().cloned().unwrap_or_default());
    record
}

fn records(count: usize) -> Vec<Value> {
    (0..count)
        .map(|n| {
            record(
                &format!("id-{n}"),
                &format!("2026-03-{:02}T08:00:{:02}", 1 + n % 3, n % 60),
                json!({}),
            )
        })
        .collect()
}

fn lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

#[test]
fn every_framing_and_packing_stores_the_same() {
    let records = records(25);
    let array = serde_json::to_vec(&records).unwrap();
    let pretty = serde_json::to_vec_pretty(&records).unwrap();
    let concatenated: String = records.iter().map(Value::to_string).collect();
    let container = json!({"value": records}).to_string();
    let gzip = {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(lines(&records).as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let zstd = zstd::stream::encode_all(lines(&records).as_bytes(), 1).unwrap();
    let plain = lines(&records);
    let forms: [(&str, &[u8]); 7] = [
        ("array", &array),
        ("pretty", &pretty),
        ("concatenated", concatenated.as_bytes()),
        ("lines", plain.as_bytes()),
        ("container", container.as_bytes()),
        ("gzip", &gzip),
        ("zstd", &zstd),
    ];
    let together = Sandbox::new();
    for (name, bytes) in forms {
        let alone = Sandbox::new();
        // The name says nothing of the content.
        let path = alone.file("export.bin", bytes);
        assert_eq!(alone.ingest(&[&path]), [25, 25, 0, 0], "{name}");
        together.file(&format!("logs/{name}.txt"), bytes);
    }
    assert_eq!(
        together.ingest(&["logs"]),
        [175, 25, 150, 0],
        "the same records in seven spellings are the same events"
    );
}

#[test]
fn a_second_ingest_stores_nothing() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("a.json", lines(&records(10)) + "not json\n");
    assert_eq!(sandbox.ingest(&[&path]), [11, 10, 0, 1]);
    assert_eq!(sandbox.ingest(&[&path]), [11, 0, 10, 1]);
    assert_eq!(sandbox.ingest(&["--again", &path]), [11, 0, 10, 1]);
    assert_eq!(sandbox.sql("SELECT count(*) AS n FROM events")[0]["n"], 10);
    assert_eq!(
        sandbox.sql("SELECT count(*) AS n FROM quarantine")[0]["n"],
        1,
        "the rejected line is kept once"
    );
}

#[test]
fn a_file_is_known_by_its_content_alone() {
    let sandbox = Sandbox::new();
    let [known, other] = ["id-1", "id-2"].map(|id| lines(&[record(id, "2026-03-01T08:00:00", json!({}))]));
    assert_eq!(known.len(), other.len());
    let path = sandbox.file("a.json", &known);
    assert_eq!(sandbox.ingest(&[&path]), [1, 1, 0, 0]);
    // Beside one of the same length, one of another, and an archive with both.
    let longer = other.clone() + "not json\n";
    let packed = zip(&[("known", known.as_bytes()), ("longer", longer.as_bytes())]);
    let files = [
        ("copy.json", known.as_bytes()),
        ("longer.json", longer.as_bytes()),
        ("other.json", other.as_bytes()),
        ("packed.zip", &packed),
    ];
    for (name, bytes) in files {
        sandbox.file(&format!("more/{name}"), bytes);
    }
    let survey: Value =
        serde_json::from_str(&sandbox.run(&["ingest", "--dry-run", "--format", "json", "more"]).stdout).unwrap();
    let report: Value = serde_json::from_str(&sandbox.run(&["ingest", "--format", "json", "more"]).stdout).unwrap();
    for (place, (name, bytes)) in files.into_iter().enumerate() {
        let file = &report["details"][place];
        assert!(file["path"].as_str().unwrap().ends_with(name), "{file}");
        assert_eq!(
            (&file["sha256"], &file["size"]),
            (&json!(sha256(bytes)), &json!(bytes.len()))
        );
        assert_eq!(file["already_ingested"] == true, name == "copy.json", "{file}");
        let surveyed = survey.as_array().unwrap().iter();
        let mut surveyed = surveyed.filter(|file| file["path"].as_str().unwrap().contains(name));
        assert!(surveyed.all(|file| file["sha256"] == sha256(bytes)), "{survey}");
    }
    let kept = "SELECT source_file, source_sha256 FROM quarantine UNION ALL SELECT source_file, source_sha256 FROM events ORDER BY 1";
    let kept = sandbox.sql(kept);
    assert_eq!(kept.len(), 4, "two events, and a line in two files: {kept:?}");
    for row in kept {
        let file = row["source_file"].as_str().unwrap();
        let of_file = files.iter().find(|(name, _)| file.contains(name));
        let bytes = of_file.map_or(known.as_bytes(), |(_, bytes)| bytes);
        assert_eq!(row["source_sha256"], sha256(bytes), "{file}");
    }
}

#[cfg(unix)]
#[test]
fn what_comes_through_a_pipe_is_a_file_and_one_that_nobody_writes_to_can_be_left() {
    use crate::sandbox::{interrupt, make_pipe};
    let sandbox = Sandbox::new();
    let text = lines(&records(25));
    let packed = zip(&[("records.json", text.as_bytes())]);
    let full = sandbox.path("a.pipe");
    make_pipe(&full);
    make_pipe(sandbox.path("silent.pipe"));
    for (bytes, is_known) in [(text.as_bytes(), false), (text.as_bytes(), true), (&packed, false)] {
        let child = sandbox.start(&["ingest", "--format", "json", "a.pipe"]);
        std::fs::write(&full, bytes).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let file = &report["details"][0];
        assert_eq!(file["already_ingested"] == true, is_known, "{file}");
        let expected = (&json!(sha256(bytes)), &json!(bytes.len()));
        assert_eq!((&file["sha256"], &file["size"]), expected);
    }
    assert_eq!(sandbox.sql("SELECT count(*) AS n FROM events")[0]["n"], 25);

    let child = sandbox.start(&["ingest", "a.pipe", "silent.pipe"]);
    std::fs::write(&full, &text).unwrap();
    // By now it has begun, and waits for the other one, or soon will.
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("interrupted: what was committed stays"), "{said}");
}

#[test]
fn the_members_of_an_archive_are_ingested_as_files() {
    use std::io::{Cursor, Write as _};
    let zip = |members: &[(&str, &[u8])]| {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in members {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let all = records(30);
    let inner = zip(&[("c.json", lines(&all[20..]).as_bytes())]);
    let (first, second) = (lines(&all[..10]), lines(&all[5..20]) + "not json\n");
    let members: [(&str, &[u8]); 6] = [
        ("__MACOSX/._a.json", b"junk"),
        ("logs/a.json", first.as_bytes()),
        ("logs/b.json", second.as_bytes()),
        ("inner.zip", &inner),
        ("notes.bin", b"\x89PNG\r\n\x1a\n\0\0\0"),
        ("empty.json", b""),
    ];
    let sandbox = Sandbox::new();
    let path = sandbox.file("case.zip", zip(&members));
    // 10 + 15 + 10 records, one line and one picture that are none; 5 are there twice.
    assert_eq!(sandbox.ingest(&[&path]), [37, 30, 5, 2]);
    let rows = sandbox.sql("SELECT source_file, count(*) AS n FROM events GROUP BY source_file ORDER BY source_file");
    let counts: Vec<(&str, i64)> = rows
        .iter()
        .map(|row| {
            let file = row["source_file"].as_str().unwrap();
            (file.split_once("case.zip!/").unwrap().1, row["n"].as_i64().unwrap())
        })
        .collect();
    assert_eq!(
        counts,
        [("inner.zip!/c.json", 10), ("logs/a.json", 10), ("logs/b.json", 10)]
    );
    let hash = sandbox.sql("SELECT DISTINCT source_sha256 FROM events");
    let ledger = sandbox.sql("SELECT source_file, source_sha256, read FROM ledger");
    assert_eq!((hash.len(), ledger.len()), (1, 1), "an archive is one file: {ledger:?}");
    assert_eq!(hash[0]["source_sha256"], ledger[0]["source_sha256"]);
    let quarantine = "SELECT source_file, reason FROM quarantine ORDER BY source_file";
    let rejected = sandbox.sql(quarantine);
    assert_eq!(rejected.len(), 3, "{rejected:?}");
    assert_eq!(sandbox.ingest(&[&path]), [37, 0, 35, 2], "known");
    assert_eq!(sandbox.ingest(&["--again", &path]), [37, 0, 35, 2]);
    assert_eq!(sandbox.sql(quarantine), rejected, "kept once");
}

#[test]
fn a_dry_run_says_what_files_are_and_stores_nothing() {
    let sandbox = Sandbox::new();
    sandbox.file("logs/a.json", lines(&records(3)) + "not json\n{\"a\":1}\n");
    sandbox.file("logs/b.bin", b"\x89PNG\r\n\x1a\n\0\0\0");
    sandbox.file(
        "logs/c.json.gz",
        zstd::stream::encode_all(lines(&records(2)).as_bytes(), 1).unwrap(),
    );
    let run = sandbox.run(&["ingest", "--dry-run", "--format", "json", "logs"]);
    assert_eq!(run.code, 3, "as an ingest would end");
    let files: Value = serde_json::from_str(&run.stdout).unwrap();
    let names: Vec<&str> = files
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["path"].as_str().unwrap())
        .collect();
    assert!(
        names
            .iter()
            .map(|name| &name[name.len() - 4..])
            .eq(["json", ".bin", "n.gz"]),
        "{names:?}"
    );
    assert_eq!(files[0]["records"][0]["count"], 3);
    assert_eq!(files[0]["records"][0]["dataset"], "o365.audit");
    assert_eq!(
        files[0]["records"][0]["by"],
        "CreationTime, Id, Operation and RecordType, a number"
    );
    let reasons = json!({"not valid JSON": 1, "no known log has these keys": 1});
    assert_eq!(files[0]["rejected"], reasons);
    assert_eq!(
        files[1]["problem"],
        "neither JSON nor delimited text with a header line"
    );
    assert_eq!(files[2]["records"][0]["count"], 2, "whatever the name says");
    assert!(!sandbox.path("lake").exists());
}

#[test]
fn order_and_splitting_do_not_matter() {
    let records = records(30);
    let ids = |sandbox: &Sandbox| sandbox.sql("SELECT event.id, timestamp FROM events ORDER BY event.id");
    let one = Sandbox::new();
    one.file("logs/a.json", lines(&records[..20]));
    one.file("logs/b.json", lines(&records[10..]));
    assert_eq!(one.ingest(&["logs"]), [40, 30, 10, 0]);
    let two = Sandbox::new();
    let (a, b) = (
        two.file("z.json", lines(&records[10..])),
        two.file("a.json", lines(&records[..20])),
    );
    assert_eq!(two.ingest(&[&a]), [20, 20, 0, 0]);
    assert_eq!(two.ingest(&[&b]), [20, 10, 10, 0]);
    assert_eq!(ids(&one), ids(&two));
}

#[test]
fn the_same_id_with_other_content_is_a_conflict() {
    let sandbox = Sandbox::new();
    let first = record("x", "2026-03-01T08:00:00", json!({}));
    let other = record("x", "2026-03-01T08:00:00", json!({"ClientIPAddress": "203.0.113.9"}));
    let path = sandbox.file("a.json", lines(&[first.clone(), other.clone()]));
    assert_eq!(sandbox.ingest(&[&path]), [2, 1, 0, 1]);
    let kept = sandbox.sql("SELECT arrow_cast(record, 'Utf8') AS record, reason FROM quarantine");
    assert_eq!(
        serde_json::from_str::<Value>(kept[0]["record"].as_str().unwrap()).unwrap(),
        other
    );
    assert!(
        kept[0]["reason"].as_str().unwrap().starts_with("conflict: event x"),
        "{kept:?}"
    );
    // Against the lake as well as within one ingest, and from another format it is a repeat.
    let again = sandbox.file("b.json", lines(std::slice::from_ref(&other)));
    assert_eq!(sandbox.ingest(&[&again]), [1, 0, 0, 1]);
    let wrapped = json!({"AuditData": other.to_string(), "CreationDate": "3/1/2026 8:00:00 AM", "Operations": "x",
        "UserIds": "u", "RecordType": "ExchangeItemAggregated", "Identity": "x"});
    let wrapper = sandbox.file("c.json", lines(&[wrapped]));
    assert_eq!(sandbox.ingest(&[&wrapper]), [1, 0, 1, 0]);
}

#[test]
fn bad_input_costs_only_itself() {
    let sandbox = Sandbox::new();
    let good = lines(&records(3));
    sandbox.file(
        "logs/cut.json",
        format!(
            "{good}{{\"CreationTime\":\"2026-03-01T08:0\n{}",
            lines(&records(4)[3..])
        ),
    );
    sandbox.file("logs/empty.json", "");
    sandbox.file("logs/quiet_hour.json", "[]\n");
    sandbox.file("logs/quiet_day.csv", "AuditData,Identity\n");
    sandbox.file("logs/brackets.json", "[".repeat(1 << 20));
    sandbox.file("logs/picture.png", b"\x89PNG\r\n\x1a\n\0\0\0");
    sandbox.file("logs/unknown.json", "{\"a\":1,\"b\":2}\n");
    sandbox.file("logs/timeless.json", lines(&[record("t", "not a time", json!({}))]));
    let mut packed = Vec::new();
    {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(&mut packed, flate2::Compression::fast());
        encoder.write_all(lines(&records(40)).as_bytes()).unwrap();
        encoder.finish().unwrap();
    }
    sandbox.file("logs/truncated.json.gz", &packed[..packed.len() - 200]);
    let [read, stored, _, rejected] = sandbox.ingest(&["logs"]);
    assert!(
        stored >= 4 && rejected >= 4 && read > stored,
        "{read} {stored} {rejected}"
    );
    let reasons = sandbox.sql("SELECT source_file, reason FROM quarantine ORDER BY source_file, reason");
    let reason = |file: &str| {
        let found = reasons
            .iter()
            .filter(|row| row["source_file"].as_str().unwrap().ends_with(file));
        found
            .map(|row| row["reason"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join("; ")
    };
    assert!(reason("cut.json").contains("not valid JSON"), "{reasons:?}");
    assert!(reason("empty.json").contains("the file is empty"), "{reasons:?}");
    assert!(
        reason("picture.png").contains("neither JSON nor delimited text"),
        "{reasons:?}"
    );
    assert!(
        reason("unknown.json").contains("no known log has these keys: a, b"),
        "{reasons:?}"
    );
    assert!(reason("timeless.json").contains("no readable time"), "{reasons:?}");
    assert!(
        reason("truncated.json.gz").contains("damaged or cut off"),
        "{reasons:?}"
    );
    assert!(reason("brackets.json").contains("holds no records"), "{reasons:?}");
    assert_eq!(
        reason("quiet_hour.json") + &reason("quiet_day.csv"),
        "",
        "no events is no fault"
    );
    assert_eq!(
        sandbox.sql("SELECT count(*) AS n FROM ledger")[0]["n"],
        9,
        "every file has its row"
    );
}

#[test]
fn two_ingests_at_once_store_every_event_once() {
    let sandbox = Sandbox::new();
    let all = records(200);
    let paths: Vec<String> = (0..4)
        .map(|part| {
            let mine: Vec<Value> = all.iter().skip(part * 25).take(125).cloned().collect();
            sandbox.file(&format!("part-{part}.json"), lines(&mine))
        })
        .collect();
    let running: Vec<_> = paths
        .iter()
        .map(|path| {
            let mut command = sandbox.command(&["ingest", "--format", "json", path]);
            command
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut stored = 0;
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["read"], 125);
        stored += report["stored"].as_u64().unwrap();
    }
    assert_eq!(stored, 200);
    assert_eq!(
        sandbox.sql("SELECT count(*) AS n, count(DISTINCT event.id) AS ids FROM events"),
        [json!({"n": 200, "ids": 200})]
    );
}

#[test]
fn memory_limit_changes_files_and_nothing_else() {
    let all = records(3000);
    let rows = |limit: &str| {
        let sandbox = Sandbox::new();
        let path = sandbox.file("a.json", lines(&all));
        assert_eq!(sandbox.ingest(&["--memory-limit", limit, &path]), [3000, 3000, 0, 0]);
        sandbox.sql("SELECT event.id, source.ip, o365.audit.mail_access_type FROM events ORDER BY event.id")
    };
    assert_eq!(rows("64MB"), rows("1GB"));
}

#[test]
fn evidence_is_kept_byte_for_byte() {
    let sandbox = Sandbox::new();
    let spelled = r#"{ "Id":"e1",  "CreationTime":"2026-03-01T08:00:00", "Operation":"New-InboxRule", "Workload":"Exchange","RecordType":1,"OrganizationId":"o","UserType":2,"UserKey":"k","UserId":"ann@contoso.example","Note":"\/é" }"#;
    let text = format!("{}\n{spelled}\n", record("first", "2026-03-01T07:00:00", json!({})));
    let path = sandbox.file("a.json", &text);
    sandbox.ingest(&[&path]);
    let row =
        &sandbox.sql("SELECT raw, source_position, source_file, source_sha256 FROM events WHERE event.id = 'e1'")[0];
    assert_eq!(row["raw"], spelled);
    let at = row["source_position"].as_u64().unwrap() as usize;
    assert_eq!(&text[at..at + spelled.len()], spelled);
    assert!(row["source_file"].as_str().unwrap().ends_with("a.json"));
    assert_eq!(row["source_sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn the_sample_logs_hold_what_they_say() {
    let expected: Value = serde_json::from_slice(&std::fs::read(repository("data/expected.json")).unwrap()).unwrap();
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["ingest", "--format", "json", &repository("data/contoso")]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["stored"], expected["stored"]);
    assert_eq!(report["derived"], expected["derived"]);
    assert_eq!(report["datasets"], expected["datasets"]);
    assert_eq!(report["duplicate"], expected["repeats"]);
    let user = expected["mailbox"].as_object().unwrap().keys().next().unwrap();
    let figures: Value = serde_json::from_str(&sandbox.ok(&["mailbox", user, "--format", "json"])).unwrap();
    for count in ["bind_events", "bind_messages", "sync_events", "throttled_events"] {
        assert_eq!(figures[count], expected["mailbox"][user][count], "{count} of {user}");
    }
}

#[test]
fn a_time_that_no_event_has_is_rejected() {
    let sandbox = Sandbox::new();
    let at = |id: &str, time: &str| record(id, time, json!({}));
    let path = sandbox.file(
        "a.json",
        lines(&[
            at("a", "0001-01-01T00:00:00"),
            at("b", "9999-12-31T23:59:59"),
            at("c", "2026-03-01T00:00:00"),
        ]),
    );
    assert_eq!(sandbox.ingest(&[&path]), [3, 1, 0, 2]);
}

#[test]
fn a_lake_behind_dots_is_read_as_it_is_written() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("logs/a.json", lines(&records(3)));
    let lake = "logs/../deep/./lake";
    sandbox.ok(&["ingest", &path, "--lake", lake]);
    let rows = sandbox.ok(&[
        "sql",
        "SELECT DISTINCT source.ip FROM events",
        "--lake",
        lake,
        "--format",
        "jsonl",
    ]);
    assert_eq!(rows, "{\"source.ip\":\"198.51.100.7\"}\n");
    assert!(sandbox.path("deep/lake/events").is_dir());
}

/// Defender's rows around audit records.
fn cloud_app_events(records: &[Value]) -> String {
    let around = |(n, record): (usize, &Value)| {
        json!({"Timestamp": "2026-03-01T08:00:00Z", "ActionType": "MailItemsAccessed", "Application": "Microsoft Exchange Online",
               "ApplicationId": 20893, "AccountObjectId": "a", "ReportId": format!("1_20893_{n}"), "RawEventData": record})
    };
    lines(&records.iter().enumerate().map(around).collect::<Vec<_>>())
}

#[test]
fn audit_records_that_others_carry_are_events_too() {
    let records = records(5);
    let carried = [&records[..4], &[json!({"Id": "x", "of": "another application"})]].concat();
    let counts = |sandbox: &Sandbox, arguments: &[&str]| {
        let report: Value =
            serde_json::from_str(&sandbox.ok(&[&["ingest", "--format", "json"], arguments].concat())).unwrap();
        ["read", "stored", "duplicate", "derived", "derived_duplicate"].map(|name| report[name].as_u64().unwrap())
    };
    let events = "SELECT event.dataset AS dataset, count(*) AS events FROM events GROUP BY 1 ORDER BY 1";
    let defender = |count: u64| json!({"dataset": "m365_defender.cloud_app_events", "events": count});
    let audit = |count: u64| json!({"dataset": "o365.audit", "events": count});

    let sandbox = Sandbox::new();
    let rows = sandbox.file("rows.json", cloud_app_events(&carried));
    let log = sandbox.file("log.json", lines(&records));
    assert_eq!(counts(&sandbox, &[&rows]), [5, 5, 0, 4, 0]);
    assert_eq!(sandbox.sql(events), [defender(5), audit(4)]);
    let raw = sandbox.sql("SELECT raw, source.ip FROM events WHERE event.dataset = 'o365.audit' AND event.id = 'id-1'");
    assert_eq!(
        raw,
        [json!({"raw": records[1].to_string(), "source.ip": "198.51.100.7"})]
    );
    // The log has the same, and one more.
    assert_eq!(counts(&sandbox, &[&log]), [5, 1, 4, 0, 0]);
    assert_eq!(sandbox.sql(events), [defender(5), audit(5)]);
    assert_eq!(counts(&sandbox, &["--again", &rows]), [5, 0, 5, 0, 4]);
    let ledger = sandbox.sql("SELECT sum(read) AS read, sum(stored) + sum(derived) AS events FROM ledger");
    assert_eq!(ledger, [json!({"read": 15, "events": 10})]);

    let sandbox = Sandbox::new();
    let rows = sandbox.file("rows.json", cloud_app_events(&carried));
    assert_eq!(counts(&sandbox, &["--no-unwrap", &rows]), [5, 5, 0, 0, 0]);
    assert_eq!(sandbox.sql(events), [defender(5)]);
    // Read again, it gives what was left out.
    assert_eq!(counts(&sandbox, &["--again", &rows]), [5, 0, 5, 4, 0]);
}
