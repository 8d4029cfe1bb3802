//! `hunt --dry-run`, limits, and estimates kept beside what hunts took.

use crate::cli::{codes, transcript};
use crate::plan;
use crate::sandbox::{Sandbox, repository};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// A lake of the sample logs on a machine that was measured.
fn measured() -> Sandbox {
    let sandbox = plan::sandbox(0.0);
    sandbox.ingest(&[&repository("data")]);
    sandbox.file("prices.toml", sandbox.ok(&["plan", "--print-prices"]));
    sandbox
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => drop(found.insert(path.display().to_string())),
        }
    }
    found
}

#[test]
fn a_dry_run_says_no_less_than_is_read() {
    let sandbox = measured();
    let before = files(&sandbox.path("lake"));
    for words in [
        vec![],
        vec!["suspicious_source"],
        vec!["unusual_client_app", "excessive_mail_items"],
        vec!["unusual_client_app", "excessive_mail_items", "--from", "2021-06-01"],
        vec!["--memory-limit", "128MB"],
    ] {
        let hunt = [vec!["hunt"], words].concat();
        let said = json(&sandbox.ok(&[&hunt[..], &["--dry-run", "--format", "json"]].concat()));
        sandbox.ok(&[&hunt[..], &["--report", "report.json"]].concat());
        let took = json(&std::fs::read_to_string(sandbox.path("report.json")).unwrap());
        let read = |run: &Value| run["bytes_read"].as_u64().unwrap();
        let own: u64 = took["detections"].as_array().unwrap().iter().map(read).sum();
        let all = own + took["common_bytes"].as_u64().unwrap();
        assert!(
            all > 0 && all <= said["together"]["bytes"].as_u64().unwrap(),
            "{said} {took}"
        );
        let each = said["detections"].as_array().unwrap();
        assert_eq!(each.len(), took["detections"].as_array().unwrap().len());
        for one in each {
            for (part, whole) in [("files", &said["files_of"]), ("row_groups", &one["row_groups_of"])] {
                assert!(one[part].as_u64() <= whole.as_u64(), "{one}");
            }
        }
    }
    assert_eq!(files(&sandbox.path("lake")), before, "nothing is written");
}

#[test]
fn alerts_that_may_be_open_when_the_range_begins_are_looked_for_before_it() {
    let sandbox = measured();
    let middle = sandbox.ok(&[
        "sql",
        "--format",
        "csv",
        "SELECT to_char(max(timestamp) - INTERVAL '1 hour', '%Y-%m-%dT%H:%M:%SZ') FROM events WHERE event_dataset = 'o365.audit'",
    ]);
    let middle = middle.lines().nth(1).unwrap();
    let said = |words: &[&str]| {
        let hunt = [&["hunt", "risky_mailbox_rule", "--dry-run", "--format", "json"], words].concat();
        json(&sandbox.ok(&hunt))
    };
    let (all, end) = (said(&[]), said(&["--from", middle]));
    assert_eq!(all["detections"][0]["follows_back"], Value::Null, "{all}");
    assert_eq!(end["detections"][0]["follows_back"], true, "{end}");
    let first_tick = end["together"]["bytes"].as_u64().unwrap();
    assert!(first_tick > 0, "{end}");
    let text = sandbox.ok(&["hunt", "risky_mailbox_rule", "--dry-run", "--from", middle]);
    assert!(text.contains("where alerts are open when it begins"), "{text}");
}

#[test]
fn measurements_that_cannot_be_read_are_named_and_keep_nobody_from_a_hunt() {
    let sandbox = measured();
    sandbox.file(".local/share/retrohunt/bench.json", "{\"format\":");
    let said = json(&sandbox.ok(&["hunt", "--dry-run", "--format", "json"]));
    let not_known = said["not_known"][0].as_str().unwrap();
    assert!(not_known.contains("bench.json"), "{said}");
    assert!(said["together"]["bytes"].as_u64() > Some(0), "{said}");
}

