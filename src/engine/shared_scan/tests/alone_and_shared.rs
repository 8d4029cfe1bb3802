//! Whatever plans are put together, each gives what it gives alone.

use super::lake::{ACTIONS, TestLake, alone, plans, run_all, runtime, shared};
use crate::engine::shared_scan::SharedPlan;
use crate::engine::{ScanFigures, scan_bytes};
use proptest::prelude::*;
use std::sync::LazyLock;

static LAKE: LazyLock<TestLake> = LazyLock::new(|| TestLake::made(3, 4000, 500));
/// With room for the hash tables of any eight plans, which cannot go to disk: 900 MB.
static ROOMY: LazyLock<TestLake> = LazyLock::new(|| TestLake::made(3, 4000, 500).with_memory_limit(2 << 30));
/// With so little for queries that queues have to go to disk: 64 MB.
static TIGHT: LazyLock<TestLake> = LazyLock::new(|| TestLake::made(2, 6000, 500).with_memory_limit(320 << 20));

fn assert_same(lake: &TestLake, threads: usize, statements: &[String]) {
    runtime(threads).block_on(async {
        let session = lake.session(threads).await;
        let most = scan_bytes(plans(&session, statements).await).await.unwrap().sum();
        let together = shared(&session, statements).await;
        let results = run_all(&session, &together).await;
        let of_plan = |plan: &SharedPlan| plan.figures().own_bytes + ScanFigures::of(plan.plan().as_ref()).bytes_read;
        let read = together.common_bytes() + together.plans.iter().map(of_plan).sum::<u64>();
        assert!(read <= most.bytes, "{read} of at most {most:?}\n{statements:#?}");
        for (sql, result) in statements.iter().zip(results) {
            assert_eq!(
                result.unwrap_or_else(|error| panic!("{sql}: {error}")),
                alone(&session, sql).await.unwrap(),
                "{sql}\namong {statements:#?}"
            );
        }
    });
}

fn filter() -> impl Strategy<Value = String> {
    let action = || prop::sample::select(ACTIONS.to_vec());
    let simple = prop_oneof![
        3 => action().prop_map(|action| format!("event_action = '{action}'")),
        2 => prop::collection::vec(action(), 1..5)
            .prop_map(|actions| format!("event_action IN ('{}')", actions.join("', '"))),
        1 => action().prop_map(|action| format!("event_action <> '{action}'")),
        1 => (0..23_u8).prop_map(|user| format!("user_id = 'user{user}'")),
        1 => (0..72_u8, 1..30_u8).prop_map(|(from, hours)| format!(
            "timestamp >= TIMESTAMP '2026-03-01T00:00:00Z' + INTERVAL '{from} hours' \
             AND timestamp < TIMESTAMP '2026-03-01T00:00:00Z' + INTERVAL '{} hours'",
            from + hours
        )),
        1 => prop::sample::select(vec![
            "event_dataset = 'o365.audit'",
            "event_dataset = 'azure.signinlogs'",
            "day = DATE '2026-03-02'",
            "user_id IS NULL",
            "source_port IS NOT NULL",
            "source_port > 500",
            "event_category = 'email'",
            "raw LIKE '%Number\":1%'",
            "length(raw) > 200",
            "event_action LIKE 'Ma%'",
            "cast(source_port AS VARCHAR) = '7'",
            "event_action = 'no such action'",
            "raw.Number > 5000",
        ]).prop_map(str::to_owned),
    ];
    simple.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} AND {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            inner.prop_map(|a| format!("NOT ({a})")),
        ]
    })
}

