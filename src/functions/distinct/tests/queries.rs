//! Inside queries, held against DataFusion's own.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, ListArray, RecordBatch, StringArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::datasource::MemTable;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use proptest::prelude::*;

use crate::functions::distinct;

/// A group, a value and a condition.
type Row = (Option<i64>, Option<i64>, Option<bool>);

/// The columns made of the value.
const COLUMNS: [&str; 9] = [
    "viewed", "text", "bytes", "number", "half", "flag", "time", "list", "lists",
];

fn batch(rows: &[Row]) -> RecordBatch {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.1)));
    // Some short enough for a view, some not.
    let text = |n: i64| match n % 2 {
        0 => format!("text {n}"),
        _ => format!("a text that is longer than a view {n}"),
    };
    let texts: ArrayRef = Arc::new(StringArray::from_iter(rows.iter().map(|row| row.1.map(text))));
    let views = cast(&texts, &DataType::Utf8View).unwrap();
    let flags = BooleanArray::from_iter(rows.iter().map(|row| row.1.map(|n| n % 3 == 0)));
    let halves = Float64Array::from_iter(rows.iter().map(|row| row.1.map(|n| (n - 3) as f64 / 2.0)));
    let mut list = datafusion::arrow::array::ListBuilder::new(datafusion::arrow::array::StringViewBuilder::new());
    for (_, value, _) in rows {
        for n in 0..value.unwrap_or(0) % 4 {
            list.values().append_option((n != 1).then(|| text(value.unwrap_or(0))));
        }
        list.append(value.is_some());
    }
    let list: ArrayRef = Arc::new(list.finish());
    let lists = datafusion::arrow::array::ListArray::try_new(
        distinct::types::element(list.data_type()),
        datafusion::arrow::buffer::OffsetBuffer::from_repeated_length(1, list.len()),
        Arc::clone(&list),
        None,
    );
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let columns: [(&str, ArrayRef, bool); 11] = [
        ("g", Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.0))), true),
        (
            "wanted",
            Arc::new(BooleanArray::from_iter(rows.iter().map(|row| row.2))),
            true,
        ),
        ("viewed", views, true),
        ("bytes", cast(&texts, &DataType::Binary).unwrap(), true),
        ("text", texts, true),
        ("time", cast(&numbers, &time).unwrap(), true),
        ("number", numbers, true),
        ("half", Arc::new(halves), true),
        ("flag", Arc::new(flags), true),
        ("list", list, true),
        ("lists", Arc::new(lists.unwrap()), true),
    ];
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn session(partitions: &[Vec<Row>], config: SessionConfig, memory: Option<usize>) -> SessionContext {
    let mut runtime = RuntimeEnvBuilder::new();
    if let Some(bytes) = memory {
        runtime = runtime.with_memory_pool(Arc::new(FairSpillPool::new(bytes)));
    }
    let context = SessionContext::new_with_config_rt(config, runtime.build_arc().unwrap());
    context.register_udaf(distinct::count());
    context.register_udaf(distinct::list());
    let batches: Vec<Vec<RecordBatch>> = partitions
        .iter()
        .map(|rows| rows.chunks(1000).map(batch).collect())
        .collect();
    let table = MemTable::try_new(batch(&[]).schema(), batches).unwrap();
    context.register_table("t", Arc::new(table)).unwrap();
    context
}

/// The elements of a list as rows that compare as arrow's row format orders them.
fn rows_of(list: &ListArray, row: usize) -> Option<Vec<OwnedRow>> {
    let values = list.is_valid(row).then(|| list.value(row))?;
    let converter = RowConverter::new(vec![SortField::new(values.data_type().clone())]).unwrap();
    let rows = converter.convert_columns(&[values]).unwrap();
    Some(rows.iter().map(|row| row.owned()).collect())
}

