//! Where in a file the filters of some columns are: as the log tells it (`told`), or straight from the
//! file's footer.
//!
//! A footer describes two hundred columns, and a lake has thousands of files: to decode all that
//! they say takes ten times as long as to pass over it, and to read it more than to ask a filter.

mod told;

use crate::lake::thrift::{self, BINARY, Compact, DEEPEST, I32, I64, LIST, STRUCT};
use datafusion::common::HashMap;
use datafusion::execution::cache::cache_manager::FileMetadata;
use datafusion::parquet::errors::Result;
use datafusion::parquet::file::metadata::{ParquetMetaDataReader, RowGroupMetaData};
use std::any::Any;

/// Of one file: for each row group, and for each of the columns that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FilterPlaces(pub(super) Vec<Vec<Place>>);

/// Where the filter of a column of a row group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Filter(Filter),
    /// As in files that were written by something else.
    NoFilter,
    NoColumn,
}

/// Bytes of the longest filter that a footer can tell of.
const LONGEST: u64 = i32::MAX as u64;

/// A filter with its header, in bytes of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl FilterPlaces {
    /// Reads a footer: Thrift's compact form of Parquet's `FileMetaData`. What stands behind the last
    /// place that was asked for is not looked at. None where something is not as it nearly always
    /// is, and [`Self::decoded`] has to tell: no file is ruled out for what cannot be read of it.
    pub(super) fn of<S: AsRef<str>>(footer: &[u8], columns: &[S]) -> Option<Self> {
        let mut reader = Compact::of(footer);
        let (mut groups, mut leaves) = (Vec::new(), 0);
        let read = reader.structure(|reader, field, kind| match (field, kind) {
            (2, LIST) => {
                leaves = schema_leaves(reader)?;
                Some(())
            }
            (4, LIST) => {
                let count = reader.structures()?;
                (0..count).try_for_each(|group| {
                    let mut places = Places::of(columns, leaves, group + 1 == count);
                    let read = places.read(reader);
                    groups.push(places.found);
                    read
                })
            }
            _ => reader.skip(kind, DEEPEST),
        });
        let is_read = read.is_some() || reader.is_done;
        (is_read && !groups.is_empty()).then_some(Self(groups))
    }

    /// The same, all of it decoded by the library.
    pub(super) fn decoded<S: AsRef<str>>(footer: &[u8], columns: &[S]) -> Result<Self> {
        let metadata = ParquetMetaDataReader::decode_metadata(thrift::checked(footer)?)?;
        let groups = metadata.row_groups().iter();
        let found = groups.map(|group| columns.iter().map(|column| place_in(group, column.as_ref())).collect());
        Ok(Self(found.collect()))
    }

    /// Whether all of them are within a file of so many bytes.
    pub(super) fn are_within(&self, size: u64) -> bool {
        self.0.iter().flatten().all(|place| match place {
            Place::Filter(filter) => filter.offset.checked_add(filter.length).is_some_and(|end| end <= size),
            Place::NoFilter | Place::NoColumn => true,
        })
    }
}

fn place_in(group: &RowGroupMetaData, column: &str) -> Place {
    let is_of_column = |path: &[String]| path.first().is_some_and(|name| name == column);
    let mut chunks = group.columns().iter();
    match chunks.find(|chunk| is_of_column(chunk.column_path().parts())) {
        None => Place::NoColumn,
        Some(chunk) => place(chunk.bloom_filter_offset(), chunk.bloom_filter_length().map(i64::from)),
    }
}

fn place(offset: Option<i64>, length: Option<i64>) -> Place {
    let unsigned = |number: i64| u64::try_from(number).ok();
    match (offset.and_then(unsigned), length.and_then(unsigned)) {
        (Some(offset), Some(length)) if length <= LONGEST => Place::Filter(Filter { offset, length }),
        _ => Place::NoFilter,
    }
}

/// How many columns a row group has: elements of the schema without children.
fn schema_leaves(reader: &mut Compact<'_>) -> Option<usize> {
    let count = reader.structures()?;
    let mut leaves = 0;
    for _ in 0..count {
        let mut has_children = false;
        reader.structure(|reader, field, kind| match (field, kind) {
            (5, I32) => {
                has_children = reader.number()? > 0;
                Some(())
            }
            _ => reader.skip(kind, DEEPEST),
        })?;
        leaves += usize::from(!has_children);
    }
    Some(leaves)
}

/// The places in one row group.
struct Places<'c, S> {
    columns: &'c [S],
    leaves: usize,
    is_last: bool,
    found: Vec<Place>,
}

impl<'c, S: AsRef<str>> Places<'c, S> {
    fn of(columns: &'c [S], leaves: usize, is_last: bool) -> Self {
        Self {
            columns,
            leaves,
            is_last,
            found: vec![Place::NoColumn; columns.len()],
        }
    }

    /// Reads a `RowGroup`.
    fn read(&mut self, reader: &mut Compact<'_>) -> Option<()> {
        let mut has_columns = false;
        reader.structure(|reader, field, kind| match (field, kind) {
            (1, LIST) => {
                let count = reader.structures()?;
                has_columns = count > 0 && count == self.leaves;
                (0..count).try_for_each(|_| self.chunk(reader))
            }
            _ => reader.skip(kind, DEEPEST),
        })?;
        has_columns.then_some(())
    }

    /// Reads a `ColumnChunk`.
    fn chunk(&mut self, reader: &mut Compact<'_>) -> Option<()> {
        let mut is_described = false;
        reader.structure(|reader, field, kind| match (field, kind) {
            (3, STRUCT) => {
                is_described = true;
                self.description(reader)
            }
            _ => reader.skip(kind, DEEPEST),
        })?;
        reader.is_done = self.is_last && is_described && !self.found.contains(&Place::NoColumn);
        (is_described && !reader.is_done).then_some(())
    }

