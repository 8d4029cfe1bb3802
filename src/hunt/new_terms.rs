//! New terms: occurrences of a combination of values that the history window before
//! them does not have, without sorting.
//!
//! One pass over the range and its history finds when each combination became new, from
//! the columns of the filter, the terms and the time alone. A second one fetches the rows
//! of these moments; it reads only the stretches of time around them if they are few.

pub(super) mod moments;
pub(super) mod occurrence;

use super::event::plan_with_identity;
use super::meeting::Seat;
use super::ordered::Ordered;
use super::{Found, Range, micros};
use crate::alerts::{Alert, AlertWriter, alert_id};
use crate::config::format_instant;
use crate::detections::Detection;
use crate::engine::sorter::{BLOCKS_AHEAD, in_background, in_blocks};
use crate::engine::{Clock, Engine, Planned, Scope, Session, Window};
use crate::error::{Error, Result};
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, ident};
use futures::{StreamExt as _, TryStreamExt as _};
use moments::Moments;
use occurrence::{Moment, Occurrence, occurrences};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A detection's rows over a range and the history before it, one per combination of values.
pub(super) struct Prepared {
    pub(super) session: Session,
    pub(super) exploded: LogicalPlan,
    /// Columns of the terms.
    pub(super) names: Vec<String>,
    pub(super) history: i64,
    raw_fields: Vec<String>,
}

pub(super) async fn prepare(engine: &Engine, detection: &Detection, range: Range) -> Result<Prepared> {
    let Some(new_terms) = &detection.header.new_terms else {
        return Err(Error::Internal(format!("{} has no [new_terms]", detection.id())));
    };
    let history = micros(new_terms.history);
    let session = engine.session(Scope {
        window: Some(Window {
            after: range.from.saturating_sub(history).saturating_sub(1),
            until: range.to.saturating_sub(1),
        }),
        now: Some(Clock::At(range.to)),
    })?;
    let planned = plan(&session, detection).await?;
    let names: Vec<String> = (0..new_terms.fields.len()).map(term_name).collect();
    Ok(Prepared {
        exploded: explode(planned.plan, &names)?,
        session,
        names,
        history,
        raw_fields: planned.resolution.raw_fields,
    })
}

/// The plan that finds when combinations of values became new, and that of all rows: which of
/// these are read depends on what the first one finds.
pub(super) async fn first_pass(
    engine: &Engine,
    detection: &Detection,
    range: Range,
) -> Result<(Session, LogicalPlan, LogicalPlan, Vec<String>)> {
    let prepared = prepare(engine, detection, range).await?;
    let plan = moments::moments(
        &prepared.session,
        &prepared.exploded,
        &prepared.names,
        prepared.history,
        range,
    )?;
    Ok((prepared.session, plan, prepared.exploded, prepared.raw_fields))
}

pub(super) async fn evaluate(
    engine: &Engine,
    detection: &Detection,
    range: Range,
    mut seat: Seat,
    alerts: &mut AlertWriter,
) -> Result<Found> {
    let Prepared {
        session,
        exploded,
        names,
        history,
        raw_fields,
    } = prepare(engine, detection, range).await?;
    let moments = Moments::find(engine, &session, &mut seat, &exploded, &names, history, range).await?;
    let mut found = Found {
        raw_fields,
        read: moments.read,
        ..Found::default()
    };
    let plan = moments.rows(&exploded, &names)?;
    let (mut stream, _turn) = match moments.are_known() {
        true => (seat.run(&session, &plan).await?, None),
        // Held until the rows have been read.
        false => {
            let turn = seat.alone().await;
            (session.run_counted(&plan).await?, turn)
        }
    };
    let mut rows = Ordered::new(engine);
    let names = Arc::new(names);
    let made = stream.by_ref().map_ok(|batch| {
        let names = Arc::clone(&names);
        in_background(move || occurrences(&batch, &names))
    });
    let mut made = made.try_buffer_unordered(BLOCKS_AHEAD);
    while let Some(occurrences) = made.try_next().await? {
        for occurrence in occurrences {
            rows.add(occurrence).await?;
        }
    }
    drop(made);
    found.read += stream.figures();
    drop(stream);
    let (speaker, maker) = (Arc::new(Speaker::of(engine, detection, history)), alerts.maker());
    let blocks = in_blocks(speaking(rows.finish().await?)).map(|block| {
        let speaker = Arc::clone(&speaker);
        in_background(move || {
            let occurrences = block?.into_iter();
            occurrences
                .map(|occurrence| maker.row(&speaker.alert(occurrence)?))
                .collect()
        })
    });
    // In any order, as they are put in order later.
    let mut made = futures::stream::iter(blocks).buffer_unordered(BLOCKS_AHEAD);
    while let Some(rows) = made.try_next().await? {
        alerts.add_rows(rows).await?;
    }
    Ok(found)
}

