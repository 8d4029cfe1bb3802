//! The rows of many ticks, for which there may be too little memory.

use super::ordered::{Ordered, bytes_of_fields};
use crate::alerts::WindowRow;
use crate::engine::Engine;
use crate::engine::sorter::{Spilled, read_bytes, read_text, write_text};
use crate::error::Result;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::mem::size_of;

/// Takes rows in any order, and gives those of each key together, in order of ticks.
pub(super) struct WindowRows {
    rows: Ordered<Waiting>,
    attempt: u32,
    forgotten: BTreeSet<u32>,
}

impl WindowRows {
    pub(super) fn new(engine: &Engine) -> Self {
        Self {
            rows: Ordered::new(engine),
            attempt: 0,
            forgotten: BTreeSet::new(),
        }
    }

    pub(super) async fn add(&mut self, row: WindowRow) -> Result<()> {
        let waiting = Waiting {
            key_text: row.key_text(),
            attempt: self.attempt,
            row,
        };
        self.rows.add(waiting).await
    }

    /// What is added from here on can be [forgotten](Self::forget).
    pub(super) fn begin(&mut self) {
        self.attempt += 1;
    }

    /// What was added since the last beginning does not count.
    pub(super) fn forget(&mut self) {
        self.forgotten.insert(self.attempt);
    }

    /// The rows that count.
    pub(super) async fn in_order(self) -> Result<impl Iterator<Item = Result<WindowRow>> + Send> {
        let forgotten = self.forgotten;
        let rows = self.rows.finish().await?;
        Ok(rows.filter_map(move |row| match row {
            Ok(row) if forgotten.contains(&row.attempt) => None,
            other => Some(other.map(|row| row.row)),
        }))
    }
}

struct Waiting {
    key_text: String,
    attempt: u32,
    row: WindowRow,
}

impl Ord for Waiting {
    /// Several rows of a key and tick are one finding; their order does not matter.
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.key_text, self.row.tick).cmp(&(&other.key_text, other.row.tick))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

impl Spilled for Waiting {
    fn bytes(&self) -> usize {
        let ids = self.row.event_ids.iter();
        size_of::<Self>()
            + self.key_text.capacity()
            + bytes_of_fields(&self.row.key)
            + bytes_of_fields(&self.row.fields)
            + ids.map(|id| size_of::<String>() + id.capacity()).sum::<usize>()
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.attempt.to_le_bytes())?;
        write_text(&self.key_text, out)?;
        write_text(&serde_json::to_string(&self.row)?, out)
    }

    fn read(from: &mut impl Read) -> io::Result<Self> {
        let attempt = u32::from_le_bytes(read_bytes(from)?);
        let key_text = read_text(from)?;
        // Not serde_json, which reads some numbers only nearly.
        let row = sonic_rs::from_str(&read_text(from)?).map_err(io::Error::other)?;
        Ok(Self { key_text, attempt, row })
    }
}
