//! Documents out of Elasticsearch: events that Elastic's integrations have mapped, and
//! Elastic's security alerts.
//!
//! A document comes as its `_source`, in a hit around it, or as the `fields` of a search,
//! where every value is a list. Inside one document nested and dotted names mix; both
//! reach the same fields, and where they differ the dotted top-level one wins.

mod derive;
mod unprocessed;
mod walk;

pub(crate) use unprocessed::Unprocessed;

use super::{Identity, Json, Rejection, Source, json};
use crate::schema::*;
use std::borrow::Cow;

/// A security alert of Elastic: a copy of the event it came from, with `kibana.alert.*`.
#[derive(Debug)]
pub(crate) struct Alert;

impl Source for Alert {
    fn name(&self) -> &'static str {
        "elastic_alert"
    }

    fn recognised_by(&self) -> &'static str {
        "@timestamp and kibana.alert.* (or the older signal.rule), perhaps in _source or fields"
    }

    fn recognises(&self, record: Json<'_>) -> bool {
        let document = document(record);
        has(document, "@timestamp")
            && (json::at(document, &["kibana", "alert"]).is_some()
                || json::at(document, &["signal", "rule"]).is_some()
                || json::entries(document)
                    .any(|(key, _)| key.starts_with("kibana.alert.") || key.starts_with("signal.rule.")))
    }

    fn map<'a>(&self, record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        map(record, row)?;
        if !row.has(KIBANA_ALERT_UUID)
            && let Some(id) = json::text_of(record, "_id")
        {
            row.text(KIBANA_ALERT_UUID, id);
        }
        let id = row.get_text(KIBANA_ALERT_UUID).map(str::to_owned);
        Ok(Identity {
            organization: String::new(),
            id,
        })
    }
}

/// An event in ECS.
#[derive(Debug)]
pub(crate) struct Document;

impl Source for Document {
    fn name(&self) -> &'static str {
        "ecs"
    }

    fn recognised_by(&self) -> &'static str {
        "@timestamp, perhaps in _source or fields"
    }

    fn recognises(&self, record: Json<'_>) -> bool {
        has(document(record), "@timestamp")
    }

    fn map<'a>(&self, record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection> {
        map(record, row)?;
        // Ids of Entra's logs say it all; see there.
        let entra = row
            .get_text(EVENT_DATASET)
            .is_some_and(|dataset| dataset.starts_with("azure."));
        let organization = row.get_text(ORGANIZATION_ID).filter(|_| !entra);
        let organization = organization.unwrap_or_default().to_ascii_lowercase();
        Ok(Identity {
            organization,
            id: row.get_text(EVENT_ID).map(str::to_owned),
        })
    }
}

fn has(record: Json<'_>, key: &str) -> bool {
    record.get(key).is_some()
}

/// The document itself, out of the hit around it. Of a hit with both, `_source` says more.
fn document(record: Json<'_>) -> Json<'_> {
    ["_source", "fields"]
        .into_iter()
        .filter_map(|key| json::get(record, key))
        .find(|inner| inner.is_object() && has(*inner, "@timestamp"))
        .unwrap_or(record)
}

fn map<'a>(record: Json<'a>, row: &mut EventRow<'a>) -> Result<(), Rejection> {
    let document = document(record);
    walk::fill(document, row);
    if !row.has(TIMESTAMP) {
        return Err(Rejection::NoTime("@timestamp"));
    }
    if !row.has(EVENT_DATASET) {
        let dataset = dataset(record, document, row);
        row.text(EVENT_DATASET, dataset);
    }
    if !row.has(EVENT_MODULE)
        && let Some((module, _)) = row.get_text(EVENT_DATASET).and_then(|dataset| dataset.split_once('.'))
    {
        let module = module.to_owned();
        row.text(EVENT_MODULE, module);
    }
    derive::all(row);
    Ok(())
}

/// The dataset of a document that does not carry `event.dataset`, which Elastic keeps in
/// the mapping: from its data stream, its index, or the fields it has.
fn dataset<'a>(record: Json<'a>, document: Json<'a>, row: &EventRow<'_>) -> Cow<'a, str> {
    let stream = json::at(document, &["data_stream", "dataset"]).or_else(|| json::get(document, "data_stream.dataset"));
    if let Some(dataset) = stream.and_then(|stream| json::items(stream).find_map(json::text)) {
        return dataset;
    }
    if let Some(dataset) = json::str_of(record, "_index").and_then(dataset_of_index) {
        return Cow::Borrowed(dataset);
    }
    let has = |prefix: &str| {
        row.cells()
            .iter()
            .any(|(field, _)| field.field().ecs.starts_with(prefix))
    };
    Cow::Borrowed(match () {
        () if has("o365.audit.") => "o365.audit",
        () if has("azure.signinlogs.") => "azure.signinlogs",
        () if has("azure.auditlogs.") => "azure.auditlogs",
        () if has("azure.identityprotection.") => "azure.identity_protection",
        () if has("m365_defender.event.") => "m365_defender.event",
        () => "generic",
    })
}

/// `logs-o365.audit-default`, also as `.ds-logs-o365.audit-default-2026.03.02-000001`.
fn dataset_of_index(index: &str) -> Option<&str> {
    let stream = index.strip_prefix(".ds-").unwrap_or(index).strip_prefix("logs-")?;
    stream.split('-').next().filter(|dataset| dataset.contains('.'))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(in crate::sources) use tests::*;
