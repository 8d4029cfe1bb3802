//! What files would be taken for, without a lake.

use super::archive::member_of;
use super::hash::{Hashed, Hashes};
use super::room::Room;
use super::{Item, Progress, Reading, Sink, Stop, discover, read};
use crate::error::Result;
use crate::sources::SOURCES;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What a file, or a member of an archive, was recognised as.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Surveyed {
    /// Path of the file, with that of the member behind `!/`.
    pub path: String,
    /// Bytes of the file; none for a member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Lower-case hexadecimal SHA-256 of the file.
    pub sha256: String,
    /// Records by what they are, and why.
    pub records: Vec<Recognised>,
    /// Records of the audit log that these carry, which would be events of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub derived: Vec<Recognised>,
    /// Records that would be rejected: why, and how many.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rejected: BTreeMap<String, u64>,
    /// Recognised, but no events by their nature: why, and how many.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub skipped: BTreeMap<String, u64>,
    /// What is wrong with the file itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Records of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recognised {
    /// How many.
    pub count: u64,
    /// The name of the format, as events keep it in `source_format`.
    pub format: &'static str,
    /// The keys by which its records are told.
    pub by: &'static str,
    /// Of which dataset they are.
    pub dataset: String,
}

/// Reads files as an ingest would, with so many bytes of memory, and stores nothing.
pub async fn survey(
    paths: &[String],
    memory_limit: u64,
    threads: usize,
    unwrap: bool,
    progress: Arc<dyn Progress>,
    stop: Stop,
) -> Result<Vec<Surveyed>> {
    let files = discover::discover(paths).await?;
    let mut survey = Survey {
        origins: vec![Surveyed::default(); files.len()],
        hashes: Hashes::default(),
        counts: BTreeMap::new(),
        members: vec![Vec::new(); files.len()],
    };
    let reading = Reading {
        files,
        ledger: HashMap::new(),
        threads: threads.max(1),
        room: Room::within(memory_limit),
        unwrap,
    };
    read(reading, progress, stop, &mut survey).await?;
    let origins = &mut survey.origins;
    let tell = |origin: usize, hashed: &Hashed| origins[origin].hashed(hashed);
    survey.hashes.settle(tell).await?;
    Ok(survey.finish())
}

impl Surveyed {
    fn hashed(&mut self, hashed: &Hashed) {
        self.sha256 = hashed.sha256.to_string();
        self.size = self.size.map(|_| hashed.size);
    }
}

struct Survey {
    /// Files, then members of archives as they came.
    origins: Vec<Surveyed>,
    hashes: Hashes,
    /// Events by origin, whether they are derived, format and dataset.
    counts: BTreeMap<(usize, bool, u8, String), u64>,
    /// Members by file.
    members: Vec<Vec<usize>>,
}

impl Sink for Survey {
    async fn take(&mut self, item: Item) -> Result<()> {
        match item {
            Item::Begin { file, path, size, hash } => {
                self.hashes.file(file, hash);
                self.origins[file] = Surveyed {
                    path,
                    size: Some(size),
                    ..Surveyed::default()
                };
            }
            Item::Member { file, member } => {
                self.members[file].push(self.origins.len());
                self.hashes.member(self.origins.len());
                self.origins.push(Surveyed {
                    path: member_of(&self.origins[file].path, &member),
                    ..Surveyed::default()
                });
            }
            Item::Parsed(parsed, _) => {
                let origin = parsed.place.origin;
                for batch in &parsed.batches {
                    for meta in &batch.meta {
                        let key = (origin, meta.derived, meta.format, batch.dataset.clone());
                        *self.counts.entry(key).or_default() += 1;
                    }
                }
                let surveyed = &mut self.origins[origin];
                for rejected in &parsed.rejected {
                    *surveyed.rejected.entry(rejected.reason.kind()).or_default() += 1;
                }
                for (why, count) in &parsed.skipped {
                    *surveyed.skipped.entry((*why).to_owned()).or_default() += count;
                }
            }
            Item::Problem { problem, .. } => self.origins[problem.origin].problem = Some(problem.text),
            Item::End { .. } => {}
            Item::Unreadable { file, path, problem } => {
                self.origins[file] = Surveyed {
                    path,
                    problem: Some(problem),
                    ..Surveyed::default()
                };
            }
            // Without a ledger, none is known.
            Item::Known { .. } => {}
        }
        Ok(())
    }
}

impl Survey {
    /// Files in their order, each followed by its members.
    fn finish(mut self) -> Vec<Surveyed> {
        for ((origin, derived, format, dataset), count) in self.counts {
            let source = SOURCES[usize::from(format)];
            let origin = &mut self.origins[origin];
            let records = if derived {
                &mut origin.derived
            } else {
                &mut origin.records
            };
            records.push(Recognised {
                count,
                format: source.name(),
                by: source.recognised_by(),
                dataset,
            });
        }
        let order = self.members.iter().enumerate();
        let order =
            order.flat_map(|(file, members)| std::iter::once(&file).chain(members).copied().collect::<Vec<_>>());
        order.map(|origin| std::mem::take(&mut self.origins[origin])).collect()
    }
}
