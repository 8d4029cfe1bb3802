//! Single records: numbers, times, texts, names.

use super::{Outcome, ingested, line, record};
use serde_json::{Value, json};

/// A record whose key `Note` has a value that `serde_json` would not write.
fn spelled(id: &str, value: &str) -> String {
    format!("{}\n", record(id, json!({"Note": "@"}))).replace("\"@\"", value)
}

#[test]
fn what_is_no_json_is_rejected_and_kept() {
    let values = [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999999",
        "-1e999999",
        "01",
        "1.",
        "\"\\ud800\"",
        "\"\\x41\"",
        "'a'",
    ];
    let bad = values.map(|value| spelled("bad", value));
    let text: String = bad
        .iter()
        .enumerate()
        .map(|(id, bad)| line(&id.to_string()) + bad)
        .collect();
    let found = ingested(&text);
    assert_eq!(found.counts, [20, 10, 0, 10], "{:?}", found.quarantine());
    assert_eq!(found.reasons, ["not valid JSON"]);
    for (row, bad) in found.quarantine().iter().zip(&bad) {
        assert_eq!(row["bytes"], bad.len() - 1, "{bad}");
        assert_eq!(row["source_position"], text.find(bad.as_str()).unwrap(), "{bad}");
    }
}

#[test]
fn invalid_utf8_costs_its_record_in_a_text_and_in_a_key() {
    let bytes = |text: String, bad: &[u8]| {
        let at = text.find('@').unwrap();
        [&text.as_bytes()[..at], bad, &text.as_bytes()[at + 1..]].concat()
    };
    for bad in [b"\xFF".as_slice(), b"\xC3\x28", b"\xED\xA0\x80", b"\xF0\x9F"] {
        let text = bytes(spelled("t", "\"@\"").replace("ann@", "ann"), bad);
        let key = bytes(spelled("k", "1").replace("ann@", "ann").replace("Note", "N@te"), bad);
        let found = ingested([text, key, line("a").into_bytes()].concat());
        assert_eq!(found.counts, [3, 1, 0, 2], "{bad:?}");
        assert!(
            found.says("invalid utf-8") || found.says("incomplete utf-8"),
            "{:?}",
            found.quarantine()
        );
    }
}

#[test]
fn numbers_that_a_column_cannot_hold_are_left_to_the_record() {
    let number = |id: &str, value: &str| {
        let document = format!(
            r#"{{"@timestamp":"2026-03-01T08:00:00Z","event":{{"id":"{id}","dataset":"d","risk_score":{value},"severity":{value},"duration":{value}}},"source":{{"port":{value},"geo":{{"location":{{"lat":{value}}}}}}}}}"#
        );
        document + "\n"
    };
    let values = [
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775809",
        "123456789012345678901234567890",
        "1e308",
        "-1e308",
        "1e-999",
        "0.1",
        "\"1e400\"",
        "\"NaN\"",
        "\"inf\"",
        "\"99999999999999999999\"",
    ];
    let text: String = values
        .iter()
        .enumerate()
        .map(|(at, value)| number(&at.to_string(), value))
        .collect();
    let found = ingested(text);
    assert_eq!(found.counts, [12, 12, 0, 0], "{:?}", found.reasons);
    let rows = found.sandbox.sql("SELECT * FROM events ORDER BY event.id");
    assert_eq!(rows.len(), 12);
    let sums = "SELECT sum(event.severity) AS s, max(event.risk_score) AS r, count(source.port) AS p FROM events \
                WHERE event.severity IS NULL OR event.severity > -1";
    found.sandbox.sql(sums);
    let raw = found.sandbox.sql("SELECT raw FROM events WHERE event.id = '3'");
    assert!(raw[0]["raw"].as_str().unwrap().contains(values[3]), "{raw:?}");
}

/// Times that no event has would stretch the lake over ten thousand years.
#[test]
fn times_at_the_ends_of_the_calendar() {
    let stored = ["1990-01-01T00:00:00", "2262-04-11T23:47:16", "2026-03-01T23:59:60"];
    let implausible = [
        "0000-01-01T00:00:00",
        "0001-01-01T00:00:00Z",
        "1989-12-31T23:59:59",
        "2262-04-12T00:00:00",
        "9999-12-31T23:59:59.9999999-23:59",
        "/Date(-62167219200000)/",
        "/Date(0)/",
    ];
    let unreadable = [
        "10000-01-01T00:00:00",
        "-0001-01-01T00:00:00",
        "2026-02-30T00:00:00",
        "2026-03-01T24:00:00",
        "2026-03-01T00:00:00+99:99",
        "1700000000",
        "99999999999999999999",
        "/Date(99999999999999999999)/",
        "",
    ];
    let all = stored.iter().chain(&implausible).chain(&unreadable).enumerate();
    let text: String = all
        .map(|(at, time)| format!("{}\n", record(&format!("{at:02}"), json!({"CreationTime": time}))))
        .collect();
    let numbers = [
        json!(9.3e18),
        json!(i64::MAX),
        json!(-1e300),
        json!([]),
        json!({"a": 1}),
    ];
    let numbers: String = numbers
        .iter()
        .enumerate()
        .map(|(at, time)| format!("{}\n", record(&format!("n{at}"), json!({"CreationTime": time}))))
        .collect();
    let found = ingested(text + &numbers);
    assert_eq!(found.counts, [24, 3, 0, 21], "{:?}", found.quarantine());
    let reasons = found
        .sandbox
        .sql("SELECT reason, count(*) AS n FROM quarantine GROUP BY ALL ORDER BY n");
    let of_reason = |row: &&Value| row["reason"].as_str().unwrap().contains("between 1990 and 2262");
    let counts = reasons.iter().filter(of_reason).map(|row| row["n"].as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), implausible.len() as u64, "{reasons:?}");
    can_be_asked(&found);
}

