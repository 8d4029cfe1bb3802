//! What every sink does.

use super::super::{Outcome, Policy, Sink, deliver, json};
use super::benches::{self, Bench};
use super::{SECRET, odd, quick, revision};
use crate::alerts::Revision;
use async_trait::async_trait;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

fn revisions(numbers: std::ops::Range<usize>) -> Vec<Revision> {
    numbers.map(revision).collect()
}

fn texts(revisions: &[Revision]) -> Vec<String> {
    revisions.iter().map(|revision| json(revision).unwrap()).collect()
}

/// The first of each.
fn once(texts: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    texts.into_iter().filter(|text| seen.insert(text.clone())).collect()
}

/// Repairs what a sink sends to after so many failures.
struct Repairing<'a, B> {
    sink: &'a dyn Sink,
    bench: &'a B,
    failures_left: AtomicU32,
}

impl<B> std::fmt::Debug for Repairing<'_, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.sink.fmt(f)
    }
}

#[async_trait]
impl<B: Bench> Sink for Repairing<'_, B> {
    fn name(&self) -> &str {
        self.sink.name()
    }

    async fn send(&self, revisions: &[&Revision]) -> Outcome {
        let outcome = self.sink.send(revisions).await;
        if outcome.unavailable.is_some() && self.failures_left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.bench.repair().await;
        }
        outcome
    }
}

async fn in_order_and_once<B: Bench>() {
    let bench = B::start().await;
    let sink = bench.sink();
    let all = revisions(0..40);
    for batch in [&all[..1], &all[1..1], &all[1..30], &all[30..]] {
        let delivered = deliver(sink.as_ref(), &quick(), batch, 0).await;
        assert_eq!((delivered.sent, delivered.failures), (batch.len(), 0), "{delivered:?}");
    }
    assert_eq!(bench.received().await, texts(&all));
}

async fn again_after_failures<B: Bench>() {
    let bench = B::start().await;
    let sink = bench.sink();
    let all = revisions(0..7);
    deliver(sink.as_ref(), &quick(), &all[..3], 0).await;
    bench.stop_working().await;
    let repairing = Repairing {
        sink: sink.as_ref(),
        bench: &bench,
        failures_left: AtomicU32::new(2),
    };
    let delivered = deliver(&repairing, &quick(), &all[3..], 0).await;
    assert_eq!((delivered.sent, delivered.dead, delivered.failures), (4, vec![], 2));
    // Some may be there twice, with the same id and revision, and in order all the same.
    assert_eq!(once(bench.received().await), texts(&all));
}

async fn dead_letters<B: Bench>() {
    let bench = B::start().await;
    let sink = bench.sink();
    bench.stop_working().await;
    let all = revisions(0..5);
    let delivered = deliver(sink.as_ref(), &quick(), &all, 0).await;
    assert_eq!(delivered.sent, 0);
    let dead: Vec<_> = delivered.dead.iter().map(|letter| letter.revision.clone()).collect();
    assert_eq!(dead, all);
    assert_eq!(delivered.dead[0].attempts, 3);
    for letter in &delivered.dead {
        assert!(
            !letter.problem.is_empty() && !letter.problem.contains(SECRET),
            "{letter:?}"
        );
        assert!(!letter.problem.contains("os error"), "{letter:?}");
    }
    assert!(!format!("{sink:?}").contains(SECRET), "{sink:?}");
    bench.repair().await;
    let more = revisions(5..8);
    assert_eq!(deliver(sink.as_ref(), &quick(), &more, 0).await.sent, 3);
    assert_eq!(bench.received().await, texts(&more), "the dead did not arrive");
}

async fn odd_texts<B: Bench>() {
    let bench = B::start().await;
    let sink = bench.sink();
    let mut all = vec![odd(), revision(1)];
    for (number, (name, value)) in odd().alert.key.into_iter().enumerate() {
        let mut one = revision(number + 2);
        one.alert.fields.insert(name.clone(), value.clone());
        one.alert.key = [(value.as_str().unwrap().to_owned(), value)].into_iter().collect();
        all.push(one);
    }
    let delivered = deliver(sink.as_ref(), &quick(), &all, 0).await;
    assert_eq!(
        (delivered.sent, delivered.failures),
        (all.len(), 0),
        "{:?}",
        delivered.dead.first()
    );
    let received = bench.received().await;
    assert_eq!(received.len(), all.len());
    for (text, sent) in received.iter().zip(&all) {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(value["alert_id"], sent.alert.alert_id);
        let whole = json(sent).unwrap();
        // Nobody's texts keep an alert from arriving, but they may be cut where room is short.
        match B::MOST.is_some_and(|most| whole.len() > most) {
            true => assert_eq!(value["truncated"], true),
            false => assert_eq!(*text, whole),
        }
    }
}

async fn no_answer_has_an_end<B: Bench>() {
    let Some((_bench, sink)) = B::never_answering(Duration::from_millis(100)).await else {
        return;
    };
    let all = revisions(0..2);
    let policy = Policy { attempts: 2, ..quick() };
    let delivered = deliver(sink.as_ref(), &policy, &all, 0).await;
    assert_eq!((delivered.sent, delivered.dead.len()), (0, 2));
    assert_eq!(delivered.dead[0].attempts, 2);
    let problem = &delivered.dead[0].problem;
    assert!(
        problem.contains("not done within 0.1 s") || problem.contains("in time") || problem.contains("still hangs"),
        "{problem}"
    );
}

async fn what_is_dropped_is_sent_again<B: Bench>() {
    let bench = B::start().await;
    let sink = bench.sink();
    bench.stop_working().await;
    let all = revisions(0..3);
    let patient = Policy {
        backoff: Duration::from_secs(3600),
        longest_wait: Duration::from_secs(3600),
        ..quick()
    };
    let dropped = tokio::time::timeout(Duration::from_millis(200), deliver(sink.as_ref(), &patient, &all, 0));
    assert!(dropped.await.is_err());
    bench.repair().await;
    let delivered = deliver(sink.as_ref(), &quick(), &all, 0).await;
    assert_eq!(delivered.sent, 3);
    assert_eq!(once(bench.received().await), texts(&all));
}

macro_rules! conforms {
    ($($module:ident: $bench:ty,)*) => {$(
        mod $module {
            use super::benches;

            #[tokio::test]
            async fn in_order_and_once() {
                super::in_order_and_once::<$bench>().await;
            }

            #[tokio::test]
            async fn again_after_failures() {
                super::again_after_failures::<$bench>().await;
            }

            #[tokio::test]
            async fn dead_letters() {
                super::dead_letters::<$bench>().await;
            }

            #[tokio::test]
            async fn odd_texts() {
                super::odd_texts::<$bench>().await;
            }

            #[tokio::test]
            async fn no_answer_has_an_end() {
                super::no_answer_has_an_end::<$bench>().await;
            }

            #[tokio::test]
            async fn what_is_dropped_is_sent_again() {
                super::what_is_dropped_is_sent_again::<$bench>().await;
            }
        }
    )*};
}

conforms! {
    stdout: benches::stdout::Stdout,
    file: benches::places::File,
    object: benches::places::Object,
    webhook: benches::webhook::OneByOne,
    webhook_batches: benches::webhook::Batches,
    syslog_tcp: benches::syslog::Tcp,
    syslog_udp: benches::syslog::Udp,
    syslog_unix_stream: benches::syslog::UnixStream,
    syslog_unix_datagram: benches::syslog::UnixDatagram,
}
