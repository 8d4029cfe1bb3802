//! Events on their way into Arrow: one set of builders per dataset, and only for the
//! columns that an event has filled.

use super::Place;
use crate::lake::events_schema;
use crate::schema::{CATALOGUE, Cell, EVENT_DATASET, EventRow, FieldId, FieldType};
use datafusion::arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder, StructBuilder,
    TimestampMicrosecondBuilder,
};
use datafusion::arrow::datatypes::{DataType, Fields};
use std::sync::Arc;

/// What is known of each event of a batch beside its columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct EventMeta {
    /// Identity within the dataset and day.
    pub(super) key: u128,
    /// Hash of the content, whatever its spacing and order of keys.
    pub(super) content: i64,
    /// Index of the source in the registry.
    pub(super) format: u8,
    /// UTC date of the event, days since the Unix epoch.
    pub(super) day: i32,
    /// Position of the record in its decompressed file.
    pub(super) position: u64,
    /// It was carried by another record, which is an event itself.
    pub(super) derived: bool,
}

/// Events of one dataset from one chunk of one file.
#[derive(Debug)]
pub(super) struct EventBatch {
    pub(super) dataset: String,
    pub(super) place: Place,
    pub(super) meta: Vec<EventMeta>,
    /// Columns that at least one event has, by position in [`events_schema`].
    pub(super) columns: Vec<(usize, ArrayRef)>,
    /// Bytes that the columns take.
    pub(super) bytes: usize,
}

impl EventBatch {
    /// The column at a position of [`events_schema`].
    pub(super) fn column(&self, position: usize) -> Option<&ArrayRef> {
        self.columns
            .binary_search_by_key(&position, |(at, _)| *at)
            .ok()
            .map(|at| &self.columns[at].1)
    }
}

/// Collects events of one dataset.
#[derive(Debug, Default)]
pub(super) struct EventBatchBuilder {
    meta: Vec<EventMeta>,
    /// Indexed by field.
    builders: Vec<Option<Box<Column>>>,
}

impl EventBatchBuilder {
    pub(super) fn push(&mut self, row: &EventRow<'_>, meta: EventMeta) {
        if self.builders.is_empty() {
            self.builders.resize_with(CATALOGUE.fields().len(), || None);
        }
        let rows = self.meta.len();
        for (field, cell) in row.cells() {
            if *field != EVENT_DATASET {
                let column = self.builders[field.index()].get_or_insert_with(|| Box::new(Column::new(*field)));
                column.pad(rows);
                column.append(cell);
            }
        }
        self.meta.push(meta);
    }

    pub(super) fn finish(self, dataset: String, place: Place) -> EventBatch {
        let rows = self.meta.len();
        let mut columns = Vec::new();
        let mut bytes = rows * size_of::<EventMeta>();
        for (field, column) in self.builders.into_iter().enumerate() {
            let Some(mut column) = column else { continue };
            column.pad(rows);
            let array = column.finish();
            bytes += array.get_array_memory_size();
            columns.push((schema_position(FieldId(field as u16)), array));
        }
        EventBatch {
            dataset,
            place,
            meta: self.meta,
            columns,
            bytes,
        }
    }
}

/// Position of a field in [`events_schema`], which is the catalogue without the dataset.
pub(super) fn schema_position(field: FieldId) -> usize {
    field.index() - usize::from(field > EVENT_DATASET)
}

/// A builder that knows how many rows it holds, so that rows without the field cost nothing.
#[derive(Debug)]
struct Column {
    rows: usize,
    builder: Builder,
}

#[derive(Debug)]
enum Builder {
    Text(StringBuilder),
    Texts(ListBuilder<StringBuilder>),
    Long(Int64Builder),
    Double(Float64Builder),
    Boolean(BooleanBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Pairs(ListBuilder<StructBuilder>),
}

impl Column {
    fn new(field: FieldId) -> Self {
        let builder = match field.field().data_type {
            FieldType::Keyword | FieldType::Ip => Builder::Text(StringBuilder::with_capacity(0, 0)),
            FieldType::Keywords => Builder::Texts(ListBuilder::with_capacity(StringBuilder::with_capacity(0, 0), 0)),
            FieldType::Long => Builder::Long(Int64Builder::with_capacity(0)),
            FieldType::Double => Builder::Double(Float64Builder::with_capacity(0)),
            FieldType::Boolean => Builder::Boolean(BooleanBuilder::with_capacity(0)),
            FieldType::Timestamp => {
                Builder::Timestamp(TimestampMicrosecondBuilder::with_capacity(0).with_timezone("UTC"))
            }
            FieldType::Pairs => Builder::Pairs(ListBuilder::with_capacity(
                StructBuilder::from_fields(pair_fields(field), 0),
                0,
            )),
        };
        Self { rows: 0, builder }
    }

