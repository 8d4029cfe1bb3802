//! Which events are new: against this ingest and against what the touched partitions hold.

use super::batch::EventMeta;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

/// A dataset on a day: the unit in which events are told apart and stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Partition {
    pub(super) dataset: String,
    /// Days since the Unix epoch.
    pub(super) day: i32,
}

/// What is known of a stored event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) content: i64,
    pub(super) format: u8,
}

/// What an event is, seen after those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The first with this identity.
    New,
    /// A repeat: the same content, or the same event from another format.
    Duplicate,
    /// The same identity in the same format with other content.
    Conflict,
}

/// Identities are hashes already.
#[derive(Debug, Default)]
struct Itself(u64);

impl Hasher for Itself {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes
            .iter()
            .fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64 ^ (key >> 64) as u64;
    }
}

/// The identities of one partition.
#[derive(Debug, Default)]
pub(super) struct PartitionIds {
    ids: HashMap<u128, Known, BuildHasherDefault<Itself>>,
}

impl PartitionIds {
    /// Records an event that is already stored.
    pub(super) fn insert_stored(&mut self, key: u128, known: Known) {
        self.ids.entry(key).or_insert(known);
    }

    /// Records events that somebody else has stored.
    pub(super) fn extend(&mut self, stored: &Self) {
        for (&key, &known) in &stored.ids {
            self.insert_stored(key, known);
        }
    }

    /// Judges an event and remembers it when it is new.
    pub(super) fn admit(&mut self, meta: &EventMeta) -> Verdict {
        match self.ids.entry(meta.key) {
            Entry::Vacant(entry) => {
                entry.insert(Known {
                    content: meta.content,
                    format: meta.format,
                });
                Verdict::New
            }
            Entry::Occupied(entry) => entry.get().verdict(meta),
        }
    }

    /// Judges an event against what is stored, remembering nothing.
    pub(super) fn judge(&self, meta: &EventMeta) -> Verdict {
        self.ids
            .get(&meta.key)
            .map_or(Verdict::New, |known| known.verdict(meta))
    }

    /// Bytes that the identities take.
    pub(super) fn bytes(&self) -> usize {
        self.ids.capacity() * (size_of::<(u128, Known)>() + 1)
    }
}

impl Known {
    fn verdict(self, meta: &EventMeta) -> Verdict {
        if self.content != meta.content && self.format == meta.format {
            Verdict::Conflict
        } else {
            Verdict::Duplicate
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(key: u128, content: i64, format: u8) -> EventMeta {
        EventMeta {
            key,
            content,
            format,
            time: 0,
            position: 0,
            derived: false,
        }
    }

    #[test]
    fn repeats_and_conflicts() {
        let mut ids = PartitionIds::default();
        assert_eq!(ids.admit(&event(1, 10, 0)), Verdict::New);
        assert_eq!(ids.admit(&event(1, 10, 0)), Verdict::Duplicate);
        assert_eq!(
            ids.admit(&event(1, 11, 1)),
            Verdict::Duplicate,
            "another format spells it differently"
        );
        assert_eq!(ids.admit(&event(1, 11, 0)), Verdict::Conflict);
        assert_eq!(ids.judge(&event(2, 1, 0)), Verdict::New);
        assert_eq!(ids.admit(&event(2, 1, 0)), Verdict::New, "judging remembers nothing");
    }

    proptest! {
        /// The slow twin: look through all that came before.
        #[test]
        fn equals_looking_back(events in proptest::collection::vec((0u128..6, 0i64..3, 0u8..3), 0..60), cut in 0usize..60) {
            let cut = cut.min(events.len());
            let mut ids = PartitionIds::default();
            let mut kept: Vec<EventMeta> = Vec::new();
            for (position, &(key, content, format)) in events.iter().enumerate() {
                let next = event(key, content, format);
                let expected = match kept.iter().find(|k| k.key == key) {
                    None => Verdict::New,
                    Some(first) if first.content != content && first.format == format => Verdict::Conflict,
                    Some(_) => Verdict::Duplicate,
                };
                // After a cut, the same ids come from the lake instead of from this ingest.
                if position == cut {
                    let mut reloaded = PartitionIds::default();
                    for k in &kept {
                        reloaded.insert_stored(k.key, Known { content: k.content, format: k.format });
                    }
                    ids = reloaded;
                }
                prop_assert_eq!(ids.admit(&next), expected);
                if expected == Verdict::New {
                    kept.push(next);
                }
            }
        }
    }
}
