//! What was looked at: by hour, from the logs as they were delivered.

use crate::sandbox::{Sandbox, repository};
use serde_json::{Value, json};
use std::fmt::Write as _;

const TENANT: &str = "9f000000-0000-4000-8000-00000000abcd";

/// A record of a day of January 2026, in the second of an hour.
fn record(day: u32, hour: u32, second: u32) -> String {
    let record = json!({
        "CreationTime": format!("2026-01-{day:02}T{hour:02}:00:{second:02}"), "Id": format!("{day}-{hour}-{second}"),
        "Operation": "FileAccessed", "OrganizationId": TENANT, "RecordType": 6, "UserKey": "k", "UserType": 0,
        "Version": 1, "Workload": "SharePoint", "UserId": "ann@contoso.example",
    });
    format!("{record}\n")
}

/// Four weeks from Monday, the 5th, on: 20 events in each hour of weekdays from 08:00 to 18:00, and
/// one each night. Nothing on Tuesday, the 20th, from 10:00 to 13:00.
fn is_logged(day: u32, hour: u32) -> u32 {
    let weekday = (day - 5) % 7;
    match (weekday, hour) {
        (5 | 6, _) => 0,
        (_, 10..13) if day == 20 => 0,
        (_, 8..18) => 20,
        (_, 2) => 1,
        _ => 0,
    }
}

fn day(day: u32) -> String {
    let mut log = String::new();
    for hour in 0..24 {
        (0..is_logged(day, hour)).for_each(|second| log += &record(day, hour, second));
    }
    log
}

fn coverage(sandbox: &Sandbox, more: &[&str]) -> Value {
    let arguments = [&["lake", "coverage", "--format", "json"], more].concat();
    serde_json::from_str(&sandbox.ok(&arguments)).unwrap()
}

fn hour<'a>(coverage: &'a Value, hour: &str) -> &'a Value {
    let hours = coverage["datasets"][0]["hours"].as_array().unwrap();
    hours.iter().find(|known| known["hour"] == hour).unwrap_or(&Value::Null)
}

/// A lake of these weeks with repeats, bad records and a damaged file.
fn lake() -> Sandbox {
    let sandbox = Sandbox::new();
    for (number, log) in (5..31)
        .map(|number| (number, day(number)))
        .filter(|(_, log)| !log.is_empty())
    {
        sandbox.file(&format!("logs/{number:02}.json"), log);
    }
    // The 7th again, from 09:00 to 11:00, with a line that is cut, and one before all others.
    let mut again = String::from("no record\n");
    (0..20).for_each(|second| again += &record(7, 9, second));
    again += "{\"Creation\n";
    (0..20).for_each(|second| again += &record(7, 10, second));
    sandbox.file("logs/again.json", again);
    // Of the 8th, 08:00, with another content.
    sandbox.file(
        "logs/conflict.json",
        record(8, 8, 0).replace("FileAccessed", "FileDeleted"),
    );
    // Cut off, after nothing but repeats.
    let cut = {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        (0..20).for_each(|second| encoder.write_all(record(9, 9, second).as_bytes()).unwrap());
        encoder.finish().unwrap()
    };
    sandbox.file("logs/cut.json.gz", &cut[..cut.len() - 12]);
    sandbox.file("logs/text.json", "{\"a\": 1}\n");
    sandbox.ingest(&["logs"]);
    sandbox
}

#[test]
fn holes_repeats_and_rejects_are_told_by_the_hour() {
    let sandbox = lake();
    let coverage = coverage(&sandbox, &[]);
    let logs = coverage["datasets"].as_array().unwrap();
    assert_eq!(logs.len(), 1);
    let log = &logs[0];
    assert_eq!(
        (&log["dataset"], &log["organization"]),
        (&json!("o365.audit"), &json!(TENANT))
    );
    assert_eq!(
        [&log["first"], &log["last"], &log["from"], &log["to"]],
        [
            "2026-01-05T02:00:00Z",
            "2026-01-30T17:00:19Z",
            "2026-01-05T02:00:00Z",
            "2026-01-30T18:00:00Z"
        ]
    );
    assert_eq!([&coverage["from"], &coverage["to"]], [&log["from"], &log["to"]]);
    // 20 weekdays of 10 hours and a night, less three hours.
    assert_eq!(log["events"], 20 * 201 - 60);
    assert_eq!(
        log["gaps"],
        json!([{"from": "2026-01-20T10:00:00Z", "to": "2026-01-20T13:00:00Z", "expected": 60}])
    );
    assert_eq!(log["hours_expected"], 200);
    let of = |time: &str, events: u64, duplicates: u64, rejected: u64| json!({"hour": time, "events": events, "duplicates": duplicates, "rejected": rejected});
    let expected = [
        // The line before all others is near the next one, the other near the one before.
        of("2026-01-07T09:00:00Z", 20, 20, 2),
        of("2026-01-07T10:00:00Z", 20, 20, 0),
        // The one that conflicts has a time of its own.
        of("2026-01-08T08:00:00Z", 20, 0, 1),
        of("2026-01-06T02:00:00Z", 1, 0, 0),
    ];
    for expected in expected {
        assert_eq!(hour(&coverage, expected["hour"].as_str().unwrap()), &expected);
    }
    let hours = log["hours"].as_array().unwrap();
    for sum in ["events", "duplicates", "rejected"] {
        let of_hours: u64 = hours.iter().map(|hour| hour[sum].as_u64().unwrap()).sum();
        assert_eq!(of_hours, log[sum].as_u64().unwrap(), "{sum}");
    }
    let ledger = &sandbox.sql("SELECT sum(duplicate) AS duplicates FROM ledger")[0]["duplicates"];
    assert_eq!(&log["duplicates"], ledger, "every repeat has its hour");
    assert_eq!(coverage["without_hour"], json!({"duplicates": 0, "rejected": 1}));
    let late = &log["late"];
    let [least, median, most] =
        ["min_seconds", "median_seconds", "max_seconds"].map(|name| late[name].as_i64().unwrap());
    assert!(least < median && median < most && most - least < 26 * 86_400, "{late}");
}