/// The years 0 and 9999 stand for "never". Functions of time cannot take them, so that the column
/// is left empty; the record has them.
#[test]
fn other_times_at_the_ends_of_the_calendar_are_left_to_the_record() {
    let document = |id: usize, time: &str| {
        json!({"@timestamp": format!("20{:02}-03-01T08:00:00Z", 26 + id), "event": {"id": id.to_string(), "dataset": "d",
            "created": time, "start": time, "end": time}})
    };
    let times = [
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59-23:59",
        "1969-12-31T23:59:59Z",
    ];
    let text: String = times
        .iter()
        .enumerate()
        .map(|(id, time)| format!("{}\n", document(id, time)))
        .collect();
    let found = ingested(text);
    assert_eq!(found.counts, [5, 5, 0, 0], "{:?}", found.quarantine());
    can_be_asked(&found);
    let rows = found
        .sandbox
        .sql("SELECT event.created AS c, date_trunc('day', event.created) AS d FROM events ORDER BY timestamp");
    let empty = |row: &&Value| row["c"].is_null() && row["d"].is_null();
    assert_eq!(rows.iter().filter(empty).count(), times.len() - 1, "{rows:?}");
    let raw = found
        .sandbox
        .sql("SELECT count(*) AS n FROM events WHERE raw LIKE '%9999-12-31T23:59:59%'");
    assert_eq!(raw[0]["n"], 2);
}

/// Queries, tables and a hunt over whatever was stored.
fn can_be_asked(found: &Outcome) {
    let sandbox = &found.sandbox;
    sandbox.ok(&["sql", "SELECT * FROM events ORDER BY timestamp"]);
    sandbox.sql("SELECT day, event.dataset, min(timestamp), max(timestamp) FROM events GROUP BY ALL ORDER BY 1");
    let detection =
        "/*---\nid = \"every\"\ntitle = \"t\"\nseverity = \"low\"\nrisk_score = 1\n---*/\nSELECT * FROM events";
    let windowed = "/*---\nid = \"many\"\ntitle = \"t\"\nseverity = \"low\"\nrisk_score = 1\ninterval = \"1d\"\nlookback = \"2d\"\n\
                    key = [\"a\"]\n---*/\nSELECT event.action AS a, count(*) AS n FROM events GROUP BY 1";
    sandbox.file("rules/every.sql", detection);
    sandbox.file("rules/many.sql", windowed);
    let run = sandbox.run(&["hunt", "--detections", "rules", "--format", "json"]);
    assert!([0, 2].contains(&run.code), "{run:?}");
}

#[test]
fn of_repeated_keys_the_first_counts() {
    let twice = line("first").replacen('{', "{\"Id\":\"zero\",", 1);
    let found = ingested(twice.clone() + &twice);
    assert_eq!(found.counts, [2, 1, 1, 0]);
    let row = &found.sandbox.sql("SELECT event.id AS id, raw FROM events")[0];
    assert_eq!(
        (row["id"].as_str(), row["raw"].as_str()),
        (Some("zero"), Some(twice.trim_end()))
    );
}

/// A dataset is the name of a folder, and comes from the record.
#[test]
fn a_dataset_that_is_a_path_stays_in_the_lake() {
    let long = "d".repeat(5_000_000);
    let names = [
        "../../x",
        "/etc/passwd",
        "..",
        ".",
        " ",
        "a\u{0}b",
        "a\nb",
        "x=y",
        "a%2Fb",
        "__HIVE_DEFAULT_PARTITION__",
        "'",
        "é",
        &long,
    ];
    let text: String = names
        .iter()
        .enumerate()
        .map(|(id, name)| {
            let event = json!({"id": id.to_string(), "dataset": name});
            format!("{}\n", json!({"@timestamp": "2026-03-01T08:00:00Z", "event": event}))
        })
        .collect();
    let found = ingested(&text);
    assert_eq!(found.counts, [13, 13, 0, 0]);
    let rows = found
        .sandbox
        .sql("SELECT event.dataset AS d FROM events WHERE length(event.dataset) < 99 ORDER BY cast(event.id AS int)");
    let stored: Vec<&str> = rows.iter().map(|row| row["d"].as_str().unwrap()).collect();
    assert_eq!(stored, &names[..12]);
    let one = found
        .sandbox
        .sql("SELECT event.id AS id FROM events WHERE event.dataset = '../../x'");
    assert_eq!(one, [json!({"id": "0"})]);
    let mut outside = vec![];
    for entry in std::fs::read_dir(found.sandbox.path("")).unwrap() {
        outside.push(entry.unwrap().file_name());
    }
    outside.sort();
    assert_eq!(outside, ["in", "lake"]);
    let path = found.sandbox.path("in").display().to_string();
    assert_eq!(
        found.sandbox.ingest(&["--again", &path]),
        [13, 0, 13, 0],
        "known by their partitions"
    );
}

#[test]
fn an_id_of_megabytes_is_an_id() {
    let id = "i".repeat(10_000_000);
    let found = ingested(line(&id) + &format!("{}\n", record(&id, json!({"X": 1}))));
    assert_eq!(found.counts, [2, 1, 0, 1]);
    let length = "SELECT length(event.id) AS n FROM events";
    assert_eq!(found.sandbox.sql(length), [json!({"n": 10_000_000})]);
    let reason: Value = found.quarantine()[0]["reason"].clone();
    assert!(reason.as_str().unwrap().len() < 400, "nobody reads an id of megabytes");
}
