//! Names, columns and partitions of the tables.

use crate::schema::{CATALOGUE, EVENT_DATASET, FieldType};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use std::sync::{Arc, LazyLock};

/// The tables of a lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TableName {
    /// All events of all datasets.
    Events,
    /// Rejected records with their bytes and the reason.
    Quarantine,
    /// One row per ingested file.
    Ledger,
}

impl TableName {
    /// Every table.
    pub const ALL: [Self; 3] = [Self::Events, Self::Quarantine, Self::Ledger];

    /// Folder under the lake's URL, and name in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Quarantine => "quarantine",
            Self::Ledger => "ledger",
        }
    }

    /// Columns stored in the files, without the partition columns.
    pub fn file_schema(self) -> SchemaRef {
        match self {
            Self::Events => events_schema(),
            Self::Quarantine => quarantine_schema(),
            Self::Ledger => ledger_schema(),
        }
    }

    /// Columns that the folders carry.
    pub fn partition_columns(self) -> Vec<FieldRef> {
        match self {
            Self::Events => vec![
                Arc::new(Field::new(EVENT_DATASET.field().column.as_str(), DataType::Utf8, true)),
                Arc::new(Field::new("day", DataType::Date32, true)),
            ],
            Self::Quarantine | Self::Ledger => Vec::new(),
        }
    }

    /// The columns by which the rows of a file are in order: nearly every detection names its
    /// actions.
    pub fn order(self) -> &'static [&'static str] {
        match self {
            Self::Events => &["event_action", "timestamp"],
            Self::Quarantine | Self::Ledger => &["ingested"],
        }
    }

    /// Columns whose smallest and largest value per file the log keeps, for pruning.
    pub fn statistics_columns(self) -> &'static [&'static str] {
        match self {
            Self::Events => &[
                "timestamp",
                "event_ingested",
                "event_action",
                "event_provider",
                "organization_id",
                "user_id",
                "source_ip",
                "kibana_alert_rule_name",
            ],
            Self::Quarantine => &["ingested", "source_sha256"],
            Self::Ledger => &["ingested", "source_sha256"],
        }
    }
}

/// Type of a field's column in the files.
fn data_type(field_type: FieldType) -> DataType {
    match field_type {
        FieldType::Keyword | FieldType::Ip => DataType::Utf8,
        FieldType::Keywords => DataType::new_list(DataType::Utf8, true),
        FieldType::Long => DataType::Int64,
        FieldType::Double => DataType::Float64,
        FieldType::Boolean => DataType::Boolean,
        FieldType::Timestamp => timestamp(),
        FieldType::Pairs => DataType::new_list(
            DataType::Struct(Fields::from(vec![
                Field::new("name", DataType::Utf8, true),
                Field::new("value", DataType::Utf8, true),
            ])),
            true,
        ),
    }
}

fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

static EVENTS: LazyLock<SchemaRef> = LazyLock::new(|| {
    let fields: Vec<Field> = CATALOGUE
        .fields()
        .iter()
        .filter(|field| field.id != EVENT_DATASET)
        .map(|field| Field::new(&field.column, data_type(field.data_type), true))
        .collect();
    Arc::new(Schema::new(fields))
});

/// Columns of `events` files: the catalogue without the dataset, which is a partition.
pub fn events_schema() -> SchemaRef {
    Arc::clone(&EVENTS)
}

/// Columns of `quarantine`.
pub fn quarantine_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("ingested", timestamp(), false),
        Field::new("source_file", DataType::Utf8, false),
        Field::new("source_sha256", DataType::Utf8, true),
        Field::new("source_position", DataType::Int64, true),
        Field::new("source_format", DataType::Utf8, true),
        Field::new("reason", DataType::Utf8, false),
        Field::new("record", DataType::Binary, true),
        // The record itself where it is known, else its neighbour in the file.
        Field::new("near_dataset", DataType::Utf8, true),
        Field::new("near_organization", DataType::Utf8, true),
        Field::new("near_timestamp", timestamp(), true),
    ]))
}

/// Columns of `ledger`.
pub fn ledger_schema() -> SchemaRef {
    let count = |name: &str| Field::new(name, DataType::Int64, false);
    Arc::new(Schema::new(vec![
        Field::new("ingested", timestamp(), false),
        Field::new("source_file", DataType::Utf8, false),
        Field::new("source_sha256", DataType::Utf8, false),
        count("size"),
        count("read"),
        count("stored"),
        count("duplicate"),
        count("rejected"),
        count("derived"),
        count("skipped"),
        Field::new("formats", DataType::new_list(DataType::Utf8, true), true),
        Field::new("problem", DataType::Utf8, true),
        Field::new("events_version", DataType::Int64, true),
        Field::new(
            "repeats",
            DataType::new_list(DataType::Struct(repeat_fields()), true),
            true,
        ),
    ]))
}

/// What the list `repeats` of a file in `ledger` holds: duplicates by the hour of the event that
/// they repeat. Without dataset and hour are those of hours that were too many to be kept.
pub fn repeat_fields() -> Fields {
    Fields::from(vec![
        Field::new("event_dataset", DataType::Utf8, true),
        Field::new("organization_id", DataType::Utf8, true),
        Field::new("hour", timestamp(), true),
        Field::new("count", DataType::Int64, false),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_of_existing_columns() {
        for table in TableName::ALL {
            for column in table.statistics_columns() {
                assert!(
                    table.file_schema().column_with_name(column).is_some(),
                    "{column} of {}",
                    table.as_str()
                );
            }
        }
    }
}
