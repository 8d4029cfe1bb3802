//! A file's metadata without what is about other columns.
//!
//! A footer describes two hundred columns, of which a query reads a few. To decode all of them takes
//! longer than all else that opens a small file. So what is about others is cut out of the footer first.

use crate::lake::thrift::{self, BINARY, Compact, DEEPEST, I32, LIST, STRUCT};
use crate::lake::varint;
use datafusion::parquet::errors::Result;
use datafusion::parquet::file::metadata::{
    FileMetaData, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader, ParquetStatisticsPolicy,
    RowGroupMetaData,
};
use datafusion::parquet::schema::types::{SchemaDescriptor, Type};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a footer says of these columns; of the first one, where there is none of them, as a file needs a
/// column to have rows. Types are those that Parquet says, as the Arrow schema that a writer may have
/// left is of all columns.
pub(super) fn narrow(text: &[u8], columns: &BTreeSet<String>) -> Result<ParquetMetaData> {
    match cut(text, columns).and_then(|text| decode(&text).ok()) {
        Some(metadata) => Ok(metadata),
        None => decoded(thrift::checked(text)?, columns),
    }
}

fn decode(text: &[u8]) -> Result<ParquetMetaData> {
    let options = ParquetMetaDataOptions::new().with_size_stats_policy(ParquetStatisticsPolicy::SkipAll);
    ParquetMetaDataReader::decode_metadata_with_options(text, Some(&options))
}

/// A footer that says what this one says of some columns. None where something is not as it nearly always
/// is, and [`decoded`] has to tell.
fn cut(footer: &[u8], columns: &BTreeSet<String>) -> Option<Vec<u8>> {
    // Other columns are most of it.
    let mut text = Vec::with_capacity(footer.len() / 4);
    let mut out = Fields::of(&mut text);
    let (mut kept, mut has_groups) = (Vec::new(), false);
    Compact::of(footer).structure(|reader, field, kind| match (field, kind) {
        (2, LIST) => {
            out.header(field, kind)?;
            kept = schema(reader, columns, &mut out)?;
            Some(())
        }
        (4, LIST) => {
            has_groups = true;
            out.header(field, kind)?;
            let groups = reader.structures()?;
            out.list(groups);
            (0..groups).try_for_each(|_| row_group(reader, &kept, out.text))
        }
        (7, LIST) => {
            out.header(field, kind)?;
            of_leaves(reader, &kept, &mut out)
        }
        // Version, rows, and who wrote it.
        (1 | 3 | 6, _) => out.copy(field, kind, reader),
        // Whatever the writer left.
        (5, LIST) => reader.skip(kind, DEEPEST),
        // Encryption.
        _ => None,
    })?;
    out.end();
    (has_groups && !kept.is_empty()).then_some(text)
}

/// Reads the list of `SchemaElement`, and writes it without other columns. Tells for each leaf whether it is
/// kept.
fn schema(reader: &mut Compact<'_>, columns: &BTreeSet<String>, out: &mut Fields<'_>) -> Option<Vec<bool>> {
    let count = reader.structures()?;
    let begin = reader.at();
    let root = element(reader)?;
    let root_text = reader.since(begin);
    let mut fields = Vec::new();
    for _ in 0..root.children {
        let begin = reader.at();
        let field = tree(reader, DEEPEST)?;
        let is_kept = std::str::from_utf8(field.name).is_ok_and(|name| columns.contains(name));
        fields.push((is_kept, field, reader.since(begin)));
    }
    let elements =
        |fields: &[(bool, Tree<'_>, &[u8])]| 1 + fields.iter().map(|(_, field, _)| field.elements).sum::<usize>();
    if elements(&fields) != count {
        return None;
    }
    if !fields.iter().any(|(is_kept, ..)| *is_kept) {
        fields.first_mut()?.0 = true;
    }
    let leaves = fields
        .iter()
        .flat_map(|(is_kept, field, _)| std::iter::repeat_n(*is_kept, field.leaves));
    let leaves = leaves.collect();
    fields.retain(|(is_kept, ..)| *is_kept);
    out.list(elements(&fields));
    let mut renewed = Fields::of(out.text);
    Compact::of(root_text).structure(|reader, field, kind| match (field, kind) {
        (CHILDREN, I32) => {
            reader.number()?;
            renewed.header(field, kind)?;
            varint::signed(fields.len() as i64, renewed.text);
            Some(())
        }
        _ => renewed.copy(field, kind, reader),
    })?;
    renewed.end();
    fields.iter().for_each(|(.., text)| out.text.extend_from_slice(text));
    Some(leaves)
}

/// Number of the field of a `SchemaElement` that says how many children it has.
const CHILDREN: i16 = 5;

/// A `SchemaElement`.
struct Element<'a> {
    name: &'a [u8],
    children: usize,
}

fn element<'a>(reader: &mut Compact<'a>) -> Option<Element<'a>> {
    let (mut name, mut children) = (None, 0);
    reader.structure(|reader, field, kind| {
        match (field, kind) {
            (4, BINARY) => name = Some(reader.binary()?),
            (CHILDREN, I32) => children = usize::try_from(reader.number()?).ok()?,
            _ => reader.skip(kind, DEEPEST)?,
        }
        Some(())
    })?;
    Some(Element { name: name?, children })
}