    /// Reads a `ColumnMetaData`: which of the columns it is of, and where its filter is.
    fn description(&mut self, reader: &mut Compact<'_>) -> Option<()> {
        let (mut is_named, mut column, mut offset, mut length) = (false, None, None, None);
        reader.structure(|reader, field, kind| {
            match (field, kind) {
                (3, LIST) => {
                    let (count, kind) = reader.list()?;
                    for part in 0..count {
                        if kind != BINARY {
                            return None;
                        }
                        let name = reader.binary()?;
                        if part == 0 {
                            is_named = true;
                            column = self
                                .columns
                                .iter()
                                .position(|column| column.as_ref().as_bytes() == name);
                        }
                    }
                }
                (14, I64) => offset = Some(reader.number()?),
                (15, I32) => length = Some(reader.number()?),
                _ => reader.skip(kind, DEEPEST)?,
            }
            Some(())
        })?;
        if let Some(known) = column.and_then(|column| self.found.get_mut(column))
            && *known == Place::NoColumn
        {
            // Of a column with several leaves, the first.
            *known = place(offset, length);
        }
        is_named.then_some(())
    }
}

impl FileMetadata for FilterPlaces {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn memory_size(&self) -> usize {
        self.0.iter().map(|group| size_of_val(group.as_slice())).sum::<usize>() + size_of::<Self>()
    }

    fn extra_info(&self) -> HashMap<String, String> {
        HashMap::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lake::needles::tests::{merged, written};
    use crate::lake::writer::footer_of;
    use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
    use datafusion::parquet::arrow::ArrowWriter;
    use datafusion::parquet::file::properties::WriterProperties;
    use proptest::prelude::*;
    use std::sync::Arc;

    const ASKED: [&str; 4] = ["email_message_id", "event_id", "nowhere", "raw"];

    fn footer(file: &[u8]) -> &[u8] {
        footer_of(file).unwrap()
    }

    fn asked() -> Vec<String> {
        ASKED.iter().map(|name| (*name).to_owned()).collect()
    }

    fn rows(count: usize) -> Vec<(Option<String>, Option<Vec<String>>)> {
        let row = |number: usize| {
            let list = (!number.is_multiple_of(3)).then(|| vec![format!("<{number}@x>"); number % 3]);
            (Some(format!("id {number}")), list)
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn places_are_those_that_the_library_decodes() {
        for count in [1, 40, crate::lake::writer::ROW_GROUP_ROWS + 10] {
            let rows = rows(count);
            for file in [written(&rows), merged(&rows)] {
                let FilterPlaces(expected) = FilterPlaces::decoded(footer(&file), &asked()).unwrap();
                assert_eq!(expected.len(), count.div_ceil(crate::lake::writer::ROW_GROUP_ROWS));
                assert!(expected.iter().all(|group| matches!(group[1], Place::Filter(_))));
                assert!(expected.iter().all(|group| group[2] == Place::NoColumn));
                assert!(!expected.iter().any(|group| matches!(group[3], Place::Filter(_))));
                let found = FilterPlaces::of(footer(&file), &asked()).unwrap();
                assert_eq!(found, FilterPlaces(expected));
                // Of columns that are all there, it ends with the last.
                let only = FilterPlaces::of(footer(&file), &asked()[..2]).unwrap();
                let both = found.0.iter().map(|group| group[..2].to_vec());
                assert_eq!(only, FilterPlaces(both.collect()));
            }
        }
    }

    /// What is not read must not look as if a column were not there.
    #[test]
    fn what_is_left_out_is_not_taken_for_absent() {
        let ids: ArrayRef = Arc::new(StringArray::from_iter_values((0..100).map(|id| format!("id {id}"))));
        let batch = RecordBatch::try_from_iter([("event_id", ids)]).unwrap();
        let properties = WriterProperties::builder()
            .set_bloom_filter_enabled(true)
            .set_write_path_in_schema(false)
            .build();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        let file = writer.into_inner().unwrap();
        assert_eq!(FilterPlaces::of(footer(&file), &asked()), None);
        let FilterPlaces(decoded) = FilterPlaces::decoded(footer(&file), &asked()).unwrap();
        assert!(matches!(decoded[0][1], Place::Filter(_)));

        let file = written(&rows(3));
        let whole = footer(&file);
        for footer in [&[0; 40][..], &[], &[0x15, 2, 0], &whole[..1]] {
            assert_eq!(FilterPlaces::of(footer, &asked()), None);
            assert!(FilterPlaces::decoded(footer, &asked()).is_err());
        }
        let far = Place::Filter(Filter {
            offset: u64::MAX - 1,
            length: 40,
        });
        assert!(!FilterPlaces(vec![vec![far]]).are_within(u64::MAX));
        assert_eq!(place(Some(1), Some(i64::MAX)), Place::NoFilter);
        assert_eq!(place(Some(-1), Some(5)), Place::NoFilter);
    }

    proptest! {
        /// Damage is told, or leads elsewhere; it ends in any case.
        #[test]
        fn damaged_footers_are_no_trouble(changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6), cut in any::<proptest::sample::Index>()) {
            let file = written(&rows(3));
            let mut damaged = footer(&file).to_vec();
            let whole = damaged.len();
            damaged.truncate(cut.index(whole));
            prop_assert_eq!(FilterPlaces::of(&damaged, &asked()), None);
            damaged = footer(&file).to_vec();
            for (at, byte) in changes {
                damaged[at.index(whole)] = byte;
            }
            let _ = FilterPlaces::of(&damaged, &asked());
        }
    }
}
