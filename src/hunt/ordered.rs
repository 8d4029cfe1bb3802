//! Rows of a detection on their way into an order: in memory while they are few, else on disk.

use crate::engine::Engine;
use crate::engine::sorter::{Sorter, Spilled, in_background};
use crate::error::{Error, Result};
use serde_json::{Map, Value};
use std::mem::size_of;
use std::sync::Arc;

/// Rows are handed on when they have about so many bytes.
const HELD_BYTES: usize = 64 << 10;

/// Takes rows in any order.
pub(super) struct Ordered<R> {
    /// Not there while it writes to disk, nor after that failed.
    sorter: Option<Sorter<R>>,
    held: Vec<R>,
    bytes: usize,
}

impl<R: Spilled + Send + 'static> Ordered<R> {
    pub(super) fn new(engine: &Engine) -> Self {
        Self {
            sorter: Some(Sorter::new(Arc::clone(engine.runtime()), engine.memory_of_findings())),
            held: Vec::new(),
            bytes: 0,
        }
    }

    pub(super) async fn add(&mut self, row: R) -> Result<()> {
        self.bytes += row.bytes();
        self.held.push(row);
        if self.bytes >= HELD_BYTES {
            self.hand_on().await?;
        }
        Ok(())
    }

    async fn hand_on(&mut self) -> Result<()> {
        let mut sorter = self.sorter()?;
        if !sorter.has_room(std::mem::take(&mut self.bytes)) {
            sorter = in_background(move || sorter.write().map(|()| sorter)).await?;
        }
        sorter.add(std::mem::take(&mut self.held));
        self.sorter = Some(sorter);
        Ok(())
    }

    fn sorter(&mut self) -> Result<Sorter<R>> {
        let gone = || Error::Internal("rows are no longer taken in".into());
        self.sorter.take().ok_or_else(gone)
    }

    /// All rows in order.
    pub(super) async fn finish(mut self) -> Result<impl Iterator<Item = Result<R>> + Send> {
        self.hand_on().await?;
        let sorter = self.sorter()?;
        in_background(move || sorter.finish()).await?.into_rows()
    }
}

/// About how many bytes values take beside their own place.
fn bytes_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text.capacity(),
        Value::Array(values) => values.iter().map(|value| size_of::<Value>() + bytes_of(value)).sum(),
        Value::Object(fields) => bytes_of_fields(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// [`bytes_of`] the values of an object.
pub(super) fn bytes_of_fields(fields: &Map<String, Value>) -> usize {
    let each = fields.iter().map(|(name, value)| {
        // A name, a value and their share of the map's nodes.
        2 * size_of::<(String, Value)>() + name.capacity() + bytes_of(value)
    });
    each.sum()
}
