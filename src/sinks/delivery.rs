//! Delivering: at least once, in order, with an end.

use super::{Policy, Sink, Unavailable};
use crate::alerts::Revision;

/// After so many revisions in a row that were given up, the sink counts as dead and the rest is
/// given up without trying.
const GIVEN_UP_IN_A_ROW: u32 = 3;

/// What became of revisions that were to be delivered: their number is the sum of `sent`,
/// `skipped` and the dead letters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Delivered {
    /// How many the sink took.
    pub sent: usize,
    /// How many the sink does not want, by its policy.
    pub skipped: usize,
    /// What it should have got and did not, in order.
    pub dead: Vec<DeadLetter>,
    /// How often sending failed, also where it worked later.
    pub failures: u64,
}

/// A revision that was given up.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// What should have been sent.
    pub revision: Revision,
    /// How often it was tried: 0 where the sink had failed with several before it.
    pub attempts: u32,
    /// Why it was given up, without secrets.
    pub problem: String,
}

/// Sends the revisions that the policy wants to a sink, in order, at a time in microseconds
/// since the Unix epoch.
///
/// What could not be sent is tried again, up to the policy's attempts. Then it is a dead letter
/// and the next has its turn: with one attempt, as long as none succeeds. After three in a row
/// the sink counts as dead, and the rest are dead letters too. What the sink rejects is a dead
/// letter at once and holds nothing up.
///
/// Takes as long as a sick sink makes it: who has other things to do runs it beside them. May be
/// dropped at any time; what was sent by then is sent again by the next call.
pub async fn deliver(sink: &dyn Sink, policy: &Policy, revisions: &[Revision], now: i64) -> Delivered {
    let wanted: Vec<&Revision> = revisions
        .iter()
        .filter(|revision| policy.wants(revision, now))
        .collect();
    let mut delivery = Delivery {
        attempts: vec![0; wanted.len()],
        wanted,
        position: 0,
        so_far: Delivered::default(),
    };
    delivery.so_far.skipped = revisions.len() - delivery.wanted.len();
    delivery.run(sink, policy).await;
    delivery.so_far
}

struct Delivery<'a> {
    wanted: Vec<&'a Revision>,
    /// How often each of them was tried.
    attempts: Vec<u32>,
    /// The first that is neither sent nor given up.
    position: usize,
    so_far: Delivered,
}

impl Delivery<'_> {
    async fn run(&mut self, sink: &dyn Sink, policy: &Policy) {
        // Failures since something was dealt with, and revisions that were given up since then.
        let (mut failures, mut given_up) = (0_u32, 0_u32);
        while self.position < self.wanted.len() {
            let rest = self.wanted.len() - self.position;
            let outcome = sink.send(&self.wanted[self.position..]).await;
            let done = outcome.done.min(rest);
            if done > 0 {
                (failures, given_up) = (0, 0);
            }
            self.so_far.failures += outcome.rejected.len() as u64;
            self.deal_with(sink, done, outcome.rejected);
            let Some(problem) = outcome.unavailable.or_else(|| stalled(done, rest)) else {
                continue;
            };
            if self.position == self.wanted.len() {
                break;
            }
            failures += 1;
            self.so_far.failures += 1;
            let tried = problem.tried.clamp(1, self.wanted.len() - self.position);
            let tried = self.position..self.position + tried;
            self.attempts[tried.clone()].iter_mut().for_each(|count| *count += 1);
            let allowed = if given_up == 0 { policy.attempts.max(1) } else { 1 };
            let lost = tried.take_while(|at| self.attempts[*at] >= allowed).count();
            if lost > 0 {
                given_up += 1;
                failures = 0;
                self.give_up(sink, lost, &problem.problem);
                if given_up >= GIVEN_UP_IN_A_ROW {
                    let rest = self.wanted.len() - self.position;
                    let why = format!("not tried, as others before it failed: {}", problem.problem);
                    self.give_up(sink, rest, &why);
                }
                continue;
            }
            let wait = policy.wait(failures, problem.retry_after, chance());
            tracing::info!(
                sink = sink.name(),
                problem = problem.problem,
                attempt = failures,
                wait_seconds = wait.as_secs_f64(),
                "alerts could not be sent, trying again"
            );
            tokio::time::sleep(wait).await;
        }
    }

    /// Moves on past what the sink is done with.
    fn deal_with(&mut self, sink: &dyn Sink, done: usize, rejected: Vec<(usize, String)>) {
        let before = self.so_far.dead.len();
        for (at, problem) in rejected.into_iter().filter(|(at, _)| *at < done) {
            self.bury(sink, self.position + at, 1, problem);
        }
        self.so_far.sent += done - (self.so_far.dead.len() - before);
        self.position += done;
    }

    /// Moves on past what was not sent.
    fn give_up(&mut self, sink: &dyn Sink, count: usize, problem: &str) {
        for at in self.position..self.position + count {
            self.bury(sink, at, 0, problem.to_owned());
        }
        self.position += count;
    }

    fn bury(&mut self, sink: &dyn Sink, at: usize, more_attempts: u32, problem: String) {
        let revision = self.wanted[at];
        let attempts = self.attempts[at] + more_attempts;
        tracing::warn!(
            sink = sink.name(),
            alert_id = revision.alert.alert_id,
            revision = revision.revision,
            attempts,
            problem,
            "an alert was not sent and is a dead letter"
        );
        self.so_far.dead.push(DeadLetter {
            revision: revision.clone(),
            attempts,
            problem,
        });
    }
}

