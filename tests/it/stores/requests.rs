//! How many requests a lake in a store costs.

use super::faults::{ingested, lake_in};
use super::watched::Watched;
use crate::sandbox::Sandbox;
use futures::TryStreamExt as _;
use retrohunt::config::Resources;
use retrohunt::detections::Detection;
use retrohunt::detections::parse;
use retrohunt::engine::{Engine, Scope};
use retrohunt::hunt::{HuntRequest, hunt, to_read};
use serde_json::json;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lake_of_two_thousand_files_opens_with_a_handful_of_requests() {
    let sandbox = Sandbox::new();
    let store = Arc::new(Watched::default());
    let lake = lake_in(&store);
    // A file for each day, in thirteen commits.
    for part in 0..13 {
        let days = (part * 160..(part + 1) * 160).map(|day| {
            let day = chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(18_000 + day);
            let record = json!({"CreationTime": day.format("%Y-%m-%dT08:00:00").to_string(), "Id": day.to_string(),
                "Operation": "UserLoggedIn", "OrganizationId": "o", "RecordType": 15, "UserKey": "k", "UserType": 0,
                "Workload": "AzureActiveDirectory", "UserId": "ann@contoso.example"});
            record.to_string() + "\n"
        });
        let path = sandbox.file("days.json", days.collect::<String>());
        assert_eq!(ingested(&lake, &[path]).await.unwrap().stored, 160);
    }

    store.take_calls();
    let resources = Resources {
        memory_limit: 1 << 30,
        threads: 2,
    };
    let engine = Engine::open(&lake, resources).await.unwrap();
    let opening = store.take_calls();
    assert_eq!(engine.rows(), 2080);
    // The last checkpoint's name, the list, the checkpoint, and the commits after it.
    assert!(opening.len() <= 8, "{} requests: {opening:#?}", opening.len());

    // A question of one day reads that day's file, with one request.
    let session = engine.session(Scope::default()).unwrap();
    let sql = "SELECT user.id, raw FROM events WHERE day = DATE '2020-01-01'";
    let batches: Vec<_> = session.query(sql).await.unwrap().try_collect().await.unwrap();
    assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 1);
    let reading = store.take_calls();
    assert_eq!(reading.len(), 1, "{reading:#?}");

    // Of one value all files are asked, with one short request each; then few are read.
    let sql = "SELECT user.id FROM events WHERE event.id = '2020-02-01 00:00:00 UTC'";
    let batches: Vec<_> = session.query(sql).await.unwrap().try_collect().await.unwrap();
    assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 1);
    let calls = store.take_calls();
    let asked = calls.iter().filter(|call| call.ends_with(", 32 bytes")).count();
    assert_eq!(asked, 2080);
    assert!(calls.len() < asked + 30, "{:#?}", &calls[..20]);
    assert!(
        calls
            .iter()
            .any(|call| call.contains("day=2020-02-01") && !call.ends_with(", 32 bytes"))
    );
}

/// A windowed detection of its SELECT.
fn windowed(id: &str, sql: &str) -> Detection {
    let text = format!(
        "/*---\nid = \"{id}\"\ntitle = \"{id}\"\nseverity = \"low\"\nrisk_score = 21\ninterval = \"1h\"\n\
         lookback = \"2h\"\nkey = [\"user.id\"]\n---*/\n{sql}"
    );
    parse(id, &text).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hunt_takes_no_more_requests_than_are_expected() {
    let sandbox = Sandbox::new();
    let store = Arc::new(Watched::default());
    let lake = lake_in(&store);
    // Eleven days of few events, and one whose file is longer than what is read of an end.
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        format!("{:x}", state >> 16)
    };
    let numbered = (1..12).flat_map(|day| (0..20).map(move |number| (day, number)));
    let numbered = numbered.chain((0..4000).map(|number| (12, number)));
    let log = numbered.map(|(day, number)| {
        let time = format!("2026-03-{day:02}T{:02}:{:02}:00", number % 24, number % 60);
        let key: String = (0..12).map(|_| random()).collect();
        let record = json!({"CreationTime": time, "Id": format!("{day}-{number}"), "Operation": "UserLoggedIn",
            "OrganizationId": "o", "RecordType": 15, "UserKey": key, "UserType": 0, "Workload": "AzureActiveDirectory",
            "UserId": format!("u{}@contoso.example", number % 50), "ClientIP": format!("198.51.{}.{day}", number % 200)});
        record.to_string() + "\n"
    });
    let path = sandbox.file("days.json", log.collect::<String>());
    ingested(&lake, &[path]).await.unwrap();

    let detections = [
        windowed(
            "actions",
            "SELECT user.id, count(*) AS n FROM events WHERE event.action <> 'x' GROUP BY user.id HAVING count(*) > 2",
        ),
        windowed(
            "addresses",
            "SELECT user.id, min(source.ip) AS first, count(*) AS n FROM events GROUP BY user.id HAVING count(*) > 2",
        ),
    ];
    let request = HuntRequest {
        from: None,
        to: None,
        replay: false,
        suppressed: true,
        per_window: false,
    };
    let resources = Resources {
        memory_limit: 1 << 30,
        threads: 2,
    };
    for (chosen, scans) in [(&detections[..1], 1), (&detections[1..], 1), (&detections[..], 2)] {
        let chosen: Vec<&Detection> = chosen.iter().collect();
        let engine = Engine::open(&lake, resources).await.unwrap();
        store.take_calls();
        let expected = to_read(&engine, &chosen, request).await.unwrap();
        assert!(expected.detections.iter().all(|one| one.error.is_none()));
        let looked = store.take_calls();
        assert!(
            looked.iter().all(|call| call.contains("bytes")),
            "ends alone: {looked:#?}"
        );

        let engine = Engine::open(&lake, resources).await.unwrap();
        store.take_calls();
        let (_stop, stopped) = tokio::sync::watch::channel(0);
        let report = hunt(&engine, &chosen, request, stopped, |_| {}).await.unwrap();
        assert!(report.runs.iter().all(|run| run.alerts > 0), "{:?}", report.runs);
        let calls = store.take_calls();
        assert!(
            calls.len() as u64 <= expected.together.requests,
            "{expected:#?} {calls:#?}"
        );
        let of_small = calls.iter().filter(|call| !call.contains("day=2026-03-12")).count();
        assert_eq!(of_small, 11, "one request each: {calls:#?}");
        // Its end, and what each scan reads before it.
        assert!(calls.len() - of_small <= 1 + 2 * scans, "{calls:#?}");
    }
}
