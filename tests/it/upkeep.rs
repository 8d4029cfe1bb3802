//! What keeps a lake whole: killed ingests, checks, compaction, vacuum.

use crate::sandbox::{Run, Sandbox, repository};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Audit records over a few days, with repeats and some that are none.
fn log(count: usize) -> String {
    let operations = ["New-InboxRule", "Set-Mailbox", "MailItemsAccessed"];
    let line = |n: usize| {
        if n % 1000 == 298 {
            return "not json".to_owned();
        }
        // Now and then the one before once more.
        let n = n - usize::from(n % 97 == 1);
        let record = json!({
            "CreationTime": format!("2026-03-{:02}T{:02}:00:00", 1 + n % 5, n % 24), "Id": format!("id-{n}"),
            "Operation": operations[n % 3], "OrganizationId": "o", "RecordType": 1, "UserKey": "k", "UserType": 0,
            "Workload": "Exchange", "UserId": format!("user-{}@contoso.example", n % 50),
        });
        record.to_string()
    };
    (0..count).map(|n| line(n) + "\n").collect()
}

fn rows(sandbox: &Sandbox) -> Vec<Value> {
    let events = "SELECT event_key, event_hash, source_position, source_sha256 FROM events ORDER BY 1";
    let rejected = "SELECT source_position, reason FROM quarantine ORDER BY 1";
    [sandbox.sql(events), sandbox.sql(rejected)].concat()
}

fn check(sandbox: &Sandbox) -> (i32, Value) {
    let run = sandbox.run(&["lake", "check", "--json"]);
    (
        run.code,
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}")),
    )
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

fn parquet_files(sandbox: &Sandbox, table: &str) -> Vec<PathBuf> {
    let mut files = files(&sandbox.path("lake").join(table));
    files.retain(|path| path.extension().is_some_and(|extension| extension == "parquet"));
    files.retain(|path| !path.display().to_string().contains("_delta_log"));
    files
}

