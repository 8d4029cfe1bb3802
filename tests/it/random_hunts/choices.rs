//! Random decisions read from a list of numbers, so that proptest can shrink what they
//! lead to: a shorter list of smaller numbers is a simpler detection. Zero, which is also
//! what comes after the end, is always the simplest decision.

/// The list and how far it has been read.
pub(crate) struct Choices<'a> {
    tape: &'a [u32],
    at: usize,
}

impl<'a> Choices<'a> {
    pub(crate) fn new(tape: &'a [u32]) -> Self {
        Self { tape, at: 0 }
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let number = self.tape.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        number as usize % limit.max(1)
    }

    /// True in that many of a hundred cases.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) >= 100 - percent
    }

    /// One of several; the first is the simplest.
    pub(crate) fn pick<'t, T: ?Sized>(&mut self, from: &[&'t T]) -> &'t T {
        from[self.below(from.len())]
    }

    /// One of several, by value.
    pub(crate) fn of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// Numbers for what is not shrunk, the same for the same seed (SplitMix64).
pub(crate) fn tape(seed: u64, length: usize) -> Vec<u32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 32) as u32
    };
    (0..length).map(|_| next()).collect()
}
