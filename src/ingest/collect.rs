//! Parsed chunks, in the order of the input, to counts and commits.

use super::archive::member_of;
use super::batch::EventBatch;
use super::commit::Committer;
use super::dedup::{Partition, Verdict};
use super::hash::{Hashed, Hashes};
use super::near::Near;
use super::parse::{Parsed, Rejected, kept};
use super::pending::{Origin, Pending};
use super::repeats::Repeats;
use super::report::{FileReport, IngestReport};
use super::{Item, Place, Problem, Sink};
use crate::error::{Error, Result};
use crate::schema::{EVENT_ID, RAW};
use crate::sources::{Rejection, SOURCES};
use std::collections::{BTreeMap, HashMap};

/// Part of the memory limit that waiting events may fill; writing them takes the rest.
const PENDING_SHARE: f64 = 0.4;

/// However much memory there is, so much is committed: an interrupted ingest loses no more.
/// Each commit makes a file in each partition that it touches, and what a hunt takes is in
/// good part the number of files: with a quarter of this, it was a third more.
const PENDING_BYTES: usize = 4 << 30;

/// Rejected records that wait for a commit at most, and their bytes.
const WAITING_REJECTS: usize = 50_000;
const WAITING_REJECT_BYTES: usize = 32 << 20;

/// Hours with repeats, of all files, that wait for a commit at most.
const WAITING_REPEATS: usize = 100_000;

pub(super) struct Collector {
    committer: Committer,
    pending: Pending,
    rejected: Vec<Rejected>,
    /// Bytes of their records.
    rejected_bytes: usize,
    origins: Vec<Origin>,
    /// Those of origins, as long as none has been needed.
    hashes: Hashes,
    reports: Vec<FileReport>,
    /// Files whose end has been seen and that the ledger does not have yet.
    ended: Vec<usize>,
    /// Hours with repeats of these.
    repeats: usize,
    /// The last event so far of each origin of the file that is being read.
    last: HashMap<usize, Near>,
    reasons: BTreeMap<String, u64>,
    datasets: BTreeMap<String, u64>,
    budget: usize,
}

impl Collector {
    pub(super) fn new(committer: Committer, files: usize, memory_limit: u64) -> Self {
        Self {
            committer,
            pending: Pending::default(),
            rejected: Vec::new(),
            rejected_bytes: 0,
            origins: vec![
                Origin {
                    path: String::new(),
                    sha256: String::new()
                };
                files
            ],
            hashes: Hashes::default(),
            reports: vec![FileReport::default(); files],
            ended: Vec::new(),
            repeats: 0,
            last: HashMap::new(),
            reasons: BTreeMap::new(),
            datasets: BTreeMap::new(),
            budget: ((memory_limit as f64 * PENDING_SHARE) as usize).min(PENDING_BYTES),
        }
    }

    fn problem(&mut self, file: usize, problem: Problem) {
        // The quarantine row of the file itself; it counts as a record only where
        // nothing of the file could be framed as one.
        let counted = u64::from(problem.whole.is_some());
        let report = &mut self.reports[file];
        report.read += counted;
        report.rejected += counted;
        let reason = Rejection::File(problem.text.clone());
        report.add_problem(&problem.member, problem.text);
        if counted > 0 {
            *self.reasons.entry(reason.to_string()).or_default() += 1;
        }
        self.wait(Rejected {
            place: Place {
                file,
                origin: problem.origin,
            },
            position: None,
            format: None,
            reason,
            record: problem.whole.map(|bytes| kept(&bytes)).unwrap_or_default(),
            near: self.last.get(&problem.origin).cloned(),
        });
    }

