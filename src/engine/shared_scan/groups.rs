//! Which scans of a table are fed by one common scan.
//!
//! Rows that go through a common scan cost more than those that a scan reads for its own plan: they
//! are filtered once more, put into other batches, and go from one task to another. So those scans
//! stay by themselves that share no pass (`passes`) with another one, as far as the largest file of
//! each kind tells.

use super::find::Found;
use super::leaf::{Leaf, common_table};
use super::passes::passes;
use crate::engine::row_groups::RowGroups;
use crate::error::Result;
use crate::lake::{FilesOfScan, ReadColumns};
use datafusion::common::Result as DfResult;
use datafusion::datasource::listing::PartitionedFile;
use futures::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

/// Kinds of files, by the scans that want them, that are looked at: those with the most bytes.
const KINDS: usize = 16;

/// The scans that are read together, part by part, which know what others there are.
pub(super) async fn read_together(found: Vec<Found>) -> Result<Vec<Vec<Found>>> {
    let mut tables: Vec<Vec<Found>> = Vec::new();
    for found in found {
        let same = |table: &&mut Vec<Found>| table.iter().all(|other| other.leaf.same_table(&found.leaf));
        match tables.iter_mut().find(same) {
            Some(table) => table.push(found),
            None => tables.push(vec![found]),
        }
    }
    let mut together = Vec::new();
    for mut table in tables {
        count_others(&mut table);
        table.retain(|found| found.others > 0);
        widen(&mut table)?;
        let parts = parts_of(&table).await;
        let mut parted: BTreeMap<usize, Vec<Found>> = BTreeMap::new();
        for (found, part) in table.into_iter().zip(parts) {
            parted.entry(part).or_default().push(found);
        }
        for mut part in parted.into_values().filter(|part| part.len() > 1) {
            count_others(&mut part);
            widen(&mut part)?;
            together.push(part);
        }
    }
    Ok(together)
}

fn widen(table: &mut [Found]) -> DfResult<()> {
    let columns = common_table(table.iter().map(|found| &found.leaf));
    table.iter_mut().try_for_each(|found| found.leaf.widen(&columns))
}

/// For each scan the number of the part that it is in.
async fn parts_of(table: &[Found]) -> Vec<usize> {
    let mut parts: Vec<usize> = (0..table.len()).collect();
    let kinds = kinds(table.iter().map(|found| &found.leaf));
    let mut kinds: Vec<(Vec<usize>, Vec<&PartitionedFile>)> = kinds.into_iter().collect();
    let bytes = |files: &[&PartitionedFile]| files.iter().map(|file| file.object_meta.size).sum::<u64>();
    kinds.sort_by_key(|(_, files)| std::cmp::Reverse(bytes(files)));
    let mut looks = Vec::new();
    for (wanted_by, files) in kinds.into_iter().take(KINDS) {
        if let Some(largest) = files.into_iter().max_by_key(|file| file.object_meta.size) {
            looks.push(passes_over(table, wanted_by, largest));
        }
    }
    let passes = join_all(looks).await;
    for pass in passes.iter().flatten() {
        let joined: BTreeSet<usize> = pass.iter().map(|member| parts[*member]).collect();
        if let Some(first) = joined.first() {
            parts
                .iter_mut()
                .filter(|part| joined.contains(part))
                .for_each(|part| *part = *first);
        }
    }
    parts
}

/// The scans that want a file, grouped as they would read all of it. Who wants a file that cannot
/// be read is told so when it is.
async fn passes_over(table: &[Found], wanted_by: Vec<usize>, file: &PartitionedFile) -> Vec<Vec<usize>> {
    let leaf = |number: usize| table.get(number).map(|found| &found.leaf);
    let Some(first) = wanted_by.first().and_then(|first| leaf(*first)) else {
        return Vec::new();
    };
    let columns = ReadColumns::of(first.table().file_schema());
    let file = file.clone().with_extension(columns).with_extension(FilesOfScan::none());
    let Ok(groups) = RowGroups::read(first.readers.as_ref(), first.table(), &file).await else {
        return vec![wanted_by];
    };
    let of_groups: Vec<Vec<u64>> = (0..groups.len()).map(|group| groups.column_bytes(group)).collect();
    let bytes = |column: usize| of_groups.iter().filter_map(|bytes| bytes.get(column)).sum::<u64>();
    passes(&wanted_by, &leaf, &bytes)
}

/// The files of these scans by those of them that want them.
pub(super) fn kinds<'a>(leaves: impl Iterator<Item = &'a Leaf>) -> BTreeMap<Vec<usize>, Vec<&'a PartitionedFile>> {
    let mut files: BTreeMap<&String, (&PartitionedFile, Vec<usize>)> = BTreeMap::new();
    for (number, leaf) in leaves.enumerate() {
        for (path, file) in &leaf.files {
            files.entry(path).or_insert((file, Vec::new())).1.push(number);
        }
    }
    let mut kinds: BTreeMap<Vec<usize>, Vec<&PartitionedFile>> = BTreeMap::new();
    for (file, wanted_by) in files.into_values() {
        kinds.entry(wanted_by).or_default().push(file);
    }
    kinds
}

/// Counts for each scan of a table the others that read some of its files.
fn count_others(table: &mut [Found]) {
    let mut others = vec![BTreeSet::<usize>::new(); table.len()];
    for numbers in kinds(table.iter().map(|found| &found.leaf)).into_keys() {
        for number in &numbers {
            if let Some(others) = others.get_mut(*number) {
                others.extend(numbers.iter().filter(|other| *other != number));
            }
        }
    }
    for (found, others) in table.iter_mut().zip(others) {
        found.others = others.len();
    }
}
