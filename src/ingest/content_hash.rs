//! Hashes by which repeats are found.

use crate::sources::{self, Json, JsonType};
use xxhash_rust::xxh3::Xxh3;

/// Deepest nesting that is told apart.
const DEPTH: usize = 128;

/// Hash of a JSON value, blind to spacing, escapes and the order of keys: the same
/// record pretty-printed, or written by another serialiser, has the same hash.
pub(super) fn content_hash(value: Json<'_>) -> u128 {
    hash(value, DEPTH)
}

/// What `event.hash` is for a record of this text; none where it is no JSON.
pub fn content_text(raw: &str) -> Option<String> {
    Some(hash_text(content_hash(sources::parse(raw).ok()?.root()) as i64))
}

/// The text of a content hash as `event.hash` keeps it: 16 hexadecimal digits.
pub(super) fn hash_text(content: i64) -> String {
    hexadecimal::<16>(u128::from(content as u64))
}

/// The last digits of a number, which are a multiple of eight. There are two such texts for every
/// event, so not by `format!`.
pub(super) fn hexadecimal<const DIGITS: usize>(number: u128) -> String {
    const { assert!(DIGITS.is_multiple_of(8)) };
    let mut digits = [b'0'; DIGITS];
    for (eight, place) in digits.as_chunks_mut::<8>().0.iter_mut().rev().zip(0..) {
        *eight = eight_digits((number >> (32 * place)) as u32);
    }
    std::str::from_utf8(&digits).unwrap_or_default().to_owned()
}

/// All digits at once.
fn eight_digits(number: u32) -> [u8; 8] {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // Four bits to each byte.
    let spread = u64::from(number);
    let spread = (spread | spread << 16) & 0x0000_FFFF_0000_FFFF;
    let spread = (spread | spread << 8) & 0x00FF_00FF_00FF_00FF;
    let spread = (spread | spread << 4) & 0x0F0F_0F0F_0F0F_0F0F;
    // Six more than nine has the next bit.
    let letters = (spread + 6 * EACH) >> 4 & EACH;
    let text = spread + u64::from(b'0') * EACH + letters * u64::from(b'a' - b'0' - 10);
    text.to_be_bytes()
}

/// Hash of an event's own id within its organisation.
pub(super) fn identity_hash(organization: &str, id: &str) -> u128 {
    let mut hasher = Xxh3::new();
    hasher.update(organization.as_bytes());
    hasher.update(&[0]);
    hasher.update(id.as_bytes());
    hasher.digest128()
}

fn hash(value: Json<'_>, depth: usize) -> u128 {
    if depth == 0 {
        return 0;
    }
    match value.get_type() {
        JsonType::Null => 1,
        JsonType::Boolean => 2 + u128::from(value.as_bool().unwrap_or_default()),
        JsonType::Number => {
            if let Some(number) = value.as_i64() {
                mix(u128::from(b'i'), u128::from(number as u64))
            } else if let Some(number) = value.as_u64() {
                mix(u128::from(b'u'), u128::from(number))
            } else {
                let number = value.as_f64().unwrap_or_default();
                mix(u128::from(b'f'), u128::from(number.to_bits()))
            }
        }
        JsonType::String => text(b's', value.as_bytes().unwrap_or_default()),
        JsonType::Array => {
            let elements = value.as_array().into_iter().flatten();
            elements.fold(4, |sum: u128, element| mix(sum, hash(element, depth - 1)))
        }
        // A sum, so that the order of the keys does not matter.
        JsonType::Object => value.members_by_bytes().fold(5, |sum: u128, (key, member)| {
            sum.wrapping_add(mix(text(b'k', key), hash(member, depth - 1)))
        }),
    }
}

// Digits of pi.
const SEEDS: [u64; 4] = [
    0x243F_6A88_85A3_08D3,
    0x1319_8A2E_0370_7344,
    0xA409_3822_299F_31D0,
    0x082E_FA98_EC4E_6C89,
];

/// The two halves of a product, each of which depends on all bits of both.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// Most texts are short, and a record has a hundred of them: two multiplications for every 16
/// bytes, and no call.
#[inline]
fn text(kind: u8, bytes: &[u8]) -> u128 {
    let (mut low, mut high) = (SEEDS[0] ^ u64::from(kind), SEEDS[1] ^ bytes.len() as u64);
    let mut add = |a: u64, b: u64| {
        low = fold(a ^ low, b ^ SEEDS[2]);
        high = fold(b ^ high, a ^ SEEDS[3]);
    };
    let (chunks, rest) = bytes.as_chunks::<16>();
    for chunk in chunks {
        let sixteen = u128::from_le_bytes(*chunk);
        add(sixteen as u64, (sixteen >> 64) as u64);
    }
    let (a, b) = last(bytes, rest.len());
    add(a, b);
    joined(low, high)
}

/// The last bytes, fewer than 16, and zeros behind them: the first eight, and the others.
#[inline]
fn last(bytes: &[u8], length: usize) -> (u64, u64) {
    // The last of them, where there are so many bytes.
    let eight = |length: usize| {
        let last = bytes.last_chunk::<8>().map(|last| u64::from_le_bytes(*last));
        last.map(|last| last >> (8 * (8 - length)))
    };
    match length {
        0 => (0, 0),
        1..=7 => (eight(length).unwrap_or_else(|| few(bytes)), 0),
        8 => (eight(8).unwrap_or_default(), 0),
        _ => {
            let first = bytes.len() - length;
            let first = bytes[first..]
                .first_chunk::<8>()
                .map(|first| u64::from_le_bytes(*first));
            (first.unwrap_or_default(), eight(length - 8).unwrap_or_default())
        }
    }
}

