//! Cells in eight bytes each: of the events that wait for a commit there are millions.

use std::ops::Range;

/// Where a text is: in the chunk, or with [`OTHER`] among the other texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) at: u64,
    pub(super) length: u32,
}

pub(super) const OTHER: u64 = 1 << 63;

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(Span),
    /// Which elements of lists.
    Texts(Range<usize>),
    /// Likewise; each pair is two.
    Pairs(Range<usize>),
    Long(i64),
    Double(f64),
    Boolean(bool),
    /// The value of a pair that has none.
    Absent,
}

/// A cell of a field, or an element of a list. From the highest bit on: the field, in twelve bits;
/// the kind of value, in four; and the value, or the place of what is wider.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packed(u64);

/// Values of cells that are too wide for them.
#[derive(Debug, Default)]
pub(super) struct Wide(Vec<u64>);

const VALUE_BITS: u32 = 48;
const HALF_BITS: u32 = VALUE_BITS / 2;
const HALF: u64 = (1 << HALF_BITS) - 1;

/// Of a value in 48 bits: a text or a list is its place and its length, in half of them each.
const TEXT: u64 = 0;
const OTHER_TEXT: u64 = 1;
const TEXTS: u64 = 2;
const PAIRS: u64 = 3;
const LONG: u64 = 4;
const BOOLEAN: u64 = 5;
const ABSENT: u64 = 6;
/// A number of thousands, as times are that have no microseconds.
const THOUSANDS: u64 = 7;
/// Of a value that is the place of one.
const WIDE_TEXT: u64 = 8;
const WIDE_TEXTS: u64 = 9;
const WIDE_PAIRS: u64 = 10;
const WIDE_LONG: u64 = 11;
const DOUBLE: u64 = 12;

/// A number in the bits of a value, if it fits.
fn narrow(number: i64) -> Option<u64> {
    let bits = (number << (64 - VALUE_BITS)) as u64 >> (64 - VALUE_BITS);
    (widened(bits) == number).then_some(bits)
}

fn widened(bits: u64) -> i64 {
    (bits << (64 - VALUE_BITS)) as i64 >> (64 - VALUE_BITS)
}

impl Packed {
    fn new(field: u16, kind: u64, value: u64) -> Self {
        debug_assert!(field < 1 << 12 && kind < 1 << 4 && value < 1 << VALUE_BITS);
        Self(u64::from(field) << (VALUE_BITS + 4) | kind << VALUE_BITS | value)
    }

    /// The field it was packed for.
    pub(super) fn field(self) -> u16 {
        (self.0 >> (VALUE_BITS + 4)) as u16
    }

    /// Whether it is one text.
    pub(super) fn is_text(self) -> bool {
        matches!(self.kind(), TEXT | OTHER_TEXT | WIDE_TEXT)
    }

    fn kind(self) -> u64 {
        self.0 >> VALUE_BITS & 0xf
    }
}

impl Wide {
    /// A cell of this field that is a text, as most are.
    #[inline]
    pub(super) fn pack_text(&mut self, field: u16, span: Span) -> Packed {
        let (at, length) = (span.at & !OTHER, u64::from(span.length));
        if at <= HALF && length <= HALF {
            let kind = if span.at & OTHER == 0 { TEXT } else { OTHER_TEXT };
            return Packed::new(field, kind, at << HALF_BITS | length);
        }
        self.widen(field, WIDE_TEXT, &[span.at, length])
    }

    /// A cell of this field.
    pub(super) fn pack(&mut self, field: u16, value: Value) -> Packed {
        let (kind, first, second) = match value {
            Value::Text(span) => return self.pack_text(field, span),
            Value::Texts(elements) => (TEXTS, elements.start as u64, elements.len() as u64),
            Value::Pairs(elements) => (PAIRS, elements.start as u64, elements.len() as u64),
            Value::Long(number) => {
                if let Some(bits) = narrow(number) {
                    return Packed::new(field, LONG, bits);
                }
                return match narrow(number / 1000).filter(|_| number % 1000 == 0) {
                    Some(bits) => Packed::new(field, THOUSANDS, bits),
                    None => self.widen(field, WIDE_LONG, &[number as u64]),
                };
            }
            Value::Double(number) => return self.widen(field, DOUBLE, &[number.to_bits()]),
            Value::Boolean(flag) => return Packed::new(field, BOOLEAN, u64::from(flag)),
            Value::Absent => return Packed::new(field, ABSENT, 0),
        };
        if first <= HALF && second <= HALF {
            return Packed::new(field, kind, first << HALF_BITS | second);
        }
        match kind {
            TEXTS => self.widen(field, WIDE_TEXTS, &[first, second]),
            _ => self.widen(field, WIDE_PAIRS, &[first, second]),
        }
    }

