//! Of several schedulers on a lake one works.

use super::bench::{Bench, Written, beginning, minute, record, wait_for, written};
use serde_json::Value;

const DELETE: Written = (
    "e_delete",
    "interval = \"1m\"",
    "SELECT event.id, user.id FROM events WHERE event.action = 'HardDelete'",
);

/// Lives until it is told otherwise: the end of its clock is far away.
const FOREVER: [&str; 1] = ["schedule"];

fn bench() -> Bench {
    let bench = Bench::new(&[DELETE]);
    bench.ingest(&[record(1, minute(1), "HardDelete", 1, 1)]);
    bench
}

fn holder(bench: &Bench) -> Option<String> {
    let lease = &bench.status()["lease"];
    (lease["holds"] == true).then(|| lease["holder"].as_str().unwrap().to_owned())
}

fn recorded(bench: &Bench) -> usize {
    bench.alerts().len()
}

#[test]
fn who_comes_second_does_nothing_and_says_who_was_first() {
    let mut bench = bench();
    bench.set("RETROHUNT_SCHEDULE_LEASE", "20s");
    let mut first = bench.start("first", &FOREVER);
    let holder = wait_for("holder", || holder(&bench));
    wait_for("alert", || (recorded(&bench) == 1).then_some(()));
    bench.ingest(&[record(2, minute(2), "HardDelete", 2, 2)]);
    let second = bench.once(&written(beginning()), &[]);
    assert_eq!(second.code, 0, "{second:?}");
    assert!(
        second.stderr.contains(&format!(
            "{holder} runs the schedule of this lake: nothing was done here"
        )),
        "{second:?}"
    );
    let by = bench.rows("SELECT DISTINCT scheduler FROM runs");
    assert!(by.iter().all(|row| row["scheduler"] == holder.as_str()), "{by:?}");
    assert!(first.runs());

    // What runs for ever waits, and goes on when the first has given the lease back.
    let waiting = bench.start("second", &FOREVER);
    wait_for("word of the other", || {
        bench.said(&waiting)[1]
            .contains("another scheduler holds the lease")
            .then_some(())
    });
    first.tell("TERM");
    assert_eq!(first.end().code(), Some(0), "{:?}", bench.said(&first));
    assert!(bench.said(&waiting)[1].contains(&holder), "{:?}", bench.said(&waiting));
    wait_for("next holder", || {
        let next = self::holder(&bench)?;
        (next != holder).then_some(())
    });
    wait_for("second alert", || (recorded(&bench) == 2).then_some(()));
    bench.revisions();
}

#[test]
fn the_lease_of_the_dead_is_taken_over_when_it_is_over() {
    let mut bench = bench();
    bench.set("RETROHUNT_SCHEDULE_LEASE", "2s");
    let mut first = bench.start("first", &FOREVER);
    let dead = wait_for("holder", || holder(&bench));
    wait_for("alert", || (recorded(&bench) == 1).then_some(()));
    let mut second = bench.start("second", &FOREVER);
    wait_for("word of the other", || {
        bench.said(&second)[1].contains(&dead).then_some(())
    });
    first.kill();
    // Who died did not give it back: that takes a time that the lease says.
    let lease = &bench.status()["lease"];
    let expires = lease["expires"].as_str().unwrap().to_owned();
    bench.ingest(&[record(2, minute(2), "HardDelete", 2, 2)]);
    let next = wait_for("next holder", || holder(&bench).filter(|next| *next != dead));
    wait_for("second alert", || (recorded(&bench) == 2).then_some(()));
    second.tell("TERM");
    assert_eq!(second.end().code(), Some(0), "{:?}", bench.said(&second));
    let early = bench.rows(&format!(
        "SELECT count(*) AS runs, count(*) FILTER (WHERE started <= '{expires}') AS early FROM runs WHERE scheduler = '{next}'"
    ));
    assert!(
        early[0]["runs"].as_u64() > Some(0) && early[0]["early"] == 0,
        "{early:?}"
    );
    bench.revisions();
}

/// The same, but takes some seconds, whatever the lake holds.
const SLOW: Written = (
    "e_slow",
    "interval = \"1m\"",
    "SELECT event.id, user.id FROM events WHERE event.action = 'HardDelete' \
     AND 1 < (SELECT count(*) FROM generate_series(1, 300000000) AS numbers(number) WHERE number % 7 = 3)",
);

/// The lease cannot help here: who held it goes on with what it began before it was taken for dead.
#[test]
fn who_was_taken_for_dead_and_goes_on_records_nothing_twice() {
    let bench = Bench::new(&[DELETE, SLOW]);
    bench.ingest(&[1, 2, 3].map(|number| record(number, minute(1), "HardDelete", number, 1)));
    let now = written(minute(5));
    let mut first = bench.start("first", &["schedule", "--once", "--until", &now]);
    wait_for("first alerts", || (recorded(&bench) == 3).then_some(()));
    first.tell("STOP");
    let second = bench.caught_up(minute(5), &[]);
    // Else it was too late to stop the first.
    assert!(second.stderr.contains(", 3 revisions of alerts recorded"), "{second:?}");
    first.tell("CONT");
    assert_eq!(first.end().code(), Some(0), "{:?}", bench.said(&first));
    assert_eq!(bench.revisions().len(), 6);
    bench.assert_as_hunted(minute(5));
}

/// Told to stop while there is work: what was found is recorded and sent, the next one need not wait.
fn told(signal: &str) {
    let mut bench = bench();
    bench.set("RETROHUNT_SCHEDULE_LEASE", "60s");
    let sink = bench.sandbox.path("sink.jsonl");
    bench.settings(&format!(
        "[sinks.file]\nkind = \"file\"\npath = \"{}\"\n",
        sink.display()
    ));
    let mut running = bench.start("running", &FOREVER);
    wait_for("holder", || holder(&bench));
    running.tell(signal);
    assert_eq!(running.end().code(), Some(0), "{:?}", bench.said(&running));
    let [out, err] = bench.said(&running);
    assert_eq!(out, "");
    assert!(
        err.contains("told to stop") && err.contains("revision of alerts recorded"),
        "{err}"
    );
    assert_eq!(holder(&bench), None);
    assert_eq!(recorded(&bench), 1);
    assert_eq!(std::fs::read_to_string(&sink).unwrap().lines().count(), 1);
    assert_eq!(bench.status()["sinks_behind"]["file"], 0);
    assert_eq!(
        bench.rows("SELECT count(*) AS n FROM runs WHERE state = 'done'")[0]["n"],
        1
    );
    // A lease of a minute would be waited for, if it was not given back.
    let next = bench.once(&written(minute(5)), &[]);
    assert!(next.stderr.contains("0 revisions of alerts recorded"), "{next:?}");
    assert_ne!(bench.status()["recorded"], Value::Null);
}

#[test]
fn sigterm_ends_it_gracefully() {
    told("TERM");
}

#[test]
fn sigint_ends_it_gracefully() {
    told("INT");
}
