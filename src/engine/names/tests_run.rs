//! Resolved statements, planned and run: what the names mean, not how they are spelled.

use super::*;
use crate::engine::raw_field::raw_field_udf;
use crate::functions::register_all;
use datafusion::arrow::array::{ArrayRef, ListBuilder, StringArray, StringBuilder, TimestampMicrosecondArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::common::TableReference;
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::Statement as PlannerStatement;
use std::sync::Arc;

/// 2024-03-01T10:00:00Z
const NOW: i64 = 1_709_287_200_000_000;
const HOUR: i64 = 3_600_000_000;

fn categories() -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for categories in [Some(vec!["web", "email"]), Some(vec!["iam"]), Some(vec![]), None] {
        match categories {
            Some(values) => {
                values.into_iter().for_each(|value| lists.values().append_value(value));
                lists.append(true);
            }
            None => lists.append(false),
        }
    }
    let views = DataType::List(Arc::new(Field::new("item", DataType::Utf8View, true)));
    cast(&lists.finish(), &views).unwrap()
}

fn session() -> (SessionContext, Names) {
    let mut config = SessionConfig::new()
        .with_target_partitions(1)
        .with_information_schema(true);
    config.options_mut().sql_parser.enable_ident_normalization = false;
    let mut context = SessionContext::new_with_config(config);
    register_all(&mut context).unwrap();
    context.register_udf(raw_field_udf());
    let times: Vec<i64> = (0..4).map(|hours| NOW - hours * HOUR).collect();
    let text = |values: Vec<Option<&str>>| Arc::new(StringArray::from(values)) as ArrayRef;
    let events = RecordBatch::try_from_iter_with_nullable([
        (
            "timestamp",
            Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC")) as ArrayRef,
            true,
        ),
        ("event_id", text(vec![Some("a"), Some("b"), Some("c"), Some("d")]), true),
        (
            "event_action",
            text(vec![Some("Read"), Some("Read"), Some("Write"), None]),
            true,
        ),
        ("user_id", text(vec![Some("u"), Some("u"), Some("v"), Some("w")]), true),
        ("event_category", categories(), true),
        (
            "raw",
            text(vec![Some(r#"{"Brand":{"New":7}}"#), Some("{}"), None, Some("x")]),
            true,
        ),
    ])
    .unwrap();
    let evidence = RecordBatch::try_from_iter([("AccountObjectId", text(vec![Some("u"), Some("w")]))]).unwrap();
    let tables = [("events", &events), ("AlertEvidence", &evidence)].map(|(name, batch)| {
        let table = MemTable::try_new(batch.schema(), vec![vec![batch.clone()]]).unwrap();
        // A name given as text would be folded to lower case.
        context
            .register_table(TableReference::bare(name), Arc::new(table))
            .unwrap();
        (name.to_owned(), batch.schema())
    });
    (context, Names::new(&tables))
}

async fn run(sql: &str) -> Result<String, String> {
    let (context, names) = session();
    let mut statement = parse_query(sql).map_err(|error| error.to_string())?;
    names
        .resolve(&mut statement, Some(Clock::At(NOW)))
        .map_err(|error| error.to_string())?;
    let statement = PlannerStatement::Statement(Box::new(statement));
    let explain = |error: DataFusionError| names.explain_plan_error(&error).unwrap_or_else(|| error.to_string());
    let plan = context.state().statement_to_plan(statement).await.map_err(explain)?;
    let frame = context
        .execute_logical_plan(plan)
        .await
        .map_err(|error| error.to_string())?;
    let batches = frame.collect().await.map_err(|error| error.to_string())?;
    Ok(pretty_format_batches(&batches).unwrap().to_string())
}

/// The ids of the events that a condition selects.
async fn ids(condition: &str) -> String {
    let table = run(&format!(
        "SELECT event.id FROM events WHERE {condition} ORDER BY event.id"
    ))
    .await
    .unwrap();
    let ids = table.lines().skip(3).filter(|line| line.starts_with("| "));
    ids.map(|line| line.trim_matches(['|', ' '])).collect()
}

#[tokio::test]
async fn any_element() {
    for (condition, expected) in [
        ("event.category = 'web'", "a"),
        ("event.category <> 'web'", "bcd"),
        ("NOT (event.category = 'web')", "bcd"),
        ("event.category IN ('iam', 'email')", "ab"),
        ("event.category NOT IN ('iam', 'email')", "cd"),
        ("event.category LIKE 'e%l'", "a"),
        ("event.category NOT LIKE '%m'", "acd"),
        ("event.category LIKE '_am'", "b"),
        ("event.category ILIKE 'WEB'", "a"),
        ("event.category NOT ILIKE 'w_b'", "bcd"),
        ("event.category = event.id", ""),
        (
            "event.category IN (SELECT CASE AccountObjectId WHEN 'u' THEN 'iam' ELSE 'email' END FROM AlertEvidence)",
            "ab",
        ),
        (
            "event.category IN (SELECT AccountObjectId FROM AlertEvidence WHERE false)",
            "",
        ),
        ("event.category IS NULL", "d"),
    ] {
        assert_eq!(ids(condition).await, expected, "{condition}");
    }
}

#[tokio::test]
async fn clock_and_raw_fields() {
    assert_eq!(ids("timestamp > now() - INTERVAL '2 hours'").await, "ab");
    assert_eq!(
        ids("@timestamp >= current_timestamp - INTERVAL '2 hours' AND @timestamp < now()").await,
        "bc"
    );
    assert_eq!(ids("timestamp >= today()").await, "abcd");
    assert_eq!(ids("o365.audit.Brand.New = '7'").await, "a");
    assert_eq!(
        ids("user.id IN (SELECT accountobjectid FROM alertevidence)").await,
        "abd"
    );
}

#[tokio::test]
async fn grouping_and_ordering() {
    insta::assert_snapshot!(
        run("SELECT event.action, count(*) AS events, COUNT(DISTINCT user.id) FROM Events \
             GROUP BY event.action HAVING count(event.id) > 0 ORDER BY count(*) DESC, event.action NULLS LAST").await.unwrap(),
        @"
    +--------------+--------+-------------------------+
    | event.action | events | COUNT(DISTINCT user.id) |
    +--------------+--------+-------------------------+
    | Read         | 2      | 1                       |
    | Write        | 1      | 1                       |
    |              | 1      | 1                       |
    +--------------+--------+-------------------------+
    "
    );
    insta::assert_snapshot!(
        run("SELECT DISTINCT user.id FROM events ORDER BY user.id DESC").await.unwrap(),
        @"
    +---------+
    | user.id |
    +---------+
    | w       |
    | v       |
    | u       |
    +---------+
    "
    );
    insta::assert_snapshot!(
        run("WITH firsts AS (SELECT user.id, min(@timestamp) AS first FROM events GROUP BY user.id) \
             SELECT e.event.id, f.first, row_number() OVER (PARTITION BY e.user.id ORDER BY e.@timestamp) AS n \
             FROM events e JOIN Firsts f ON f.user.id = e.user.id ORDER BY e.event.id").await.unwrap(),
        @"
    +----------+----------------------+---+
    | event.id | first                | n |
    +----------+----------------------+---+
    | a        | 2024-03-01T09:00:00Z | 2 |
    | b        | 2024-03-01T09:00:00Z | 1 |
    | c        | 2024-03-01T08:00:00Z | 1 |
    | d        | 2024-03-01T07:00:00Z | 1 |
    +----------+----------------------+---+
    "
    );
    insta::assert_snapshot!(
        run("SELECT a.event.id, b.event.id FROM events a JOIN events b ON a.user.id = b.user.id AND a.event.id < b.event.id").await.unwrap(),
        @"
    +----------+------------+
    | event.id | b.event.id |
    +----------+------------+
    | a        | b          |
    +----------+------------+
    "
    );
    insta::assert_snapshot!(
        run("SELECT event.id FROM events UNION ALL SELECT accountobjectid FROM AlertEvidence ORDER BY event.id").await.unwrap(),
        @"
    +----------+
    | event.id |
    +----------+
    | a        |
    | b        |
    | c        |
    | d        |
    | u        |
    | w        |
    +----------+
    "
    );
    insta::assert_snapshot!(
        run("SELECT category, count(*) AS n FROM (SELECT unnest(event.category) AS category FROM events) GROUP BY category ORDER BY category").await.unwrap(),
        @"
    +----------+---+
    | category | n |
    +----------+---+
    | email    | 1 |
    | iam      | 1 |
    | web      | 1 |
    +----------+---+
    "
    );
    insta::assert_snapshot!(run("DESCRIBE alertevidence").await.unwrap(), @"
    +-----------------+-----------+-------------+
    | column_name     | data_type | is_nullable |
    +-----------------+-----------+-------------+
    | AccountObjectId | Utf8      | NO          |
    +-----------------+-----------+-------------+
    ");
}

#[tokio::test]
async fn planning_errors_name_what_is_there() {
    for (sql, expected) in [
        (
            "SELECT event_acton FROM events",
            "unknown column event_acton in events; did you mean event_action, event_category?",
        ),
        (
            "SELECT e.evnt_id FROM events e",
            "unknown column evnt_id in e; did you mean event_id?",
        ),
        (
            "SELECT zzz FROM AlertEvidence",
            "unknown column zzz in AlertEvidence; `DESCRIBE <table>` lists the columns of a table",
        ),
        (
            "SELECT raw FROM AlertEvidence",
            "unknown column raw in AlertEvidence; it is a column of events",
        ),
        (
            "SELECT raw FROM (SELECT event_id FROM events) AS s",
            "unknown column raw in s; it is a column of events",
        ),
        (
            "SELECT AccountObjectIt FROM events",
            "unknown column AccountObjectIt in events; did you mean AccountObjectId of AlertEvidence?",
        ),
        (
            "SELECT x.y FROM generate_series(1, 3) AS t",
            "x.y: FROM has no x; it has t",
        ),
    ] {
        assert_eq!(run(sql).await.unwrap_err(), expected, "{sql}");
    }
}
