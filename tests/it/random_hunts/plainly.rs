//! What one run of a detection gives, held against the same plan as it was written: no condition
//! moved, nothing pruned, and of the optimiser only what the planner cannot do without. Replay and
//! one pass are both optimised, and could both be wrong.

use super::choices::tape;
use super::events::{ERAS, Events};
use super::grammar::Case;
use super::property::plan;
use super::world::{World, block_on, is_of_the_library};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::Optimizer;
use datafusion::physical_plan::collect;
use datafusion::prelude::SessionContext;
use futures::FutureExt as _;
use retrohunt::engine::{Clock, Engine, Scope, Window};
use std::any::Any;
use std::panic::AssertUnwindSafe;

/// Ticks of each detection.
const TICKS: usize = 3;

/// Rules without which some plans have no meaning to the planner.
const NEEDED: [&str; 7] = [
    "rewrite_set_comparison",
    "replace_distinct_aggregate",
    "decorrelate_predicate_subquery",
    "scalar_subquery_to_join",
    "decorrelate_lateral_join",
    "simplify_expressions",
    // A NOT IN knows about NULL only so.
    "extract_equijoin_predicate",
];

fn plain(state: SessionState) -> SessionState {
    let mut rules = Optimizer::new().rules;
    rules.retain(|rule| NEEDED.contains(&rule.name()));
    assert_eq!(rules.len(), NEEDED.len());
    // With our rules: a sort would be left away in these plans too.
    let mut physical = state.physical_optimizers().to_vec();
    physical.retain(|rule| !rule.name().contains("FilterPushdown"));
    let mut config = state.config().clone();
    config.options_mut().execution.parquet.pushdown_filters = false;
    config.options_mut().execution.parquet.pruning = false;
    SessionStateBuilder::new_from_existing(state)
        .with_config(config.with_target_partitions(1))
        .with_optimizer_rules(rules)
        .with_physical_optimizer_rules(physical)
        .build()
}

/// The rows of a plan in the order of their text, or the error.
async fn rows(state: SessionState, plan: LogicalPlan) -> Result<Vec<String>> {
    let physical = state.create_physical_plan(&plan).await?;
    let context = SessionContext::new_with_state(state);
    let batches = collect(physical, context.task_ctx()).await?;
    let mut rows = Vec::new();
    for batch in &batches {
        rows.extend(texts(batch)?);
    }
    rows.sort();
    Ok(rows)
}

fn texts(batch: &RecordBatch) -> Result<Vec<String>> {
    let options = FormatOptions::default().with_null("null");
    let formats = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options));
    let formats = formats.collect::<std::result::Result<Vec<_>, _>>()?;
    let row = |row| {
        formats
            .iter()
            .map(|format| format.value(row).to_string())
            .collect::<Vec<_>>()
            .join(" | ")
    };
    Ok((0..batch.num_rows()).map(row).collect())
}

/// Both results at a tick; none where one of them failed.
async fn both(engine: &Engine, sql: &str, tick: i64, lookback: i64) -> Option<[Vec<String>; 2]> {
    let scope = Scope {
        window: Some(Window {
            after: tick - lookback,
            until: tick,
        }),
        now: Some(Clock::At(tick)),
    };
    let session = engine.session(scope).unwrap();
    let planned = session.plan(sql).await.ok()?;
    let state = session.context().state();
    // The planner breaks on some plans that are not optimised, with an error or without.
    let plain = AssertUnwindSafe(rows(plain(state.clone()), planned.plan.clone())).catch_unwind();
    let plain = plain.await.ok()?.ok()?;
    let optimised = match AssertUnwindSafe(rows(state, planned.plan)).catch_unwind().await {
        Ok(Ok(rows)) => rows,
        // On a row that no condition leaves: what comes first is the optimiser's choice.
        Ok(Err(error)) if error.to_string().contains("Divide by zero") => return None,
        // A rule of the library's breaks some plans (DataFusion 55), and says so.
        Ok(Err(error)) if error.to_string().contains("aggregate_statistics") => return None,
        Ok(Err(error)) => panic!("{error}\n{sql}"),
        Err(panic) if is_of_the_library(&message(panic.as_ref())) => return None,
        Err(panic) => panic!("{}\n{sql}", message(panic.as_ref())),
    };
    Some([optimised, plain])
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let formatted = panic.downcast_ref::<String>().cloned();
    text.or(formatted).unwrap_or_default()
}

#[test]
fn a_run_gives_what_its_plan_says() {
    let (count, seed) = plan(10);
    let (mut compared, mut with_rows) = (0, 0);
    for (number, era) in ERAS.into_iter().enumerate() {
        let events = (0..)
            .map(|at| Events::of(seed.wrapping_add(at)))
            .find(|events| events.era == era)
            .unwrap();
        let world = World::of_events(&events);
        for case in 0..count {
            let numbers = tape(
                seed.wrapping_mul(1000)
                    .wrapping_add(u64::from(case) * 3 + number as u64),
                160,
            );
            let detection = Case::of(&numbers, "plain", era).detection;
            let lookback = detection.header.lookback.unwrap().as_micros() as i64;
            for number in &numbers[..TICKS] {
                let part = i64::from(number % 100);
                let tick = era.start + era.length / 100 * part + lookback / 2;
                let (engine, sql) = (world.engine.clone(), detection.sql.clone());
                let found = block_on(async move { both(&engine, &sql, tick, lookback).await });
                let Some([optimised, plain]) = found else { continue };
                compared += 1;
                with_rows += u32::from(!plain.is_empty());
                assert_eq!(
                    optimised,
                    plain,
                    "RETROHUNT_RANDOM_SEED={seed}\nat {tick}, lookback {lookback}\n{}\nevents, after the number of their ingest:\n{}",
                    detection.sql.trim(),
                    events.lines()
                );
            }
        }
    }
    assert!(
        compared > count * 6 && with_rows * 4 > compared,
        "{compared} compared, {with_rows} with rows"
    );
}
