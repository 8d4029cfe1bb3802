//! The tables: how their rows are told apart, and which ECS fields they fill.

use super::super::{Carried, Identity, Json, Rejection, address, carried, json, severity, time};
use super::columns;
use crate::schema::*;
use std::borrow::Cow;

/// A table of advanced hunting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    CloudAppEvents,
    AadSignInEventsBeta,
    EntraIdSignInEvents,
    AlertEvidence,
}

impl Table {
    /// As Microsoft spells it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::CloudAppEvents => "CloudAppEvents",
            Self::AadSignInEventsBeta => "AADSignInEventsBeta",
            Self::EntraIdSignInEvents => "EntraIdSignInEvents",
            Self::AlertEvidence => "AlertEvidence",
        }
    }

    /// The table of that name.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        [
            Self::CloudAppEvents,
            Self::AadSignInEventsBeta,
            Self::EntraIdSignInEvents,
            Self::AlertEvidence,
        ]
        .into_iter()
        .find(|table| table.name() == name)
    }

    pub(super) fn is_sign_in(self) -> bool {
        matches!(self, Self::AadSignInEventsBeta | Self::EntraIdSignInEvents)
    }

    /// True for a row with the keys that only this table has. The newer sign-in table is
    /// the older one and more, so it has to be asked first.
    pub(super) fn has_row(self, record: Json<'_>) -> bool {
        let has = |key: &str| record.get(key).is_some();
        has("Timestamp")
            && match self {
                Self::CloudAppEvents => {
                    has("ActionType") && (has("RawEventData") || (has("AccountObjectId") && has("Application")))
                }
                Self::AlertEvidence => has("AlertId") && has("EntityType"),
                Self::AadSignInEventsBeta => {
                    has("ErrorCode")
                        && ["RequestId", "LogonType", "AccountUpn", "RiskLevelDuringSignIn"]
                            .into_iter()
                            .any(has)
                }
                Self::EntraIdSignInEvents => {
                    Self::AadSignInEventsBeta.has_row(record)
                        && (has("UniqueTokenId") || has("IsThroughGlobalSecureAccess"))
                }
            }
    }

    /// True where a value that is no text in this table has become one.
    pub(super) fn is_text(self, record: Json<'_>) -> bool {
        let typed: &[&str] = match self {
            Self::CloudAppEvents => &["ApplicationId", "IsAdminOperation", "RawEventData"],
            _ => &["ErrorCode"],
        };
        typed
            .iter()
            .any(|key| record.get(key).is_some_and(|value| value.is_str()))
    }

    /// Maps one row.
    pub(super) fn map<'a>(self, record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        let happened = json::get(record, "Timestamp")
            .or_else(|| json::get(record, "TimeGenerated"))
            .and_then(time::of)
            .ok_or(Rejection::NoTime("Timestamp"))?;
        row.set(TIMESTAMP, Cell::Timestamp(happened));
        row.text(EVENT_MODULE, "m365_defender");
        row.add(EVENT_TYPE, "info");
        columns::fill(self, record, row);
        for (key, field) in [
            ("AccountObjectId", USER_ID),
            ("AccountDisplayName", USER_FULL_NAME),
            ("AccountUpn", USER_EMAIL),
            ("UserAgent", USER_AGENT_ORIGINAL),
            ("CountryCode", SOURCE_GEO_COUNTRY_ISO_CODE),
            ("Country", SOURCE_GEO_COUNTRY_ISO_CODE),
            ("City", SOURCE_GEO_CITY_NAME),
            ("ISP", SOURCE_AS_ORGANIZATION_NAME),
            ("Isp", SOURCE_AS_ORGANIZATION_NAME),
        ] {
            if let Some(text) = json::text_of(record, key) {
                row.text(field, text);
            }
        }
        let address = if self == Self::AlertEvidence {
            "RemoteIP"
        } else {
            "IPAddress"
        };
        if let Some(text) = json::str_of(record, address) {
            came_from(text, row);
        }
        let id = match self {
            Self::CloudAppEvents => cloud_app_event(record, row),
            Self::AadSignInEventsBeta | Self::EntraIdSignInEvents => sign_in(record, row),
            Self::AlertEvidence => alert_evidence(record, row, happened),
        };
        row.gather(&[USER_ID, USER_NAME, USER_EMAIL], RELATED_USER);
        Ok(Identity {
            organization: String::new(),
            id,
        })
    }
}

fn came_from<'a>(text: &'a str, row: &mut EventRow<'a>) {
    let from = address::parse(text);
    if let Some(address) = from.address {
        row.text(SOURCE_ADDRESS, address);
    }
    if let Some(ip) = from.ip {
        row.text(SOURCE_IP, ip.clone());
        row.text(CLIENT_IP, ip.clone());
        row.add_new(RELATED_IP, ip);
    }
    if let Some(port) = from.port {
        row.set(SOURCE_PORT, Cell::Long(port));
    }
}

/// The column that holds the record of the audit log.
const RAW_EVENT_DATA: &str = "RawEventData";

impl Table {
    /// The record of the audit log in a row, which is at `path` of a text.
    pub(super) fn carried<'a>(self, row: Json<'_>, text: &'a str, path: &[&'static str]) -> Option<Carried<'a>> {
        if self != Self::CloudAppEvents {
            return None;
        }
        let raw = json::get(row, RAW_EVENT_DATA)?;
        let text = match raw.as_str() {
            Some(inner) => Cow::Owned(inner.trim().to_owned()),
            // Only a row that was not JSON to begin with is written anew.
            None => match sonic_rs::get(text, path.iter().copied().chain([RAW_EVENT_DATA])) {
                Ok(own) => own.as_raw_cow(),
                Err(_) => Cow::Owned(raw.to_json()),
            },
        };
        let source = &carried::RAW_EVENT_DATA;
        Some(Carried { source, text })
    }
}

