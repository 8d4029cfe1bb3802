//! What counts of the rows of the table `alerts`, and what is recorded once.

use super::recorded::{AlertFilter, current, every, latest, revisions};
use super::revision::to_batch;
use super::{Alert, Change, Origin, Promoted, Revision, promote};
use crate::config::Resources;
use crate::detections::Severity;
use crate::engine::{Engine, Scope};
use crate::lake::{Committed, Lake, TableName, encode};
use futures::TryStreamExt as _;
use serde_json::Map;
use std::collections::BTreeSet;

fn revision(id: &str, number: u32, change: Change, time: i64) -> Revision {
    Revision {
        alert: Alert {
            alert_id: id.into(),
            detection: "d".into(),
            severity: "medium".into(),
            time,
            key: Map::new(),
            window_start: None,
            window_end: None,
            windows: None,
            event_ids: vec![format!("{id}-{number}")],
            event_count: 1,
            history_complete: None,
            fields: Map::new(),
        },
        title: "T".into(),
        risk_score: 1,
        attack: Vec::new(),
        revision: number,
        change,
        recorded: 1000 + i64::from(number),
        late_by: None,
        suppressed_by: None,
        origin: Origin::Schedule,
    }
}

struct Recorded {
    _folder: tempfile::TempDir,
    lake: Lake,
}

impl Recorded {
    /// A lake without events, to whose table of alerts each of these was committed.
    async fn of(commits: &[&[Revision]]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::at(&folder.path().display().to_string()).unwrap();
        lake.table_or_create(TableName::Events).await.unwrap();
        let recorded = Self { _folder: folder, lake };
        for commit in commits {
            recorded.commit(commit).await;
        }
        recorded
    }

    async fn commit(&self, revisions: &[Revision]) {
        let name = TableName::Alerts;
        let mut table = self.lake.table_or_create(name).await.unwrap();
        let file = encode(name, &name.file_schema(), Vec::new(), [to_batch(revisions)]).unwrap();
        table.upload(&file).await.unwrap();
        assert!(matches!(table.append(&[file]).await.unwrap(), Committed::At(_)));
    }

    async fn engine(&self) -> Engine {
        let resources = Resources::new(256 << 20, 2).unwrap();
        Engine::open(&self.lake, resources).await.unwrap()
    }

    /// What the filter lets through, as (id, revision).
    async fn current(&self, filter: AlertFilter) -> Vec<(String, u32)> {
        let alerts = current(&self.engine().await, &filter).await.unwrap();
        names(alerts.try_collect().await.unwrap())
    }
}

fn names(revisions: Vec<Revision>) -> Vec<(String, u32)> {
    let names = revisions.into_iter().map(|of| (of.alert.alert_id, of.revision));
    names.collect()
}

fn expected(names: &[(&str, u32)]) -> Vec<(String, u32)> {
    names.iter().map(|(id, number)| ((*id).to_owned(), *number)).collect()
}

#[tokio::test]
async fn of_each_alert_the_last_revision_counts() {
    use Change::{Grown, New, Revised, Withdrawn};
    let again = Revision {
        recorded: 9000,
        origin: Origin::Hunt,
        ..revision("late", 1, New, 50)
    };
    let moved = revision("moved", 2, Revised, 10);
    let lake = Recorded::of(&[
        &[revision("grown", 2, Grown, 30), revision("late", 1, New, 50)],
        &[revision("gone", 2, Withdrawn, 20), revision("gone", 1, New, 20)],
        &[revision("grown", 1, New, 30), revision("moved", 1, New, 90), again],
        &[moved],
        &[revision("back", 2, Withdrawn, 40), revision("back", 3, Revised, 40)],
    ])
    .await;
    let all = [("moved", 2), ("grown", 2), ("back", 3), ("late", 1)];
    assert_eq!(lake.current(AlertFilter::default()).await, expected(&all));
    let with_gone = [("moved", 2), ("gone", 2), ("grown", 2), ("back", 3), ("late", 1)];
    assert_eq!(lake.current(AlertFilter::all()).await, expected(&with_gone));
    let engine = lake.engine().await;
    let origins = revisions(&engine, "late").await.unwrap();
    assert_eq!(
        (origins.len(), origins[0].origin),
        (1, Origin::Schedule),
        "who was first"
    );
    // What it was at a time does not bring it back to that time.
    let filter = AlertFilter {
        from: Some(60),
        ..AlertFilter::all()
    };
    assert_eq!(lake.current(filter.clone()).await, expected(&[]));
    let every = every(&engine, &filter).await.unwrap();
    assert_eq!(names(every.try_collect().await.unwrap()), expected(&[("moved", 1)]));
    let ids = ["gone", "back", "nowhere"].map(str::to_owned);
    let latest = latest(&engine, &BTreeSet::from(ids)).await.unwrap();
    assert_eq!(names(latest), expected(&[("back", 3), ("gone", 2)]));
    // The view says the same.
    let session = engine.session(Scope::default()).unwrap();
    let rows = session
        .query("SELECT alert_id, revision FROM current_alerts")
        .await
        .unwrap();
    let batches: Vec<_> = rows.try_collect().await.unwrap();
    assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), all.len());
}

