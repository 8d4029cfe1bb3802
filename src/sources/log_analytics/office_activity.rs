//! Rows of OfficeActivity back to records of the unified audit log.

use super::super::json::Assembled;
use super::super::{Carried, Identity, Json, Rejection, carried, json, time};
use super::columns;
use crate::schema::*;
use std::borrow::Cow;

/// Columns that have another name than their key.
const RENAMED: &[(&str, &str)] = &[
    ("TimeGenerated", "CreationTime"),
    ("OfficeId", "Id"),
    ("OfficeObjectId", "ObjectId"),
    ("OfficeWorkload", "Workload"),
    ("OfficeTenantId", "OrganizationId"),
];

/// The record that a row was made of.
fn restored(row: Json<'_>) -> Assembled {
    let mut record = Assembled::default();
    for (column, cell) in columns(row) {
        let renamed = RENAMED.iter().find(|known| known.0 == column);
        // `Client_IPAddress`, `Logon_Type`; a column that came later in another type is there
        // again, as `Folders_`.
        let key = renamed.map_or_else(|| column.replace('_', ""), |known| known.1.to_owned());
        if record.has(&key) {
            continue;
        }
        // An alert's data is text in the record as well.
        match key.as_str() {
            "Data" => record.insert(key, cell),
            _ => record.insert_inner(key, cell),
        }
    }
    record
}

/// The record in a row, as JSON.
pub(super) fn record_of(row: Json<'_>) -> Carried<'static> {
    Carried {
        source: &carried::OFFICE_ACTIVITY_RECORD,
        text: Cow::Owned(restored(row).into_text()),
    }
}

/// The row as an event of its own: what tells it, as all else is in the record it carries.
pub(super) fn map<'a>(record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
    let at = super::time(record).and_then(time::of);
    row.set(
        TIMESTAMP,
        Cell::Timestamp(at.ok_or(Rejection::NoTime("TimeGenerated"))?),
    );
    row.text(EVENT_DATASET, "log_analytics.office_activity");
    row.text(EVENT_MODULE, "log_analytics");
    row.text(EVENT_KIND, "event");
    let mut identity = Identity::default();
    for (column, cell) in columns(record) {
        let Some(text) = json::text(cell) else { continue };
        match column {
            "OfficeId" => {
                identity.id = Some(text.clone().into_owned());
                row.text(EVENT_ID, text);
            }
            "OrganizationId" | "OfficeTenantId" => {
                identity.organization = text.to_ascii_lowercase();
                row.text(ORGANIZATION_ID, identity.organization.clone());
            }
            "Operation" => row.text(EVENT_ACTION, text),
            "OfficeWorkload" => row.text(EVENT_PROVIDER, text),
            "UserId" => row.text(USER_ID, text),
            _ => {}
        }
    }
    Ok(identity)
}
