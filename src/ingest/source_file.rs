//! The files to ingest: opening and hashing.

use super::Stop;
use super::archive::Input;
use super::hash::{Hash, Hasher};
use super::local_file::LocalFile;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore};
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tempfile::{SpooledData, SpooledTempFile};
use tokio::runtime::Handle;

/// Files up to this size are held in memory while they are hashed and parsed. Larger ones are read twice at
/// the same time, the second time from the system's memory: nobody waits until one is read, and the system
/// has not to clear memory for it.
const HELD_BYTES: u64 = 1 << 20;

/// The same of what can be read but once: objects, of which each part is a request, and pipes.
const HELD_BYTES_OF_COPY: u64 = 64 << 20;

/// Bytes that are read of a file at once, at least.
const BUFFER_BYTES: usize = 64 << 10;

/// Bytes of one request for a part of an object, and how many are made at once.
const PART_BYTES: u64 = 8 << 20;
const PARTS_AT_ONCE: usize = 4;

/// A file that was found.
#[derive(Debug, Clone)]
pub(super) enum Found {
    /// On this machine.
    Local(PathBuf),
    /// In a bucket or container.
    Object {
        url: String,
        store: Arc<dyn ObjectStore>,
        meta: ObjectMeta,
    },
}

impl Found {
    /// Its path or URL.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Local(path) => path.display().to_string(),
            Self::Object { url, .. } => url.clone(),
        }
    }

    /// Bytes; none where they cannot be told.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Local(path) => std::fs::metadata(path).map_or(0, |meta| meta.len()),
            Self::Object { meta, .. } => meta.size,
        }
    }
}

/// A file that is ready to be read.
#[derive(Debug)]
pub(super) struct SourceFile {
    pub(super) size: u64,
    /// Of the file as it is where it was found.
    pub(super) hash: Hash,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Held(Bytes),
    /// A copy of a large object or of a pipe, gone when it is closed.
    Copied(File),
    OnDisk(Arc<LocalFile>),
}

impl SourceFile {
    /// Opens a file. A small one stays in memory for reading; a large object and what comes through
    /// a pipe are copied to a temporary file, as archives are read back and forth. What is not hashed
    /// on its way is hashed by a thread of its own, while it is read, until somebody stops it. To be
    /// called where blocking is allowed: a pipe is waited for.
    pub(super) fn open(found: &Found, stop: &Stop, runtime: &Handle) -> io::Result<Self> {
        match found {
            Found::Local(path) => Self::open_local(path, stop, runtime),
            Found::Object { store, meta, .. } => runtime.block_on(Self::fetch(store, meta, stop, runtime)),
        }
    }

    fn open_local(path: &Path, stop: &Stop, runtime: &Handle) -> io::Result<Self> {
        let file = File::open(path)?;
        if !file.metadata()?.is_file() {
            return Self::drained(file, HELD_BYTES_OF_COPY, stop);
        }
        let file = LocalFile::of(file)?;
        if file.size <= HELD_BYTES {
            return Ok(Self::held(file.into_bytes()?, stop, runtime));
        }
        let file = Arc::new(file);
        Ok(Self {
            size: file.size,
            hash: Hash::of_file(&file, stop, runtime),
            content: Content::OnDisk(file),
        })
    }