#[tokio::test]
async fn filters_look_at_the_last_revision() {
    let of = |id: &str, change: fn(&mut Revision)| {
        let mut revision = revision(id, 1, Change::New, 10);
        change(&mut revision);
        revision
    };
    let lake = Recorded::of(&[&[
        of("a1", |_| {}),
        of("a2", |of| of.alert.severity = "critical".into()),
        of("b1", |of| of.alert.detection = "other'--".into()),
        of("b2", |of| of.suppressed_by = Some("a1".into())),
        of("b3", |of| of.origin = Origin::Hunt),
        of("b4", |of| (of.revision, of.change) = (2, Change::Grown)),
        of("b4", |_| {}),
    ]])
    .await;
    let filters: [(AlertFilter, &[&str]); 7] = [
        (AlertFilter::default(), &["a1", "a2", "b3", "b4", "b1"]),
        (
            AlertFilter {
                severity: Some(Severity::High),
                ..AlertFilter::default()
            },
            &["a2"],
        ),
        (
            AlertFilter {
                detections: vec!["other'--".into(), "none".into()],
                ..AlertFilter::default()
            },
            &["b1"],
        ),
        (
            AlertFilter {
                suppressed: true,
                id_prefix: Some("b".into()),
                ..AlertFilter::default()
            },
            &["b2", "b3", "b4", "b1"],
        ),
        (
            AlertFilter {
                origin: Some(Origin::Hunt),
                ..AlertFilter::default()
            },
            &["b3"],
        ),
        (
            AlertFilter {
                changes: vec![Change::New],
                id_prefix: Some("b4".into()),
                ..AlertFilter::default()
            },
            &[],
        ),
        (
            AlertFilter {
                from: Some(10),
                to: Some(10),
                ..AlertFilter::default()
            },
            &[],
        ),
    ];
    for (filter, ids) in filters {
        let found = lake.current(filter.clone()).await;
        let found: Vec<&str> = found.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(found, ids, "{filter:?}");
    }
}

#[tokio::test]
async fn files_that_cannot_matter_are_not_read() {
    let other = |id: &str, time: i64| {
        let mut revision = revision(id, 1, Change::New, time);
        revision.alert.detection = "other".into();
        revision
    };
    let lake = Recorded::of(&[&[revision("a", 1, Change::New, 10)], &[other("b", 2_000_000)]]).await;
    let filter = AlertFilter {
        detections: vec!["d".into()],
        ..AlertFilter::default()
    };
    assert_eq!(lake.current(filter.clone()).await, expected(&[("a", 1)]));
    // The other file is gone: whoever reads it fails.
    let table = lake.lake.table(TableName::Alerts).await.unwrap();
    let files = table.files().unwrap();
    let holds_other = |file: &&crate::lake::DataFile| format!("{:?}", file.statistics["detection"]).contains("other");
    let gone = files.iter().find(holds_other).unwrap();
    std::fs::remove_file(table.url().join(&gone.path).unwrap().to_file_path().unwrap()).unwrap();
    assert_eq!(lake.current(filter).await, expected(&[("a", 1)]));
    let engine = lake.engine().await;
    let at = AlertFilter {
        to: Some(1000),
        ..AlertFilter::default()
    };
    assert_eq!(
        names(every(&engine, &at).await.unwrap().try_collect().await.unwrap()),
        expected(&[("a", 1)])
    );
    let all = every(&engine, &AlertFilter::all()).await.unwrap();
    assert!(all.try_collect::<Vec<_>>().await.is_err());
}

#[tokio::test]
async fn what_is_promoted_is_recorded_once() {
    let lake = Recorded::of(&[
        &[revision("there", 1, Change::New, 10)],
        &[
            revision("gone", 1, Change::New, 10),
            revision("gone", 2, Change::Withdrawn, 10),
        ],
    ])
    .await;
    let hunted = || {
        ["there", "gone", "new", "new"].map(|id| Revision {
            origin: Origin::Hunt,
            ..revision(id, 1, Change::New, 10)
        })
    };
    let promoted = promote(&lake.lake, hunted().to_vec()).await.unwrap();
    assert_eq!(promoted, Promoted { promoted: 2, known: 1 });
    let promoted = promote(&lake.lake, hunted().to_vec()).await.unwrap();
    assert_eq!(promoted, Promoted { promoted: 0, known: 3 });
    assert_eq!(
        lake.current(AlertFilter::default()).await,
        expected(&[("gone", 3), ("new", 1), ("there", 1)])
    );
}

/// All see the same version and write at once: each loses to all others until it looks again.
#[tokio::test(flavor = "multi_thread")]
async fn promotes_at_once_record_each_alert_once() {
    let lake = Recorded::of(&[]).await;
    let ids: Vec<String> = (0..20).map(|number| format!("a{number:02}")).collect();
    let tasks = (0..6).map(|_| {
        let lake = lake.lake.clone();
        let revisions: Vec<Revision> = ids.iter().map(|id| revision(id, 1, Change::New, 10)).collect();
        tokio::spawn(async move { promote(&lake, revisions).await.unwrap() })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut promoted = 0;
    for task in tasks {
        promoted += task.await.unwrap().promoted;
    }
    assert_eq!(promoted, 20);
    let table = lake.lake.table(TableName::Alerts).await.unwrap();
    let rows: u64 = table.files().unwrap().iter().filter_map(|file| file.rows).sum();
    assert_eq!(rows, 20);
}

#[tokio::test]
async fn nothing_is_promoted_to_no_lake() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::at(&folder.path().join("typo").display().to_string()).unwrap();
    let problem = promote(&lake, vec![revision("a", 1, Change::New, 1)])
        .await
        .unwrap_err();
    assert!(problem.to_string().contains("there is no lake"), "{problem}");
    assert!(!folder.path().join("typo").exists());
}
