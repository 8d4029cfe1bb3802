//! Objects that are no record but hold an array of records: what may stand before the
//! array, and what behind it.

/// Keys of an object whose array holds the records.
const CONTAINERS: [&[u8]; 5] = [b"records", b"Records", b"value", b"results", b"Results"];

/// What else the services write into such an object, in lower case, beside `@…`.
///
/// Only these may stand before the array. An audit record may have an array of objects
/// by the name of `results` too, and what stands before it there is none of these
/// (`CreationTime`, `Id`, `Operation`, …): it stays a record.
const ENVELOPE: [&[u8]; 20] = [
    b"nextlink",
    b"nextpageuri",
    b"count",
    b"totalcount",
    b"took",
    b"timed_out",
    b"terminated_early",
    b"num_reduce_phases",
    b"_shards",
    b"_clusters",
    b"_scroll_id",
    b"pit_id",
    b"total",
    b"max_score",
    b"schema",
    b"status",
    b"message",
    b"requestid",
    b"stats",
    b"success",
];

/// Keys with `@` that Beats and Logstash write into records.
const RECORD_KEYS: [&[u8]; 3] = [b"@timestamp", b"@metadata", b"@version"];

/// How far into an object to look for such a key.
const LOOKAHEAD: usize = 64 << 10;

/// What the object at the start of a text is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Object {
    /// A container: its array begins after so many bytes, in so many objects.
    Container(usize, u8),
    /// A record.
    Record,
    /// Not decidable yet.
    More,
}

/// What stands behind the array of a container.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Member {
    /// Something about the array, so long.
    Skip(usize),
    /// One more array of records, whose elements begin after so many bytes.
    Array(usize),
    /// Nothing that belongs there.
    Foreign,
    /// Not decidable yet.
    More,
}

/// Whether the object at the start of `bytes` only holds an array of records.
pub(super) fn object(bytes: &[u8], ended: bool) -> Object {
    let mut cursor = Cursor::new(bytes, 1, ended);
    match cursor.find_array() {
        Ok(objects) => Object::Container(cursor.at, objects),
        Err(Stop::No) => Object::Record,
        Err(Stop::Short) if cursor.final_bytes => Object::Record,
        Err(Stop::Short) => Object::More,
    }
}

/// What the text is that begins with the key of a member.
pub(super) fn member(bytes: &[u8], ended: bool) -> Member {
    let mut cursor = Cursor::new(bytes, 0, ended);
    match cursor.member() {
        Ok(true) => Member::Array(cursor.at),
        Ok(false) => Member::Skip(cursor.at),
        Err(Stop::No) => Member::Foreign,
        Err(Stop::Short) if cursor.final_bytes => Member::Foreign,
        Err(Stop::Short) => Member::More,
    }
}

/// Whether the `[` at the start of `bytes` begins an array of records, and no value; none
/// where that is not decidable yet.
pub(super) fn array(bytes: &[u8], ended: bool) -> Option<bool> {
    let mut cursor = Cursor::new(bytes, 1, ended);
    match cursor.visible() {
        Ok(first) => Some(matches!(first, b'{' | b'[' | b']')),
        Err(_) if cursor.final_bytes => Some(true),
        Err(_) => None,
    }
}

enum Stop {
    /// It cannot be.
    No,
    /// The bytes end before that is known.
    Short,
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    /// More bytes will not come, or would not be looked at.
    final_bytes: bool,
}

impl<'a> Cursor<'a> {
    fn new(bytes: &'a [u8], at: usize, ended: bool) -> Self {
        Self {
            bytes: &bytes[..bytes.len().min(LOOKAHEAD)],
            at,
            final_bytes: ended || bytes.len() >= LOOKAHEAD,
        }
    }

    /// Goes behind the opening bracket of the array; the number of objects around it.
    fn find_array(&mut self) -> Result<u8, Stop> {
        let mut objects = 1;
        loop {
            let key = self.key()?;
            let value = self.visible()?;
            // A search response of Elasticsearch: `{"took":1,"hits":{"total":…,"hits":[…]}}`.
            if key == b"hits" && value == b'{' && objects == 1 {
                self.at += 1;
                objects += 1;
                continue;
            }
            if value == b'[' && (CONTAINERS.contains(&key) || (key == b"hits" && objects == 2)) {
                return if self.opens_records()? {
                    Ok(objects)
                } else {
                    Err(Stop::No)
                };
            }
            if !is_envelope(key) {
                return Err(Stop::No);
            }
            self.value()?;
            if self.visible()? != b',' {
                return Err(Stop::No);
            }
            self.at += 1;
        }
    }

