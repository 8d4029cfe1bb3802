//! Events against the files they came from.

use super::lookup;
use super::{EventEvidence, StoredEvent};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::ingest::{Original, Reread, Stop, Wanted, member_within, places};
use chrono::DateTime;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Whether the file of an event still says what the lake says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// The file has the hash it had, and the record is where it was.
    Verified,
    /// The file has another hash.
    FileChanged,
    /// The file is not where it was, or cannot be read.
    FileNotReachable,
    /// The file has the hash it had, but what lies at the position is not the record.
    RecordNotFound,
}

impl Status {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::FileChanged => "file changed",
            Self::FileNotReachable => "file not reachable",
            Self::RecordNotFound => "record not found at its position",
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What came of verifying an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// In a word.
    pub status: Status,
    /// More about it.
    pub detail: String,
    /// SHA-256 of the file now; none where it cannot be read.
    pub sha256_now: Option<String>,
}

/// An event and the file that is to have it.
struct Case {
    event: StoredEvent,
    raw: Arc<str>,
    ledger: Option<Map<String, Value>>,
}

/// What came of it, the bytes of a record that was verified, and the file that was read.
type Verified = (Verification, Option<Vec<u8>>, String);

/// Reads each file once, however many of the events it has.
pub(super) async fn verified(
    engine: &Engine,
    found: Vec<(StoredEvent, String)>,
    stop: &Stop,
) -> Result<Vec<EventEvidence>> {
    let hashes = found.iter().map(|(event, _)| event.source_sha256.as_str()).collect();
    let ledger = lookup::ledger(engine, hashes).await?;
    let cases: Vec<Case> = found
        .into_iter()
        .map(|(event, raw)| Case {
            ledger: row_of(&event, &ledger),
            event,
            raw: raw.into(),
        })
        .collect();
    let mut by_file: BTreeMap<(String, String), Vec<(usize, String)>> = BTreeMap::new();
    for (index, case) in cases.iter().enumerate() {
        let (file, member) = place(&case.event, case.ledger.as_ref()).await;
        let of_file = by_file.entry((file, case.event.source_sha256.clone())).or_default();
        of_file.push((index, member));
    }
    let mut verifications: Vec<Option<Verified>> = vec![None; cases.len()];
    for ((file, sha256), members) in by_file {
        let wanted: Vec<Wanted> = members
            .iter()
            .map(|(index, member)| Wanted {
                member: member.clone(),
                position: position(&cases[*index].event),
                raw: Arc::clone(&cases[*index].raw),
            })
            .collect();
        let reread = reread(&file, wanted, stop).await?;
        for (place, (index, _)) in members.iter().enumerate() {
            let (verification, original) = judged(&reread, place, &sha256);
            verifications[*index] = Some((verification, original, file.clone()));
        }
    }
    let events = cases.into_iter().zip(verifications).map(|(case, verification)| {
        let (verification, original, file) =
            verification.ok_or_else(|| Error::Internal("an event was not verified".to_owned()))?;
        Ok(EventEvidence {
            event: case.event,
            raw: case.raw.as_ref().to_owned(),
            ledger: case.ledger,
            verification,
            original,
            file,
        })
    });
    events.collect()
}

/// Behind the end of any file where it is not known.
fn position(event: &StoredEvent) -> u64 {
    let known = event.source_position.map(u64::try_from);
    known.and_then(Result::ok).unwrap_or(u64::MAX)
}

/// What the ledger has of the file of an event: of the ingest that stored it, which wrote the row
/// when it was done with the file, else the newest.
fn row_of(event: &StoredEvent, ledger: &BTreeMap<String, Vec<Map<String, Value>>>) -> Option<Map<String, Value>> {
    let text = |row: &Map<String, Value>, name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
    let of_file = |row: &&Map<String, Value>| {
        text(row, "source_file").is_some_and(|file| member_within(&event.source_file, &file).is_some())
    };
    let rows: Vec<&Map<String, Value>> = ledger.get(&event.source_sha256)?.iter().filter(of_file).collect();
    let written = |row: &Map<String, Value>| {
        let time = DateTime::parse_from_rfc3339(&text(row, "ingested")?).ok()?;
        Some(time.timestamp_micros())
    };
    let first_after = rows.iter().rev().find(|row| written(row) >= event.event_ingested);
    first_after.or(rows.first()).map(|row| (*row).clone())
}