    /// What ends when its writer does, and is as long as that. Of what somebody stops, the begin.
    fn drained(mut input: impl Read, most_held: u64, stop: &Stop) -> io::Result<Self> {
        let mut copy = Copy::holding(most_held);
        let mut buffer = vec![0; BUFFER_BYTES];
        while !stop.load(Ordering::Relaxed) {
            match input.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => copy.write(&buffer[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        copy.finish()
    }

    fn held(bytes: Vec<u8>, stop: &Stop, runtime: &Handle) -> Self {
        let bytes = Bytes::from(bytes);
        Self {
            size: bytes.len() as u64,
            hash: Hash::of_bytes(bytes.clone(), stop, runtime),
            content: Content::Held(bytes),
        }
    }

    async fn fetch(store: &Arc<dyn ObjectStore>, meta: &ObjectMeta, stop: &Stop, runtime: &Handle) -> io::Result<Self> {
        let starts = (0..meta.size).step_by(PART_BYTES as usize);
        let mut parts = futures::stream::iter(starts)
            .map(|start| {
                // Of the same object throughout: what is still written to changes its tag.
                let options = GetOptions {
                    range: Some(GetRange::Bounded(start..(start + PART_BYTES).min(meta.size))),
                    if_match: meta.e_tag.clone(),
                    ..GetOptions::default()
                };
                async move { store.get_opts(&meta.location, options).await?.bytes().await }
            })
            .buffered(PARTS_AT_ONCE)
            .map_err(of_store);
        if meta.size <= HELD_BYTES_OF_COPY {
            let mut bytes = Vec::with_capacity(meta.size as usize);
            while let Some(part) = parts.try_next().await? {
                bytes.extend_from_slice(&part);
            }
            return Ok(Self::held(bytes, stop, runtime));
        }
        let mut copy = Copy::holding(0);
        while let Some(part) = parts.try_next().await? {
            copy.write(&part)?;
        }
        copy.finish()
    }

    /// Its bytes, from the first.
    pub(super) fn input(&self) -> io::Result<Box<dyn Input>> {
        Ok(match &self.content {
            Content::Held(bytes) => Box::new(Cursor::new(bytes.clone())),
            Content::Copied(copy) => {
                let mut copy = copy.try_clone()?;
                copy.rewind()?;
                Box::new(copy)
            }
            // What archives hold is read byte by byte here and there.
            Content::OnDisk(file) => Box::new(BufReader::with_capacity(BUFFER_BYTES, file.read())),
        })
    }

    /// An error where what was hashed may not be what was read.
    pub(super) fn unchanged(&self) -> io::Result<()> {
        match &self.content {
            Content::OnDisk(file) => file.unchanged(),
            Content::Held(_) | Content::Copied(_) => Ok(()),
        }
    }

    /// Its first bytes, as many as can be read.
    pub(super) fn head(&self, length: usize) -> Vec<u8> {
        let mut head = Vec::new();
        let read = self
            .input()
            .and_then(|input| input.take(length as u64).read_to_end(&mut head));
        if read.is_err() {
            head.clear();
        }
        head
    }
}

/// What was read once, to be read again.
struct Copy {
    content: SpooledTempFile,
    hasher: Hasher,
    size: u64,
}

impl Copy {
    /// In memory until it is longer than that.
    fn holding(most_held: u64) -> Self {
        Self {
            content: tempfile::spooled_tempfile(usize::try_from(most_held).unwrap_or(usize::MAX)),
            hasher: Hasher::default(),
            size: 0,
        }
    }

    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.hasher.update(piece);
        self.size += piece.len() as u64;
        self.content.write_all(piece)
    }

    fn finish(self) -> io::Result<SourceFile> {
        Ok(SourceFile {
            size: self.size,
            hash: Hash::known(self.hasher),
            content: match self.content.into_inner() {
                SpooledData::InMemory(held) => Content::Held(held.into_inner().into()),
                SpooledData::OnDisk(file) => Content::Copied(file),
            },
        })
    }
}

fn of_store(error: object_store::Error) -> io::Error {
    match error {
        object_store::Error::Precondition { .. } => io::Error::other("it changed while it was read; ingest it again"),
        error => io::Error::other(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lake::hex;
    use sha2::{Digest as _, Sha256};

    #[test]
    fn what_is_read_once_can_be_read_again() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let bytes: Vec<u8> = (0..3 * BUFFER_BYTES).map(|at| (at % 251) as u8).collect();
        let stop = Stop::default();
        for (most_held, on_disk) in [(bytes.len() as u64, false), (bytes.len() as u64 - 1, true)] {
            let mut source = SourceFile::drained(bytes.as_slice(), most_held, &stop).unwrap();
            assert_eq!(matches!(source.content, Content::Copied(_)), on_disk);
            assert_eq!(source.size, bytes.len() as u64);
            let hashed = source.hash.wait(runtime.handle()).unwrap();
            assert_eq!(*hashed.sha256, hex(&Sha256::digest(&bytes)));
            for _ in 0..2 {
                let mut read = Vec::new();
                source.input().unwrap().read_to_end(&mut read).unwrap();
                assert!(read == bytes);
            }
        }
        // One that never ends is not read for ever.
        stop.store(true, Ordering::Relaxed);
        assert_eq!(SourceFile::drained(io::repeat(0), 10, &stop).unwrap().size, 0);
    }
}