fn statement() -> impl Strategy<Value = String> {
    let plain =
        filter().prop_map(|f| format!("SELECT event_id, event_action, upper(user_id) AS u FROM events WHERE {f}"));
    let wide = filter()
        .prop_map(|f| format!("SELECT event_id, raw, event_category, source_port + 1 AS p FROM events WHERE {f}"));
    let everything = Just("SELECT count(*) AS n FROM events".to_owned());
    let counted = filter().prop_map(|f| format!("SELECT count(*) AS n FROM events WHERE {f}"));
    let grouped = filter().prop_map(|f| {
        format!("SELECT user_id, count(*) AS n, max(timestamp) AS last, count(DISTINCT event_action) AS a FROM events WHERE {f} GROUP BY user_id HAVING count(*) > 3")
    });
    let joined = (filter(), filter()).prop_map(|(f, g)| {
        format!(
            "SELECT a.event_id, b.n FROM (SELECT event_id, user_id FROM events WHERE {f}) a \
             JOIN (SELECT user_id, count(*) AS n FROM events WHERE {g} GROUP BY user_id) b ON a.user_id = b.user_id"
        )
    });
    let semi = (filter(), filter(), any::<bool>()).prop_map(|(f, g, not)| {
        let not = if not { "NOT " } else { "" };
        format!(
            "SELECT event_id FROM events e WHERE {f} AND {not}EXISTS \
             (SELECT 1 FROM (SELECT user_id FROM events WHERE event_action = 'Send' AND {g}) x WHERE x.user_id = e.user_id)"
        )
    });
    let union = (filter(), filter()).prop_map(|(f, g)| {
        format!("SELECT event_id FROM events WHERE {f} UNION ALL SELECT user_id FROM events WHERE {g}")
    });
    let subquery = filter().prop_map(|f| {
        format!("SELECT event_id FROM events WHERE {f} AND timestamp > (SELECT max(timestamp) - INTERVAL '1 day' FROM events WHERE event_action = 'Send')")
    });
    let top = filter().prop_map(|f| {
        format!("SELECT event_id, timestamp FROM events WHERE {f} ORDER BY timestamp DESC, event_id LIMIT 7")
    });
    prop_oneof![4 => plain, 2 => wide, 1 => everything, 2 => counted, 3 => grouped, 2 => joined, 1 => semi, 2 => union, 1 => subquery, 1 => top]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn plans_together_give_what_they_give_alone(
        statements in prop::collection::vec(statement(), 1..9),
        threads in prop::sample::select(vec![1_usize, 2, 4]),
    ) {
        assert_same(&ROOMY, threads, &statements);
    }
}

#[test]
fn queues_on_disk_lose_nothing() {
    // Two joins and no more: what a hash join builds has to fit in memory.
    let statements: Vec<String> = (0..30)
        .map(|n| match n % 15 {
            0 => format!(
                "SELECT a.event_id, a.raw, b.raw AS other FROM events a JOIN events b ON a.event_id = b.event_id \
                 AND a.event_action = b.event_action WHERE b.user_id <> 'user{n}'"
            ),
            1..8 => format!("SELECT event_id, raw, {n} AS n FROM events WHERE event_action <> 'Send'"),
            _ => format!("SELECT event_id, event_category, {n} AS n FROM events"),
        })
        .collect();
    assert_same(&TIGHT, 2, &statements);
}

#[test]
fn a_join_of_two_shared_sides_ends_and_waits_on_disk_where_memory_is_short() {
    for (lake, waits_on_disk) in [(&*LAKE, true), (&*ROOMY, false)] {
        for threads in [1, 2, 4] {
            runtime(threads).block_on(async {
                let session = lake.session(threads).await;
                let sql = "SELECT a.event_id, b.raw FROM events a JOIN events b ON a.event_id = b.event_id AND a.timestamp = b.timestamp WHERE length(a.raw) >= 0 AND length(b.raw) >= 0";
                let together = shared(&session, &[sql]).await;
                assert_eq!(together.plans[0].shared_scans(), (2, 2));
                let result = run_all(&session, &together).await.remove(0).unwrap();
                assert_eq!(result, alone(&session, sql).await.unwrap());
                assert!(result.len() >= 24_000, "{}", result.len());
                assert_eq!(together.plans[0].figures().spilled_bytes > 0, waits_on_disk);
            });
        }
    }
}