#[test]
fn an_ingest_that_is_killed_at_any_moment_is_ended_by_the_next() {
    let log = log(12_000);
    let ingest = |sandbox: &Sandbox| {
        sandbox.file("log.json", &log);
        let mut command = sandbox.command(&["ingest", "log.json", "--memory-limit", "64MB", "--format", "json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let clean = Sandbox::new();
    let begun = Instant::now();
    assert_eq!(ingest(&clean).wait_with_output().unwrap().status.code(), Some(3));
    let whole = begun.elapsed();
    let expected = rows(&clean);
    let mut killed = 0;
    for moment in 1..=8 {
        let sandbox = Sandbox::new();
        let mut child = ingest(&sandbox);
        std::thread::sleep(whole.mul_f64(f64::from(moment) / 8.5));
        killed += u64::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        let again = ingest(&sandbox).wait_with_output().unwrap();
        assert_eq!(again.status.code(), Some(3), "{again:?}");
        assert_eq!(
            without_hash(rows(&sandbox)),
            without_hash(expected.clone()),
            "killed at {moment} of 8"
        );
        let (code, checked) = check(&sandbox);
        assert_eq!((code, &checked["problems"]), (0, &json!([])), "{checked}");
    }
    assert!(killed > 3, "{killed} of 8 were killed before their end");
}

/// The same in every sandbox.
fn without_hash(mut rows: Vec<Value>) -> Vec<Value> {
    for row in &mut rows {
        row.as_object_mut().unwrap().remove("source_sha256");
    }
    rows
}

#[test]
fn a_check_finds_what_is_wrong() {
    let sandbox = Sandbox::new();
    let log = sandbox.file("log.json", log(300));
    sandbox.ingest(&[&log]);
    let (code, checked) = check(&sandbox);
    assert_eq!(
        (code, &checked["problems"], &checked["sources"]),
        (0, &json!([]), &json!(1))
    );
    assert_eq!(
        checked["events"],
        sandbox.sql("SELECT count(*) AS n FROM events")[0]["n"]
    );

    // A bit of a file of the lake.
    let file = parquet_files(&sandbox, "events")[2].clone();
    let whole = std::fs::read(&file).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 3] ^= 1;
    std::fs::write(&file, damaged).unwrap();
    let (code, checked) = check(&sandbox);
    assert_eq!(code, 1);
    assert!(
        checked.to_string().contains("it has changed since it was written"),
        "{checked}"
    );
    assert_eq!(
        sandbox.run(&["lake", "check", "--quick"]).code,
        0,
        "which is not seen without reading"
    );

    // The end of it, and all of it.
    std::fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    let quick = sandbox.run(&["lake", "check", "--quick"]);
    assert!(
        quick.code == 1 && quick.stdout.contains("and the log says"),
        "{quick:?}"
    );
    std::fs::remove_file(&file).unwrap();
    let (code, checked) = check(&sandbox);
    assert_eq!(code, 1);
    assert!(checked.to_string().contains("the file is not there"), "{checked}");
    assert!(
        checked.to_string().contains("events of it are stored, and"),
        "{checked}"
    );
    std::fs::write(&file, &whole).unwrap();

    // The source: changed, gone, and ingested only in part as far as anybody knows.
    std::fs::write(&log, "[]").unwrap();
    let (code, checked) = check(&sandbox);
    assert_eq!((code, &checked["sources"]), (0, &json!(0)));
    assert!(
        checked["notes"]
            .to_string()
            .contains("has changed since it was ingested"),
        "{checked}"
    );
    std::fs::remove_file(&log).unwrap();
    assert_eq!(check(&sandbox).1["sources_unreachable"], 1);
    std::fs::remove_dir_all(sandbox.path("lake/ledger")).unwrap();
    let (code, checked) = check(&sandbox);
    assert!(
        code == 1 && checked.to_string().contains("there is no such table"),
        "{checked}"
    );
    assert!(
        checked["notes"].to_string().contains("did not come to its end"),
        "{checked}"
    );
}

const REJECTED: &str = "SELECT * FROM quarantine ORDER BY source_sha256, source_file, source_position, reason";

/// Line by line, for the sake of the message.
fn same(found: &[String; 3], expected: &[String; 3]) {
    for (found, expected) in found.iter().zip(expected) {
        for (found, expected) in found.lines().zip(expected.lines()) {
            assert_eq!(found, expected);
        }
        assert_eq!(found.lines().count(), expected.lines().count());
    }
}

#[test]
fn compaction_changes_files_and_nothing_else() {
    let sandbox = Sandbox::new();
    for part in 0..6 {
        let path = sandbox.file(&format!("{part}.json"), log(200 + part));
        sandbox.ingest(&[&path]);
    }
    for entry in std::fs::read_dir(repository("data/contoso")).unwrap() {
        sandbox.ingest(&[&entry.unwrap().path().display().to_string()]);
    }
    let all = |sandbox: &Sandbox| {
        let sql = "SELECT * FROM events ORDER BY event_key, event_dataset";
        let hunt = sandbox.ok(&["hunt", "--format", "jsonl"]);
        let rejected = sandbox.ok(&["sql", REJECTED, "--format", "jsonl"]);
        [sandbox.ok(&["sql", sql, "--format", "jsonl"]), hunt, rejected]
    };
    let before = all(&sandbox);
    let info = |name: &str| {
        let info: Value = serde_json::from_str(&sandbox.ok(&["lake", "info", "--format", "json"])).unwrap();
        info["tables"]
            .as_array()
            .unwrap()
            .iter()
            .map(|table| table[name].clone())
            .collect::<Vec<_>>()
    };
    let (files_before, rows_before) = (info("files"), info("rows"));
    let report: Value = serde_json::from_str(&sandbox.ok(&["lake", "compact", "--json"])).unwrap();
    assert!(
        report["events"]["files"].as_u64() > report["events"]["into_files"].as_u64(),
        "{report}"
    );
    assert_eq!(info("rows"), rows_before);
    assert!(info("files")[0].as_u64() < files_before[0].as_u64());
    assert_eq!(info("files")[1..], [json!(1), json!(1)]);
    same(&all(&sandbox), &before);
    let again: Value = serde_json::from_str(&sandbox.ok(&["lake", "compact", "--json"])).unwrap();
    assert_eq!(again["events"]["files"], 0, "once is enough");

    // Rows are in the order of the layout.
    let order = "SELECT count(*) AS n FROM (SELECT day, event_dataset, event_action, lag(event_action) OVER w AS before \
                 FROM events WINDOW w AS (PARTITION BY event_dataset, day ORDER BY event_action, timestamp)) WHERE before > event_action";
    assert_eq!(sandbox.sql(order), [json!({"n": 0})]);

    // What was merged is still there for those who read it, until it is old.
    let kept = parquet_files(&sandbox, "events").len();
    assert_eq!(sandbox.ok(&["lake", "vacuum"]), "deleted: 0 files of 0 B\n");
    assert_eq!(parquet_files(&sandbox, "events").len(), kept);
    let refused = sandbox.run(&["lake", "vacuum", "--older-than", "5m"]);
    assert!(refused.code == 2 && refused.stderr.contains("--force"), "{refused:?}");
    std::fs::write(sandbox.path("lake/events/part-x.parquet#3"), "half").unwrap();
    let counted = sandbox.ok(&["lake", "vacuum", "--older-than", "0s", "--force", "--dry-run"]);
    assert_eq!(
        parquet_files(&sandbox, "events").len(),
        kept,
        "a dry run deletes nothing"
    );
    let deleted = sandbox.ok(&["lake", "vacuum", "--older-than", "0s", "--force"]);
    assert_eq!(format!("would be {deleted}"), counted);
    assert!(!sandbox.path("lake/events/part-x.parquet#3").exists());
    assert_eq!(json!(parquet_files(&sandbox, "events").len()), info("files")[0]);
    same(&all(&sandbox), &before);
    let (code, checked) = check(&sandbox);
    assert_eq!((code, &checked["problems"]), (0, &json!([])), "{checked}");
}

#[test]
fn ingests_go_on_while_a_lake_is_compacted() {
    let sandbox = Sandbox::new();
    for part in 0..4 {
        let path = sandbox.file(&format!("{part}.json"), log(300 + part));
        sandbox.ingest(&[&path]);
    }
    let more = log(2500);
    sandbox.file("more.json", &more);
    let start = |arguments: &[&str]| {
        let mut command = sandbox.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let running = [
        start(&["ingest", "more.json", "--memory-limit", "64MB"]),
        start(&["lake", "compact"]),
        start(&["lake", "compact"]),
        start(&["sql", "SELECT count(*) FROM events"]),
    ];
    for child in running {
        let output = child.wait_with_output().unwrap();
        let run = Run::of(output, &sandbox.path(""));
        assert!(run.code == 0 || run.code == 3, "{run:?}");
    }
    let alone = Sandbox::new();
    let path = alone.file("more.json", &more);
    alone.ingest(&[&path]);
    let ids = "SELECT event_key FROM events ORDER BY 1";
    assert_eq!(sandbox.sql(ids), alone.sql(ids));
    let (code, checked) = check(&sandbox);
    assert_eq!((code, &checked["problems"]), (0, &json!([])), "{checked}");
}

#[test]
fn events_are_kept_as_long_as_they_are_to_be() {
    let sandbox = Sandbox::new();
    let day = |ago: i64| {
        (chrono::Utc::now() - chrono::TimeDelta::days(ago))
            .format("%Y-%m-%dT00:00:01")
            .to_string()
    };
    let audit = |ago: i64| {
        json!({"CreationTime": day(ago), "Id": format!("a{ago}"), "Operation": "UserLoggedIn", "OrganizationId": "o",
               "RecordType": 15, "UserKey": "k", "UserType": 0, "Workload": "AzureActiveDirectory", "UserId": "u"})
        .to_string()
    };
    let network = |ago: i64| {
        json!({"timestamp": day(ago), "event_type": "dns", "flow_id": ago, "src_ip": "192.0.2.1"}).to_string()
    };
    let ages = [1, 29, 31, 89, 91];
    let lines = ages.iter().flat_map(|ago| [audit(*ago), network(*ago + 1)]);
    let lines: Vec<String> = lines.collect();
    let path = sandbox.file("log.json", lines.join("\n"));
    sandbox.ingest(&[&path]);
    let left = || {
        let sql = "SELECT event.dataset AS d, count(*) AS n FROM events GROUP BY 1 ORDER BY 1";
        let rows = sandbox.sql(sql).into_iter();
        rows.map(|row| row["n"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let vacuum = ["lake", "vacuum", "--retain", "30d", "--retain", "o365.audit=90d"];
    sandbox.ok(&[&vacuum[..], &["--dry-run"]].concat());
    assert_eq!(left(), [5, 5]);
    sandbox.ok(&vacuum);
    assert_eq!(left(), [4, 2]);
    // The ledger says more than is there, and the lake knows why.
    let (code, checked) = check(&sandbox);
    assert_eq!((code, &checked["problems"]), (0, &json!([])), "{checked}");
    assert!(checked["notes"].to_string().contains("have been removed"), "{checked}");
    let wrong = sandbox.run(&["lake", "vacuum", "--retain", "5m"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("1d or more"), "{wrong:?}");
    // A name that is mistyped would keep events for ever; one of which all events have gone is known.
    let unknown = sandbox.run(&["lake", "vacuum", "--retain", "1d", "--retain", "o365.audt=3d"]);
    assert!(
        unknown.code == 2
            && unknown
                .stderr
                .contains("--retain o365.audt: the lake has no events of it; it has o365.audit, suricata.eve"),
        "{unknown:?}"
    );
    assert_eq!(left(), [4, 2], "and does nothing else");
    for _ in 0..2 {
        sandbox.ok(&["lake", "vacuum", "--retain", "suricata.eve=1d"]);
    }
    assert_eq!(left(), [4]);
}

#[test]
fn nothing_is_deleted_that_is_younger_than_asked() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("a.json", log(50));
    sandbox.ingest(&[&path]);
    // As an ingest leaves a file before it commits it.
    let uploaded = sandbox.path("lake/events/event_dataset=o365.audit/day=2026-03-01/part-uploaded.parquet");
    std::fs::copy(&parquet_files(&sandbox, "events")[0], &uploaded).unwrap();
    sandbox.ok(&["lake", "vacuum", "--older-than", "1h"]);
    assert!(uploaded.exists());
    std::thread::sleep(Duration::from_millis(20));
    sandbox.ok(&["lake", "vacuum", "--older-than", "0s", "--force"]);
    assert!(!uploaded.exists());
    assert_eq!(check(&sandbox).0, 0);
}
