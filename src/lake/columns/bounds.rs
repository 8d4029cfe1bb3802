//! The least and the greatest value of pages and column chunks.

use datafusion::parquet::data_type::ByteArray;
use datafusion::parquet::file::statistics::{Statistics, ValueStatistics};

/// Longest text kept as a bound.
const LONGEST: usize = 64;

/// Least and greatest text, whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TextBounds(Option<(Vec<u8>, Vec<u8>)>);

impl TextBounds {
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a [u8]>) -> Self {
        let bounds = texts.fold(None, |bounds: Option<(&[u8], &[u8])>, text| match bounds {
            None => Some((text, text)),
            Some((low, high)) => Some((low.min(text), high.max(text))),
        });
        Self(bounds.map(|(low, high)| (low.to_vec(), high.to_vec())))
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.0 = match (self.0.take(), other.0) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
    }

    pub(super) fn get(&self) -> Option<(&[u8], &[u8])> {
        self.0.as_ref().map(|(low, high)| (low.as_slice(), high.as_slice()))
    }

    /// What a page's entry in the index has: shortened, so that they still bound. None where the
    /// greatest has no shorter bound.
    pub(super) fn shortened(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let (low, high) = self.get()?;
        Some((floor(low), ceiling(high)?))
    }

    pub(super) fn statistics(&self, nulls: u64) -> Statistics {
        let bounds = self.get();
        let exact = |text: &[u8]| text.len() <= LONGEST;
        let (low_exact, high_exact) = bounds.map_or((false, false), |(low, high)| (exact(low), exact(high)));
        let low = bounds.map(|(low, _)| floor(low));
        let high = bounds.and_then(|(_, high)| ceiling(high));
        let array = |bound: Option<Vec<u8>>| bound.map(ByteArray::from);
        let statistics = ValueStatistics::new(array(low), array(high), None, Some(nulls), false);
        statistics
            .with_min_is_exact(low_exact)
            .with_max_is_exact(high_exact)
            .into()
    }
}

fn cut(text: &[u8]) -> usize {
    if text.len() <= LONGEST {
        return text.len();
    }
    // Not within a character: only first bytes of one are no continuation.
    (1..=LONGEST).rev().find(|at| text[*at] & 0xC0 != 0x80).unwrap_or(0)
}

fn floor(text: &[u8]) -> Vec<u8> {
    text[..cut(text)].to_vec()
}

/// A text that no text which begins so exceeds.
fn ceiling(text: &[u8]) -> Option<Vec<u8>> {
    let keep = cut(text);
    if keep == text.len() {
        return Some(text.to_vec());
    }
    let mut kept = std::str::from_utf8(&text[..keep]).ok()?.to_owned();
    while let Some(last) = kept.pop() {
        if let Some(next) = char::from_u32(last as u32 + 1) {
            kept.push(next);
            return Some(kept.into_bytes());
        }
    }
    None
}

/// Least and greatest number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct NumberBounds(pub(super) Option<(i64, i64)>);

impl NumberBounds {
    pub(super) fn of(numbers: impl Iterator<Item = i64>) -> Self {
        Self(numbers.fold(None, |bounds, number| match bounds {
            None => Some((number, number)),
            Some((low, high)) => Some((number.min(low), number.max(high))),
        }))
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.0 = match (self.0, other.0) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortened_bounds_still_bound() {
        for long in ["é".repeat(100), "a".repeat(65), "\u{10FFFF}".repeat(40)] {
            let bounds = TextBounds::of([long.as_bytes()].into_iter());
            let (low, high) = match bounds.shortened() {
                Some(shortened) => shortened,
                None => {
                    assert!(long.starts_with('\u{10FFFF}'), "nothing is greater");
                    continue;
                }
            };
            assert!(low.as_slice() < long.as_bytes() && high.as_slice() > long.as_bytes());
            assert!(low.len() <= LONGEST && high.len() <= LONGEST + 4);
            assert!(std::str::from_utf8(&low).is_ok() && std::str::from_utf8(&high).is_ok());
            assert!(!matches!(bounds.statistics(0), Statistics::ByteArray(s) if s.max_is_exact() || s.min_is_exact()));
        }
        let bounds = TextBounds::of([b"b".as_slice(), b"a", b"c"].into_iter());
        assert_eq!(bounds.shortened(), Some((b"a".to_vec(), b"c".to_vec())));
        assert!(matches!(bounds.statistics(0), Statistics::ByteArray(s) if s.max_is_exact() && s.min_is_exact()));
    }
}