/// Entra's and Defender's logs say in other fields than the audit log whose they are.
#[test]
fn tenants_are_told_apart_in_every_log() {
    const OTHER: &str = "0F000000-0000-4000-8000-00000000EF01";
    let sandbox = Sandbox::new();
    let time = |hour: u32| format!("2026-01-05T{hour:02}:00:00Z");
    let sign_in = |tenant: &str, hour: u32| {
        json!({"time": time(hour), "category": "SignInLogs", "operationName": "Sign-in activity", "tenantId": tenant,
               "properties": {"id": format!("{tenant}-{hour}"), "createdDateTime": time(hour), "appId": "a"}})
        .to_string()
    };
    let streamed = |tenant: &str, hour: u32| {
        json!({"time": time(hour), "category": "AdvancedHunting-CloudAppEvents", "operationName": "Publish", "tenantId": tenant,
               "properties": {"Timestamp": time(hour), "ActionType": "FileAccessed", "Application": "SharePoint",
                              "AccountObjectId": tenant, "ReportId": format!("{tenant}-{hour}")}})
        .to_string()
    };
    let lower = OTHER.to_ascii_lowercase();
    let mut log: Vec<String> = Vec::new();
    for kind in [&sign_in as &dyn Fn(&str, u32) -> String, &streamed] {
        log.extend([kind(TENANT, 8), kind(TENANT, 9), kind(OTHER, 9)]);
        // A repeat and a bad record of the other tenant.
        log.extend([kind(OTHER, 9), "{\"cut".to_owned()]);
    }
    sandbox.file("log.json", log.join("\n"));
    sandbox.ingest(&["log.json"]);
    let logs = |coverage: &Value| {
        let logs = coverage["datasets"].as_array().unwrap().iter();
        let of =
            |log: &Value| ["dataset", "organization", "events", "duplicates", "rejected"].map(|name| log[name].clone());
        logs.map(of).collect::<Vec<_>>()
    };
    let of = |dataset: &str, organization: &str, [events, duplicates, rejected]: [u64; 3]| {
        [
            json!(dataset),
            json!(organization),
            json!(events),
            json!(duplicates),
            json!(rejected),
        ]
    };
    let datasets = ["azure.signinlogs", "m365_defender.cloud_app_events"];
    let expected = datasets.map(|name| [of(name, &lower, [1, 1, 1]), of(name, TENANT, [2, 0, 0])]);
    assert_eq!(logs(&coverage(&sandbox, &[])), expected.concat());
    let one = coverage(&sandbox, &["--organization", OTHER]);
    assert_eq!(logs(&one), datasets.map(|name| of(name, &lower, [1, 1, 1])));
}

#[test]
fn files_that_were_not_taken_in_as_a_whole_are_named() {
    let sandbox = lake();
    let coverage = coverage(&sandbox, &[]);
    let files = coverage["files"].as_array().unwrap();
    let names: Vec<&str> = files.iter().map(|file| file["file"].as_str().unwrap()).collect();
    let names: Vec<&str> = names.iter().map(|name| name.rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["again.json", "conflict.json", "cut.json.gz", "text.json"]);
    let near = |hour: &str, rejected: u64| json!({"hour": hour, "dataset": "o365.audit", "organization": TENANT, "rejected": rejected});
    assert_eq!(files[0]["near"], json!([near("2026-01-07T09:00:00Z", 2)]));
    assert_eq!(files[1]["near"], json!([near("2026-01-08T08:00:00Z", 1)]));
    assert!(
        files[2]["problem"].as_str().unwrap().contains("cut off"),
        "{}",
        files[2]
    );
    assert_eq!((&files[3]["rejected"], &files[3]["near"]), (&json!(1), &json!([])));
    assert!(files.iter().all(|file| file["finished"] == true));
    let damaged = sandbox.sql("SELECT near_timestamp FROM quarantine WHERE source_position IS NULL");
    assert_eq!(
        damaged[0]["near_timestamp"], "2026-01-09T09:00:18Z",
        "the last record that could be read of what is cut off"
    );

    // As an ingest that was killed leaves it: events, and no row in the ledger.
    std::fs::remove_dir_all(sandbox.path("lake/ledger")).unwrap();
    let killed = self::coverage(&sandbox, &[]);
    let unfinished = killed["files"].as_array().unwrap();
    assert!(unfinished.iter().all(|file| file["finished"] == false));
    assert_eq!(unfinished.len(), 20 + 4);
}

