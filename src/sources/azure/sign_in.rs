//! Sign-ins of every kind: interactive, non-interactive, service principal, managed
//! identity, ADFS.

use super::super::{Identity, Json, Rejection, json, time};
use super::{envelope, source};
use crate::schema::*;
use json::Keys;
use std::borrow::Cow;

/// Maps an Azure Monitor record.
pub(super) fn map<'a>(record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
    let properties = json::get(record, "properties");
    let happened = properties
        .and_then(|properties| json::get(properties, "createdDateTime").and_then(time::of))
        .or_else(|| json::get(record, "time").and_then(time::of))
        .ok_or(Rejection::NoTime("properties.createdDateTime and time"))?;
    let mut identity = envelope(record, row, "azure.signinlogs", "azure.signinlogs");
    row.set(TIMESTAMP, Cell::Timestamp(happened));
    if let Some(country) = json::str_of(record, "location") {
        row.text(GEO_COUNTRY_ISO_CODE, country);
    }
    if let Some(properties) = properties {
        identity.id = self::properties(properties, row);
    }
    Ok(identity)
}

/// `properties`, which Graph returns without the envelope. Returns the id.
pub(super) fn properties<'a>(properties: Json<'a>, row: &mut EventRow<'a>) -> Option<String> {
    row.add(EVENT_CATEGORY, "authentication");
    row.add(EVENT_TYPE, "info");
    let text = |key: &str| json::text_of(properties, key);
    if let Some(node) = CATALOGUE.node("azure.signinlogs.properties") {
        for (key, value) in json::entries(properties) {
            let name = match key {
                "createdDateTime" => "created_at",
                "processingTimeInMilliseconds" => "processing_time_ms",
                "riskLevelDuringSignIn" => "risk_level_during_signin",
                "location" | "userAgent" | "id" => continue,
                _ => key,
            };
            if let Some(child) = json::descend(node, name, Keys::Snake) {
                json::flatten(row, child, value, Keys::Snake);
            }
        }
    }
    for (key, field) in [
        ("id", EVENT_ID),
        ("userAgent", USER_AGENT_ORIGINAL),
        ("userId", USER_ID),
        ("userDisplayName", USER_FULL_NAME),
        ("userPrincipalName", USER_NAME),
        ("userPrincipalName", USER_EMAIL),
        ("servicePrincipalName", SERVICE_NAME),
    ] {
        if let Some(text) = text(key) {
            row.text(field, text);
        }
    }
    if let Some(from) = json::str_of(properties, "ipAddress") {
        source(row, from);
    }
    status(properties, row);
    place(properties, row);
    if let Some(Cell::Long(number)) = row.get(AZURE_SIGNINLOGS_PROPERTIES_AUTONOMOUS_SYSTEM_NUMBER) {
        let number = *number;
        row.set(SOURCE_AS_NUMBER, Cell::Long(number));
    }
    row.gather(
        &[
            AZURE_SIGNINLOGS_PROPERTIES_APP_ID,
            AZURE_SIGNINLOGS_PROPERTIES_RESOURCE_ID,
            AZURE_SIGNINLOGS_PROPERTIES_SERVICE_PRINCIPAL_ID,
            AZURE_SIGNINLOGS_PROPERTIES_SERVICE_PRINCIPAL_CREDENTIAL_KEY_ID,
            AZURE_SIGNINLOGS_PROPERTIES_USER_ID,
            AZURE_SIGNINLOGS_PROPERTIES_DEVICE_DETAIL_DEVICE_ID,
        ],
        RELATED_ENTITY,
    );
    row.gather(&[USER_ID, USER_NAME, USER_FULL_NAME], RELATED_USER);
    text("id").map(Cow::into_owned)
}

/// Error code, outcome and why. Interruptions, such as a request for MFA, have a code and
/// count as failures.
fn status<'a>(properties: Json<'a>, row: &mut EventRow<'a>) {
    let code = match row.get(AZURE_SIGNINLOGS_PROPERTIES_STATUS_ERROR_CODE) {
        Some(Cell::Long(code)) => *code,
        _ => 0,
    };
    row.text(EVENT_OUTCOME, if code > 0 { "failure" } else { "success" });
    row.set(RETROHUNT_LOGON_FAILED, Cell::Boolean(code != 0));
    let part = |key: &str| json::at(properties, &["status", key]).and_then(json::text);
    match (part("failureReason"), part("additionalDetails")) {
        (Some(reason), Some(details)) => row.text(MESSAGE, format!("{reason} ({details})")),
        (Some(either), None) | (None, Some(either)) => row.text(MESSAGE, either),
        (None, None) => {}
    }
}

fn place<'a>(properties: Json<'a>, row: &mut EventRow<'a>) {
    let part = |path: &[&str]| json::at(json::get(properties, "location")?, path);
    for (key, field) in [
        ("city", GEO_CITY_NAME),
        ("state", GEO_REGION_NAME),
        ("countryOrRegion", GEO_COUNTRY_ISO_CODE),
    ] {
        if !row.has(field)
            && let Some(text) = part(&[key]).and_then(json::text)
        {
            row.text(field, text);
        }
    }
    let degrees = |key: &str| part(&["geoCoordinates", key]).and_then(json::double);
    if let (Some(latitude), Some(longitude)) = (degrees("latitude"), degrees("longitude")) {
        row.text(GEO_LOCATION, format!("{latitude},{longitude}"));
    }
}
