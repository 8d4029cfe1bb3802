//! How much may come out of a file, and how much of that is held in memory.

use super::DEPTH;
use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicBool, Ordering};

/// A file may expand to so many bytes, or to so many times its size where that is more: logs
/// shrink to a tenth or a fiftieth, and a file of a few kilobytes that repeats itself to a
/// thousandth. What expands further was made to fill disks.
const EXPANDED_BYTES: u64 = 4 << 30;
const EXPANDED_TIMES: u64 = 250;

/// Members of a file in all. Each is remembered for as long as the ingest runs.
const MEMBERS: u64 = 1 << 20;

/// What a file may expand to, and who says when to stop.
#[derive(Debug)]
pub(in crate::ingest) struct Limits<'a> {
    stop: &'a AtomicBool,
    /// Bytes that may still come out, at each depth: what expands to nothing in the end has still
    /// to be read where it is large.
    left: [Cell<u64>; DEPTH as usize + 1],
    members: Cell<u64>,
}

impl<'a> Limits<'a> {
    /// For a file of this size, until somebody says to stop.
    pub(in crate::ingest) fn new(size: u64, stop: &'a AtomicBool) -> Self {
        Self::of(EXPANDED_BYTES.max(size.saturating_mul(EXPANDED_TIMES)), stop)
    }

    /// For so many bytes at each depth.
    pub(in crate::ingest) fn of(bytes: u64, stop: &'a AtomicBool) -> Self {
        Self {
            stop,
            left: std::array::from_fn(|_| Cell::new(bytes)),
            members: Cell::new(MEMBERS),
        }
    }

    /// A stream whose bytes count as expanded.
    pub(super) fn counted<'b>(&'b self, input: &'b mut dyn Read, depth: u32) -> Counted<'b> {
        Counted {
            input,
            left: &self.left[(depth as usize).min(self.left.len() - 1)],
            limits: self,
        }
    }

    /// Counts one more member.
    pub(super) fn member(&self) -> io::Result<()> {
        let left = self.members.get().checked_sub(1).ok_or_else(|| {
            let problem = format!("it holds more than {MEMBERS} files: unpack it first");
            io::Error::new(io::ErrorKind::FileTooLarge, problem)
        })?;
        self.members.set(left);
        Ok(())
    }

    /// An error when too much has come out, or nobody waits for more.
    pub(super) fn check(&self) -> io::Result<()> {
        if self.stop.load(Ordering::Relaxed) {
            // Not of the kind `Interrupted`, after which one tries again.
            return Err(io::Error::other("stopped"));
        }
        if self.left.iter().all(|left| left.get() > 0) {
            return Ok(());
        }
        let problem = format!(
            "it expands to more than {} GiB and {EXPANDED_TIMES} times its size: if you trust it, unpack it first",
            EXPANDED_BYTES >> 30
        );
        Err(io::Error::new(io::ErrorKind::FileTooLarge, problem))
    }
}

pub(super) struct Counted<'a> {
    input: &'a mut dyn Read,
    left: &'a Cell<u64>,
    limits: &'a Limits<'a>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.left.set(self.left.get().saturating_sub(count as u64));
        self.limits.check().map(|()| count)
    }
}

/// A stream of which no more is read than somebody else allows, because it would be held in memory.
pub(super) struct Metered<'a, R> {
    input: R,
    allowed: &'a Cell<u64>,
    /// What would be too long.
    what: &'static str,
}

impl<'a, R> Metered<'a, R> {
    pub(super) fn new(input: R, allowed: &'a Cell<u64>, what: &'static str) -> Self {
        Self { input, allowed, what }
    }
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        let Some(left) = self.allowed.get().checked_sub(count as u64) else {
            let problem = format!("{} is too long: unpack it first", self.what);
            return Err(io::Error::new(io::ErrorKind::Unsupported, problem));
        };
        self.allowed.set(left);
        Ok(count)
    }
}

impl<R: Seek> Seek for Metered<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.input.seek(to)
    }
}
