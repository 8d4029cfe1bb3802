//! SHA-256 of files, made while they are read.

use super::Stop;
use super::local_file::LocalFile;
use crate::error::{Error, Result};
use crate::lake::hex;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::runtime::Handle;
use tokio::sync::watch;

/// Bytes between two looks at whether anybody still wants to know.
const PIECE_BYTES: usize = 1 << 20;

/// What a file hashes to.
#[derive(Debug, Clone)]
pub(super) struct Hashed {
    /// Lower-case hexadecimal SHA-256 of what could be read.
    pub(super) sha256: Arc<str>,
    /// Bytes of that.
    pub(super) size: u64,
    /// What kept the file from being read to its end.
    pub(super) problem: Option<Arc<io::Error>>,
}

/// The hash of a file, which may still be in the making.
#[derive(Debug, Clone)]
pub(super) struct Hash {
    hashed: watch::Receiver<Option<Hashed>>,
    stop: Stop,
}

#[derive(Default)]
pub(super) struct Hasher {
    hash: Sha256,
    size: u64,
}

impl Hasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
    }

    fn finish(self, problem: Option<io::Error>) -> Hashed {
        Hashed {
            sha256: hex(&self.hash.finalize()).into(),
            size: self.size,
            problem: problem.map(Arc::new),
        }
    }
}

impl Hash {
    /// Of what has been hashed already.
    pub(super) fn known(hasher: Hasher) -> Self {
        Self {
            hashed: watch::channel(Some(hasher.finish(None))).1,
            stop: Stop::default(),
        }
    }

    /// Of bytes, by another thread, until somebody stops it.
    pub(super) fn of_bytes(bytes: Bytes, stop: &Stop, runtime: &Handle) -> Self {
        Self::by_a_thread(stop, runtime, move |hasher, wanted| {
            for piece in bytes.chunks(PIECE_BYTES).take_while(|_| wanted()) {
                hasher.update(piece);
            }
            Ok(())
        })
    }

    /// Of a file as far as it went when it was opened, by another thread, until somebody stops it.
    pub(super) fn of_file(file: &Arc<LocalFile>, stop: &Stop, runtime: &Handle) -> Self {
        let mut reading = file.read();
        Self::by_a_thread(stop, runtime, move |hasher, wanted| {
            let mut buffer = vec![0; PIECE_BYTES];
            while wanted() {
                match reading.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => hasher.update(&buffer[..count]),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        })
    }

    fn by_a_thread(
        stop: &Stop,
        runtime: &Handle,
        hash: impl FnOnce(&mut Hasher, &dyn Fn() -> bool) -> io::Result<()> + Send + 'static,
    ) -> Self {
        let (sender, hashed) = watch::channel(None);
        let stopped = Arc::clone(stop);
        runtime.spawn_blocking(move || {
            let mut hasher = Hasher::default();
            let wanted = || !sender.is_closed() && !stopped.load(Ordering::Relaxed);
            let problem = hash(&mut hasher, &wanted).err();
            // Whoever wanted it may have gone, and a part is nobody's hash.
            if wanted() {
                let _ = sender.send(Some(hasher.finish(problem)));
            }
        });
        Self {
            hashed,
            stop: Arc::clone(stop),
        }
    }

    /// Waits for it, unless somebody stops it.
    pub(super) async fn get(&mut self) -> Result<Hashed> {
        if let Ok(hashed) = self.hashed.wait_for(Option::is_some).await
            && let Some(hashed) = hashed.clone()
        {
            return Ok(hashed);
        }
        Err(match self.stop.load(Ordering::Relaxed) {
            true => Error::Interrupted,
            false => Error::Internal("a thread that hashes a file ended early".into()),
        })
    }

    /// As [`Self::get`], where blocking is allowed.
    pub(super) fn wait(&mut self, runtime: &Handle) -> Result<Hashed> {
        runtime.block_on(self.get())
    }
}

/// Hashes that have not been asked for yet, of files one after the other and of their members.
#[derive(Debug, Default)]
pub(super) struct Hashes(Vec<(Hash, Vec<usize>)>);

impl Hashes {
    /// A file begins, which is the origin of this number.
    pub(super) fn file(&mut self, origin: usize, hash: Hash) {
        self.0.push((hash, vec![origin]));
    }

