//! Whatever arrives in whatever order, and whenever ticks come: after each step the alerts are those
//! of a hunt over the lake as it is.

use super::{StateFiles, Step, StepRequest, current, step};
use crate::alerts::revision::to_batch;
use crate::alerts::{Alert, Change, Origin, Revision};
use crate::config::{Resources, format_instant};
use crate::detections::{Detection, Kind, parse};
use crate::engine::Engine;
use crate::hunt::{HuntRequest, RunState, hunt};
use crate::ingest::{IngestRequest, Progress, Stop, ingest};
use crate::lake::{Committed, Lake, LakeTable, TableName, encode};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

const MINUTE: i64 = 60_000_000;
/// 2026-03-01T00:00:00Z
const START: i64 = 1_772_323_200_000_000;

struct Quiet;

impl Progress for Quiet {
    fn total(&self, _: u64) {}
    fn position(&self, _: u64) {}
}

const DETECTIONS: [&str; 12] = [
    r#"event --- SELECT event.id, user.id FROM events WHERE event.action = 'FileDeleted'"#,
    r#"event --- SELECT event.id, user.id FROM events WHERE event.action = 'FileDeleted'
         AND user.id IN (SELECT user.id FROM events WHERE event.action = 'New-InboxRule')"#,
    r#"interval = "1h" lookback = "5h" key = ["user.id"] --- SELECT user.id, count(*) AS event_count, min(timestamp) AS first_time,
         array_agg(event.id ORDER BY event.id) AS event_ids FROM events GROUP BY user.id HAVING count(*) > 2"#,
    r#"interval = "2h" lookback = "3h" key = ["user.id"] --- SELECT user.id, count(*) AS event_count, array_agg(event.id ORDER BY event.id) AS event_ids
         FROM events GROUP BY user.id
         HAVING count(*) FILTER (WHERE event.action = 'FileDeleted') > 0 AND count(*) FILTER (WHERE event.action = 'New-InboxRule') = 0"#,
    r#"interval = "1h" lookback = "2h" key = ["k"] --- SELECT 'all' AS k, count(*) AS event_count FROM events
         WHERE event.action = 'FileDeleted' HAVING count(*) < 2"#,
    r#"interval = "1h" lookback = "4h" key = ["user.id"] --- SELECT user.id, count(*) AS event_count FROM events
         WHERE timestamp > now() - INTERVAL '90 minutes' AND event.action <> 'New-InboxRule' GROUP BY user.id HAVING count(*) > 1"#,
    r#"interval = "30m" lookback = "6h" key = ["user.id"] --- SELECT a.user.id, count(*) AS event_count
         FROM events a JOIN events b ON a.user.id = b.user.id AND a.timestamp < b.timestamp
         WHERE a.event.action = 'FileDeleted' AND b.event.action = 'New-InboxRule' GROUP BY a.user.id"#,
    r#"cron = "15 2,8,20 * * *" lookback = "13h" key = ["user.id"] --- SELECT user.id, count(*) AS event_count, min(timestamp) AS first_time,
         array_agg(event.id ORDER BY event.id) AS event_ids FROM events GROUP BY user.id HAVING count(*) > 2"#,
    r#"cron = "0 6 * * 1-5" lookback = "1d" key = ["k"] --- SELECT 'all' AS k, count(*) AS event_count FROM events
         WHERE event.action = 'FileDeleted' HAVING count(*) < 2"#,
    r#"cron = "40 1,7,13 * * *" --- SELECT event.id, user.id FROM events WHERE event.action = 'FileAccessed'"#,
    r#"new_terms = { fields = ["user.id", "event.action"], history = "6h" } --- SELECT event.id, user.id, event.action FROM events"#,
    r#"new_terms = { fields = ["user.id"], history = "45m" } --- SELECT event.id, user.id FROM events WHERE event.action <> 'FileDeleted'"#,
];

fn detections() -> Vec<Detection> {
    let parsed = DETECTIONS.iter().enumerate().map(|(number, text)| {
        let (header, sql) = text.split_once("---").unwrap();
        let header = match header.trim() {
            "event" => String::new(),
            header => header.replace("\" ", "\"\n").replace("] ", "]\n"),
        };
        let text = format!(
            "/*---\nid = \"d{number}\"\ntitle = \"T\"\nseverity = \"low\"\nrisk_score = 21\n{header}\n---*/\n{sql}"
        );
        parse(&format!("d{number}.sql"), &text).unwrap_or_else(|fault| panic!("{fault:?}\n{text}"))
    });
    parsed.collect()
}

/// An event: minutes since the start, user, action.
type Event = (i64, u8, u8);

#[derive(Debug, Clone)]
enum Happening {
    Arrives(Vec<Event>),
    /// The clock is that many minutes after the start, or where it was.
    Clock(i64),
    Compacts,
    /// The state is lost: a later release cannot read it, say.
    Forgets,
}

