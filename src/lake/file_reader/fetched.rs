//! What was read of files in a store, for those who read them next.
//!
//! Who looks at the metadata of a small file gets all of it. What then reads its rows, once or several
//! times, has a reader of its own.

use bytes::Bytes;
use datafusion::object_store::path::Path;
use std::collections::VecDeque;
use std::ops::Range;
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

    fn bytes(&self) -> usize {
        self.parts.iter().map(|(_, part)| part.len()).sum()
    }
}

/// The last files of which something was read.
#[derive(Debug, Clone, Default)]
pub(in crate::lake) struct LastFetched(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// The latest at the end.
    files: VecDeque<(Path, Fetched)>,
    bytes: usize,
}

impl LastFetched {
    pub(super) fn get(&self, location: &Path) -> Option<Fetched> {
        let kept = self.kept();
        let mut latest_first = kept.files.iter().rev();
        latest_first
            .find(|(path, _)| path == location)
            .map(|(_, fetched)| fetched.clone())
    }

    /// In the place of what is kept of this file.
    pub(super) fn keep(&self, location: &Path, fetched: &Fetched) {
        let mut kept = self.kept();
        if let Some(place) = kept.files.iter().position(|(path, _)| path == location)
            && let Some((_, before)) = kept.files.remove(place)
        {
            kept.bytes -= before.bytes();
        }
        kept.bytes += fetched.bytes();
        kept.files.push_back((location.clone(), fetched.clone()));
        while kept.bytes > MOST_BYTES || kept.files.len() > MOST_FILES {
            let Some((_, gone)) = kept.files.pop_front() else {
                return;
            };
            kept.bytes -= gone.bytes();
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
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
        let path = |number: usize| Path::from(format!("{number}"));
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
    }
}
