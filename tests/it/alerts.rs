//! Recorded alerts: promoted from a hunt, listed, shown, and the way to their evidence. Revisions
//! and filters are tested beside the code that reads them.

use crate::sandbox::{Run, Sandbox, repository};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Stdio;

/// A lake with the sample tenant, and what a hunt over it found, in `alerts.jsonl` and `.json`.
fn hunted() -> (Sandbox, Vec<Value>) {
    let sandbox = Sandbox::new();
    sandbox.ingest(&[&repository("data/contoso")]);
    sandbox.ok(&["hunt", "--format", "jsonl", "--output", "alerts.jsonl"]);
    sandbox.ok(&["hunt", "--format", "json", "--output", "alerts.json"]);
    let text = std::fs::read_to_string(sandbox.path("alerts.jsonl")).unwrap();
    let alerts: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(alerts.len() > 5, "{text}");
    (sandbox, alerts)
}

fn id(alert: &Value) -> &str {
    alert["alert_id"].as_str().unwrap()
}

fn listed(sandbox: &Sandbox, options: &[&str]) -> Vec<Value> {
    let text = sandbox.ok(&[&["alerts", "list", "--format", "jsonl"], options].concat());
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_is_promoted_is_listed_as_the_hunt_wrote_it() {
    let (sandbox, alerts) = hunted();
    assert_eq!(listed(&sandbox, &[]), Vec::<Value>::new());
    let total = alerts.len();
    let said = sandbox.ok(&["alerts", "promote", "alerts.jsonl", "--all"]);
    assert_eq!(said, format!("{total} alerts promoted, 0 recorded already\n"));
    let said = sandbox.ok(&["alerts", "promote", "alerts.json", "alerts.jsonl", "--all"]);
    assert_eq!(said, format!("0 alerts promoted, {total} recorded already\n"));

    let recorded = listed(&sandbox, &[]);
    assert_eq!(recorded.len(), total);
    for (recorded, hunted) in recorded.iter().zip(&alerts) {
        for (name, value) in hunted.as_object().unwrap() {
            assert_eq!(&recorded[name], value, "{name} of {hunted}");
        }
        assert_eq!(recorded["revision"], 1);
        assert_eq!(recorded["change"], "new");
        assert_eq!(recorded["origin"], "hunt");
        assert!(recorded["risk_score"].as_u64().unwrap() > 0, "{recorded}");
        assert_ne!(recorded["title"], recorded["detection"]);
    }
    let rows = sandbox.sql("SELECT count(*) AS n, count(DISTINCT alert_id) AS ids FROM current_alerts");
    assert_eq!(
        (rows[0]["n"].as_u64(), rows[0]["ids"].as_u64()),
        (Some(total as u64), Some(total as u64))
    );

    let detection = alerts[0]["detection"].as_str().unwrap();
    let of_one = alerts.iter().filter(|alert| alert["detection"] == detection).count();
    assert_eq!(listed(&sandbox, &["--detection", detection]).len(), of_one);
    let high = |alert: &&Value| alert["severity"] == "high" || alert["severity"] == "critical";
    assert_eq!(
        listed(&sandbox, &["--severity", "high"]).len(),
        alerts.iter().filter(high).count()
    );
    let middle = alerts[total / 2]["time"].as_str().unwrap();
    let (before, after) = (
        listed(&sandbox, &["--to", middle]),
        listed(&sandbox, &["--from", middle]),
    );
    assert_eq!(before.len() + after.len(), total);
    assert!(!before.is_empty() && after[0]["time"].as_str().unwrap() >= middle);
    let nothing = ["--change", "withdrawn", "--all-revisions"];
    assert_eq!(listed(&sandbox, &nothing).len(), 0);
}

#[test]
fn every_format_lists_all() {
    let (sandbox, alerts) = hunted();
    sandbox.ok(&["alerts", "promote", "alerts.jsonl", "--all"]);
    let array: Vec<Value> = serde_json::from_str(&sandbox.ok(&["alerts", "list", "--format", "json"])).unwrap();
    assert_eq!(array, listed(&sandbox, &[]));
    let csv = sandbox.ok(&["alerts", "list", "--format", "csv"]);
    let mut csv = csv::Reader::from_reader(csv.as_bytes());
    let names: BTreeSet<String> = csv.headers().unwrap().iter().map(str::to_owned).collect();
    let missing: Vec<&String> = array
        .iter()
        .flat_map(|alert| alert.as_object().unwrap().keys())
        .filter(|name| !names.contains(*name))
        .collect();
    assert_eq!(missing, Vec::<&String>::new(), "columns of csv");
    assert_eq!(csv.records().count(), alerts.len());
    let run = sandbox.run(&["alerts", "list", "--max-alerts", "2"]);
    assert_eq!(run.stdout.matches(&id(&alerts[0])[..12]).count(), 1, "{}", run.stdout);
    assert!(!run.stdout.contains(&id(&alerts[2])[..12]), "{}", run.stdout);
    assert_eq!(run.stderr, "the first 2 alerts shown, there are more (--max-alerts)\n");
    sandbox.ok(&["alerts", "list", "--format", "parquet", "--output", "alerts.parquet"]);
    let parquet = std::fs::read(sandbox.path("alerts.parquet")).unwrap();
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
}

#[test]
fn one_alert_is_shown_whole() {
    let (sandbox, alerts) = hunted();
    sandbox.ok(&["alerts", "promote", "alerts.jsonl", "--all"]);
    let windowed = alerts.iter().find(|alert| !alert["windows"].is_null()).unwrap();
    let shown = sandbox.ok(&["alerts", "show", id(windowed)]);
    for part in [
        id(windowed),
        windowed["detection"].as_str().unwrap(),
        windowed["window_end"].as_str().unwrap(),
        "a hunt, from which it was promoted",
        "\nrevisions\n  1   new ",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    for event in windowed["event_ids"].as_array().unwrap() {
        assert!(shown.contains(event.as_str().unwrap()), "{event} in {shown}");
    }
    let start = &id(windowed)[..10].to_uppercase();
    let json: Value = serde_json::from_str(&sandbox.ok(&["alerts", "show", start, "--json"])).unwrap();
    assert_eq!(json["alert_id"], windowed["alert_id"]);
    assert_eq!(json["history"], Value::Array(Vec::new()));

    // The last digit is another: who mistypes an id is told of the one that is meant.
    let wrong = if id(windowed).ends_with('0') { "1" } else { "0" };
    let wrong = format!("{}{wrong}", &id(windowed)[..31]);
    let Run { code, stderr, .. } = sandbox.run(&["alerts", "show", &wrong]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("there is no alert named") && stderr.contains(id(windowed)),
        "{stderr}"
    );
    assert!(stderr.contains("hint: `retrohunt alerts list`"), "{stderr}");
    let run = sandbox.run(&["alerts", "show", "nonsense"]);
    assert_eq!(run.code, 2);
    assert!(!run.stderr.contains("did you mean"), "{}", run.stderr);
    // Two of so many alerts begin with the same digit, or more.
    let first: Vec<&str> = alerts.iter().map(|alert| &id(alert)[..1]).collect();
    if let Some(common) = first
        .iter()
        .find(|digit| first.iter().filter(|other| other == digit).count() > 1)
    {
        let run = sandbox.run(&["alerts", "show", common]);
        assert_eq!(run.code, 2);
        assert!(run.stderr.contains("write more of it"), "{}", run.stderr);
    }
}

#[test]
fn some_alerts_can_be_promoted() {
    let (sandbox, alerts) = hunted();
    let (first, second) = (id(&alerts[0]), id(&alerts[1]));
    let said = sandbox.ok(&[
        "alerts",
        "promote",
        "alerts.jsonl",
        "--id",
        first,
        "--id",
        &second[..16],
    ]);
    assert_eq!(said, "2 alerts promoted, 0 recorded already\n");
    let recorded: BTreeSet<String> = listed(&sandbox, &[]).iter().map(|alert| id(alert).to_owned()).collect();
    assert_eq!(recorded, BTreeSet::from([first.to_owned(), second.to_owned()]));

    let run = sandbox.run(&["alerts", "promote", "alerts.jsonl", "--id", "0123456789abcdef"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("has this id"), "{}", run.stderr);
    let run = sandbox.run(&["alerts", "promote", "alerts.jsonl"]);
    assert_eq!(run.code, 2, "all is not promoted by mistake");
    sandbox.file("no.jsonl", "{\"a\":1}\n");
    let run = sandbox.run(&["alerts", "promote", "no.jsonl", "--all"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("no.jsonl: item 1 is no alert"), "{}", run.stderr);
    let run = sandbox.run(&["alerts", "promote", "alerts.jsonl", "--all", "--lake", "elsewhere"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("there is no lake"), "{}", run.stderr);
    assert!(!sandbox.path("elsewhere").exists());

    // One of a detection that is not known here, from a pipe.
    let foreign = alerts[2]
        .to_string()
        .replace(alerts[2]["detection"].as_str().unwrap(), "of_others");
    let file = sandbox.file("foreign.jsonl", foreign);
    let mut command = sandbox.command(&["alerts", "promote", "-", "--all"]);
    command.stdin(std::fs::File::open(file).unwrap());
    let run = Run::of(command.output().unwrap(), &sandbox.path("."));
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stderr.contains("no detection is known as of_others"),
        "{}",
        run.stderr
    );
    assert_eq!(listed(&sandbox, &["--detection", "of_others"])[0]["title"], "of_others");
}

#[test]
fn two_that_promote_at_once_record_each_alert_once() {
    let (sandbox, alerts) = hunted();
    let arguments = ["alerts", "promote", "alerts.jsonl", "--all"];
    let start = || {
        sandbox
            .command(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let running = [start(), start()];
    let promoted = running.map(|child| {
        let run = Run::of(child.wait_with_output().unwrap(), &sandbox.path("."));
        assert_eq!(run.code, 0, "{run:?}");
        let number = run.stdout.split(' ').next().unwrap().parse::<usize>();
        number.unwrap()
    });
    assert_eq!(promoted.iter().sum::<usize>(), alerts.len());
    assert_eq!(listed(&sandbox, &["--all-revisions"]).len(), alerts.len());
    let rows = sandbox.sql("SELECT count(*) AS n FROM alerts");
    assert_eq!(rows[0]["n"].as_u64(), Some(alerts.len() as u64));
}

#[test]
fn evidence_knows_recorded_alerts() {
    let (sandbox, alerts) = hunted();
    let with_events = |alert: &&Value| !alert["event_ids"].as_array().unwrap().is_empty();
    let alert = alerts.iter().find(with_events).unwrap();
    let unknown = sandbox.run(&["evidence", id(alert)]);
    assert_eq!(unknown.code, 1, "{unknown:?}");
    assert!(
        unknown.stderr.contains("none of its recorded alerts"),
        "{}",
        unknown.stderr
    );
    assert!(
        unknown.stderr.contains("retrohunt alerts promote"),
        "{}",
        unknown.stderr
    );
    sandbox.ok(&["alerts", "promote", "alerts.jsonl", "--all"]);
    let events = |arguments: &[&str]| -> Value {
        let text = sandbox.ok(&[&["evidence", id(alert), "--format", "json"], arguments].concat());
        serde_json::from_str(&text).unwrap()
    };
    let found = events(&[]);
    assert!(!found.as_array().unwrap().is_empty());
    assert_eq!(found, events(&["--alerts", "alerts.jsonl"]));
    sandbox.ok(&["evidence", id(alert), "--bundle", "case.zip"]);
    assert!(sandbox.path("case.zip").exists());
}
