//! The values of a column that are in no page yet.

use super::dictionary::Dictionary;

/// Bytes before the values of a page in the making, so that the levels, if they are as short as
/// they mostly are, need no copy of the values behind them.
pub(super) const ROOM: usize = 32;

/// Values that are in no page yet.
pub(super) enum Values {
    /// Behind [`ROOM`], each with its length before it, as in a page; and where each begins.
    Plain {
        bytes: Vec<u8>,
        starts: Vec<u32>,
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
            starts: Vec::with_capacity(texts),
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
pub(super) fn push_plain(bytes: &mut Vec<u8>, starts: &mut Vec<u32>, text: &[u8]) {
    starts.push(bytes.len() as u32);
    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(text);
}

/// The text of them that begins there.
#[inline]
pub(super) fn plain_text(bytes: &[u8], start: usize) -> &[u8] {
    let length = bytes[start..]
        .first_chunk()
        .map_or(0, |length| u32::from_le_bytes(*length));
    &bytes[start + 4..start + 4 + length as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_stand_right_before_the_values() {
        for length in [0, 1, ROOM - 1, ROOM, ROOM + 1, 3 * ROOM] {
            let levels: Vec<u8> = (1..=length as u8).collect();
            let values: Vec<u8> = [[0; ROOM].as_slice(), b"values"].concat();
            let (mut made, mut held) = (levels.clone(), values);
            let page = behind(&mut made, &mut held).to_vec();
            assert_eq!(page, [levels.as_slice(), b"values"].concat(), "{length}");
        }
    }
}
