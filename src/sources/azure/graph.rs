//! Sign-ins, directory audits and risk as Microsoft Graph and the portal's JSON download give
//! them: the properties of an Azure Monitor record without its envelope.

use super::super::{Identity, Json, Rejection, Source, json, time};
use super::{audit, risk, sign_in};
use crate::schema::*;

/// `/auditLogs/signIns`.
#[derive(Debug)]
pub(crate) struct SignIn;

impl Source for SignIn {
    fn name(&self) -> &'static str {
        "graph_sign_in"
    }

    fn recognised_by(&self) -> &'static str {
        "createdDateTime, appId and status, an object, without category"
    }

    fn recognises(&self, record: Json<'_>) -> bool {
        json::has_all(record, &["createdDateTime", "appId", "status"])
            && record.get("status").is_some_and(|status| status.is_object())
            && record.get("category").is_none()
    }

    fn map<'a>(&self, record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        let happened = json::get(record, "createdDateTime")
            .and_then(time::of)
            .ok_or(Rejection::NoTime("createdDateTime"))?;
        row.set(TIMESTAMP, Cell::Timestamp(happened));
        begin(row, "azure.signinlogs");
        row.text(EVENT_ACTION, "Sign-in activity");
        row.text(AZURE_SIGNINLOGS_OPERATION_NAME, "Sign-in activity");
        row.text(AZURE_SIGNINLOGS_CATEGORY, category(record));
        let id = sign_in::properties(record, row);
        row.copy(AZURE_SIGNINLOGS_PROPERTIES_CORRELATION_ID, AZURE_CORRELATION_ID);
        Ok(Identity {
            organization: String::new(),
            id,
        })
    }
}

/// The category Azure Monitor has for it. Graph's v1.0 returns interactive sign-ins alone
/// and does not say so.
fn category(record: Json<'_>) -> &'static str {
    let of_type = json::get(record, "signInEventTypes")
        .and_then(|types| json::items(types).next())
        .and_then(json::text);
    match of_type.as_deref() {
        Some("nonInteractiveUser") => "NonInteractiveUserSignInLogs",
        Some("servicePrincipal") => "ServicePrincipalSignInLogs",
        Some("managedIdentity") => "ManagedIdentitySignInLogs",
        _ => "SignInLogs",
    }
}

/// `/auditLogs/directoryAudits`.
#[derive(Debug)]
pub(crate) struct DirectoryAudit;

impl Source for DirectoryAudit {
    fn name(&self) -> &'static str {
        "graph_directory_audit"
    }

    fn recognised_by(&self) -> &'static str {
        "activityDateTime, activityDisplayName and targetResources"
    }

    fn recognises(&self, record: Json<'_>) -> bool {
        json::has_all(record, &["activityDateTime", "activityDisplayName", "targetResources"])
    }

    fn map<'a>(&self, record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        let happened = json::get(record, "activityDateTime")
            .and_then(time::of)
            .ok_or(Rejection::NoTime("activityDateTime"))?;
        row.set(TIMESTAMP, Cell::Timestamp(happened));
        begin(row, "azure.auditlogs");
        row.text(AZURE_AUDITLOGS_CATEGORY, "AuditLogs");
        let id = audit::properties(record, row);
        row.copy(AZURE_AUDITLOGS_PROPERTIES_ACTIVITY_DISPLAY_NAME, EVENT_ACTION);
        row.copy(
            AZURE_AUDITLOGS_PROPERTIES_ACTIVITY_DISPLAY_NAME,
            AZURE_AUDITLOGS_OPERATION_NAME,
        );
        row.copy(AZURE_AUDITLOGS_PROPERTIES_CORRELATION_ID, AZURE_CORRELATION_ID);
        Ok(Identity {
            organization: String::new(),
            id,
        })
    }
}

/// `/identityProtection/riskDetections`.
#[derive(Debug)]
pub(crate) struct RiskDetection;

impl Source for RiskDetection {
    fn name(&self) -> &'static str {
        "graph_risk_detection"
    }

    fn recognised_by(&self) -> &'static str {
        "riskEventType, riskState, detectedDateTime and userId"
    }

    fn recognises(&self, record: Json<'_>) -> bool {
        json::has_all(record, &["riskEventType", "riskState", "detectedDateTime", "userId"])
    }

    fn map<'a>(&self, record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        const TIMES: &str = "lastUpdatedDateTime, detectedDateTime and activityDateTime";
        let other = || {
            let mut keys = ["detectedDateTime", "activityDateTime"].into_iter();
            keys.find_map(|key| json::get(record, key).and_then(time::of))
        };
        let happened = risk::updated(record).or_else(other).ok_or(Rejection::NoTime(TIMES))?;
        let identity = risk_event(record, row, happened, "UserRiskEvents", "User Risk Detection");
        row.copy(AZURE_IDENTITYPROTECTION_PROPERTIES_CORRELATION_ID, AZURE_CORRELATION_ID);
        Ok(identity)
    }
}

/// `/identityProtection/riskyUsers`.
#[derive(Debug)]
pub(crate) struct RiskyUser;

impl Source for RiskyUser {
    fn name(&self) -> &'static str {
        "graph_risky_user"
    }

    fn recognised_by(&self) -> &'static str {
        "riskState, riskLastUpdatedDateTime and userPrincipalName"
    }

    fn recognises(&self, record: Json<'_>) -> bool {
        json::has_all(record, &["riskState", "riskLastUpdatedDateTime", "userPrincipalName"])
    }

    fn map<'a>(&self, record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        let happened = risk::updated(record).ok_or(Rejection::NoTime("riskLastUpdatedDateTime"))?;
        Ok(risk_event(record, row, happened, "RiskyUsers", "Risky user"))
    }
}

/// Category and operation are those Azure Monitor has for it.
fn risk_event<'a>(
    record: Json<'a>,
    row: &mut EventRow<'a>,
    happened: i64,
    category: &'static str,
    operation: &'static str,
) -> Identity {
    row.set(TIMESTAMP, Cell::Timestamp(happened));
    begin(row, risk::DATASET);
    row.text(EVENT_ACTION, operation);
    row.text(AZURE_IDENTITYPROTECTION_OPERATION_NAME, operation);
    row.text(AZURE_IDENTITYPROTECTION_CATEGORY, category);
    Identity {
        organization: String::new(),
        id: risk::properties(record, row),
    }
}

fn begin(row: &mut EventRow<'_>, dataset: &'static str) {
    row.text(EVENT_DATASET, dataset);
    row.text(EVENT_MODULE, "azure");
    row.text(EVENT_KIND, "event");
    row.text(CLOUD_PROVIDER, "azure");
}
