//! Entra ID Protection: risk detections and the risk state of users.
//!
//! Both are written again, under the same id, whenever their state changes, so the
//! content and not the id says which event this is.

use super::super::{Identity, Json, Rejection, json, time};
use super::{envelope, source};
use crate::schema::*;
use json::Keys;

/// Maps an Azure Monitor record.
pub(super) fn map<'a>(record: &'a Json, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
    let happened = json::get(record, "time")
        .and_then(time::of)
        .ok_or(Rejection::NoTime("time"))?;
    let identity = envelope(record, row, "azure.identity_protection", "azure.identityprotection");
    row.set(TIMESTAMP, Cell::Timestamp(happened));
    let (Some(properties), Some(node)) = (
        json::get(record, "properties"),
        CATALOGUE.node("azure.identityprotection.properties"),
    ) else {
        return Ok(identity);
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
    Ok(identity)
}
