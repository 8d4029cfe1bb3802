//! Entra ID Protection: risk detections and the risk state of users.
//!
//! Both are written again, under the same id, whenever their state changes: the id and the
//! state say together which event this is.

use super::super::{Identity, Json, Rejection, json, time};
use super::{envelope, source};
use crate::schema::*;
use json::Keys;

pub(super) const DATASET: &str = "azure.identity_protection";

/// Maps an Azure Monitor record.
pub(super) fn map<'a>(record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
    let happened = json::get(record, "time")
        .and_then(time::of)
        .ok_or(Rejection::NoTime("time"))?;
    let mut identity = envelope(record, row, DATASET, "azure.identityprotection");
    row.set(TIMESTAMP, Cell::Timestamp(happened));
    if let Some(properties) = json::get(record, "properties") {
        identity.id = self::properties(properties, row);
    }
    Ok(identity)
}

/// When a detection, or the risk of a user, came into the state that it is in. Azure Monitor
/// writes each state at that time.
pub(super) fn updated(properties: Json<'_>) -> Option<i64> {
    let keys = ["lastUpdatedDateTime", "riskLastUpdatedDateTime"];
    keys.into_iter()
        .find_map(|key| json::get(properties, key).and_then(time::of))
}

/// `properties`, which Graph returns without the envelope. Returns what identifies the event;
/// where no time says which state this is, that is its content.
pub(super) fn properties<'a>(properties: Json<'a>, row: &mut EventRow<'a>) -> Option<String> {
    fields(properties, row);
    let text = |key: &str| json::text_of(properties, key).unwrap_or_default();
    let id = json::text_of(properties, "id")?;
    let updated = updated(properties)?;
    let [state, level, detail] = ["riskState", "riskLevel", "riskDetail"].map(text);
    Some(format!("{id}/{updated}/{state}/{level}/{detail}"))
}

fn fields<'a>(properties: Json<'a>, row: &mut EventRow<'a>) {
    let Some(node) = CATALOGUE.node("azure.identityprotection.properties") else {
        return;
    };
    for (key, value) in json::entries(properties) {
        let (name, keys) = match key {
            "activityDateTime" => ("activity_datetime", Keys::Snake),
            "detectedDateTime" => ("detected_datetime", Keys::Snake),
            "lastUpdatedDateTime" => ("last_updated_datetime", Keys::Snake),
            "riskLastUpdatedDateTime" => ("risk_last_updated_datetime", Keys::Snake),
            "location" => (key, Keys::Kept),
            "additionalInfo" => {
                if let Some(info) = json::shown(value) {
                    row.text(AZURE_IDENTITYPROTECTION_PROPERTIES_ADDITIONAL_INFO, info);
                }
                continue;
            }
            _ => (key, Keys::Snake),
        };
        if let Some(child) = json::descend(node, name, Keys::Snake) {
            json::flatten(row, child, value, keys);
        }
    }
    for (key, field) in [
        ("id", EVENT_ID),
        ("userId", USER_ID),
        ("userDisplayName", USER_FULL_NAME),
        ("userPrincipalName", USER_NAME),
        ("userPrincipalName", USER_EMAIL),
    ] {
        if let Some(text) = json::text_of(properties, key) {
            row.text(field, text);
        }
    }
    if let Some(from) = json::str_of(properties, "ipAddress") {
        source(row, from);
    }
    row.gather(&[USER_ID, USER_NAME, USER_FULL_NAME], RELATED_USER);
}
