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
mod framing;
mod parse;
mod pending;
mod records;
mod report;
mod source_file;
mod survey;

pub use report::{FileReport, IngestReport};
pub use survey::{Recognised, Surveyed, survey};

use crate::error::{Error, Result};
use crate::lake::Lake;
use archive::Visitor;
use collect::Collector;
use commit::Committer;
use framing::{Chunk, Content};
use parse::Parsed;
use source_file::SourceFile;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

/// A file without records that is no longer than this is what a quiet hour leaves: an empty
/// array, an envelope around one, a header line. A longer one is something else.
const BARREN_BYTES: u64 = 4096;

/// What is kept of a file, or of a member of one, that as a whole is one rejected record.
const HEAD_BYTES: usize = 1 << 20;

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
        sha256: String,
    },
    /// A member of an archive begins: the next of all origins that are no files.
    Member { file: usize, member: String },
    /// Part of its records.
    Parsed(Box<Parsed>),
    /// A file ends.
    End { file: usize, ending: Ending },
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

/// How the reading of a file ended.
#[derive(Debug, Default)]
struct Ending {
    problems: Vec<Problem>,
    /// There may be more in the file than was read.
    unfinished: bool,
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
    let files = source_file::discover(&request.paths)?;
    let threads = request.threads.max(1);
    let committer = Committer::open(lake, threads, (request.memory_limit / 5) as usize).await?;
    let ledger = if request.again {
        HashMap::new()
    } else {
        committer.ledger().await?
    };
    let mut collector = Collector::new(committer, files.len(), request.memory_limit);
    read(files, ledger, threads, progress, stop, &mut collector).await?;
    collector.finish().await
}

/// Reads and parses files; those of the ledger are only hashed.
async fn read(
    files: Vec<PathBuf>,
    ledger: HashMap<String, FileReport>,
    threads: usize,
    progress: Arc<dyn Progress>,
    stop: Stop,
    sink: &mut impl Sink,
) -> Result<()> {
    let sizes = files
        .iter()
        .map(|path| std::fs::metadata(path).map_or(0, |meta| meta.len()));
    progress.total(sizes.sum());

    let (items, mut inbox) = tokio::sync::mpsc::channel(threads * 4);
    let (work, queue) = mpsc::sync_channel::<(u64, Place, Chunk)>(threads * 2);
    let queue = Arc::new(Mutex::new(queue));
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..threads {
        let (queue, items) = (Arc::clone(&queue), items.clone());
        running.spawn_blocking(move || parse_all(&queue, &items));
    }
    let reader = Reader {
        origins: files.len(),
        files,
        ledger,
        work,
        items,
        stop: Arc::clone(&stop),
        progress,
        sequence: 0,
    };
    running.spawn_blocking(move || reader.run());

    let mut waiting = BTreeMap::new();
    let mut next = 0;
    while let Some((sequence, item)) = inbox.recv().await {
        waiting.insert(sequence, item);
        while let Some(item) = waiting.remove(&next) {
            next += 1;
            sink.take(item).await?;
        }
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
    }
    while let Some(ended) = running.join_next().await {
        ended.map_err(|error| Error::Internal(format!("an ingest thread ended: {error}")))?;
    }
    Ok(())
}

fn parse_all(queue: &Mutex<mpsc::Receiver<(u64, Place, Chunk)>>, items: &Sender) {
    loop {
        // The lock is held while waiting: whoever has it takes the next chunk.
        let next = queue.lock().map_or(None, |queue| queue.recv().ok());
        let Some((sequence, place, chunk)) = next else { return };
        let parsed = parse::parse(&chunk, place);
        if items.blocking_send((sequence, Item::Parsed(Box::new(parsed)))).is_err() {
            return;
        }
    }
}

/// Reads the files one after the other.
struct Reader {
    files: Vec<PathBuf>,
    /// Files, and members of archives so far.
    origins: usize,
    ledger: HashMap<String, FileReport>,
    work: mpsc::SyncSender<(u64, Place, Chunk)>,
    items: Sender,
    stop: Stop,
    progress: Arc<dyn Progress>,
    sequence: u64,
}

impl Reader {
    fn run(mut self) {
        let mut done = 0;
        for (file, path) in std::mem::take(&mut self.files).iter().enumerate() {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let size = self.file(file, path, done);
            done += size;
            self.progress.position(done);
        }
    }

    fn number(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence - 1
    }

    fn send(&mut self, item: Item) {
        let sequence = self.number();
        // A closed channel means that the ingest has failed, and says so itself.
        let _ = self.items.blocking_send((sequence, item));
    }

    /// Returns the size of the file.
    fn file(&mut self, file: usize, path: &PathBuf, done: u64) -> u64 {
        let name = path.display().to_string();
        let mut source = match SourceFile::open(path) {
            Ok(source) => source,
            Err(error) => {
                self.send(Item::Unreadable {
                    file,
                    path: name,
                    problem: error.to_string(),
                });
                return 0;
            }
        };
        let size = source.size;
        let (sha256, begin) = (source.sha256.clone(), source.sha256.clone());
        if let Some(known) = self.ledger.get(&sha256) {
            let report = FileReport {
                path: name,
                size,
                sha256,
                ..known.clone()
            };
            self.send(Item::Known {
                file,
                report: Box::new(report),
            });
            return size;
        }
        self.send(Item::Begin {
            file,
            path: name,
            size,
            sha256: begin,
        });
        let mut ending = self.content(file, path, &mut source, done);
        // Whoever stops the ingest may have stopped it within this file.
        ending.unfinished |= self.stop.load(Ordering::Relaxed);
        self.send(Item::End { file, ending });
        size
    }