/// A record of the audit log with Defender's columns around it. The record's own id makes
/// it the same event as the one in `o365.audit`.
fn cloud_app_event<'a>(record: Json<'a>, row: &mut EventRow<'a>) -> Option<String> {
    row.text(EVENT_DATASET, "m365_defender.cloud_app_events");
    row.text(EVENT_KIND, "event");
    if let Some(action) = json::text_of(record, "ActionType") {
        row.text(EVENT_ACTION, action);
    }
    let inner = json::get(record, RAW_EVENT_DATA).and_then(json::inner);
    let raw = inner
        .as_ref()
        .map(|inner| inner.root())
        .or_else(|| json::get(record, RAW_EVENT_DATA));
    let text = |key: &str| json::text_of(raw?, key).map(Cow::into_owned);
    row.text(M365_DEFENDER_EVENT_RAW_EVENT_DATA_ID, text("Id").unwrap_or_default());
    if !row.has(USER_EMAIL)
        && let Some(user) = text("UserId").filter(|user| user.matches('@').count() == 1 && !user.contains(' '))
    {
        row.text(USER_EMAIL, user);
    }
    report_id(record, row)
}

fn sign_in<'a>(record: Json<'a>, row: &mut EventRow<'a>) -> Option<String> {
    row.text(EVENT_DATASET, "m365_defender.sign_in_events");
    row.text(EVENT_KIND, "event");
    row.text(EVENT_ACTION, "Sign-in activity");
    row.add(EVENT_CATEGORY, "authentication");
    row.copy(USER_EMAIL, USER_NAME);
    if let Some(code) = json::get(record, "ErrorCode").and_then(json::integer) {
        row.text(EVENT_OUTCOME, if code == 0 { "success" } else { "failure" });
        row.set(RETROHUNT_LOGON_FAILED, Cell::Boolean(code != 0));
    }
    report_id(record, row)
}

fn report_id<'a>(record: Json<'a>, row: &mut EventRow<'a>) -> Option<String> {
    let id = json::text_of(record, "ReportId")?;
    row.text(EVENT_ID, id.clone());
    Some(id.into_owned())
}

/// One piece of evidence. An alert has many under one id, so all columns together identify it.
/// The title is the message, which is what rules over external alerts show.
fn alert_evidence<'a>(record: Json<'a>, row: &mut EventRow<'a>, happened: i64) -> Option<String> {
    row.text(EVENT_DATASET, "m365_defender.alert_evidence");
    row.text(EVENT_KIND, "alert");
    let text = |key: &str| json::text_of(record, key);
    for (key, field) in [
        ("AlertId", EVENT_ID),
        ("ServiceSource", EVENT_PROVIDER),
        ("Title", MESSAGE),
        ("Title", RULE_NAME),
        ("AccountName", USER_NAME),
        ("AccountDomain", USER_DOMAIN),
        ("DeviceId", HOST_ID),
        ("ProcessCommandLine", PROCESS_COMMAND_LINE),
        ("FileName", FILE_NAME),
        ("FolderPath", FILE_PATH),
        ("SHA1", FILE_HASH_SHA1),
        ("SHA256", FILE_HASH_SHA256),
    ] {
        if let Some(text) = text(key) {
            row.text(field, text);
        }
    }
    row.text(HOST_NAME, text("DeviceName").unwrap_or_default().to_lowercase());
    if let Some(severity) = json::get(record, "Severity").and_then(severity::of) {
        row.set(EVENT_SEVERITY, Cell::Long(severity));
    }
    if let Some(size) = json::get(record, "FileSize").and_then(json::integer) {
        row.set(FILE_SIZE, Cell::Long(size));
    }
    row.add(EMAIL_SUBJECT, text("EmailSubject").unwrap_or_default());
    row.add(EMAIL_LOCAL_ID, text("NetworkMessageId").unwrap_or_default());
    row.gather(&[FILE_HASH_SHA256, FILE_HASH_SHA1], RELATED_HASH);
    row.add(
        EVENT_CATEGORY,
        match text("EntityType").as_deref() {
            Some("File") => "file",
            Some("Process") => "process",
            Some("Device") => "host",
            Some("User") => "iam",
            _ => "",
        },
    );
    let techniques: Vec<String> = row
        .get_texts(M365_DEFENDER_EVENT_ATTACK_TECHNIQUES)
        .iter()
        .map(|name| name.to_string())
        .collect();
    for technique in techniques {
        // "Phishing (T1566)"
        if let Some((name, id)) = technique
            .strip_suffix(')')
            .and_then(|technique| technique.rsplit_once(" ("))
        {
            row.add(THREAT_TECHNIQUE_NAME, name.to_owned());
            row.add(THREAT_TECHNIQUE_ID, id.to_owned());
        }
    }
    Some(evidence_identity(record, happened))
}

/// Everything a row says: an alert has many of them, under one id. Rows come with and without
/// an envelope and columns around them and as text, so the record as a whole would tell copies
/// apart.
fn evidence_identity(record: Json<'_>, happened: i64) -> String {
    let mut columns: Vec<(&str, String)> = json::entries(record)
        .filter(|(key, _)| columns::is_known(key))
        .filter_map(|(key, value)| {
            let inner = json::inner(value);
            Some((
                key,
                json::shown(inner.as_ref().map_or(value, |inner| inner.root()))?.into_owned(),
            ))
        })
        .collect();
    columns.sort_unstable();
    columns.iter().fold(happened.to_string(), |identity, (key, value)| {
        // Lengths, so that no text of a value looks like the next column.
        format!("{identity};{key}:{}:{value}", value.len())
    })
}
