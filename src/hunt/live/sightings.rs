//! The sightings of terms, kept as files of runs: rows of the terms, then the first and the last
//! time of a run and the event that speaks for it.
//!
//! Each step adds a file with the runs of what arrived. Runs of one term in several files are
//! joined when they are read. When there are many files, those with runs that the history of
//! what may still arrive can hold become one, and the older runs go to files that are not read
//! again unless something arrives for their time.

use super::state::StateFiles;
use crate::error::{Error, Result};
use crate::functions::sightings::{Run, SightingRuns};
use bytes::Bytes;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema, TimestampMicrosecondType};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// More files than so many become fewer.
const MOST_FILES: usize = 16;

/// Late events are expected for so long.
const SETTLE: i64 = 48 * 3_600_000_000;

/// Rows of a batch.
const ROWS: usize = 64 * 1024;

/// The state of a new terms detection.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct SightingsState {
    /// The first event of each dataset, when it was evaluated.
    pub(super) begins: BTreeMap<String, i64>,
    /// Types of the terms, as text.
    pub(super) types: Vec<String>,
    pub(super) files: Vec<SightingsFile>,
}

/// A file of runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SightingsFile {
    pub(super) name: String,
    rows: u64,
    /// No run begins before.
    first: i64,
    /// No run ends after.
    last: i64,
    /// Its runs were too old to be read, when it was written.
    old: bool,
}

/// Terms as bytes, as the files of a detection hold them.
#[derive(Debug)]
pub(super) struct Terms {
    types: Vec<DataType>,
    converter: RowConverter,
}

/// Runs by term.
pub(super) type Sightings = HashMap<Box<[u8]>, SightingRuns>;

impl Terms {
    pub(super) fn new(types: Vec<DataType>) -> Result<Self> {
        let fields = types.iter().cloned().map(SortField::new).collect();
        Ok(Self {
            types,
            converter: RowConverter::new(fields)?,
        })
    }

    pub(super) fn types(&self) -> &[DataType] {
        &self.types
    }

    /// The types as a state names them.
    pub(super) fn names(&self) -> Vec<String> {
        self.types.iter().map(ToString::to_string).collect()
    }

    /// Calls back for each row with the bytes of its terms.
    pub(super) fn each(&self, terms: &[ArrayRef], mut see: impl FnMut(usize, &[u8])) -> Result<()> {
        let columns = terms.iter().zip(&self.types).map(|(term, kind)| Ok(cast(term, kind)?));
        let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
        for (row, key) in self.converter.convert_columns(&columns)?.iter().enumerate() {
            see(row, key.as_ref());
        }
        Ok(())
    }

    /// The terms of which these are the bytes.
    pub(super) fn columns<'a>(&self, keys: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<ArrayRef>> {
        let parser = self.converter.parser();
        Ok(self
            .converter
            .convert_rows(keys.into_iter().map(|key| parser.parse(key)))?)
    }
}

/// Adds the runs in these files that may touch what is between two times, of the terms that are
/// wanted; of all where none are named.
pub(super) async fn read(
    files: &StateFiles,
    state: &SightingsState,
    terms: &Terms,
    history: i64,
    (from, to): (i64, i64),
    wanted: Option<&Sightings>,
    found: &mut Sightings,
) -> Result<()> {
    let near =
        |file: &&SightingsFile| file.last.saturating_add(history) >= from && file.first <= to.saturating_add(history);
    let near: Vec<&SightingsFile> = state.files.iter().filter(near).collect();
    for file in near {
        add(files, file, terms, history, wanted, found).await?;
    }
    Ok(())
}

async fn add(
    files: &StateFiles,
    file: &SightingsFile,
    terms: &Terms,
    history: i64,
    wanted: Option<&Sightings>,
    found: &mut Sightings,
) -> Result<()> {
    let damaged = |problem: String| Error::store(format!("the state {} is damaged", file.name), problem);
    let bytes = files.read(&file.name).await?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|error| damaged(error.to_string()))?;
    let reader = reader
        .with_batch_size(ROWS)
        .build()
        .map_err(|error| damaged(error.to_string()))?;
    for batch in reader {
        let batch = batch?;
        let count = terms.types.len();
        if batch.num_columns() != count + 3 {
            return Err(damaged(format!("it has {} columns", batch.num_columns())));
        }
        let (keys, rest) = batch.columns().split_at(count);
        let times = |column: &ArrayRef| column.as_primitive_opt::<TimestampMicrosecondType>().cloned();
        let ids = cast(&rest[2], &DataType::Utf8)?;
        let (Some(firsts), Some(lasts)) = (times(&rest[0]), times(&rest[1])) else {
            return Err(damaged("its times are none".into()));
        };
        let ids = ids.as_string::<i32>();
        terms.each(keys, |row, key| {
            if wanted.is_some_and(|wanted| !wanted.contains_key(key)) {
                return;
            }
            let run = Run {
                first_time: firsts.value(row),
                last_time: lasts.value(row),
                first_event_id: ids.is_valid(row).then(|| ids.value(row).into()),
            };
            match found.get_mut(key) {
                Some(runs) => runs.insert_run(run),
                None => {
                    let mut runs = SightingRuns::new(history.unsigned_abs());
                    runs.insert_run(run);
                    found.insert(key.into(), runs);
                }
            }
        })?;
    }
    Ok(())
}

