//! A store that fails at any single call: no event is lost, none is stored twice, nothing half
//! done is seen, and who runs the ingest again gets what an ingest without the failure gives.

use super::watched::{Fault, Watched};
use crate::sandbox::Sandbox;
use datafusion::arrow::array::{Array as _, AsArray as _};
use futures::TryStreamExt as _;
use object_store::ObjectStoreExt as _;
use retrohunt::Error;
use retrohunt::ingest::{IngestReport, IngestRequest, Progress, ingest};
use retrohunt::lake::{Lake, ParquetFile, TableName};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

struct Silent;

impl Progress for Silent {
    fn total(&self, _: u64) {}
    fn position(&self, _: u64) {}
}

pub(super) fn lake_in(store: &Arc<Watched>) -> Lake {
    Lake::in_store("s3://watched/lake/".parse().unwrap(), Arc::clone(store) as _)
}

pub(super) async fn ingested(lake: &Lake, paths: &[String]) -> Result<IngestReport, Error> {
    let request = IngestRequest {
        paths: paths.to_vec(),
        memory_limit: 64 << 20,
        threads: 2,
        again: false,
        unwrap: true,
    };
    ingest(lake, request, Arc::new(Silent), Arc::default()).await
}

/// Three days of events with repeats, and a record that is none, in two files.
fn logs(sandbox: &Sandbox) -> Vec<String> {
    let line = |n: usize| {
        let time = format!("2026-03-{:02}T08:00:00", 1 + n % 3);
        json!({"CreationTime": time, "Id": format!("id-{n}"), "Operation": "New-InboxRule", "OrganizationId": "o",
               "RecordType": 1, "UserKey": "k", "UserType": 0, "Workload": "Exchange", "UserId": "ann@contoso.example"})
        .to_string()
    };
    let file = |numbers: std::ops::Range<usize>| numbers.map(|n| line(n) + "\n").collect::<String>();
    vec![
        sandbox.file("a.json", file(0..6) + "not json\n"),
        sandbox.file("b.json", file(4..9)),
    ]
}

/// What is in a table: one column of all rows, sorted; none where there is no table.
async fn column(lake: &Lake, table: TableName, name: &str) -> Vec<String> {
    let Some(table) = lake.table_if_exists(table).await.unwrap() else {
        return Vec::new();
    };
    let mut values = Vec::new();
    let columns = [name];
    let mut batches = table.read_all(&columns).unwrap();
    while let Some(batch) = batches.try_next().await.unwrap() {
        let texts = batch.column(0).as_string::<i32>();
        values.extend((0..texts.len()).map(|row| texts.value(row).to_owned()));
    }
    values.sort();
    values
}

