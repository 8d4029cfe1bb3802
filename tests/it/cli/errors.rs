//! Every error that a user can cause: its message, what to do about it, its exit code.

use super::{codes, compare, said, tiny_lake, transcript};
use crate::sandbox::Sandbox;
use std::collections::BTreeSet;
use std::process::Stdio;

#[test]
fn wrong_usage() {
    let sandbox = Sandbox::new();
    sandbox.file("a_file", "text");
    let lines: [&[&str]; 39] = [
        &[],
        &["huntt"],
        &["hunt", "--bogus"],
        &["ingest"],
        &["ingest", "[", "--lake", "l"],
        &["ingest", "a_file", "--format", "csv"],
        &["ingest", "a_file", "--lake", "a_file"],
        &["sql", "SELECT 1", "--lake", "a_file"],
        &["sql", "SELECT 1", "--lake", "gs://bucket/lake"],
        &["sql", "SELECT 1", "--lake", ""],
        &["sql", "SELECT 1", "--file", "q.sql"],
        &["sql", "SELECT 1", "--format", "xml"],
        &["sql", "SELECT 1", "--memory-limit", "lots"],
        &["sql", "SELECT 1", "--memory-limit", "2 parsecs"],
        &["sql", "SELECT 1", "--memory-limit", "1MB"],
        &["sql", "SELECT 1", "--threads", "0"],
        &["sql", "SELECT 1", "--threads", "many"],
        &["hunt", "--from", "soon"],
        &["hunt", "--to", "2026-13-01"],
        &["hunt", "--from", "2026-03-02", "--to", "2026-03-01"],
        &["hunt", "--from", "2026-03-01", "--to", "2026-03-01"],
        &["hunt", "suspicious_sorce"],
        &["hunt", "nothing_like_it"],
        &["hunt", "--detections", "missing"],
        &["hunt", "--detections", "a_file"],
        &["detections", "show", "suspicious"],
        &["functions", "cidr"],
        &["functions", "zzz"],
        &["completions", "tcsh"],
        &["mailbox"],
        &["mailbox", "ann@contoso.example", "--session", "s"],
        &["mailbox", "ann@contoso.example", "--from", "soon"],
        &[
            "mailbox",
            "ann@contoso.example",
            "--from",
            "2026-03-02",
            "--to",
            "2026-03-01",
        ],
        &["mailbox", "ann@contoso.example", "--out", "folder"],
        &["mailbox", "ann@contoso.example", "--format", "jsonl"],
        &["mailbox", "--address", "nowhere"],
        &["mailbox", "--message-id", ""],
        &["mailbox", "--app-id", "  "],
        &["mailbox", ""],
    ];
    let text = transcript(&sandbox, lines);
    assert_eq!(codes(&text), BTreeSet::from(["[2]"]));
    compare("errors_wrong_usage", &text);
}

#[test]
fn what_is_not_there() {
    let sandbox = Sandbox::new();
    sandbox.file("a_file", "text");
    sandbox.file("full/there.csv", "");
    let lines: [&[&str]; 10] = [
        &["sql", "SELECT 1"],
        &["hunt", "--lake", "elsewhere"],
        &["mailbox", "ann@contoso.example"],
        &["ingest", "missing.json"],
        &["ingest", "logs/*.json"],
        &["sql", "--file", "missing.sql"],
        &["mailbox", "ann@contoso.example", "--format", "csv", "--out", "a_file"],
        &["mailbox", "ann@contoso.example", "--format", "csv", "--out", "full"],
        &["demo", "--dir", "a_file"],
        &["demo", "--output", "missing/alerts.csv"],
    ];
    compare("errors_not_there", &transcript(&sandbox, lines));
    assert!(
        !sandbox.path("retrohunt-demo").exists(),
        "the output is looked at before the work"
    );
}

