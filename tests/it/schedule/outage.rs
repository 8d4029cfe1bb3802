//! Nobody ran the schedule for days: one run makes up for it.

use super::bench::{Bench, Written, beginning, comparable, record, written};
use chrono::Duration as Span;
use serde_json::Value;

const DETECTIONS: [Written; 3] = [
    (
        "e_delete",
        "interval = \"1h\"",
        "SELECT event.id, user.id FROM events WHERE event.action = 'HardDelete'",
    ),
    (
        "w_many",
        "interval = \"1h\"\nlookback = \"3h\"\nkey = [\"user.id\"]",
        "SELECT user.id, count(*) AS event_count, array_agg(event.id ORDER BY event.id) AS event_ids FROM events \
         GROUP BY user.id HAVING count(*) > 3",
    ),
    (
        "n_address",
        "interval = \"1h\"\nnew_terms = { fields = [\"user.id\", \"source.ip\"], history = \"1d\" }",
        "SELECT event.id, user.id, source.ip FROM events",
    ),
];

/// An event every twenty minutes, as of a script.
fn events(hours: std::ops::Range<i64>) -> Vec<Value> {
    let numbers = hours.start * 3..hours.end * 3;
    let event = |number: i64| {
        let action = ["HardDelete", "FileDownloaded", "UserLoggedIn"][(number % 3) as usize];
        let (user, address) = (number / 7 % 2, number / 31 % 5);
        let time = beginning() + Span::minutes(20 * number + 1);
        record(number as usize, time, action, user as usize, address as usize)
    };
    numbers.map(event).collect()
}

/// The alerts after an outage of three days, and the evaluations of `w_many` that made up for it:
/// their last tick, and how many ticks they looked at.
fn after_outage(options: &[&str]) -> (Vec<String>, Vec<(String, u64)>) {
    let bench = Bench::new(&DETECTIONS);
    bench.ingest(&events(0..6));
    bench.caught_up(beginning() + Span::hours(6), options);
    // It came bit by bit.
    for day in 0..3 {
        let first = 6 + 24 * day;
        bench.ingest(&events(first..first + 24));
    }
    let end = beginning() + Span::hours(6 + 72);
    let run = bench.once(&written(end), options);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(bench.assert_as_hunted(end) > 30);
    bench.revisions();
    for of in bench.status()["detections"].as_array().unwrap() {
        assert_eq!(of["tick"], written(end), "{of}");
        assert_eq!(of["gaps"], Value::Array(Vec::new()), "{of}");
    }
    let runs = bench.rows(&format!(
        "SELECT tick_to, ticks FROM runs WHERE detection = 'w_many' AND started >= '{}' AND state = 'done' AND ticks > 0",
        written(end)
    ));
    let runs = runs.iter().map(|run| {
        let tick = run["tick_to"].as_str().unwrap().to_owned();
        (tick, run["ticks"].as_u64().unwrap())
    });
    (comparable(&bench.alerts()), runs.collect())
}

#[test]
fn missed_ticks_are_made_up_for_in_one_pass() {
    let (oldest_first, runs) = after_outage(&[]);
    let end = written(beginning() + Span::hours(78));
    let [(tick, ticks)] = runs.as_slice() else {
        panic!("not one pass: {runs:?}");
    };
    assert_eq!(tick, &end);
    assert!(*ticks >= 72, "{runs:?}");

    // What is new is looked at first, and the rest is found all the same.
    let (newest_first, runs) = after_outage(&["--newest-first"]);
    assert_eq!(newest_first, oldest_first);
    let mut looked_at: Vec<u64> = runs.iter().map(|(_, ticks)| *ticks).collect();
    looked_at.sort_unstable();
    assert_eq!(looked_at.len(), 2, "{runs:?}");
    assert!(looked_at[0] < 10 && looked_at[1] >= 70, "{runs:?}");
}