struct World {
    folder: tempfile::TempDir,
    lake: Lake,
    engine: Engine,
    version: Option<u64>,
    ids: u64,
    before: Option<i64>,
    states: BTreeMap<String, String>,
    /// The largest revision of each alert.
    revisions: BTreeMap<String, u32>,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::at(&folder.path().join("lake").to_string_lossy()).unwrap();
        ingested(&lake, folder.path(), &[], &mut 0).await;
        let engine = Engine::open(&lake, Resources::new(64 << 20, 2).unwrap()).await.unwrap();
        Self {
            folder,
            lake,
            engine,
            version: None,
            ids: 0,
            before: None,
            states: BTreeMap::new(),
            revisions: BTreeMap::new(),
        }
    }

    async fn happens(&mut self, happening: &Happening, detections: &[Detection], from: Option<i64>) {
        let mut clock = self.before.unwrap_or(START);
        match happening {
            Happening::Arrives(events) => ingested(&self.lake, self.folder.path(), events, &mut self.ids).await,
            Happening::Clock(minutes) => clock = clock.max(START + minutes * MINUTE),
            Happening::Compacts => {
                let mut table = self.events().await;
                table.compact(64 << 20, 1, &|_| {}).await.unwrap();
            }
            Happening::Forgets => self.states.clear(),
        }
        let table = self.events().await;
        let arrived = table.arrived_since(self.version).await.unwrap();
        self.version = Some(table.version());
        self.engine = self.engine.at_version(&self.lake, table).unwrap();
        for detection in detections {
            let files = StateFiles::of(&self.lake, detection.id()).unwrap();
            let before = self.before.map(|before| last_tick(detection, before));
            let state = self.states.get(detection.id());
            let request = StepRequest {
                engine: &self.engine,
                arrived: &arrived,
                from,
                before,
                tick: last_tick(detection, clock),
                again: None,
                state: state.map(String::as_str),
                files: &files,
            };
            let lost = detection.kind() == Kind::NewTerms && state.is_none() && before.is_some();
            let everything = self.events().await.arrived_since(None).await.unwrap();
            let request = match lost {
                true => StepRequest {
                    arrived: &everything,
                    ..request
                },
                false => request,
            };
            let done = step(detection, request).await.unwrap();
            self.record(detection, done, clock).await;
        }
        self.before = Some(clock);
        // Without the tables that were read before.
        let table = self.events().await;
        self.engine = self.engine.at_version(&self.lake, table).unwrap();
    }

    async fn events(&self) -> LakeTable {
        self.lake.table(TableName::Events).await.unwrap()
    }

    async fn record(&mut self, detection: &Detection, step: Step, clock: i64) {
        if let Some(state) = step.state {
            self.states.insert(detection.id().to_owned(), state);
        }
        if step.changes.is_empty() {
            return;
        }
        let mut revisions = Vec::new();
        for changed in step.changes {
            let known = self.revisions.entry(changed.alert.alert_id.clone()).or_default();
            assert_eq!(changed.revision, *known + 1, "{changed:?}");
            *known = changed.revision;
            assert_eq!(changed.change == Change::New, changed.revision == 1, "{changed:?}");
            revisions.push(Revision {
                revision: changed.revision,
                change: changed.change,
                ..Revision::first(detection, changed.alert, clock, Origin::Schedule)
            });
        }
        let rows = to_batch(&revisions).unwrap();
        let mut table = self.lake.table_or_create(TableName::Alerts).await.unwrap();
        let file = encode(TableName::Alerts, &rows.schema(), Vec::new(), [Ok(rows)]).unwrap();
        table.upload(&file).await.unwrap();
        assert!(matches!(table.append(&[file]).await.unwrap(), Committed::At(_)));
    }

    /// What is recorded is what a hunt finds.
    async fn agrees(&self, detections: &[Detection], from: Option<i64>, context: &dyn std::fmt::Debug) {
        for detection in detections {
            let to = self.before.map(|before| last_tick(detection, before));
            let request = HuntRequest {
                from,
                to: to.filter(|_| detection.kind() == Kind::Windowed),
                per_window: false,
                replay: false,
                suppressed: true,
            };
            let (_stop, stopped) = tokio::sync::watch::channel(0);
            let report = hunt(&self.engine, &[detection], request, stopped, |_| {})
                .await
                .unwrap();
            assert_eq!(report.runs[0].state, RunState::Done);
            let expected: Vec<Alert> = report.alerts.collect().await.unwrap();
            let recorded = current(&self.engine, detection.id()).await.unwrap();
            let mut recorded: Vec<Alert> = recorded.into_values().map(|revision| revision.alert).collect();
            recorded.sort_by(|a, b| (a.time, &a.alert_id).cmp(&(b.time, &b.alert_id)));
            let shown = |alerts: &[Alert]| -> Vec<String> {
                alerts
                    .iter()
                    .map(|alert| serde_json::to_string(alert).unwrap())
                    .collect()
            };
            let (recorded, expected) = (shown(&recorded), shown(&expected));
            assert!(
                recorded == expected,
                "{} up to {to:?} after {context:?}\nrecorded {recorded:#?}\na hunt  {expected:#?}",
                detection.id(),
            );
        }
    }
}

fn last_tick(detection: &Detection, clock: i64) -> i64 {
    detection.header.rhythm.at_or_before(clock)
}