    /// A member of the file that began last. Its hash is the file's.
    pub(super) fn member(&mut self, origin: usize) {
        if let Some((_, origins)) = self.0.last_mut() {
            origins.push(origin);
        }
    }

    /// Waits for all of them, and tells the hash of each origin once.
    pub(super) async fn settle(&mut self, mut tell: impl FnMut(usize, &Hashed)) -> Result<()> {
        for (hash, origins) in &mut self.0 {
            if !origins.is_empty() {
                let hashed = hash.get().await?;
                origins.drain(..).for_each(|origin| tell(origin, &hashed));
            }
        }
        // Of the last file, more members may come.
        self.0.drain(..self.0.len().saturating_sub(1));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    const OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().unwrap()
    }

    fn hashed(bytes: &[u8]) -> Hashed {
        let mut hasher = Hasher::default();
        hasher.update(bytes);
        hasher.finish(None)
    }

    #[test]
    fn bytes_and_files_have_the_hash_that_they_have_read_at_once() {
        let (runtime, stop) = (runtime(), Stop::default());
        let long: Vec<u8> = (0..3 * PIECE_BYTES + 7).map(|at| (at % 251) as u8).collect();
        for bytes in [b"abc".as_slice(), b"", &long] {
            let expected = hashed(bytes);
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(bytes).unwrap();
            let size = bytes.len() as u64;
            let opened = Arc::new(LocalFile::of(file.reopen().unwrap()).unwrap());
            // What comes later is not of the file that was found.
            file.write_all(b"more").unwrap();
            let of_file = Hash::of_file(&opened, &stop, runtime.handle());
            let of_bytes = Hash::of_bytes(bytes.to_vec().into(), &stop, runtime.handle());
            for mut hash in [of_file, of_bytes] {
                let hashed = hash.wait(runtime.handle()).unwrap();
                assert_eq!((&hashed.sha256, hashed.size), (&expected.sha256, size));
                assert!(hashed.problem.is_none());
            }
        }
        let mut hasher = Hasher::default();
        hasher.update(b"abc");
        let known = Hash::known(hasher).wait(runtime.handle()).unwrap();
        assert_eq!(&*known.sha256, OF_ABC);
    }

    #[test]
    fn what_cannot_be_read_to_its_end_has_a_hash_and_a_problem() {
        let runtime = runtime();
        // A folder can be opened and not read.
        let folder = Arc::new(LocalFile::of(std::fs::File::open("/").unwrap()).unwrap());
        let hash = Hash::of_file(&folder, &Stop::default(), runtime.handle()).wait(runtime.handle());
        let hash = hash.unwrap();
        assert_eq!(hash.sha256, hashed(b"").sha256);
        assert!(hash.problem.is_some());
    }

    #[test]
    fn nobody_waits_for_what_was_stopped_or_has_ended() {
        let runtime = runtime();
        let stop = Stop::default();
        stop.store(true, Ordering::Relaxed);
        let stopped = Hash::of_bytes(vec![0; 10].into(), &stop, runtime.handle()).wait(runtime.handle());
        assert!(matches!(stopped, Err(Error::Interrupted)));
        let mut ended = Hash {
            hashed: watch::channel(None).1,
            stop: Stop::default(),
        };
        assert!(matches!(ended.wait(runtime.handle()), Err(Error::Internal(_))));
    }

    #[test]
    fn members_that_come_later_have_the_hash_of_their_file() {
        let known = |bytes: &[u8]| {
            let mut hasher = Hasher::default();
            hasher.update(bytes);
            Hash::known(hasher)
        };
        let mut hashes = Hashes::default();
        let mut told = Vec::new();
        let mut settle = |hashes: &mut Hashes| {
            let tell = |origin: usize, hashed: &Hashed| told.push((origin, hashed.sha256.to_string()));
            runtime().block_on(hashes.settle(tell)).unwrap();
        };
        hashes.file(0, known(b"a"));
        hashes.member(5);
        settle(&mut hashes);
        hashes.member(6);
        hashes.file(1, known(b"b"));
        settle(&mut hashes);
        hashes.member(7);
        settle(&mut hashes);
        let (a, b) = (hashed(b"a").sha256.to_string(), hashed(b"b").sha256.to_string());
        assert_eq!(told, [(0, a.clone()), (5, a.clone()), (6, a), (1, b.clone()), (7, b)]);
    }
}
