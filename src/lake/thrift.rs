//! Thrift's compact protocol, in which Parquet's footers are written: as much of it as it takes to look
//! for some things in them, and to pass over the rest.
//!
//! What is not as the protocol has it is none; whoever reads has the library tell what is wrong.

use datafusion::parquet::errors::{ParquetError, Result};

// Types of Thrift's compact protocol, as its specification numbers them.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
pub(super) const I32: u8 = 5;
pub(super) const I64: u8 = 6;
const DOUBLE: u8 = 7;
pub(super) const BINARY: u8 = 8;
pub(super) const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
pub(super) const STRUCT: u8 = 12;
const UUID: u8 = 13;

/// How deep values may nest that are passed over: Parquet's do so less than ten times.
pub(super) const DEEPEST: usize = 32;

/// A structure, unless something in it is said to be longer than all of it: the library makes room for as
/// many elements as a list says it has, and a damaged one says that it has two billion.
pub(super) fn checked(bytes: &[u8]) -> Result<&[u8]> {
    let mut reader = Compact::of(bytes);
    match reader.skip(STRUCT, DEEPEST) {
        Some(()) => Ok(bytes),
        None => Err(ParquetError::General("its footer is damaged".into())),
    }
}

/// Bytes in Thrift's compact form, and how far they are read.
pub(super) struct Compact<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Nothing more is wanted: that reading ended is no fault.
    pub(super) is_done: bool,
}

impl<'a> Compact<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            is_done: false,
        }
    }

    /// How many bytes have been read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What has been read since this many bytes.
    pub(super) fn since(&self, at: usize) -> &'a [u8] {
        self.bytes.get(at..self.at).unwrap_or_default()
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub(super) fn number(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(super) fn binary(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        self.take(length)
    }

    /// How many elements of which type follow.
    pub(super) fn list(&mut self) -> Option<(usize, u8)> {
        let header = self.byte()?;
        let count = match header >> 4 {
            15 => usize::try_from(self.varint()?).ok()?,
            few => usize::from(few),
        };
        Some((count, header & 0xF))
    }

    /// Reads a structure, whose fields `field` reads or skips by number and type.
    pub(super) fn structure(&mut self, mut field: impl FnMut(&mut Self, i16, u8) -> Option<()>) -> Option<()> {
        let mut number = 0_i16;
        loop {
            let header = self.byte()?;
            if header == 0 {
                return Some(());
            }
            number = match header >> 4 {
                0 => i16::try_from(self.number()?).ok()?,
                more => number.checked_add(i16::from(more))?,
            };
            field(self, number, header & 0xF)?;
        }
    }

    /// How many structures a list has, which follow.
    pub(super) fn structures(&mut self) -> Option<usize> {
        let (count, kind) = self.list()?;
        (count == 0 || kind == STRUCT).then_some(count)
    }

    /// Passes over a field's value.
    pub(super) fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        match kind {
            // Said by the type.
            TRUE | FALSE => Some(()),
            _ => self.skip_element(kind, depth),
        }
    }

    /// Passes over a value that stands for itself.
    fn skip_element(&mut self, kind: u8, depth: usize) -> Option<()> {
        let within = depth.checked_sub(1)?;
        match kind {
            TRUE | FALSE | BYTE => self.take(1).map(drop),
            I16 | I32 | I64 => {
                while self.byte()? >= 0x80 {}
                Some(())
            }
            DOUBLE => self.take(8).map(drop),
            BINARY => self.binary().map(drop),
            UUID => self.take(16).map(drop),
            LIST | SET => {
                let (count, kind) = self.list()?;
                (0..count).try_for_each(|_| self.skip_element(kind, within))
            }
            MAP => {
                let count = self.varint()?;
                let kinds = if count > 0 { self.byte()? } else { 0 };
                (0..count).try_for_each(|_| {
                    self.skip_element(kinds >> 4, within)?;
                    self.skip_element(kinds & 0xF, within)
                })
            }
            STRUCT => self.structure(|reader, _, kind| reader.skip(kind, within)),
            _ => None,
        }
    }
}
