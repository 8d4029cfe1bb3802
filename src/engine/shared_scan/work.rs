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

/// Files that the same consumers want.
#[derive(Debug)]
struct Group {
    wanted_by: Vec<usize>,
    files: VecDeque<PartitionedFile>,
    /// Bytes of these.
    bytes: u64,
}

#[derive(Debug)]
struct State {
    /// What is known of files, to be read before others are looked at: it is then not held for long.
    passes: VecDeque<Pass>,
    groups: Vec<Group>,
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
    /// Of the consumers that want the same files, and these in the order in which they are read.
    pub(super) fn new(kinds: impl IntoIterator<Item = (Vec<usize>, Vec<PartitionedFile>)>) -> Self {
        let groups = kinds.into_iter().map(|(wanted_by, files)| Group {
            wanted_by,
            bytes: files.iter().map(|file| file.object_meta.size).sum(),
            files: files.into(),
        });
        Self {
            state: Mutex::new(State {
                passes: VecDeque::new(),
                groups: groups.collect(),
                cutting: 0,
                stopped: false,
            }),
            changed: Notify::new(),
        }
    }

    /// The next piece; none when all is done. A file has to be followed by [`WorkList::cut`].
    ///
    /// Files come first that nobody wants of whom `is_late` says that they do not ask yet: a join asks
    /// for its other side when it has read the first, and what it has no use for before has to wait, on
    /// disk if it is much. Among those the smaller part comes first, as it is what joins read first.
    pub(super) async fn next(&self, is_late: impl Fn(usize) -> bool) -> Option<Work> {
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
                if let Some(pass) = state.passes.pop_front() {
                    return Some(Work::Pass(pass));
                }
                let late = |group: &Group| group.wanted_by.iter().filter(|consumer| is_late(**consumer)).count();
                let groups = state.groups.iter_mut().filter(|group| !group.files.is_empty());
                if let Some(group) = groups.min_by_key(|group| (late(group), group.bytes))
                    && let Some(file) = group.files.pop_front()
                {
                    let wanted_by = group.wanted_by.clone();
                    state.cutting += 1;
                    return Some(Work::File { file, wanted_by });
                }
                if state.cutting == 0 {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// A file was cut into these passes.
    pub(super) fn cut(&self, passes: Vec<Pass>) {
        let mut state = lock(&self.state);
        state.cutting = state.cutting.saturating_sub(1);
        for pass in passes.into_iter().rev() {
            state.passes.push_front(pass);
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
