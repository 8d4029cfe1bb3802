//! Sixteen bytes that are compared at once. Every byte of every file is looked at so.

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use portable::Sixteen;
#[cfg(target_arch = "x86_64")]
pub(crate) use sse2::Sixteen;

/// With SSE2, which every processor of this kind has.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod sse2 {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };
    use std::ops::BitOr;

    /// Sixteen bytes; or what is true of each.
    #[derive(Clone, Copy)]
    pub(crate) struct Sixteen(__m128i);

    impl Sixteen {
        /// These.
        #[inline]
        pub(crate) fn new(bytes: &[u8; 16]) -> Self {
            let both = u128::from_le_bytes(*bytes);
            // SAFETY: there is SSE2.
            Self(unsafe { _mm_set_epi64x((both >> 64) as i64, both as i64) })
        }

        /// This one, sixteen times.
        #[inline]
        fn all(byte: u8) -> Self {
            // SAFETY: there is SSE2.
            Self(unsafe { _mm_set1_epi8(byte as i8) })
        }

        /// Which are this one.
        #[inline]
        pub(crate) fn equal(self, byte: u8) -> Self {
            // SAFETY: there is SSE2.
            Self(unsafe { _mm_cmpeq_epi8(self.0, Self::all(byte).0) })
        }

        /// Which are no greater.
        #[inline]
        pub(crate) fn at_most(self, byte: u8) -> Self {
            // SAFETY: there is SSE2.
            Self(unsafe { _mm_cmpeq_epi8(_mm_min_epu8(self.0, Self::all(byte).0), self.0) })
        }

        /// Each with these bits set.
        #[inline]
        pub(crate) fn with(self, bits: u8) -> Self {
            self | Self::all(bits)
        }

        /// Of each the highest bit, the first byte's lowest.
        #[inline]
        pub(crate) fn bits(self) -> u64 {
            // SAFETY: there is SSE2.
            u64::from(unsafe { _mm_movemask_epi8(self.0) } as u16)
        }
    }

    impl BitOr for Sixteen {
        type Output = Self;

        #[inline]
        fn bitor(self, other: Self) -> Self {
            // SAFETY: there is SSE2.
            Self(unsafe { _mm_or_si128(self.0, other.0) })
        }
    }
}

/// For all others, as the compiler can.
#[cfg(any(test, not(target_arch = "x86_64")))]
mod portable {
    use std::ops::BitOr;

    /// Sixteen bytes; or what is true of each.
    #[derive(Clone, Copy)]
    pub(crate) struct Sixteen([u8; 16]);

    impl Sixteen {
        /// These.
        #[inline]
        pub(crate) fn new(bytes: &[u8; 16]) -> Self {
            Self(*bytes)
        }

        #[inline]
        fn those(self, are: impl Fn(u8) -> bool) -> Self {
            Self(self.0.map(|byte| if are(byte) { u8::MAX } else { 0 }))
        }

        /// Which are this one.
        #[inline]
        pub(crate) fn equal(self, byte: u8) -> Self {
            self.those(|other| other == byte)
        }

        /// Which are no greater.
        #[inline]
        pub(crate) fn at_most(self, byte: u8) -> Self {
            self.those(|other| other <= byte)
        }

        /// Each with these bits set.
        #[inline]
        pub(crate) fn with(self, bits: u8) -> Self {
            Self(self.0.map(|byte| byte | bits))
        }

        /// Of each the highest bit, the first byte's lowest.
        #[inline]
        pub(crate) fn bits(self) -> u64 {
            let eights = self.0.as_chunks::<8>().0.iter().map(|eight| {
                // The highest bits, each at its place within eight; the sum of the bytes, none of which
                // has a bit of another, is in the highest byte of the product.
                let bits = u64::from_le_bytes(*eight) >> 7 & 0x0101_0101_0101_0101;
                bits.wrapping_mul(0x0102_0408_1020_4080) >> 56
            });
            eights.rev().fold(0, |all, eight| all << 8 | eight)
        }
    }

    impl BitOr for Sixteen {
        type Output = Self;

        #[inline]
        fn bitor(self, other: Self) -> Self {
            Self(std::array::from_fn(|at| self.0[at] | other.0[at]))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_one_by_one_say_the_same(bytes: [u8; 16], byte: u8, other: u8) {
            let bits = |is: &dyn Fn(u8) -> bool| {
                bytes.iter().enumerate().map(|(at, byte)| u64::from(is(*byte)) << at).sum::<u64>()
            };
            for byte in [byte, bytes[3]] {
                let either = bits(&|b| b | 0x20 == byte | 0x20 || b <= other);
                let sixteen = super::Sixteen::new(&bytes);
                prop_assert_eq!((sixteen.with(0x20).equal(byte | 0x20) | sixteen.at_most(other)).bits(), either);
                prop_assert_eq!(sixteen.equal(byte).bits(), bits(&|b| b == byte));
                let portable = super::portable::Sixteen::new(&bytes);
                prop_assert_eq!((portable.with(0x20).equal(byte | 0x20) | portable.at_most(other)).bits(), either);
                prop_assert_eq!(portable.equal(byte).bits(), bits(&|b| b == byte));
            }
        }
    }
}
