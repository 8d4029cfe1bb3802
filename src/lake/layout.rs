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
    /// What detections found and a schedule recorded, or what was promoted from a hunt: one row
    /// per revision of an alert.
    Alerts,
    /// One row per evaluation of a detection by a schedule.
    Runs,
    /// Alerts that a sink did not take.
    DeadLetters,
}

impl TableName {
    /// Every table.
    pub const ALL: [Self; 6] = [
        Self::Events,
        Self::Quarantine,
        Self::Ledger,
        Self::Alerts,
        Self::Runs,
        Self::DeadLetters,
    ];

    /// Folder under the lake's URL, and name in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Quarantine => "quarantine",
            Self::Ledger => "ledger",
            Self::Alerts => "alerts",
            Self::Runs => "runs",
            Self::DeadLetters => "dead_letters",
        }
    }

    /// Columns stored in the files, without the partition columns.
    pub fn file_schema(self) -> SchemaRef {
        match self {
            Self::Events => events_schema(),
            Self::Quarantine => quarantine_schema(),
            Self::Ledger => ledger_schema(),
            Self::Alerts => alerts_schema(),
            Self::Runs => runs_schema(),
            Self::DeadLetters => dead_letters_schema(),
        }
    }

    /// Columns that the folders carry.
    pub fn partition_columns(self) -> Vec<FieldRef> {
        match self {
            Self::Events => vec![
                Arc::new(Field::new(EVENT_DATASET.field().column.as_str(), DataType::Utf8, true)),
                Arc::new(Field::new("day", DataType::Date32, true)),
            ],
            _ => Vec::new(),
        }
    }

    /// The columns by which the rows of a file are in order: nearly every detection names its
    /// actions, and what one user did has most texts in common, which compresses well.
    pub fn order(self) -> &'static [&'static str] {
        match self {
            Self::Events => &["event_action", "user_id", "timestamp"],
            Self::Quarantine | Self::Ledger => &["ingested"],
            Self::Alerts | Self::DeadLetters => &["recorded"],
            Self::Runs => &["started"],
        }
    }

    /// Columns of texts of which files keep a Bloom filter: what somebody looks for one value of,
    /// in all of the lake. Of lists, these are of their elements.
    pub fn needle_columns(self) -> &'static [&'static str] {
        match self {
            Self::Events => &[
                "event_id",
                "event_key",
                "source_ip",
                "session_id",
                "token_id",
                "email_message_id",
                "kibana_alert_uuid",
                "o365_audit_app_id",
                "o365_audit_application_id",
                "o365_audit_client_app_id",
                "o365_audit_folders_folder_items_internet_message_id",
                "o365_audit_session_id",
                "azure_correlation_id",
                "azure_signinlogs_properties_app_id",
                "azure_signinlogs_properties_session_id",
                "azure_signinlogs_properties_unique_token_identifier",
                "m365_defender_event_session_id",
            ],
            _ => &[],
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
            Self::Alerts => &["recorded", "detection", "time", "window_end", "alert_id"],
            Self::Runs => &["started", "detection"],
            Self::DeadLetters => &["recorded", "sink"],
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

/// Columns of `alerts`: a revision each. Of an alert the highest revision counts, unless it is
/// withdrawn.
fn alerts_schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let list = |name: &str| Field::new(name, DataType::new_list(DataType::Utf8, true), false);
    Arc::new(Schema::new(vec![
        text("alert_id", false),
        Field::new("revision", DataType::Int64, false),
        // new, grown, revised or withdrawn
        text("change", false),
        Field::new("recorded", timestamp(), false),
        // schedule or hunt
        text("origin", false),
        text("detection", false),
        text("title", false),
        text("severity", false),
        Field::new("risk_score", DataType::Int64, false),
        list("attack"),
        Field::new("time", timestamp(), false),
        // A JSON object.
        text("key", false),
        Field::new("window_start", timestamp(), true),
        Field::new("window_end", timestamp(), true),
        Field::new("windows", DataType::Int64, true),
        list("event_ids"),
        Field::new("event_count", DataType::Int64, false),
        Field::new("history_complete", DataType::Boolean, true),
        // A JSON object.
        text("fields", false),
        // Seconds after the time at which it was due.
        Field::new("late_by", DataType::Float64, true),
        text("suppressed_by", true),
    ]))
}

/// Columns of `runs`: what an evaluation of a detection by a schedule read, found and took.
fn runs_schema() -> SchemaRef {
    let count = |name: &str| Field::new(name, DataType::Int64, false);
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    Arc::new(Schema::new(vec![
        Field::new("started", timestamp(), false),
        Field::new("seconds", DataType::Float64, false),
        text("scheduler", false),
        text("detection", false),
        text("kind", false),
        // done, failed, or gap: given up for now
        text("state", false),
        count("attempt"),
        text("error", true),
        // Ticks up to here were due; from where they were not evaluated before.
        Field::new("tick_from", timestamp(), true),
        Field::new("tick_to", timestamp(), true),
        count("ticks"),
        // Versions of `events`: what arrived after the first, up to the second.
        Field::new("version_from", DataType::Int64, true),
        Field::new("version_to", DataType::Int64, true),
        count("arrived_files"),
        count("arrived_rows"),
        count("arrived_bytes"),
        count("rows_in"),
        count("rows_matched"),
        count("bytes_read"),
        count("state_bytes"),
        count("requests"),
        count("alerts_new"),
        count("alerts_grown"),
        count("alerts_revised"),
        count("alerts_withdrawn"),
        count("alerts_suppressed"),
        // What was expected of a hunt before it began, and what it cost by the same prices.
        Field::new("estimated_files", DataType::Int64, true),
        Field::new("estimated_row_groups", DataType::Int64, true),
        Field::new("estimated_bytes", DataType::Int64, true),
        Field::new("estimated_requests", DataType::Int64, true),
        Field::new("estimated_seconds", DataType::Float64, true),
        Field::new("estimated_seconds_low", DataType::Float64, true),
        Field::new("estimated_seconds_high", DataType::Float64, true),
        Field::new("estimated_cost", DataType::Float64, true),
        Field::new("cost", DataType::Float64, true),
        text("currency", true),
    ]))
}

/// Columns of `dead_letters`: what a sink did not take, however often it was tried.
fn dead_letters_schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    Arc::new(Schema::new(vec![
        Field::new("recorded", timestamp(), false),
        text("sink"),
        text("alert_id"),
        Field::new("revision", DataType::Int64, false),
        Field::new("attempts", DataType::Int64, false),
        text("problem"),
        // The alert as JSON, as it was to be sent.
        text("alert"),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_and_filters_are_of_existing_columns() {
        for table in TableName::ALL {
            for column in table.statistics_columns().iter().chain(table.needle_columns()) {
                assert!(
                    table.file_schema().column_with_name(column).is_some(),
                    "{column} of {}",
                    table.as_str()
                );
            }
        }
    }
}
