//! What fails is tried again, then left out, and closed later; it holds up nobody else.

use super::bench::{Bench, Written, beginning, minute, parsed, record, wait_for, written};
use serde_json::{Value, json};
use std::path::PathBuf;

const DELETE: Written = (
    "e_delete",
    "interval = \"1m\"",
    "SELECT event.id, user.id FROM events WHERE event.action = 'HardDelete'",
);

/// Fails where there is an event of user 9.
const DIVIDES: Written = (
    "e_divides",
    "interval = \"1m\"",
    "SELECT event.id, user.id, 10 / (CASE WHEN user.id LIKE 'user9%' THEN 0 ELSE 1 END) AS ten FROM events \
     WHERE event.action = 'HardDelete'",
);

/// Its result takes some seconds, whatever the lake holds.
const SLOW: Written = (
    "e_slow",
    "interval = \"1m\"",
    "SELECT event.id, user.id FROM events WHERE event.action = 'HardDelete' \
     AND 1 < (SELECT count(*) FROM generate_series(1, 300000000) AS numbers(number) WHERE number % 7 = 3)",
);

/// Of the other kinds one, which need what came before.
const OTHERS: [Written; 2] = [
    (
        "w_many",
        "interval = \"1m\"\nlookback = \"1h\"\nkey = [\"user.id\"]",
        "SELECT user.id, count(*) AS event_count FROM events GROUP BY user.id HAVING count(*) > 1",
    ),
    (
        "n_address",
        "interval = \"1m\"\nnew_terms = { fields = [\"user.id\", \"source.ip\"], history = \"30d\" }",
        "SELECT event.id, user.id, source.ip FROM events",
    ),
];

fn deletes(numbers: std::ops::Range<usize>, user: usize) -> Vec<Value> {
    let of = |number: usize| record(number, minute(number as i64), "HardDelete", user, user);
    numbers.map(of).collect()
}

fn once(bench: &Bench, now: i64, code: i32) -> String {
    let run = bench.once(&written(minute(now)), &["--attempts", "2"]);
    assert_eq!(run.code, code, "{run:?}");
    run.stderr
}

fn users(bench: &Bench, id: &str) -> Vec<String> {
    let alerts = bench.alerts_of(id);
    let of = |alert: &Value| alert["fields"]["user.id"].as_str().unwrap()[..5].to_owned();
    alerts.iter().map(of).collect()
}

#[test]
fn what_fails_for_good_is_a_gap_and_holds_up_nobody() {
    let bench = Bench::new(&[DELETE, DIVIDES]);
    bench.ingest(&deletes(0..2, 1));
    once(&bench, 10, 0);
    bench.ingest(&[deletes(2..3, 9), deletes(3..4, 2)].concat());
    let said = once(&bench, 20, 3);
    assert!(
        said.contains("e_divides: left a gap: ") && said.contains("retrohunt schedule fill"),
        "{said}"
    );
    assert_eq!(users(&bench, "e_delete"), ["user1", "user1", "user9", "user2"]);
    assert_eq!(users(&bench, "e_divides"), ["user1", "user1"]);
    let runs = bench.rows(
        "SELECT attempt, state, lower(error) LIKE '%divi%' AS why FROM runs \
         WHERE detection = 'e_divides' AND state <> 'done' ORDER BY attempt",
    );
    assert_eq!(
        json!(runs),
        json!([{"attempt": 1, "state": "failed", "why": true}, {"attempt": 2, "state": "gap", "why": true}])
    );

    // The gap is shown, and the detection goes on after it.
    let status = bench.status_of("e_divides");
    let (state, gaps) = (&status["state"], status["gaps"].as_array().unwrap());
    assert_eq!((state, gaps.len()), (&"failing".into(), 1), "{status}");
    assert_eq!(gaps[0]["after"], written(minute(10)));
    assert_eq!(gaps[0]["until"], written(minute(20)));
    assert_eq!(gaps[0]["backlog"], false);
    assert!(
        gaps[0]["reason"].as_str().unwrap().to_lowercase().contains("divi"),
        "{status}"
    );
    assert_eq!(bench.status_of("e_delete")["gaps"], json!([]));
    let table = bench.ok(&["schedule", "status"]);
    assert!(
        table.contains("gap of e_divides: after 2026-03-01T00:10:00Z, until 2026-03-01T00:20:00Z: "),
        "{table}"
    );
    assert!(table.contains("e_divides failed last: "), "{table}");
    bench.ingest(&deletes(4..5, 3));
    let said = once(&bench, 30, 0);
    assert!(!said.contains("gap"), "{said}");
    assert_eq!(users(&bench, "e_divides"), ["user1", "user1", "user3"]);
    let status = bench.status_of("e_divides");
    assert_eq!(
        (&status["state"], status["gaps"].as_array().unwrap().len()),
        (&"behind".into(), 1),
        "{status}"
    );

    // It fails still.
    let fill = bench.run(&["schedule", "fill", "e_divides", "--attempts", "1"]);
    assert_eq!(fill.code, 1, "{fill:?}");
    assert!(
        fill.stderr.contains("e_divides: 1 gap\n") && fill.stderr.contains("1 gap is left"),
        "{fill:?}"
    );
    assert!(fill.stderr.to_lowercase().contains("divi"), "{fill:?}");
    assert_eq!(bench.status_of("e_divides")["gaps"][0]["backlog"], false);
    let unknown = bench.run(&["schedule", "fill", "e_divide"]);
    assert_eq!(unknown.code, 2, "{unknown:?}");

    // What was mended counts from its gap on.
    let (id, header, sql) = DIVIDES;
    let corrected = sql.replace("THEN 0", "THEN 2");
    bench.write(&(id, header, Box::leak(corrected.into_boxed_str())));
    once(&bench, 40, 0);
    let mut all = users(&bench, "e_divides");
    all.sort();
    assert_eq!(all, ["user1", "user1", "user2", "user3", "user9"]);
    assert_eq!(bench.status_of("e_divides")["gaps"], json!([]));
    bench.assert_as_hunted(minute(60));
    bench.revisions();
}

