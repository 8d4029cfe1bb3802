//! Plans that end early, fail, start late or never, and what a plan looks like.

use super::lake::{ACTIONS, TestLake, alone, collect, plans, run_all, runtime, shared};
use crate::engine::shared_scan::{SharedScanExec, share};
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::physical_plan::{ExecutionPlan, displayable};
use futures::StreamExt as _;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

static LAKE: LazyLock<TestLake> = LazyLock::new(|| TestLake::made(3, 20_000, 2000));

const WIDE: &str = "SELECT event_id, raw FROM events WHERE event_action <> 'Send'";
/// It reads what the other one reads.
const COUNT: &str = "SELECT event_action, count(raw) AS n FROM events GROUP BY event_action";

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work)
        .await
        .expect("hangs")
}

#[test]
fn a_dropped_plan_holds_up_nobody() {
    runtime(2).block_on(async {
        let session = LAKE.session(2).await;
        let mut together = shared(&session, &[WIDE, COUNT, WIDE]).await;
        let context = session.context().task_ctx();
        let mut dropped = together.plans[0].run(Arc::clone(&context)).unwrap();
        assert!(within(dropped.next()).await.unwrap().is_ok());
        let last = together.plans.remove(2);
        drop((dropped, last));
        let count = within(collect(together.plans[1].run(context).unwrap())).await.unwrap();
        assert_eq!(count, alone(&session, COUNT).await.unwrap());
    });
}

#[test]
fn plans_may_run_one_after_the_other_while_the_later_ones_wait_on_disk() {
    runtime(2).block_on(async {
        let session = LAKE.session(2).await;
        let together = shared(&session, &[COUNT, WIDE]).await;
        for (plan, sql) in together.plans.iter().zip([COUNT, WIDE]) {
            let found = within(collect(plan.run(session.context().task_ctx()).unwrap()))
                .await
                .unwrap();
            assert_eq!(found, alone(&session, sql).await.unwrap());
        }
        assert!(together.plans[1].figures().spilled_bytes > 0);
    });
}

#[test]
fn one_plans_error_is_its_own() {
    runtime(2).block_on(async {
        let session = LAKE.session(2).await;
        let fails = "SELECT event_id FROM events WHERE cast(event_action AS BIGINT) > 1";
        let fails_later = "SELECT cast(user_id AS BIGINT) AS n FROM events WHERE event_action <> 'Send'";
        let together = shared(&session, &[WIDE, fails, COUNT, fails_later]).await;
        assert!(together.plans.iter().all(|plan| plan.shared_scans() == (1, 1)));
        let results = run_all(&session, &together).await;
        assert_eq!(results[0].as_ref().unwrap(), &alone(&session, WIDE).await.unwrap());
        assert_eq!(results[2].as_ref().unwrap(), &alone(&session, COUNT).await.unwrap());
        for number in [1, 3] {
            let error = results[number].as_ref().unwrap_err().to_string();
            assert!(error.contains("Cannot cast"), "{error}");
        }
    });
}

#[test]
fn a_missing_file_reaches_everybody_who_wants_it() {
    runtime(2).block_on(async {
        let lake = TestLake::new(2, 500, 100).await;
        let session = lake.session(2).await;
        let o365 = "SELECT event_id FROM events WHERE event_dataset = 'o365.audit'";
        let sign_ins = "SELECT event_id FROM events WHERE event_dataset = 'azure.signinlogs'";
        let statements = [o365, COUNT, sign_ins];
        let expected = alone(&session, sign_ins).await.unwrap();
        // The first session has the metadata in its cache.
        let session = lake.session(2).await;
        let together = shared(&session, &statements).await;
        let folder = lake.path().join("events/event_dataset=o365.audit/day=2026-03-01");
        std::fs::remove_dir_all(folder).unwrap();
        let results = run_all(&session, &together).await;
        assert!(results[0].is_err() && results[1].is_err());
        assert_eq!(results[2].as_ref().unwrap(), &expected);
    });
}

#[test]
fn dropping_everything_stops_the_scan() {
    let runtime = runtime(2);
    let session = runtime.block_on(async {
        let session = LAKE.session(2).await;
        let together = shared(&session, &[WIDE, COUNT]).await;
        let mut first = together.plans[0].run(session.context().task_ctx()).unwrap();
        assert!(within(first.next()).await.unwrap().is_ok());
        drop((first, together));
        session
    });
    // Every task has to end by itself or by being aborted; a leaked one would wait for ever.
    let handle = runtime.handle().clone();
    runtime.block_on(within(async move {
        while handle.metrics().num_alive_tasks() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }));
    assert_eq!(session.context().runtime_env().memory_pool.reserved(), 0);
}

