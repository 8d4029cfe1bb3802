//! How the pending events of a partition become a file: in which order, and by how many threads.

use super::batch::{EventBatch, schema_position};
use super::dedup::Partition;
use super::pending::{Origin, Pending, RowRef};
use crate::error::Result;
use crate::lake::{Columns, ColumnsWriter, ParquetFile, events_file, row_groups};
use crate::schema::{CATALOGUE, EVENT_ACTION, EVENT_INGESTED, SOURCE_FILE, SOURCE_SHA256, USER_ID};
use ahash::AHashMap;
use std::ops::Range;

/// A file of a partition before it is encoded.
#[derive(Debug)]
pub(super) struct FileLayout {
    pub(super) partition: Partition,
    /// By action, user, then time; ties by where the event came from, so that the same input gives
    /// the same file.
    rows: Vec<RowRef>,
    groups: Vec<Range<usize>>,
    /// Positions in the table of columns that are written together, of each row group.
    parts: Vec<Vec<usize>>,
}

/// Part of a file that one thread writes: the row group, and which of its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    group: usize,
    columns: usize,
}

impl FileLayout {
    /// Of a partition that is worth so many threads.
    pub(super) fn new(pending: &Pending, partition: &Partition, threads: usize) -> Self {
        let rows = pending.partitions.get(partition).map(Vec::as_slice).unwrap_or_default();
        let rows = sorted(pending, rows);
        let groups = row_groups(rows.iter().map(|row| pending.batches[row.0 as usize].bytes_of_a_row()));
        let positions = positions(pending, &rows);
        let parts = match threads.div_ceil(groups.len().max(1)) {
            0 | 1 => vec![positions],
            parts => balanced(&positions, &work(pending, &rows, &positions), parts),
        };
        Self {
            partition: partition.clone(),
            rows,
            groups,
            parts,
        }
    }

    /// The parts of the file, in the order in which [`Self::file`] wants them.
    pub(super) fn parts(&self) -> impl Iterator<Item = Part> + use<> {
        let parts = self.parts.len();
        (0..self.groups.len()).flat_map(move |group| (0..parts).map(move |columns| Part { group, columns }))
    }

    /// Writes a part. `ingested` is the time of the commit in microseconds since the Unix epoch.
    pub(super) fn encode(&self, pending: &Pending, part: Part, origins: &[Origin], ingested: i64) -> Result<Columns> {
        let rows = &self.rows[self.groups[part.group].clone()];
        let mut columns = ColumnsWriter::new(&self.parts[part.columns], rows.len())?;
        let of_commit = [EVENT_INGESTED, SOURCE_FILE, SOURCE_SHA256].map(schema_position);
        let batch_of = |row: &RowRef| &pending.batches[row.0 as usize];
        for (place, row) in rows.iter().enumerate() {
            if let Some(far) = rows.get(place + 3) {
                batch_of(far).announce(far.1);
            }
            if let Some(after) = rows.get(place + 2) {
                batch_of(after).announce_cells(after.1);
            }
            if let Some(next) = rows.get(place + 1) {
                batch_of(next).announce_values(next.1);
            }
            let batch = batch_of(row);
            let origin = &origins[batch.place.origin];
            batch.write(row.1, &mut columns)?;
            columns.long(of_commit[0], ingested)?;
            columns.text(of_commit[1], origin.path.as_bytes())?;
            columns.text(of_commit[2], origin.sha256.as_bytes())?;
            columns.end_row();
        }
        columns.finish()
    }

    /// The file of all parts.
    pub(super) fn file(&self, parts: Vec<Columns>) -> Result<ParquetFile> {
        let day = chrono::DateTime::from_timestamp(i64::from(self.partition.day) * 86_400, 0)
            .map(|time| time.format("%Y-%m-%d").to_string());
        let values = vec![
            ("event_dataset".to_owned(), Some(self.partition.dataset.clone())),
            ("day".to_owned(), day),
        ];
        let mut parts = parts.into_iter();
        let groups = self
            .groups
            .iter()
            .map(|_| parts.by_ref().take(self.parts.len()).collect());
        events_file(values, groups.collect())
    }
}

fn sorted(pending: &Pending, rows: &[RowRef]) -> Vec<RowRef> {
    let texts = |field| {
        let of = |&(batch, row): &RowRef| pending.batches[batch as usize].bytes_of(row, field);
        ranks(rows.iter().map(of))
    };
    let keys = texts(EVENT_ACTION).into_iter().zip(texts(USER_ID)).zip(rows);
    let keyed = keys.map(|((action, user), &(batch, row))| {
        let time = pending.batches[batch as usize].meta[row as usize].time;
        (action, user, time, (batch, row))
    });
    let mut keyed: Vec<_> = keyed.collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(.., row)| row).collect()
}