#[test]
fn input_that_is_rejected() {
    let sandbox = Sandbox::new();
    sandbox.file("logs/empty.json", "");
    sandbox.file("logs/notes.txt", "hello\n");
    sandbox.file("logs/other.json", "{\"a\":1}\n");
    let secret = sandbox.file("secret/log.json", "{}");
    let mut text = transcript(&sandbox, [&["ingest", "logs"][..], &["ingest", "logs"]]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o000)).unwrap();
        // Root reads everything.
        if std::fs::read(&secret).is_err() {
            let run = sandbox.run(&["ingest", "secret"]);
            assert_eq!(run.code, 3);
            assert!(
                run.stdout.contains("[FOLDER]/secret/log.json: Permission denied"),
                "{run:?}"
            );
        }
        symlink("nowhere", sandbox.path("loose_end")).unwrap();
        text += &said(&sandbox, &["ingest", "loose_end"]);
    }
    compare("errors_rejected", &text);
}

#[test]
fn sql() {
    let sandbox = tiny_lake();
    let queries = [
        // Syntax.
        "",
        "SELEC 1",
        "SELECT event.action\nFROM events\nWHERE",
        "SELECT 'abc",
        "SELECT * FROM (SELECT 1",
        // Names.
        "SELECT event.acton FROM events",
        "SELECT event.action\nFROM events\nWHERE evnt.action = 'x'",
        "SELECT event_acton FROM events",
        "SELECT foo.bar FROM events",
        "SELECT * FROM event",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_parquet('/etc/passwd')",
        "SELECT user.name FROM ledger",
        "SELECT nothing_like_it FROM ledger",
        "SELECT raw FROM quarantine",
        "SELECT ingested FROM events",
        "SELECT AccountObjectIt FROM events",
        "SELECT event.id FROM events WHERE event.action = \"New-InboxRule\"",
        "SELECT event.id FROM events WHERE user.id = \"ann@contoso.example\"",
        "SELECT user FROM events",
        "SELECT x.action FROM events AS e",
        "SELECT cidr_mtch(source.ip, '10.0.0.0/8') FROM events",
        "DESCRIBE nope",
        // Nothing can be changed.
        "DROP TABLE events",
        "CREATE TABLE t AS SELECT 1",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "INSERT INTO events VALUES (1)",
        "DELETE FROM events",
        "UPDATE events SET day = 1",
        "COPY events TO 'x.csv'",
        "SET datafusion.execution.batch_size = 1",
        "SHOW ALL",
        "SELECT 1; SELECT 2",
        "EXPLAIN DELETE FROM events",
        "SELECT 1 INTO t",
        // Types.
        "SELECT cidr_match(source.ip, '10.0.0.0/99') FROM events",
        "SELECT cidr_match(source.ip) FROM events",
        "SELECT upper(1, 2)",
        "SELECT sum(event.action) FROM events",
        "SELECT event.action + 1 FROM events",
        "SELECT timestamp - 1 FROM events",
        "SELECT * FROM events WHERE event.action",
        "SELECT * FROM events WHERE event.category > 'a'",
        "SELECT * FROM events WHERE event.category LIKE 1",
        "SELECT event.action, count(*) FROM events",
        "SELECT 1 UNION SELECT 1, 2",
        "SELECT event.action FROM events LIMIT -1",
        "SELECT event.action FROM events LIMIT 'a'",
        "SELECT $1",
        // Values.
        "SELECT 1 / 0",
        "SELECT CAST(event.action AS INT) FROM events",
        "SELECT event.action FROM events WHERE timestamp > 'soon'",
        "SELECT regexp_like(event.action, '(') FROM events",
        "SELECT date_trunc('centry', timestamp) FROM events",
        "SELECT (SELECT event.id FROM events)",
    ];
    let lines: Vec<[&str; 2]> = queries.iter().map(|query| ["sql", query]).collect();
    let text = transcript(&sandbox, lines.iter().map(|line| &line[..]));
    assert_eq!(codes(&text), BTreeSet::from(["[1]"]));
    compare("errors_sql", &text);

    let hungry = "SELECT cardinality(array_agg(value)) FROM generate_series(1, 20000000)";
    let run = sandbox.run(&["sql", hungry, "--memory-limit", "64MB"]);
    assert_eq!(run.code, 1);
    insta::assert_snapshot!(run.stderr, @"
    error: the query needs more memory than the limit allows for GROUP BY, DISTINCT or an aggregate

    hint: raise --memory-limit, lower --threads, or narrow the range
    ");
}

#[test]
fn a_lake_that_is_damaged() {
    let sandbox = tiny_lake();
    let data = glob::glob(&sandbox.path("lake/events/**/*.parquet").display().to_string());
    let data = data.unwrap().next().unwrap().unwrap();
    std::fs::remove_file(data).unwrap();
    let mut text = said(&sandbox, &["sql", "SELECT raw FROM events"]);
    let log = sandbox.path("lake/events/_delta_log/00000000000000000000.json");
    std::fs::write(log, "not a log").unwrap();
    text += &said(&sandbox, &["sql", "SELECT raw FROM events"]);
    // Parquet's paths begin without a slash.
    let folder = sandbox.path("").canonicalize().unwrap().display().to_string();
    let text = text.replace(folder.trim_start_matches('/'), "[FOLDER]");
    compare("errors_damaged_lake", &text);
}

#[test]
fn outputs_that_cannot_be_written() {
    let sandbox = tiny_lake();
    sandbox.file("kept.csv", "what was there\n");
    let lines: [&[&str]; 4] = [
        &["sql", "SELECT 1", "--format", "csv", "--output", "missing/x.csv"],
        &["sql", "SELECT 1", "--output", "lake"],
        &["hunt", "suspicious_source", "--output", "missing/x.csv"],
        &["sql", "SELECT nope FROM events", "--output", "kept.csv"],
    ];
    compare("errors_output", &transcript(&sandbox, lines));
    assert_eq!(
        std::fs::read_to_string(sandbox.path("kept.csv")).unwrap(),
        "what was there\n"
    );
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let sandbox = tiny_lake();
    let many = "SELECT value, 'some text to fill the pipe' AS text FROM generate_series(1, 100000)";
    let lines: [&[&str]; 6] = [
        &["sql", many, "--format", "table"],
        &["sql", many, "--format", "json"],
        &["sql", many, "--format", "jsonl"],
        &["sql", many, "--format", "csv"],
        &["sql", many, "--format", "parquet"],
        &["functions"],
    ];
    for line in lines {
        let mut command = sandbox.command(line);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line:?}: {stderr}");
        assert!(
            !stderr.contains("error") && !stderr.contains("panicked"),
            "{line:?}: {stderr}"
        );
    }
}

