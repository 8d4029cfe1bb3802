//! The ends of files are brought before a scan comes to them.
//!
//! A scan reads the end of a file, then some of its columns, then goes on to the next, and waits
//! each time. On a disk, whoever finds a file that is not in memory has those behind it brought
//! meanwhile, so that for each the scan waits once in place of twice. Where files are in memory,
//! as they are for all hunts but the first, this costs one look. Of a store, what the scan reads of
//! the files behind is asked for while one is read, and the scan waits for the first alone.

use super::fetched::Fetched;
use super::{LOCAL_TAIL, announce, local_path};
use datafusion::common::runtime::SpawnedTask;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::object_store::ObjectMeta;
use datafusion::object_store::path::Path;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// How many files ahead: what a disk may do at once, and a scan that ends early does in vain.
const FILES_OF_DISK: usize = 16;

/// The same of a store, which answers many at once, each after a while.
const FILES_OF_STORE: usize = 32;

/// The same of a scan that has come to its first file: it may end there. With each file it is as many more.
const FIRST_FILES_OF_STORE: usize = 4;

/// Bytes that are on their way from a store, or have come, for files that no scan of an engine has come to.
const BYTES_OF_STORE: u64 = 32 << 20;

/// The files of a scan, in the order in which it comes to them, as its threads take them from one list,
/// and the columns that it reads: an extension of each [`PartitionedFile`].
#[derive(Debug, Clone)]
pub struct FilesOfScan(pub(super) Arc<Ahead>);

impl FilesOfScan {
    /// These, of each of which these columns are read.
    pub fn new<'a>(files: impl IntoIterator<Item = &'a PartitionedFile>, columns: BTreeSet<String>) -> Self {
        let files = files.into_iter().map(|file| file.object_meta.clone());
        Self(Arc::new(Ahead::new(files.collect(), columns)))
    }

    /// Tells the files of a scan that they are read in this order, one group after the other.
    pub fn attach(groups: &mut [Vec<PartitionedFile>], columns: BTreeSet<String>) {
        let in_order = Self::new(groups.iter().flatten(), columns);
        for file in groups.iter_mut().flatten() {
            file.extensions.insert(in_order.clone());
        }
    }

    /// For a look at a single file, behind which nothing is read.
    pub fn none() -> Self {
        Self::new([], BTreeSet::new())
    }
}

/// What was asked for: none where it could not be read, which whoever needs it has to find out.
pub(super) type Coming = BoxFuture<'static, Option<Fetched>>;

pub(super) struct Ahead {
    files: Vec<ObjectMeta>,
    pub(super) columns: Arc<BTreeSet<String>>,
    brought: Vec<AtomicBool>,
    /// Some file could be read without waiting.
    answered: AtomicBool,
    /// Some file was not in memory.
    is_cold: AtomicBool,
    /// Where each file is among them; made when one was not.
    places: OnceLock<HashMap<Path, usize>>,
    of_store: Mutex<OfStore>,
}

/// What comes from a store.
#[derive(Default)]
struct OfStore {
    /// By the place of the file, with its bytes at most.
    coming: HashMap<usize, (u64, Coming)>,
    /// Of all scans of an engine.
    bytes: Arc<AtomicU64>,
    /// Files that the scan has come to.
    come_to: usize,
}

impl Drop for OfStore {
    fn drop(&mut self) {
        let bytes: u64 = self.coming.values().map(|(bytes, _)| bytes).sum();
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Ahead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ahead").finish_non_exhaustive()
    }
}

impl Ahead {
    fn new(files: Vec<ObjectMeta>, columns: BTreeSet<String>) -> Self {
        Self {
            brought: files.iter().map(|_| AtomicBool::new(false)).collect(),
            files,
            columns: Arc::new(columns),
            answered: AtomicBool::new(false),
            is_cold: AtomicBool::new(false),
            places: OnceLock::new(),
            of_store: Mutex::default(),
        }
    }

    /// Whether files are likely to be opened without waiting, as all so far could be read.
    pub(super) fn answers(&self) -> bool {
        self.answered.load(Ordering::Relaxed) && !self.is_cold.load(Ordering::Relaxed)
    }