    async fn parsed(&mut self, parsed: Parsed) -> Result<()> {
        let report = &mut self.reports[parsed.place.file];
        report.read += parsed.read;
        report.rejected += parsed.rejected.len() as u64;
        for (why, count) in parsed.skipped {
            *report.skipped.entry(why.to_owned()).or_default() += count;
        }
        let origin = parsed.place.origin;
        let before = self.last.get(&origin);
        let neighbour = before.or(parsed.ends.as_ref().map(|(first, _)| first)).cloned();
        if before.is_none() && neighbour.is_some() {
            // What earlier chunks of this origin held were rejects alone.
            let waiting = self.rejected.iter_mut().rev();
            for rejected in waiting.take_while(|rejected| rejected.place == parsed.place) {
                rejected.near = rejected.near.take().or_else(|| neighbour.clone());
            }
        }
        for mut rejected in parsed.rejected {
            rejected.near = rejected.near.or_else(|| neighbour.clone());
            self.reject(rejected);
        }
        if let Some((_, last)) = parsed.ends {
            self.last.insert(origin, last);
        }
        for batch in parsed.batches {
            self.events(batch).await?;
        }
        Ok(())
    }

    fn reject(&mut self, rejected: Rejected) {
        *self.reasons.entry(rejected.reason.kind()).or_default() += 1;
        self.wait(rejected);
    }

    fn wait(&mut self, rejected: Rejected) {
        self.rejected_bytes += rejected.record.len();
        self.rejected.push(rejected);
    }

    async fn events(&mut self, batch: EventBatch) -> Result<()> {
        for meta in batch.meta.iter().filter(|meta| !meta.derived) {
            let name = SOURCES[usize::from(meta.format)].name();
            match self.reports[batch.place.file].formats.get_mut(name) {
                Some(count) => *count += 1,
                None => drop(self.reports[batch.place.file].formats.insert(name.to_owned(), 1)),
            }
        }
        let mut days: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
        for (row, meta) in batch.meta.iter().enumerate() {
            days.entry(meta.day()).or_default().push(row as u32);
        }
        let partitions = days.keys().map(|&day| Partition {
            dataset: batch.dataset.clone(),
            day,
        });
        self.committer.load_ids(partitions).await?;
        let mut admitted = Vec::with_capacity(batch.meta.len());
        let mut conflicts = Vec::new();
        let mut repeats = Vec::new();
        let report = &mut self.reports[batch.place.file];
        for (day, rows) in days {
            let ids = self
                .committer
                .ids(&Partition {
                    dataset: batch.dataset.clone(),
                    day,
                })
                .await?;
            for row in rows {
                let meta = &batch.meta[row as usize];
                match ids.admit(meta) {
                    Verdict::New if meta.derived => {
                        report.derived += 1;
                        admitted.push(row);
                    }
                    Verdict::New => {
                        report.stored += 1;
                        admitted.push(row);
                    }
                    // The record around it has its bytes.
                    Verdict::Duplicate | Verdict::Conflict if meta.derived => report.derived_duplicate += 1,
                    Verdict::Duplicate => {
                        report.duplicate += 1;
                        repeats.push(row);
                    }
                    Verdict::Conflict => {
                        report.rejected += 1;
                        conflicts.push(row);
                    }
                }
            }
        }
        report.repeats.add(&batch, &repeats);
        admitted.sort_unstable();
        *self.datasets.entry(batch.dataset.clone()).or_default() += admitted.len() as u64;
        for row in conflicts {
            self.reject(conflict(&batch, row));
        }
        self.pending.add(batch, &admitted);
        Ok(())
    }

    /// Fills in the hashes of all origins so far, which are made while these are read.
    async fn settle_hashes(&mut self) -> Result<()> {
        let (origins, reports) = (&mut self.origins, &mut self.reports);
        let tell = |origin: usize, hashed: &Hashed| {
            origins[origin].sha256 = hashed.sha256.to_string();
            // The first origins are the files.
            if let Some(report) = reports.get_mut(origin) {
                report.sha256 = hashed.sha256.to_string();
                report.size = hashed.size;
            }
        };
        self.hashes.settle(tell).await
    }

