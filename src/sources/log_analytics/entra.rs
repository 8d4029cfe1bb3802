//! Rows of the Entra tables back to records of Azure Monitor.

use super::super::json::{self, Assembled};
use super::super::{Document, Json};
use super::{Kind, TABLES, columns};

/// Columns that stand in the envelope, as it spells them.
const ENVELOPE: &[(&str, &str)] = &[
    ("TimeGenerated", "time"),
    ("OperationName", "operationName"),
    ("OperationVersion", "operationVersion"),
    ("ResultType", "resultType"),
    ("ResultSignature", "resultSignature"),
    ("ResultDescription", "resultDescription"),
    ("DurationMs", "durationMs"),
    ("Identity", "identity"),
    ("Level", "Level"),
    ("ResourceId", "resourceId"),
    ("AADTenantId", "tenantId"),
];

/// Columns that have another name than their property.
const RENAMED: &[(&str, &str)] = &[
    ("IPAddress", "ipAddress"),
    ("LocationDetails", "location"),
    ("ConditionalAccessPolicies", "appliedConditionalAccessPolicies"),
    ("ProcessingTimeInMs", "processingTimeInMilliseconds"),
    ("ResourceIdentity", "resourceId"),
    ("AADOperationType", "operationType"),
];

/// The record that a row was made of.
pub(super) fn restore(row: Json<'_>, kind: Kind) -> Document<'static> {
    let mut envelope = Assembled::default();
    let mut properties = Assembled::default();
    for (column, cell) in columns(row) {
        if let Some((_, key)) = ENVELOPE.iter().find(|known| known.0 == column) {
            envelope.insert(*key, cell);
            continue;
        }
        match (column, kind) {
            // In AuditLogs the category is that of the activity.
            ("Category", Kind::SignIn | Kind::Risk) => continue,
            // A country; what a sign-in's record has under that name is LocationDetails.
            ("Location", Kind::SignIn | Kind::Audit) => envelope.insert("location", cell),
            ("CorrelationId", _) => {
                envelope.insert("correlationId", cell);
                properties.insert("correlationId", cell);
            }
            // Mapped as the text that it is.
            ("AdditionalInfo", _) => properties.insert("additionalInfo", cell),
            _ => {
                let renamed = RENAMED.iter().find(|known| known.0 == column);
                let key = renamed.map_or_else(|| lower_camel(column), |known| known.1.to_owned());
                properties.insert_inner(key, cell);
            }
        }
    }
    // A query may have kept the code and left its object out.
    if kind == Kind::SignIn
        && json::get(row, "Status").is_none()
        && let Some(code) = json::get(row, "ResultType")
    {
        let mut status = Assembled::default();
        status.insert("errorCode", code);
        if let Some(reason) = json::get(row, "ResultDescription") {
            status.insert("failureReason", reason);
        }
        properties.insert_object("status", status);
    }
    envelope.insert_text("category", category(row, kind));
    envelope.insert_object("properties", properties);
    envelope.into_document()
}

/// The category of the record: the table's, else what the row says.
fn category(row: Json<'_>, kind: Kind) -> &str {
    let table = json::str_of(row, "Type").and_then(|table| TABLES.iter().find(|known| known.0 == table));
    match (table, kind) {
        (Some((_, _, category)), _) => category,
        (None, Kind::Audit) => "AuditLogs",
        (None, Kind::Risk) if row_has(row, "RiskEventType") => "UserRiskEvents",
        (None, Kind::Risk) => "RiskyUsers",
        (None, _) => json::str_of(row, "Category")
            .filter(|category| category.ends_with("SignInLogs"))
            .unwrap_or("SignInLogs"),
    }
}

fn row_has(row: Json<'_>, key: &str) -> bool {
    json::get(row, key).is_some()
}

/// `AppDisplayName` to `appDisplayName`.
fn lower_camel(column: &str) -> String {
    let mut characters = column.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}
