//! New terms: what arrived beside the sightings that are known of the same terms.
//!
//! To add sightings to runs can make nothing new but themselves: a start of a run afterwards is
//! one of before, or arrived. What was a start and is none any more was no news.

use super::event::range;
use super::per_row::is_per_row;
use super::recorded::{current, last_of};
use super::sightings::{Sightings, SightingsState, Terms, added, read};
use super::{Changed, StateFiles, Step, StepRequest, tick_at, whole};
use crate::alerts::{Alert, Change, alert_id};
use crate::config::format_instant;
use crate::detections::Detection;
use crate::engine::{Engine, KeyedSpans, ScanFigures};
use crate::error::Result;
use crate::functions::sightings::SightingRuns;
use crate::hunt::Range;
use crate::hunt::new_terms::occurrence::occurrences;
use crate::hunt::new_terms::{Prepared, Speaker, prepare, speaking};
use crate::hunt::ordered::Ordered;
use crate::hunt::rows::{texts, times};
use crate::report::value::to_json;
use datafusion::arrow::array::{ArrayRef, RecordBatch, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{LogicalPlanBuilder, ident, lit};
use futures::TryStreamExt as _;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A combination of values, as bytes, the time at which it was new, and who says so.
type Start = (Box<[u8]>, i64, Option<Box<str>>);

pub(super) async fn step(detection: &Detection, request: StepRequest<'_>) -> Result<Step> {
    let Some(range) = range(request) else {
        return Ok(Step::default());
    };
    let prepared = prepare(request.engine, detection, range).await?;
    let fields = prepared.names.iter().map(|name| {
        let field = prepared.exploded.schema().field_with_unqualified_name(name);
        field.map(|field| field.data_type().clone())
    });
    let types: Vec<DataType> = fields.collect::<Result<_, _>>()?;
    let per_row = is_per_row(&prepared.session.optimized(&prepared.exploded)?);
    if !per_row || !KeyedSpans::can_tell_apart(&types) {
        return whole::step(detection, request).await;
    }
    let terms = Terms::new(types)?;
    let mut step = Step::default();
    let mut state = SightingsState::default();
    if let Some(name) = request.state {
        state = request.files.read_value(name).await?;
    }
    let begins: BTreeMap<String, i64> = (request.engine.extents().iter())
        .map(|(dataset, extent)| (dataset.clone(), extent.first))
        .collect();
    let reaches_further = state
        .begins
        .iter()
        .any(|(dataset, first)| begins.get(dataset).is_some_and(|now| now < first));
    // Where a view does not say of which dataset a row is.
    let begins_later = request.state.is_some() && state.begins.values().max() != begins.values().max();
    // What was made of terms of other types is of no use.
    let arrived_files = match request.state.is_some() && state.types != terms.names() {
        true => {
            state = SightingsState::default();
            request.engine.clone()
        }
        false => request.engine.with_event_files(&request.arrived.files),
    };
    let arrived = sightings(&arrived_files, detection, range, &terms, &mut step.read).await?;
    let history = prepared.history;
    let mut found = Found {
        detection,
        request,
        prepared,
        terms: &terms,
        step,
    };
    let changed = arrived.is_empty() && request.state.is_some() && state.begins == begins;
    if changed {
        found.step.state = request.state.map(str::to_owned);
        return Ok(found.step);
    }
    found.compare(&state, &arrived, range).await?;
    if reaches_further || begins_later {
        found.complete(begins_later).await?;
    }
    let mut step = found.step;
    state.begins = begins;
    state.types = terms.names();
    let state = added(request.files, state, &terms, history, &arrived, request.tick).await?;
    step.state = Some(request.files.write_value(&state).await?);
    Ok(step)
}

/// Names of the files that a state is made of, beside its own.
pub(super) async fn files_of(files: &StateFiles, state: &str) -> Result<BTreeSet<String>> {
    let state: SightingsState = files.read_value(state).await?;
    Ok(state.files.into_iter().map(|file| file.name).collect())
}

/// The sightings of terms in the events of an engine.
async fn sightings(
    engine: &Engine,
    detection: &Detection,
    range: Range,
    terms: &Terms,
    read: &mut ScanFigures,
) -> Result<Sightings> {
    let Prepared {
        session,
        exploded,
        names,
        history,
        ..
    } = prepare(engine, detection, range).await?;
    let columns = names.iter().map(ident).chain([ident("__time"), ident("__id")]);
    let plan = LogicalPlanBuilder::from(exploded).project(columns)?.build()?;
    let mut rows = session.run_counted(&plan).await?;
    let mut found = Sightings::new();
    while let Some(batch) = rows.try_next().await? {
        let (times, ids) = (times(&batch, "__time")?, texts(&batch, "__id")?);
        terms.each(&batch.columns()[..names.len()], |row, key| {
            let (Some(Some(time)), Some(id)) = (times.get(row), ids.get(row)) else {
                return;
            };
            match found.get_mut(key) {
                Some(runs) => runs.insert(*time, id.as_deref()),
                None => {
                    let mut runs = SightingRuns::new(history.unsigned_abs());
                    runs.insert(*time, id.as_deref());
                    found.insert(key.into(), runs);
                }
            }
        })?;
    }
    *read += rows.figures();
    Ok(found)
}

struct Found<'a> {
    detection: &'a Detection,
    request: StepRequest<'a>,
    prepared: Prepared,
    terms: &'a Terms,
    step: Step,
}

