//! How many requests a lake in a store costs.

use super::faults::{ingested, lake_in};
use super::watched::Watched;
use crate::sandbox::Sandbox;
use futures::TryStreamExt as _;
use retrohunt::config::Resources;
use retrohunt::engine::{Engine, Scope};
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
    let sql = "SELECT user.id FROM events WHERE event.id = '2020-01-01 00:00:00 UTC'";
    let batches: Vec<_> = session.query(sql).await.unwrap().try_collect().await.unwrap();
    assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 1);
    let calls = store.take_calls();
    let asked = calls.iter().filter(|call| call.ends_with(", 32 bytes")).count();
    assert_eq!(asked, 2080);
    assert!(calls.len() < asked + 30, "{:#?}", &calls[..20]);
    assert!(
        calls
            .iter()
            .any(|call| call.contains("day=2020-01-01") && !call.ends_with(", 32 bytes"))
    );
}
