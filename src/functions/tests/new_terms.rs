//! `new_terms` inside a query: however DataFusion spreads, skips or spills its partial
//! aggregates, the result is what the definition says.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, TimestampMicrosecondType};
use datafusion::datasource::MemTable;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use proptest::prelude::*;

use crate::functions::register_all;

type Event = (String, Option<i64>, Option<String>);
type Start = (String, i64, Option<String>, i64);

const HISTORY: i64 = 7;

/// The definition: for each new sighting its term, time and event, and the last sighting before the next new one.
fn expected(events: &[Event]) -> Vec<Start> {
    let mut terms: BTreeMap<&str, BTreeMap<i64, Vec<&str>>> = BTreeMap::new();
    for (term, time, event_id) in events {
        if let Some(time) = time {
            terms
                .entry(term)
                .or_default()
                .entry(*time)
                .or_default()
                .extend(event_id.as_deref());
        }
    }
    let mut starts: Vec<Start> = Vec::new();
    for (term, times) in terms {
        let mut of_term: Vec<Start> = Vec::new();
        for (time, event_ids) in &times {
            if times.range(time - HISTORY..*time).next().is_none() {
                of_term.push((
                    term.to_string(),
                    *time,
                    event_ids.iter().min().map(|id| id.to_string()),
                    *time,
                ));
            }
            of_term.last_mut().unwrap().3 = *time;
        }
        starts.extend(of_term);
    }
    starts
}

fn batch(events: &[Event]) -> RecordBatch {
    let terms: ArrayRef = Arc::new(StringArray::from_iter_values(events.iter().map(|event| &event.0)));
    let times = TimestampMicrosecondArray::from_iter(events.iter().map(|event| event.1)).with_timezone("UTC");
    let event_ids: ArrayRef = Arc::new(StringArray::from_iter(events.iter().map(|event| event.2.as_deref())));
    let event_ids = cast(&event_ids, &DataType::Utf8View).unwrap();
    let columns: [(&str, ArrayRef, bool); 3] = [
        ("term", terms, true),
        ("time", Arc::new(times), true),
        ("event_id", event_ids, true),
    ];
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn session(partitions: &[Vec<Event>], config: SessionConfig, memory: Option<usize>) -> SessionContext {
    let mut runtime = RuntimeEnvBuilder::new();
    if let Some(bytes) = memory {
        runtime = runtime.with_memory_pool(Arc::new(FairSpillPool::new(bytes)));
    }
    let mut context = SessionContext::new_with_config_rt(config, runtime.build_arc().unwrap());
    register_all(&mut context).unwrap();
    let batches: Vec<Vec<RecordBatch>> = partitions
        .iter()
        .map(|events| events.chunks(1000).map(batch).collect())
        .collect();
    let schema = batch(&[]).schema();
    context
        .register_table("events", Arc::new(MemTable::try_new(schema, batches).unwrap()))
        .unwrap();
    context
}

async fn starts(context: &SessionContext, sql: &str) -> Vec<Start> {
    let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
    let mut starts = Vec::new();
    for batch in batches {
        let terms = cast(batch.column(0), &DataType::Utf8).unwrap();
        let times = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        let event_ids = cast(batch.column(2), &DataType::Utf8).unwrap();
        let last_times = batch.column(3).as_primitive::<TimestampMicrosecondType>();
        for row in 0..batch.num_rows() {
            let event_id = event_ids.as_string::<i32>().iter().nth(row).flatten().map(String::from);
            starts.push((
                terms.as_string::<i32>().value(row).into(),
                times.value(row),
                event_id,
                last_times.value(row),
            ));
        }
    }
    starts.sort();
    starts
}

const GROUPED: &str = "SELECT term, start.time, start.event_id, start.last_time FROM (
    SELECT term, unnest(new_terms(time, event_id, INTERVAL '7 microseconds')) AS start FROM events GROUP BY term)";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_plan_gives_the_definition(
        partitions in prop::collection::vec(
            prop::collection::vec(
                ("[a-e]", prop::option::weighted(0.9, 0i64..60), prop::option::weighted(0.9, "[xyz]")), 0..40),
            1..4),
        batch_size in 1usize..20,
        skip_partial in any::<bool>(),
    ) {
        let events: Vec<Event> = partitions.iter().flatten().cloned().collect();
        let all = expected(&events);
        let mut config = SessionConfig::new().with_target_partitions(3).with_batch_size(batch_size);
        if skip_partial {
            // Partial aggregation gives up at once and hands each row on as a state of its own.
            config.options_mut().execution.skip_partial_aggregation_probe_rows_threshold = 0;
            config.options_mut().execution.skip_partial_aggregation_probe_ratio_threshold = 0.0;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let context = session(&partitions, config, None);
            prop_assert_eq!(starts(&context, GROUPED).await, all.clone());

            // Without GROUP BY, and with a FILTER over groups.
            let one = "SELECT 'a', start.time, start.event_id, start.last_time FROM (
                SELECT unnest(new_terms(time, event_id, INTERVAL '7 microseconds')) AS start FROM events WHERE term = 'a')";
            let of_a: Vec<Start> = all.iter().filter(|start| start.0 == "a").cloned().collect();
            prop_assert_eq!(starts(&context, one).await, of_a);
            let filtered = "SELECT term, start.time, start.event_id, start.last_time FROM (
                SELECT term, unnest(new_terms(time, event_id, INTERVAL '7 microseconds') FILTER (WHERE event_id <> 'y')) AS start
                FROM events GROUP BY term)";
            let without_y: Vec<Event> = events.iter().filter(|e| e.2.as_deref().is_some_and(|id| id != "y")).cloned().collect();
            prop_assert_eq!(starts(&context, filtered).await, expected(&without_y));
            Ok(())
        })?;
    }
}

fn has_spilled(metrics: &str) -> bool {
    metrics
        .split_once("spill_count=")
        .is_some_and(|(_, count)| !count.starts_with('0'))
}

#[tokio::test]
async fn many_terms_in_little_memory_spill_and_stay_exact() {
    let events: Vec<Event> = (0..60_000i64)
        .map(|n| {
            (
                format!("term-{}", n * 7919 % 20_000),
                Some(n / 5_000 * 4),
                Some(format!("event-{n:032}")),
            )
        })
        .collect();
    let partitions: Vec<Vec<Event>> = events.chunks(30_000).map(<[Event]>::to_vec).collect();
    let config = SessionConfig::new().with_target_partitions(2).with_batch_size(1024);
    let context = session(&partitions, config, Some(6_000_000));
    let plan = context
        .sql(GROUPED)
        .await
        .unwrap()
        .create_physical_plan()
        .await
        .unwrap();
    let batches = datafusion::physical_plan::collect(Arc::clone(&plan), context.task_ctx())
        .await
        .unwrap();
    let found: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(found, expected(&events).len());
    let shown = datafusion::physical_plan::display::DisplayableExecutionPlan::with_metrics(plan.as_ref());
    let shown = shown.indent(false).to_string();
    let spilled = shown
        .lines()
        .any(|line| line.contains("AggregateExec") && has_spilled(line));
    assert!(spilled, "the memory the groups hold is not accounted for:\n{shown}");
    assert_eq!(starts(&context, GROUPED).await, expected(&events));
}