/// Of several events at a moment, the first speaks. They come in order.
pub(super) fn speaking(
    occurrences: impl Iterator<Item = Result<Occurrence>>,
) -> impl Iterator<Item = Result<Occurrence>> {
    let mut last: Option<Moment> = None;
    occurrences.filter(move |occurrence| match occurrence {
        Ok(occurrence) if last.as_ref().is_some_and(|last| occurrence.is_at(last)) => false,
        Ok(occurrence) => {
            last = Some(occurrence.moment());
            true
        }
        Err(_) => true,
    })
}

/// Makes alerts of occurrences.
#[derive(Debug)]
pub(super) struct Speaker {
    detection: String,
    severity: String,
    fields: Vec<String>,
    history: i64,
    /// First times of the datasets.
    first: BTreeMap<String, i64>,
}

impl Speaker {
    pub(super) fn of(engine: &Engine, detection: &Detection, history: i64) -> Self {
        let new_terms = detection.header.new_terms.iter();
        let extents = engine.extents().iter();
        Self {
            detection: detection.id().to_owned(),
            severity: detection.header.severity.to_string(),
            fields: new_terms.flat_map(|new_terms| new_terms.fields.clone()).collect(),
            history,
            first: extents
                .map(|(dataset, extent)| (dataset.clone(), extent.first))
                .collect(),
        }
    }

    pub(super) fn alert(&self, occurrence: Occurrence) -> Result<Alert> {
        let time = occurrence.time;
        let key: Map<String, Value> = self.fields.iter().cloned().zip(occurrence.terms()?).collect();
        let begins = match occurrence.dataset.as_ref().and_then(|dataset| self.first.get(dataset)) {
            Some(first) => Some(*first),
            // A view does not say of which dataset a row is: of the one that begins last, at worst.
            None => self.first.values().copied().max(),
        };
        let history_begins = time.saturating_sub(self.history);
        // An id alone does not tell the events of several datasets apart.
        let which = format!("{} {}", occurrence.event_id, format_instant(time));
        Ok(Alert {
            alert_id: alert_id(&self.detection, &key, &which),
            detection: self.detection.clone(),
            severity: self.severity.clone(),
            time,
            key,
            window_start: None,
            window_end: None,
            windows: None,
            fields: occurrence.fields()?,
            event_ids: vec![occurrence.event_id],
            event_count: 1,
            history_complete: Some(begins.is_some_and(|first| history_begins >= first)),
        })
    }
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
fn explode(plan: LogicalPlan, terms: &[String]) -> Result<LogicalPlan> {
    let lists: Vec<&String> = terms
        .iter()
        .filter(|term| {
            let field = plan.schema().field_with_unqualified_name(term);
            field.is_ok_and(|field| matches!(field.data_type(), DataType::List(_) | DataType::LargeList(_)))
        })
        .collect();
    let mut builder = LogicalPlanBuilder::from(plan);
    // One after the other, which gives every combination of the values of several lists.
    for list in lists {
        builder = builder.unnest_column(datafusion::common::Column::new_unqualified(list.as_str()))?;
    }
    let present = terms.iter().map(|term| ident(term).is_not_null());
    if let Some(all) = present.chain([ident("__time").is_not_null()]).reduce(Expr::and) {
        builder = builder.filter(all)?;
    }
    Ok(builder.build()?)
}