#[test]
fn ranges_and_names_narrow_it_down_and_history_stays() {
    let sandbox = lake();
    let range = ["--from", "2026-01-20T08:30:00Z", "--to", "2026-01-20T12:00:00Z"];
    let some = coverage(&sandbox, &range);
    assert_eq!(
        [&some["from"], &some["to"]],
        ["2026-01-20T08:00:00Z", "2026-01-20T12:00:00Z"]
    );
    let log = &some["datasets"][0];
    assert_eq!(
        (&log["events"], &log["first"]),
        (&json!(40), &json!("2026-01-20T08:00:00Z"))
    );
    assert_eq!(
        log["gaps"],
        json!([{"from": "2026-01-20T10:00:00Z", "to": "2026-01-20T12:00:00Z", "expected": 40}])
    );
    let after = coverage(
        &sandbox,
        &[
            "--from",
            "2026-01-30",
            "--to",
            "2026-02-03",
            "--organization",
            &TENANT.to_uppercase(),
        ],
    );
    assert_eq!(
        after["datasets"][0]["gaps"],
        json!([{"from": "2026-02-02T08:00:00Z", "to": "2026-02-02T18:00:00Z", "expected": 200}]),
        "a log that ends early is held against what was asked for"
    );
    let sure = coverage(
        &sandbox,
        &["--gap-probability", "0.00000000001", "--dataset", "o365.audit"],
    );
    assert_eq!(sure["datasets"][0]["gaps"], json!([]));
    for (arguments, message) in [
        (
            ["--dataset", "o365.audits"],
            "the lake has no events of it; it has o365.audit",
        ),
        (["--organization", "x"], "the lake has no events of it"),
        (["--gap-probability", "2"], "write a number between 0 and 1"),
        (["--to", "soon"], "is no time"),
    ] {
        let run = sandbox.run(&[&["lake", "coverage"], &arguments[..]].concat());
        assert!(run.code > 0 && run.stderr.contains(message), "{run:?}");
    }
}

#[test]
fn a_file_read_again_repeats_nothing_more() {
    let sandbox = lake();
    let before = coverage(&sandbox, &[]);
    sandbox.ingest(&["--again", "logs"]);
    assert_eq!(coverage(&sandbox, &[]), before);
}

#[test]
fn the_page_has_all_of_it() {
    let sandbox = lake();
    let run = sandbox.run(&["lake", "coverage", "--html", "coverage.html"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, "wrote coverage.html\n"));
    let html = std::fs::read_to_string(sandbox.path("coverage.html")).unwrap();
    assert!(html.contains("title=\"10:00 gap\"") && html.contains("title=\"09:00 20 events, 20 repeats, 2 rejected\""));
    let sentence = run.stdout.lines().find(|line| line.starts_with("Looked at")).unwrap();
    assert!(html.contains(sentence), "{sentence}");
    assert_eq!(
        sentence.split(", except: ").nth(1).unwrap(),
        "2026-01-20T10:00:00Z to 2026-01-20T13:00:00Z (3 hours without events, about 60 expected); 4 records that were \
         rejected, in or near the hour of 2026-01-07T09:00:00Z (2), 2026-01-08T08:00:00Z (1), 2026-01-09T09:00:00Z (1)."
    );
    let unwritable = sandbox.run(&["lake", "coverage", "--html", "nowhere/x.html"]);
    assert_eq!((unwritable.code, unwritable.stdout.as_str()), (1, ""));
}

#[test]
fn the_sample_logs() {
    let sandbox = Sandbox::new();
    sandbox.ingest(&[&repository("data/contoso")]);
    let shown = sandbox.ok(&["lake", "coverage"]).replace(&repository("data"), "data");
    let mut text = String::new();
    for line in shown.lines() {
        // How late the samples are depends on the day of the test.
        let line = if line.starts_with("  late ") {
            "  late        [LATE]"
        } else {
            line
        };
        let _ = writeln!(text, "{line}");
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("coverage", text));
}