/// A column: its element and those below it.
struct Tree<'a> {
    name: &'a [u8],
    elements: usize,
    leaves: usize,
}

fn tree<'a>(reader: &mut Compact<'a>, depth: usize) -> Option<Tree<'a>> {
    let within = depth.checked_sub(1)?;
    let Element { name, children } = element(reader)?;
    let (mut elements, mut leaves) = (1, usize::from(children == 0));
    for _ in 0..children {
        let below = tree(reader, within)?;
        elements += below.elements;
        leaves += below.leaves;
    }
    Some(Tree { name, elements, leaves })
}

/// Reads a `RowGroup`, and writes its rows, its bytes, and those of its columns that are kept.
fn row_group(reader: &mut Compact<'_>, kept: &[bool], text: &mut Vec<u8>) -> Option<()> {
    let mut out = Fields::of(text);
    let mut has_columns = false;
    reader.structure(|reader, field, kind| match (field, kind) {
        (1, LIST) => {
            has_columns = true;
            out.header(field, kind)?;
            of_leaves(reader, kept, &mut out)
        }
        (2 | 3, _) => out.copy(field, kind, reader),
        _ => reader.skip(kind, DEEPEST),
    })?;
    out.end();
    has_columns.then_some(())
}

/// Reads a list that has a structure for each leaf, and writes those that are kept.
fn of_leaves(reader: &mut Compact<'_>, kept: &[bool], out: &mut Fields<'_>) -> Option<()> {
    if reader.structures()? != kept.len() {
        return None;
    }
    out.list(kept.iter().filter(|is_kept| **is_kept).count());
    for is_kept in kept {
        let begin = reader.at();
        reader.skip(STRUCT, DEEPEST)?;
        if *is_kept {
            out.text.extend_from_slice(reader.since(begin));
        }
    }
    Some(())
}

/// Writes the fields of a structure.
struct Fields<'t> {
    text: &'t mut Vec<u8>,
    /// Number of the last one.
    last: i16,
}

impl<'t> Fields<'t> {
    fn of(text: &'t mut Vec<u8>) -> Self {
        Self { text, last: 0 }
    }

    /// Begins a field, whose value follows. Fields stand in the order of their numbers, each of which
    /// is little more than the one before.
    fn header(&mut self, field: i16, kind: u8) -> Option<()> {
        let more = field.checked_sub(self.last).filter(|more| (1..=15).contains(more))?;
        self.text.push((more as u8) << 4 | kind);
        self.last = field;
        Some(())
    }

    /// A field as it is read.
    fn copy(&mut self, field: i16, kind: u8, reader: &mut Compact<'_>) -> Option<()> {
        self.header(field, kind)?;
        let begin = reader.at();
        reader.skip(kind, DEEPEST)?;
        self.text.extend_from_slice(reader.since(begin));
        Some(())
    }

    /// Begins a list of structures, which follow.
    fn list(&mut self, count: usize) {
        match count {
            ..15 => self.text.push((count as u8) << 4 | STRUCT),
            _ => {
                self.text.push(15 << 4 | STRUCT);
                varint::unsigned(count as u64, self.text);
            }
        }
    }

    fn end(self) {
        self.text.push(0);
    }
}

