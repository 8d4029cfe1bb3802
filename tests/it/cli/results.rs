//! What a user asks for and gets.

use super::{compare, said, tiny_lake, transcript};
use crate::sandbox::{Sandbox, repository};
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use serde_json::Value;

const QUERY: &str = "SELECT @timestamp, event.action, event.type, user.name AS \"who, exactly\", o365.audit.Note, event.severity AS none \
                     FROM events ORDER BY timestamp";

#[test]
fn formats_of_sql() {
    let sandbox = tiny_lake();
    let mut text = String::new();
    for format in ["table", "json", "jsonl", "csv"] {
        text += &said(&sandbox, &["sql", QUERY, "--format", format]);
        text += "\n";
    }
    let more: [&[&str]; 6] = [
        &["sql", "SELECT event.id FROM events WHERE false"],
        &["sql", "SELECT event.id FROM events WHERE false", "--format", "json"],
        &["sql", "SELECT event.id FROM events WHERE false", "--format", "csv"],
        &[
            "sql",
            "SELECT value FROM generate_series(1, 1001) ORDER BY value DESC LIMIT 1",
        ],
        &["sql", "SHOW TABLES"],
        &["sql", "DESCRIBE ledger", "--format", "csv"],
    ];
    compare("sql_formats", &(text + &transcript(&sandbox, more)));

    let long = sandbox.run(&["sql", "SELECT value FROM generate_series(1, 1001)"]);
    assert_eq!(
        long.stderr,
        "1,000 of 1,001 rows shown; --format jsonl, csv or parquet writes all\n"
    );
    let wide = sandbox.run(&["sql", "SELECT * FROM events"]);
    assert!(
        wide.stderr.contains("columns without a value in these rows not shown"),
        "{}",
        wide.stderr
    );
}

#[test]
fn a_query_comes_as_an_argument_from_a_file_or_from_a_pipe() {
    let sandbox = tiny_lake();
    sandbox.file("q.sql", "-- how many\nSELECT count(*) AS n\nFROM events\n");
    let expected = "{\"n\":3}\n";
    assert_eq!(sandbox.ok(&["sql", "--file", "q.sql", "--format", "jsonl"]), expected);
    for arguments in [&["sql", "-", "--format", "jsonl"][..], &["sql", "--format", "jsonl"]] {
        let mut command = sandbox.command(arguments);
        command.stdin(std::fs::File::open(sandbox.path("q.sql")).unwrap());
        assert_eq!(String::from_utf8(command.output().unwrap().stdout).unwrap(), expected);
    }
}

#[tokio::test]
async fn parquet_can_be_read_back() {
    let sandbox = tiny_lake();
    let piped = sandbox
        .command(&["sql", QUERY, "--format", "parquet"])
        .output()
        .unwrap();
    assert!(piped.status.success());
    std::fs::write(sandbox.path("piped.parquet"), piped.stdout).unwrap();
    sandbox.ok(&["sql", QUERY, "--format", "parquet", "--output", "written.parquet"]);
    for file in ["piped.parquet", "written.parquet"] {
        let path = sandbox.path(file).display().to_string();
        let frame = SessionContext::new()
            .read_parquet(path, ParquetReadOptions::default())
            .await
            .unwrap();
        let columns: Vec<String> = frame
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        assert_eq!(
            columns,
            [
                "@timestamp",
                "event.action",
                "event.type",
                "who, exactly",
                "o365.audit.Note",
                "none"
            ]
        );
        assert_eq!(frame.count().await.unwrap(), 3);
    }
}

#[test]
fn formats_of_hunt() {
    let sandbox = Sandbox::new();
    sandbox.ingest(&[&repository("tests/detections/suspicious_source/fire.jsonl")]);
    let mut text = String::new();
    for format in ["table", "json", "jsonl", "csv"] {
        text += &said(
            &sandbox,
            &["hunt", "suspicious_source", "--to", "2026-03-03", "--format", format],
        );
        text += "\n";
    }
    let nothing = ["hunt", "excessive_mail_items", "--format"];
    for format in ["table", "json", "jsonl", "csv"] {
        text += &said(&sandbox, &[&nothing[..], &[format]].concat());
        text += "\n";
    }
    compare("hunt_formats", &text);
    let parquet = sandbox
        .command(&["hunt", "suspicious_source", "--format", "parquet"])
        .output()
        .unwrap();
    assert!(parquet.stdout.starts_with(b"PAR1") && parquet.stdout.ends_with(b"PAR1"));
}

#[test]
fn the_report_of_ingest() {
    let sandbox = Sandbox::new();
    let good = "{\"CreationTime\":\"2026-03-01T08:00:00\",\"Id\":\"a\",\"Operation\":\"New-InboxRule\",\"OrganizationId\":\"o\",\
                \"RecordType\":1,\"UserKey\":\"k\",\"UserType\":0,\"Workload\":\"Exchange\",\"UserId\":\"ann@contoso.example\"}\n";
    sandbox.file("logs/a.json", format!("{good}{good}not json\n"));
    sandbox.file("logs/b.json", "");
    let run = sandbox.run(&["ingest", "logs", "--format", "json"]);
    assert_eq!((run.code, run.stdout.lines().count()), (3, 1), "one object on one line");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    compare("ingest_json", &serde_json::to_string_pretty(&report).unwrap());
    // The same for people, where everything is a repeat.
    compare(
        "ingest_again",
        &transcript(&sandbox, [&["ingest", "logs"][..], &["ingest", "logs", "--again"]]),
    );
}

#[test]
fn detections_and_functions_describe_themselves() {
    let sandbox = Sandbox::new();
    let lines: [&[&str]; 7] = [
        &["detections", "list"],
        &["detections", "list", "--format", "csv"],
        &["detections", "show", "unusual_client_app"],
        &["detections", "check"],
        &["functions"],
        &["functions", "has"],
        &["functions", "NEW_TERMS"],
    ];
    compare("descriptions", &transcript(&sandbox, lines));
}

#[test]
fn completions_know_the_commands() {
    let sandbox = Sandbox::new();
    for (shell, first) in [
        ("bash", "_retrohunt() {"),
        ("zsh", "#compdef retrohunt"),
        ("fish", "# Print an optspec"),
        ("powershell", ""),
        ("elvish", ""),
    ] {
        let script = sandbox.ok(&["completions", shell]);
        assert!(script.starts_with(first), "{shell}: {}", &script[..200]);
        for word in ["ingest", "hunt", "mailbox", "per-window", "message-id"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
}

#[test]
fn demo() {
    let sandbox = Sandbox::new();
    let first = said(&sandbox, &["demo"]);
    compare("demo", &first);
    assert!(sandbox.path("retrohunt-demo/logs").is_dir() && sandbox.path("retrohunt-demo/lake/events").is_dir());
    // What it says to try next works.
    for line in first.lines().filter_map(|line| line.strip_prefix("  retrohunt ")) {
        let arguments: Vec<&str> = match line
            .split_once(" \"")
            .and_then(|(command, rest)| Some((command, rest.split_once("\" ")?)))
        {
            Some((command, (query, rest))) => [command, query].into_iter().chain(rest.split(' ')).collect(),
            None => line.split(' ').collect(),
        };
        sandbox.ok(&arguments);
    }
}