/// Runs as a file that is still to be written; none where there are none.
fn encoded<'a>(
    terms: &Terms,
    mut runs: impl Iterator<Item = (&'a [u8], &'a Run)>,
    old: bool,
) -> Result<Option<(SightingsFile, Bytes)>> {
    let failed = |error| Error::Internal(format!("sightings cannot be written: {error}"));
    let mut fields: Vec<Field> = (terms.types.iter().enumerate())
        .map(|(place, kind)| Field::new(format!("term_{place}"), kind.clone(), true))
        .collect();
    let time = DataType::Timestamp(datafusion::arrow::datatypes::TimeUnit::Microsecond, Some("UTC".into()));
    fields.push(Field::new("first", time.clone(), false));
    fields.push(Field::new("last", time, false));
    fields.push(Field::new("event_id", DataType::Utf8, true));
    let schema = Arc::new(Schema::new(fields));
    let level = ZstdLevel::try_new(3).map_err(failed)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties)).map_err(failed)?;
    let mut file = SightingsFile {
        name: String::new(),
        rows: 0,
        first: i64::MAX,
        last: i64::MIN,
        old,
    };
    loop {
        let part: Vec<(&[u8], &Run)> = runs.by_ref().take(ROWS).collect();
        if part.is_empty() {
            break;
        }
        for (_, run) in &part {
            file.first = file.first.min(run.first_time);
            file.last = file.last.max(run.last_time);
        }
        file.rows += part.len() as u64;
        let mut columns = terms.columns(part.iter().map(|(key, _)| *key))?;
        let time = |of: fn(&Run) -> i64| -> ArrayRef {
            let times = TimestampMicrosecondArray::from_iter_values(part.iter().map(|(_, run)| of(run)));
            Arc::new(times.with_timezone("UTC"))
        };
        columns.push(time(|run| run.first_time));
        columns.push(time(|run| run.last_time));
        let ids: StringArray = part.iter().map(|(_, run)| run.first_event_id.as_deref()).collect();
        columns.push(Arc::new(ids));
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
        writer.write(&batch).map_err(failed)?;
    }
    if file.rows == 0 {
        return Ok(None);
    }
    Ok(Some((file, writer.into_inner().map_err(failed)?.into())))
}

async fn write(files: &StateFiles, encoded: Option<(SightingsFile, Bytes)>) -> Result<Option<SightingsFile>> {
    let Some((file, bytes)) = encoded else {
        return Ok(None);
    };
    let name = files.write("parquet", bytes).await?;
    Ok(Some(SightingsFile { name, ..file }))
}

/// The runs that a condition holds for, with the terms of each.
fn runs_where(sightings: &Sightings, holds: impl Fn(&Run) -> bool) -> impl Iterator<Item = (&[u8], &Run)> {
    let all = sightings
        .iter()
        .flat_map(|(key, runs)| runs.starts().iter().map(move |run| (key.as_ref(), run)));
    all.filter(move |(_, run)| holds(run))
}

/// The state with these sightings as well.
pub(super) async fn added(
    files: &StateFiles,
    mut state: SightingsState,
    terms: &Terms,
    history: i64,
    arrived: &Sightings,
    now: i64,
) -> Result<SightingsState> {
    let file = encoded(terms, runs_where(arrived, |_| true), false)?;
    state.files.extend(write(files, file).await?);
    let young = state.files.iter().filter(|file| !file.old).count();
    if young <= MOST_FILES {
        return Ok(state);
    }
    // Of old ones a few more are kept, as most of them are never read again.
    let all = state.files.len() - young > MOST_FILES;
    let mut merged = Sightings::new();
    let (merging, mut kept): (Vec<_>, Vec<_>) = state.files.drain(..).partition(|file| all || !file.old);
    for file in &merging {
        add(files, file, terms, history, None, &mut merged).await?;
    }
    let since = now.saturating_sub(history).saturating_sub(SETTLE);
    for old in [true, false] {
        let file = encoded(terms, runs_where(&merged, |run| (run.last_time < since) == old), old)?;
        kept.extend(write(files, file).await?);
    }
    state.files = kept;
    Ok(state)
}
