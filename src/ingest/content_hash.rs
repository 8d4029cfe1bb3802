//! Hashes by which repeats are found.

use crate::sources::{self, Json};
use sonic_rs::{JsonContainerTrait as _, JsonType, JsonValueTrait as _};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// Deepest nesting that is told apart.
const DEPTH: usize = 128;

/// Hash of a JSON value, blind to spacing, escapes and the order of keys: the same
/// record pretty-printed, or written by another serialiser, has the same hash.
pub(super) fn content_hash(value: &Json) -> u128 {
    hash(value, DEPTH)
}

/// What `event.hash` is for a record of this text; none where it is no JSON.
pub fn content_text(raw: &str) -> Option<String> {
    Some(hash_text(content_hash(&sources::parse(raw).ok()?) as i64))
}

/// The text of a content hash as `event.hash` keeps it: 16 hexadecimal digits.
pub(super) fn hash_text(content: i64) -> String {
    format!("{:016x}", content as u64)
}

/// Hash of an event's own id within its organisation.
pub(super) fn identity_hash(organization: &str, id: &str) -> u128 {
    let mut hasher = Xxh3::new();
    hasher.update(organization.as_bytes());
    hasher.update(&[0]);
    hasher.update(id.as_bytes());
    hasher.digest128()
}

fn hash(value: &Json, depth: usize) -> u128 {
    if depth == 0 {
        return 0;
    }
    match value.get_type() {
        JsonType::Null => 1,
        JsonType::Boolean => 2 + u128::from(value.as_bool().unwrap_or_default()),
        JsonType::Number => match (value.as_i64(), value.as_u64(), value.as_f64()) {
            (Some(number), _, _) => scalar(b'i', &number.to_le_bytes()),
            (_, Some(number), _) => scalar(b'u', &number.to_le_bytes()),
            (_, _, number) => scalar(b'f', &number.unwrap_or_default().to_bits().to_le_bytes()),
        },
        JsonType::String => scalar(b's', value.as_str().unwrap_or_default().as_bytes()),
        JsonType::Array => {
            let elements = value.as_array().into_iter().flat_map(|array| array.iter());
            elements.fold(4, |sum: u128, element| mix(sum, hash(element, depth - 1)))
        }
        // A sum, so that the order of the keys does not matter.
        JsonType::Object => {
            let members = value.as_object().into_iter().flat_map(|object| object.iter());
            members.fold(5, |sum: u128, (key, member)| {
                sum.wrapping_add(mix(scalar(b'k', key.as_bytes()), hash(member, depth - 1)))
            })
        }
    }
}

fn scalar(kind: u8, bytes: &[u8]) -> u128 {
    xxh3_128(bytes)
        .rotate_left(u32::from(kind))
        .wrapping_add(u128::from(kind))
}

fn mix(a: u128, b: u128) -> u128 {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&a.to_le_bytes());
    bytes[16..].copy_from_slice(&b.to_le_bytes());
    xxh3_128(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> u128 {
        content_hash(&sonic_rs::from_str(text).unwrap())
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
}
