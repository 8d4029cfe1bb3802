//! Events and files in the tables of a lake.

use super::StoredEvent;
use super::alerts::FoundAlert;
use crate::engine::{Engine, Scope};
use crate::error::{Error, Result};
use crate::report::value::to_json;
use datafusion::arrow::array::{Array as _, AsArray as _, RecordBatch};
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, col, lit};
use futures::TryStreamExt as _;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What else alerts give as ids of events: those of Elastic's alerts, and of Defender's rows.
const OTHER_IDS: [&str; 3] = [
    "kibana_alert_uuid",
    "m365_defender_event_report_id",
    "m365_defender_event_alert_id",
];

const EVENTS: &str = "SELECT event_key, event_id, kibana_alert_uuid, m365_defender_event_report_id, \
    m365_defender_event_alert_id, event_dataset, timestamp, organization_id, \
    event_action, coalesce(user_email, user_id, user_name) AS shown_user, source_format, event_ingested, source_file, \
    source_sha256, source_position, raw FROM events";

/// So many ids are asked for at once.
const IDS_AT_ONCE: usize = 2000;

/// The events of these ids and of these alerts, with their texts, in order of time. The alerts
/// are told which of their events are not there.
pub(super) async fn events(
    engine: &Engine,
    ids: &[String],
    alerts: &mut [FoundAlert],
) -> Result<Vec<(StoredEvent, String)>> {
    let is_alert = |id: &&str| alerts.iter().any(|alert| alert.alert_id == *id);
    let typed: Vec<&str> = ids.iter().map(String::as_str).filter(|id| !is_alert(id)).collect();
    let mut found = matching(engine, &typed, None).await?;
    let of_alerts: Vec<&str> = listed(alerts).into_iter().collect();
    let times = alerts.iter().filter_map(|alert| alert.times);
    let times = times.reduce(|(from, to), (first, last)| (from.min(first), to.max(last)));
    found.extend(matching(engine, &of_alerts, times).await?);
    // Whoever changed the clock of a record, or what time an alert tells, does not hide it.
    let is_there = |id: &str, found: &[(StoredEvent, String)]| found.iter().any(|(event, _)| event.is(id));
    let missing: Vec<&str> = of_alerts.into_iter().filter(|id| !is_there(id, &found)).collect();
    if times.is_some() {
        found.extend(matching(engine, &missing, None).await?);
    }
    found.sort_by(|(a, _), (b, _)| order(a).cmp(&order(b)));
    found.dedup();
    for alert in alerts.iter_mut() {
        let missing = alert.event_ids.iter().filter(|id| !is_there(id, &found));
        alert.not_in_lake = missing.cloned().collect();
    }
    let by_alert: Vec<(&str, BTreeSet<&str>)> = alerts
        .iter()
        .map(|alert| (alert.alert_id.as_str(), listed(std::slice::from_ref(alert))))
        .collect();
    for (event, _) in &mut found {
        let of_alert = |ids: &BTreeSet<&str>| {
            let mut names = event.event_id.iter().chain(&event.other_ids).chain([&event.event_key]);
            names.any(|name| ids.contains(name.as_str()))
        };
        let alerts = by_alert.iter().filter(|(_, ids)| of_alert(ids)).map(|(id, _)| *id);
        let asked: BTreeSet<&str> = typed.iter().copied().filter(|id| event.is(id)).chain(alerts).collect();
        event.asked = asked.into_iter().map(str::to_owned).collect();
    }
    Ok(found)
}

fn listed(alerts: &[FoundAlert]) -> BTreeSet<&str> {
    alerts
        .iter()
        .flat_map(|alert| alert.event_ids.iter().map(String::as_str))
        .collect()
}

/// What tells events apart, and puts them in order.
fn order(event: &StoredEvent) -> (i64, &str, &str, &str, Option<i64>) {
    (
        event.timestamp,
        &event.dataset,
        &event.event_key,
        &event.source_file,
        event.source_position,
    )
}

