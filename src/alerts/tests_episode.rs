//! Windows become the same alerts wherever a hunt begins and ends.

use super::{Alert, EpisodeRule, Episodes, OpenKeys, WindowRow, episodes};
use crate::detections::Rhythm;
use proptest::prelude::*;
use serde_json::json;

const INTERVAL: i64 = 10;
const LOOKBACK: i64 = 15;

fn rule(first_tick: i64, per_window: bool) -> EpisodeRule {
    EpisodeRule {
        detection: "d".into(),
        severity: "high".into(),
        rhythm: Rhythm::every_micros(INTERVAL),
        lookback: LOOKBACK,
        per_window,
        first_tick,
    }
}

fn row(tick: i64, key: &str, ids: &[&str]) -> WindowRow {
    WindowRow {
        tick,
        key: json!({"k": key}).as_object().cloned().unwrap(),
        fields: json!({"tick": tick, "ids": ids}).as_object().cloned().unwrap(),
        first_time: Some(tick - 5),
        event_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        event_count: ids.len() as u64,
    }
}

fn all(first_tick: i64, per_window: bool, rows: &[WindowRow]) -> Vec<Alert> {
    episodes(rule(first_tick, per_window), rows.to_vec()).unwrap()
}

#[test]
fn consecutive_windows_are_one_alert() {
    let rows = [
        row(30, "a", &["3"]),
        row(10, "a", &["1"]),
        row(20, "a", &["1", "2"]),
        row(50, "a", &["9"]),
        row(20, "b", &["2"]),
    ];
    let found = all(0, false, &rows);
    let shape = found.iter().map(|a| {
        let key = a.key["k"].as_str().unwrap();
        let (start, end) = (a.window_start.unwrap(), a.window_end.unwrap());
        (key, start, end, a.windows.unwrap(), a.event_count)
    });
    let shape: Vec<_> = shape.collect();
    assert_eq!(shape, [("a", -5, 30, 3, 3), ("a", 35, 50, 1, 1), ("b", 5, 20, 1, 1)]);
    assert_eq!(found[0].event_ids, ["1", "2", "3"]);
    assert_eq!(
        found[0].fields["tick"], 20,
        "the fields are those of the fullest window"
    );
    assert_eq!(found[0].time, 5);
    assert_eq!(all(0, true, &rows).len(), 5);
}

#[test]
fn the_ticks_of_a_pattern_are_consecutive() {
    const HOUR: i64 = 3_600_000_000;
    // Thursday, Friday, Monday and Tuesday at 06:00, the first days of January 1970.
    let [thursday, friday, monday, tuesday] = [6, 30, 102, 126].map(|hour| hour * HOUR);
    let rule = || EpisodeRule {
        rhythm: Rhythm::cron("0 6 * * 1-5").unwrap(),
        ..rule(0, false)
    };
    let windows = |ticks: &[i64]| -> Vec<_> {
        let rows = ticks.iter().map(|tick| row(*tick, "a", &["1"])).collect();
        let found = episodes(rule(), rows).unwrap();
        found
            .iter()
            .map(|alert| (alert.windows.unwrap(), alert.window_end.unwrap()))
            .collect()
    };
    assert_eq!(windows(&[thursday, friday, monday, tuesday]), [(4, tuesday)]);
    assert_eq!(windows(&[thursday, monday, tuesday]), [(1, thursday), (2, tuesday)]);
    let at_tuesday = [row(tuesday, "a", &[]), row(tuesday, "b", &[])];
    let mut open = OpenKeys::at(tuesday, rule().rhythm, &at_tuesday);
    open.look_back(
        friday,
        &[row(monday, "a", &[]), row(friday, "a", &[]), row(monday, "b", &[])],
    );
    assert!(open.contains(&at_tuesday[0]) && !open.contains(&at_tuesday[1]));
}

#[test]
fn an_alert_keeps_its_id_when_it_goes_on() {
    let short = all(0, false, &[row(10, "a", &["1"])]);
    let long = all(0, false, &[row(10, "a", &["1"]), row(20, "a", &["2"])]);
    assert_eq!(short[0].alert_id, long[0].alert_id);
}

