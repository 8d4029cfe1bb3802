//! Rows of Azure Monitor Log Analytics (Microsoft Sentinel): the tables that hold the Entra
//! logs and the unified audit log.
//!
//! A row is the record of another source with its keys spelled differently and its objects
//! flattened. It is turned back into that record and mapped as one, so that the same event
//! gets the same fields, dataset and identity whichever way it came. What a row's `TenantId`
//! names is the workspace, not the tenant. Defender's tables keep their columns there, and are
//! read as what they are.

mod entra;
mod office_activity;

use super::{Carried, Identity, Json, Rejection, Source, azure, json};
use crate::schema::EventRow;

/// What the rows of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    SignIn,
    Audit,
    Risk,
    OfficeActivity,
}

/// Name of a table, what its rows are, and the category that Azure Monitor has for them.
const TABLES: &[(&str, Kind, &str)] = &[
    ("SigninLogs", Kind::SignIn, "SignInLogs"),
    (
        "AADNonInteractiveUserSignInLogs",
        Kind::SignIn,
        "NonInteractiveUserSignInLogs",
    ),
    (
        "AADServicePrincipalSignInLogs",
        Kind::SignIn,
        "ServicePrincipalSignInLogs",
    ),
    (
        "AADManagedIdentitySignInLogs",
        Kind::SignIn,
        "ManagedIdentitySignInLogs",
    ),
    ("ADFSSignInLogs", Kind::SignIn, "ADFSSignInLogs"),
    ("AuditLogs", Kind::Audit, "AuditLogs"),
    ("AADUserRiskEvents", Kind::Risk, "UserRiskEvents"),
    ("AADRiskyUsers", Kind::Risk, "RiskyUsers"),
    ("OfficeActivity", Kind::OfficeActivity, ""),
];

/// How the values of a row are written. Exports, query results and CSV files of one event
/// differ in it, so each has a name of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// With objects and lists.
    Nested,
    /// Objects and lists as JSON text beside numbers and booleans.
    Flat,
    /// Text alone, as in CSV.
    Text,
}

/// Rows of one kind in one spelling.
#[derive(Debug)]
pub(crate) struct Row {
    name: &'static str,
    recognised_by: &'static str,
    kind: Kind,
    /// None for any.
    spelling: Option<Spelling>,
}

macro_rules! rows {
    ($($constant:ident = $name:literal, $kind:ident, $spelling:expr, $keys:literal;)*) => {
        $(
            #[doc = concat!("Rows told by ", $keys, ".")]
            pub(crate) static $constant: Row =
                Row { name: $name, recognised_by: $keys, kind: Kind::$kind, spelling: $spelling };
        )*
    };
}

rows! {
    SIGN_IN_TEXT = "log_analytics_sign_in_text", SignIn, Some(Spelling::Text),
        "TimeGenerated and a Type of sign-ins, or ResultType and AppId; all text";
    SIGN_IN_FLAT = "log_analytics_sign_in_flat", SignIn, Some(Spelling::Flat),
        "TimeGenerated and a Type of sign-ins, or ResultType and AppId; objects as text";
    SIGN_IN = "log_analytics_sign_in", SignIn, Some(Spelling::Nested),
        "TimeGenerated and a Type of sign-ins, or ResultType and AppId";
    AUDIT_TEXT = "log_analytics_audit_text", Audit, Some(Spelling::Text),
        "TimeGenerated and Type AuditLogs, or InitiatedBy and TargetResources; all text";
    AUDIT_FLAT = "log_analytics_audit_flat", Audit, Some(Spelling::Flat),
        "TimeGenerated and Type AuditLogs, or InitiatedBy and TargetResources; objects as text";
    AUDIT = "log_analytics_audit", Audit, Some(Spelling::Nested),
        "TimeGenerated and Type AuditLogs, or InitiatedBy and TargetResources";
    RISK = "log_analytics_risk", Risk, None,
        "TimeGenerated and Type AADUserRiskEvents or AADRiskyUsers, or RiskState and RiskLevel";
    OFFICE_ACTIVITY_TEXT = "log_analytics_office_activity_text", OfficeActivity, Some(Spelling::Text),
        "TimeGenerated and Type OfficeActivity, or OfficeId and Operation; all text";
    OFFICE_ACTIVITY = "log_analytics_office_activity", OfficeActivity, None,
        "TimeGenerated and Type OfficeActivity, or OfficeId and Operation";
}

