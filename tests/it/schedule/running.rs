//! A schedule that runs for a while, as a service does, beside ingests.

use super::bench::{Bench, Running, Written, beginning, minute, parsed, record, wait_for};
use chrono::{DateTime, Duration as Span, Utc};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// Of every kind one, due each second or two.
const QUICK: [Written; 3] = [
    (
        "e_delete",
        "interval = \"1s\"",
        "SELECT event.id, user.id FROM events WHERE event.action = 'HardDelete'",
    ),
    (
        "w_many",
        "interval = \"2s\"\nlookback = \"20s\"\nkey = [\"user.id\"]",
        "SELECT user.id, count(*) AS event_count FROM events GROUP BY user.id HAVING count(*) > 2",
    ),
    (
        "n_address",
        "interval = \"1s\"\nnew_terms = { fields = [\"user.id\", \"source.ip\"], history = \"30d\" }",
        "SELECT event.id, user.id, source.ip FROM events",
    ),
];

/// Where a schedule says that it serves, from its log in JSON.
fn address(bench: &Bench, running: &Running) -> String {
    wait_for("address", || {
        let [_, log] = bench.said(running);
        // The last line may be half written.
        let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let mut lines = parsed(whole).into_iter();
        lines.find_map(|line| Some(line["address"].as_str()?.to_owned()))
    })
}

/// Status and body of an answer.
fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

/// The value of a metric, summed over the lines that have these words.
fn metric(text: &str, name: &str, label: &str) -> f64 {
    let lines = text
        .lines()
        .filter(|line| line.starts_with(name) && line.contains(label));
    let values = lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap());
    values.sum()
}

#[test]
fn alerts_appear_while_it_runs_and_it_says_how_it_is() {
    let mut bench = Bench::new(&QUICK);
    bench.set("RETROHUNT_SCHEDULE_LISTEN", "127.0.0.1:0");
    bench.set("RETROHUNT_SCHEDULE_LEASE", "20s");
    bench.ingest(&[record(0, beginning(), "UserLoggedIn", 1, 1)]);
    let mut running = bench.start("running", &["schedule", "--log-format", "json"]);
    let address = address(&bench, &running);
    wait_for("readiness", || (get(&address, "/readyz").0 == 200).then_some(()));

    // Some of long ago, which is late, and some of now, whose windows have not ended.
    for round in 1..4 {
        let (old, now) = (minute(round as i64), Utc::now());
        let number = round * 10;
        bench.ingest(&[
            record(number, old, "HardDelete", round, 1),
            record(number + 1, now, "HardDelete", round, 1),
            record(number + 2, now, "UserLoggedIn", round, 1),
            record(number + 3, now, "UserLoggedIn", round, round + 1),
        ]);
        let found = |detection: &str, expected: usize| {
            wait_for(&format!("alert of {detection} in round {round}"), || {
                (bench.alerts_of(detection).len() >= expected).then_some(())
            });
        };
        found("e_delete", 2 * round);
        found("w_many", round);
        // User 1 was at address 1 long before.
        found("n_address", 2 * round);
    }
    let (code, health) = get(&address, "/healthz");
    let health: Value = serde_json::from_str(&health).unwrap();
    assert_eq!(
        (code, &health["status"], &health["lease_held"]),
        (200, &"ok".into(), &true.into())
    );
    assert_eq!(get(&address, "/nothing").0, 404);
    let (code, metrics) = get(&address, "/metrics");
    assert_eq!(code, 200);
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
    assert_eq!(metric(&metrics, "retrohunt_schedule_lease_held", ""), 1.0);
    assert!(metric(&metrics, "retrohunt_schedule_evaluations_total{", "state=\"done\"") > 6.0);
    assert_eq!(metric(&metrics, "retrohunt_schedule_gaps_open{", ""), 0.0);
    let recorded = bench.revisions().len() as f64;
    let metrics = wait_for("metrics of all that is recorded", || {
        let (_, metrics) = get(&address, "/metrics");
        (metric(&metrics, "retrohunt_schedule_alerts_total{", "") >= recorded).then_some(metrics)
    });
    // The first of all and four of each round: what arrives is counted once, not by detection.
    assert_eq!(metric(&metrics, "retrohunt_schedule_arrived_events_total", ""), 13.0);

    running.tell("TERM");
    assert_eq!(running.end().code(), Some(0), "{:?}", bench.said(&running));
    assert!(TcpStream::connect(&address).is_err(), "{address} is closed");
    let [out, log] = bench.said(&running);
    assert_eq!(out, "");
    let lines = parsed(&log);
    let alerts = lines.iter().filter(|line| line["message"] == "alert").count();
    assert_eq!(alerts, bench.revisions().len(), "{log}");
    for line in &lines {
        assert!(line["timestamp"].is_string() && line["level"] == "INFO", "{line}");
    }
    assert_eq!(lines.last().unwrap()["message"], "schedule ends");
    // Windowed alerts go on to the last tick that was evaluated.
    let tick = |id: &str| bench.status_of(id)["tick"].as_str().unwrap().to_owned();
    for (id, ..) in QUICK {
        let to = DateTime::parse_from_rfc3339(&tick(id)).unwrap().to_utc();
        let to = if id == "w_many" { to } else { to + Span::hours(1) };
        bench.assert_one_as_hunted(id, to);
    }
}

#[test]
fn what_arrives_in_an_empty_lake_is_found() {
    let bench = Bench::new(&QUICK[..1]);
    bench.ingest(&[]);
    let mut running = bench.start("running", &["schedule"]);
    wait_for("first look", || {
        bench.said(&running)[1].contains("holds the lease").then_some(())
    });
    bench.ingest(&[record(1, minute(3), "HardDelete", 1, 1)]);
    wait_for("alert", || (bench.alerts().len() == 1).then_some(()));
    assert!(running.runs());
    running.tell("INT");
    assert_eq!(running.end().code(), Some(0));
}