fn counts(report: &IngestReport) -> [u64; 4] {
    [report.read, report.stored, report.duplicate, report.rejected]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_call_fails_the_next_ingest_ends_what_is_missing() {
    let sandbox = Sandbox::new();
    let paths = logs(&sandbox);
    let clean = Arc::new(Watched::default());
    let lake = lake_in(&clean);
    assert_eq!(counts(&ingested(&lake, &paths).await.unwrap()), [12, 9, 2, 1]);
    let calls = clean.take_calls();
    let expected = column(&lake, TableName::Events, "event_id").await;
    let rejected = column(&lake, TableName::Quarantine, "reason").await;
    assert_eq!((expected.len(), rejected.len()), (9, 1));

    let mut found_out = 0;
    for fault in [Fault::Refused, Fault::Unanswered, Fault::Gone] {
        // Threads may ask in another order, so that a call of this number is another one: every
        // number is tried, and a few beyond.
        for call in 0..calls.len() + 3 {
            let store = Arc::new(Watched::default());
            let lake = lake_in(&store);
            store.fail_at(call, fault);
            let first = ingested(&lake, &paths).await;
            let made = store.take_calls();
            store.recover();
            let which = format!("{fault:?} at call {call}: {:?}", made.get(call));

            // A commit whose answer is lost is found to be there.
            let asked = made.get(call).cloned().unwrap_or_default();
            if fault == Fault::Unanswered && asked.starts_with("put") && asked.ends_with(".json") {
                assert!(first.is_ok(), "{which}: {first:?}");
                found_out += 1;
            }
            // What is visible is whole: a subset, each once.
            let seen = column(&lake, TableName::Events, "event_id").await;
            let unique: BTreeSet<&String> = seen.iter().collect();
            assert_eq!(unique.len(), seen.len(), "{which}");
            assert!(seen.iter().all(|id| expected.contains(id)), "{which}");
            match first {
                // Whoever is told that all is well can rely on it.
                Ok(report) => {
                    assert_eq!(counts(&report), [12, 9, 2, 1], "{which}");
                    assert_eq!(seen, expected, "{which}");
                }
                Err(error) => {
                    let text = error.to_string();
                    assert!(
                        text.contains("503 Slow Down") && text.contains("table"),
                        "{which}: {text}"
                    );
                }
            }

            let second = ingested(&lake, &paths).await.unwrap();
            let [read, stored, duplicate, bad] = counts(&second);
            assert_eq!(read, stored + duplicate + bad, "{which}");
            assert_eq!(column(&lake, TableName::Events, "event_id").await, expected, "{which}");
            assert_eq!(
                column(&lake, TableName::Quarantine, "reason").await,
                rejected,
                "{which}"
            );
            let hashes = column(&lake, TableName::Ledger, "source_sha256").await;
            assert_eq!(hashes.iter().collect::<BTreeSet<_>>().len(), 2, "{which}");
        }
    }
    assert!(found_out >= 6, "three tables made, three commits: {found_out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_ingests_at_once_store_each_event_once() {
    let sandbox = Sandbox::new();
    let paths = logs(&sandbox);
    let store = Arc::new(Watched::default());
    let running = (0..8).map(|n| {
        let (lake, paths) = (lake_in(&store), paths.clone());
        tokio::spawn(async move { ingested(&lake, &paths[n % 2..]).await })
    });
    let mut stored = 0;
    for running in running.collect::<Vec<_>>() {
        stored += running.await.unwrap().unwrap().stored;
    }
    let events = column(&lake_in(&store), TableName::Events, "event_id").await;
    assert_eq!((stored, events.len()), (9, 9));
    assert_eq!(column(&lake_in(&store), TableName::Quarantine, "reason").await.len(), 1);
}

/// A small file for each record, some of them in one partition.
async fn scattered(store: &Arc<Watched>, paths: &[String]) -> Lake {
    let lake = lake_in(store);
    for path in paths {
        ingested(&lake, std::slice::from_ref(path)).await.unwrap();
    }
    lake
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_call_fails_a_compaction_changes_no_events() {
    let sandbox = Sandbox::new();
    let paths = logs(&sandbox);
    let clean = Arc::new(Watched::default());
    let lake = scattered(&clean, &paths).await;
    let expected = column(&lake, TableName::Events, "event_id").await;
    clean.take_calls();
    let compact = |lake: &Lake| {
        let lake = lake.clone();
        async move {
            let mut table = lake.table(TableName::Events).await?;
            table.compact(1 << 20, 1, &|_| {}).await
        }
    };
    let compacted = compact(&lake).await.unwrap();
    assert_eq!((compacted.files, compacted.into_files, compacted.rows), (6, 3, 9));
    let calls = clean.take_calls().len();
    for fault in [Fault::Refused, Fault::Unanswered, Fault::Gone] {
        for call in 0..calls {
            let store = Arc::new(Watched::default());
            let lake = scattered(&store, &paths).await;
            store.fail_at(call, fault);
            let first = compact(&lake).await;
            let made = store.take_calls();
            store.recover();
            let which = format!("{fault:?} at call {call}: {:?}: {first:?}", made.get(call));
            assert_eq!(column(&lake, TableName::Events, "event_id").await, expected, "{which}");
            compact(&lake).await.unwrap();
            assert_eq!(column(&lake, TableName::Events, "event_id").await, expected, "{which}");
            let files = lake.table(TableName::Events).await.unwrap().files().unwrap();
            assert_eq!(files.len(), 3, "{which}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_in_parts_is_there_whole_or_not_at_all() {
    let sandbox = Sandbox::new();
    let paths = logs(&sandbox);
    let large = ParquetFile {
        path: "part-large.parquet".into(),
        partition: Vec::new(),
        bytes: (0..40_u8)
            .flat_map(|part| vec![part; 1 << 20])
            .collect::<Vec<u8>>()
            .into(),
        size: 40 << 20,
        sha256: String::new(),
        statistics: json!({}),
        filters: None,
        written_ms: 0,
    };
    let path = object_store::path::Path::from("lake/events/part-large.parquet");
    let store = Arc::new(Watched::default());
    let table = scattered(&store, &paths[..1])
        .await
        .table(TableName::Events)
        .await
        .unwrap();
    store.take_calls();
    table.upload(&large).await.unwrap();
    let calls = store.take_calls();
    assert_eq!(
        (calls.len(), calls.iter().filter(|call| *call == "part").count()),
        (7, 5),
        "{calls:?}"
    );
    assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), large.bytes);
    for fault in [Fault::Refused, Fault::Unanswered] {
        for call in 0..calls.len() {
            store.delete(&path).await.unwrap();
            store.fail_at(call, fault);
            let uploaded = table.upload(&large).await;
            store.recover();
            let there = store.get(&path).await;
            let which = format!("{fault:?} at call {call}: {uploaded:?}");
            assert!(
                uploaded.is_err_and(|error| error.to_string().contains("part-large.parquet")),
                "{which}"
            );
            match there {
                // Done, and not answered: whole all the same.
                Ok(object) => assert_eq!(object.bytes().await.unwrap(), large.bytes, "{which}"),
                Err(error) => assert!(
                    matches!(error, object_store::Error::NotFound { .. }),
                    "{which}: {error}"
                ),
            }
            table.upload(&large).await.unwrap();
        }
    }
}