    /// Nulls up to the given number of rows.
    fn pad(&mut self, rows: usize) {
        let missing = rows.saturating_sub(self.rows);
        if missing > 0 {
            self.rows = rows;
            match &mut self.builder {
                Builder::Text(builder) => builder.append_nulls(missing),
                Builder::Texts(builder) => (0..missing).for_each(|_| builder.append_null()),
                Builder::Long(builder) => builder.append_nulls(missing),
                Builder::Double(builder) => builder.append_nulls(missing),
                Builder::Boolean(builder) => builder.append_nulls(missing),
                Builder::Timestamp(builder) => builder.append_nulls(missing),
                Builder::Pairs(builder) => (0..missing).for_each(|_| builder.append_null()),
            }
        }
    }

    fn append(&mut self, cell: &Cell<'_>) {
        self.rows += 1;
        match (&mut self.builder, cell) {
            (Builder::Text(builder), Cell::Text(text)) => builder.append_value(text),
            (Builder::Texts(builder), Cell::Texts(texts)) => {
                texts.iter().for_each(|text| builder.values().append_value(text));
                builder.append(true);
            }
            (Builder::Long(builder), Cell::Long(number)) => builder.append_value(*number),
            (Builder::Double(builder), Cell::Double(number)) => builder.append_value(*number),
            (Builder::Boolean(builder), Cell::Boolean(flag)) => builder.append_value(*flag),
            (Builder::Timestamp(builder), Cell::Timestamp(micros)) => builder.append_value(*micros),
            (Builder::Pairs(builder), Cell::Pairs(pairs)) => append_pairs(builder, pairs),
            // A cell of another type than its field is a bug that `EventRow::set` asserts
            // against; the value stays readable in `raw`.
            (_, _) => {
                self.rows -= 1;
                self.pad(self.rows + 1);
            }
        }
    }

    fn finish(self) -> ArrayRef {
        match self.builder {
            Builder::Text(mut builder) => Arc::new(builder.finish()),
            Builder::Texts(mut builder) => Arc::new(builder.finish()),
            Builder::Long(mut builder) => Arc::new(builder.finish()),
            Builder::Double(mut builder) => Arc::new(builder.finish()),
            Builder::Boolean(mut builder) => Arc::new(builder.finish()),
            Builder::Timestamp(mut builder) => Arc::new(builder.finish()),
            Builder::Pairs(mut builder) => Arc::new(builder.finish()),
        }
    }
}

type Pair<'a> = (std::borrow::Cow<'a, str>, Option<std::borrow::Cow<'a, str>>);

fn append_pairs(builder: &mut ListBuilder<StructBuilder>, pairs: &[Pair<'_>]) {
    for (name, value) in pairs {
        let entry = builder.values();
        if let Some(names) = entry.field_builder::<StringBuilder>(0) {
            names.append_value(name);
        }
        if let Some(values) = entry.field_builder::<StringBuilder>(1) {
            values.append_option(value.as_deref());
        }
        entry.append(true);
    }
    builder.append(true);
}

fn pair_fields(field: FieldId) -> Fields {
    match events_schema().field(schema_position(field)).data_type() {
        DataType::List(item) => match item.data_type() {
            DataType::Struct(fields) => fields.clone(),
            _ => Fields::empty(),
        },
        _ => Fields::empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{EVENT_ACTION, EVENT_CATEGORY};
    use datafusion::arrow::array::{Array, AsArray};

    #[test]
    fn rows_without_a_field_are_null() {
        let meta = EventMeta {
            key: 0,
            content: 0,
            format: 0,
            day: 0,
            position: 0,
            derived: false,
        };
        let mut builder = EventBatchBuilder::default();
        builder.push(&EventRow::new(), meta);
        let mut row = EventRow::new();
        row.text(EVENT_ACTION, "a");
        row.add(EVENT_CATEGORY, "web");
        row.add(EVENT_CATEGORY, "iam");
        builder.push(&row, meta);
        builder.push(&EventRow::new(), meta);
        let batch = builder.finish("d".into(), Place::default());
        let action = batch.column(schema_position(EVENT_ACTION)).unwrap();
        assert_eq!((action.len(), action.null_count()), (3, 2));
        assert_eq!(action.as_string::<i32>().value(1), "a");
        let category = batch.column(schema_position(EVENT_CATEGORY)).unwrap();
        assert_eq!(
            category.data_type(),
            events_schema().field(schema_position(EVENT_CATEGORY)).data_type()
        );
        assert_eq!(category.as_list::<i32>().value(1).len(), 2);
    }
}