/// Holds the columns 1 and 2 (ours: a count, a list) of a query against 3 and 4 (DataFusion's).
async fn agrees(context: &SessionContext, sql: &str) {
    let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
    for batch in batches {
        assert_eq!(batch.column(1), batch.column(3), "{sql}");
        assert_eq!(batch.column(2).data_type(), batch.column(4).data_type(), "{sql}");
        for row in 0..batch.num_rows() {
            let ours = rows_of(batch.column(2).as_list(), row);
            let theirs = rows_of(batch.column(4).as_list(), row).map(|mut rows| {
                rows.sort();
                rows
            });
            assert!(ours == theirs, "{sql}: {batch:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_plan_gives_what_datafusion_gives(
        partitions in prop::sample::select(vec![1usize, 3]).prop_flat_map(|partitions| prop::collection::vec(
            prop::collection::vec(
                (prop::option::weighted(0.9, 0i64..30), prop::option::weighted(0.8, 0i64..9), any::<Option<bool>>()),
                0..80),
            partitions)),
        batch_size in 1usize..30,
        skip_partial in any::<bool>(),
    ) {
        let mut config = SessionConfig::new().with_target_partitions(partitions.len()).with_batch_size(batch_size);
        if skip_partial {
            // Partial aggregation gives up at once and hands each row on as a state of its own.
            config.options_mut().execution.skip_partial_aggregation_probe_rows_threshold = 0;
            config.options_mut().execution.skip_partial_aggregation_probe_ratio_threshold = 0.0;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let context = session(&partitions, config, None);
            for x in COLUMNS {
                for filter in ["", " FILTER (WHERE wanted)"] {
                    for nulls in ["", " IGNORE NULLS"] {
                        let columns = format!(
                            "__count_distinct({x}){filter}, __distinct_list({x}){filter}{nulls}, \
                             count(DISTINCT {x}){filter}, array_agg(DISTINCT {x}){filter}{nulls}");
                        agrees(&context, &format!("SELECT g, {columns} FROM t GROUP BY g")).await;
                        agrees(&context, &format!("SELECT 0, {columns} FROM t")).await;
                        // In order of the groups, which then leave one after the other.
                        agrees(&context, &format!("SELECT g, {columns} FROM (SELECT * FROM t ORDER BY g) GROUP BY g")).await;
                        agrees(&context, &format!("SELECT g, {columns} FROM (SELECT *, 1 AS h FROM t ORDER BY g) \
                            GROUP BY GROUPING SETS ((g), (g, h), ())")).await;
                    }
                }
            }
        });
    }
}

fn has_spilled(metrics: &str) -> bool {
    metrics
        .split_once("spill_count=")
        .is_some_and(|(_, count)| !count.starts_with('0'))
}

#[tokio::test]
async fn many_groups_in_little_memory_spill_and_stay_exact() {
    let rows: Vec<Row> = (0..120_000i64)
        .map(|n| {
            (
                Some(n * 7919 % 40_000),
                (n % 17 != 0).then_some(n % 501),
                Some(n % 5 != 0),
            )
        })
        .collect();
    let partitions: Vec<Vec<Row>> = rows.chunks(40_000).map(<[Row]>::to_vec).collect();
    let config = || SessionConfig::new().with_target_partitions(2).with_batch_size(1024);
    for x in ["viewed", "text", "number", "list"] {
        for call in ["__count_distinct", "__distinct_list"] {
            let sql = format!("SELECT g, {call}({x}) AS found FROM t GROUP BY g");
            let context = session(&partitions, config(), Some(4_000_000));
            let plan = context.sql(&sql).await.unwrap().create_physical_plan().await.unwrap();
            let found = datafusion::physical_plan::collect(Arc::clone(&plan), context.task_ctx())
                .await
                .unwrap();
            let shown = DisplayableExecutionPlan::with_metrics(plan.as_ref())
                .indent(false)
                .to_string();
            let spilled = shown
                .lines()
                .any(|line| line.contains("AggregateExec") && has_spilled(line));
            assert!(spilled, "the memory the groups hold is not accounted for:\n{shown}");

            let plain = session(&partitions, config(), None);
            let found = MemTable::try_new(plan.schema(), vec![found]).unwrap();
            plain.register_table("found", Arc::new(found)).unwrap();
            // Without array_agg of DataFusion, which takes gigabytes for so many groups.
            let (own, found) = match call {
                "__count_distinct" => (
                    format!("SELECT g, count({x}) FROM (SELECT DISTINCT g, {x} FROM t) GROUP BY g"),
                    "SELECT g, found FROM found",
                ),
                _ => (
                    format!("SELECT DISTINCT g, {x} FROM t"),
                    "SELECT g, unnest(found) FROM found",
                ),
            };
            assert_eq!(number(&plain, &own).await, number(&plain, found).await, "{call} of {x}");
            let missing = number(&plain, &format!("{own} EXCEPT {found}")).await;
            assert_eq!(missing, 0, "{call} of {x}");
        }
    }
}

/// How many rows a query gives.
async fn number(context: &SessionContext, sql: &str) -> usize {
    context.sql(sql).await.unwrap().count().await.unwrap()
}