/// Events with one of these ids, of these times. The ids come from hostile records: they are
/// values of a plan and never text of a statement.
async fn matching(engine: &Engine, ids: &[&str], times: Option<(i64, i64)>) -> Result<Vec<(StoredEvent, String)>> {
    let mut found = Vec::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let session = engine.session(Scope::default())?;
    let planned = session.plan(EVENTS).await?;
    for ids in ids.chunks(IDS_AT_ONCE) {
        let texts = |column: &str, ids: Vec<String>| col(column).in_list(ids.into_iter().map(lit).collect(), false);
        let as_typed = || ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let mut condition = texts("event_id", as_typed());
        for column in OTHER_IDS {
            condition = condition.or(texts(column, as_typed()));
        }
        let keys: Vec<String> = ids
            .iter()
            .filter(|id| is_key(id))
            .map(|id| id.to_ascii_lowercase())
            .collect();
        if !keys.is_empty() {
            condition = condition.or(texts("event_key", keys));
        }
        if let Some((from, to)) = times {
            let at = |micros| {
                let value = ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into()));
                Expr::Literal(value, None)
            };
            condition = condition.and(col("timestamp").between(at(from), at(to)));
        }
        let plan = LogicalPlanBuilder::from(planned.plan.clone())
            .filter(condition)?
            .build()?;
        let mut batches = session.run(&plan).await?;
        while let Some(batch) = batches.try_next().await? {
            for row in 0..batch.num_rows() {
                found.push(event(&batch, row)?);
            }
        }
    }
    Ok(found)
}

fn is_key(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn event(batch: &RecordBatch, row: usize) -> Result<(StoredEvent, String)> {
    let text = |name: &str| -> Option<String> {
        let column = batch.column_by_name(name)?;
        match to_json(column.as_ref(), row) {
            Value::String(text) => Some(text),
            _ => None,
        }
    };
    let time = |name: &str| -> Option<i64> {
        let column = batch.column_by_name(name)?;
        let times = column.as_primitive_opt::<TimestampMicrosecondType>()?;
        times.is_valid(row).then(|| times.value(row))
    };
    let event_key = text("event_key").unwrap_or_default();
    let timestamp = time("timestamp").ok_or_else(|| {
        Error::Query(format!(
            "event {event_key} has no time: the table was written by something else"
        ))
    })?;
    let event = StoredEvent {
        asked: Vec::new(),
        event_id: text("event_id"),
        dataset: text("event_dataset").unwrap_or_default(),
        timestamp,
        organization: text("organization_id"),
        action: text("event_action"),
        user: text("shown_user"),
        source_format: text("source_format"),
        event_ingested: time("event_ingested"),
        source_file: text("source_file").unwrap_or_default(),
        source_sha256: text("source_sha256").unwrap_or_default(),
        source_position: batch
            .column_by_name("source_position")
            .and_then(|column| to_json(column.as_ref(), row).as_i64()),
        other_ids: OTHER_IDS.into_iter().filter_map(text).collect(),
        event_key,
    };
    Ok((event, text("raw").unwrap_or_default()))
}

/// Rows of the ledger about files with these hashes, by hash, the newest first.
pub(super) async fn ledger(
    engine: &Engine,
    hashes: BTreeSet<&str>,
) -> Result<BTreeMap<String, Vec<Map<String, Value>>>> {
    let session = engine.session(Scope::default())?;
    let planned = session.plan("SELECT * FROM ledger").await?;
    let mut rows: BTreeMap<String, Vec<Map<String, Value>>> = BTreeMap::new();
    let hashes: Vec<&str> = hashes.into_iter().collect();
    for hashes in hashes.chunks(IDS_AT_ONCE) {
        let condition = col("source_sha256").in_list(hashes.iter().map(|hash| lit(*hash)).collect(), false);
        let plan = LogicalPlanBuilder::from(planned.plan.clone())
            .filter(condition)?
            .sort([col("ingested").sort(false, false), col("source_file").sort(true, false)])?
            .build()?;
        let mut batches = session.run(&plan).await?;
        while let Some(batch) = batches.try_next().await? {
            for row in 0..batch.num_rows() {
                let schema = batch.schema();
                let names = schema.fields().iter().map(|field| field.name().clone());
                let cells = batch.columns().iter().map(|column| to_json(column.as_ref(), row));
                let row: Map<String, Value> = names.zip(cells).collect();
                let hash = row.get("source_sha256").and_then(Value::as_str).unwrap_or_default();
                rows.entry(hash.to_owned()).or_default().push(row);
            }
        }
    }
    Ok(rows)
}