/// A header with what every detection needs, and then more.
fn header(id: &str, more: &str) -> String {
    format!(
        "/*---\nid = \"{id}\"\ntitle = \"t\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\n\
         attack = [\"TA0009/T1114\"]\nfalse_positives = [\"f\"]\ntriage = \"t\"\n{more}---*/\n"
    )
}

const WINDOW: &str = "interval = \"1h\"\nlookback = \"8h\"\nkey = [\"user.id\"]\n";

#[test]
fn detections_that_cannot_be_read() {
    let sandbox = tiny_lake();
    let write = |name: &str, text: String| sandbox.file(&format!("own/{name}.sql"), text);
    write("no_header", "SELECT user.id FROM events".into());
    write("no_end", "/*---\nid = \"no_end\"\n".into());
    write(
        "bad_toml",
        "/*---\nid = \"bad_toml\"\ntitle = t\n---*/\nSELECT 1 FROM events".into(),
    );
    write("wrong_id", header("other", "") + "SELECT user.id FROM events");
    write(
        "suspicious_source",
        header("suspicious_source", "") + "SELECT user.id FROM events",
    );
    write(
        "unknown_key",
        header("unknown_key", "severty = \"low\"\n") + "SELECT user.id FROM events",
    );
    write(
        "syntax",
        header("syntax", "") + "SELECT user.id\nFROM events\nWHERE = 1",
    );
    write("writes", header("writes", "") + "DELETE FROM events");
    write("counts", header("counts", "") + "SELECT count(*) FROM events");
    write(
        "key_not_given",
        header("key_not_given", WINDOW) + "SELECT source.ip FROM events",
    );
    write(
        "limit_below",
        header("limit_below", "") + "SELECT user.id\nFROM (SELECT * FROM events LIMIT 5) AS e",
    );
    // Runs, with warnings, whatever the others are.
    write(
        "good",
        header("good", "interval = \"1h\"\n") + "SELECT ActionType\nFROM CloudAppEvents",
    );
    sandbox.file("own/notes.txt", "not a detection");
    let lines: [&[&str]; 8] = [
        &["detections", "check", "--detections", "own"],
        &["detections", "list", "--detections", "own", "--format", "csv"],
        &["detections", "show", "good", "--detections", "own"],
        &["detections", "show", "counts", "--detections", "own"],
        &["hunt", "--detections", "own"],
        &["hunt", "good", "--detections", "own", "--format", "csv"],
        &["hunt", "good", "syntax", "--detections", "own"],
        &["hunt", "suspicious_source", "--detections", "own"],
    ];
    let text = transcript(&sandbox, lines);
    compare("errors_detections_unreadable", &text);
}

