//! Reads files, and the members of archives, to chunks of records and what is wrong with them.

use super::archive::{self, Limits, Visitor};
use super::framing::{self, Chunk, Content};
use super::report::FileReport;
use super::room::Room;
use super::source_file::{Found, SourceFile};
use super::{Item, Place, Problem, Progress, Sender, Stop, Work};
use std::collections::{HashMap, HashSet};
use std::io::{self, Read};
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use tokio::runtime::Handle;

/// A file without records that is no longer than this is what a quiet hour leaves: an empty
/// array, an envelope around one, a header line. A longer one is something else.
const BARREN_BYTES: u64 = 4096;

/// What is kept of a file, or of a member of one, that as a whole is one rejected record.
const HEAD_BYTES: usize = 1 << 20;

/// Where what is read goes.
pub(super) struct Outlet {
    /// Records, to be parsed.
    pub(super) work: mpsc::SyncSender<Work>,
    /// Everything else.
    pub(super) items: Sender,
    /// For the records, until they have been taken.
    pub(super) room: Room,
}

/// Reads the files one after the other.
pub(super) struct Reader {
    files: Vec<Found>,
    /// Files, and members of archives so far.
    origins: usize,
    ledger: HashMap<String, FileReport>,
    /// Bytes of the files in the ledger: one of another length is not among them.
    sizes: HashSet<u64>,
    outlet: Outlet,
    stop: Stop,
    progress: Arc<dyn Progress>,
    /// For files that are objects of a store.
    runtime: Handle,
    sequence: u64,
}

impl Reader {
    /// The ledger tells the files that are only hashed.
    pub(super) fn new(
        files: Vec<Found>,
        ledger: HashMap<String, FileReport>,
        outlet: Outlet,
        stop: Stop,
        progress: Arc<dyn Progress>,
    ) -> Self {
        Self {
            origins: files.len(),
            files,
            sizes: ledger.values().map(|report| report.size).collect(),
            ledger,
            outlet,
            stop,
            progress,
            runtime: Handle::current(),
            sequence: 0,
        }
    }

    pub(super) fn run(mut self) {
        let mut done = 0;
        for (file, found) in std::mem::take(&mut self.files).iter().enumerate() {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let size = self.file(file, found, done);
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
        let _ = self.outlet.items.blocking_send((sequence, item));
    }

    /// False once nobody takes chunks any more.
    fn parse(&mut self, place: Place, chunk: Chunk) -> bool {
        let sequence = self.number();
        let Some(held) = self.outlet.room.enter(&self.runtime, chunk.bytes.len()) else {
            return false;
        };
        let work = Work {
            sequence,
            place,
            chunk,
            held,
        };
        self.outlet.work.send(work).is_ok()
    }

    /// Returns the size of the file.
    fn file(&mut self, file: usize, found: &Found, done: u64) -> u64 {
        let name = found.name();
        let mut source = match SourceFile::open(found, &self.stop, &self.runtime) {
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
        if let Some(known) = self.known(&mut source) {
            let report = FileReport { path: name, ..known };
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
            hash: source.hash.clone(),
        });
        let mut unfinished = self.content(file, &source, done);
        // Where nobody takes anything any more, nobody wants the hash.
        let hashed = match self.outlet.items.is_closed() {
            true => None,
            false => source.hash.wait(&self.runtime).ok(),
        };
        let changed = || source.unchanged().err().map(Arc::new);
        if let Some(error) = hashed.and_then(|hashed| hashed.problem.or_else(changed))
            && !unfinished
        {
            unfinished = true;
            let problem = Problem {
                origin: file,
                member: String::new(),
                text: cut_short(&error),
                whole: None,
            };
            self.send(Item::Problem { file, problem });
        }
        // Whoever stops the ingest may have stopped it within this file.
        let unfinished = unfinished || self.stop.load(Ordering::Relaxed);
        self.send(Item::End { file, unfinished });
        size
    }

    /// What the ledger says of a file. Only one that may be there is hashed before it is read.
    fn known(&self, source: &mut SourceFile) -> Option<FileReport> {
        if !self.sizes.contains(&source.size) {
            return None;
        }
        let hashed = source.hash.wait(&self.runtime).ok()?;
        let known = self.ledger.get(&*hashed.sha256).filter(|_| hashed.problem.is_none())?;
        Some(FileReport {
            sha256: hashed.sha256.to_string(),
            ..known.clone()
        })
    }

    /// True where there may be more in the file than was read.
    fn content(&mut self, file: usize, source: &SourceFile, done: u64) -> bool {
        let size = source.size;
        let mut contents = Contents {
            reader: self,
            file,
            source,
            size,
            done,
            unfinished: false,
        };
        match source.input() {
            Ok(input) => {
                let stop = Arc::clone(&contents.reader.stop);
                archive::visit(input, Limits::new(size, &stop), &mut contents);
            }
            Err(error) => contents.damaged("", error),
        }
        contents.unfinished
    }
}

/// Frames what is in a file.
struct Contents<'a> {
    reader: &'a mut Reader,
    file: usize,
    source: &'a SourceFile,
    size: u64,
    /// Bytes of the files before it.
    done: u64,
    /// There may be more in the file than was read.
    unfinished: bool,
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
        let problem = Problem {
            origin,
            member: member.to_owned(),
            text,
            whole,
        };
        self.reader.send(Item::Problem {
            file: self.file,
            problem,
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
                self.unfinished = true;
                self.problem(origin, member, cut_short(error), None);
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
            let sent = reader.parse(place, chunk);
            reader.progress.position(done + bytes.min(size));
            sent && !reader.stop.load(Ordering::Relaxed)
        });
        // What is kept of a file is what is on the disk.
        let source = self.source;
        let in_file = member.is_empty();
        let mut whole = move || {
            Some(if in_file {
                source.head(HEAD_BYTES)
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
        let source = self.source;
        let in_file = member.is_empty();
        self.failed(origin, member, &error, || {
            Some(if in_file { source.head(HEAD_BYTES) } else { Vec::new() })
        });
    }
}

fn cut_short(error: &io::Error) -> String {
    format!("could not be read to its end: {error}")
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
