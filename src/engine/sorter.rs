//! Puts any number of rows in order, in bounded memory: an external merge sort.
//!
//! DataFusion's sort counts rows, not bytes, when it reads back what it wrote to disk; but one
//! alert may have a hundred bytes and another, with all its event ids, ten million.

use crate::error::{Error, Result};
use datafusion::error::DataFusionError;
use datafusion::execution::SpillFile;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::runtime_env::RuntimeEnv;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::sync::Arc;

/// Memory is taken in steps of so many bytes.
const STEP: usize = 1 << 20;

/// Files on disk are merged into one when they are so many.
const MOST_RUNS: usize = 64;

/// Buffers of a file that is read or written, and as a power of two what its compression
/// looks back on: small, as many files are read at once.
const BUFFER: usize = 64 << 10;
const COMPRESSION_WINDOW: u32 = 17;

/// Rows that are worked on at once are so many at most, or have about so many bytes.
const BLOCK_ROWS: usize = 256;
const BLOCK_BYTES: usize = 256 << 10;

/// Blocks that are worked on in the background at a time: enough to be faster than who takes them,
/// and few, as nobody counts their memory.
pub(crate) const BLOCKS_AHEAD: usize = 2;

/// What can be put in order, and wait on disk.
pub(crate) trait Spilled: Ord + Sized {
    /// Bytes that it takes in memory.
    fn bytes(&self) -> usize;

    /// Writes it so that [`Self::read`] gives the same again.
    fn write(&self, out: &mut impl Write) -> io::Result<()>;

    /// The next of those that were written.
    fn read(from: &mut impl Read) -> io::Result<Self>;
}

/// Rows, of which those that fit wait in memory.
pub(crate) struct Sorter<R> {
    runtime: Arc<RuntimeEnv>,
    reservation: MemoryReservation,
    budget: usize,
    rows: Vec<R>,
    bytes: usize,
    runs: Vec<Run>,
}

/// Rows in order, on disk.
#[derive(Clone)]
struct Run {
    file: Arc<dyn SpillFile>,
    rows: u64,
}

impl<R> std::fmt::Debug for Sorter<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sorter")
            .field("rows", &self.rows.len())
            .field("runs", &self.runs.len())
            .finish_non_exhaustive()
    }
}

impl<R: Spilled> Sorter<R> {
    /// Takes at most `budget` bytes of the pool's memory, and the disk for what is more.
    pub(crate) fn new(runtime: Arc<RuntimeEnv>, budget: usize) -> Self {
        Self {
            reservation: MemoryConsumer::new("rows to be put in order").register(&runtime.memory_pool),
            runtime,
            budget,
            rows: Vec::new(),
            bytes: 0,
            runs: Vec::new(),
        }
    }

    /// Whether there is memory for rows of so many bytes.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        while self.bytes + bytes > self.reservation.size() {
            let most = self.reservation.size() + STEP <= self.budget;
            if !most || self.reservation.try_grow(STEP).is_err() {
                return false;
            }
        }
        true
    }

    /// Adds rows. Where there is no [room](Self::has_room) for them the others have to be
    /// [written](Self::write) first.
    pub(crate) fn add(&mut self, rows: Vec<R>) {
        self.bytes += rows.iter().map(R::bytes).sum::<usize>();
        let beyond = self.bytes.saturating_sub(self.reservation.size());
        self.reservation.grow(beyond);
        self.rows.extend(rows);
    }

    /// Writes the rows in memory to disk; it takes a while.
    pub(crate) fn write(&mut self) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_unstable();
        let run = self.run(rows.into_iter().map(Ok))?;
        self.runs.push(run);
        self.bytes = 0;
        let beyond = self.reservation.size().saturating_sub(self.budget);
        self.reservation.shrink(beyond);
        if self.runs.len() >= MOST_RUNS {
            let merged = self.run(Merged::of(&self.runs)?)?;
            self.runs = vec![merged];
        }
        Ok(())
    }

    fn run(&self, rows: impl Iterator<Item = Result<R>>) -> Result<Run> {
        let file = self.runtime.disk_manager.create_tmp_file("rows to be put in order")?;
        let out = BufWriter::with_capacity(BUFFER, file.open_writer()?);
        let mut out = zstd::Encoder::new(out, 1).map_err(failed)?;
        out.window_log(COMPRESSION_WINDOW).map_err(failed)?;
        let mut count = 0;
        for row in rows {
            row?.write(&mut out).map_err(failed)?;
            count += 1;
        }
        let out = out.finish().map_err(failed)?;
        let mut out = out.into_inner().map_err(|error| failed(error.into_error()))?;
        out.finish()?;
        Ok(Run { file, rows: count })
    }

    /// All rows in order. Without files on disk they are in memory.
    pub(crate) fn finish(mut self) -> Result<Ordered<R>> {
        if !self.runs.is_empty() {
            self.write()?;
        }
        self.rows.sort_unstable();
        Ok(Ordered {
            rows: self.rows,
            runs: self.runs,
            _reservation: self.reservation,
        })
    }
}

