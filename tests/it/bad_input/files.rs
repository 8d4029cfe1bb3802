//! Whole files: brackets, quotes and lines without end, records without number.

use super::{MEMORY_MB, ingested, line};
use crate::sandbox::Sandbox;
use serde_json::Value;
use std::io::Write as _;

#[test]
fn brackets_without_end() {
    let million = 1 << 20;
    for (text, words) in [
        ("[".repeat(2 * million), "holds no records"),
        ("{".repeat(2 * million), "nested deeper"),
        ("{\"a\":".repeat(million), "nested deeper"),
        (format!("{{\"a\":{}", "[".repeat(2 * million)), "nested deeper"),
        ("]".repeat(million), "neither JSON nor delimited text"),
    ] {
        let found = ingested(&text);
        assert_eq!(found.counts, [1, 0, 0, 1], "{}", &text[..8]);
        assert!(found.says(words), "{}: {:?}", &text[..8], found.quarantine());
    }
    let found = ingested("{\"a\":".to_owned() + &"[".repeat(million) + "\n" + &line("a"));
    assert_eq!(found.counts, [2, 1, 0, 1], "the line behind them is a record");
}

/// Takes minutes: `cargo test --test it --release -- --ignored a_hundred_million`.
#[test]
#[ignore = "takes minutes"]
fn a_hundred_million_brackets() {
    for bracket in ["[", "{", "{\"a\":["] {
        let found = ingested(bracket.repeat(100_000_000 / bracket.len()));
        assert_eq!(found.counts, [1, 0, 0, 1]);
    }
}

#[test]
fn an_array_that_is_never_closed_gives_its_records() {
    let text = format!(
        "[{}",
        (0..50).map(|id| line(&id.to_string())).collect::<Vec<_>>().join(",")
    );
    assert_eq!(ingested(&text).counts, [50, 50, 0, 0]);
    assert_eq!(
        ingested(&text[..text.len() - 40]).counts,
        [50, 49, 0, 1],
        "the last one is cut off"
    );
}

#[test]
fn line_ends_and_marks_of_every_kind() {
    let lines: Vec<String> = (0..5).map(|id| line(&id.to_string()).trim_end().to_owned()).collect();
    for separator in ["\r", "\r\n", "\n\u{feff}", "\u{feff}", "\0\0\0", ",\r,\r", ""] {
        assert_eq!(ingested(lines.join(separator)).counts, [5, 5, 0, 0], "{separator:?}");
    }
}

/// A record in every other byte: each takes memory of its own, in a chunk and in quarantine.
#[test]
fn records_without_number() {
    let half = 60_000;
    for (text, records) in [
        ("{\n".repeat(half), half),
        (format!("[1{}]", ",1".repeat(half)), half + 1),
    ] {
        let found = ingested(text);
        let records = records as u64;
        assert_eq!(found.counts, [records, 0, 0, records]);
        let path = found.sandbox.path("in").display().to_string();
        assert_eq!(found.sandbox.ingest(&["--again", &path]), [records, 0, 0, records]);
        let kept = found.sandbox.sql("SELECT count(*) AS n FROM quarantine");
        assert_eq!(kept[0]["n"], records, "kept once");
    }
}

/// Takes minutes. Held at once, so many would take some 10 GB.
#[test]
#[ignore = "takes minutes"]
fn twenty_million_records() {
    let found = ingested("{\n".repeat(20_000_000));
    assert_eq!(found.counts, [20_000_000, 0, 0, 20_000_000]);
}

#[test]
fn a_row_of_a_hundred_thousand_columns() {
    let wide = ["1"; 100_000].join(",");
    let found = ingested(format!("AuditData,b\n{wide}\nx,y\n"));
    assert_eq!(found.counts, [2, 0, 0, 2]);
    assert!(found.says("100000 fields under 2 columns"), "{:?}", found.quarantine());
    let names = (0..100_000).map(|n| format!("c{n}")).collect::<Vec<_>>().join(",");
    let found = ingested(format!("{names}\n{wide}\n"));
    assert_eq!(found.counts, [1, 0, 0, 1]);
}

#[test]
fn a_quote_that_is_never_closed() {
    let found = ingested(format!("AuditData,b\n1,2\n\"{}\n3,4\n", "x".repeat(50_000_000)));
    assert_eq!(found.counts, [3, 0, 0, 3], "the row behind it is a row");
    assert!(found.says("a quoted field is not closed"), "{:?}", found.quarantine());
    let kept: Vec<u64> = found
        .quarantine()
        .iter()
        .map(|row| row["bytes"].as_u64().unwrap())
        .collect();
    assert_eq!(kept, [3, 1 << 20, 3], "of a long record, the first");
}

#[test]
fn rejected_records_of_a_megabyte_wait_for_no_commit() {
    let long = format!("{{\"a\":\"{}\"}}\n", "x".repeat(1 << 20));
    let found = ingested(long.repeat(40));
    assert_eq!(found.counts, [40, 0, 0, 40]);
    assert!(found.quarantine().iter().all(|row| row["bytes"] == 1 << 20));
}

/// One record, longer than most files, through a file that is never in memory as a whole here.
fn long_record(megabytes: usize, memory_mb: u64) {
    let sandbox = Sandbox::new();
    let record = line("long");
    let (head, tail) = record.split_at(record.len() - 2);
    let path = sandbox.file("in", "");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    write!(file, "{}{head},\"Note\":\"", line("a")).unwrap();
    let piece = vec![b'x'; 1 << 20];
    (0..megabytes).for_each(|_| file.write_all(&piece).unwrap());
    write!(file, "\"{tail}{}", line("b")).unwrap();
    drop(file);
    let run = sandbox.run_within(memory_mb, &["ingest", "--format", "json", &path]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let kept = megabytes < 256;
    assert_eq!(
        (run.code, report["read"].as_u64()),
        (if kept { 0 } else { 3 }, Some(3)),
        "{report}"
    );
    assert_eq!(report["stored"], if kept { 3 } else { 2 });
    if kept {
        let length = sandbox.sql("SELECT max(octet_length(raw)) AS n FROM events");
        assert!(length[0]["n"].as_u64().unwrap() > megabytes as u64 * (1 << 20));
        sandbox.ok(&["sql", "SELECT event.id, left(raw, 10) FROM events"]);
    } else {
        let rejected = sandbox.sql("SELECT reason, length(encode(record, 'hex')) / 2 AS n FROM quarantine");
        assert_eq!(rejected[0]["n"], 1 << 20);
        assert!(
            rejected[0]["reason"].as_str().unwrap().contains("longer than 256 MB"),
            "{rejected:?}"
        );
    }
}

#[test]
fn a_record_of_20_megabytes_is_an_event() {
    long_record(20, MEMORY_MB);
}

#[test]
#[ignore = "takes half a minute without optimisation"]
fn a_record_of_200_megabytes_is_an_event_and_one_of_300_is_not() {
    long_record(200, 4000);
    long_record(300, 4000);
}