#[test]
fn what_takes_too_long_is_ended_and_done_when_it_gets_the_time() {
    let bench = Bench::new(&[SLOW, DELETE]);
    bench.ingest(&deletes(0..5, 1));
    let now = written(minute(10));
    let run = bench.once(&now, &["--attempts", "1", "--timeout", "1s"]);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(
        run.stderr
            .contains("e_slow: left a gap: e_slow took longer than 1s (timeout)"),
        "{run:?}"
    );
    assert_eq!(
        (bench.alerts_of("e_delete").len(), bench.alerts_of("e_slow").len()),
        (5, 0)
    );
    // The other went on beside it.
    let runs = bench.rows("SELECT detection FROM runs WHERE state = 'done'");
    assert_eq!(json!(runs), json!([{"detection": "e_delete"}]));
    let fill = bench.run(&["schedule", "fill", "--timeout", "10m"]);
    assert_eq!(fill.code, 0, "{fill:?}");
    bench.assert_as_hunted(minute(10));
    let again = bench.run(&["schedule", "fill"]);
    assert_eq!((again.code, again.stderr.as_str()), (0, "there are no gaps\n"));
}

/// The data files of the events of a lake.
fn data_files(bench: &Bench) -> Vec<PathBuf> {
    let mut folders = vec![bench.sandbox.path("lake/events")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|of| of == "parquet") => files.push(path),
                false => {}
            }
        }
    }
    files
}

/// A lake of which a part could not be read for a while, until all was given up.
fn left_out(interval: &str) -> Bench {
    let all = [DELETE, OTHERS[0], OTHERS[1]];
    let mut bench = Bench::new(&all);
    let intervals = all.map(|(id, ..)| format!("[detection.{id}]\ninterval = \"{interval}\"\n"));
    bench.settings(&intervals.concat());
    bench.ingest(&deletes(0..3, 1));
    once(&bench, 10, 0);
    let known = data_files(&bench);
    bench.ingest(&[deletes(3..6, 1), deletes(6..9, 2)].concat());
    let new: Vec<PathBuf> = data_files(&bench)
        .into_iter()
        .filter(|path| !known.contains(path))
        .collect();
    assert!(!new.is_empty());
    let away = |path: &PathBuf| path.with_extension("away");
    new.iter().for_each(|path| std::fs::rename(path, away(path)).unwrap());
    once(&bench, 20, 3);
    new.iter().for_each(|path| std::fs::rename(away(path), path).unwrap());
    bench.ingest(&deletes(9..12, 3));
    once(&bench, 30, 0);
    for id in ["e_delete", "n_address"] {
        let status = bench.status_of(id);
        assert_eq!(status["gaps"].as_array().unwrap().len(), 1, "{status}");
    }
    assert_eq!(bench.alerts_of("e_delete").len(), 6);
    bench
}

#[test]
fn what_could_not_be_read_for_a_while_is_filled_in() {
    let bench = left_out("1m");
    let one = bench.run(&["schedule", "fill", "n_address"]);
    assert_eq!(one.code, 0, "{one:?}");
    assert_eq!(bench.status_of("w_many")["gaps"].as_array().unwrap().len(), 1);
    let fill = bench.run(&["schedule", "fill"]);
    assert_eq!(fill.code, 0, "{fill:?}");
    assert!(fill.stderr.contains("e_delete: 1 gap\nw_many: 1 gap\n"), "{fill:?}");
    bench.assert_as_hunted(chrono::Utc::now());
    bench.revisions();
}

#[test]
fn a_schedule_that_runs_closes_gaps_when_it_is_asked_to() {
    // Between two ticks there is nothing else to do.
    let mut bench = left_out("7d");
    bench.set("RETROHUNT_SCHEDULE_LEASE", "20s");
    let mut running = bench.start("running", &["schedule"]);
    let holder = wait_for("holder", || {
        let lease = bench.status()["lease"].clone();
        (lease["holds"] == true).then(|| lease["holder"].as_str().unwrap().to_owned())
    });
    // It has done all that is due, has recorded that, and does nothing for days.
    let passed = |id: &str| bench.status_of(id)["tick"].as_str() > Some("2026-03-02");
    wait_for("commit", || {
        (passed("e_delete") && passed("n_address") && passed("w_many")).then_some(())
    });
    let mut fill = bench.start("fill", &["schedule", "fill", "n_address", "e_delete"]);
    let code = fill.end().code();
    let [_, said] = bench.said(&fill);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains(&format!("waiting for {holder}, which runs the schedule")),
        "{said}"
    );
    assert!(running.runs());
    running.tell("TERM");
    assert_eq!(running.end().code(), Some(0), "{:?}", bench.said(&running));
    for id in ["e_delete", "n_address"] {
        assert_eq!(bench.status_of(id)["gaps"], json!([]));
        bench.assert_one_as_hunted(id, beginning() + chrono::Duration::days(2));
    }
    assert_eq!(
        parsed(&bench.ok(&["alerts", "list", "--format", "jsonl", "--detection", "e_delete"])).len(),
        12
    );
}
