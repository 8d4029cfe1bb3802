//! What a shared scan has read and given so far.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one consumer.
#[derive(Debug, Default)]
pub(super) struct Counters {
    rows_in: AtomicU64,
    rows_matched: AtomicU64,
    spilled_bytes: AtomicU64,
}

impl Counters {
    pub(super) fn read(&self, rows: u64) {
        self.rows_in.fetch_add(rows, Ordering::Relaxed);
    }

    pub(super) fn matched(&self, rows: usize) {
        self.rows_matched.fetch_add(rows as u64, Ordering::Relaxed);
    }

    pub(super) fn spilled(&self, bytes: usize) {
        self.spilled_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn add_to(&self, figures: &mut Figures) {
        figures.rows_in += self.rows_in.load(Ordering::Relaxed);
        figures.rows_matched += self.rows_matched.load(Ordering::Relaxed);
        figures.spilled_bytes += self.spilled_bytes.load(Ordering::Relaxed);
    }
}

/// What the scans of one plan have read and given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Rows of the row groups that were read for it. Row groups that its predicates rule out
    /// do not count, nor do those of scans that read for themselves.
    pub rows_in: u64,
    /// Rows that passed the predicates of its scans.
    pub rows_matched: u64,
    /// Bytes read from the store for this plan alone. What a pass for several plans reads is
    /// not divided among them: it is in [`super::Shared::common_bytes`], once.
    pub own_bytes: u64,
    /// Bytes of batches that had to wait on disk for it.
    pub spilled_bytes: u64,
}
