//! The values of a column that are in no page yet.

use super::dictionary::Dictionary;

/// Bytes before the values of a page in the making, so that levels and lengths, if they are as short as
/// they mostly are, need no copy of the values behind them.
pub(super) const ROOM: usize = 4 << 10;

/// Values that are in no page yet.
pub(super) enum Values {
    /// Behind [`ROOM`], one after the other; and where each ends.
    Plain {
        bytes: Vec<u8>,
        ends: Vec<u32>,
    },
    Dictionary(Dictionary),
    Words(Vec<u64>),
    Flags(Vec<bool>),
}

impl Values {
    /// No texts, and memory for so many bytes and texts.
    pub(super) fn plain(capacity: usize, texts: usize) -> Self {
        let mut bytes = Vec::with_capacity(capacity);
        bytes.resize(ROOM, 0);
        Self::Plain {
            bytes,
            ends: Vec::with_capacity(texts),
        }
    }

    /// These, with nothing in their place.
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Words(Vec::new()))
    }
}

/// Levels and the values that begin behind [`ROOM`], as a page has them.
pub(super) fn behind<'a>(levels: &'a mut Vec<u8>, values: &'a mut [u8]) -> &'a [u8] {
    match ROOM.checked_sub(levels.len()) {
        Some(begin) => {
            values[begin..ROOM].copy_from_slice(levels);
            &values[begin..]
        }
        None => {
            levels.extend_from_slice(&values[ROOM..]);
            levels
        }
    }
}

/// Adds a text to those that [`Values::Plain`] has.
#[inline]
pub(super) fn push_plain(bytes: &mut Vec<u8>, ends: &mut Vec<u32>, text: &[u8]) {
    bytes.extend_from_slice(text);
    ends.push(bytes.len() as u32);
}

/// The texts of [`Values::Plain`].
pub(super) fn plain_texts<'a>(bytes: &'a [u8], ends: &'a [u32]) -> impl ExactSizeIterator<Item = &'a [u8]> {
    let mut begin = ROOM;
    ends.iter().map(move |&end| {
        let text = &bytes[begin..end as usize];
        begin = end as usize;
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_stand_right_before_the_values() {
        for length in [0, 1, ROOM - 1, ROOM, ROOM + 1, 3 * ROOM] {
            let levels: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let values: Vec<u8> = [[0; ROOM].as_slice(), b"values"].concat();
            let (mut made, mut held) = (levels.clone(), values);
            let page = behind(&mut made, &mut held).to_vec();
            assert_eq!(page, [levels.as_slice(), b"values"].concat(), "{length}");
        }
    }
}