    fn widen(&mut self, field: u16, kind: u64, words: &[u64]) -> Packed {
        let place = self.0.len() as u64;
        self.0.extend_from_slice(words);
        Packed::new(field, kind, place)
    }

    /// What a cell holds that was packed here.
    #[inline]
    pub(super) fn value(&self, packed: Packed) -> Value {
        let value = packed.0 & ((1 << VALUE_BITS) - 1);
        let (first, second) = (value >> HALF_BITS, value & HALF);
        let word = |at: usize| self.0.get(value as usize + at).copied().unwrap_or_default();
        let span = |at: u64, length: u64| Span {
            at,
            length: length as u32,
        };
        let range = |first: u64, count: u64| first as usize..(first + count) as usize;
        match packed.kind() {
            TEXT => Value::Text(span(first, second)),
            OTHER_TEXT => Value::Text(span(first | OTHER, second)),
            TEXTS => Value::Texts(range(first, second)),
            PAIRS => Value::Pairs(range(first, second)),
            LONG => Value::Long(widened(value)),
            THOUSANDS => Value::Long(widened(value) * 1000),
            BOOLEAN => Value::Boolean(value != 0),
            WIDE_TEXT => Value::Text(span(word(0), word(1))),
            WIDE_TEXTS => Value::Texts(range(word(0), word(1))),
            WIDE_PAIRS => Value::Pairs(range(word(0), word(1))),
            WIDE_LONG => Value::Long(word(0) as i64),
            DOUBLE => Value::Double(f64::from_bits(word(0))),
            _ => Value::Absent,
        }
    }

    /// Bytes they take.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.0.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn length() -> impl Strategy<Value = u64> {
        prop_oneof![0..100u64, HALF - 2..HALF + 3, Just(u64::from(u32::MAX))]
    }

    fn value() -> impl Strategy<Value = Value> {
        let text = (length(), length(), any::<bool>()).prop_map(|(at, length, other)| {
            Value::Text(Span {
                at: at | if other { OTHER } else { 0 },
                length: length as u32,
            })
        });
        let range = || (length(), length()).prop_map(|(first, count)| first as usize..(first + count) as usize);
        let near = |at: i64| (at - 2..at + 2).prop_map(Value::Long);
        prop_oneof![
            text,
            range().prop_map(Value::Texts),
            range().prop_map(Value::Pairs),
            any::<i64>().prop_map(Value::Long),
            near(0),
            near(1 << (VALUE_BITS - 1)),
            near(-(1 << (VALUE_BITS - 1))),
            prop_oneof![Just(i64::MIN), Just(i64::MAX)].prop_map(Value::Long),
            (i64::MIN / 1000..i64::MAX / 1000).prop_map(|thousands| Value::Long(thousands * 1000)),
            near(1_000 << (VALUE_BITS - 1)),
            (1_500_000_000..2_000_000_000i64).prop_map(|second| Value::Long(second * 1_000_000)),
            (-1e300..1e300).prop_map(Value::Double),
            any::<bool>().prop_map(Value::Boolean),
            Just(Value::Absent),
        ]
    }

    proptest! {
        #[test]
        fn cells_are_what_they_were(cells in proptest::collection::vec((0u16..4096, value()), 0..60)) {
            let mut wide = Wide::default();
            let packed: Vec<Packed> = cells.iter().map(|(field, value)| wide.pack(*field, value.clone())).collect();
            for ((field, value), packed) in cells.iter().zip(packed) {
                prop_assert_eq!(packed.field(), *field);
                prop_assert_eq!(packed.is_text(), matches!(value, Value::Text(_)));
                prop_assert_eq!(&wide.value(packed), value);
                if let Value::Text(span) = value {
                    let text = wide.pack_text(*field, *span);
                    prop_assert_eq!((text.field(), wide.value(text)), (*field, Value::Text(*span)));
                }
            }
        }
    }

    #[test]
    fn most_need_no_more_than_eight_bytes_and_every_field_fits() {
        let mut wide = Wide::default();
        wide.pack(
            1,
            Value::Text(Span {
                at: 4 << 20,
                length: 3000,
            }),
        );
        wide.pack(2, Value::Texts(70_000..70_012));
        wide.pack(3, Value::Long(-4_000_000_000));
        wide.pack(4, Value::Long(1_774_000_000_123_000));
        assert_eq!(wide.bytes(), 0);
        assert!(crate::schema::CATALOGUE.fields().len() <= 1 << 12);
    }
}