    /// Commits what waits: events, then quarantine, then the ledger. After a crash in
    /// between, the files are simply ingested again.
    async fn commit(&mut self) -> Result<()> {
        self.settle_hashes().await?;
        let mut version = None;
        if !self.pending.is_empty() {
            let pending = std::mem::take(&mut self.pending);
            let (pending, withdrawn, committed) = self.committer.commit_events(pending, &self.origins).await?;
            version = Some(committed);
            for withdrawn in withdrawn {
                let (batch, row) = withdrawn.row;
                let batch = &pending.batches[batch as usize];
                let report = &mut self.reports[batch.place.file];
                if let Some(count) = self.datasets.get_mut(&batch.dataset) {
                    *count -= 1;
                }
                if batch.meta[row as usize].derived {
                    report.derived -= 1;
                    report.derived_duplicate += 1;
                    continue;
                }
                report.stored -= 1;
                if withdrawn.verdict == Verdict::Conflict {
                    report.rejected += 1;
                    let rejected = conflict(batch, row);
                    self.reject(rejected);
                } else {
                    report.duplicate += 1;
                    report.repeats.add(batch, &[row]);
                }
            }
        }
        self.commit_rejected().await?;
        let ended = std::mem::take(&mut self.ended);
        let files: Vec<&FileReport> = ended.iter().map(|&file| &self.reports[file]).collect();
        self.committer.commit_ledger(&files, version).await?;
        for file in ended {
            self.reports[file].repeats = Repeats::default();
        }
        self.repeats = 0;
        Ok(())
    }

    /// Commits rejected records alone: there may be many of them, and commits of few events
    /// leave small files.
    async fn commit_rejected(&mut self) -> Result<()> {
        let rejected = std::mem::take(&mut self.rejected);
        self.rejected_bytes = 0;
        if rejected.is_empty() {
            return Ok(());
        }
        self.settle_hashes().await?;
        self.committer.commit_quarantine(&rejected, &self.origins).await
    }

    pub(super) async fn finish(mut self) -> Result<IngestReport> {
        self.commit().await?;
        for report in &self.reports {
            if report.read != report.stored + report.duplicate + report.rejected {
                return Err(Error::Internal(format!(
                    "{}: {} records read, but {} stored, {} duplicate, {} rejected",
                    report.path, report.read, report.stored, report.duplicate, report.rejected
                )));
            }
        }
        self.datasets.retain(|_, count| *count > 0);
        Ok(IngestReport::new(self.reports, self.reasons, self.datasets))
    }
}

impl Sink for Collector {
    async fn take(&mut self, item: Item) -> Result<()> {
        match item {
            Item::Begin { file, path, size, hash } => {
                self.origins[file].path.clone_from(&path);
                self.hashes.file(file, hash);
                self.reports[file] = FileReport {
                    path,
                    size,
                    ..FileReport::default()
                };
            }
            Item::Member { file, member } => {
                self.hashes.member(self.origins.len());
                self.origins.push(Origin {
                    path: member_of(&self.origins[file].path, &member),
                    sha256: String::new(),
                });
            }
            Item::Parsed(parsed, _) => self.parsed(*parsed).await?,
            Item::Problem { file, problem } => self.problem(file, problem),
            Item::End { file, unfinished } => {
                self.last.clear();
                if !unfinished {
                    self.repeats += self.reports[file].repeats.len();
                    self.ended.push(file);
                }
            }
            Item::Known { file, report } => self.reports[file] = *report,
            Item::Unreadable { file, path, problem } => {
                self.reports[file] = FileReport {
                    path,
                    problem: Some(problem),
                    ..FileReport::default()
                };
            }
        }
        if self.pending.bytes > self.budget || self.repeats > WAITING_REPEATS {
            self.commit().await?;
        }
        if self.rejected.len() > WAITING_REJECTS || self.rejected_bytes > WAITING_REJECT_BYTES {
            self.commit_rejected().await?;
        }
        Ok(())
    }
}

fn conflict(batch: &EventBatch, row: u32) -> Rejected {
    let text = |field| batch.text(row, field).unwrap_or_default();
    let meta = &batch.meta[row as usize];
    Rejected {
        place: batch.place,
        position: Some(meta.position),
        format: Some(SOURCES[usize::from(meta.format)].name()),
        reason: Rejection::Conflict(shortened(text(EVENT_ID).to_owned())),
        record: kept(text(RAW).as_bytes()),
        near: Some(Near::of(batch, row)),
    }
}

/// An id for a message: nobody reads more of it, and a record may have one of megabytes.
fn shortened(mut id: String) -> String {
    const LONGEST: usize = 200;
    if id.len() > LONGEST {
        id.truncate(id.floor_char_boundary(LONGEST));
        id.push('…');
    }
    id
}