/// Positions in the table of the columns that any of the batches has.
fn positions(pending: &Pending, rows: &[RowRef]) -> Vec<usize> {
    let mut used = vec![false; pending.batches.len()];
    rows.iter().for_each(|&(batch, _)| used[batch as usize] = true);
    let mut present = vec![false; CATALOGUE.fields().len()];
    for field in [EVENT_INGESTED, SOURCE_FILE, SOURCE_SHA256] {
        present[field.index()] = true;
    }
    for (batch, _) in pending.batches.iter().zip(used).filter(|(_, used)| *used) {
        present
            .iter_mut()
            .zip(batch.present())
            .for_each(|(all, here)| *all |= here);
    }
    let fields = CATALOGUE.fields().iter().filter(|field| present[field.id.index()]);
    fields.map(|field| schema_position(field.id)).collect()
}

/// Rows that tell how much work their columns are.
const SAMPLE: usize = 500;

/// What a value takes beside its bytes, in bytes that are compressed meanwhile.
const VALUE: u64 = 32;

/// How much work each of the columns is, as some of the rows tell; none is nothing.
fn work(pending: &Pending, rows: &[RowRef], positions: &[usize]) -> Vec<u64> {
    let mut work = vec![1; CATALOGUE.fields().len()];
    for &(batch, row) in rows.iter().step_by(rows.len().div_ceil(SAMPLE).max(1)) {
        let batch: &EventBatch = &pending.batches[batch as usize];
        for (position, values, bytes) in batch.sizes(row) {
            work[position] += VALUE * values as u64 + bytes as u64;
        }
    }
    positions.iter().map(|&position| work[position]).collect()
}

/// These columns in so many parts of about the same work, none of which is empty.
fn balanced(positions: &[usize], work: &[u64], parts: usize) -> Vec<Vec<usize>> {
    let mut columns: Vec<(u64, usize)> = work.iter().copied().zip(positions.iter().copied()).collect();
    columns.sort_unstable_by_key(|&(work, position)| (std::cmp::Reverse(work), position));
    let mut loads = vec![(0, Vec::new()); parts.clamp(1, positions.len().max(1))];
    for (work, position) in columns {
        if let Some((load, part)) = loads.iter_mut().min_by_key(|(load, _)| *load) {
            *load += work;
            part.push(position);
        }
    }
    let parts = loads.into_iter().map(|(_, mut part)| {
        part.sort_unstable();
        part
    });
    parts.collect()
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
    use super::super::Place;
    use super::super::framing::Chunk;
    use super::super::parse::parse;
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

    /// However many threads write it, a file is the same.
    #[test]
    fn a_file_is_the_same_by_any_number_of_threads() {
        let record = |number: usize| {
            let (user, action) = (number % 7, number % 3);
            let list = ["web", "email", "file"][..number % 4 % 3].join("\",\"");
            format!(
                r#"{{"@timestamp":"2026-03-02T{:02}:00:00.{number:06}Z","event":{{"id":"id {number}","dataset":"d","action":"a{action}","category":["{list}"]}},"user":{{"id":"u{user}"}},"other":"{}"}}"#,
                number % 24,
                "x".repeat(number % 50),
            )
        };
        let chunk = Chunk::of_records((0..500).map(record));
        let mut pending = Pending::default();
        for batch in parse(chunk, Place::default(), true).batches {
            let all: Vec<u32> = (0..batch.meta.len() as u32).collect();
            pending.add(batch, &all);
        }
        let [(partition, rows)] = &pending.partitions.iter().collect::<Vec<_>>()[..] else {
            panic!("one day of one dataset");
        };
        assert_eq!(rows.len(), 500);
        let origins = [Origin {
            path: "f".into(),
            sha256: "0".into(),
        }];
        let file = |threads: usize| {
            let layout = FileLayout::new(&pending, partition, threads);
            assert_eq!(layout.parts().count(), threads.min(layout.parts.concat().len()));
            let parts = layout.parts().map(|part| layout.encode(&pending, part, &origins, 1));
            layout.file(parts.collect::<Result<_>>().unwrap()).unwrap()
        };
        let alone = file(1);
        for threads in [2, 3, 5, 1000] {
            let file = file(threads);
            assert_eq!(
                (file.sha256, file.statistics),
                (alone.sha256.clone(), alone.statistics.clone())
            );
        }
    }

    #[test]
    fn parts_have_the_same_work_and_each_column_once() {
        let positions: Vec<usize> = (3..13).collect();
        let work = [10, 900, 10, 300, 300, 20, 300, 1, 1, 10];
        let parts = balanced(&positions, &work, 2);
        assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), positions.len());
        let load = |part: &[usize]| part.iter().map(|position| work[position - 3]).sum::<u64>();
        assert!(load(&parts[0]).abs_diff(load(&parts[1])) <= 20, "{parts:?}");
        for parts in 1..20 {
            let parts = balanced(&positions, &work, parts);
            assert!(parts.iter().all(|part| !part.is_empty() && part.is_sorted()));
            let mut all = parts.concat();
            all.sort_unstable();
            assert_eq!(all, positions);
        }
    }
}
