//! Files to events in the lake: framing, parsing, deduplication, files, commits.
//!
//! One thread reads and frames, as many as there are cores parse and map, and one
//! collects in the order of the input, so that the same input always gives the same
//! events. What is collected is committed whenever the memory for it is full.

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

pub use report::{FileReport, IngestReport};

use crate::error::{Error, Result};
use crate::lake::Lake;
use collect::Collector;
use commit::Committer;
use framing::{Chunk, Content};
use parse::Parsed;
use source_file::SourceFile;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

/// A file without records that is no longer than this is what a quiet hour leaves: an empty
/// array, an envelope around one, a header line. A longer one is something else.
const BARREN_BYTES: u64 = 4096;

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
    /// Part of its records.
    Parsed(Box<Parsed>, usize),
    /// A file ends.
    End { file: usize, ending: Ending },
    /// The ledger has this content.
    Known { file: usize, report: Box<FileReport> },
    /// A file that cannot be opened.
    Unreadable { file: usize, path: String, problem: String },
}

/// How the reading of a file ended.
#[derive(Debug, Default)]
struct Ending {
    /// What is wrong with the file.
    problem: Option<String>,
    /// The record that stands for the whole file, where nothing in it is one.
    whole_file: Option<Vec<u8>>,
    /// There may be more in the file than was read.
    unfinished: bool,
}

impl Ending {
    fn problem(problem: String) -> Self {
        Self {
            problem: Some(problem),
            ..Self::default()
        }
    }
}

type Sender = tokio::sync::mpsc::Sender<(u64, Item)>;

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
    let sizes = files
        .iter()
        .map(|path| std::fs::metadata(path).map_or(0, |meta| meta.len()));
    progress.total(sizes.sum());

    let (items, mut inbox) = tokio::sync::mpsc::channel(threads * 4);
    let (work, queue) = mpsc::sync_channel::<(u64, usize, Chunk)>(threads * 2);
    let queue = Arc::new(Mutex::new(queue));
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..threads {
        let (queue, items) = (Arc::clone(&queue), items.clone());
        running.spawn_blocking(move || parse_all(&queue, &items));
    }
    let reader = Reader {
        files: files.clone(),
        ledger,
        work,
        items,
        stop: Arc::clone(&stop),
        progress,
        sequence: 0,
    };
    running.spawn_blocking(move || reader.run());

    let mut collector = Collector::new(committer, files.len(), request.memory_limit);
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    while let Some((sequence, item)) = inbox.recv().await {
        waiting.insert(sequence, item);
        while let Some(item) = waiting.remove(&next) {
            next += 1;
            collector.take(item).await?;
        }
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
    }
    while let Some(ended) = running.join_next().await {
        ended.map_err(|error| Error::Internal(format!("an ingest thread ended: {error}")))?;
    }
    collector.finish().await
}

fn parse_all(queue: &Mutex<mpsc::Receiver<(u64, usize, Chunk)>>, items: &Sender) {
    loop {
        // The lock is held while waiting: whoever has it takes the next chunk.
        let next = queue.lock().map_or(None, |queue| queue.recv().ok());
        let Some((sequence, file, chunk)) = next else { return };
        let parsed = parse::parse(&chunk, file);
        if items
            .blocking_send((sequence, Item::Parsed(Box::new(parsed), file)))
            .is_err()
        {
            return;
        }
    }
}

/// Reads the files one after the other.
struct Reader {
    files: Vec<PathBuf>,
    ledger: HashMap<String, FileReport>,
    work: mpsc::SyncSender<(u64, usize, Chunk)>,
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
        let ending = self.content(file, path, &mut source, done);
        self.send(Item::End { file, ending });
        size
    }

    fn content(&mut self, file: usize, path: &PathBuf, source: &mut SourceFile, done: u64) -> Ending {
        let size = source.size;
        let mut holds_records = false;
        let framed = source
            .content(path)
            .map_err(|error| (Content::Unknown, error))
            .and_then(|input| {
                framing::frame(input, &mut |chunk| {
                    holds_records |= chunk.holds_records();
                    let position = chunk.offset + chunk.bytes.len() as u64;
                    let sequence = self.number();
                    let sent = self.work.send((sequence, file, chunk)).is_ok();
                    self.progress.position(done + position.min(size));
                    sent && !self.stop.load(Ordering::Relaxed)
                })
            });
        match framed {
            Ok(Content::Json | Content::Csv) if !holds_records && size > BARREN_BYTES => Ending {
                whole_file: Some(head_of(path)),
                ..Ending::problem("the file holds no records".into())
            },
            Ok(Content::Json | Content::Csv) => Ending::default(),
            Ok(Content::Empty) => Ending::problem("the file is empty".into()),
            Ok(Content::Unknown) => {
                let problem = "neither JSON nor delimited text with a header line";
                Ending {
                    whole_file: Some(head_of(path)),
                    ..Ending::problem(problem.into())
                }
            }
            // The system failed, not the file: the next ingest has to read it again.
            Err((_, error)) if error.raw_os_error().is_some() => Ending {
                unfinished: true,
                ..Ending::problem(format!("could not be read to its end: {error}"))
            },
            Err((content, error)) => Ending {
                whole_file: matches!(content, Content::Empty | Content::Unknown).then(|| head_of(path)),
                ..Ending::problem(format!("damaged or cut off: {error}"))
            },
        }
    }
}

/// The first bytes of a file that as a whole is one rejected record.
fn head_of(path: &PathBuf) -> Vec<u8> {
    use std::io::Read as _;
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(1 << 20).read_to_end(&mut head));
    if read.is_err() {
        head.clear();
    }
    head
}