impl Source for Row {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recognised_by(&self) -> &'static str {
        self.recognised_by
    }

    fn one_of(&self) -> &'static [&'static str] {
        TIME
    }

    fn recognises(&self, record: Json<'_>) -> bool {
        time(record).is_some()
            && kind(record) == Some(self.kind)
            && self.spelling.is_none_or(|spelling| spelling == self::spelling(record))
    }

    fn map<'a>(&self, record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        if self.kind == Kind::OfficeActivity {
            return office_activity::map(record, row);
        }
        let mut below = EventRow::new();
        let restored = entra::restore(record, self.kind);
        let identity = azure::AzureMonitor
            .map(restored.root(), &mut below)
            .map_err(|rejection| match rejection {
                // The restored record is nothing that anybody can look at.
                Rejection::NoTime(_) => Rejection::NoTime("TimeGenerated"),
                other => other,
            })?;
        row.absorb(below);
        Ok(identity)
    }

    fn carried<'a>(&self, record: Json<'_>, _: &'a str) -> Option<Carried<'a>> {
        match self.kind {
            Kind::OfficeActivity => Some(office_activity::record_of(record)),
            _ => None,
        }
    }
}

/// A row of a table that is not mapped.
#[derive(Debug)]
pub(crate) struct OtherTable;

impl Source for OtherTable {
    fn name(&self) -> &'static str {
        "log_analytics"
    }

    fn recognised_by(&self) -> &'static str {
        "TimeGenerated, TenantId and Type, any other table"
    }

    fn one_of(&self) -> &'static [&'static str] {
        TIME
    }

    fn recognises(&self, record: Json<'_>) -> bool {
        time(record).is_some() && json::str_of(record, "Type").is_some() && record.get("TenantId").is_some()
    }

    fn map<'a>(&self, record: Json<'a>, _row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        let table = json::str_of(record, "Type").unwrap_or_default();
        let mapped: Vec<&str> = TABLES.iter().map(|(name, _, _)| *name).collect();
        Err(Rejection::Unsupported(format!(
            "Log Analytics table {table:?} is not mapped; mapped are {}",
            mapped.join(", ")
        )))
    }
}

/// The portal writes the zone into the names of its CSV columns.
const ZONE: &str = " [UTC]";

/// The names of the column that every row has: when it was.
pub(super) static TIME: &[&str] = &["TimeGenerated", "TimeGenerated [UTC]"];

fn time(record: Json<'_>) -> Option<Json<'_>> {
    TIME.iter().find_map(|key| record.get(key))
}

/// What a row is: the table says it, and where a query left that out, its columns do.
fn kind(record: Json<'_>) -> Option<Kind> {
    if let Some(table) = json::str_of(record, "Type") {
        return TABLES.iter().find(|known| known.0 == table).map(|known| known.1);
    }
    let has = |keys: &[&str]| json::has_all(record, keys);
    match () {
        () if has(&["OfficeId", "Operation"]) => Some(Kind::OfficeActivity),
        () if has(&["InitiatedBy", "TargetResources"]) => Some(Kind::Audit),
        () if has(&["ResultType", "AppId"]) => Some(Kind::SignIn),
        () if has(&["RiskState", "RiskLevel"]) => Some(Kind::Risk),
        () => None,
    }
}

fn spelling(record: Json<'_>) -> Spelling {
    let mut spelling = Spelling::Text;
    for (_, value) in json::entries(record) {
        if value.as_object().is_some() || value.as_array().is_some() {
            return Spelling::Nested;
        }
        if value.is_number() || value.is_boolean() {
            spelling = Spelling::Flat;
        }
    }
    spelling
}

/// The columns of a row that say anything about the event, by their names without a zone.
fn columns(record: Json<'_>) -> impl Iterator<Item = (&str, Json<'_>)> {
    json::entries(record)
        .map(|(key, value)| (key.strip_suffix(ZONE).unwrap_or(key), value))
        .filter(|(key, value)| {
            !key.starts_with('_')
                && !matches!(*key, "TenantId" | "Type" | "SourceSystem")
                && json::says_anything(*value)
        })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(in crate::sources) use tests::*;
