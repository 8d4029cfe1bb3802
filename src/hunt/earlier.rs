//! What a hunt looks at before its range: the beginning of episodes that are open there.

use crate::alerts::{OpenKeys, WindowRow};
use crate::detections::Rhythm;
use crate::engine::Ticks;
use crate::error::Result;
use futures::future::BoxFuture;

/// Rows of ticks before the range, of the episodes that are open at its first tick: from
/// their beginning on. `rows` has those of the first tick; `evaluate(first, last)` gives those
/// of all ticks from first to last. No episode begins before `earliest`.
///
/// An alert mostly lives for as long as its events are within the window, so one window is
/// looked at first, and then twice as much each time.
pub(super) async fn earlier_rows<'a>(
    rhythm: &Rhythm,
    ticks: Ticks,
    earliest: i64,
    rows: &[WindowRow],
    mut evaluate: impl FnMut(i64, i64) -> BoxFuture<'a, Result<Vec<WindowRow>>>,
) -> Result<Vec<WindowRow>> {
    let mut open = OpenKeys::at(ticks.first, rhythm.clone(), rows);
    let mut earlier = Vec::new();
    let mut begin = ticks.first;
    let mut step = rhythm
        .count(begin.saturating_sub(ticks.lookback), begin.saturating_sub(1))
        .max(1);
    while !open.is_empty() && rhythm.previous(begin) >= earliest {
        let next = rhythm.back(begin, step, earliest);
        let mut found = evaluate(next, rhythm.previous(begin)).await?;
        found.retain(|row| open.contains(row));
        open.look_back(next, &found);
        earlier.append(&mut found);
        begin = next;
        step = step.saturating_mul(2);
    }
    Ok(earlier)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, json};

    fn row(tick: i64, key: &str) -> WindowRow {
        WindowRow {
            tick,
            key: Map::from_iter([("k".to_owned(), json!(key))]),
            fields: Map::new(),
            first_time: None,
            event_ids: vec![],
            event_count: 1,
        }
    }

    fn looked_at(rows: &[WindowRow], earliest: i64) -> (Vec<i64>, Vec<(i64, i64)>) {
        let ticks = Ticks::within(1000, 2000, 10, 25);
        let mut asked = Vec::new();
        let inside: Vec<WindowRow> = rows.iter().filter(|row| row.tick >= ticks.first).cloned().collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let found = runtime.block_on(earlier_rows(
            &Rhythm::every_micros(10),
            ticks,
            earliest,
            &inside,
            |first, last| {
                asked.push((first, last));
                let found = rows.iter().filter(|row| (first..=last).contains(&row.tick));
                let found = found.cloned().collect();
                Box::pin(async { Ok(found) })
            },
        ));
        let mut found: Vec<i64> = found.unwrap().iter().map(|row| row.tick).collect();
        found.sort_unstable();
        (found, asked)
    }

    #[test]
    fn looks_back_as_far_as_an_episode_is_open() {
        assert_eq!(looked_at(&[row(990, "a"), row(1010, "a")], 0), (vec![], vec![]));
        let open = [row(970, "b"), row(990, "a"), row(1000, "a")];
        assert_eq!(looked_at(&open, 0), (vec![990], vec![(980, 990)]));
        let long: Vec<WindowRow> = (95..=100).map(|tick| row(tick * 10, "a")).collect();
        let expected = (vec![950, 960, 970, 980, 990], vec![(980, 990), (940, 970)]);
        assert_eq!(looked_at(&long, 0), expected);
    }

    #[test]
    fn looks_back_along_a_pattern() {
        const HOUR: i64 = 3_600_000_000;
        let rhythm = Rhythm::cron("0 6 * * 1-5").unwrap();
        // The first Fridays to Wednesdays of January 1970.
        let [friday, monday, tuesday, wednesday] = [30, 102, 126, 150].map(|hour| hour * HOUR);
        let looked_at = |earliest: i64| {
            let ticks = Ticks {
                first: wednesday,
                last: wednesday,
                interval: rhythm.step(),
                lookback: 24 * HOUR,
            };
            let mut asked = Vec::new();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let open = [row(wednesday, "a")];
            let found = runtime.block_on(earlier_rows(&rhythm, ticks, earliest, &open, |first, last| {
                asked.push((first, last));
                let found = rhythm.ticks(first, last).map(|tick| row(tick, "a")).collect();
                Box::pin(async { Ok(found) })
            }));
            let found: Vec<i64> = found.unwrap().iter().map(|row| row.tick).collect();
            (found, asked)
        };
        let expected = (
            vec![tuesday, friday, monday],
            vec![(tuesday, tuesday), (friday, monday)],
        );
        assert_eq!(looked_at(friday), expected);
        assert_eq!(looked_at(friday - 23 * HOUR), expected);
        assert_eq!(looked_at(tuesday + 1), (vec![], vec![]));
    }

    #[test]
    fn looks_at_nothing_before_the_first_event() {
        let endless: Vec<WindowRow> = (0..=100).map(|tick| row(tick * 10, "a")).collect();
        let (found, asked) = looked_at(&endless, 955);
        assert_eq!((found, asked), (vec![960, 970, 980, 990], vec![(980, 990), (960, 970)]));
        assert_eq!(looked_at(&endless, 1001), (vec![], vec![]));
        assert_eq!(looked_at(&endless, 991), (vec![], vec![]));
        assert_eq!(looked_at(&endless, 990), (vec![990], vec![(990, 990)]));
    }
}