    fn place(&self, location: &Path) -> Option<usize> {
        let places = self.places.get_or_init(|| {
            let numbered = self.files.iter().enumerate();
            numbered.map(|(place, file)| (file.location.clone(), place)).collect()
        });
        places.get(location).copied()
    }

    fn behind(&self, place: usize, count: usize) -> Range<usize> {
        let last = self.files.len();
        last.min(place + 1)..last.min(place + 1 + count)
    }

    /// The scan has come to a file of a disk, whose end from `begin` on it reads next.
    pub(super) fn come_to(self: &Arc<Self>, location: &Path, file: &File, begin: u64) {
        if !self.is_cold.load(Ordering::Relaxed) {
            match is_in_memory(file, begin) {
                Some(true) => return self.answered.store(true, Ordering::Relaxed),
                Some(false) => {}
                None => return,
            }
            self.is_cold.store(true, Ordering::Relaxed);
        }
        let Some(place) = self.place(location) else { return };
        for place in self.behind(place, FILES_OF_DISK) {
            if !self.brought[place].swap(true, Ordering::Relaxed) {
                let ahead = Arc::clone(self);
                // To open it may have to wait for the disk as well.
                drop(tokio::task::spawn_blocking(move || ahead.bring(place)));
            }
        }
    }

    /// Nobody depends on it, so what fails fails for whoever reads the file.
    fn bring(&self, place: usize) {
        let ObjectMeta { location, size, .. } = &self.files[place];
        if let Some(file) = local_path(location).and_then(|path| File::open(path).ok()) {
            announce(&file, &(size.saturating_sub(LOCAL_TAIL)..*size));
        }
    }

    /// The scan has come to a file of a store: gives what was asked for of it, if it was, and asks for
    /// those behind it, each with `fetch`, which tells how many bytes it takes at most; none where the file
    /// is there. `bytes` are those that all scans have asked for.
    pub(super) fn come_to_object(
        &self,
        location: &Path,
        bytes: &Arc<AtomicU64>,
        fetch: impl Fn(&ObjectMeta) -> Option<(u64, Coming)>,
    ) -> Option<Coming> {
        let place = self.place(location)?;
        // Whoever comes to it reads it.
        self.brought[place].store(true, Ordering::Relaxed);
        let mut of_store = self.of_store();
        if of_store.come_to == 0 {
            of_store.bytes = Arc::clone(bytes);
        }
        of_store.come_to += 1;
        let coming = of_store.coming.remove(&place).map(|(bytes, coming)| {
            of_store.bytes.fetch_sub(bytes, Ordering::Relaxed);
            coming
        });
        let count = FILES_OF_STORE.min(FIRST_FILES_OF_STORE * of_store.come_to);
        for place in self.behind(place, count) {
            if self.brought[place].load(Ordering::Relaxed) {
                continue;
            }
            let Some((bytes, fetched)) = fetch(&self.files[place]) else {
                continue;
            };
            if of_store.bytes.load(Ordering::Relaxed) + bytes > BYTES_OF_STORE {
                break;
            }
            self.brought[place].store(true, Ordering::Relaxed);
            of_store.bytes.fetch_add(bytes, Ordering::Relaxed);
            // It ends where the scan does.
            let fetched = SpawnedTask::spawn(fetched).join();
            let fetched = fetched.map(|fetched| fetched.ok().flatten()).boxed();
            of_store.coming.insert(place, (bytes, fetched));
        }
        coming
    }

    fn of_store(&self) -> MutexGuard<'_, OfStore> {
        self.of_store.lock().unwrap_or_else(PoisonError::into_inner)
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
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn meta(location: &str, size: u64) -> ObjectMeta {
        ObjectMeta {
            location: Path::parse(location).unwrap(),
            size,
            last_modified: chrono::DateTime::UNIX_EPOCH,
            e_tag: None,
            version: None,
        }
    }

