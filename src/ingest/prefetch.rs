//! Memory that is asked for before it is needed. Rows are written in another order than they were
//! read in, so that each is far from the one before.

/// The most that is brought near of one thing.
#[cfg(target_arch = "x86_64")]
const NEAR: usize = 4096;

/// Bytes that come at once.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// Has values brought into the cache while something else is done.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
pub(super) fn prefetch<T>(values: &[T]) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    let begin = values.as_ptr().cast::<i8>();
    for at in (0..size_of_val(values).min(NEAR)).step_by(LINE) {
        // SAFETY: the place is within the slice, and nothing is read of it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(begin.add(at)) };
    }
}

/// Elsewhere nothing.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn prefetch<T>(_: &[T]) {}
