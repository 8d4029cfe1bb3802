//! New terms: occurrences of a combination of values that the history window before
//! them does not have. One pass over the range and its history, without sorting.

use super::event::plan_with_identity;
use super::rows::{fields, texts};
use super::{Found, Range, micros};
use crate::alerts::{Alert, AlertWriter, alert_id};
use crate::detections::Detection;
use crate::engine::{Engine, Planned, ScanFigures, Scope, Session, Window};
use crate::error::{Error, Result};
use crate::report::value::to_json;
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, TimestampMicrosecondType};
use datafusion::common::ScalarValue;
use datafusion::execution::FunctionRegistry as _;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, ident, lit};
use futures::TryStreamExt as _;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

/// A combination of values that became new.
#[derive(Debug, Clone)]
struct Start {
    terms: Vec<Value>,
    time: i64,
    event_id: String,
}

pub(super) async fn evaluate(
    engine: &Engine,
    detection: &Detection,
    range: Range,
    alerts: &mut AlertWriter,
) -> Result<Found> {
    let Some(new_terms) = &detection.header.new_terms else {
        return Err(Error::Internal(format!("{} has no [new_terms]", detection.id())));
    };
    let history = micros(new_terms.history);
    let after = range.from.saturating_sub(history).saturating_sub(1);
    let window = Window {
        after,
        until: range.to.saturating_sub(1),
    };
    let session = engine.session(Scope {
        window: Some(window),
        now: Some(range.to),
    })?;
    let planned = plan(&session, detection).await?;
    let names: Vec<String> = (0..new_terms.fields.len()).map(term_name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let exploded = explode(planned.plan, &names)?;

    let mut read = ScanFigures::default();
    let starts = starts(&session, &exploded, &names, history, range, &mut read).await?;
    let rows = first_rows(&session, &exploded, &names, &starts, &mut read).await?;
    for start in starts {
        let key: Map<String, Value> = new_terms
            .fields
            .iter()
            .cloned()
            .zip(start.terms.iter().cloned())
            .collect();
        let (fields, dataset) = rows
            .get(&row_key(&start.event_id, &start.terms))
            .cloned()
            .unwrap_or_default();
        let begins = match dataset.and_then(|dataset| engine.extents().get(&dataset)) {
            Some(extent) => Some(extent.first),
            // A view does not say of which dataset a row is: of the one that begins last, at worst.
            None => engine.extents().values().map(|extent| extent.first).max(),
        };
        let alert = Alert {
            alert_id: alert_id(detection.id(), &key, &start.event_id),
            detection: detection.id().to_owned(),
            severity: detection.header.severity.to_string(),
            time: start.time,
            key,
            window_start: None,
            window_end: None,
            windows: None,
            event_ids: vec![start.event_id],
            event_count: 1,
            history_complete: Some(begins.is_some_and(|first| start.time - history >= first)),
            fields,
        };
        alerts.add(&alert).await?;
    }
    Ok(Found {
        raw_fields: planned.resolution.raw_fields,
        read,
        ..Found::default()
    })
}

fn term_name(position: usize) -> String {
    format!("__term_{position}")
}

/// The SELECT with the terms beside what says which event each row is.
pub(super) async fn plan(session: &Session, detection: &Detection) -> Result<Planned> {
    let fields = detection
        .header
        .new_terms
        .iter()
        .flat_map(|new_terms| &new_terms.fields);
    let terms: Vec<(&str, String)> = fields
        .enumerate()
        .map(|(position, field)| (field.as_str(), term_name(position)))
        .collect();
    let extra: Vec<(&str, &str)> = terms.iter().map(|(field, name)| (*field, name.as_str())).collect();
    plan_with_identity(session, detection, &extra).await
}

/// One row per value where a term is a list, and no row where any term is null.
fn explode(plan: LogicalPlan, terms: &[&str]) -> Result<LogicalPlan> {
    let lists: Vec<&str> = terms
        .iter()
        .copied()
        .filter(|term| {
            let field = plan.schema().field_with_unqualified_name(term);
            field.is_ok_and(|field| matches!(field.data_type(), DataType::List(_) | DataType::LargeList(_)))
        })
        .collect();
    let mut builder = LogicalPlanBuilder::from(plan);
    // One after the other, which gives every combination of the values of several lists.
    for list in lists {
        builder = builder.unnest_column(datafusion::common::Column::new_unqualified(list))?;
    }
    let present = terms.iter().map(|term| ident(*term).is_not_null());
    if let Some(all) = present
        .chain([ident("__id").is_not_null(), ident("__time").is_not_null()])
        .reduce(Expr::and)
    {
        builder = builder.filter(all)?;
    }
    Ok(builder.build()?)
}

/// The starts of the runs of sightings within the range.
async fn starts(
    session: &Session,
    exploded: &LogicalPlan,
    terms: &[&str],
    history: i64,
    range: Range,
    read: &mut ScanFigures,
) -> Result<Vec<Start>> {
    let aggregate = session.context().udaf("new_terms")?;
    let interval = ScalarValue::DurationMicrosecond(Some(history));
    let found = aggregate
        .call(vec![ident("__time"), ident("__id"), lit(interval)])
        .alias("__starts");
    let groups: Vec<Expr> = terms.iter().map(|term| ident(*term)).collect();
    let plan = LogicalPlanBuilder::from(exploded.clone())
        .aggregate(groups, [found])?
        .build()?;
    let mut stream = session.run_counted(&plan).await?;
    let mut starts = Vec::new();
    while let Some(batch) = stream.try_next().await? {
        let lists = batch
            .column_by_name("__starts")
            .and_then(|column| column.as_list_opt::<i32>().cloned())
            .ok_or_else(|| Error::Internal("new_terms gave no list".into()))?;
        for row in 0..batch.num_rows() {
            let runs = lists.value(row);
            let runs = runs.as_struct();
            let (at, ids) = (runs.column(0), runs.column(1));
            let at = at.as_primitive::<TimestampMicrosecondType>();
            let ids = datafusion::arrow::compute::cast(ids, &DataType::Utf8)?;
            let ids = ids.as_string::<i32>();
            for run in (0..runs.len()).filter(|&run| (range.from..range.to).contains(&at.value(run))) {
                let values = terms
                    .iter()
                    .filter_map(|term| batch.column_by_name(term))
                    .map(|array| to_json(array, row));
                starts.push(Start {
                    terms: values.collect(),
                    time: at.value(run),
                    event_id: ids.value(run).to_owned(),
                });
            }
        }
    }
    *read += stream.figures();
    Ok(starts)
}

/// The rows of the events that were new, by event and terms, with their dataset.
async fn first_rows(
    session: &Session,
    exploded: &LogicalPlan,
    terms: &[&str],
    starts: &[Start],
    read: &mut ScanFigures,
) -> Result<HashMap<String, (Map<String, Value>, Option<String>)>> {
    let mut rows = HashMap::new();
    let ids: BTreeMap<&str, ()> = starts.iter().map(|start| (start.event_id.as_str(), ())).collect();
    let ids: Vec<&str> = ids.into_keys().collect();
    for part in ids.chunks(1000) {
        let wanted = part.iter().map(|id| lit(*id)).collect();
        let plan = LogicalPlanBuilder::from(exploded.clone())
            .filter(ident("__id").in_list(wanted, false))?
            .build()?;
        let mut stream = session.run_counted(&plan).await?;
        while let Some(batch) = stream.try_next().await? {
            collect_rows(&batch, terms, &mut rows)?;
        }
        *read += stream.figures();
    }
    Ok(rows)
}

fn collect_rows(
    batch: &RecordBatch,
    terms: &[&str],
    rows: &mut HashMap<String, (Map<String, Value>, Option<String>)>,
) -> Result<()> {
    let (ids, datasets) = (texts(batch, "__id")?, texts(batch, "__dataset")?);
    for row in 0..batch.num_rows() {
        let Some(id) = &ids[row] else { continue };
        let values: Vec<Value> = terms
            .iter()
            .filter_map(|term| batch.column_by_name(term))
            .map(|array| to_json(array, row))
            .collect();
        rows.entry(row_key(id, &values))
            .or_insert_with(|| (fields(batch, row), datasets[row].clone()));
    }
    Ok(())
}

fn row_key(id: &str, terms: &[Value]) -> String {
    Value::Array(std::iter::once(Value::from(id)).chain(terms.iter().cloned()).collect()).to_string()
}