/// The file of an event, and the member in it. Without the ledger, the first that is there.
async fn place(event: &StoredEvent, ledger: Option<&Map<String, Value>>) -> (String, String) {
    let named = ledger.and_then(|row| row.get("source_file")).and_then(Value::as_str);
    if let Some(file) = named
        && let Some(member) = member_within(&event.source_file, file)
    {
        return (file.to_owned(), member.to_owned());
    }
    for (file, member) in places(&event.source_file) {
        if Original::at(&file).await.is_ok() {
            return (file, member);
        }
    }
    (event.source_file.clone(), String::new())
}

/// What the file has now, or why it cannot be read.
async fn reread(file: &str, wanted: Vec<Wanted>, stop: &Stop) -> Result<Result<Reread, String>> {
    let original = match Original::at(file).await {
        Ok(original) => original,
        Err(problem) => return Ok(Err(format!("{file}: {problem}"))),
    };
    let for_reading = Arc::clone(stop);
    let read = tokio::task::spawn_blocking(move || original.open()?.reread(&wanted, &for_reading));
    let read = read
        .await
        .map_err(|error| Error::Internal(format!("reading {file} ended: {error}")))?;
    // What was not read to its end proves nothing.
    if stop.load(Ordering::Relaxed) {
        return Err(Error::Interrupted);
    }
    Ok(read.map_err(|problem| format!("{file}: {problem}")))
}

fn judged(reread: &Result<Reread, String>, place: usize, sha256: &str) -> (Verification, Option<Vec<u8>>) {
    let read = match reread {
        Ok(read) => read,
        Err(problem) => {
            let verification = Verification {
                status: Status::FileNotReachable,
                detail: problem.clone(),
                sha256_now: None,
            };
            return (verification, None);
        }
    };
    let record = read.records.get(place).and_then(Option::as_ref);
    let (status, detail) = match (read.sha256 == sha256, record) {
        (true, Some(record)) => (
            Status::Verified,
            format!(
                "the file has the hash it had, and its {} bytes at the position give the record",
                record.len()
            ),
        ),
        (true, None) => {
            let problem = read.problem.as_ref().map(|problem| format!(" ({problem})"));
            (
                Status::RecordNotFound,
                format!(
                    "the file has the hash it had, but what lies at the position does not give the record{}",
                    problem.unwrap_or_default()
                ),
            )
        }
        (false, record) => (
            Status::FileChanged,
            format!(
                "its SHA-256 is {} now; the record is {} its position",
                read.sha256,
                if record.is_some() { "still at" } else { "not at" }
            ),
        ),
    };
    let verification = Verification {
        status,
        detail,
        sha256_now: Some(read.sha256.clone()),
    };
    let original = record.filter(|_| status == Status::Verified).cloned();
    (verification, original)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_its_word() {
        let reread = |sha256: &str, record: Option<&[u8]>| {
            Ok(Reread {
                sha256: sha256.to_owned(),
                records: vec![record.map(<[u8]>::to_vec)],
                problem: None,
            })
        };
        let word = |read: &Result<Reread, String>| {
            let (verification, original) = judged(read, 0, "a");
            assert_eq!(original.is_some(), verification.status == Status::Verified);
            verification.status.as_str()
        };
        assert_eq!(word(&reread("a", Some(b"x"))), "verified");
        assert_eq!(word(&reread("a", None)), "record not found at its position");
        assert_eq!(word(&reread("b", Some(b"x"))), "file changed");
        assert_eq!(word(&reread("b", None)), "file changed");
        assert_eq!(word(&Err("gone".to_owned())), "file not reachable");
    }
}