/// What [`narrow`] tells, from all that the library decodes.
fn decoded(text: &[u8], columns: &BTreeSet<String>) -> Result<ParquetMetaData> {
    let whole = ParquetMetaDataReader::decode_schema(text)?;
    let mut fields: Vec<_> = whole.root_schema().get_fields().to_vec();
    let first = fields.first().map(|field| field.name().to_owned());
    fields.retain(|field| columns.contains(field.name()));
    // A file needs a column to have rows.
    if let (true, Some(first)) = (fields.is_empty(), &first) {
        let all = whole.root_schema().get_fields();
        fields.extend(all.iter().find(|field| field.name() == first).cloned());
    }
    let kept = |leaf: &usize| {
        let name = whole.get_column_root(*leaf).name();
        fields.iter().any(|field| field.name() == name)
    };
    let leaves: Vec<usize> = (0..whole.num_columns()).filter(kept).collect();
    let options = ParquetMetaDataOptions::new()
        .with_schema(Arc::clone(&whole))
        .with_column_stats_policy(ParquetStatisticsPolicy::skip_except(&leaves))
        .with_encoding_stats_policy(ParquetStatisticsPolicy::skip_except(&leaves))
        .with_size_stats_policy(ParquetStatisticsPolicy::SkipAll);
    let metadata = ParquetMetaDataReader::decode_metadata_with_options(text, Some(&options))?;

    let root = Type::group_type_builder(whole.root_schema().name())
        .with_fields(fields.clone())
        .build()?;
    let schema = Arc::new(SchemaDescriptor::new(Arc::new(root)));
    let described = metadata.file_metadata();
    let orders = described.column_orders().map(|orders| {
        let orders = leaves.iter().filter_map(|leaf| orders.get(*leaf));
        orders.copied().collect()
    });
    let row_groups = metadata.row_groups().iter().map(|group| {
        let columns = leaves.iter().map(|leaf| group.column(*leaf).clone());
        let narrow = RowGroupMetaData::builder(Arc::clone(&schema))
            .set_num_rows(group.num_rows())
            .set_total_byte_size(group.total_byte_size())
            .set_column_metadata(columns.collect());
        match group.ordinal() {
            Some(ordinal) => narrow.set_ordinal(ordinal).build(),
            None => narrow.build(),
        }
    });
    let row_groups = row_groups.collect::<Result<Vec<_>>>()?;
    let created_by = described.created_by().map(str::to_owned);
    let file = FileMetaData::new(
        described.version(),
        described.num_rows(),
        created_by,
        None,
        Arc::clone(&schema),
        orders,
    );
    Ok(ParquetMetaData::new(file, row_groups))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ALL, file, text as text_of};
    use super::*;
    use crate::lake::{ColumnsWriter, events_file, events_schema};
    use bytes::Bytes;
    use proptest::prelude::*;

    /// The footer of a file as an ingest writes it.
    fn ingested(rows: usize) -> Bytes {
        let positions: Vec<usize> = (0..events_schema().fields().len()).collect();
        let text = ["event_id", "raw"].map(|name| events_schema().index_of(name).unwrap());
        let mut columns = ColumnsWriter::new(&positions, rows).unwrap();
        for row in 0..rows {
            text.iter()
                .for_each(|position| columns.text(*position, row.to_string().as_bytes()).unwrap());
            columns.end_row();
        }
        text_of(
            &events_file(Vec::new(), vec![vec![columns.finish().unwrap()]])
                .unwrap()
                .bytes,
        )
    }

    fn check(footer: &[u8], asked: &[&str]) {
        let asked = asked.iter().map(|name| (*name).to_owned()).collect();
        let text = cut(footer, &asked).unwrap();
        assert!(text.len() < footer.len());
        assert_eq!(decode(&text).unwrap(), decoded(footer, &asked).unwrap());
    }

    #[test]
    fn footers_of_an_ingest_are_cut() {
        for rows in [1, 5000] {
            let footer = ingested(rows);
            for asked in [
                &["event_id"][..],
                &["raw", "event_action", "related_ip"],
                &["nowhere"],
                &[],
            ] {
                check(&footer, asked);
            }
        }
    }

    /// The library would make room for them.
    #[test]
    fn two_billion_row_groups_are_refused() {
        let footer = [0x15, 2, 0x39, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 0];
        let refused = narrow(&footer, &BTreeSet::new()).unwrap_err().to_string();
        assert!(refused.contains("damaged"), "{refused}");
    }

    proptest! {
        /// Whatever is cut out of a footer, what is left says the same as all of it.
        #[test]
        fn a_footer_that_is_cut_says_the_same(asked in proptest::sample::subsequence(ALL.to_vec(), 0..=ALL.len()), rows in 1_usize..40) {
            check(&text_of(&file(rows, 100)), &asked);
        }

        /// Damage is told, or leads elsewhere; it ends in any case.
        #[test]
        fn damaged_footers_are_no_trouble(changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6), cut_at in any::<proptest::sample::Index>()) {
            let asked = ALL[..2].iter().map(|name| (*name).to_owned()).collect();
            let footer = text_of(&file(9, 100));
            prop_assert_eq!(cut(&footer[..cut_at.index(footer.len())], &asked), None);
            let mut damaged = footer.to_vec();
            for (at, byte) in changes {
                damaged[at.index(footer.len())] = byte;
            }
            let _ = narrow(&damaged, &asked);
        }
    }
}
