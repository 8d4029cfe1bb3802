//! Times of forty detections, alone and together. Run by hand:
//! `cargo test --lib shared_scan::tests::timings -- --ignored --nocapture`

use super::lake::{TestLake, alone, plans, run_all, runtime};
use crate::engine::shared_scan::share;
use std::io::Write as _;
use std::time::{Duration, Instant};

const ACTIONS: [&str; 6] = super::lake::ACTIONS;

/// Ten that read whole datasets beside thirty that name an action.
fn detections() -> Vec<String> {
    (0..40)
        .map(|n| {
            let action = ACTIONS[n % ACTIONS.len()];
            match n % 4 {
                0 => format!("SELECT user_id, count(*) AS n, min(timestamp) AS first FROM events WHERE user_id <> 'user{n}' GROUP BY user_id"),
                1 => format!("SELECT event_id, user_id, event_category FROM events WHERE event_action = '{action}' AND user_id = 'user{}'", n % 23),
                2 => format!("SELECT user_id, count(DISTINCT event_id) AS n FROM events WHERE event_action = '{action}' GROUP BY user_id HAVING count(*) > {n}"),
                _ => format!("SELECT event_id, raw FROM events WHERE event_action = '{action}' AND source_port = {n}"),
            }
        })
        .collect()
}

#[test]
#[ignore = "prints times"]
fn times() {
    let mut out = std::io::stderr();
    for (days, rows, row_group) in [(30, 5000, 131_072), (2, 75_000, 8192)] {
        runtime(2).block_on(async {
            let lake = TestLake::new(days, rows, row_group).await;
            let session = lake.session(2).await;
            let all = "SELECT count(event_id), count(user_id), count(raw), count(event_action), count(timestamp), \
                       count(event_category), count(source_port) FROM events";
            alone(&session, all).await.unwrap();
            let timer = Instant::now();
            alone(&session, all).await.unwrap();
            writeln!(out, "{days} days of 2 x {rows}, row groups of {row_group}: full scan {:?}", timer.elapsed()).unwrap();
            let detections = detections();
            let kinds = (0..4).map(|kind| detections.iter().skip(kind).step_by(4).cloned().collect::<Vec<_>>());
            for detections in kinds.chain([detections.clone()]) {
                let (mut sum, mut slowest) = (Duration::ZERO, Duration::ZERO);
                for sql in &detections {
                    let timer = Instant::now();
                    alone(&session, sql).await.unwrap();
                    sum += timer.elapsed();
                    slowest = slowest.max(timer.elapsed());
                }
                let timer = Instant::now();
                let together = plans(&session, &detections).await;
                let planned = timer.elapsed();
                let together = share(together).await.unwrap();
                let sharing = timer.elapsed() - planned;
                run_all(&session, &together).await;
                let took = timer.elapsed();
                let ratio = |of: Duration| took.as_secs_f64() / of.as_secs_f64();
                writeln!(
                    out,
                    "  {} detections, the first {}...: alone {sum:?} (slowest {slowest:?}), shared {took:?} (planning {planned:?}, \
                     sharing {sharing:?}): {:.2} of alone, {:.2} x slowest; {} common bytes",
                    detections.len(),
                    &detections[0][..40],
                    ratio(sum),
                    ratio(slowest),
                    together.common_bytes()
                )
                .unwrap();
            }
        });
    }
}
