//! Other programs read the lake and see what we see: the tables are open ones.

use crate::sandbox::{Sandbox, repository};
use crate::stores::servers::python_readers;
use serde_json::{Value, json};
use std::process::Command;

/// The columns of a row, in order.
fn cells(rows: &[Value]) -> Vec<Value> {
    rows.iter()
        .map(|row| row.as_object().unwrap().values().cloned().collect())
        .collect()
}

#[test]
fn deltalake_polars_and_duckdb_read_what_we_read() {
    let sandbox = Sandbox::new();
    let contoso = repository("data/contoso");
    // In two commits, so that a version is not simply all there is in the folder.
    sandbox.ingest(&[&format!("{contoso}/PT1H.json")]);
    sandbox.ingest(&[&contoso]);
    // What is no longer, or not yet, in the table is not read.
    std::fs::copy(
        repository("data/README.md"),
        sandbox.path("lake/events/event_dataset=o365.audit/day=2026-03-05/left-over.parquet"),
    )
    .unwrap();
    let ours = json!({
        "events": cells(&sandbox.sql(
            "SELECT event_dataset, count(*) AS n, CAST(min(timestamp) AS BIGINT) AS first, \
             CAST(max(timestamp) AS BIGINT) AS last, \
             count(*) FILTER (WHERE event_action = 'MailItemsAccessed') AS some, \
             count(*) FILTER (WHERE array_has(event_category, 'web')) AS category, \
             coalesce(CAST(sum(array_length(o365_audit_parameters)) AS BIGINT), 0) AS parameters \
             FROM events GROUP BY event_dataset ORDER BY event_dataset",
        )),
        "days": sandbox.sql("SELECT count(DISTINCT day) AS n FROM events")[0]["n"],
        "quarantine": cells(&sandbox.sql(
            "SELECT count(*) AS n, CAST(sum(length(encode(record, 'hex'))) / 2 AS BIGINT) AS bytes FROM quarantine",
        ))[0],
        "ledger": cells(&sandbox.sql(
            "SELECT count(*) AS n, sum(read) AS read, CAST(sum(array_length(formats)) AS BIGINT) AS formats FROM ledger",
        ))[0],
    });
    let audit = ours["events"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row[0] == "o365.audit");
    let audit = audit.unwrap().as_array().unwrap();
    assert!(
        audit[4..].iter().all(|count| count.as_i64().unwrap() > 0),
        "nothing would be compared: {ours}"
    );
    let output = Command::new(python_readers())
        .arg(repository("tests/it/readers.py"))
        .arg(sandbox.path("lake"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs: Value = serde_json::from_slice(&output.stdout).unwrap();
    for reader in ["deltalake", "polars", "duckdb"] {
        assert_eq!(theirs[reader], ours, "{reader}");
    }
}
