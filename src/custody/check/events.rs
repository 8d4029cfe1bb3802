//! The events of a partition: each there once, and what its record says.

use super::Finding;
use crate::error::Result;
use crate::ingest::content_text;
use crate::lake::{DataFile, LakeTable};
use crate::schema::{EVENT_HASH, EVENT_KEY, FieldId, RAW, SOURCE_SHA256, TIMESTAMP};
use datafusion::arrow::array::{Array as _, AsArray as _, RecordBatch, StringArray};
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use datafusion::common::ScalarValue;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Microseconds.
const DAY: i64 = 86_400_000_000;

/// Findings of one kind in one file that are told one by one.
const TOLD: u64 = 3;

/// A dataset on a day, and what was found in it.
#[derive(Debug, Default)]
pub(super) struct Partition {
    files: Vec<(DataFile, Option<String>)>,
    pub(super) events: u64,
    pub(super) problems: Vec<Finding>,
    /// Events by the hash of the file they came from.
    pub(super) by_source: HashMap<String, u64>,
    keys: HashSet<u128>,
}

/// The partitions of the table.
pub(super) fn partitions(table: &LakeTable) -> Result<Vec<Partition>> {
    let mut partitions: BTreeMap<String, Partition> = BTreeMap::new();
    for (file, sha256) in table.files_with_hashes()? {
        let values: Vec<String> = file.partition.iter().map(ScalarValue::to_string).collect();
        partitions
            .entry(values.join("/"))
            .or_default()
            .files
            .push((file, sha256));
    }
    Ok(partitions.into_values().collect())
}

impl Partition {
    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|(file, _)| file.size).sum()
    }

    /// Reads all events.
    pub(super) async fn read(mut self, table: &LakeTable) -> Result<Self> {
        for (file, sha256) in std::mem::take(&mut self.files) {
            let place = format!("{}{}", table.url(), file.path);
            let day = match file.partition.get(1) {
                Some(ScalarValue::Date32(Some(day))) => Some(*day),
                _ => None,
            };
            let mut faults = Faults::default();
            let mut look = |batch: &RecordBatch| self.look(batch, day, &mut faults);
            let texts = table.verify(&file, sha256.as_deref(), &mut look).await;
            let texts = texts.into_iter().chain(faults.into_texts());
            self.problems.extend(texts.map(|text| Finding {
                place: place.clone(),
                text,
            }));
        }
        // Only for events of the same dataset on the same day.
        self.keys = HashSet::new();
        Ok(self)
    }

    fn look(&mut self, batch: &RecordBatch, day: Option<i32>, faults: &mut Faults) {
        self.events += batch.num_rows() as u64;
        let texts = |field: FieldId| batch.column_by_name(&field.field().column)?.as_string_opt::<i32>();
        let value = |texts: Option<&StringArray>, row: usize| {
            let texts = texts?;
            texts.is_valid(row).then(|| texts.value(row).to_owned())
        };
        let (keys, hashes) = (texts(EVENT_KEY), texts(EVENT_HASH));
        let (raws, sources) = (texts(RAW), texts(SOURCE_SHA256));
        let times = batch.column_by_name(&TIMESTAMP.field().column);
        let times = times.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
        for row in 0..batch.num_rows() {
            let key = value(keys, row).unwrap_or_default();
            match u128::from_str_radix(&key, 16) {
                Ok(number) if !self.keys.insert(number) => faults.add("an event that is there twice", &key),
                Ok(_) => {}
                Err(_) => faults.add("an event without a key", &key),
            }
            let raw = raws.filter(|raws| raws.is_valid(row)).map(|raws| raws.value(row));
            if raw.and_then(content_text) != value(hashes, row) {
                faults.add("an event whose record is not the one that was stored", &key);
            }
            let at = times.filter(|times| times.is_valid(row)).map(|times| times.value(row));
            if at.map(|at| at.div_euclid(DAY)) != day.map(i64::from) {
                faults.add("an event of another day", &key);
            }
            if let Some(sources) = sources.filter(|sources| sources.is_valid(row)) {
                match self.by_source.get_mut(sources.value(row)) {
                    Some(count) => *count += 1,
                    None => drop(self.by_source.insert(sources.value(row).to_owned(), 1)),
                }
            }
        }
    }
}

/// What is wrong with events, by kind, with the keys of the first.
#[derive(Default)]
struct Faults(BTreeMap<&'static str, (u64, Vec<String>)>);

impl Faults {
    fn add(&mut self, what: &'static str, key: &str) {
        let (count, keys) = self.0.entry(what).or_default();
        *count += 1;
        if *count <= TOLD {
            keys.push(key.to_owned());
        }
    }

    fn into_texts(self) -> impl Iterator<Item = String> {
        self.0.into_iter().map(|(what, (count, keys))| {
            let more = if count > TOLD { ", ..." } else { "" };
            format!("{what}: {count} (event_key {}{more})", keys.join(", "))
        })
    }
}
