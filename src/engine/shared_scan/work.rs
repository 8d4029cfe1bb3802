//! What is left to read: files, and passes over row groups of files already looked at.

use super::queue::lock;
use datafusion::datasource::listing::PartitionedFile;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;
use tokio::sync::Notify;

/// One piece of work.
#[derive(Debug)]
pub(super) enum Work {
    /// To be cut into passes.
    File {
        file: PartitionedFile,
        wanted_by: Vec<usize>,
    },
    Pass(Pass),
}

/// Row groups of a file, read once for some consumers.
#[derive(Debug)]
pub(super) struct Pass {
    /// With an access plan that names the row groups.
    pub(super) file: PartitionedFile,
    pub(super) row_groups: BTreeSet<usize>,
    pub(super) consumers: Vec<usize>,
    pub(super) rows: u64,
}

#[derive(Debug)]
struct State {
    waiting: VecDeque<Work>,
    /// Files being cut into passes right now.
    cutting: usize,
    stopped: bool,
}

/// Work for several workers. One that finds nothing waits while another may still add some.
#[derive(Debug)]
pub(super) struct WorkList {
    state: Mutex<State>,
    changed: Notify,
}

impl WorkList {
    pub(super) fn new(files: impl IntoIterator<Item = Work>) -> Self {
        Self {
            state: Mutex::new(State {
                waiting: files.into_iter().collect(),
                cutting: 0,
                stopped: false,
            }),
            changed: Notify::new(),
        }
    }

    /// The next piece; none when all is done. A file has to be followed by [`WorkList::cut`].
    pub(super) async fn next(&self) -> Option<Work> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            {
                let mut state = lock(&self.state);
                if state.stopped {
                    return None;
                }
                match state.waiting.pop_front() {
                    Some(work) => {
                        state.cutting += usize::from(matches!(work, Work::File { .. }));
                        return Some(work);
                    }
                    None if state.cutting == 0 => return None,
                    None => {}
                }
            }
            changed.await;
        }
    }

    /// A file was cut into these passes, which come before all other files: what is known of
    /// a file is then not held for long.
    pub(super) fn cut(&self, passes: Vec<Pass>) {
        let mut state = lock(&self.state);
        state.cutting = state.cutting.saturating_sub(1);
        for pass in passes.into_iter().rev() {
            state.waiting.push_front(Work::Pass(pass));
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// Ends the work early.
    pub(super) fn stop(&self) {
        lock(&self.state).stopped = true;
        self.changed.notify_waiters();
    }
}
