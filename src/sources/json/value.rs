//! A value of a parsed text.

use super::document::{Document, Keys, Kind, Node};
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
    #[inline]
    pub(super) fn new(document: &'a Document<'a>, index: u32) -> Self {
        Self { document, index }
    }

    #[inline]
    fn node(self) -> Node {
        self.document.nodes[self.index as usize]
    }

    /// What it is.
    #[inline]
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
    #[inline]
    pub fn is_object(self) -> bool {
        self.node().kind == Kind::Object
    }

    /// True for an array.
    #[inline]
    pub fn is_array(self) -> bool {
        self.node().kind == Kind::Array
    }

    /// True for text.
    pub fn is_str(self) -> bool {
        self.get_type() == JsonType::String
    }

    /// True for a number.
    #[inline]
    pub fn is_number(self) -> bool {
        self.node().kind == Kind::Number
    }

    /// True for `true` and `false`.
    pub fn is_boolean(self) -> bool {
        self.get_type() == JsonType::Boolean
    }

    /// True for `null`.
    #[inline]
    pub fn is_null(self) -> bool {
        self.node().kind == Kind::Null
    }

    /// The text, of a string.
    #[inline]
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

    /// The bytes of the text, of a string.
    #[inline]
    pub(crate) fn as_bytes(self) -> Option<&'a [u8]> {
        let node = self.node();
        matches!(node.kind, Kind::Text | Kind::Unescaped).then(|| self.document.bytes_of(node))
    }

    /// As it stands in the text; a string without its quotes.
    pub(crate) fn spelling(self) -> &'a str {
        let node = self.node();
        let (from, to) = (node.from as usize, (node.from + node.length) as usize);
        self.document.text.get(from..to).unwrap_or_default()
    }

    /// The value of a key, of an object: of the first of this name.
    #[inline(always)]
    pub fn get(self, key: &str) -> Option<Self> {
        self.get_of(key, Keys::slot(key.as_bytes()))
    }

    #[inline(never)]
    fn get_of(self, key: &str, slot: usize) -> Option<Self> {
        let node = self.node();
        if node.kind != Kind::Object {
            return None;
        }
        let is = |at: u32| {
            let named = self.document.nodes[at as usize];
            named.length as usize == key.len() && self.document.bytes_of(named) == key.as_bytes()
        };
        let value = |at: u32| Some(Self::new(self.document, at + 1));
        if self.index == 0
            && let Some(found) = self.document.keys.find(slot, is)
        {
            return found.and_then(value);
        }
        let mut at = self.index + 1;
        while at < node.next {
            if is(at) {
                return value(at);
            }
            at = self.document.nodes[at as usize + 1].next;
        }
        None
    }

    /// The elements, of an array.
    #[inline]
    pub fn as_array(self) -> Option<Elements<'a>> {
        self.is_array().then(|| self.within())
    }

    /// Keys and values, of an object.
    #[inline]
    pub fn as_object(self) -> Option<Members<'a>> {
        self.is_object().then(|| Members(self.within()))
    }

    /// Keys and values of an object; nothing of any other value.
    #[inline]
    pub(crate) fn members(self) -> Members<'a> {
        Members(match self.is_object() {
            true => self.within(),
            false => Elements {
                document: self.document,
                at: 0,
                end: 0,
            },
        })
    }

    /// As [`Self::members`], without looking whether keys are text, which they are.
    #[inline]
    pub(crate) fn members_by_bytes(self) -> impl Iterator<Item = (&'a [u8], Self)> {
        let Elements { document, mut at, end } = self.members().0;
        std::iter::from_fn(move || {
            let key = document.nodes.get(at as usize).filter(|_| at < end)?;
            let value = Self::new(document, at + 1);
            at = value.node().next;
            Some((document.bytes_of(*key), value))
        })
    }

    #[inline]
    fn within(self) -> Elements<'a> {
        Elements {
            document: self.document,
            at: self.index + 1,
            end: self.node().next,
        }
    }

    /// True for an array or object without anything in it.
    #[inline]
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

    #[inline]
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

    #[inline]
    fn next(&mut self) -> Option<(&'a str, Json<'a>)> {
        let Elements { document, at, end } = self.0;
        if at >= end {
            return None;
        }
        let value = Json::new(document, at + 1);
        self.0.at = value.node().next;
        Some((Json::new(document, at).as_str()?, value))
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
