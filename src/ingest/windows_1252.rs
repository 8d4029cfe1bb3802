//! The text of files from before UTF-8: what Windows of western Europe and America wrote.

/// 0x80 to 0x9F; the rest are the characters of the same number. Bytes without a character
/// become the control character of their number, as browsers have them.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

/// The text, where it is none in UTF-8 that has only been damaged: that has other characters
/// beyond ASCII, which hardly any text of Windows-1252 has by chance.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    if bytes.utf8_chunks().any(|chunk| !chunk.valid().is_ascii()) {
        return None;
    }
    let character = |byte: &u8| match byte {
        0x80..=0x9F => HIGH[usize::from(byte - 0x80)],
        byte => char::from(*byte),
    };
    Some(bytes.iter().map(character).collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn characters() {
        let text = super::decode(b"J\xFCrgen \x80 \x93x\x94 \x9F");
        assert_eq!(text.as_deref(), Some("Jürgen € “x” Ÿ"));
        assert_eq!(super::decode(b"J\xC3\xBCrgen \xFF"), None);
    }
}