/// A sink that neither sends nor says why is no reason to go on for ever.
fn stalled(done: usize, rest: usize) -> Option<Unavailable> {
    (done < rest).then(|| Unavailable {
        tried: 1,
        problem: "the sink sent nothing".into(),
        retry_after: None,
    })
}

/// A number from 0 to 1, another each time.
fn chance() -> f64 {
    let (_, low) = uuid::Uuid::new_v4().as_u64_pair();
    f64::from(low as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::super::conformance::{quick, revision};
    use super::*;
    use async_trait::async_trait;
    use std::collections::VecDeque;
    use std::sync::Mutex;

    /// Answers in turn, and then takes everything.
    #[derive(Debug, Default)]
    struct Scripted {
        answers: Mutex<VecDeque<Outcome>>,
        offered: Mutex<Vec<Vec<String>>>,
    }

    #[async_trait]
    impl Sink for Scripted {
        fn name(&self) -> &'static str {
            "scripted"
        }

        async fn send(&self, revisions: &[&Revision]) -> Outcome {
            let ids = revisions.iter().map(|of| of.alert.alert_id.clone());
            self.offered.lock().unwrap().push(ids.collect());
            let answer = self.answers.lock().unwrap().pop_front();
            answer.unwrap_or_else(|| Outcome::sent(revisions.len()))
        }
    }

    fn scripted(answers: impl IntoIterator<Item = Outcome>) -> Scripted {
        Scripted {
            answers: Mutex::new(answers.into_iter().collect()),
            offered: Mutex::default(),
        }
    }

    fn failed(done: usize, tried: usize) -> Outcome {
        Outcome::sent(done).stopped(tried, "down".into(), None)
    }

    async fn deliver_to(sink: &Scripted, count: usize) -> Delivered {
        let revisions: Vec<_> = (0..count).map(revision).collect();
        deliver(sink, &quick(), &revisions, 0).await
    }

    fn summary(delivered: &Delivered) -> (usize, Vec<(String, u32)>) {
        let dead = delivered.dead.iter();
        let dead = dead.map(|letter| (letter.revision.alert.alert_id.clone(), letter.attempts));
        (delivered.sent, dead.collect())
    }

    fn id(number: usize) -> String {
        revision(number).alert.alert_id
    }

    #[tokio::test]
    async fn goes_on_where_it_stopped() {
        let sink = scripted([failed(1, 1), failed(0, 1), failed(1, 1)]);
        let delivered = deliver_to(&sink, 4).await;
        assert_eq!(summary(&delivered), (4, vec![]));
        assert_eq!(delivered.failures, 3);
        let firsts: Vec<_> = sink.offered.lock().unwrap().iter().map(|ids| ids[0].clone()).collect();
        assert_eq!(firsts, [id(0), id(1), id(1), id(2)]);
    }

    #[tokio::test]
    async fn one_that_always_fails_is_given_up_and_the_others_are_sent() {
        let sink = scripted([failed(1, 1), failed(0, 1), failed(0, 1)]);
        let delivered = deliver_to(&sink, 4).await;
        assert_eq!(summary(&delivered), (3, vec![(id(1), 3)]));
        assert_eq!(delivered.dead[0].problem, "down");
    }

    #[tokio::test]
    async fn a_dead_sink_is_left_alone_soon() {
        let sink = scripted((0..100).map(|_| failed(0, 1)));
        let delivered = deliver_to(&sink, 50).await;
        let (sent, dead) = summary(&delivered);
        assert_eq!((sent, dead.len()), (0, 50));
        assert_eq!(dead[..4], [(id(0), 3), (id(1), 1), (id(2), 1), (id(3), 0)]);
        assert_eq!(sink.offered.lock().unwrap().len(), 5);
    }

    #[tokio::test]
    async fn what_is_tried_together_is_given_up_together() {
        let sink = scripted((0..3).map(|_| failed(0, 4)));
        let delivered = deliver_to(&sink, 4).await;
        assert_eq!(summary(&delivered), (0, (0..4).map(|at| (id(at), 3)).collect()));
    }

    #[tokio::test]
    async fn the_rejected_are_dead_at_once() {
        let sink = scripted([Outcome {
            done: 3,
            rejected: vec![(1, "malformed".into())],
            unavailable: None,
        }]);
        let delivered = deliver_to(&sink, 4).await;
        assert_eq!(summary(&delivered), (3, vec![(id(1), 1)]));
        assert_eq!(delivered.dead[0].problem, "malformed");
    }

    #[tokio::test]
    async fn a_sink_that_does_nothing_is_not_asked_for_ever() {
        let sink = scripted((0..1000).map(|_| Outcome::default()));
        let delivered = deliver_to(&sink, 4).await;
        assert_eq!((delivered.sent, delivered.dead.len()), (0, 4));
    }
}
