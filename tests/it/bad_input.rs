//! What a hostile or a careless sender may send: a stated outcome for each, never a crash, nothing
//! lost, and memory that does not grow with the damage.

mod files;
mod packed;
mod records;

use crate::sandbox::Sandbox;
use serde_json::{Value, json};

/// Memory of an ingest of anything, in MB of address space. The program takes some 400 of it to
/// start, and more with each core: what counts is that no file of a few MB makes it need gigabytes.
const MEMORY_MB: u64 = 1500;

/// A record of the Management Activity API.
fn record(id: &str, more: Value) -> Value {
    let mut record = json!({
        "CreationTime": "2026-03-01T08:00:00", "Id": id, "Operation": "MailItemsAccessed", "OrganizationId": "0F00",
        "RecordType": 50, "UserKey": "k", "UserType": 0, "Version": 1, "Workload": "Exchange",
        "UserId": "ann@contoso.example",
    });
    let more = more.as_object().cloned().unwrap_or_default();
    record.as_object_mut().unwrap().extend(more);
    record
}

fn line(id: &str) -> String {
    format!("{}\n", record(id, json!({})))
}

/// What became of a file.
struct Outcome {
    sandbox: Sandbox,
    /// Read, stored, duplicate, rejected.
    counts: [u64; 4],
    /// Why records were rejected, and what is wrong with the file.
    reasons: Vec<String>,
    problem: String,
}

impl Outcome {
    /// The rows of quarantine, in the order of the file.
    fn quarantine(&self) -> Vec<Value> {
        self.sandbox.sql(
            "SELECT source_file, source_position, reason, length(encode(record, 'hex')) / 2 AS bytes FROM quarantine \
             ORDER BY source_file, source_position",
        )
    }

    /// One of the reasons, or the problem of the file, holds these words.
    fn says(&self, words: &str) -> bool {
        let rows = self.quarantine();
        let mut said = rows.iter().map(|row| row["reason"].as_str().unwrap());
        said.any(|reason| reason.contains(words)) || self.problem.contains(words)
    }
}

/// Ingests a file with bounded memory. Whatever is in it, the command ends by itself, says so in
/// its exit code, accounts for every record, keeps what it rejects, and leaves a lake that can be
/// asked.
#[track_caller]
fn ingested(content: impl AsRef<[u8]>) -> Outcome {
    let sandbox = Sandbox::new();
    let path = sandbox.file("in", content);
    let run = sandbox.run_within(MEMORY_MB, &["ingest", "--format", "json", &path]);
    assert!([0, 3].contains(&run.code), "{}", run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stdout));
    let counts = ["read", "stored", "duplicate", "rejected"].map(|name| report[name].as_u64().unwrap());
    let [read, stored, duplicate, rejected] = counts;
    assert_eq!(read, stored + duplicate + rejected);
    assert_eq!(run.code == 3, rejected > 0 || report["bad_files"] != 0, "{report}");
    let reasons = report["reasons"].as_object().unwrap().keys().cloned().collect();
    let problem = report["details"][0]["problem"].as_str().unwrap_or_default().to_owned();
    let outcome = Outcome {
        sandbox,
        counts,
        reasons,
        problem,
    };
    assert_eq!(outcome.sandbox.sql("SELECT count(*) AS n FROM events")[0]["n"], stored);
    let kept = outcome.sandbox.sql("SELECT count(*) AS n FROM quarantine")[0]["n"]
        .as_u64()
        .unwrap();
    assert!(
        kept >= rejected,
        "{rejected} rejected, {kept} kept: {:?}",
        outcome.reasons
    );
    outcome
}
