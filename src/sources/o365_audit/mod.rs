//! The Microsoft 365 unified audit log: one record of the Management Activity API, which
//! is also what every export of the log carries as `AuditData`.
//!
//! The mapping follows Elastic's o365 integration (newest version), so that detections
//! written against it find the same values: fields that it moves to an ECS name are not
//! repeated under `o365.audit`, numbers that it types as keyword are text. Kept beyond
//! Elastic: the operation as recorded, the mailbox owner, and all pairs of the lists of
//! names and values.

mod actions;
mod alerts;
mod dlp;
mod enumerations;
mod keys;
mod lists;
mod mail;
mod origin;
mod record_types;
mod sharing;

pub(super) use lists::derive_from_operation_properties;
pub(super) use mail::collect_message_ids;

use super::address::Address;
use super::{Identity, Json, Rejection, Source, json, time};
use crate::schema::*;
use json::Keys;
use keys::{KEYS, Role};
use std::borrow::Cow;

/// A record as the Management Activity API delivers it.
#[derive(Debug)]
pub(crate) struct Record;

impl Source for Record {
    fn name(&self) -> &'static str {
        "o365_management"
    }

    fn recognised_by(&self) -> &'static str {
        "CreationTime, Id, Operation and RecordType, a number"
    }

    fn recognises(&self, record: Json<'_>) -> bool {
        is_record(record) && record.get("RecordType").is_some_and(|number| number.is_number())
    }

    fn map<'a>(&self, record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        map(record, row)
    }
}

/// A record whose numbers have become text on the way, as in a CSV file of its fields.
#[derive(Debug)]
pub(crate) struct RecordOfText;

impl Source for RecordOfText {
    fn name(&self) -> &'static str {
        "o365_management_text"
    }

    fn recognised_by(&self) -> &'static str {
        "CreationTime, Id, Operation and RecordType, a text"
    }

    fn recognises(&self, record: Json<'_>) -> bool {
        is_record(record)
    }

    fn map<'a>(&self, record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        map(record, row)
    }
}

/// Without its time a record is still one, so that it is rejected for the missing time
/// and not as unknown.
pub(super) fn is_record(record: Json<'_>) -> bool {
    json::has_all(record, &["RecordType", "Operation"])
        && record.get("AuditData").is_none()
        && ["CreationTime", "Workload", "UserType"]
            .iter()
            .any(|key| record.get(key).is_some())
}

/// What decides how the other keys of a record are read.
#[derive(Debug)]
struct About<'a> {
    record: Json<'a>,
    /// The number of the RecordType, where it has one.
    number: Option<i64>,
    /// Its name, which is `event.code`.
    code: Option<&'static str>,
    operation: &'a str,
    /// The key whose address became `client.*`, and that address.
    client: Option<(&'static str, Address<'a>)>,
}

impl<'a> About<'a> {
    fn of(record: Json<'a>) -> Self {
        let record_type = json::get(record, "RecordType");
        let number = record_type
            .and_then(json::integer)
            .or_else(|| record_types::number(record_type?.as_str()?));
        Self {
            record,
            number,
            code: number.and_then(record_types::name),
            operation: json::str_of(record, "Operation").unwrap_or_default(),
            client: origin::client_of(record),
        }
    }

    #[inline(always)]
    fn get(&self, key: &str) -> Option<Json<'a>> {
        json::get(self.record, key)
    }

    fn is(&self, numbers: &[i64]) -> bool {
        self.number.is_some_and(|number| numbers.contains(&number))
    }

    fn is_logon(&self) -> bool {
        self.code == Some("AzureActiveDirectoryStsLogon")
            || matches!(self.operation, "UserLoggedIn" | "UserLoginFailed")
    }

    /// True for keys whose value stands under an ECS name instead of `o365.audit`.
    fn moves(&self, role: Role, key: &str) -> bool {
        match role {
            Role::Moved => true,
            Role::Client => self.client.as_ref().is_some_and(|(client, _)| *client == key),
            Role::Exchange => self.is(&[1, 2]),
            Role::MailboxAccess => self.is(&[2]),
            Role::LogonSid => self.is(&[2]) && self.get("UserId").is_none(),
            Role::File => self.is(&[6, 14]),
            Role::Alert => self.is(&[40]),
            _ => false,
        }
    }
}