#[test]
fn detections_that_cannot_run() {
    let sandbox = tiny_lake();
    let write = |id: &str, more: &str, sql: &str| sandbox.file(&format!("own/{id}.sql"), header(id, more) + sql);
    let windowed = "SELECT user.id, array_agg(event.id) AS event_ids, count(*) AS event_count\nFROM events\n";
    write("own_field", "", "SELECT user.id\nFROM events\nWHERE event.acton = 'x'");
    write("own_column", "", "SELECT user.id\nFROM events\nWHERE event_acton = 'x'");
    write("own_table", "", "SELECT user.id\nFROM event");
    write(
        "own_function",
        "",
        "SELECT user.id\nFROM events\nWHERE cidr_mtch(source.ip, '10.0.0.0/8')",
    );
    write(
        "own_range",
        "",
        "SELECT user.id\nFROM events\nWHERE cidr_match(source.ip, '10.0.0.0/99')",
    );
    write(
        "own_type",
        "",
        "SELECT user.id\nFROM events\nWHERE event.action + 1 > 2",
    );
    write(
        "own_window",
        WINDOW,
        &format!("{windowed}WHERE event.acton = 'x' GROUP BY user.id"),
    );
    write(
        "own_window_column",
        WINDOW,
        &format!("{windowed}WHERE event_acton = 'x' GROUP BY user.id"),
    );
    write(
        "own_window_type",
        WINDOW,
        "SELECT user.id,\n    sum(event.action) AS n\nFROM events GROUP BY user.id",
    );
    write(
        "own_terms",
        "[new_terms]\nfields = [\"related.user\"]\nhistory = \"14d\"\n",
        "SELECT related.user\nFROM events",
    );
    write(
        "own_terms_typo",
        "[new_terms]\nfields = [\"related.uzer\"]\nhistory = \"14d\"\n",
        "SELECT related.user\nFROM events",
    );
    // Runs, with a warning.
    write(
        "own_limit",
        WINDOW,
        &format!("{windowed}GROUP BY user.id ORDER BY 1 LIMIT 1"),
    );
    // Only the values tell.
    write(
        "own_division",
        "",
        "SELECT user.id, 1 / (length(event.action) - 13) AS x\nFROM events",
    );
    let mut ids = vec![
        "own_field",
        "own_column",
        "own_table",
        "own_function",
        "own_range",
        "own_type",
        "own_window",
        "own_window_column",
        "own_terms",
        "own_terms_typo",
    ];
    ids.extend(["own_limit", "own_division"]);
    let hunt = [&["hunt", "--detections", "own"], ids.as_slice()].concat();
    compare(
        "errors_detections_failing",
        &transcript(&sandbox, [&["detections", "check", "--detections", "own"][..], &hunt]),
    );
}
