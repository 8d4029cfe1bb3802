//! Events that wait in memory for the next commit.

use super::archive::MEMBER;
use super::batch::EventBatch;
use super::dedup::Partition;
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

    /// About how many bytes the events of a partition have.
    pub(super) fn bytes_of(&self, partition: &Partition) -> usize {
        let rows = self.partitions.get(partition).into_iter().flatten();
        rows.map(|&(batch, _)| self.batches[batch as usize].bytes_of_a_row())
            .sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.partitions.values().all(Vec::is_empty)
    }
}
