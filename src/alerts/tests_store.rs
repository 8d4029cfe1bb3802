//! What goes into the store comes out: each alert once, sorted, as it was.

use super::{Alert, AlertStore};
use crate::config::Resources;
use crate::engine::Engine;
use futures::StreamExt as _;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            object(inner).prop_map(Value::Object),
        ]
    })
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    // In any order: that of the columns has to stay.
    prop::collection::vec((".{0,4}", value), 0..4).prop_map(Map::from_iter)
}

prop_compose! {
    fn alert()(
        // Few ids and times, so that some meet.
        alert_id in "[a-c]{0,2}|.{0,6}",
        detection in "[d-e]|.{0,4}",
        severity in "low|.{0,4}",
        time in prop_oneof![0..4_i64, any::<i64>()],
        key in object(value()),
        window in any::<(Option<i64>, Option<i64>, Option<u64>)>(),
        event_ids in prop::collection::vec(".{0,5}", 0..3),
        event_count in any::<u64>(),
        history_complete in any::<Option<bool>>(),
        fields in object(value()),
    ) -> Alert {
        let (window_start, window_end, windows) = window;
        Alert {
            alert_id, detection, severity, time, key, window_start, window_end, windows,
            event_ids, event_count, history_complete, fields,
        }
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

async fn engine(memory_limit: u64) -> Engine {
    let resources = Resources {
        memory_limit,
        threads: 2,
    };
    Engine::empty(resources).unwrap()
}

async fn through_the_store(engine: &Engine, writers: &[(Vec<Alert>, bool)]) -> (Vec<Alert>, Vec<u64>) {
    let store = AlertStore::new(engine);
    let mut numbers = Vec::new();
    for (alerts, keep) in writers {
        let mut writer = store.writer();
        for alert in alerts {
            writer.add(alert).await.unwrap();
        }
        if *keep {
            numbers.push(writer.keep().await.unwrap());
        }
    }
    let sorted = store.finish().await.unwrap();
    let counts = numbers.into_iter().map(|number| sorted.of(number)).collect::<Vec<_>>();
    assert_eq!(sorted.total(), counts.iter().sum::<u64>());
    let total = sorted.total();
    let alerts = sorted.collect().await.unwrap();
    assert_eq!(total, alerts.len() as u64, "the total is known before");
    (alerts, counts)
}

fn order(alert: &Alert) -> (i64, String, String) {
    (alert.time, alert.detection.clone(), alert.alert_id.clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn alerts_come_out_as_they_went_in(
        writers in prop::collection::vec((prop::collection::vec(alert(), 0..60), prop::bool::weighted(0.8)), 0..4),
    ) {
        let (found, _) = wait(async { through_the_store(&engine(64 << 20).await, &writers).await });
        let kept: Vec<&Alert> = writers.iter().filter(|(_, keep)| *keep).flat_map(|(alerts, _)| alerts).collect();
        for alert in &found {
            prop_assert!(kept.contains(&alert));
        }
        let expected: BTreeSet<_> = kept.iter().map(|alert| order(alert)).collect();
        let found_once: Vec<_> = found.iter().map(order).collect();
        prop_assert_eq!(found_once, expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn the_order_of_arrival_does_not_matter(
        alerts in prop::collection::vec(alert(), 0..60).prop_flat_map(|alerts| (Just(alerts.clone()), Just(alerts).prop_shuffle())),
    ) {
        let (one, other) = alerts;
        let engine = wait(engine(64 << 20));
        let found = |alerts: Vec<Alert>| wait(through_the_store(&engine, &[(alerts, true)])).0;
        prop_assert_eq!(found(one), found(other));
    }
}

fn numbered(number: u64, padding: usize) -> Alert {
    let scattered = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Alert {
        alert_id: format!("{scattered:016x}"),
        detection: "d".into(),
        severity: "low".into(),
        time: i64::try_from(scattered % 1000).unwrap(),
        key: Map::new(),
        window_start: None,
        window_end: None,
        windows: None,
        event_ids: vec![],
        event_count: number,
        history_complete: None,
        fields: Map::from_iter([("text".to_owned(), json!("x".repeat(padding)))]),
    }
}

/// Files that wait on disk.
fn files(engine: &Engine) -> usize {
    let folders = engine.runtime().disk_manager.temp_dir_paths();
    folders
        .iter()
        .map(|folder| std::fs::read_dir(folder).unwrap().count())
        .sum()
}

#[test]
fn more_than_fits_into_memory_goes_to_disk() {
    wait(async {
        let engine = engine(64 << 20).await;
        // Small ones, of which there are many, and some that are large; half of them twice.
        for (count, padding) in [(150_000_u64, 600), (300, 300_000)] {
            let store = AlertStore::new(&engine);
            let mut writer = store.writer();
            for number in 0..count {
                writer.add(&numbered(number, padding)).await.unwrap();
                if number % 2 == 0 {
                    writer.add(&numbered(number / 2, padding)).await.unwrap();
                }
            }
            let writer = writer.keep().await.unwrap();
            let on_disk = files(&engine);
            assert!(on_disk > 0, "{count} alerts of {padding} bytes and none on disk");
            let mut sorted = store.finish().await.unwrap();
            assert_eq!((sorted.total(), sorted.of(writer)), (count, count));
            let (mut seen, mut sum, mut last) = (0, 0, (i64::MIN, String::new()));
            while let Some(alert) = sorted.next().await {
                let alert = alert.unwrap();
                assert_eq!(alert, numbered(alert.event_count, padding));
                seen += 1;
                sum += alert.event_count;
                let now = (alert.time, alert.alert_id);
                assert!(last < now);
                last = now;
            }
            assert_eq!((seen, sum), (count, count * (count - 1) / 2));
            drop(sorted);
            assert_eq!((files(&engine), engine.runtime().memory_pool.reserved()), (0, 0));
        }
    });
}

#[test]
fn what_was_added_before_starting_over_leaves_nothing_behind() {
    wait(async {
        let engine = engine(64 << 20).await;
        // A few that the writer still has, more that the sorter has, and more than fit into memory.
        for (count, padding, to_disk) in [(3_u64, 0, false), (200, 0, false), (40, 300_000, true)] {
            let store = AlertStore::new(&engine);
            let mut other = store.writer();
            other.add(&numbered(1_000_000, 0)).await.unwrap();
            let mut writer = store.writer();
            // Twice, as nothing says that only one attempt fails.
            for attempt in 1..=2 {
                for number in 0..count {
                    // An earlier text than that of the same alert below, and one that never comes again.
                    writer
                        .add(&Alert {
                            severity: "a".into(),
                            ..numbered(number, padding)
                        })
                        .await
                        .unwrap();
                    writer.add(&numbered(attempt * 1000 + number, padding)).await.unwrap();
                }
                writer.start_over();
            }
            assert_eq!(files(&engine) > 0, to_disk, "{count} alerts of {padding} bytes");
            let kept: Vec<Alert> = (0..count / 2).map(|number| numbered(number, 0)).collect();
            for alert in &kept {
                writer.add(alert).await.unwrap();
            }
            let (writer, other) = (writer.keep().await.unwrap(), other.keep().await.unwrap());
            let sorted = store.finish().await.unwrap();
            assert_eq!((sorted.of(writer), sorted.of(other)), (count / 2, 1));
            assert_eq!(sorted.total(), count / 2 + 1);
            let mut expected = [kept, vec![numbered(1_000_000, 0)]].concat();
            expected.sort_by_key(order);
            assert!(sorted.collect().await.unwrap() == expected);
            assert_eq!((files(&engine), engine.runtime().memory_pool.reserved()), (0, 0));
        }
    });
}

#[test]
fn a_writer_that_started_over_and_was_not_kept_has_no_alerts() {
    wait(async {
        let engine = engine(64 << 20).await;
        let store = AlertStore::new(&engine);
        let mut writer = store.writer();
        for number in 0..200 {
            writer.add(&numbered(number, 0)).await.unwrap();
        }
        writer.start_over();
        for number in 0..200 {
            writer.add(&numbered(number, 0)).await.unwrap();
        }
        drop(writer);
        // Even if all that came was taken before, an empty one counts as empty.
        let mut empty = store.writer();
        empty.add(&numbered(7, 0)).await.unwrap();
        empty.start_over();
        let empty = empty.keep().await.unwrap();
        let sorted = store.finish().await.unwrap();
        assert_eq!((sorted.total(), sorted.of(empty)), (0, 0));
        assert_eq!(sorted.collect().await.unwrap(), []);
    });
}
