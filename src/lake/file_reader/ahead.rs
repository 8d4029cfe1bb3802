//! On a slow disk: the ends of files are brought before a scan comes to them.
//!
//! A scan reads the end of a file, then some of its columns, then goes on to the next, and waits
//! for the disk each time. Whoever finds a file that is not in memory has those behind it brought
//! meanwhile, so that for each the scan waits once in place of twice. Where files are in memory,
//! as they are for all hunts but the first, this costs one look.

use super::{LOCAL_TAIL, announce, local_path};
use datafusion::object_store::path::Path;
use std::collections::HashMap;
use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// How many files ahead: what a disk may do at once, and a scan that ends early does in vain.
const FILES: usize = 16;

/// The files of a scan, in the order in which it comes to them: its threads take them from one list.
#[derive(Debug)]
pub(super) struct Ahead {
    files: Vec<(Path, u64)>,
    brought: Vec<AtomicBool>,
    /// Some file could be read without waiting.
    answered: AtomicBool,
    /// Some file was not in memory.
    is_cold: AtomicBool,
    /// Where each file is among them; made when one was not.
    places: OnceLock<HashMap<Path, usize>>,
}

impl Ahead {
    /// Of files with their sizes in bytes.
    pub(super) fn new(files: Vec<(Path, u64)>) -> Self {
        Self {
            brought: files.iter().map(|_| AtomicBool::new(false)).collect(),
            files,
            answered: AtomicBool::new(false),
            is_cold: AtomicBool::new(false),
            places: OnceLock::new(),
        }
    }

    /// Whether files are likely to be opened without waiting, as all so far could be read.
    pub(super) fn answers(&self) -> bool {
        self.answered.load(Ordering::Relaxed) && !self.is_cold.load(Ordering::Relaxed)
    }

    /// The scan has come to a file, whose end from `begin` on it reads next.
    pub(super) fn come_to(self: &Arc<Self>, location: &Path, file: &File, begin: u64) {
        if !self.is_cold.load(Ordering::Relaxed) {
            match is_in_memory(file, begin) {
                Some(true) => return self.answered.store(true, Ordering::Relaxed),
                Some(false) => {}
                None => return,
            }
            self.is_cold.store(true, Ordering::Relaxed);
        }
        let places = self.places.get_or_init(|| {
            let numbered = self.files.iter().enumerate();
            numbered
                .map(|(place, (location, _))| (location.clone(), place))
                .collect()
        });
        let Some(&place) = places.get(location) else { return };
        let next = self.files.len().min(place + 1)..self.files.len().min(place + 1 + FILES);
        for place in next {
            if !self.brought[place].swap(true, Ordering::Relaxed) {
                let ahead = Arc::clone(self);
                // To open it may have to wait for the disk as well.
                drop(tokio::task::spawn_blocking(move || ahead.bring(place)));
            }
        }
    }

    /// Nobody depends on it, so what fails fails for whoever reads the file.
    fn bring(&self, place: usize) {
        let (location, size) = &self.files[place];
        if let Some(file) = local_path(location).and_then(|path| File::open(path).ok()) {
            announce(&file, &(size.saturating_sub(LOCAL_TAIL)..*size));
        }
    }
}

/// Whether a byte can be read without waiting for the disk. None where nobody can tell, as of a network's.
#[cfg(target_os = "linux")]
fn is_in_memory(file: &File, position: u64) -> Option<bool> {
    use rustix::io::{Errno, ReadWriteFlags, preadv2};
    let mut byte = [0];
    let mut into = [std::io::IoSliceMut::new(&mut byte)];
    match preadv2(file, &mut into, position, ReadWriteFlags::NOWAIT) {
        Ok(_) => Some(true),
        Err(Errno::AGAIN) => Some(false),
        Err(_) => None,
    }
}

#[cfg(not(target_os = "linux"))]
fn is_in_memory(_: &File, _: u64) -> Option<bool> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_behind_a_cold_one_are_brought_once_each() {
        let folder = tempfile::tempdir().unwrap();
        let files = (0..40).map(|number| {
            let path = folder.path().join(format!("{number} ü.parquet"));
            std::fs::write(&path, [0; 100]).unwrap();
            (Path::from_absolute_path(path).unwrap(), 100)
        });
        let files: Vec<(Path, u64)> = files.collect();
        let ahead = Arc::new(Ahead::new(files));
        let open = |place: usize| File::open(local_path(&ahead.files[place].0).unwrap()).unwrap();
        let brought = || {
            let brought = ahead.brought.iter().map(|one| one.load(Ordering::Relaxed));
            brought
                .enumerate()
                .filter_map(|(place, is)| is.then_some(place))
                .collect::<Vec<_>>()
        };
        assert!(!ahead.answers());
        ahead.come_to(&ahead.files[0].0, &open(0), 0);
        assert_eq!(brought(), Vec::<usize>::new(), "what was just written is in memory");
        assert!(ahead.answers());
        ahead.is_cold.store(true, Ordering::Relaxed);
        assert!(!ahead.answers());
        ahead.come_to(&ahead.files[0].0, &open(0), 0);
        assert_eq!(brought(), (1..=FILES).collect::<Vec<_>>());
        ahead.come_to(&ahead.files[39].0, &open(39), 0);
        ahead.come_to(&Path::from("of/another"), &open(5), 0);
        assert_eq!(brought(), (1..=FILES).collect::<Vec<_>>());
        ahead.come_to(&ahead.files[30].0, &open(30), 0);
        assert_eq!(brought(), (1..=FILES).chain(31..40).collect::<Vec<_>>());
    }
}
