//! Events that wait in memory for the next commit, and how they become files.

use super::archive::MEMBER;
use super::batch::{EventBatch, schema_position};
use super::dedup::Partition;
use crate::error::Result;
use crate::lake::{EventsWriter, ParquetFile};
use crate::schema::{CATALOGUE, EVENT_ACTION, EVENT_INGESTED, SOURCE_FILE, SOURCE_SHA256, USER_ID};
use ahash::AHashMap;
use std::collections::BTreeMap;

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
        let (batch, rows) = if admitted.len() * 2 < batch.meta.len() {
            (batch.only(admitted), (0..admitted.len() as u32).collect())
        } else {
            (batch, admitted.to_vec())
        };
        self.bytes += batch.bytes;
        let mut days: BTreeMap<i32, Vec<RowRef>> = BTreeMap::new();
        for row in rows {
            days.entry(batch.meta[row as usize].day())
                .or_default()
                .push((index, row));
        }
        for (day, rows) in days {
            let dataset = batch.dataset.clone();
            self.partitions
                .entry(Partition { dataset, day })
                .or_default()
                .extend(rows);
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
        let day = chrono::DateTime::from_timestamp(i64::from(partition.day) * 86_400, 0)
            .map(|time| time.format("%Y-%m-%d").to_string());
        let values = vec![
            ("event_dataset".to_owned(), Some(partition.dataset.clone())),
            ("day".to_owned(), day),
        ];
        let mut file = EventsWriter::new(&self.positions(&sorted))?;
        let of_commit = [EVENT_INGESTED, SOURCE_FILE, SOURCE_SHA256].map(schema_position);
        let batch_of = |row: &RowRef| &self.batches[row.0 as usize];
        for (place, &(batch, row)) in sorted.iter().enumerate() {
            if let Some(after) = sorted.get(place + 2) {
                batch_of(after).announce_cells(after.1);
            }
            if let Some(next) = sorted.get(place + 1) {
                batch_of(next).announce_record(next.1);
            }
            let batch = &self.batches[batch as usize];
            let origin = &origins[batch.place.origin];
            batch.write(row, &mut file)?;
            file.long(of_commit[0], ingested)?;
            file.text(of_commit[1], origin.path.as_bytes())?;
            file.text(of_commit[2], origin.sha256.as_bytes())?;
            file.end_row()?;
        }
        file.finish(values)
    }

    /// By action, user, then time; ties by where the event came from, so that the same
    /// input gives the same file.
    fn sorted(&self, rows: &[RowRef]) -> Vec<RowRef> {
        let texts = |field| {
            let of = |&(batch, row): &RowRef| self.batches[batch as usize].bytes_of(row, field);
            ranks(rows.iter().map(of))
        };
        let keys = texts(EVENT_ACTION).into_iter().zip(texts(USER_ID)).zip(rows);
        let keyed = keys.map(|((action, user), &(batch, row))| {
            let time = self.batches[batch as usize].meta[row as usize].time;
            (action, user, time, (batch, row))
        });
        let mut keyed: Vec<_> = keyed.collect();
        keyed.sort_unstable();
        keyed.into_iter().map(|(.., row)| row).collect()
    }

    /// Positions in the table of the columns that any of the batches has.
    fn positions(&self, rows: &[RowRef]) -> Vec<usize> {
        let mut used = vec![false; self.batches.len()];
        rows.iter().for_each(|&(batch, _)| used[batch as usize] = true);
        let mut present = vec![false; CATALOGUE.fields().len()];
        for field in [EVENT_INGESTED, SOURCE_FILE, SOURCE_SHA256] {
            present[field.index()] = true;
        }
        for (batch, _) in self.batches.iter().zip(used).filter(|(_, used)| *used) {
            present
                .iter_mut()
                .zip(batch.present())
                .for_each(|(all, here)| *all |= here);
        }
        let fields = CATALOGUE.fields().iter().filter(|field| present[field.id.index()]);
        fields.map(|field| schema_position(field.id)).collect()
    }
}

/// The place of each value among the distinct ones in order. They are few and many have each, so
/// that numbers are compared in place of texts.
fn ranks<'a>(values: impl Iterator<Item = Option<&'a [u8]>>) -> Vec<u32> {
    let mut numbers: AHashMap<Option<&[u8]>, u32> = AHashMap::new();
    let mut last = None;
    let numbered = values.map(|value| match last {
        Some((known, number)) if known == value => number,
        _ => {
            let next = numbers.len() as u32;
            let number = *numbers.entry(value).or_insert(next);
            last = Some((value, number));
            number
        }
    });
    let numbered: Vec<u32> = numbered.collect();
    let mut distinct: Vec<_> = numbers.into_iter().collect();
    distinct.sort_unstable();
    let mut ranks = vec![0; distinct.len()];
    (0..)
        .zip(distinct)
        .for_each(|(rank, (_, number))| ranks[number as usize] = rank);
    numbered.into_iter().map(|number| ranks[number as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_in_the_order_of_the_texts() {
        let texts = [
            Some("b"),
            Some("b"),
            None,
            Some(""),
            Some("a"),
            Some("b"),
            None,
            Some("ab"),
        ];
        let bytes: Vec<Option<&[u8]>> = texts.iter().map(|text| text.map(str::as_bytes)).collect();
        let ranks = ranks(bytes.iter().copied());
        assert_eq!(ranks, [4, 4, 0, 1, 2, 4, 0, 3]);
        assert!(super::ranks(std::iter::empty()).is_empty());
    }
}