#[test]
fn windows_before_the_range_only_say_how_an_episode_began() {
    let rows = [
        row(10, "ended", &["1"]),
        row(10, "open", &["1"]),
        row(20, "open", &["2"]),
        row(30, "open", &["3"]),
    ];
    let found = all(20, false, &rows);
    assert_eq!(found, all(0, false, &rows[1..]), "the whole episode, and it alone");
    let per_window: Vec<_> = all(20, true, &rows).iter().map(|alert| alert.window_end).collect();
    assert_eq!(per_window, [Some(20), Some(30)]);
}

#[test]
fn rows_out_of_order_are_refused() {
    let mut joined = Episodes::new(rule(0, false));
    joined.push(row(20, "a", &[])).unwrap();
    assert!(joined.push(row(10, "a", &[])).is_err());
}

/// What a hunt of ticks from `first` to `last` gives, looking back as far as it has to, so
/// many ticks at a time. `rows` are those of all ticks there are, the first at 0.
fn hunt(rows: &[WindowRow], first: i64, last: i64, step: i64) -> Vec<Alert> {
    let of = |from: i64, to: i64| rows.iter().filter(move |row| (from..=to).contains(&row.tick));
    let mut seen: Vec<WindowRow> = of(first, last).cloned().collect();
    let mut open = OpenKeys::at(first, Rhythm::every_micros(INTERVAL), &seen);
    let mut begin = first;
    while !open.is_empty() && begin > 0 {
        let earlier = (begin - step * INTERVAL).max(0);
        let before: Vec<WindowRow> = of(earlier, begin - 1)
            .filter(|row| open.contains(row))
            .cloned()
            .collect();
        open.look_back(earlier, &before);
        seen.extend(before);
        begin = earlier;
    }
    episodes(rule(first, false), seen).unwrap()
}

prop_compose! {
    fn rows()(
        // Ticks in any order, some of them twice, close enough for episodes.
        cells in prop::collection::vec((0..20_i64, 0..3_usize, prop::collection::vec(0..5_usize, 0..4)), 0..80),
    ) -> Vec<WindowRow> {
        let ids = ["1", "2", "3", "4", "5"];
        cells
            .into_iter()
            .map(|(tick, key, events)| {
                let events: Vec<&str> = events.into_iter().map(|event| ids[event]).collect();
                row(tick * INTERVAL, ["a", "b", "c"][key], &events)
            })
            .collect()
    }
}

proptest! {
    #[test]
    fn a_range_gives_what_a_hunt_of_everything_gives_inside_it(
        rows in rows(), first in 0..20_i64, length in 0..20_i64, step in 1..6_i64,
    ) {
        let (first, last) = (first * INTERVAL, (first + length) * INTERVAL);
        let found = hunt(&rows, first, last, step);
        let whole = hunt(&rows, 0, i64::MAX, 1);
        let touched: Vec<&Alert> = whole
            .iter()
            .filter(|alert| alert.window_end.unwrap() >= first && alert.window_start.unwrap() + LOOKBACK <= last)
            .collect();
        let ids = |alerts: &[&Alert]| alerts.iter().map(|alert| alert.alert_id.clone()).collect::<Vec<_>>();
        prop_assert_eq!(ids(&found.iter().collect::<Vec<_>>()), ids(&touched));
        for (found, whole) in found.iter().zip(touched) {
            prop_assert_eq!(found.window_start, whole.window_start);
            if whole.window_end.unwrap() <= last {
                // Also where it began before the range.
                prop_assert_eq!(found, whole);
            } else {
                prop_assert_eq!(found.window_end, Some(last));
            }
        }
    }

    #[test]
    fn the_order_of_rows_does_not_matter(
        rows in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())), per_window: bool,
    ) {
        prop_assert_eq!(all(0, per_window, &rows.0), all(0, per_window, &rows.1));
    }
}
