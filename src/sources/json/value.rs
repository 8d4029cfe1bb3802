//! A value of a parsed text.

use super::document::{Document, Kind, Node, key_bit};
use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

/// A value of a [`Document`]: a place in it, cheap to copy.
#[derive(Clone, Copy)]
pub struct Json<'a> {
    document: &'a Document<'a>,
    index: u32,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonType {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// An integer or a float.
    Number,
    /// Text.
    String,
    /// Values in order.
    Array,
    /// Keys and values in order.
    Object,
}

impl std::fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_json())
    }
}

impl<'a> Json<'a> {
    pub(super) fn new(document: &'a Document<'a>, index: u32) -> Self {
        Self { document, index }
    }

    fn node(self) -> Node {
        self.document.nodes[self.index as usize]
    }

    /// What it is.
    pub fn get_type(self) -> JsonType {
        match self.node().kind {
            Kind::Null => JsonType::Null,
            Kind::True | Kind::False => JsonType::Boolean,
            Kind::Number => JsonType::Number,
            Kind::Text | Kind::Unescaped => JsonType::String,
            Kind::Array => JsonType::Array,
            Kind::Object => JsonType::Object,
        }
    }

    /// True for an object.
    pub fn is_object(self) -> bool {
        self.node().kind == Kind::Object
    }

    /// True for an array.
    pub fn is_array(self) -> bool {
        self.node().kind == Kind::Array
    }

    /// True for text.
    pub fn is_str(self) -> bool {
        self.get_type() == JsonType::String
    }

    /// True for a number.
    pub fn is_number(self) -> bool {
        self.node().kind == Kind::Number
    }

    /// True for `true` and `false`.
    pub fn is_boolean(self) -> bool {
        self.get_type() == JsonType::Boolean
    }

    /// True for `null`.
    pub fn is_null(self) -> bool {
        self.node().kind == Kind::Null
    }

    /// The text, of a string.
    pub fn as_str(self) -> Option<&'a str> {
        let node = self.node();
        let (from, to) = (node.from as usize, (node.from + node.length) as usize);
        match node.kind {
            Kind::Text => self.document.text.get(from..to),
            Kind::Unescaped => self.document.unescaped.get(from..to),
            _ => None,
        }
    }

    /// The value, of a boolean.
    pub fn as_bool(self) -> Option<bool> {
        match self.node().kind {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// The text of a number.
    fn digits(self) -> Option<&'a str> {
        if self.node().kind == Kind::Number {
            Some(self.spelling())
        } else {
            None
        }
    }

    /// The value, of an integer that fits.
    pub fn as_i64(self) -> Option<i64> {
        // Minus zero is a float.
        self.digits().filter(|digits| *digits != "-0")?.parse().ok()
    }

    /// The value, of an integer that is not negative and fits.
    pub fn as_u64(self) -> Option<u64> {
        self.digits()?.parse().ok()
    }

    /// The value, of any number.
    pub fn as_f64(self) -> Option<f64> {
        let digits = self.digits()?;
        // A written zero has no sign; what is too small for a float is a zero with its sign.
        let is_zero = |digits: &str| {
            let mut mantissa = digits.bytes().take_while(|byte| !matches!(byte, b'e' | b'E'));
            !mantissa.any(|byte| matches!(byte, b'1'..=b'9'))
        };
        match digits.parse::<f64>().ok()? {
            0.0 if is_zero(digits) => Some(0.0),
            number => Some(number),
        }
    }

    /// As it stands in the text; a string without its quotes.
    pub(crate) fn spelling(self) -> &'a str {
        let node = self.node();
        let (from, to) = (node.from as usize, (node.from + node.length) as usize);
        self.document.text.get(from..to).unwrap_or_default()
    }

    /// The value of a key, of an object: of the first of this name.
    pub fn get(self, key: &str) -> Option<Self> {
        let node = self.node();
        if node.kind != Kind::Object {
            return None;
        }
        if self.index == 0 {
            let (word, bit) = key_bit(key.as_bytes());
            if self.document.keys[word] & bit == 0 {
                return None;
            }
        }
        let mut at = self.index + 1;
        while at < node.next {
            let named = self.document.nodes[at as usize];
            let value = at + 1;
            if named.length as usize == key.len() && self.document.bytes_of(named) == key.as_bytes() {
                return Some(Self::new(self.document, value));
            }
            at = self.document.nodes[value as usize].next;
        }
        None
    }

    /// The elements, of an array.
    pub fn as_array(self) -> Option<Elements<'a>> {
        self.is_array().then(|| self.within())
    }

    /// Keys and values, of an object.
    pub fn as_object(self) -> Option<Members<'a>> {
        self.is_object().then(|| Members(self.within()))
    }

    fn within(self) -> Elements<'a> {
        Elements {
            document: self.document,
            at: self.index + 1,
            end: self.node().next,
        }
    }

    /// True for an array or object without anything in it.
    pub(super) fn is_empty_container(self) -> bool {
        let node = self.node();
        matches!(node.kind, Kind::Array | Kind::Object) && node.next == self.index + 1
    }

    /// Its JSON without spaces.
    pub fn to_json(self) -> String {
        sonic_rs::to_string(&self).unwrap_or_else(|_| "null".to_owned())
    }

    /// It alone, owning its text.
    pub fn to_document(self) -> Option<Document<'static>> {
        Document::parse(self.to_json().into())
    }
}

/// The elements of an array, in order.
#[derive(Debug, Clone, Copy)]
pub struct Elements<'a> {
    document: &'a Document<'a>,
    at: u32,
    end: u32,
}

impl Elements<'_> {
    /// True where there are none.
    pub fn is_empty(&self) -> bool {
        self.at == self.end
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Json<'a>> {
        if self.at >= self.end {
            return None;
        }
        let element = Json::new(self.document, self.at);
        self.at = element.node().next;
        Some(element)
    }
}

/// The keys and values of an object, in order.
#[derive(Debug, Clone, Copy)]
pub struct Members<'a>(Elements<'a>);

impl Members<'_> {
    /// True where there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, Json<'a>);

    fn next(&mut self) -> Option<(&'a str, Json<'a>)> {
        let key = self.0.next()?.as_str()?;
        Some((key, self.0.next()?))
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.get_type() {
            JsonType::Null => serializer.serialize_unit(),
            JsonType::Boolean => serializer.serialize_bool(self.as_bool().unwrap_or_default()),
            JsonType::String => serializer.serialize_str(self.as_str().unwrap_or_default()),
            JsonType::Number => match (self.as_i64(), self.as_u64()) {
                (Some(number), _) => serializer.serialize_i64(number),
                (_, Some(number)) => serializer.serialize_u64(number),
                _ => serializer.serialize_f64(self.as_f64().unwrap_or_default()),
            },
            JsonType::Array => {
                let mut sequence = serializer.serialize_seq(None)?;
                for element in self.within() {
                    sequence.serialize_element(&element)?;
                }
                sequence.end()
            }
            JsonType::Object => {
                let mut map = serializer.serialize_map(None)?;
                for (key, value) in Members(self.within()) {
                    map.serialize_entry(key, &value)?;
                }
                map.end()
            }
        }
    }
}
