//! Windowed detections in parts of their range, and what waits on disk meanwhile.

use super::ordered::Ordered;
use super::ticks::{in_parts, one_by_one};
use super::window_rows::WindowRows;
use crate::alerts::WindowRow;
use crate::config::Resources;
use crate::detections::parse;
use crate::engine::sorter::Spilled;
use crate::engine::{Engine, Ticks};
use crate::ingest::{IngestRequest, Progress, Stop, ingest};
use crate::lake::Lake;
use serde_json::{Map, Value, json};
use std::io::{self, Read, Write};
use std::sync::Arc;

const HOUR: i64 = 3_600_000_000;

struct Quiet;

impl Progress for Quiet {
    fn total(&self, _: u64) {}
    fn position(&self, _: u64) {}
}

/// An engine with the least memory, over these records.
async fn engine(records: &[Value]) -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.json");
    let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
    std::fs::write(&log, lines).unwrap();
    let lake = Lake::at(&folder.path().join("lake").to_string_lossy()).unwrap();
    let request = IngestRequest {
        paths: vec![log.to_string_lossy().into_owned()],
        memory_limit: 64 << 20,
        threads: 2,
        again: false,
        unwrap: true,
    };
    let report = ingest(&lake, request, Arc::new(Quiet), Stop::default()).await.unwrap();
    assert_eq!(report.stored as usize, records.len());
    let resources = Resources::new(64 << 20, 2).unwrap();
    (folder, Engine::open(&lake, resources).await.unwrap())
}

fn row(key: u64, tick: i64) -> WindowRow {
    let fields = json!({"user.id": key, "share": tick as f64 / 7.0, "ids": ["é", null]});
    WindowRow {
        tick,
        key: Map::from_iter([("user.id".to_owned(), key.into())]),
        fields: fields.as_object().unwrap().clone(),
        first_time: (tick % 2 == 0).then_some(tick),
        event_ids: vec!["x".repeat(200), format!("{key} {tick}")],
        event_count: key,
    }
}

#[tokio::test]
async fn rows_of_windows_wait_on_disk_as_they_are() {
    let (_folder, engine) = engine(&[]).await;
    let mut rows = WindowRows::new(&engine);
    let mut expected = Vec::new();
    // Several times what they may have in memory.
    for number in 0..9_000_u64 {
        let row = row(number * 7919 % 97, (number * 104_729 % 1009) as i64);
        rows.begin();
        rows.add(row.clone()).await.unwrap();
        if number % 5 == 0 {
            rows.forget();
        } else {
            expected.push(row);
        }
    }
    expected.sort_by_cached_key(|row| (row.key_text(), row.tick));
    let mut given: Vec<WindowRow> = rows.in_order().await.unwrap().map(Result::unwrap).collect();
    // Those of one key and tick come in any order.
    let order = |row: &WindowRow| (row.key_text(), row.tick, format!("{row:?}"));
    assert!(given.is_sorted_by_key(|row| (row.key_text(), row.tick)));
    given.sort_by_cached_key(order);
    expected.sort_by_cached_key(order);
    assert!(given == expected);
}

#[tokio::test]
async fn parts_of_a_range_give_what_its_ticks_give() {
    let records: Vec<Value> = (0..120_u32)
        .map(|number| {
            let (minute, user) = (number * 37 % 1440, number * 13 % 5);
            json!({
                "CreationTime": format!("2026-03-01T{:02}:{:02}:00", minute / 60, minute % 60),
                "Id": format!("00000000-0000-0000-0000-{number:012}"), "Operation": "FileAccessed",
                "OrganizationId": "0f000000-0000-0000-0000-000000000000", "RecordType": 6, "UserType": 0, "Version": 1,
                "ResultStatus": "Succeeded", "Workload": "SharePoint", "UserId": format!("user{user}@contoso.example"),
            })
        })
        .collect();
    let (_folder, engine) = engine(&records).await;
    let detection = parse(
        "t.sql",
        r#"/*---
id = "t"
title = "T"
severity = "low"
risk_score = 21
interval = "1h"
lookback = "5h"
key = ["user.id"]
---*/
SELECT user.id, count(*) AS event_count, array_agg(event.id ORDER BY event.id) AS event_ids
FROM events GROUP BY user.id HAVING count(*) > 3"#,
    )
    .unwrap();
    let midnight = 1_772_323_200_000_000;
    for length in [0, 1, 2, 7, 40] {
        let ticks = Ticks::within(midnight - 2 * HOUR, midnight + (length - 2) * HOUR, HOUR, 5 * HOUR);
        let (mut parts, mut single) = (WindowRows::new(&engine), WindowRows::new(&engine));
        let (_, count) = in_parts(&engine, &detection, ticks, &mut parts).await.unwrap();
        assert_eq!(count, ticks.count().min(2), "{ticks:?}");
        one_by_one(&engine, &detection, ticks.iter(), &mut single)
            .await
            .unwrap();
        let parts: Vec<WindowRow> = parts.in_order().await.unwrap().map(Result::unwrap).collect();
        let single: Vec<WindowRow> = single.in_order().await.unwrap().map(Result::unwrap).collect();
        assert_eq!(parts, single);
        assert_eq!(parts.is_empty(), length < 7, "{length}");
    }
}

/// One that no disk takes.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Refused(u32);

impl Spilled for Refused {
    fn bytes(&self) -> usize {
        1 << 20
    }

    fn write(&self, _: &mut impl Write) -> io::Result<()> {
        Err(io::Error::other("the disk is full"))
    }

    fn read(_: &mut impl Read) -> io::Result<Self> {
        Err(io::Error::other("nothing was written"))
    }
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_stays_one() {
    let (_folder, engine) = engine(&[]).await;
    let mut rows = Ordered::new(&engine);
    let mut failed = None;
    for number in 0..10 {
        if let Err(error) = rows.add(Refused(number)).await {
            failed = Some(error.to_string());
            break;
        }
    }
    assert!(failed.is_some_and(|error| error.contains("the disk is full")));
    assert!(rows.add(Refused(10)).await.is_err());
}
