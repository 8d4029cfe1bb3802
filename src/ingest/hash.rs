//! SHA-256 of files, made while they are read.

use super::Stop;
use crate::error::{Error, Result};
use crate::lake::hex;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;

/// Bytes between two looks at whether anybody still wants to know.
const PIECE_BYTES: usize = 1 << 20;

/// How often somebody who waits looks at whether there is still something to wait for.
const PATIENCE: Duration = Duration::from_millis(50);

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
pub(super) struct Hash(watch::Receiver<Option<Hashed>>);

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
        Self(watch::channel(Some(hasher.finish(None))).1)
    }

    /// Of bytes, by another thread.
    pub(super) fn of_bytes(bytes: Bytes, runtime: &Handle) -> Self {
        Self::by_a_thread(runtime, move |hasher, wanted| {
            for piece in bytes.chunks(PIECE_BYTES).take_while(|_| wanted()) {
                hasher.update(piece);
            }
            Ok(())
        })
    }

    /// Of a file from where it stands, by another thread.
    pub(super) fn of_file(mut file: File, runtime: &Handle) -> Self {
        Self::by_a_thread(runtime, move |hasher, wanted| {
            let mut buffer = vec![0; PIECE_BYTES];
            while wanted() {
                match file.read(&mut buffer) {
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
        runtime: &Handle,
        hash: impl FnOnce(&mut Hasher, &dyn Fn() -> bool) -> io::Result<()> + Send + 'static,
    ) -> Self {
        let (sender, receiver) = watch::channel(None);
        runtime.spawn_blocking(move || {
            let mut hasher = Hasher::default();
            let hashed = hash(&mut hasher, &|| !sender.is_closed());
            // Whoever wanted it may have gone.
            let _ = sender.send(Some(hasher.finish(hashed.err())));
        });
        Self(receiver)
    }

    /// Waits for it. None where the thread that made it ended early.
    pub(super) async fn get(&mut self) -> Option<Hashed> {
        let known = self.0.wait_for(Option::is_some).await.ok()?;
        known.clone()
    }

    /// Waits for it where blocking is allowed. None where somebody does not want to wait any
    /// longer, or the thread that made it ended early.
    pub(super) fn wait(&mut self, runtime: &Handle, stop: &Stop) -> Option<Hashed> {
        runtime.block_on(async {
            loop {
                match tokio::time::timeout(PATIENCE, self.get()).await {
                    Ok(hashed) => return hashed,
                    Err(_) if stop.load(Ordering::Relaxed) => return None,
                    Err(_) => {}
                }
            }
        })
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

    /// Waits for all of them, and tells the hash of each origin.
    pub(super) async fn settle(&mut self, mut tell: impl FnMut(usize, &Hashed)) -> Result<()> {
        for (mut hash, origins) in self.0.drain(..) {
            let hashed = hash.get().await;
            let hashed = hashed.ok_or_else(|| Error::Internal("a thread that hashes a file ended early".into()))?;
            origins.into_iter().for_each(|origin| tell(origin, &hashed));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    const OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn runtime() -> tokio::runtime::Runtime {
        // Somebody has to watch the clock while others wait.
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_time()
            .build()
            .unwrap()
    }

    #[test]
    fn bytes_and_files_have_the_hash_that_they_have_read_at_once() {
        let runtime = runtime();
        let long: Vec<u8> = (0..3 * PIECE_BYTES + 7).map(|at| (at % 251) as u8).collect();
        for bytes in [b"abc".as_slice(), b"", &long] {
            let mut hasher = Hasher::default();
            hasher.update(bytes);
            let expected = hasher.finish(None);
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(bytes).unwrap();
            let of_file = Hash::of_file(file.reopen().unwrap(), runtime.handle());
            let of_bytes = Hash::of_bytes(bytes.to_vec().into(), runtime.handle());
            for mut hash in [of_file, of_bytes] {
                let hashed = hash.wait(runtime.handle(), &Stop::default()).unwrap();
                assert_eq!((&hashed.sha256, hashed.size), (&expected.sha256, bytes.len() as u64));
                assert!(hashed.problem.is_none());
            }
        }
        let mut hasher = Hasher::default();
        hasher.update(b"abc");
        let known = Hash::known(hasher).wait(runtime.handle(), &Stop::default()).unwrap();
        assert_eq!(&*known.sha256, OF_ABC);
    }

    #[test]
    fn what_cannot_be_read_to_its_end_has_a_hash_and_a_problem() {
        let runtime = runtime();
        // A folder can be opened and not read.
        let folder = File::open("/").unwrap();
        let hashed = Hash::of_file(folder, runtime.handle()).wait(runtime.handle(), &Stop::default());
        let hashed = hashed.unwrap();
        assert_eq!(hashed.sha256, Hasher::default().finish(None).sha256);
        assert!(hashed.problem.is_some());
    }

    #[test]
    fn nobody_waits_for_what_was_stopped_or_has_ended() {
        let runtime = runtime();
        let (sender, receiver) = watch::channel(None);
        let mut hash = Hash(receiver);
        let stop = Stop::default();
        stop.store(true, Ordering::Relaxed);
        assert!(hash.wait(runtime.handle(), &stop).is_none());
        drop(sender);
        assert!(hash.wait(runtime.handle(), &Stop::default()).is_none());
    }
}