/// As many bytes as there are, from one to seven.
fn few(bytes: &[u8]) -> u64 {
    // What is there twice is the same in both.
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let last = u64::from(u32::from_le_bytes(*last)) << (8 * (bytes.len() - 4));
        return u64::from(u32::from_le_bytes(*first)) | last;
    }
    let places = [0, bytes.len() / 2, bytes.len() - 1];
    let at = |all: u64, at: usize| all | u64::from(bytes[at]) << (8 * at);
    places.into_iter().fold(0, at)
}

fn joined(low: u64, high: u64) -> u128 {
    u128::from(low) << 64 | u128::from(high)
}

fn mix(a: u128, b: u128) -> u128 {
    let (a_low, a_high, b_low, b_high) = (a as u64, (a >> 64) as u64, b as u64, (b >> 64) as u64);
    let low = fold(a_low ^ SEEDS[0], b_high ^ SEEDS[1]) ^ b_low.rotate_left(17);
    let high = fold(a_high ^ SEEDS[2], b_low ^ SEEDS[3]) ^ b_high.rotate_left(29);
    // Once more, so that sums of mixed values tell in all bits.
    joined(fold(low, SEEDS[1] ^ high), fold(high ^ SEEDS[0], low | 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> u128 {
        content_hash(sources::parse(text).unwrap().root())
    }

    #[test]
    fn spelling_does_not_matter() {
        assert_eq!(
            of(r#"{"a":[1,{"b":"x/y"}],"c":null}"#),
            of("{ \"c\" : null,\n \"a\":[1, {\"b\":\"x\\/y\"}] }")
        );
    }

    #[test]
    fn content_does() {
        let texts = [
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            r#"{"a":2}"#,
            r#"{"b":1}"#,
            r#"{"a":[1]}"#,
            r#"{"a":1,"b":1}"#,
            r#"{"a":[1,2]}"#,
            r#"{"a":[2,1]}"#,
            r#"{"a":null}"#,
            r#"{"a":{}}"#,
            r#"{"a":[]}"#,
            r#"{"a":true}"#,
            r#"{"a":""}"#,
            "{}",
        ];
        let distinct: std::collections::HashSet<_> = texts.iter().map(|text| of(text)).collect();
        assert_eq!(distinct.len(), texts.len());
        assert_ne!(identity_hash("a", "bc"), identity_hash("ab", "c"));
    }

    #[test]
    fn every_bit_of_every_text_counts() {
        let mut seen = std::collections::HashSet::new();
        for length in 0..70 {
            let plain = vec![b'a'; length];
            assert!(seen.insert(text(b's', &plain)), "{length}");
            for bit in 0..8 * length {
                let mut changed = plain.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                assert!(seen.insert(text(b's', &changed)), "{length} {bit}");
            }
        }
        let low: std::collections::HashSet<u64> = seen.iter().map(|hash| *hash as u64).collect();
        assert_eq!(low.len(), seen.len());
        assert_ne!(text(b's', b"a"), text(b'k', b"a"));
    }

    #[test]
    fn what_is_left_of_a_text_is_its_bytes_and_zeros() {
        let bytes: Vec<u8> = (1..=50).collect();
        for length in 0..bytes.len() {
            let text = &bytes[..length];
            let mut padded = [0; 16];
            padded[..length % 16].copy_from_slice(&text[length - length % 16..]);
            let (a, b) = last(text, length % 16);
            assert_eq!(joined(b, a), u128::from_le_bytes(padded), "{length}");
        }
    }

    /// What lakes keep must stay what it is.
    #[test]
    fn hashes_of_today() {
        let hashes = [
            r#"{"Id":"9f17c7be-bd48-59b2","Operation":"MailItemsAccessed","RecordType":50,"Folders":[{"Path":"\\In"}]}"#,
            r#"{"a":null,"b":[true,false,-1,18446744073709551615,0.25,""],"c":{},"three":"abc","seventeen":"12345678901234567"}"#,
        ]
        .map(|text| format!("{:032x}", of(text)));
        assert_eq!(
            hashes,
            ["3165477d540f39876338bfecf1a6d846", "b88303fff63f88092478823f09f25124"]
        );
    }

    #[test]
    fn keys_and_values_that_are_exchanged_differ() {
        let texts: Vec<String> = (0..40)
            .flat_map(|a| (0..40).map(move |b| format!(r#"{{"k{a}":"v{b}","k{b}":"v{a}"}}"#)))
            .collect();
        let hashes: std::collections::HashSet<u64> = texts.iter().map(|text| of(text) as u64).collect();
        // {"k1":"v2","k2":"v1"} and {"k2":"v1","k1":"v2"} are one.
        assert_eq!(hashes.len(), 40 * 41 / 2);
    }

    #[test]
    fn digits() {
        assert_eq!(hash_text(-1), "ffffffffffffffff");
        assert_eq!(hexadecimal::<32>(0xABC), "00000000000000000000000000000abc");
        let number = 0x0123_4567_89AB_CDEF_FEDC_BA98_7654_3210;
        assert_eq!(hexadecimal::<32>(number), format!("{number:032x}"));
        assert_eq!(hexadecimal::<16>(number), "fedcba9876543210");
    }
}
