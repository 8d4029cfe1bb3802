//! The binary form of sighting runs, which partial aggregates exchange and which may be stored.
//!
//! Version 1, all numbers little-endian:
//! ```text
//! u8   version, 1
//! u64  history window in microseconds
//! u32  number of runs
//! then for each run, in order of time:
//!   i64  first time, microseconds since the Unix epoch
//!   i64  last time
//!   u32  length of the event id in bytes, 0xFFFFFFFF for no id
//!   ...  the event id in UTF-8
//! ```
//! A change to this form is a new version; old ones must stay readable.

use super::{Run, Runs, SightingRuns, is_close};

const VERSION: u8 = 1;
const NO_ID: u32 = u32::MAX;
const RUN_WITHOUT_ID: usize = 8 + 8 + 4;

/// Why bytes are not the state of a `new_terms` aggregate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Written by a later release.
    #[error("the new_terms state has version {0}, this release reads version 1: use the release that wrote it")]
    Version(u8),
    /// Cut short, too long, or changed.
    #[error("the new_terms state is damaged: {0}")]
    Damaged(&'static str),
}

impl SightingRuns {
    /// The binary form.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.runs.encode_into(self.history, &mut bytes);
        bytes
    }

    /// Reads the binary form and checks that it can be what [`encode`](Self::encode) wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (history, runs) = Runs::decode(bytes)?;
        Ok(Self { history, runs })
    }
}

impl Runs {
    /// Appends the binary form to a buffer.
    pub(crate) fn encode_into(&self, history: u64, bytes: &mut Vec<u8>) {
        let ids: usize = self
            .0
            .iter()
            .filter_map(|run| run.first_event_id.as_ref())
            .map(|id| id.len())
            .sum();
        bytes.reserve(1 + 8 + 4 + self.0.len() * RUN_WITHOUT_ID + ids);
        bytes.push(VERSION);
        bytes.extend(history.to_le_bytes());
        bytes.extend(length(self.0.len()).to_le_bytes());
        for run in &self.0 {
            bytes.extend(run.first_time.to_le_bytes());
            bytes.extend(run.last_time.to_le_bytes());
            match &run.first_event_id {
                Some(id) => {
                    bytes.extend(length(id.len()).to_le_bytes());
                    bytes.extend(id.as_bytes());
                }
                None => bytes.extend(NO_ID.to_le_bytes()),
            }
        }
    }

    /// Reads the binary form: the history window and the runs.
    pub(crate) fn decode(bytes: &[u8]) -> Result<(u64, Self), DecodeError> {
        let mut reader = Reader(bytes);
        let [version] = reader.take()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let history = u64::from_le_bytes(reader.take()?);
        let count = u32::from_le_bytes(reader.take()?) as usize;
        // Checked before anything is allocated for that many.
        if count > reader.0.len() / RUN_WITHOUT_ID {
            return Err(DecodeError::Damaged("it holds fewer runs than it says"));
        }
        let mut runs: Vec<Run> = Vec::with_capacity(count);
        for _ in 0..count {
            let first_time = i64::from_le_bytes(reader.take()?);
            let last_time = i64::from_le_bytes(reader.take()?);
            let first_event_id = match u32::from_le_bytes(reader.take()?) {
                NO_ID => None,
                length => Some(reader.text(length as usize)?.into()),
            };
            let ordered = runs
                .last()
                .is_none_or(|before: &Run| !is_close(before.last_time, first_time, history));
            if !ordered || last_time < first_time {
                return Err(DecodeError::Damaged("its runs are not in order"));
            }
            runs.push(Run {
                first_time,
                first_event_id,
                last_time,
            });
        }
        if !reader.0.is_empty() {
            return Err(DecodeError::Damaged("there are bytes after its last run"));
        }
        Ok((history, Self(runs)))
    }
}

/// Neither four thousand million runs of a term nor an id of four gigabytes fits into memory here.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(NO_ID - 1)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self
            .0
            .split_first_chunk()
            .ok_or(DecodeError::Damaged("it is cut short"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn text(&mut self, length: usize) -> Result<&'a str, DecodeError> {
        let (text, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(DecodeError::Damaged("it is cut short"))?;
        self.0 = rest;
        std::str::from_utf8(text).map_err(|_| DecodeError::Damaged("an event id is not UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn version_1_keeps_its_bytes() {
        let mut runs = SightingRuns::new(10);
        runs.insert(1, Some("ab"));
        runs.insert(5, Some("x"));
        runs.insert(-300, None);
        #[rustfmt::skip]
        let expected = [
            1,
            10, 0, 0, 0, 0, 0, 0, 0,
            2, 0, 0, 0,
            0xd4, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            0xd4, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            0xff, 0xff, 0xff, 0xff,
            1, 0, 0, 0, 0, 0, 0, 0,
            5, 0, 0, 0, 0, 0, 0, 0,
            2, 0, 0, 0, b'a', b'b',
        ];
        assert_eq!(runs.encode(), expected);
        assert_eq!(SightingRuns::decode(&expected), Ok(runs));
    }

    #[test]
    fn damage_is_found() {
        let mut runs = SightingRuns::new(10);
        runs.insert(1, Some("ab"));
        runs.insert(50, None);
        let whole = runs.encode();
        for length in 0..whole.len() {
            assert!(
                matches!(SightingRuns::decode(&whole[..length]), Err(DecodeError::Damaged(_))),
                "{length}"
            );
        }
        let longer = [&whole[..], &[0]].concat();
        assert!(SightingRuns::decode(&longer).is_err());
        let mut later = whole;
        later[0] = 2;
        assert_eq!(SightingRuns::decode(&later), Err(DecodeError::Version(2)));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), as_version_1 in any::<bool>()) {
            let mut bytes = bytes;
            if let (true, Some(first)) = (as_version_1, bytes.first_mut()) {
                *first = 1;
            }
            if let Ok(runs) = SightingRuns::decode(&bytes) {
                prop_assert_eq!(runs.encode(), bytes);
            }
        }
    }
}
