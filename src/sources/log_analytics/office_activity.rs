//! Rows of OfficeActivity back to records of the unified audit log.

use super::super::Json;
use super::{columns, value};
use sonic_rs::Object;

/// Columns that have another name than their key.
const RENAMED: &[(&str, &str)] = &[
    ("TimeGenerated", "CreationTime"),
    ("OfficeId", "Id"),
    ("OfficeObjectId", "ObjectId"),
    ("OfficeWorkload", "Workload"),
    ("OfficeTenantId", "OrganizationId"),
];

/// The record that a row was made of.
pub(super) fn restore(row: &Json) -> Json {
    let mut record = Object::new();
    for (column, cell) in columns(row) {
        let renamed = RENAMED.iter().find(|known| known.0 == column);
        // `Client_IPAddress`, `Logon_Type`; a column that came later in another type is there
        // again, as `Folders_`.
        let key = renamed.map_or_else(|| column.replace('_', ""), |known| known.1.to_owned());
        if record.contains_key(&key) {
            continue;
        }
        // An alert's data is text in the record as well.
        record.insert(&key, if key == "Data" { cell.clone() } else { value(cell) });
    }
    Json::from(record)
}
