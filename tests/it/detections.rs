//! Every built-in detection fires on its records and stays quiet on the near misses,
//! through the command line, as a user would run it.

use crate::sandbox::{Sandbox, repository};
use serde_json::Value;
use std::collections::BTreeSet;

const DETECTIONS: [&str; 4] = [
    "excessive_mail_items",
    "risky_mailbox_rule",
    "suspicious_source",
    "unusual_client_app",
];

fn alerts(sandbox: &Sandbox, arguments: &[&str]) -> Vec<Value> {
    let arguments: Vec<&str> = ["hunt", "--format", "jsonl"]
        .into_iter()
        .chain(arguments.iter().copied())
        .collect();
    let text = sandbox.ok(&arguments);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The values of a key, without their names.
fn key_values(key: &Value) -> BTreeSet<String> {
    let texts = key
        .as_object()
        .unwrap()
        .values()
        .map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
    texts.collect()
}

#[test]
fn every_detection_has_its_cases() {
    let files = std::fs::read_dir(repository("sql/detections")).unwrap();
    let mut found: Vec<String> = files
        .map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    found.sort();
    assert_eq!(found, DETECTIONS);
}

#[test]
fn fires_on_what_it_is_for() {
    for id in DETECTIONS {
        let sandbox = Sandbox::new();
        sandbox.ingest(&[&repository(&format!("tests/detections/{id}/fire.jsonl"))]);
        let expected: Value = serde_json::from_slice(
            &std::fs::read(repository(&format!("tests/detections/{id}/expected.json"))).unwrap(),
        )
        .unwrap();
        let found = alerts(&sandbox, &[id]);
        let expected = expected["alerts"].as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{id}: {found:#?}");
        for wanted in expected {
            let values = key_values(&wanted["key"]);
            let alert = found
                .iter()
                .find(|alert| {
                    key_values(&alert["key"]).is_superset(&values)
                        && (wanted["time"].is_null() || alert["time"] == wanted["time"])
                })
                .unwrap_or_else(|| panic!("{id}: no alert for {wanted}: {found:#?}"));
            for (name, ours) in [
                ("windows", "windows"),
                ("last_window_end", "window_end"),
                ("history_complete", "history_complete"),
            ] {
                if let Some(value) = wanted.get(name) {
                    assert_eq!(&alert[ours], value, "{id}: {name} of {wanted}");
                }
            }
            let ids: BTreeSet<&str> = alert["event_ids"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_str)
                .collect();
            for event_id in wanted["event_ids"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
            {
                // A Defender report id ends with the id of the audit record it is about.
                assert!(
                    ids.iter().any(|found| found.ends_with(event_id)),
                    "{id}: {event_id} in {ids:?}"
                );
            }
        }
    }
}

#[test]
fn stays_quiet_on_near_misses() {
    for id in DETECTIONS {
        let sandbox = Sandbox::new();
        let [read, stored, ..] = sandbox.ingest(&[&repository(&format!("tests/detections/{id}/quiet.jsonl"))]);
        assert_eq!(read, stored, "{id}: every near miss is an event");
        assert_eq!(alerts(&sandbox, &[id]), Vec::<Value>::new(), "{id}");
    }
}

#[test]
fn replay_finds_the_same() {
    let sandbox = Sandbox::new();
    sandbox.ingest(&[&repository("tests/detections/suspicious_source/fire.jsonl")]);
    for more in [vec![], vec!["--per-window"]] {
        let skipping: Vec<&str> = ["suspicious_source"].into_iter().chain(more.iter().copied()).collect();
        let replaying: Vec<&str> = ["--replay"].into_iter().chain(skipping.iter().copied()).collect();
        let found = alerts(&sandbox, &skipping);
        assert!(!found.is_empty());
        assert_eq!(found, alerts(&sandbox, &replaying));
    }
}

#[test]
fn a_range_gives_the_alerts_inside_it_with_the_same_ids() {
    let sandbox = Sandbox::new();
    for id in DETECTIONS {
        sandbox.ingest(&[&repository(&format!("tests/detections/{id}/fire.jsonl"))]);
    }
    let events = |arguments: &[&str]| {
        let found = alerts(
            &sandbox,
            &[&["excessive_mail_items", "unusual_client_app"], arguments].concat(),
        );
        found
            .into_iter()
            .map(|alert| (alert["alert_id"].clone(), alert["time"].as_str().unwrap().to_owned()))
            .collect::<Vec<_>>()
    };
    let all = events(&[]);
    let middle = all[all.len() / 2].1.clone();
    let (before, after) = (events(&["--to", &middle]), events(&["--from", &middle]));
    assert!(!before.is_empty() && !after.is_empty());
    assert_eq!(
        [before, after].concat(),
        all,
        "the range is half-open, so two that meet share nothing"
    );
}

#[test]
fn own_detections_of_every_kind() {
    let sandbox = Sandbox::new();
    sandbox.ingest(&[&repository("tests/detections/excessive_mail_items/fire.jsonl")]);
    let header = |id: &str, more: &str| {
        format!(
            "/*---\nid = \"{id}\"\ntitle = \"t\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\nattack = [\"TA0009/T1114\"]\nfalse_positives = [\"x\"]\ntriage = \"y\"\nreferences = [\"https://example.org\"]\n{more}---*/\n"
        )
    };
    sandbox.file(
        "own/every_access.sql",
        header("every_access", "") + "SELECT user.id FROM events WHERE event.action = 'MailItemsAccessed'",
    );
    sandbox.file(
        "own/busy_user.sql",
        header("busy_user", "interval = \"1h\"\nlookback = \"2h\"\nkey = [\"user.id\"]\n")
            + "SELECT user.id, count(*) AS event_count, array_agg(event.id) AS event_ids, min(timestamp) AS first_time FROM events WHERE timestamp > now() - INTERVAL '2 hours' GROUP BY user.id",
    );
    sandbox.file(
        "own/new_address.sql",
        header(
            "new_address",
            "[new_terms]\nfields = [\"user.id\", \"event.category\"]\nhistory = \"1d\"\n",
        ) + "SELECT source.ip FROM events",
    );
    sandbox.ok(&["detections", "check", "--detections", "own"]);
    let events = sandbox.sql("SELECT count(*) AS n FROM events WHERE event.action = 'MailItemsAccessed'")[0]["n"]
        .as_u64()
        .unwrap();
    let count = |id: &str| alerts(&sandbox, &["--detections", "own", id]).len() as u64;
    assert_eq!(count("every_access"), events);
    assert!(count("busy_user") > 0);
    assert!(count("new_address") > 0);
}

/// Shapes of plans in which an empty window may or may not give rows.
const SHAPES: [(&str, &str); 13] = [
    (
        "grouped",
        "SELECT user.id AS k, count(*) AS event_count FROM events WHERE event.action = 'MailItemsAccessed' GROUP BY user.id",
    ),
    (
        "global",
        "SELECT 'all' AS k, count(*) AS event_count FROM events WHERE event.action = 'New-InboxRule'",
    ),
    (
        "silence",
        "SELECT 'none' AS k, count(*) AS event_count FROM events WHERE event.dataset = 'o365.audit' HAVING count(*) = 0",
    ),
    (
        "outer",
        "SELECT l.k AS k, r.n AS event_count FROM (SELECT user.id AS k FROM events WHERE event.action = 'MailItemsAccessed' GROUP BY user.id) l LEFT JOIN (SELECT user.id AS k, count(*) AS n FROM events WHERE event.action = 'New-InboxRule' GROUP BY user.id) r ON l.k = r.k",
    ),
    (
        "full",
        "SELECT coalesce(l.k, r.k) AS k, r.n AS event_count FROM (SELECT DISTINCT user.id AS k FROM events WHERE event.action = 'UserLoggedIn') l FULL JOIN (SELECT user.id AS k, count(*) AS n FROM events WHERE event.action = 'New-InboxRule' GROUP BY user.id) r ON l.k = r.k",
    ),
    (
        "union",
        "SELECT user.id AS k FROM events WHERE event.action = 'New-InboxRule' UNION SELECT user.id FROM events WHERE event.action = 'UserLoginFailed'",
    ),
    (
        "scalar",
        "SELECT user.id AS k, count(*) AS event_count FROM events WHERE event.action = 'UserLoggedIn' AND (SELECT count(*) FROM events WHERE event.action = 'New-InboxRule') = 0 GROUP BY user.id",
    ),
    (
        "absence",
        "SELECT DISTINCT user.id AS k FROM events e WHERE event.action = 'UserLoggedIn' AND NOT EXISTS (SELECT 1 FROM events f WHERE f.event.action = 'New-InboxRule' AND f.user_id = e.user_id)",
    ),
    (
        "ranked",
        "SELECT k, event_count FROM (SELECT user.id AS k, count(*) AS event_count, row_number() OVER (ORDER BY count(*) DESC, user.id) AS place FROM events GROUP BY user.id) WHERE place = 1",
    ),
    (
        "list",
        "SELECT v.k AS k, count(e.event_id) AS event_count FROM (VALUES ('ann.keller@contoso.example'), ('nobody')) AS v(k) LEFT JOIN events e ON e.user_id = v.k GROUP BY v.k",
    ),
    (
        "clock",
        "SELECT CASE WHEN extract(hour FROM now()) = 6 THEN 'morning' ELSE 'later' END AS k, count(*) AS event_count FROM events",
    ),
    (
        "recent",
        "SELECT event.action AS k, count(*) AS event_count FROM events WHERE @timestamp > now() - INTERVAL '6 hours' GROUP BY event.action",
    ),
    (
        "rollup",
        "SELECT coalesce(event.action, 'all') AS k, count(*) AS event_count FROM events WHERE event.dataset = 'o365.audit' GROUP BY ROLLUP (event.action)",
    ),
];

#[test]
fn skipping_quiet_ticks_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.ingest(&[&repository("data/contoso")]);
    for (id, sql) in SHAPES {
        let header = format!(
            "/*---\nid = \"{id}\"\ntitle = \"t\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\ninterval = \"6h\"\n\
             lookback = \"12h\"\nkey = [\"k\"]\nattack = [\"TA0009/T1114\"]\nfalse_positives = [\"x\"]\ntriage = \"y\"\n\
             references = [\"https://example.org\"]\n---*/\n"
        );
        sandbox.file(&format!("own/{id}.sql"), header + sql);
    }
    let range = [
        "--from",
        "2026-03-16T00:00:00Z",
        "--to",
        "2026-03-19T00:00:00Z",
        "--per-window",
        "--detections",
        "own",
    ];
    let shapes: Vec<&str> = SHAPES.iter().map(|(id, _)| *id).collect();
    let skipping = alerts(&sandbox, &[&range[..], &shapes[..]].concat());
    let replaying = alerts(&sandbox, &[&range[..], &shapes[..], &["--replay"]].concat());
    for id in shapes {
        let of = |found: &[Value]| {
            found
                .iter()
                .filter(|alert| alert["detection"] == id)
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(of(&skipping), of(&replaying), "{id}");
        assert!(!of(&replaying).is_empty(), "{id} finds something, or it tests nothing");
    }
}

#[test]
fn the_examples_of_the_readme_run() {
    let readme = std::fs::read_to_string(repository("README.md")).unwrap();
    let blocks = readme.split("```sql\n").skip(1);
    let blocks: Vec<&str> = blocks.map(|block| block.split("```").next().unwrap()).collect();
    let sandbox = Sandbox::new();
    let mut ids = Vec::new();
    for example in blocks.iter().filter(|block| block.starts_with("/*---")) {
        let id = example.split('"').nth(1).unwrap();
        sandbox.file(&format!("own/{id}.sql"), example);
        ids.push(id);
    }
    assert_eq!(ids, ["inbox_rule_from_abroad", "user_guessed", "new_client"]);
    sandbox.ok(&["detections", "check", "--detections", "own"]);
    let guesses: String = (0..6)
        .map(|minute| {
            let action = if minute < 5 { "UserLoginFailed" } else { "UserLoggedIn" };
            let time = format!("2026-03-20T08:0{minute}:00Z");
            crate::hunts::event(&format!("g{minute}"), &time, "o365.audit", action, "guessed")
        })
        .collect();
    let guesses = sandbox.file("guesses.json", guesses);
    sandbox.ingest(&[&repository("data/contoso"), &guesses]);
    for id in ids {
        let found = alerts(&sandbox, &["--detections", "own", id]);
        assert!(!found.is_empty(), "{id}");
        if id == "user_guessed" {
            assert_eq!((found.len(), &found[0]["event_count"]), (1, &5.into()));
            assert_eq!(found[0]["key"]["user.id"], "guessed");
            assert_eq!(found[0]["event_ids"], serde_json::json!(["g0", "g1", "g2", "g3", "g4"]));
            assert_eq!(found[0]["time"], "2026-03-20T08:00:00Z");
        }
    }
    for query in blocks.iter().filter(|block| block.starts_with("SELECT")) {
        assert!(!sandbox.sql(query).is_empty(), "{query}");
    }
}

#[test]
fn two_events_with_one_id_are_two_alerts() {
    let sandbox = Sandbox::new();
    let event = |organization: &str, dataset: &str| {
        format!(
            "{{\"@timestamp\":\"2026-03-01T00:00:00Z\",\"event\":{{\"id\":\"1\",\"dataset\":\"{dataset}\",\"action\":\"a\"}},\"organization\":{{\"id\":\"{organization}\"}}}}\n"
        )
    };
    sandbox.file("a.json", event("o1", "t.x") + &event("o2", "t.x") + &event("o1", "t.y"));
    assert_eq!(sandbox.ingest(&["a.json"]), [3, 3, 0, 0]);
    let header = "/*---\nid = \"every\"\ntitle = \"t\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\nattack = [\"TA0009/T1114\"]\nfalse_positives = [\"x\"]\ntriage = \"y\"\nreferences = [\"https://example.org\"]\n---*/\n";
    sandbox.file("own/every.sql", format!("{header}SELECT event.id FROM events"));
    let found = alerts(&sandbox, &["--detections", "own", "every"]);
    let ids: BTreeSet<&str> = found.iter().filter_map(|alert| alert["alert_id"].as_str()).collect();
    assert_eq!((found.len(), ids.len()), (3, 3));
}
