//! Entra ID audit logs (category AuditLogs): changes to the directory.

use super::super::{Identity, Json, Rejection, json, time};
use super::{envelope, source};
use crate::schema::*;
use json::Keys;
use std::borrow::Cow;

/// Maps an Azure Monitor record.
pub(super) fn map<'a>(record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
    let properties = json::get(record, "properties");
    let happened = json::get(record, "time")
        .and_then(time::of)
        .or_else(|| json::get(properties?, "activityDateTime").and_then(time::of))
        .ok_or(Rejection::NoTime("time and properties.activityDateTime"))?;
    let mut identity = envelope(record, row, "azure.auditlogs", "azure.auditlogs");
    row.set(TIMESTAMP, Cell::Timestamp(happened));
    if let Some(from) = json::str_of(record, "callerIpAddress") {
        source(row, from);
    }
    if let Some(properties) = properties {
        identity.id = self::properties(properties, row);
    }
    Ok(identity)
}

/// `properties`, which Graph returns without the envelope. Returns the id.
///
/// `event.id` is ours: Elastic leaves it out.
pub(super) fn properties<'a>(properties: Json<'a>, row: &mut EventRow<'a>) -> Option<String> {
    let node = CATALOGUE.node("azure.auditlogs.properties")?;
    for (key, value) in json::entries(properties) {
        match key {
            "targetResources" => targets(value, row),
            "userAgent" | "initiatedBy" => {
                let name = if key == "initiatedBy" { "initiated_by" } else { key };
                if let Some(child) = node.child(name) {
                    json::flatten(row, child, value, Keys::Kept);
                }
            }
            "activityDateTime" => json::put(row, AZURE_AUDITLOGS_PROPERTIES_ACTIVITY_DATETIME, value),
            "result" => result(value, row),
            _ => {
                if let Some(child) = json::descend(node, key, Keys::Snake) {
                    json::flatten(row, child, value, Keys::Snake);
                }
            }
        }
    }
    row.copy(AZURE_AUDITLOGS_PROPERTIES_RESULT_REASON, EVENT_REASON);
    row.gather(
        &[
            AZURE_AUDITLOGS_PROPERTIES_INITIATED_BY_USER_ID,
            AZURE_AUDITLOGS_PROPERTIES_INITIATED_BY_APP_APP_ID,
            AZURE_AUDITLOGS_PROPERTIES_INITIATED_BY_APP_SERVICE_PRINCIPAL_ID,
            AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_0_ID,
            AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_1_ID,
            AZURE_AUDITLOGS_PROPERTIES_TARGET_RESOURCES_2_ID,
        ],
        RELATED_ENTITY,
    );
    let id = json::text_of(properties, "id");
    row.text(EVENT_ID, id.clone().unwrap_or_default());
    id.map(Cow::into_owned)
}

/// Outcome in the letter case of the record, as Elastic leaves it.
fn result<'a>(value: Json<'a>, row: &mut EventRow<'a>) {
    let Some(result) = json::text(value) else { return };
    let known = ["success", "failure"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(&result));
    row.text(
        if known {
            EVENT_OUTCOME
        } else {
            AZURE_AUDITLOGS_PROPERTIES_RESULT
        },
        result,
    );
}

/// The targets, by position as detections address them, and all of them as lists.
fn targets<'a>(value: Json<'a>, row: &mut EventRow<'a>) {
    if let Some(inner) = json::inner(value) {
        let mut below = EventRow::new();
        targets(inner.root(), &mut below);
        row.absorb(below);
        return;
    }
    let Some(all) = CATALOGUE.node("azure.auditlogs.properties.target_resources") else {
        return;
    };
    json::flatten(row, all, value, Keys::Snake);
    for (position, target) in json::items(value).enumerate() {
        let Some(node) = all.child(&position.to_string()) else {
            break;
        };
        for (key, value) in json::entries(target) {
            let Some(child) = json::descend(node, key, Keys::Snake) else {
                continue;
            };
            if key != "modifiedProperties" {
                json::flatten(row, child, value, Keys::Snake);
                continue;
            }
            for (position, property) in json::items(value).enumerate() {
                let Some(node) = child.child(&position.to_string()) else {
                    break;
                };
                json::flatten(row, node, property, Keys::Snake);
            }
        }
    }
}