    fn content(&mut self, file: usize, path: &PathBuf, source: &mut SourceFile, done: u64) -> Ending {
        let size = source.size;
        let mut contents = Contents {
            reader: self,
            file,
            path,
            size,
            done,
            ending: Ending::default(),
        };
        match source.input(path) {
            Ok(input) => {
                let stop = Arc::clone(&contents.reader.stop);
                archive::visit(input, size, &stop, &mut contents);
            }
            Err(error) => contents.damaged("", error),
        }
        contents.ending
    }
}

/// Frames what is in a file.
struct Contents<'a> {
    reader: &'a mut Reader,
    file: usize,
    path: &'a PathBuf,
    size: u64,
    /// Bytes of the files before it.
    done: u64,
    ending: Ending,
}

impl Contents<'_> {
    /// The origin of the records of a member, which is known from here on.
    fn origin(&mut self, member: &str) -> usize {
        if member.is_empty() {
            return self.file;
        }
        self.reader.send(Item::Member {
            file: self.file,
            member: member.to_owned(),
        });
        self.reader.origins += 1;
        self.reader.origins - 1
    }

    fn problem(&mut self, origin: usize, member: &str, text: String, whole: Option<Vec<u8>>) {
        self.ending.problems.push(Problem {
            origin,
            member: member.to_owned(),
            text,
            whole,
        });
    }

    fn failed(&mut self, origin: usize, member: &str, error: &io::Error, whole: impl FnOnce() -> Option<Vec<u8>>) {
        // Nothing is wrong with what somebody did not want to wait for.
        if self.reader.stop.load(Ordering::Relaxed) {
            return;
        }
        match error.kind() {
            // The system failed, not the file: the next ingest has to read it again.
            _ if error.raw_os_error().is_some() => {
                self.ending.unfinished = true;
                self.problem(origin, member, format!("could not be read to its end: {error}"), None);
            }
            io::ErrorKind::Unsupported | io::ErrorKind::FileTooLarge => {
                self.problem(origin, member, error.to_string(), whole());
            }
            _ => self.problem(origin, member, format!("damaged or cut off: {error}"), whole()),
        }
    }
}

impl Visitor for Contents<'_> {
    fn content(&mut self, member: &str, content: &mut dyn Read) -> bool {
        let origin = self.origin(member);
        let place = Place {
            file: self.file,
            origin,
        };
        let mut head = Head::of(content);
        let (mut holds_records, mut bytes) = (false, 0);
        let reader = &mut *self.reader;
        let (done, size) = (self.done, self.size);
        let framed = framing::frame(&mut head, &mut |chunk| {
            holds_records |= chunk.holds_records();
            bytes = chunk.offset + chunk.bytes.len() as u64;
            let sequence = reader.number();
            let sent = reader.work.send((sequence, place, chunk)).is_ok();
            reader.progress.position(done + bytes.min(size));
            sent && !reader.stop.load(Ordering::Relaxed)
        });
        // What is kept of a file is what is on the disk.
        let path = self.path;
        let in_file = member.is_empty();
        let mut whole = move || {
            Some(if in_file {
                head_of(path)
            } else {
                std::mem::take(&mut head.kept)
            })
        };
        let length = if in_file { self.size } else { bytes };
        match framed {
            Ok(Content::Json | Content::Csv) if !holds_records && length > BARREN_BYTES => {
                self.problem(origin, member, "the file holds no records".into(), whole());
            }
            Ok(Content::Json | Content::Csv) => {}
            Ok(Content::Empty) => self.problem(origin, member, "the file is empty".into(), None),
            Ok(Content::Unknown) => {
                let problem = "neither JSON nor delimited text with a header line";
                self.problem(origin, member, problem.into(), whole());
            }
            Err((content, error)) => {
                let unknown = matches!(content, Content::Empty | Content::Unknown);
                self.failed(origin, member, &error, || if unknown { whole() } else { None });
            }
        }
        !self.reader.stop.load(Ordering::Relaxed)
    }

    fn damaged(&mut self, member: &str, error: io::Error) {
        let origin = self.origin(member);
        let path = self.path;
        let in_file = member.is_empty();
        self.failed(origin, member, &error, || {
            Some(if in_file { head_of(path) } else { Vec::new() })
        });
    }
}

/// A stream of which the first bytes are kept, in case that it as a whole is rejected.
struct Head<'a> {
    input: &'a mut dyn Read,
    kept: Vec<u8>,
}

impl<'a> Head<'a> {
    fn of(input: &'a mut dyn Read) -> Self {
        Self {
            input,
            kept: Vec::new(),
        }
    }
}

impl Read for Head<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        let more = HEAD_BYTES.saturating_sub(self.kept.len()).min(count);
        self.kept.extend_from_slice(&buffer[..more]);
        Ok(count)
    }
}

/// The first bytes of a file that as a whole is one rejected record.
fn head_of(path: &PathBuf) -> Vec<u8> {
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(HEAD_BYTES as u64).read_to_end(&mut head));
    if read.is_err() {
        head.clear();
    }
    head
}
