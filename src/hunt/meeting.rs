//! Where detections that are hunted together meet, so that they read the lake once.
//!
//! Each detection has a seat. When it knows its plan over the range it brings it to the
//! meeting and waits; one that has none, or fails before, leaves its seat. When nobody is
//! missing any more, the plans' scans are [shared](crate::engine::shared_scan) and all run.

use crate::engine::shared_scan::{Shared, SharedPlan, share};
use crate::engine::{Running, Session};
use crate::error::{Error, Result};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// A meeting of detections.
#[derive(Debug)]
pub(super) struct Meeting {
    state: Mutex<State>,
    /// For what detections do by themselves afterwards: not all at once.
    alone: Arc<Semaphore>,
}

#[derive(Debug)]
struct State {
    /// Seats whose plan is still to come.
    missing: usize,
    waiting: Vec<Waiting>,
    shared: Option<Shared>,
}

/// A plan that was brought, and where its answer goes.
type Waiting = (Arc<dyn ExecutionPlan>, oneshot::Sender<Result<SharedPlan>>);

/// A detection's place in a meeting.
#[derive(Debug)]
pub(super) struct Seat {
    meeting: Arc<Meeting>,
    taken: bool,
}

impl Meeting {
    /// A meeting of so many.
    pub(super) fn of(seats: usize, threads: usize) -> (Arc<Self>, Vec<Seat>) {
        let meeting = Arc::new(Self {
            state: Mutex::new(State {
                missing: seats,
                waiting: Vec::new(),
                shared: None,
            }),
            alone: Arc::new(Semaphore::new(threads)),
        });
        let seat = |_| Seat {
            meeting: Arc::clone(&meeting),
            taken: true,
        };
        let seats = (0..seats).map(seat).collect();
        (meeting, seats)
    }

    /// Bytes that were read once for several detections.
    pub(super) fn common_bytes(&self) -> u64 {
        self.state().shared.as_ref().map_or(0, Shared::common_bytes)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One less to wait for; the last one begins the scan.
    fn one_less(&self) {
        let mut state = self.state();
        state.missing = state.missing.saturating_sub(1);
        if state.missing > 0 || state.waiting.is_empty() {
            return;
        }
        let (plans, answers): (Vec<_>, Vec<_>) = std::mem::take(&mut state.waiting).into_iter().unzip();
        match share(plans) {
            Ok(mut shared) => {
                // Who does not listen any more has ended; dropping its plan tells the scan.
                for (plan, answer) in std::mem::take(&mut shared.plans).into_iter().zip(answers) {
                    let _ = answer.send(Ok(plan));
                }
                state.shared = Some(shared);
            }
            Err(error) => {
                let problem = error.to_string();
                for answer in answers {
                    let _ = answer.send(Err(Error::Internal(problem.clone())));
                }
            }
        }
    }
}

impl Seat {
    /// Runs a plan together with those of the others.
    pub(super) async fn run(&mut self, session: &Session, plan: &LogicalPlan) -> Result<Running> {
        let physical = session.physical(plan).await?;
        let (answer, shared) = oneshot::channel();
        self.meeting.state().waiting.push((physical, answer));
        self.leave();
        let shared = shared
            .await
            .map_err(|_| Error::Internal("the hunt's meeting was called off".into()))??;
        session.run_shared(shared)
    }

    /// Waits for a turn to read by itself: for one thread's worth of detections at once. Who
    /// has not brought a plan brings none any more.
    pub(super) async fn alone(&mut self) -> Option<OwnedSemaphorePermit> {
        self.leave();
        // It is never closed.
        Arc::clone(&self.meeting.alone).acquire_owned().await.ok()
    }

    fn leave(&mut self) {
        if std::mem::take(&mut self.taken) {
            self.meeting.one_less();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave();
    }
}