#[test]
fn a_range_without_events_has_nothing_to_read() {
    let sandbox = measured();
    let said = sandbox.run(&[
        "hunt",
        "--dry-run",
        "--from",
        "1999-01-01",
        "--to",
        "1999-02-01",
        "--format",
        "json",
    ]);
    let said = json(&said.stdout);
    assert_eq!(
        (&said["together"]["bytes"], &said["days"]),
        (&0.into(), &0.into()),
        "{said}"
    );
    // A detection of one dataset reads none of the others' files.
    let one = json(&sandbox.ok(&["hunt", "excessive_mail_items", "--dry-run", "--format", "json"]));
    assert!(one["together"]["files"].as_u64() < one["files_of"].as_u64(), "{one}");
}

#[test]
fn what_is_too_much_is_refused_before_it_is_read() {
    let sandbox = measured();
    let lines: [&[&str]; 7] = [
        &["hunt", "--max-bytes", "1"],
        &["hunt", "--max-cost", "1"],
        &["hunt", "--max-cost", "less", "--prices", "prices.toml"],
        &["hunt", "--max-cost", "0", "--prices", "prices.toml"],
        &[
            "hunt",
            "--max-cost",
            "1",
            "--prices",
            "prices.toml",
            "--measurements",
            "nothing.json",
        ],
        &["hunt", "--dry-run", "--format", "csv"],
        &["hunt", "--dry-run", "--explain"],
    ];
    let text = transcript(&sandbox, lines);
    assert_eq!(codes(&text), BTreeSet::from(["[1]", "[2]"]), "{text}");
    for words in [
        "and --max-bytes allows 1 B; nothing was read",
        "and --max-cost allows 0; nothing was read",
    ] {
        assert!(text.contains(words), "{text}");
    }
    std::fs::remove_file(sandbox.path(".local/share/retrohunt/bench.json")).unwrap();
    let unknown = sandbox.run(&["hunt", "--max-cost", "9", "--prices", "prices.toml"]);
    assert_eq!(unknown.code, 1);
    assert!(unknown.stderr.contains("is not known"), "{unknown:?}");
    let dry = sandbox.run(&["hunt", "--dry-run", "--max-bytes", "1"]);
    assert_eq!(dry.code, 1, "a dry run says as well that it would be refused");
    assert!(dry.stdout.contains("retrohunt bench"), "{dry:?}");
    assert!(sandbox.sql("SELECT * FROM runs").is_empty());
}

#[test]
fn estimates_are_kept_beside_what_was_taken() {
    let sandbox = measured();
    sandbox.ok(&[
        "hunt",
        "--max-bytes",
        "1GB",
        "--max-cost",
        "10",
        "--prices",
        "prices.toml",
    ]);
    sandbox.ok(&["hunt", "suspicious_source", "--estimate"]);
    sandbox.ok(&["hunt", "suspicious_source"]);
    let runs = sandbox.sql(
        "SELECT detection, kind, state, bytes_read > 0 AND estimated_bytes >= bytes_read AS is_bounded, seconds > 0 AS took, \
         estimated_seconds BETWEEN estimated_seconds_low AND estimated_seconds_high AS is_between, \
         estimated_cost > 0 AND cost > 0 AS has_cost, currency FROM runs WHERE scheduler = 'hunt' ORDER BY started, detection",
    );
    let of = |id: &str| runs.iter().filter(|run| run["detection"] == id).collect::<Vec<_>>();
    let all = of("*");
    assert_eq!(all.len(), 1, "{runs:?}");
    assert_eq!(
        (&all[0]["kind"], &all[0]["has_cost"]),
        (&"hunt".into(), &true.into()),
        "{runs:?}"
    );
    assert_eq!(
        of("suspicious_source").len(),
        2,
        "a hunt without an estimate writes nothing: {runs:?}"
    );
    for run in runs
        .iter()
        .filter(|run| run["kind"] == "hunt" || run["detection"] == "suspicious_source")
    {
        assert_eq!(run["is_between"], true, "{run}");
        assert_eq!((&run["state"], &run["took"]), (&"done".into(), &true.into()), "{run}");
    }
    assert_eq!(of("suspicious_source")[1]["is_bounded"], true, "{runs:?}");
}