#[test]
fn a_partition_that_nobody_polls_holds_up_none() {
    runtime(2).block_on(async {
        let session = LAKE.session(4).await;
        let together = share(plans(&session, &[WIDE, COUNT]).await).await.unwrap();
        let node = nodes(together.plans[0].plan()).remove(0);
        assert!(node.properties().output_partitioning().partition_count() > 1);
        // One partition alone gets all rows; the others are opened and left.
        let context = session.context().task_ctx();
        let others: Vec<_> = (1..node.properties().output_partitioning().partition_count())
            .map(|partition| node.execute(partition, Arc::clone(&context)).unwrap())
            .collect();
        let rows = tokio::spawn(collect(node.execute(0, Arc::clone(&context)).unwrap()));
        let count = within(collect(together.plans[1].run(Arc::clone(&context)).unwrap())).await;
        assert_eq!(count.unwrap(), alone(&session, COUNT).await.unwrap());
        assert_eq!(
            within(rows).await.unwrap().unwrap(),
            alone(&session, WIDE).await.unwrap()
        );
        drop(others);
        let again = node.execute(0, context).err().unwrap().to_string();
        assert!(again.contains("plan it again"), "{again}");
    });
}

fn nodes(plan: &Arc<dyn ExecutionPlan>) -> Vec<Arc<dyn ExecutionPlan>> {
    let mut found = Vec::new();
    plan.apply(|node| {
        if node.downcast_ref::<SharedScanExec>().is_some() {
            found.push(Arc::clone(node));
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .unwrap();
    found
}

#[test]
fn a_plan_with_two_scans_may_read_them_in_any_order() {
    runtime(2).block_on(async {
        let session = LAKE.session(1).await;
        let union = format!("{WIDE} UNION ALL {WIDE}");
        let together = shared(&session, &[union]).await;
        let context = session.context().task_ctx();
        let scans = nodes(together.plans[0].plan());
        let mut first = scans[0].execute(0, Arc::clone(&context)).unwrap();
        let one = within(first.next()).await.unwrap().unwrap().num_rows();
        // The other to its end, while this one has begun and waits.
        let expected = alone(&session, WIDE).await.unwrap();
        let second = collect(scans[1].execute(0, context).unwrap());
        assert_eq!(within(second).await.unwrap(), expected);
        let rest = within(collect(first)).await.unwrap();
        assert_eq!(one + rest.len(), expected.len());
    });
}

#[test]
fn who_has_all_its_rows_ends_while_others_wait() {
    runtime(2).block_on(async {
        let session = LAKE.session(1).await;
        let [sign_ins, audit] = ["azure.signinlogs", "o365.audit"]
            .map(|dataset| format!("SELECT event_id, raw FROM events WHERE event_dataset = '{dataset}'"));
        let everything = "SELECT event_id, raw FROM events".to_owned();
        let mut together = shared(&session, &[&sign_ins, &sign_ins, &audit, &audit, &everything]).await;
        assert_eq!(together.scans.len(), 1, "the last one has to do with all");
        // Nobody asks for the rows of these, so that the sign-ins come first.
        let never = together.plans.split_off(3);
        let mut runs = together
            .plans
            .iter()
            .map(|plan| plan.run(session.context().task_ctx()).unwrap());
        let (first, second, mut held) = (runs.next().unwrap(), runs.next().unwrap(), runs.next().unwrap());
        // This one takes a batch of many, and the scan waits for it.
        let (first, second, one) = within(async { tokio::join!(collect(first), collect(second), held.next()) }).await;
        let expected = alone(&session, &sign_ins).await.unwrap();
        assert_eq!((first.unwrap(), second.unwrap()), (expected.clone(), expected));
        let one = one.unwrap().unwrap().num_rows();
        let rest = within(collect(held)).await.unwrap();
        assert!(!rest.is_empty());
        assert_eq!(one + rest.len(), alone(&session, &audit).await.unwrap().len());
        drop(never);
    });
}

#[test]
fn what_cannot_be_shared_stays() {
    runtime(2).block_on(async {
        let session = LAKE.session(2).await;
        let o365 = "SELECT event_id FROM events WHERE event_dataset = 'o365.audit'";
        let sign_ins = "SELECT event_id FROM events WHERE event_dataset = 'azure.signinlogs'";
        let counts = |together: &crate::engine::shared_scan::Shared| -> Vec<(usize, usize)> {
            together.plans.iter().map(|plan| plan.shared_scans()).collect()
        };
        let apart = shared(&session, &[o365, sign_ins]).await;
        assert_eq!(counts(&apart), [(0, 1), (0, 1)], "no file in common");
        let limit = "SELECT event_id FROM events LIMIT 3";
        let twice = "SELECT a.event_id, b.event_id AS other FROM events a, events b WHERE a.timestamp > b.timestamp + INTERVAL '1 day' AND a.event_action = 'Send'";
        let mixed = shared(&session, &[limit, twice, o365, o365]).await;
        // A limit, a left side that is read again, and a right side that waits for it with all its rows.
        assert_eq!(counts(&mixed), [(0, 1), (0, 2), (1, 1), (1, 1)]);
        let shown = displayable(mixed.plans[2].plan().as_ref()).indent(false).to_string();
        assert!(shown.contains("SharedScanExec: shared_with=1, files=3, projection=[event_id"), "{shown}");
        let filtered = shared(&session, &[WIDE, COUNT]).await;
        let shown = displayable(filtered.plans[0].plan().as_ref()).indent(false).to_string();
        assert!(shown.contains("predicate=event_action@"), "{shown}");
    });
}

#[test]
fn figures_count_rows_and_bytes_once() {
    runtime(2).block_on(async {
        let session = LAKE.session(2).await;
        let one = "SELECT event_id FROM events WHERE event_action = 'MailItemsAccessed'";
        let together = shared(&session, &[one, one, "SELECT count(event_id) AS n FROM events"]).await;
        let results = run_all(&session, &together).await;
        let figures: Vec<_> = together.plans.iter().map(|plan| plan.figures()).collect();
        assert_eq!(figures[0].rows_matched as usize, results[0].as_ref().unwrap().len());
        assert_eq!(figures[0].rows_in, figures[1].rows_in);
        assert_eq!((figures[2].rows_in, figures[2].rows_matched), (120_000, 120_000));
        // Files are sorted by action, so most row groups are ruled out.
        assert!(figures[0].rows_in < 60_000, "{figures:?}");
        assert!(together.common_bytes() > 0);
    });
}

#[test]
fn what_does_not_pay_is_read_apart() {
    runtime(2).block_on(async {
        let session = LAKE.session(2).await;
        let few = "SELECT raw FROM events WHERE event_action = 'Send'";
        let all = "SELECT max(timestamp) AS last FROM events";
        let together = shared(&session, &[few, all]).await;
        run_all(&session, &together).await;
        assert_eq!(
            together.common_bytes(),
            0,
            "one would make the other decode the text of every row"
        );
        assert!(together.plans.iter().all(|plan| plan.shared_scans() == (0, 1)));
        // One that is by itself beside two that are together.
        let together = shared(&session, &[all, few, all]).await;
        let counts: Vec<_> = together.plans.iter().map(|plan| plan.shared_scans()).collect();
        assert_eq!(counts, [(1, 1), (0, 1), (1, 1)]);
        let results = run_all(&session, &together).await;
        assert!(together.common_bytes() > 0);
        for (result, sql) in results.into_iter().zip([all, few, all]) {
            assert_eq!(result.unwrap(), alone(&session, sql).await.unwrap());
        }
    });
}

#[test]
fn selective_scans_keep_their_pruning_beside_those_that_read_everything() {
    runtime(2).block_on(async {
        let session = LAKE.session(2).await;
        let of_one = |n: usize| {
            let action = ACTIONS[n % ACTIONS.len()];
            format!("SELECT user_id, count(*) AS n FROM events WHERE event_action = '{action}' GROUP BY user_id")
        };
        let of_all =
            |n| format!("SELECT event_action, count(DISTINCT user_id) + {n} AS n FROM events GROUP BY event_action");
        let statements: Vec<String> = (0..30).map(of_one).chain((0..10).map(of_all)).collect();
        let together = shared(&session, &statements).await;
        run_all(&session, &together).await;
        let figures: Vec<_> = together.plans.iter().map(|plan| plan.figures()).collect();
        for of_one in &figures[..30] {
            // A sixth of the rows, and the row groups at both ends of it.
            assert!(of_one.rows_in < 60_000, "{of_one:?}");
        }
        assert!(figures[30..].iter().all(|of_all| of_all.rows_in == 120_000));
        // Each column chunk once: not forty times.
        let one = shared(&session, &[of_all(0), of_all(1)]).await;
        run_all(&session, &one).await;
        let bytes: u64 = together.common_bytes() + figures.iter().map(|figures| figures.own_bytes).sum::<u64>();
        assert!(bytes < 3 * one.common_bytes(), "{bytes} and {}", one.common_bytes());
    });
}
