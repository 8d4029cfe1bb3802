//! Where detections that are hunted together meet, so that they read the lake once.
//!
//! Each detection has a seat in one meeting or several, one after the other. When it knows
//! its plan it brings it to the next and waits; one that has none, or fails before, leaves its
//! seat. When nobody is missing any more, the plans' scans are
//! [shared](crate::engine::shared_scan) and all run.

use crate::engine::shared_scan::{Shared, SharedPlan, share};
use crate::engine::{Running, Session};
use crate::error::{Error, Result};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// A meeting of detections.
#[derive(Debug)]
struct Meeting {
    state: Mutex<State>,
}

/// All that detections which are hunted together do together.
#[derive(Debug)]
pub(super) struct Meetings(Vec<Arc<Meeting>>);

#[derive(Debug)]
struct State {
    /// Seats whose plan is still to come.
    missing: usize,
    waiting: Vec<Waiting>,
    shared: Option<Shared>,
}

/// A plan that was brought, and where its answer goes.
type Waiting = (Arc<dyn ExecutionPlan>, oneshot::Sender<Result<SharedPlan>>);

/// A detection's place in meetings.
#[derive(Debug)]
pub(super) struct Seat {
    /// Those still to come.
    meetings: VecDeque<Arc<Meeting>>,
    /// For what detections do by themselves: not all at once.
    alone: Arc<Semaphore>,
}

impl Meetings {
    /// For detections that each bring so many plans, and the seats of these.
    pub(super) fn of(plans: &[usize], threads: usize) -> (Self, Vec<Seat>) {
        let rounds = 0..plans.iter().copied().max().unwrap_or_default();
        let meetings = rounds.map(|round| {
            let missing = plans.iter().filter(|plans| **plans > round).count();
            Arc::new(Meeting {
                state: Mutex::new(State {
                    missing,
                    waiting: Vec::new(),
                    shared: None,
                }),
            })
        });
        let meetings: Vec<Arc<Meeting>> = meetings.collect();
        let alone = Arc::new(Semaphore::new(threads));
        let seat = |plans: &usize| Seat {
            meetings: meetings.iter().take(*plans).cloned().collect(),
            alone: Arc::clone(&alone),
        };
        let seats = plans.iter().map(seat).collect();
        (Self(meetings), seats)
    }

    /// Bytes that were read once for several detections.
    pub(super) fn common_bytes(&self) -> u64 {
        let bytes = |meeting: &Arc<Meeting>| meeting.state().shared.as_ref().map_or(0, Shared::common_bytes);
        self.0.iter().map(bytes).sum()
    }
}

impl Meeting {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One less to wait for; the last one begins the scan.
    fn one_less(self: &Arc<Self>) {
        let mut state = self.state();
        state.missing = state.missing.saturating_sub(1);
        if state.missing > 0 || state.waiting.is_empty() {
            return;
        }
        let mut waiting = std::mem::take(&mut state.waiting);
        waiting.retain(|(_, answer)| !answer.is_closed());
        // By a task of its own: who was the last may be just ending. Without a runtime, so are all.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(Arc::clone(self).begin(waiting));
        }
    }

    async fn begin(self: Arc<Self>, waiting: Vec<Waiting>) {
        let (plans, answers): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        match share(plans).await {
            Ok(mut shared) => {
                let plans = std::mem::take(&mut shared.plans);
                self.state().shared = Some(shared);
                // Who does not listen any more has ended; dropping its plan tells the scan.
                for (plan, answer) in plans.into_iter().zip(answers) {
                    let _ = answer.send(Ok(plan));
                }
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
        let Some(meeting) = self.meetings.pop_front() else {
            return session.run_counted(plan).await;
        };
        let (answer, shared) = oneshot::channel();
        meeting.state().waiting.push((physical, answer));
        meeting.one_less();
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
        Arc::clone(&self.alone).acquire_owned().await.ok()
    }

    fn leave(&mut self) {
        self.meetings.drain(..).for_each(|meeting| meeting.one_less());
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave();
    }
}
