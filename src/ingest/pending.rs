//! Events that wait in memory for the next commit, and how they become files.

use super::archive::MEMBER;
use super::batch::{EventBatch, schema_position};
use super::dedup::Partition;
use crate::error::{Error, Result};
use crate::lake::{ParquetFile, TableName, encode, events_schema};
use crate::schema::{EVENT_ACTION, EVENT_INGESTED, RAW, SOURCE_FILE, SOURCE_SHA256, TIMESTAMP};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};
use datafusion::arrow::compute::interleave;
use datafusion::arrow::datatypes::{Schema, SchemaRef, TimestampMicrosecondType};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Rows that are gathered at once while a file is written, and bytes of their texts.
const GATHER_ROWS: usize = 16 * 1024;
const GATHER_BYTES: usize = 32 << 20;

/// An event: its batch and its row there.
pub(super) type RowRef = (u32, u32);

/// Where events came from: a file of this ingest, or a member of an archive. The hash is the
/// file's.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) path: String,
    pub(super) sha256: String,
}

impl Origin {
    /// The path of a member within its archive; empty where it is no member.
    pub(super) fn member(path: &str) -> &str {
        path.split_once(MEMBER).map_or("", |(_, member)| member)
    }
}

/// Admitted events by partition.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) batches: Vec<EventBatch>,
    pub(super) partitions: BTreeMap<Partition, Vec<RowRef>>,
    pub(super) bytes: usize,
}

impl Pending {
    /// Keeps the admitted rows of a batch: (row, partition) in their order.
    pub(super) fn add(&mut self, batch: EventBatch, admitted: &[u32]) {
        if admitted.is_empty() {
            return;
        }
        let index = self.batches.len() as u32;
        self.bytes += batch.bytes;
        for &row in admitted {
            let partition = Partition {
                dataset: batch.dataset.clone(),
                day: batch.meta[row as usize].day,
            };
            self.partitions.entry(partition).or_default().push((index, row));
        }
        self.batches.push(batch);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.partitions.values().all(Vec::is_empty)
    }

    /// The events of one partition as a file, in the order of the layout.
    pub(super) fn encode(&self, partition: &Partition, origins: &[Origin], ingested: i64) -> Result<ParquetFile> {
        let rows = self.partitions.get(partition).map(Vec::as_slice).unwrap_or_default();
        let sorted = self.sorted(rows);
        let batches = self.used_batches(&sorted);
        let schema = self.schema_of(&batches);
        let day = chrono::DateTime::from_timestamp(i64::from(partition.day) * 86_400, 0)
            .map(|time| time.format("%Y-%m-%d").to_string());
        let values = vec![
            ("event_dataset".to_owned(), Some(partition.dataset.clone())),
            ("day".to_owned(), day),
        ];
        let gather = Gather::new(self, &schema, &batches, origins);
        let parts = self
            .gatherings(&sorted)
            .into_iter()
            .map(|part| gather.rows(&sorted[part], ingested));
        encode(TableName::Events, &schema, values, parts)
    }

    /// Cuts the rows into parts that are small in number and in bytes: columns have 32-bit
    /// offsets, and a few records may be huge.
    fn gatherings(&self, rows: &[RowRef]) -> Vec<Range<usize>> {
        let raw = schema_position(RAW);
        let (mut parts, mut start, mut bytes) = (Vec::new(), 0, 0);
        for (at, &(batch, row)) in rows.iter().enumerate() {
            let column = self.batches[batch as usize].column(raw);
            bytes += column.map_or(0, |column| {
                column.as_string::<i32>().value_length(row as usize) as usize
            });
            if at + 1 - start >= GATHER_ROWS || bytes >= GATHER_BYTES {
                parts.push(start..at + 1);
                (start, bytes) = (at + 1, 0);
            }
        }
        parts.push(start..rows.len());
        parts.retain(|part| !part.is_empty());
        parts
    }