impl Found<'_> {
    /// What became new, and what is new no more.
    async fn compare(&mut self, state: &SightingsState, arrived: &Sightings, range: Range) -> Result<()> {
        let runs = || arrived.values().flat_map(SightingRuns::starts);
        let (Some(first), Some(last)) = (
            runs().map(|run| run.first_time).min(),
            runs().map(|run| run.last_time).max(),
        ) else {
            return Ok(());
        };
        let mut known = Sightings::new();
        let (files, history) = (self.request.files, self.prepared.history);
        read(
            files,
            state,
            self.terms,
            history,
            (first, last),
            Some(arrived),
            &mut known,
        )
        .await?;
        let (mut new, mut gone) = (BTreeSet::new(), BTreeSet::new());
        for (term, runs) in arrived {
            let starts = |runs: Option<&SightingRuns>| -> BTreeSet<Start> {
                let runs = runs.into_iter().flat_map(SightingRuns::starts);
                let counts = runs.filter(|run| run.first_time >= range.from);
                counts
                    .map(|run| (term.clone(), run.first_time, run.first_event_id.clone()))
                    .collect()
            };
            let before = known.get(term);
            let mut after = runs.clone();
            if let Some(before) = before {
                for run in before.starts() {
                    after.insert_run(run.clone());
                }
            }
            let (before, after) = (starts(before), starts(Some(&after)));
            new.extend(after.difference(&before).cloned());
            gone.extend(before.difference(&after).cloned());
        }
        let alerts = self.alerts_at(&new).await?;
        self.found(alerts).await?;
        self.gone(&gone).await
    }

    /// The alerts of starts.
    async fn alerts_at(&mut self, starts: &BTreeSet<Start>) -> Result<Vec<Alert>> {
        let mut spans = KeyedSpans::new(self.terms.types().to_vec());
        let (Some(first), Some(last)) = (
            starts.iter().map(|start| start.1).min(),
            starts.iter().map(|start| start.1).max(),
        ) else {
            return Ok(Vec::new());
        };
        let mut columns = self.terms.columns(starts.iter().map(|start| start.0.as_ref()))?;
        let times = TimestampMicrosecondArray::from_iter_values(starts.iter().map(|start| start.1));
        columns.push(Arc::new(times.with_timezone("UTC")));
        spans.add(&anonymous(columns)?, |time| Some((time, time)))?;
        let terms = self.prepared.names.iter().map(ident).collect();
        let spans = Arc::new(spans.joined());
        let at = |time: i64| lit(ScalarValue::TimestampMicrosecond(Some(time), Some("UTC".into())));
        let plan = LogicalPlanBuilder::from(self.prepared.exploded.clone())
            .filter(ident("__time").between(at(first), at(last)))?
            .filter(spans.condition(ident("__time"), terms, (first, last)))?
            .build()?;
        self.alerts_of(&plan).await
    }

    /// The alerts of the moments of a plan's rows.
    async fn alerts_of(&mut self, plan: &datafusion::logical_expr::LogicalPlan) -> Result<Vec<Alert>> {
        let mut rows = self.prepared.session.run_counted(plan).await?;
        let mut ordered = Ordered::new(self.request.engine);
        while let Some(batch) = rows.try_next().await? {
            for occurrence in occurrences(&batch, &self.prepared.names)? {
                ordered.add(occurrence).await?;
            }
        }
        self.step.read += rows.figures();
        drop(rows);
        let (engine, history) = (self.request.engine, self.prepared.history);
        let speaker = Speaker::of(engine, self.detection, history);
        speaking(ordered.finish().await?)
            .map(|occurrence| speaker.alert(occurrence?))
            .collect()
    }

    /// Takes alerts as they are now.
    async fn found(&mut self, alerts: Vec<Alert>) -> Result<()> {
        let ids = alerts.iter().map(|alert| alert.alert_id.clone());
        let known = last_of(self.request.engine, ids).await?;
        for alert in alerts {
            let (change, revision) = match known.get(&alert.alert_id) {
                None => (Change::New, 1),
                Some(known) if known.change != Change::Withdrawn && known.alert == alert => continue,
                Some(known) => (Change::Revised, known.revision + 1),
            };
            let due = tick_at(self.detection, alert.time);
            self.step.changes.push(Changed {
                late_since: self.request.before.is_some_and(|before| due <= before).then_some(due),
                alert,
                change,
                revision,
            });
        }
        Ok(())
    }

    /// Withdraws the alerts of starts.
    async fn gone(&mut self, starts: &BTreeSet<Start>) -> Result<()> {
        let columns = self.terms.columns(starts.iter().map(|start| start.0.as_ref()))?;
        let fields = match &self.detection.header.new_terms {
            Some(new_terms) => new_terms.fields.as_slice(),
            None => &[],
        };
        let ids = starts.iter().enumerate().map(|(row, (_, time, id))| {
            let values = columns.iter().map(|column| to_json(column, row));
            let key: Map<String, Value> = fields.iter().cloned().zip(values).collect();
            let which = format!("{} {}", id.as_deref().unwrap_or_default(), format_instant(*time));
            alert_id(self.detection.id(), &key, &which)
        });
        let known = last_of(self.request.engine, ids.collect::<Vec<_>>()).await?;
        let recorded = known.into_values().filter(|known| known.change != Change::Withdrawn);
        self.step.changes.extend(recorded.map(|known| {
            let due = tick_at(self.detection, known.alert.time);
            Changed {
                revision: known.revision + 1,
                alert: known.alert,
                change: Change::Withdrawn,
                late_since: Some(due),
            }
        }));
        Ok(())
    }

    /// The lake reaches further back than it did: some histories are complete now, or are not.
    async fn complete(&mut self, all: bool) -> Result<()> {
        let mut incomplete = current(self.request.engine, self.detection.id()).await?;
        incomplete.retain(|_, known| all || known.alert.history_complete == Some(false));
        // What this step has said of them already is right.
        for changed in &self.step.changes {
            incomplete.remove(&changed.alert.alert_id);
        }
        let times = || incomplete.values().map(|known| known.alert.time);
        let (Some(first), Some(last)) = (times().min(), times().max()) else {
            return Ok(());
        };
        let at = |time: i64| lit(ScalarValue::TimestampMicrosecond(Some(time), Some("UTC".into())));
        let plan = LogicalPlanBuilder::from(self.prepared.exploded.clone())
            .filter(ident("__time").between(at(first), at(last)))?
            .build()?;
        let mut alerts = self.alerts_of(&plan).await?;
        alerts.retain(|alert| incomplete.contains_key(&alert.alert_id));
        self.found(alerts).await
    }
}

/// Columns without names.
fn anonymous(columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    let fields = columns
        .iter()
        .enumerate()
        .map(|(place, column)| Field::new(place.to_string(), column.data_type().clone(), true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    Ok(RecordBatch::try_new(Arc::new(schema), columns)?)
}
