//! Files to events in the lake: framing, parsing, deduplication, files, commits.
//!
//! One thread reads and frames, as many as there are cores parse and map, and one
//! collects in the order of the input, so that the same input always gives the same
//! events. What is collected is committed whenever the memory for it is full.

mod archive;
mod batch;
mod collect;
mod commit;
mod content_hash;
mod dedup;
mod discover;
mod examine;
mod framing;
mod hash;
mod layout;
mod local_file;
mod near;
mod originals;
mod packed;
mod parse;
mod pending;
mod prefetch;
mod quarantine;
mod reader;
mod records;
mod repeats;
mod report;
mod room;
mod source_file;
mod survey;
mod tables;
mod utf16;
mod windows_1252;
mod write;

pub use content_hash::content_text;
pub use examine::{Examined, Framed, examine, members};
pub use framing::Content;
pub use originals::{Opened, Original, Reread, Wanted, member_within, places};
pub use report::{FileReport, IngestReport};
pub use survey::{Recognised, Surveyed, survey};

use crate::error::{Error, Result};
use crate::lake::Lake;
use collect::Collector;
use commit::Committer;
use framing::Chunk;
use hash::Hash;
use parse::Parsed;
use reader::{Outlet, Reader};
use room::{Held, Room};
use source_file::Found;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// How often somebody looks whether the ingest is stopped, while nothing comes.
const LOOK_FOR_STOP: Duration = Duration::from_millis(50);

/// What to ingest, and with what.
#[derive(Debug, Clone)]
pub struct IngestRequest {
    /// Files, folders, glob patterns.
    pub paths: Vec<String>,
    /// Bytes for everything that is held in memory.
    pub memory_limit: u64,
    /// Threads that parse and write.
    pub threads: usize,
    /// Read files again that the ledger already has.
    pub again: bool,
    /// Store the records of the audit log that other records carry as events of their own.
    pub unwrap: bool,
}

/// Told how far an ingest is.
pub trait Progress: Send + Sync {
    /// How many bytes there are to read.
    fn total(&self, bytes: u64);
    /// How many of them have been read.
    fn position(&self, bytes: u64);
}

/// Set by somebody else to end an ingest early.
pub type Stop = Arc<AtomicBool>;

/// One step of the input, in order.
enum Item {
    /// A file begins.
    Begin {
        file: usize,
        path: String,
        size: u64,
        hash: Hash,
    },
    /// A member of an archive begins: the next of all origins that are no files.
    Member { file: usize, member: String },
    /// Part of its records, with the room that they take until the item is dropped.
    Parsed(
        Box<Parsed>,
        #[expect(dead_code, reason = "what counts is when it is dropped")] Held,
    ),
    /// Something is wrong with a file.
    Problem { file: usize, problem: Problem },
    /// A file ends, and is hashed. Unfinished, where there may be more in it than was read.
    End { file: usize, unfinished: bool },
    /// The ledger has this content.
    Known { file: usize, report: Box<FileReport> },
    /// A file that cannot be opened.
    Unreadable { file: usize, path: String, problem: String },
}

/// Where records come from: a file, or a member of one that is an archive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    file: usize,
    /// The file itself, or one of the members of all archives, which are numbered after them.
    origin: usize,
}

/// What is wrong with a file, or with a member of one.
#[derive(Debug)]
struct Problem {
    origin: usize,
    /// Path of the member within its file; empty for the file.
    member: String,
    text: String,
    /// The record that stands for all of it, where nothing in it is one.
    whole: Option<Vec<u8>>,
}

/// A chunk for whoever parses next.
struct Work {
    /// Its number among all items.
    sequence: u64,
    place: Place,
    chunk: Chunk,
    held: Held,
}

type Sender = tokio::sync::mpsc::Sender<(u64, Item)>;

/// Takes what is read, in the order of the input.
trait Sink {
    async fn take(&mut self, item: Item) -> Result<()>;
}

/// Ingests files into a lake, which is made where there is none.
pub async fn ingest(
    lake: &Lake,
    request: IngestRequest,
    progress: Arc<dyn Progress>,
    stop: Stop,
) -> Result<IngestReport> {
    let files = discover::discover(&request.paths).await?;
    let threads = request.threads.max(1);
    let committer = Committer::open(lake, threads, (request.memory_limit / 5) as usize).await?;
    let ledger = if request.again {
        HashMap::new()
    } else {
        committer.ledger().await?
    };
    let mut collector = Collector::new(committer, files.len(), request.memory_limit);
    let reading = Reading {
        files,
        ledger,
        threads,
        room: Room::within(request.memory_limit),
        unwrap: request.unwrap,
    };
    read(reading, progress, stop, &mut collector).await?;
    collector.finish().await
}

/// What to read.
struct Reading {
    files: Vec<Found>,
    /// Files that are only hashed, by their hash.
    ledger: HashMap<String, FileReport>,
    threads: usize,
    /// For chunks on their way to the sink.
    room: Room,
    unwrap: bool,
}

/// Reads and parses files.
async fn read(reading: Reading, progress: Arc<dyn Progress>, stop: Stop, sink: &mut impl Sink) -> Result<()> {
    let Reading {
        files,
        ledger,
        threads,
        room,
        unwrap,
    } = reading;
    progress.total(files.iter().map(Found::size).sum());

    let (items, mut inbox) = tokio::sync::mpsc::channel(threads * 4);
    let (work, queue) = mpsc::sync_channel::<Work>(threads * 2);
    let queue = Arc::new(Mutex::new(queue));
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..threads {
        let (queue, items) = (Arc::clone(&queue), items.clone());
        running.spawn_blocking(move || parse_all(&queue, &items, unwrap));
    }
    let outlet = Outlet { work, items, room };
    let reader = Reader::new(files, ledger, outlet, Arc::clone(&stop), progress);
    running.spawn_blocking(move || reader.run());

    let mut waiting = BTreeMap::new();
    let mut next = 0;
    let stopped = stopped(&stop);
    tokio::pin!(stopped);
    loop {
        let received = tokio::select! {
            biased;
            received = inbox.recv() => received,
            // The reader may wait for somebody who never writes.
            () = &mut stopped => None,
        };
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        let Some((sequence, item)) = received else { break };
        waiting.insert(sequence, item);
        while let Some(item) = waiting.remove(&next) {
            next += 1;
            sink.take(item).await?;
        }
    }
    while let Some(ended) = running.join_next().await {
        ended.map_err(|error| Error::Internal(format!("an ingest thread ended: {error}")))?;
    }
    Ok(())
}

/// Waits until somebody stops the ingest.
async fn stopped(stop: &Stop) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(LOOK_FOR_STOP).await;
    }
}

fn parse_all(queue: &Mutex<mpsc::Receiver<Work>>, items: &Sender, unwrap: bool) {
    loop {
        // The lock is held while waiting: whoever has it takes the next chunk.
        let next = queue.lock().map_or(None, |queue| queue.recv().ok());
        let Some(work) = next else { return };
        let parsed = parse::parse(work.chunk, work.place, unwrap);
        let item = Item::Parsed(Box::new(parsed), work.held);
        if items.blocking_send((work.sequence, item)).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