    /// By action, then time; ties by where the event came from, so that the same
    /// input gives the same file.
    fn sorted(&self, rows: &[RowRef]) -> Vec<RowRef> {
        let action = schema_position(EVENT_ACTION);
        let time = schema_position(TIMESTAMP);
        let mut keyed: Vec<(Option<&str>, i64, RowRef)> = rows
            .iter()
            .map(|&(batch, row)| {
                let events = &self.batches[batch as usize];
                let row_index = row as usize;
                let action = events.column(action).and_then(|column| {
                    let texts = column.as_string::<i32>();
                    texts.is_valid(row_index).then(|| texts.value(row_index))
                });
                let time = events.column(time).map_or(0, |column| {
                    column.as_primitive::<TimestampMicrosecondType>().value(row_index)
                });
                (action, time, (batch, row))
            })
            .collect();
        keyed.sort_unstable();
        keyed.into_iter().map(|(_, _, row)| row).collect()
    }

    fn used_batches(&self, rows: &[RowRef]) -> Vec<u32> {
        let mut used = vec![false; self.batches.len()];
        rows.iter().for_each(|&(batch, _)| used[batch as usize] = true);
        (0..used.len() as u32).filter(|&batch| used[batch as usize]).collect()
    }

    /// The columns that any of the batches has, in the order of the table.
    fn schema_of(&self, batches: &[u32]) -> SchemaRef {
        let all = events_schema();
        let mut present = vec![false; all.fields().len()];
        for field in [EVENT_INGESTED, SOURCE_FILE, SOURCE_SHA256] {
            present[schema_position(field)] = true;
        }
        for &batch in batches {
            self.batches[batch as usize]
                .columns
                .iter()
                .for_each(|(position, _)| present[*position] = true);
        }
        let fields: Vec<_> = all
            .fields()
            .iter()
            .zip(present)
            .filter(|(_, present)| *present)
            .map(|(field, _)| Arc::clone(field))
            .collect();
        Arc::new(Schema::new(fields))
    }
}

/// Gathers rows of several batches into one.
struct Gather<'a> {
    schema: &'a SchemaRef,
    /// Per column of the schema: one array per used batch, or none for a constant of the commit.
    columns: Vec<Option<Vec<ArrayRef>>>,
    /// Position among the used batches by index of the batch.
    slots: Vec<usize>,
}

impl<'a> Gather<'a> {
    fn new(pending: &Pending, schema: &'a SchemaRef, batches: &[u32], origins: &[Origin]) -> Self {
        let mut slots = vec![usize::MAX; pending.batches.len()];
        batches
            .iter()
            .enumerate()
            .for_each(|(slot, &batch)| slots[batch as usize] = slot);
        let all = events_schema();
        let ingested = all.field(schema_position(EVENT_INGESTED)).name();
        let file = all.field(schema_position(SOURCE_FILE)).name();
        let sha256 = all.field(schema_position(SOURCE_SHA256)).name();
        let columns = schema.fields().iter().map(|field| {
            if field.name() == ingested {
                return None;
            }
            let position = all.index_of(field.name()).unwrap_or_default();
            let arrays = batches.iter().map(|&batch| {
                let events = &pending.batches[batch as usize];
                let rows = events.meta.len();
                let origin = &origins[events.place.origin];
                if field.name() == file {
                    repeated(&origin.path, rows)
                } else if field.name() == sha256 {
                    repeated(&origin.sha256, rows)
                } else {
                    events
                        .column(position)
                        .cloned()
                        .unwrap_or_else(|| new_null_array(field.data_type(), rows))
                }
            });
            Some(arrays.collect())
        });
        Self {
            schema,
            columns: columns.collect(),
            slots,
        }
    }

    fn rows(&self, rows: &[RowRef], ingested: i64) -> Result<RecordBatch> {
        let indices: Vec<(usize, usize)> = rows
            .iter()
            .map(|&(batch, row)| (self.slots[batch as usize], row as usize))
            .collect();
        let columns = self.columns.iter().map(|column| match column {
            None => {
                let times = TimestampMicrosecondArray::from_value(ingested, rows.len()).with_timezone("UTC");
                Ok(Arc::new(times) as ArrayRef)
            }
            Some(arrays) => {
                let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
                interleave(&arrays, &indices)
            }
        });
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(Error::from)?;
        Ok(RecordBatch::try_new(Arc::clone(self.schema), columns)?)
    }
}

fn repeated(text: &str, rows: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, rows)))
}
