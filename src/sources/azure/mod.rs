//! Entra ID logs: what Azure Monitor's diagnostic settings write, and the same objects as
//! Microsoft Graph returns them.
//!
//! The mapping follows Elastic's azure integration (newest version). An Azure Monitor
//! record is an envelope (`time`, `category`, `tenantId`, ...) around `properties`; a Graph
//! object is those properties alone, so it knows no tenant.

mod audit;
mod graph;
mod risk;
mod sign_in;

pub(crate) use graph::{DirectoryAudit, RiskDetection, RiskyUser, SignIn};

use super::{Identity, Json, Rejection, Source, address, json};
use crate::schema::*;
use json::Keys;

/// A record of Azure Monitor.
#[derive(Debug)]
pub(crate) struct AzureMonitor;

impl Source for AzureMonitor {
    fn name(&self) -> &'static str {
        "azure_monitor"
    }

    fn recognised_by(&self) -> &'static str {
        "time, category, operationName and properties"
    }

    fn recognises(&self, record: Json<'_>) -> bool {
        json::has_all(record, &["time", "category", "properties"])
    }

    fn map<'a>(&self, record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        let category = json::str_of(record, "category").unwrap_or_default();
        match category {
            "AuditLogs" => audit::map(record, row),
            "UserRiskEvents" | "RiskyUsers" => risk::map(record, row),
            _ if category.ends_with("SignInLogs") => sign_in::map(record, row),
            _ => Err(Rejection::Unsupported(format!(
                "Azure Monitor category {category:?} is not mapped; mapped are those ending in SignInLogs, AuditLogs, UserRiskEvents and RiskyUsers"
            ))),
        }
    }
}

/// What all categories share: tenant, resource, operation, duration.
///
/// The tenant is no part of what identifies an event: ids are GUIDs, and the same events come
/// from Graph, which does not say whose they are.
fn envelope<'a>(record: Json<'a>, row: &mut EventRow<'a>, dataset: &'static str, prefix: &str) -> Identity {
    row.text(EVENT_DATASET, dataset);
    row.text(EVENT_MODULE, "azure");
    row.text(EVENT_KIND, "event");
    row.text(CLOUD_PROVIDER, "azure");
    let text = |key: &str| json::text_of(record, key);
    for (key, field) in [
        ("operationName", EVENT_ACTION),
        ("tenantId", AZURE_TENANT_ID),
        ("correlationId", AZURE_CORRELATION_ID),
    ] {
        if let Some(text) = text(key) {
            row.text(field, text);
        }
    }
    // Audit logs have both; there the capital one is a field of its own.
    let capital = || text("Level").filter(|_| dataset != "azure.auditlogs");
    if let Some(level) = text("level").or_else(capital) {
        row.text(LOG_LEVEL, level);
    }
    if let Some(resource) = json::str_of(record, "resourceId") {
        row.text(AZURE_RESOURCE_ID, resource);
        if let Some((_, provider)) = split_ignoring_case(resource, "/providers/") {
            row.text(AZURE_RESOURCE_PROVIDER, provider);
        }
    }
    if let Some(duration) = json::get(record, "durationMs").and_then(json::integer) {
        row.set(EVENT_DURATION, Cell::Long(duration.saturating_mul(1_000_000)));
    }
    if let Some(node) = CATALOGUE.node(prefix) {
        for (key, value) in json::entries(record) {
            let kept = matches!(
                key,
                "category" | "identity" | "operationName" | "operationVersion" | "callerIpAddress" | "Level"
            ) || key.starts_with("result");
            if kept && let Some(child) = json::descend(node, key, Keys::Snake) {
                json::flatten(row, child, value, Keys::Snake);
            }
        }
    }
    Identity::default()
}

/// What stands before and after an ASCII part, whose letter case varies.
fn split_ignoring_case<'t>(text: &'t str, part: &str) -> Option<(&'t str, &'t str)> {
    let start = text.to_ascii_lowercase().find(part)?;
    Some((text.get(..start)?, text.get(start + part.len()..)?))
}

/// Where the caller came from; text that is no address stays in `source.address`.
fn source(row: &mut EventRow<'_>, text: &str) {
    let from = address::parse(text);
    if from == address::Address::default() {
        return;
    }
    row.text(SOURCE_ADDRESS, text.to_owned());
    if let Some(ip) = from.ip {
        let ip = ip.into_owned();
        row.text(SOURCE_IP, ip.clone());
        row.text(CLIENT_IP, ip.clone());
        row.add_new(RELATED_IP, ip);
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(in crate::sources) use tests::*;
