//! What a hunt says of itself: how much it shows, what it read, and that it was ended.

use crate::sandbox::Sandbox;
use serde_json::Value;

/// Writes a detection into the folder `own`.
pub(crate) fn own(sandbox: &Sandbox, id: &str, more: &str, sql: &str) {
    let text = format!(
        "/*---\nid = \"{id}\"\ntitle = \"t\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\nattack = [\"TA0009/T1114\"]\n\
         false_positives = [\"x\"]\ntriage = \"y\"\nreferences = [\"https://example.org\"]\n{more}---*/\n{sql}"
    );
    sandbox.file(&format!("own/{id}.sql"), text);
}

/// An event: (id, time, dataset, action, user).
pub(crate) fn event(id: &str, time: &str, dataset: &str, action: &str, user: &str) -> String {
    format!(
        "{{\"@timestamp\":\"{time}\",\"event\":{{\"id\":\"{id}\",\"dataset\":\"{dataset}\",\"action\":\"{action}\",\
         \"category\":[\"{action}\",\"all\"]}},\"user\":{{\"id\":\"{user}\"}}}}\n"
    )
}

/// Hunts with the detections of `own`; the report of the hunt.
fn report(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let all = ["hunt", "--detections", "own", "--report", "report.json"];
    sandbox.ok(&[&all[..], arguments].concat());
    serde_json::from_slice(&std::fs::read(sandbox.path("report.json")).unwrap()).unwrap()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn max_alerts_shows_the_first_and_says_how_many_there_are() {
    let sandbox = Sandbox::new();
    let log: String = (0..1200)
        .map(|number| {
            let time = format!("2026-03-01T00:{:02}:{:02}Z", number % 1200 / 60, number % 60);
            event(&format!("e{number}"), &time, "t.a", "act", "ann")
        })
        .collect();
    sandbox.file("log.json", log);
    assert_eq!(sandbox.ingest(&["log.json"]), [1200, 1200, 0, 0]);
    own(&sandbox, "every", "", "SELECT event.id FROM events");
    let hunt = |more: &[&str]| sandbox.run(&[&["hunt", "--detections", "own", "every"], more].concat());
    let all = lines(&hunt(&["--format", "jsonl"]).stdout);
    assert_eq!(all.len(), 1200);
    assert!(all.is_sorted_by_key(|alert| alert["time"].as_str().unwrap().to_owned()));

    let said = "3 of 1,200 alerts shown (--max-alerts)\n1,200 alerts\n";
    let first = hunt(&["--max-alerts", "3", "--format", "jsonl"]);
    assert_eq!((first.code, lines(&first.stdout)), (0, all[..3].to_vec()));
    assert!(first.stderr.starts_with(said), "{}", first.stderr);
    let json = hunt(&["--max-alerts", "3", "--format", "json"]);
    assert_eq!(serde_json::from_str::<Vec<Value>>(&json.stdout).unwrap(), all[..3]);
    let csv = hunt(&["--max-alerts", "3", "--format", "csv"]);
    assert_eq!((csv.code, csv.stdout.lines().count()), (0, 4));
    let table = hunt(&["--max-alerts", "3"]);
    assert_eq!((table.code, table.stdout.lines().count()), (0, 7));
    for run in [json, csv, table] {
        assert!(run.stderr.starts_with(said), "{}", run.stderr);
    }
    // As many as there are, and none.
    assert!(hunt(&["--max-alerts", "1200"]).stderr.starts_with("1,200 alerts\n"));
    let none = hunt(&["--max-alerts", "0"]);
    assert_eq!(none.stdout, "");
    assert!(none.stderr.starts_with("0 of 1,200 alerts shown (--max-alerts)\n"));
    // A table is for people, unless somebody asks for more.
    let table = hunt(&[]);
    assert_eq!(table.stdout.lines().count(), 1004);
    assert!(
        table
            .stderr
            .starts_with("1,000 of 1,200 alerts shown; --format jsonl writes all\n1,200 alerts\n")
    );
    assert_eq!(hunt(&["--max-alerts", "1100"]).stdout.lines().count(), 1104);
}

#[test]
fn figures_say_what_was_read() {
    let sandbox = Sandbox::new();
    let day = |day: u8, hour: u8| format!("2026-03-{day:02}T{hour:02}:00:00Z");
    let log = [
        event("1", &day(1, 1), "t.a", "rule", "ann"),
        event("2", &day(1, 2), "t.a", "rule", "ben"),
        event("3", &day(1, 3), "t.a", "mailbox", "ann"),
        event("4", &day(2, 1), "t.a", "mailbox", "ann"),
        event("5", &day(2, 2), "t.a", "mailbox", "ben"),
        event("6", &day(2, 3), "t.b", "logon", "ann"),
    ];
    sandbox.file("log.json", log.concat());
    assert_eq!(sandbox.ingest(&["log.json"]), [6, 6, 0, 0]);
    own(
        &sandbox,
        "one_file",
        "",
        "SELECT event.id FROM events WHERE event.action = 'rule'",
    );
    own(
        &sandbox,
        "two_files",
        "",
        "SELECT event.id FROM events WHERE event.action = 'mailbox' AND user.id = 'ann'",
    );
    // A condition on a list is evaluated above the scan, not inside.
    own(
        &sandbox,
        "list",
        "",
        "SELECT event.id FROM events WHERE event.category = 'logon'",
    );
    own(
        &sandbox,
        "no_file",
        "",
        "SELECT event.id FROM events WHERE event.action = 'x'",
    );
    own(&sandbox, "every", "", "SELECT event.id FROM events");
    own(
        &sandbox,
        "term",
        "[new_terms]\nfields = [\"user.id\"]\nhistory = \"1d\"\n",
        "SELECT event.id FROM events WHERE event.action = 'rule'",
    );
    own(
        &sandbox,
        "window",
        "interval = \"1d\"\nlookback = \"1d\"\nkey = [\"user.id\"]\n",
        "SELECT user.id, count(*) AS event_count FROM events WHERE event.action = 'rule' GROUP BY user.id",
    );
    let figures = |arguments: &[&str]| {
        let report = report(&sandbox, arguments);
        let runs = report["detections"].as_array().unwrap().iter();
        let figures = runs.map(|run| {
            let of = |name: &str| run[name].as_u64().unwrap();
            assert_eq!(run["state"], "done");
            assert_eq!(of("bytes_read") > 0, of("rows_in") > 0);
            (of("rows_in"), of("rows_matched"), of("alerts"))
        });
        figures.collect::<Vec<_>>()
    };
    assert_eq!(figures(&["one_file"]), [(3, 2, 2)]);
    assert_eq!(figures(&["two_files"]), [(5, 2, 2)]);
    assert_eq!(figures(&["two_files", "--from", "2026-03-02"]), [(2, 1, 1)]);
    assert_eq!(figures(&["list"]), [(6, 1, 1)]);
    assert_eq!(figures(&["no_file"]), [(0, 0, 0)]);
    assert_eq!(figures(&["every"]), [(6, 6, 6)]);
    // Once for the terms, once for the events that were new.
    assert_eq!(figures(&["term"]), [(6, 4, 2)]);
    assert_eq!(figures(&["window", "--per-window", "--replay"]), [(3, 2, 2)]);
    let report = report(&sandbox, &["one_file", "every", "--max-alerts", "1"]);
    assert_eq!((&report["alerts"], &report["alerts_shown"]), (&8.into(), &1.into()));
    assert_eq!(report["interrupted"], false);
}

#[test]
fn an_episode_is_the_same_alert_wherever_a_hunt_begins() {
    let sandbox = Sandbox::new();
    let at = |hour: u8| format!("2026-03-01T{hour:02}:30:00Z");
    // Windows of three hours: ann is found from 01:00 to 07:00 and from 10:00 to 12:00.
    let log = [
        event("1", &at(0), "t.a", "act", "ann"),
        event("2", &at(2), "t.a", "act", "ann"),
        event("3", &at(4), "t.a", "act", "ann"),
        event("4", &at(5), "t.a", "act", "ben"),
        event("5", &at(9), "t.a", "act", "ann"),
    ];
    sandbox.file("log.json", log.concat());
    sandbox.ingest(&["log.json"]);
    own(
        &sandbox,
        "busy",
        "interval = \"1h\"\nlookback = \"3h\"\nkey = [\"user.id\"]\n",
        "SELECT user.id, count(*) AS event_count, array_agg(event.id ORDER BY event.id) AS event_ids, min(timestamp) AS first_time \
         FROM events GROUP BY user.id",
    );
    let hunt = |more: &[&str]| {
        let all = ["hunt", "--detections", "own", "busy", "--format", "jsonl"];
        lines(&sandbox.ok(&[&all[..], more].concat()))
    };
    let whole = hunt(&[]);
    let shape = |alert: &Value| (alert["window_end"].clone(), alert["windows"].clone());
    let hour = |hour: u8| format!("2026-03-01T{hour:02}:00:00Z");
    assert_eq!(
        whole.iter().map(shape).collect::<Vec<_>>(),
        [
            (hour(7).into(), 7.into()),
            (hour(8).into(), 3.into()),
            (hour(12).into(), 3.into())
        ]
    );
    for first in 1..=13 {
        let from = hour(first);
        let inside = |alert: &&Value| alert["window_end"].as_str().unwrap() >= from.as_str();
        let expected: Vec<Value> = whole.iter().filter(inside).cloned().collect();
        assert_eq!(hunt(&["--from", &from]), expected, "from {from}");
    }
    // Cut at its end: fewer windows under the same id.
    let cut = hunt(&["--from", &hour(3), "--to", &hour(5)]);
    assert_eq!(cut.len(), 1);
    assert_eq!(cut[0]["alert_id"], whole[0]["alert_id"]);
    assert_eq!(shape(&cut[0]), (hour(5).into(), 5.into()));
    // Windows one by one begin where the range does.
    let windows = hunt(&["--from", &hour(3), "--to", &hour(5), "--per-window"]);
    assert_eq!(windows.len(), 3);
}

#[test]
fn what_fails_only_on_a_row_that_no_tick_sees_is_replayed_and_the_hunt_says_so() {
    let sandbox = Sandbox::new();
    let at = |time: &str| format!("2026-03-01T{time}:00Z");
    // A run every two hours looks back half an hour: none of them sees event 2.
    let log = [
        event("1", &at("09:45"), "t.a", "act", "ann"),
        event("2", &at("11:00"), "t.a", "act", "ann"),
        event("3", &at("11:45"), "t.a", "act", "ben"),
        event("4", &at("12:00"), "t.a", "act", "ann"),
    ];
    sandbox.file("log.json", log.concat());
    assert_eq!(sandbox.ingest(&["log.json"]), [4, 4, 0, 0]);
    let header = "interval = \"2h\"\nlookback = \"30m\"\nkey = [\"user.id\"]\n";
    let share = "12 / (CAST(event.id AS BIGINT) - 2)";
    let divides = format!("SELECT user.id, {share} AS share FROM events");
    own(&sandbox, "divides", header, &divides);
    let filters = format!("SELECT user.id, count(*) AS share FROM events WHERE {share} > 0 GROUP BY user.id");
    own(&sandbox, "filters", header, &filters);
    own(&sandbox, "works", header, "SELECT user.id, 0 AS share FROM events");
    let hunt = |more: &[&str]| {
        let all = [
            "hunt",
            "--detections",
            "own",
            "divides",
            "filters",
            "works",
            "--format",
            "jsonl",
        ];
        let run = sandbox.run(&[&all[..], more].concat());
        assert_eq!(run.code, 0, "{run:?}");
        run
    };
    let (found, replayed) = (hunt(&[]), hunt(&["--replay"]));
    assert_eq!(found.stdout, replayed.stdout);
    let (found, replayed) = (hunt(&["--per-window"]), hunt(&["--per-window", "--replay"]));
    assert_eq!(found.stdout, replayed.stdout);
    let mut shares: Vec<String> = lines(&found.stdout)
        .iter()
        .map(|alert| format!("{} {}", alert["detection"], alert["fields"]["share"]).replace('"', ""))
        .collect();
    shares.sort();
    assert_eq!(
        shares,
        [
            "divides -12",
            "divides 12",
            "divides 6",
            "filters 1",
            "filters 1",
            "works 0",
            "works 0",
            "works 0"
        ]
    );
    let note = "evaluated tick by tick, which is slow: all ticks at once failed: division by zero\n";
    for (said, notes) in [
        (&found.stderr, format!("divides: {note}filters: {note}")),
        (&replayed.stderr, String::new()),
    ] {
        let told = said.split_inclusive('\n').filter(|line| line.contains("tick by tick"));
        assert_eq!(told.collect::<String>(), notes, "{said}");
    }
}

#[cfg(unix)]
mod interrupted {
    use super::*;
    use crate::sandbox::{interrupt, make_pipe};
    use std::io::{BufRead as _, BufReader, Read as _};

    /// Puts a pipe without a writer in the place of a dataset's file.
    fn pipe_for(sandbox: &Sandbox, dataset: &str) -> std::path::PathBuf {
        let folder = sandbox.path(&format!("lake/events/event_dataset={dataset}/day=2026-03-01"));
        let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let file = files.map(|file| file.unwrap().path()).next().unwrap();
        std::fs::remove_file(&file).unwrap();
        make_pipe(&file);
        file
    }

    #[test]
    fn a_hunt_shows_what_was_done() {
        let sandbox = Sandbox::new();
        let time = "2026-03-01T08:00:00Z";
        let log = ["t.a", "t.b", "t.c", "t.d"].map(|dataset| event(dataset, time, dataset, "act", "ann"));
        sandbox.file("log.json", log.concat());
        assert_eq!(sandbox.ingest(&["log.json"]), [4, 4, 0, 0]);
        for (id, dataset) in [
            ("a_done", "t.a"),
            ("b_tells", "t.b"),
            ("c_hangs", "t.c"),
            ("d_later", "t.d"),
        ] {
            let sql = format!("SELECT event.id FROM events WHERE event.dataset = '{dataset}'");
            own(&sandbox, id, "", &sql);
        }
        let (tells, _hangs) = (pipe_for(&sandbox, "t.b"), pipe_for(&sandbox, "t.c"));
        // With so little memory, one detection follows the other.
        let arguments = [
            "hunt",
            "--detections",
            "own",
            "--format",
            "jsonl",
            "--report",
            "r.json",
            "--memory-limit",
            "64MB",
        ];
        let ids = ["a_done", "b_tells", "c_hangs", "d_later"];
        let child = sandbox.start(&[&arguments[..], &ids].concat());
        // Waits until the second detection opens its file. That fails, as a pipe is no
        // Parquet file, now or soon; the third waits for a writer that never comes.
        drop(std::fs::OpenOptions::new().write(true).open(tells).unwrap());
        interrupt(&child);
        let output = child.wait_with_output().unwrap();
        let (stdout, stderr) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        let found = lines(&stdout);
        assert_eq!((found.len(), &found[0]["detection"]), (1, &"a_done".into()), "{stdout}");
        assert!(
            stderr.starts_with("interrupted: ending\ninterrupted: partial result, the alerts of "),
            "{stderr}"
        );
        for words in [
            " of 4 detections follow\n",
            "\n1 alert\n",
            "\nc_hangs    event  not run\n",
            "\nd_later    event  not run\n",
        ] {
            assert!(stderr.contains(words), "{words:?} in {stderr}");
        }
        assert!(stderr.ends_with("\nerror: interrupted\n"), "{stderr}");
        let report: Value = serde_json::from_slice(&std::fs::read(sandbox.path("r.json")).unwrap()).unwrap();
        assert_eq!(report["interrupted"], true);
        assert_eq!(report["detections"][0]["state"], "done");
        assert_eq!(report["detections"][2]["state"], "not_run");
    }

    #[test]
    fn what_was_printed_is_whole() {
        let sandbox = Sandbox::new();
        // More than fits into a pipe, so that the program waits for its reader.
        let log: String = (0..3000)
            .map(|number| {
                event(
                    &format!("e{number}"),
                    "2026-03-01T08:00:00Z",
                    "t.a",
                    "act",
                    &"ann".repeat(50),
                )
            })
            .collect();
        sandbox.file("log.json", log);
        assert_eq!(sandbox.ingest(&["log.json"]), [3000, 3000, 0, 0]);
        own(&sandbox, "every", "", "SELECT event.id, user.id FROM events");
        for format in ["jsonl", "json", "csv"] {
            let mut child = sandbox.start(&["hunt", "--detections", "own", "every", "--format", format]);
            let mut stdout = BufReader::new(child.stdout.take().unwrap());
            let mut stderr = BufReader::new(child.stderr.take().unwrap());
            let (mut written, mut said) = (String::new(), String::new());
            stdout.read_line(&mut written).unwrap();
            interrupt(&child);
            stderr.read_line(&mut said).unwrap();
            assert_eq!(said, "interrupted: ending\n");
            stdout.read_to_string(&mut written).unwrap();
            stderr.read_to_string(&mut said).unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(1), "{said}");
            let count = match format {
                "jsonl" => lines(&written).len(),
                "json" => serde_json::from_str::<Vec<Value>>(&written).unwrap().len(),
                _ => written.lines().count() - 1,
            };
            assert!((1..3000).contains(&count), "{count}");
            let partial = said.lines().nth(1).unwrap().replace(',', "");
            let expected = format!("interrupted: partial result {count} of 3000 alerts written");
            assert_eq!(partial, expected);
            assert!(
                said.contains("\n3,000 alerts\n") && said.ends_with("error: interrupted\n"),
                "{said}"
            );
        }
    }
}