    /// Goes behind a member; true where it is an array of records, of which only the
    /// opening bracket was passed.
    fn member(&mut self) -> Result<bool, Stop> {
        let key = self.key()?;
        if self.visible()? == b'[' && CONTAINERS.contains(&key) {
            let start = self.at;
            if self.opens_records()? {
                return Ok(true);
            }
            self.at = start;
        }
        self.value()?;
        Ok(false)
    }

    fn key(&mut self) -> Result<&'a [u8], Stop> {
        if self.visible()? != b'"' {
            return Err(Stop::No);
        }
        let key = self.string()?;
        if self.visible()? != b':' {
            return Err(Stop::No);
        }
        self.at += 1;
        Ok(key)
    }

    /// Goes behind the bracket; true where objects follow, or none.
    fn opens_records(&mut self) -> Result<bool, Stop> {
        self.at += 1;
        let behind = self.at;
        let element = self.visible()?;
        self.at = behind;
        Ok(matches!(element, b'{' | b']'))
    }

    fn visible(&mut self) -> Result<u8, Stop> {
        loop {
            let byte = *self.bytes.get(self.at).ok_or(Stop::Short)?;
            if !byte.is_ascii_whitespace() {
                return Ok(byte);
            }
            self.at += 1;
        }
    }

    /// The string that begins here, without its quotes; escapes are left as they are.
    fn string(&mut self) -> Result<&'a [u8], Stop> {
        let start = self.at + 1;
        let mut at = start;
        loop {
            match self.bytes.get(at).ok_or(Stop::Short)? {
                b'"' => {
                    self.at = at + 1;
                    return Ok(&self.bytes[start..at]);
                }
                // No string goes on behind its line: something was cut off.
                b'\n' => return Err(Stop::No),
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
    }

    /// Goes behind a value of any kind.
    fn value(&mut self) -> Result<(), Stop> {
        let (mut depth, mut last) = (0_usize, b':');
        loop {
            let byte = self.visible()?;
            match byte {
                b'"' => drop(self.string()?),
                // Where no value can stand, the one before was cut off.
                b'{' | b'[' if !matches!(last, b'[' | b',' | b':') => return Err(Stop::No),
                b'{' | b'[' => (depth, self.at) = (depth + 1, self.at + 1),
                b'}' | b']' => (depth, self.at) = (depth.checked_sub(1).ok_or(Stop::No)?, self.at + 1),
                b',' | b':' if depth > 0 => self.at += 1,
                _ => self.word()?,
            }
            last = byte;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Goes behind a number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<(), Stop> {
        let start = self.at;
        while let Some(byte) = self.bytes.get(self.at) {
            if !byte.is_ascii_alphanumeric() && !matches!(byte, b'+' | b'-' | b'.') {
                return if self.at > start { Ok(()) } else { Err(Stop::No) };
            }
            self.at += 1;
        }
        Err(Stop::Short)
    }
}

fn is_envelope(key: &[u8]) -> bool {
    if key.starts_with(b"@") {
        return !RECORD_KEYS.contains(&key);
    }
    ENVELOPE.iter().any(|known| known.eq_ignore_ascii_case(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelopes_are_told_from_records() {
        for text in [
            r#"{"value":[{"#,
            r#"{"nextLink":"n","value":[{"#,
            r#"{"@odata.nextLink":null,"@search.count":3.5,"value":[]"#,
            r#"{"took":1,"timed_out":false,"records":[ {"#,
            r#"{"took":1,"_shards":{"total":1,"failures":[{}]},"hits":{"total":{"value":2},"max_score":null,"hits":[{"#,
            r#"{"hits":{"hits":[{"#,
            r#"{"schema":[{"name":"x"}],"results":[{"#,
            r#"{"Stats":{"cpu":1},"Schema":[],"Results":[{"#,
        ] {
            let length = text.rfind(['[']).unwrap() + 1;
            assert!(
                matches!(object(text.as_bytes(), false), Object::Container(at, _) if at == length),
                "{text}"
            );
        }
        for text in [
            r#"{"CreationTime":"x","results":[{"#,
            r#"{"Id":"x","Records":[{"#,
            r#"{"@timestamp":"x","results":[{"#,
            r#"{"event":{},"records":[{"#,
            r#"{"count":1,"value":[1"#,
            r#"{"count":1,"value":"x""#,
            r#"{"message":"cut
{"value":[{"#,
        ] {
            assert_eq!(object(text.as_bytes(), false), Object::Record, "{text}");
        }
        assert_eq!(object(b"{\"count\":1,\"val", false), Object::More);
        assert_eq!(object(b"{\"count\":1,\"val", true), Object::Record);
    }
}