/// Writes a text with its length before it.
pub(crate) fn write_text(text: &str, out: &mut impl Write) -> io::Result<()> {
    out.write_all(&(text.len() as u64).to_le_bytes())?;
    out.write_all(text.as_bytes())
}

/// Reads what [`write_text`] wrote.
pub(crate) fn read_text(from: &mut impl Read) -> io::Result<String> {
    let length = u64::from_le_bytes(read_bytes(from)?);
    let mut text = String::with_capacity(usize::try_from(length).unwrap_or_default());
    from.take(length).read_to_string(&mut text)?;
    Ok(text)
}

/// So many bytes.
pub(crate) fn read_bytes<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Rows in blocks for [`in_background`]; a large row is one by itself. An error keeps its place.
pub(crate) fn in_blocks<R: Spilled>(mut rows: impl Iterator<Item = Result<R>>) -> impl Iterator<Item = Result<Vec<R>>> {
    let mut failed = None;
    std::iter::from_fn(move || {
        if let Some(error) = failed.take() {
            return Some(Err(error));
        }
        let (mut block, mut bytes) = (Vec::new(), 0);
        while block.len() < BLOCK_ROWS && bytes < BLOCK_BYTES {
            match rows.next() {
                Some(Ok(row)) => {
                    bytes += row.bytes();
                    block.push(row);
                }
                Some(Err(error)) if block.is_empty() => return Some(Err(error)),
                Some(Err(error)) => {
                    failed = Some(error);
                    break;
                }
                None => break,
            }
        }
        (!block.is_empty()).then_some(Ok(block))
    })
}

/// Does work that takes a while where it holds up nobody.
pub(crate) async fn in_background<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|error| Error::Internal(format!("work in the background ended: {error}")))?
}

fn failed(error: io::Error) -> Error {
    let error = DataFusionError::IoError(error).context("rows that wait on disk");
    Error::from(error)
}

/// Rows in order, which can be read several times.
pub(crate) struct Ordered<R> {
    rows: Vec<R>,
    runs: Vec<Run>,
    _reservation: MemoryReservation,
}

impl<R: Spilled> Ordered<R> {
    /// All of them, for the last time.
    pub(crate) fn into_rows(self) -> Result<impl Iterator<Item = Result<R>>> {
        let merged = Merged::of(&self.runs)?;
        let Self { rows, _reservation, .. } = self;
        let held = rows.into_iter().map(move |row| {
            // The memory is given back when the rows are gone.
            let _ = &_reservation;
            Ok(row)
        });
        Ok(held.chain(merged))
    }

    /// Those in memory, and those on disk: one of the two is empty.
    pub(crate) fn parts(&mut self) -> Result<(&mut Vec<R>, Merged<R>)> {
        let merged = Merged::of(&self.runs)?;
        Ok((&mut self.rows, merged))
    }
}

/// The rows of several runs, in order.
pub(crate) struct Merged<R> {
    next: BinaryHeap<Reverse<(R, usize)>>,
    rest: Vec<Reading>,
}

/// A run that is being read.
struct Reading {
    from: zstd::Decoder<'static, BufReader<File>>,
    left: u64,
    /// It goes from the disk with the last who reads it.
    _file: Arc<dyn SpillFile>,
}

impl Reading {
    fn next<R: Spilled>(&mut self) -> Result<Option<R>> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        R::read(&mut self.from).map(Some).map_err(failed)
    }
}

impl<R: Spilled> Merged<R> {
    fn of(runs: &[Run]) -> Result<Self> {
        let (mut next, mut rest) = (BinaryHeap::new(), Vec::new());
        for (number, run) in runs.iter().enumerate() {
            let path = run.file.path().ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
            let file = File::open(path).map_err(failed)?;
            let from = BufReader::with_capacity(BUFFER, file);
            let mut reading = Reading {
                from: zstd::Decoder::with_buffer(from).map_err(failed)?,
                left: run.rows,
                _file: Arc::clone(&run.file),
            };
            next.extend(reading.next()?.map(|row| Reverse((row, number))));
            rest.push(reading);
        }
        Ok(Self { next, rest })
    }
}

impl<R: Spilled> Iterator for Merged<R> {
    type Item = Result<R>;

    fn next(&mut self) -> Option<Result<R>> {
        let mut least = self.next.peek_mut()?;
        let number = least.0.1;
        let following = self.rest.get_mut(number).map_or(Ok(None), Reading::next);
        Some(match following {
            Ok(Some(row)) => Ok(std::mem::replace(&mut least.0.0, row)),
            Ok(None) => Ok(PeekMut::pop(least).0.0),
            Err(error) => {
                drop(least);
                self.next.clear();
                Err(error)
            }
        })
    }
}

#[cfg(test)]
mod tests;