    #[tokio::test]
    async fn objects_behind_one_are_asked_for_once_each_and_no_more_than_there_is_room_for() {
        let files = (0..200).map(|number| meta(&format!("{number}"), 10));
        let ahead = Ahead::new(files.collect(), BTreeSet::new());
        let bytes = Arc::new(AtomicU64::new(0));
        let asked = Mutex::new(Vec::new());
        let come_to = |place: usize, of_file: u64| {
            let coming = ahead.come_to_object(&Path::from(format!("{place}")), &bytes, |file| {
                let name = file.location.to_string();
                asked.lock().unwrap().push(name.parse::<usize>().unwrap());
                let there = async move { (name != "7").then(|| Fetched::of(0, name.into())) };
                (file.location.as_ref() != "9").then(|| (of_file, there.boxed()))
            });
            (coming, std::mem::take(&mut *asked.lock().unwrap()))
        };
        let (coming, asked_for) = come_to(0, 1);
        assert!(coming.is_none(), "nobody has asked for the first one");
        assert_eq!(asked_for, [1, 2, 3, 4], "it may be the only one");
        let (coming, asked_for) = come_to(1, 1);
        let fetched = coming.unwrap().await.unwrap();
        assert_eq!(fetched.get(&(0..1)).unwrap(), "1");
        assert_eq!(asked_for, [5, 6, 7, 8, 9]);
        assert_eq!(bytes.load(Ordering::Relaxed), 7, "2 to 8: 9 is there");
        assert!(come_to(7, 1).0.unwrap().await.is_none(), "what fails is nothing");
        assert!(come_to(1, 1).0.is_none(), "it was given");
        let nobody = ahead.come_to_object(&Path::from("another"), &bytes, |_| None);
        assert!(nobody.is_none());
        (0..10).for_each(|_| drop(come_to(1, 1)));
        assert_eq!(come_to(50, 1).1, (51..=50 + FILES_OF_STORE).collect::<Vec<_>>());
        // Of larger ones fewer, and the rest when some were taken.
        let third = BYTES_OF_STORE / 3;
        assert_eq!(
            come_to(100, third).1,
            [101, 102, 103],
            "the third is asked about and has no room"
        );
        assert_eq!(come_to(101, third).1, [103, 104]);
        assert_eq!(come_to(199, 1).1, Vec::<usize>::new());
        drop(ahead);
        assert_eq!(bytes.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn what_a_scan_asked_for_ends_with_it() {
        let (asked, is_asked) = std::sync::mpsc::channel::<()>();
        let ahead = Ahead::new(
            (0..2).map(|number| meta(&format!("{number}"), 10)).collect(),
            BTreeSet::new(),
        );
        ahead.come_to_object(&Path::from("0"), &Arc::default(), |_| {
            let asked = asked.clone();
            let never = async move {
                let _kept = asked;
                std::future::pending().await
            };
            Some((1, never.boxed()))
        });
        drop(asked);
        drop(ahead);
        while is_asked.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn files_behind_a_cold_one_are_brought_once_each() {
        let folder = tempfile::tempdir().unwrap();
        let files = (0..40).map(|number| {
            let path = folder.path().join(format!("{number} ü.parquet"));
            std::fs::write(&path, [0; 100]).unwrap();
            meta(Path::from_absolute_path(path).unwrap().as_ref(), 100)
        });
        let ahead = Arc::new(Ahead::new(files.collect(), BTreeSet::new()));
        let open = |place: usize| File::open(local_path(&ahead.files[place].location).unwrap()).unwrap();
        let brought = || {
            let brought = ahead.brought.iter().map(|one| one.load(Ordering::Relaxed));
            brought
                .enumerate()
                .filter_map(|(place, is)| is.then_some(place))
                .collect::<Vec<_>>()
        };
        assert!(!ahead.answers());
        ahead.come_to(&ahead.files[0].location, &open(0), 0);
        assert_eq!(brought(), Vec::<usize>::new(), "what was just written is in memory");
        assert!(ahead.answers());
        ahead.is_cold.store(true, Ordering::Relaxed);
        assert!(!ahead.answers());
        ahead.come_to(&ahead.files[0].location, &open(0), 0);
        assert_eq!(brought(), (1..=FILES_OF_DISK).collect::<Vec<_>>());
        ahead.come_to(&ahead.files[39].location, &open(39), 0);
        ahead.come_to(&Path::from("of/another"), &open(5), 0);
        assert_eq!(brought(), (1..=FILES_OF_DISK).collect::<Vec<_>>());
        ahead.come_to(&ahead.files[30].location, &open(30), 0);
        assert_eq!(brought(), (1..=FILES_OF_DISK).chain(31..40).collect::<Vec<_>>());
    }
}