async fn ingested(lake: &Lake, folder: &std::path::Path, events: &[Event], ids: &mut u64) {
    let log = folder.join(format!("log-{ids}.json"));
    let lines: String = events
        .iter()
        .map(|(minute, user, action)| {
            *ids += 1;
            let time = format_instant(START + minute * MINUTE);
            let action = ["FileDeleted", "New-InboxRule", "FileAccessed"][usize::from(*action)];
            let record = json!({
                "CreationTime": time.trim_end_matches('Z'), "Id": format!("00000000-0000-0000-0000-{ids:012}"), "Operation": action,
                "OrganizationId": "0f000000-0000-0000-0000-000000000000", "RecordType": 6, "UserType": 0, "Version": 1,
                "ResultStatus": "Succeeded", "Workload": "SharePoint", "UserId": format!("user{user}@contoso.example"),
            });
            format!("{record}\n")
        })
        .collect();
    std::fs::write(&log, lines).unwrap();
    let request = IngestRequest {
        paths: vec![log.to_string_lossy().into_owned()],
        memory_limit: 64 << 20,
        threads: 2,
        again: false,
        unwrap: true,
    };
    ingest(lake, request, Arc::new(Quiet), Stop::default()).await.unwrap();
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    // Mostly around some time, sometimes days before.
    let event = (prop_oneof![8 => 0_i64..900, 1 => -4000_i64..0], 0_u8..3, 0_u8..3);
    let happening = prop_oneof![
        6 => (0_i64..5000, prop::collection::vec(event, 1..9)).prop_map(|(about, events)| {
            Happening::Arrives(events.into_iter().map(|(minute, user, action)| (about + minute, user, action)).collect())
        }),
        5 => (0_i64..7000).prop_map(Happening::Clock),
        1 => Just(Happening::Compacts),
        1 => Just(Happening::Forgets),
    ];
    prop::collection::vec(happening, 2..9)
}

fn holds(happenings: &[Happening], from: Option<i64>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let detections = detections();
        let mut world = World::new().await;
        for (number, happening) in happenings.iter().enumerate() {
            world.happens(happening, &detections, from).await;
            world.agrees(&detections, from, &&happenings[..=number]).await;
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn steps_give_what_a_hunt_gives(happenings in happenings(), from in prop::option::weighted(0.3, 0_i64..4000)) {
        holds(&happenings, from.map(|minutes| START + minutes * MINUTE));
    }
}

/// Ticks count from a time before the first event, and some find something where there is nothing:
/// what arrives late splits the episode that began there.
#[test]
fn an_episode_that_began_before_the_first_event_is_split() {
    let late = vec![(961, 0, 0), (1669, 1, 2), (1157, 0, 2), (1624, 2, 2), (1115, 1, 0)];
    let happenings = [
        Happening::Clock(4440),
        Happening::Arrives(vec![(901, 0, 0)]),
        Happening::Arrives(late),
    ];
    holds(&happenings, Some(START + 872 * MINUTE));
}

#[test]
fn what_steps_meet() {
    let arrives = |events: &[Event]| Happening::Arrives(events.to_vec());
    let count = |at: i64| arrives(&[(at, 0, 0), (at + 1, 0, 2), (at + 2, 0, 2)]);
    let cases: Vec<Vec<Happening>> = vec![
        // An episode that begins, goes on and ends.
        vec![
            count(10),
            Happening::Clock(61),
            Happening::Clock(130),
            Happening::Clock(800),
            count(900),
            Happening::Clock(1000),
        ],
        // What arrives late joins two episodes, and then a third to them.
        vec![
            count(10),
            count(700),
            Happening::Clock(1100),
            count(300),
            arrives(&[(500, 0, 2), (510, 0, 2)]),
            count(1000),
            Happening::Clock(1300),
        ],
        // What arrives late takes findings away.
        vec![
            count(10),
            Happening::Clock(400),
            arrives(&[(15, 0, 1)]),
            Happening::Clock(500),
            arrives(&[(-100, 0, 1)]),
        ],
        // Days late, after rows are no longer kept.
        vec![
            count(10),
            Happening::Clock(60 * 24 * 4),
            arrives(&[(12, 0, 1), (300, 0, 2)]),
            count(200),
            Happening::Clock(60 * 24 * 9),
            arrives(&[(-3000, 1, 1), (11, 1, 2)]),
        ],
        // Late beside what was found when it was too old to be kept.
        vec![
            arrives(&[(-2, 0, 0)]),
            arrives(&[(745, 2, 0), (310, 2, 1), (751, 2, 2)]),
            Happening::Clock(6223),
            arrives(&[
                (924, 0, 1),
                (1046, 1, 0),
                (1079, 1, 1),
                (1015, 0, 1),
                (953, 0, 2),
                (820, 2, 2),
            ]),
        ],
        // Before it happens.
        vec![
            Happening::Clock(10),
            count(600),
            Happening::Clock(300),
            Happening::Clock(700),
        ],
    ];
    for case in cases {
        holds(&case, None);
        holds(&case, Some(START + 300 * MINUTE));
    }
}
