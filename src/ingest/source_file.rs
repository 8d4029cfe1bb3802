//! The files to ingest: opening and hashing.

use super::Stop;
use super::archive::Input;
use super::hash::{Hash, Hasher};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore};
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Handle;

/// Files up to this size are held in memory while they are hashed and parsed. Larger ones are read twice at
/// the same time, the second time from the system's memory: nobody waits until one is read, and the system
/// has not to clear memory for it.
const HELD_BYTES: u64 = 1 << 20;

/// The same of objects, of which each part is a request.
const HELD_BYTES_OF_OBJECT: u64 = 64 << 20;

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
    OnDisk(PathBuf, u64),
}

impl SourceFile {
    /// Opens a file. A small one stays in memory for reading; a large object is copied to a
    /// temporary file, as archives are read back and forth. What is not hashed on its way is
    /// hashed by a thread of its own, while it is read, until somebody stops it. To be called where blocking is allowed.
    pub(super) fn open(found: &Found, stop: &Stop, runtime: &Handle) -> io::Result<Self> {
        match found {
            Found::Local(path) => Self::open_local(path, stop, runtime),
            Found::Object { store, meta, .. } => runtime.block_on(Self::fetch(store, meta, stop, runtime)),
        }
    }

    fn open_local(path: &Path, stop: &Stop, runtime: &Handle) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        if size > HELD_BYTES {
            return Ok(Self {
                size,
                hash: Hash::of_file(file, size, stop, runtime),
                content: Content::OnDisk(path.to_owned(), size),
            });
        }
        let mut bytes = Vec::with_capacity(size as usize + 1);
        file.read_to_end(&mut bytes)?;
        Ok(Self::held(bytes, stop, runtime))
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
            Content::OnDisk(path, size) => Box::new(Begin {
                file: File::open(path)?,
                at: 0,
                size: *size,
            }),
        })
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

/// As much of a file as it had when it was opened, which is what is hashed: others may write to it meanwhile.
struct Begin {
    file: File,
    at: u64,
    size: u64,
}

impl Read for Begin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.size.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let most = left.min(buffer.len());
        let count = self.file.read(&mut buffer[..most])?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Begin {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            // Of what there was, not of what there is.
            SeekFrom::End(from) => match self.size.checked_add_signed(from) {
                Some(at) => SeekFrom::Start(at),
                None => return Err(io::ErrorKind::InvalidInput.into()),
            },
            other => other,
        };
        self.at = self.file.seek(to)?;
        Ok(self.at)
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

    /// What comes to a log while it is read is for the next ingest, as it is not hashed.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_file_that_grows_is_read_as_far_as_it_is_hashed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.json");
        let text: Vec<u8> = (0..HELD_BYTES as u32 / 2).flat_map(u32::to_le_bytes).collect();
        std::fs::write(&path, &text).unwrap();
        let found = Found::Local(path.clone());
        let runtime = Handle::current();
        let read = tokio::task::spawn_blocking(move || {
            let mut source = SourceFile::open(&found, &Stop::default(), &runtime).unwrap();
            let mut more = File::options().append(true).open(&path).unwrap();
            more.write_all(b"more").unwrap();
            let mut input = source.input().unwrap();
            let mut whole = Vec::new();
            input.read_to_end(&mut whole).unwrap();
            let mut end = Vec::new();
            let from = input.seek(SeekFrom::End(-10)).unwrap();
            input.read_to_end(&mut end).unwrap();
            assert!(input.seek(SeekFrom::End(-(text.len() as i64) - 1)).is_err());
            input.seek(SeekFrom::Start(from + 4)).unwrap();
            input.seek(SeekFrom::Current(4)).unwrap();
            let mut last = Vec::new();
            input.read_to_end(&mut last).unwrap();
            assert_eq!(
                (end.as_slice(), last.as_slice()),
                (&text[text.len() - 10..], &text[text.len() - 2..])
            );
            let hashed = source.hash.wait(&runtime).unwrap();
            assert_eq!((hashed.size, source.size), (text.len() as u64, text.len() as u64));
            (whole == text, hashed)
        });
        let (is_whole, hashed) = read.await.unwrap();
        assert!(is_whole);
        let mut hasher = Hasher::default();
        hasher.update(
            &(0..HELD_BYTES as u32 / 2)
                .flat_map(u32::to_le_bytes)
                .collect::<Vec<u8>>(),
        );
        let expected = Hash::known(hasher).get().await.unwrap();
        assert_eq!(hashed.sha256, expected.sha256);
    }
}
