//! Distinct texts and the order in which they came.

use xxhash_rust::xxh3::xxh3_64;

/// Bytes of distinct texts beyond which a dictionary costs more than it saves.
const MOST_BYTES: usize = 1 << 20;

/// So many distinct texts say whether all of them are, as ids; so many more, whether most are.
/// Rows begin with the rarer actions and each user's first ones.
const TRIAL: usize = 512;
const LONG_TRIAL: usize = 4096;

/// The texts of a column chunk, each distinct one once.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    bytes: Vec<u8>,
    /// Where each text ends in `bytes`.
    ends: Vec<u32>,
    /// Which other text came behind each of them the last time; at first itself.
    behind: Vec<u32>,
    /// By the hash of a text: the hash, and one more than the number of the text, or 0. Twice as many
    /// as texts, at least.
    slots: Vec<(u32, u32)>,
    /// Which text each value is.
    indices: Vec<u32>,
    /// From where to where the last one is in `bytes`.
    last: (usize, usize),
    /// Bytes of all values.
    values: usize,
    /// Values that there is to be room for at once.
    room: usize,
}

impl Dictionary {
    /// With room for so many values once the first comes.
    pub(super) fn new(values: usize) -> Self {
        Self {
            room: values,
            ..Self::default()
        }
    }

    /// Adds a value; false where most values are distinct, or they are too long. It has been
    /// added in any case.
    #[inline]
    pub(super) fn push(&mut self, text: &[u8]) -> bool {
        self.repeat(text) || self.push_other(text)
    }

    /// Adds a value that is the same as the one before, and only then: rows are in order of the action
    /// and the user.
    #[inline]
    fn repeat(&mut self, text: &[u8]) -> bool {
        let repeated = self.bytes.get(self.last.0..self.last.1) == Some(text);
        match self.indices.last() {
            Some(&last) if repeated => {
                self.values += text.len();
                self.indices.push(last);
                true
            }
            _ => false,
        }
    }

    /// As [`Self::push`], of a value that is another one.
    #[inline(never)]
    fn push_other(&mut self, text: &[u8]) -> bool {
        self.values += text.len();
        // It is often the one that came behind the last one before.
        let last = self.indices.last().copied();
        if let Some(last) = last {
            let guess = self.behind[last as usize];
            let place = self.place(guess);
            if self.bytes.get(place.0..place.1) == Some(text) {
                self.indices.push(guess);
                self.last = place;
                return true;
            }
        }
        if self.slots.len() < 2 * (self.ends.len() + 1) {
            if self.slots.is_empty() {
                self.indices.reserve_exact(self.room);
            }
            self.grow();
        }
        let hash = xxh3_64(text) as u32;
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        let index = loop {
            match self.slots[slot] {
                (_, 0) => break self.add(text, hash, slot),
                (known, found) if known == hash && self.text(found - 1) == text => break found - 1,
                _ => {}
            }
            slot = (slot + 1) & mask;
        };
        self.indices.push(index);
        self.last = self.place(index);
        if let Some(last) = last {
            self.behind[last as usize] = index;
        }
        let (distinct, values) = (self.ends.len(), self.indices.len());
        let ids = distinct >= TRIAL && distinct * 20 > values * 19;
        let mostly = distinct >= LONG_TRIAL && distinct * 3 > values * 2;
        self.bytes.len() <= MOST_BYTES && !ids && !mostly
    }

    fn add(&mut self, text: &[u8], hash: u32, slot: usize) -> u32 {
        let index = self.ends.len() as u32;
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as u32);
        self.behind.push(index);
        self.slots[slot] = (hash, index + 1);
        index
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(32);
        let before = std::mem::replace(&mut self.slots, vec![(0, 0); size]);
        for (hash, number) in before.into_iter().filter(|(_, number)| *number > 0) {
            let mut slot = hash as usize & (size - 1);
            while self.slots[slot].1 != 0 {
                slot = (slot + 1) & (size - 1);
            }
            self.slots[slot] = (hash, number);
        }
    }

    pub(super) fn text(&self, index: u32) -> &[u8] {
        let (from, to) = self.place(index);
        &self.bytes[from..to]
    }

    /// From where to where a text is in `bytes`.
    fn place(&self, index: u32) -> (usize, usize) {
        let index = index as usize;
        let from = if index == 0 { 0 } else { self.ends[index - 1] };
        (from as usize, self.ends[index] as usize)
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len() as u32).map(|index| self.text(index))
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn indices(&self) -> &[u32] {
        &self.indices
    }

    /// Of all values one after the other, each with its length.
    pub(super) fn bytes_of_values(&self) -> usize {
        self.values + 4 * self.indices.len()
    }

    /// Whether its page, and indices into it, are shorter than the values one after the other.
    pub(super) fn pays(&self) -> bool {
        let bits = super::levels::bits_for(self.len() as u64) as usize;
        self.bytes.len() + 4 * self.len() + self.indices.len() * bits / 8 < self.bytes_of_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_are_found_again(values in proptest::collection::vec("[a-c]{0,4}", 0..400)) {
            let mut dictionary = Dictionary::default();
            for (at, value) in values.iter().enumerate() {
                let repeated = dictionary.repeat(value.as_bytes());
                prop_assert_eq!(repeated, at > 0 && values[at - 1] == *value);
                if !repeated {
                    dictionary.push(value.as_bytes());
                }
            }
            let distinct: std::collections::BTreeSet<_> = values.iter().collect();
            prop_assert_eq!(dictionary.len(), distinct.len());
            let read: Vec<&[u8]> = dictionary.indices().iter().map(|index| dictionary.text(*index)).collect();
            let expected: Vec<&[u8]> = values.iter().map(String::as_bytes).collect();
            prop_assert_eq!(read, expected);
        }
    }

    #[test]
    fn distinct_values_are_not_for_a_dictionary() {
        let mut dictionary = Dictionary::default();
        let ids = (0..TRIAL).map(|id| format!("id {id}"));
        let kept = ids
            .map(|id| dictionary.push(id.as_bytes()))
            .filter(|kept| *kept)
            .count();
        assert_eq!(kept, TRIAL - 1);
        let mut dictionary = Dictionary::default();
        let mut two_of_three = (0..20_000).map(|id| dictionary.push(format!("{}", id - id % 3 / 2).as_bytes()));
        let given_up = two_of_three.position(|kept| !kept);
        assert!(given_up.is_some_and(|at| (6_000..6_200).contains(&at)), "{given_up:?}");
        let mut dictionary = Dictionary::default();
        assert!((0..10_000).all(|id| dictionary.push(format!("user {}", id % 500).as_bytes())));
        assert!(dictionary.pays());
    }
}