/// Maps a record, wherever it came from.
pub(super) fn map<'a>(record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
    let created = record
        .get("CreationTime")
        .and_then(time::of)
        .ok_or(Rejection::NoTime("CreationTime"))?;
    let about = About::of(record);
    row.set(TIMESTAMP, Cell::Timestamp(created));
    row.text(EVENT_DATASET, "o365.audit");
    row.text(EVENT_MODULE, "o365");
    row.text(EVENT_KIND, "event");

    let identity = common(&about, row);
    fields(&about, row);
    actions::map(&about, row);
    origin::map(&about, row);
    lists::user_agent(&about, row);
    mail::map(&about, row);
    sharing::map(&about, row);
    match about.code {
        Some("SecurityComplianceAlerts") => alerts::map(&about, row),
        Some("ComplianceDLPSharePoint" | "ComplianceDLPExchange") => dlp::map(&about, row),
        _ => {}
    }
    origin::relate(row);
    Ok(identity)
}

/// What every record has: id, tenant, operation, outcome.
fn common<'a>(about: &About<'a>, row: &mut EventRow<'a>) -> Identity {
    let mut identity = Identity::default();
    if let Some(id) = about.get("Id").and_then(json::text) {
        identity.id = Some(id.clone().into_owned());
        row.text(EVENT_ID, id);
    }
    if let Some(organization) = about.get("OrganizationId").and_then(json::text) {
        let organization = lower_case(organization);
        row.text(ORGANIZATION_ID, organization.clone());
        row.text(HOST_ID, organization.clone());
        identity.organization = organization.into_owned();
    }
    if let Some(workload) = about
        .get("Workload")
        .or_else(|| about.get("UserType"))
        .and_then(json::text)
    {
        row.text(EVENT_PROVIDER, workload);
    }
    if let Some(code) = about.code {
        row.text(EVENT_CODE, code);
    }
    row.text(O365_AUDIT_OPERATION, about.operation);
    row.text(EVENT_OUTCOME, outcome(about.get("ResultStatus")));
    if about.is_logon() {
        row.set(RETROHUNT_LOGON_FAILED, Cell::Boolean(logon_failed(about)));
    }
    identity
}

/// Of letters that are ASCII.
fn lower_case(text: Cow<'_, str>) -> Cow<'_, str> {
    match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(text.to_ascii_lowercase()),
        false => text,
    }
}

/// Elastic's rule: whatever does not say that it failed succeeded, `Failure` included.
fn outcome(status: Option<Json<'_>>) -> &'static str {
    let status = status.and_then(json::text).unwrap_or_default();
    if status.eq_ignore_ascii_case("failed") || status.eq_ignore_ascii_case("false") {
        "failure"
    } else {
        "success"
    }
}

/// ResultStatus says only whether the request was answered, so it is not asked.
fn logon_failed(about: &About<'_>) -> bool {
    let error = about.get("ErrorNumber").and_then(json::text);
    about.operation == "UserLoginFailed"
        || about.get("LogonError").is_some()
        || error.is_some_and(|number| !number.trim().trim_start_matches('0').is_empty())
}

/// Everything that keeps its name under `o365.audit`.
fn fields<'a>(about: &About<'a>, row: &mut EventRow<'a>) {
    let Some(audit) = KEYS.audit else { return };
    for (key, value) in json::entries(about.record) {
        let Some((role, node)) = KEYS.get(key) else {
            if let Some(node) = json::descend(audit, key, Keys::Kept) {
                json::flatten(row, node, value, Keys::Kept);
            }
            continue;
        };
        if about.moves(role, key) {
            continue;
        }
        match role {
            Role::Parameters => lists::parameters(value, row),
            Role::ExtendedProperties => lists::extended_properties(value, row),
            Role::ModifiedProperties => lists::modified_properties(value, row),
            Role::Members => lists::members(value, row, audit),
            Role::RecordType => {
                // Mostly as it is spelled; else the number of a name, or of the first of several.
                let other = about.number.filter(|number| value.as_i64() != Some(*number));
                let other = other.map(|number| number.to_string().into());
                if let Some(text) = other.or_else(|| json::number_as_text(value)) {
                    row.text(O365_AUDIT_RECORD_TYPE, text);
                }
            }
            Role::Number => {
                if let Some(field) = node.and_then(|node| node.field())
                    && let Some(text) = json::number_as_text(value)
                {
                    row.text(field, enumerations::number(key, text));
                }
            }
            _ => {
                if let Some(node) = node {
                    json::flatten(row, node, value, Keys::Kept);
                }
            }
        }
    }
    derive_from_operation_properties(row);
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(in crate::sources) use tests::*;
