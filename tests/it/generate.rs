//! Logs that were generated: what an ingest says of them, and what a hunt finds in them.

use crate::sandbox::Sandbox;
use serde_json::Value;
use std::collections::BTreeMap;

fn generate(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let text = sandbox.ok(&[&["generate", "tenant", "--format", "json"], arguments].concat());
    serde_json::from_str(&text).unwrap()
}

/// Sums of a member of the objects of a list.
fn sum(list: &Value, member: &str) -> u64 {
    let items = list.as_array().unwrap().iter();
    items.map(|item| item[member].as_u64().unwrap()).sum()
}

#[test]
fn everything_is_recognised_counted_and_found() {
    let sandbox = Sandbox::new();
    let summary = generate(
        &sandbox,
        &[
            "--users",
            "80",
            "--events",
            "24000",
            "--days",
            "30",
            "--attacks",
            "3",
            "--duplicates",
            "0.05",
            "--files-of",
            "4MB",
            "--seed",
            "11",
        ],
    );
    let on_disk: Value = serde_json::from_slice(&std::fs::read(sandbox.path("tenant/tenant.json")).unwrap()).unwrap();
    assert_eq!(on_disk, summary);

    let report: Value = serde_json::from_str(&sandbox.ok(&["ingest", "tenant", "--format", "json"])).unwrap();
    assert_eq!(report["stored"], summary["events"]);
    assert_eq!(report["duplicate"], summary["repeats"]);
    assert_eq!((&report["rejected"], &report["bad_files"]), (&0.into(), &0.into()));
    assert_eq!(report["skipped"], 1, "tenant.json");
    for dataset in summary["datasets"].as_array().unwrap() {
        let name = dataset["dataset"].as_str().unwrap();
        assert_eq!(report["datasets"][name], dataset["events"], "{name}");
    }
    assert_eq!(sum(&summary["datasets"], "events"), summary["events"]);

    let hunted = sandbox.ok(&["hunt", "--format", "jsonl"]);
    let alerts: Vec<Value> = hunted.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let attacks = summary["attacks"].as_array().unwrap();
    assert_eq!(attacks.len(), 3);
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for attack in attacks {
        for (detection, count) in attack["alerts"].as_object().unwrap() {
            *expected.entry(detection.clone()).or_default() += count.as_u64().unwrap();
        }
    }
    // Applications that are there from the first day are new on that day.
    let approved = summary["approved_applications"].as_array().unwrap();
    *expected.get_mut("unusual_client_app").unwrap() += approved.len() as u64;
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for alert in &alerts {
        *found
            .entry(alert["detection"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    assert_eq!(found, expected);
    assert_eq!(expected.len(), 4);
    for attack in attacks {
        let named = |detection: &str, what: &Value| {
            let text = what.as_str().unwrap();
            let has = |alert: &&Value| alert["detection"] == detection && alert.to_string().contains(text);
            assert!(alerts.iter().find(has).is_some(), "{detection} {text}");
        };
        named("suspicious_source", &attack["address"]);
        named("unusual_client_app", &attack["application_id"]);
        named("risky_mailbox_rule", &attack["rule_id"]);
        for id in attack["bulk_access_ids"].as_array().unwrap() {
            named("excessive_mail_items", id);
        }
    }
}

#[test]
fn compressed_and_carried_records_are_the_same_events() {
    let sandbox = Sandbox::new();
    let common = [
        "--users",
        "20",
        "--events",
        "1500",
        "--days",
        "10",
        "--attacks",
        "0",
        "--formats",
        "audit,cloudapp",
    ];
    let plain = generate(&sandbox, &common);
    for compression in ["gzip", "zstd"] {
        let arguments = [&common[..], &["--compress", compression, "--force"]].concat();
        let compressed = generate(&sandbox, &arguments);
        assert_eq!(compressed["bytes"], plain["bytes"]);
        assert!(compressed["file_bytes"].as_u64() < plain["bytes"].as_u64().map(|bytes| bytes / 3));
    }
    let report: Value = serde_json::from_str(&sandbox.ok(&["ingest", "tenant", "--format", "json"])).unwrap();
    assert_eq!(
        (&report["stored"], &report["duplicate"]),
        (&plain["events"], &plain["repeats"])
    );
    // Each record that an event carries is one of the audit log, which is there already.
    assert_eq!(report["derived"], 0);
    assert!(report["derived_duplicate"].as_u64().unwrap() > 300);
}

#[test]
fn what_is_wrong_is_said() {
    let sandbox = Sandbox::new();
    sandbox.file("full/mine.txt", "mine");
    let said = |arguments: &[&str]| {
        let run = sandbox.run(&[&["generate"], arguments].concat());
        (run.code, run.stderr)
    };
    let (code, text) = said(&["full"]);
    assert_eq!(code, 2);
    assert!(
        text.contains("full: is not empty") && text.contains("--force"),
        "{text}"
    );
    let (code, text) = said(&["t", "--users", "0"]);
    assert_eq!((code, text.trim()), (2, "error: --users: must be from 1 to 1000000"));
    let (code, text) = said(&["t", "--from", "soon"]);
    assert!(
        code == 2 && text.starts_with("error: --from: \"soon\" is no time"),
        "{text}"
    );
    assert!(!sandbox.path("t").exists(), "nothing is made before all is checked");
}
