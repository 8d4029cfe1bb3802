//! `retrohunt plan`, from measurements whose truth is known.

use crate::cli::{codes, tiny_lake, transcript};
use crate::sandbox::Sandbox;
use retrohunt::capacity::{
    Cache, DatasetSizes, Machine, Measurement, Measurements, Phase, Quantities, Requests, Settings, Work,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Seconds of a work in this file's truth: fixed, and for a million events by one core alone and
/// shared by the threads.
const TRUTH: [(&str, f64, f64, f64); 6] = [
    ("ingest", 0.2, 0.5, 5.0),
    ("hunt:suspicious_source", 0.1, 0.1, 0.5),
    ("hunt:unusual_client_app", 0.1, 0.05, 0.2),
    ("hunt_all", 0.15, 0.1, 0.6),
    ("tick", 0.3, 0.0, 0.8),
    ("compaction", 0.1, 0.0, 1.0),
];

fn truth(work: &str, events: f64, threads: f64) -> f64 {
    let (_, fixed, serial, shared) = TRUTH.into_iter().find(|(name, ..)| *name == work).unwrap();
    fixed + (serial + shared / threads) * events / 1e6
}

/// Repetitions that are up to `noise` off, in a pattern that is no chance.
fn repetitions(seconds: f64, noise: f64, salt: u64) -> Vec<f64> {
    let off = |number: u64| ((number * 2_654_435_761 + salt * 40_503) % 1000) as f64 / 500.0 - 1.0;
    (1..=5).map(|number| seconds * (1.0 + noise * off(number))).collect()
}

fn measured(noise: f64) -> Measurements {
    let sizes = [500_000, 1_000_000, 2_000_000, 4_000_000];
    let machine = Machine {
        cpu: "Test CPU".into(),
        cores: 2,
        memory_bytes: 8 << 30,
        os: "Linux".into(),
        retrohunt: "0.1.0".into(),
        date: "2026-11-22T06:00:00Z".into(),
    };
    let settings = Settings {
        sizes_events: sizes.to_vec(),
        validation_sizes_events: vec![8_000_000],
        threads: vec![1, 2],
        stores: vec!["local".into(), "s3".into()],
        repetitions: 5,
        detections: vec!["suspicious_source".into(), "unusual_client_app".into()],
        ..Settings::default()
    };
    let mut run = Measurements::new(machine, settings);
    let mut salt = 0;
    for (work, ..) in TRUTH {
        for events in sizes.into_iter().chain([8_000_000]) {
            for threads in [1, 2] {
                for store in ["local", "s3"] {
                    salt += 1;
                    run.measurements.push(Measurement {
                        work: work.parse::<Work>().unwrap(),
                        phase: if events == 8_000_000 {
                            Phase::Validate
                        } else {
                            Phase::Fit
                        },
                        threads,
                        store: store.into(),
                        cache: Cache::Warm,
                        quantities: Quantities {
                            events,
                            bytes_read: Some(events * 30),
                            input_bytes: Some(events * 1200),
                            requests: (store == "s3").then_some(Requests {
                                put: 5 + events / 100_000,
                                get: 10 + events / 50_000,
                                list: 2,
                            }),
                            ..Quantities::default()
                        },
                        seconds: repetitions(truth(work, events as f64, f64::from(threads)), noise, salt),
                        peak_memory_bytes: Some(150_000_000 + 40 * events),
                    });
                }
            }
        }
    }
    for (dataset, part, bytes) in [("azure.signinlogs", 3, 400), ("o365.audit", 7, 200)] {
        for size in sizes {
            let events = size * part / 10;
            run.datasets.push(DatasetSizes {
                dataset: dataset.into(),
                events,
                input_bytes: Some(events * 1200),
                stored_bytes: 30 * 20_000 + events * bytes,
                files: 30,
                days: 30,
                compacted: true,
            });
        }
    }
    run
}

/// Compares with the snapshot of this name, every number of it.
fn compare(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// A folder with measurements where they are looked for.
pub(crate) fn sandbox(noise: f64) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file(".local/share/retrohunt/bench.json", measured(noise).to_json().unwrap());
    sandbox
}

const ARCHITECT: [&str; 19] = [
    "plan",
    "--users",
    "50000",
    "--events-per-user-day",
    "120",
    "--hunts-per-day",
    "4",
    "--hunt-range",
    "90d",
    "--schedule-interval",
    "5m",
    "--growth",
    "2%/month",
    "--answer-within",
    "60s",
    "--store",
    "s3",
    "--duplicates",
    "2%",
];

#[test]
fn tables() {
    let sandbox = sandbox(0.0);
    sandbox.file("prices.toml", sandbox.ok(&["plan", "--print-prices"]));
    let priced = [
        &ARCHITECT[..],
        &["--prices", "prices.toml", "--tier", "cool", "--cores", "16"],
    ]
    .concat();
    let lines: [&[&str]; 3] = [
        &priced,
        &["plan", "--events", "12000000"],
        &[
            "plan",
            "--users",
            "10",
            "--events-per-user-day",
            "50",
            "--retention",
            "30d",
            "--detections",
            "other",
        ],
    ];
    compare("plan", &transcript(&sandbox, lines));
}

/// The path of each value, with lists as one.
fn paths(value: &Value, path: &str, found: &mut BTreeMap<String, &'static str>) {
    let kind = match value {
        Value::Object(members) => {
            for (name, value) in members {
                paths(value, &format!("{path}.{name}"), found);
            }
            return;
        }
        Value::Array(values) => {
            for value in values {
                paths(value, &format!("{path}[]"), found);
            }
            return;
        }
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "number",
        Value::String(_) => "text",
    };
    let known = found.entry(path.trim_start_matches('.').to_owned()).or_insert(kind);
    if *known == "nothing" {
        *known = kind;
    }
}

#[test]
fn names_in_json_stay() {
    let sandbox = sandbox(0.0);
    sandbox.file("prices.toml", sandbox.ok(&["plan", "--print-prices"]));
    let arguments = [&ARCHITECT[..], &["--prices", "prices.toml", "--format", "json"]].concat();
    let plan: Value = serde_json::from_str(&sandbox.ok(&arguments)).unwrap();
    let mut found = BTreeMap::new();
    paths(&plan, "", &mut found);
    let lines: Vec<String> = found.iter().map(|(path, kind)| format!("{path}: {kind}")).collect();
    compare("plan_json", &lines.join("\n"));
}

/// What the issue asks: fitted up to 4 million events, held against 12 million.
#[test]
fn a_hunt_of_three_times_the_largest_size_is_predicted() {
    let sandbox = sandbox(0.05);
    let arguments = ["plan", "--events", "12000000", "--format", "json"];
    let plan: Value = serde_json::from_str(&sandbox.ok(&arguments)).unwrap();
    let hunts = plan["hunts"].as_array().unwrap();
    assert_eq!(hunts.len(), 3, "{hunts:?}");
    for hunt in hunts {
        let seconds = |name: &str| hunt["seconds"][name].as_f64().unwrap();
        let is = truth(hunt["work"].as_str().unwrap(), 12e6, 2.0);
        assert!((seconds("value") / is - 1.0).abs() < 0.15, "{is} {hunt}");
        assert!(seconds("low") <= is && is <= seconds("high"), "{is} {hunt}");
    }
    assert_eq!(plan["steady"]["range_events"].as_f64().unwrap().round(), 12e6);
    for error in plan["errors"].as_array().unwrap() {
        assert!(error["validation_max"].as_f64().unwrap() < 0.12, "{error}");
    }
}

#[test]
fn a_lake_is_planned_from_its_log_without_measurements() {
    let sandbox = tiny_lake();
    let info: Value = serde_json::from_str(&sandbox.ok(&["lake", "info", "--format", "json"])).unwrap();
    let arguments = ["plan", "--from-lake", "lake", "--retention", "100d", "--format", "json"];
    let plan: Value = serde_json::from_str(&sandbox.ok(&arguments)).unwrap();
    let held = &info["datasets"][0];
    let expected = held["bytes"].as_f64().unwrap() * 100.0;
    let stored = plan["stored_bytes"]["value"].as_f64().unwrap();
    assert!((stored / expected - 1.0).abs() < 1e-9, "{stored} {expected}");
    assert_eq!(plan["steady"]["events_per_day"].as_f64(), held["events"].as_f64());
    assert!(plan["hunts"].as_array().unwrap().is_empty());
    let refused = plan["not_measured"].as_array().unwrap();
    assert!(
        refused
            .iter()
            .any(|one| one["part"] == "hunts" && one["reason"] == "there are no measurements")
    );
}

#[test]
fn a_page_is_written() {
    let sandbox = sandbox(0.0);
    let run = sandbox.run(&[&ARCHITECT[..], &["--report", "plan.html"]].concat());
    assert_eq!((run.code, run.stderr.as_str()), (0, "wrote plan.html\n"));
    let page = std::fs::read_to_string(sandbox.path("plan.html")).unwrap();
    assert_eq!(page.matches("<svg ").count(), 2);
    assert!(page.contains("default-src 'none'") && page.contains("Test CPU"));
}

#[test]
fn errors() {
    let sandbox = sandbox(0.0);
    sandbox.file("newer.json", "{\"version\": 2}");
    sandbox.file("cut.json", "{\"version\": 1, \"machine\"");
    sandbox.file("prices.toml", "name = 'x'\n[storage]\nstandard = '2 EUR'\n[request]\n");
    sandbox.file(
        "tiers.toml",
        "name = 'x'\ndate = '2026'\ncurrency = 'EUR'\n[storage]\nhot = 2\ncool = 1\n",
    );
    let users = ["plan", "--users", "10", "--events-per-user-day", "5"];
    let with = |more: &[&'static str]| [&users[..], more].concat();
    let lines = [
        vec!["plan"],
        vec!["plan", "--users", "10"],
        vec!["plan", "--users", "10", "--events", "5"],
        with(&["--measurements", "missing.json"]),
        with(&["--measurements", "newer.json"]),
        with(&["--measurements", "cut.json"]),
        with(&["--store", "gcs"]),
        with(&["--retention", "0s"]),
        with(&["--retention", "a year"]),
        with(&["--growth", "fast"]),
        with(&["--growth", "200%"]),
        with(&["--duplicates", "100%"]),
        with(&["--mix", "o365.audit"]),
        with(&["--mix", "o365.audit=0.5,azure.signinlogs=0.3"]),
        with(&["--detections", "a,,b"]),
        with(&["--peak", "0.5"]),
        with(&["--cores", "0"]),
        with(&["--months", "121"]),
        with(&["--prices", "missing.toml"]),
        with(&["--prices", "prices.toml"]),
        with(&["--prices", "tiers.toml"]),
        with(&["--prices", "tiers.toml", "--tier", "cold"]),
        with(&["--tier", "cold"]),
        with(&["--report", "missing/plan.html"]),
        vec!["plan", "--from-lake", "elsewhere"],
    ];
    let mut text = transcript(&sandbox, lines.iter().map(Vec::as_slice));
    text.push('\n');
    text.push_str(&transcript(&Sandbox::new(), [users.as_slice()]));
    assert_eq!(codes(&text), BTreeSet::from(["[1]", "[2]"]));
    compare("plan_errors", &text);
}
