//! What was read of files in a store, for those who read them next.
//!
//! Who looks at the metadata of a small file gets all of it. What then reads its rows, once or several
//! times, has a reader of its own.

use bytes::Bytes;
use datafusion::object_store::ObjectMeta;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes that are kept, of more files than there are threads.
const MOST_BYTES: usize = 16 << 20;

/// The most files, however small: each is looked for among all.
const MOST_FILES: usize = 64;

/// Parts of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Fetched {
    /// Each with its position in the file.
    parts: Vec<(u64, Bytes)>,
}

impl Fetched {
    /// The bytes of a file from a position on.
    #[cfg(test)]
    pub(super) fn of(begin: u64, bytes: Bytes) -> Self {
        let mut fetched = Self::default();
        fetched.add(begin, bytes);
        fetched
    }

    pub(super) fn add(&mut self, begin: u64, bytes: Bytes) {
        self.parts.push((begin, bytes));
    }

    /// Some bytes of the file, if one of the parts has all of them.
    pub(super) fn get(&self, range: &Range<u64>) -> Option<Bytes> {
        self.parts.iter().find_map(|(begin, part)| {
            let from = usize::try_from(range.start.checked_sub(*begin)?).ok()?;
            let to = usize::try_from(range.end.checked_sub(*begin)?).ok()?;
            (from <= to && to <= part.len()).then(|| part.slice(from..to))
        })
    }

    /// With what another one has and this one has not.
    pub(super) fn merge(&mut self, other: &Self) {
        for (begin, part) in &other.parts {
            if self.get(&(*begin..begin + part.len() as u64)).is_none() {
                self.add(*begin, part.clone());
            }
        }
    }

    fn bytes(&self) -> usize {
        self.parts.iter().map(|(_, part)| part.len()).sum()
    }
}

/// The last files of which something was read, and how much is on its way of others.
#[derive(Debug, Clone, Default)]
pub(in crate::lake) struct LastFetched {
    kept: Arc<Mutex<Kept>>,
    pub(super) coming: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Each as it was then, the latest at the end.
    files: VecDeque<(ObjectMeta, Fetched)>,
    bytes: usize,
}

impl LastFetched {
    pub(super) fn get(&self, file: &ObjectMeta) -> Option<Fetched> {
        let kept = self.kept();
        let mut latest_first = kept.files.iter().rev();
        latest_first
            .find(|(other, _)| other == file)
            .map(|(_, fetched)| fetched.clone())
    }

    /// Beside what is kept of this file.
    pub(super) fn keep(&self, file: &ObjectMeta, fetched: &Fetched) {
        let mut kept = self.kept();
        let mut fetched = fetched.clone();
        let place = kept.files.iter().position(|(other, _)| other == file);
        if let Some((_, before)) = place.and_then(|place| kept.files.remove(place)) {
            kept.bytes -= before.bytes();
            fetched.merge(&before);
        }
        if fetched.parts.is_empty() {
            return;
        }
        kept.bytes += fetched.bytes();
        kept.files.push_back((file.clone(), fetched));
        while kept.bytes > MOST_BYTES || kept.files.len() > MOST_FILES {
            let Some((_, gone)) = kept.files.pop_front() else {
                return;
            };
            kept.bytes -= gone.bytes();
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ahead::tests::meta;
    use super::*;

    #[test]
    fn parts_give_what_is_in_one_of_them() {
        let mut fetched = Fetched::of(10, "abcdef".into());
        fetched.add(2, "xyz".into());
        for (range, found) in [
            (10..16, Some("abcdef")),
            (11..12, Some("b")),
            (2..4, Some("xy")),
            (16..16, Some("")),
            (9..11, None),
            (15..17, None),
            (4..6, None),
        ] {
            assert_eq!(fetched.get(&range).as_deref(), found.map(str::as_bytes), "{range:?}");
        }
    }

    #[test]
    fn the_last_files_are_kept_as_far_as_there_is_room() {
        let last = LastFetched::default();
        let path = |number: usize| meta(&format!("{number}"), 10);
        let kept = |count: usize| {
            (0..count)
                .filter(|number| last.get(&path(*number)).is_some())
                .collect::<Vec<_>>()
        };
        for number in 0..MOST_FILES + 3 {
            last.keep(&path(number), &Fetched::of(0, "a".into()));
        }
        assert_eq!(kept(MOST_FILES + 3), (3..MOST_FILES + 3).collect::<Vec<_>>());
        // What is kept again counts once, and is the latest.
        let half = Fetched::of(0, vec![0; MOST_BYTES / 2].into());
        for number in [3, 1, 1, 2] {
            last.keep(&path(number), &half);
        }
        assert_eq!(kept(MOST_FILES + 3), [1, 2]);
        last.keep(&path(0), &Fetched::of(0, vec![0; MOST_BYTES + 1].into()));
        assert_eq!(kept(3), Vec::<usize>::new(), "there is no room for it");
        // Parts of several readers, of the file as it is.
        last.keep(&path(0), &Fetched::of(0, "abc".into()));
        last.keep(&path(0), &Fetched::of(5, "f".into()));
        last.keep(&path(0), &Fetched::default());
        last.keep(&path(1), &Fetched::default());
        let both = last.get(&path(0)).unwrap();
        assert_eq!(
            (both.get(&(1..3)).unwrap(), both.get(&(5..6)).unwrap()),
            ("bc".into(), "f".into())
        );
        assert!(last.get(&meta("0", 11)).is_none() && last.get(&path(1)).is_none());
    }
}
