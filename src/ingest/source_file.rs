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
use tokio::runtime::Handle;

/// Files up to this size are held in memory while they are hashed and parsed. Larger ones are read twice at
/// the same time, the second time from the system's memory: nobody waits until one is read, and the system
/// has not to clear memory for it.
const HELD_BYTES: u64 = 1 << 20;

/// The same of objects, of which each part is a request.
const HELD_BYTES_OF_OBJECT: u64 = 64 << 20;

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
    /// A copy of a large object, gone when it is closed.
    Copied(File),
    OnDisk(Arc<LocalFile>),
}

impl SourceFile {
    /// Opens a file. A small one stays in memory for reading; a large object is copied to a
    /// temporary file, as archives are read back and forth. What is not hashed on its way is
    /// hashed by a thread of its own, while it is read, until somebody stops it. To be called where
    /// blocking is allowed.
    pub(super) fn open(found: &Found, stop: &Stop, runtime: &Handle) -> io::Result<Self> {
        match found {
            Found::Local(path) => Self::open_local(path, stop, runtime),
            Found::Object { store, meta, .. } => runtime.block_on(Self::fetch(store, meta, stop, runtime)),
        }
    }

    fn open_local(path: &Path, stop: &Stop, runtime: &Handle) -> io::Result<Self> {
        let file = LocalFile::open(path)?;
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
        if meta.size <= HELD_BYTES_OF_OBJECT {
            let mut bytes = Vec::with_capacity(meta.size as usize);
            while let Some(part) = parts.try_next().await? {
                bytes.extend_from_slice(&part);
            }
            return Ok(Self::held(bytes, stop, runtime));
        }
        let mut copy = tempfile::tempfile()?;
        let mut hasher = Hasher::default();
        let mut size = 0;
        while let Some(part) = parts.try_next().await? {
            hasher.update(&part);
            size += part.len() as u64;
            copy.write_all(&part)?;
        }
        Ok(Self {
            size,
            hash: Hash::known(hasher),
            content: Content::Copied(copy),
        })
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

fn of_store(error: object_store::Error) -> io::Error {
    match error {
        object_store::Error::Precondition { .. } => io::Error::other("it changed while it was read; ingest it again"),
        error => io::Error::other(error.to_string()),
    }
}
