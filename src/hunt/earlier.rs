//! What a hunt looks at before its range: the beginning of episodes that are open there.

use crate::alerts::{OpenKeys, WindowRow};
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
    ticks: Ticks,
    earliest: i64,
    rows: &[WindowRow],
    mut evaluate: impl FnMut(i64, i64) -> BoxFuture<'a, Result<Vec<WindowRow>>>,
) -> Result<Vec<WindowRow>> {
    let interval = ticks.interval.max(1);
    let mut open = OpenKeys::at(ticks.first, interval, rows);
    let mut earlier = Vec::new();
    let mut step = (ticks.lookback / interval).max(1);
    let mut begin = ticks.first;
    while !open.is_empty() && begin.saturating_sub(interval) >= earliest {
        let possible = begin.saturating_sub(earliest) / interval;
        let next = begin.saturating_sub(step.min(possible).saturating_mul(interval));
        let mut found = evaluate(next, begin - interval).await?;
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
        let found = runtime.block_on(earlier_rows(ticks, earliest, &inside, |first, last| {
            asked.push((first, last));
            let found = rows.iter().filter(|row| (first..=last).contains(&row.tick));
            let found = found.cloned().collect();
            Box::pin(async { Ok(found) })
        }));
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
    fn looks_at_nothing_before_the_first_event() {
        let endless: Vec<WindowRow> = (0..=100).map(|tick| row(tick * 10, "a")).collect();
        let (found, asked) = looked_at(&endless, 955);
        assert_eq!((found, asked), (vec![960, 970, 980, 990], vec![(980, 990), (960, 970)]));
        assert_eq!(looked_at(&endless, 1001), (vec![], vec![]));
        assert_eq!(looked_at(&endless, 991), (vec![], vec![]));
        assert_eq!(looked_at(&endless, 990), (vec![990], vec![(990, 990)]));
    }
}
