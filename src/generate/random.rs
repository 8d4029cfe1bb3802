//! Random numbers that are the same on every machine.
//!
//! Every record has a stream of its own, which begins at a state made of the seed, the log
//! and the number of the record. So a record can be made again, alone and in any order,
//! which is how repeats are made and why the number of threads does not show.

/// A small and fast generator (wyrand). Not for secrets.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// The stream of this state.
    pub(super) fn new(state: u64) -> Self {
        Self(state)
    }

    /// The stream of one thing among many that share a seed.
    #[inline]
    pub(super) fn of(seed: u64, number: u64) -> Self {
        Self(mix(seed.wrapping_add(number.wrapping_mul(0x9E37_79B9_7F4A_7C15))))
    }

    /// Any number.
    #[inline]
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0xA076_1D64_78BD_642F);
        let product = u128::from(self.0) * u128::from(self.0 ^ 0xE703_7ED1_A0B4_28DB);
        (product >> 64) as u64 ^ product as u64
    }

    /// A number below the limit; 0 where the limit is 0.
    #[inline]
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// A number from 0 to 1, without 1.
    #[inline]
    pub(super) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of these; there is at least one.
    #[inline]
    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }

    /// A number below the limit, small ones more often: the larger the `skew`, the fewer
    /// numbers have most of the weight. 0 is uniform.
    #[inline]
    pub(super) fn skewed(&mut self, limit: u64, skew: u32) -> u64 {
        let once = self.fraction();
        let value = (0..skew).fold(once, |value, _| value * once);
        (value * limit as f64) as u64
    }
}

/// A number in which every bit depends on every bit of the other; one to one.
#[inline]
pub(super) fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// A number made of two.
#[inline]
pub(super) fn join(a: u64, b: u64) -> u64 {
    mix(a.wrapping_mul(0xD6E8_FEB8_6659_FD93) ^ mix(b.wrapping_add(0x9E37_79B9_7F4A_7C15)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_and_stay_the_same() {
        let numbers = |number| {
            let mut random = Random::of(7, number);
            [random.next(), random.next(), random.below(10)]
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1), numbers(2));
    }

    #[test]
    fn limits_hold_and_skew_prefers_small_numbers() {
        let mut random = Random::new(3);
        let mut small = 0;
        for _ in 0..10_000 {
            assert!(random.below(7) < 7);
            let number = random.skewed(100, 2);
            assert!(number < 100);
            small += u64::from(number < 10);
        }
        // The cube root of a tenth.
        assert!((4_300..5_000).contains(&small), "{small}");
        assert_eq!(random.below(0), 0);
        assert_eq!(random.skewed(0, 1), 0);
    }
}
