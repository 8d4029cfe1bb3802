//! Sinks that do not take what they are sent, and secrets that they are given.

use super::bench::{Bench, Written, minute, pair, parsed, record, wait_for, written};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::TcpListener;

const DELETE: Written = (
    "e_delete",
    "interval = \"1m\"\nsuppress = { by = [\"user.id\"], for = \"6h\" }",
    "SELECT event.id, user.id FROM events WHERE event.action = 'HardDelete'",
);

/// What must be nowhere.
const SECRETS: [&str; 3] = ["hunter2-in-the-path", "hunter2-in-the-query", "hunter2-in-a-header"];

/// A port on which nobody listens.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_dead_sink_holds_up_nobody_and_its_secrets_are_nowhere() {
    let mut bench = Bench::new(&[DELETE]);
    let [path, query, header] = SECRETS;
    let port = closed_port();
    bench.set("HOOK_URL", &format!("http://127.0.0.1:{port}/{path}?key={query}"));
    let token = bench.sandbox.file("token", format!("Bearer {header}\n"));
    let sink = bench.sandbox.path("sink.jsonl");
    bench.settings(&format!(
        "[sinks.dead]\nkind = \"webhook\"\nurl = {{ env = \"HOOK_URL\" }}\nattempts = 2\n\
         headers = {{ Authorization = {{ file = \"{token}\" }} }}\n\
         [sinks.file]\nkind = \"file\"\npath = \"{}\"\n",
        sink.display()
    ));
    bench.set("RETROHUNT_SCHEDULE_LOG_LEVEL", "trace");
    bench.set("RETROHUNT_SCHEDULE_LEASE", "20s");
    bench.ingest(&[
        record(1, minute(1), "HardDelete", 1, 1),
        record(2, minute(2), "HardDelete", 2, 2),
    ]);
    let mut running = bench.start("running", &["schedule"]);
    // The file has them, whatever the other does.
    let lines = |expected: usize| {
        wait_for(&format!("line {expected} of the file"), || {
            let text = std::fs::read_to_string(&sink).unwrap_or_default();
            (text.matches('\n').count() >= expected).then(|| parsed(&text))
        })
    };
    lines(2);
    running.tell("TERM");
    assert_eq!(running.end().code(), Some(0), "{:?}", bench.said(&running));
    bench.ingest(&[record(3, minute(3), "HardDelete", 3, 3)]);
    let more = bench.caught_up(minute(10), &["--log-level", "trace"]);
    let sent: BTreeSet<_> = lines(3).iter().map(pair).collect();
    assert_eq!(sent, bench.revisions().into_iter().collect());

    let letters = bench.rows("SELECT sink, alert_id, revision, attempts, problem, alert FROM dead_letters");
    let dead: BTreeSet<_> = letters.iter().map(pair).collect();
    assert_eq!(dead, sent);
    assert_eq!(letters.len(), 3, "each is kept once: {letters:?}");
    for letter in &letters {
        assert_eq!(letter["sink"], "dead");
        let problem = letter["problem"].as_str().unwrap();
        assert!(problem.contains(&format!("127.0.0.1:{port}")), "{problem}");
    }
    assert_eq!(
        bench.status()["sinks_behind"],
        serde_json::json!({"dead": 0, "file": 0})
    );
    let mut texts = bench.said(&running).to_vec();
    assert!(texts[1].contains("dead_letters"), "{}", texts[1]);
    texts.extend([
        more.stdout,
        more.stderr,
        Value::Array(letters).to_string(),
        bench.status().to_string(),
    ]);
    texts.push(bench.ok(&["schedule", "status"]));
    texts.push(bench.ok(&["sql", "SELECT * FROM runs", "--format", "jsonl"]));
    for text in &texts {
        assert!(!text.contains("hunter2"), "{text}");
    }
    let files = walkdir(&bench.sandbox.path("lake"));
    assert!(files.iter().any(|path| path.ends_with(".json")));
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("hunter2"), "{file}");
    }
}

/// Files in a folder and those in it.
fn walkdir(folder: &std::path::Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(walkdir(&path)),
            false => files.push(path.display().to_string()),
        }
    }
    files
}

#[test]
fn of_alerts_that_are_the_same_one_is_shown_and_sent() {
    let mut bench = Bench::new(&[DELETE]);
    let paths = ["shown.jsonl", "all.jsonl"].map(|name| bench.sandbox.path(name));
    bench.settings(&format!(
        "[sinks.shown]\nkind = \"file\"\npath = \"{}\"\n[sinks.all]\nkind = \"file\"\npath = \"{}\"\nsuppressed = true\n",
        paths[0].display(),
        paths[1].display()
    ));
    // The second of user 1 within six hours, and the third after them; user 2 by itself.
    let hours = [(1, 0, 1), (2, 2, 1), (3, 7, 1), (4, 3, 2)];
    let records = hours.map(|(number, hour, user)| record(number, minute(60 * hour + 1), "HardDelete", user, 1));
    let ids = |alerts: &[Value]| -> BTreeSet<String> {
        let of = |alert: &Value| {
            alert["fields"]["event.id"]
                .as_str()
                .unwrap()
                .rsplit('0')
                .next()
                .unwrap()
                .to_owned()
        };
        alerts.iter().map(of).collect()
    };
    let texts = |ids: &[&str]| -> BTreeSet<String> { ids.iter().map(|id| (*id).to_owned()).collect() };
    let listed = || parsed(&bench.ok(&["alerts", "list", "--format", "jsonl"]));
    // One run each: what came before is known from the lake alone.
    for (number, record) in records.iter().enumerate() {
        bench.ingest(std::slice::from_ref(record));
        let run = bench.once(&written(minute(600 + number as i64)), &[]);
        assert_eq!(run.code, 0, "{run:?}");
    }
    assert_eq!(ids(&listed()), texts(&["1", "3", "4"]));
    assert_eq!(ids(&bench.alerts()), texts(&["1", "2", "3", "4"]));
    let sent = paths.map(|path| ids(&parsed(&std::fs::read_to_string(path).unwrap())));
    assert_eq!(sent, [texts(&["1", "3", "4"]), texts(&["1", "2", "3", "4"])]);
    let counted = bench.rows("SELECT sum(alerts_suppressed) AS n FROM runs");
    assert_eq!(counted[0]["n"], 1);

    // An earlier one arrives late: now it stands for the first two, and each alert says so.
    bench.ingest(&[record(5, minute(0), "HardDelete", 1, 1)]);
    bench.once(&written(minute(610)), &[]);
    assert_eq!(ids(&listed()), texts(&["5", "3", "4"]));
    let late = listed()
        .into_iter()
        .find(|alert| ids(std::slice::from_ref(alert)).contains("5"))
        .unwrap();
    assert!(late["late_by"].as_f64().unwrap() > 0.0, "{late}");
    let standing = &late["alert_id"];
    let suppressed = bench
        .alerts()
        .into_iter()
        .filter(|alert| &alert["suppressed_by"] == standing);
    assert_eq!(ids(&suppressed.collect::<Vec<_>>()), texts(&["1", "2"]));
    bench.revisions();
}
