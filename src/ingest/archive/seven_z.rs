//! 7z archives.

use super::{DICTIONARY_KIB, Input, Visitor, Walk, encrypted, is_junk, joined};
use sevenz_rust2::{ArchiveReader, EncoderMethod, Error, Password};
use std::io;

impl Walk<'_> {
    pub(super) fn seven_z(
        &self,
        input: Box<dyn Input>,
        outer: &str,
        depth: u32,
        visitor: &mut dyn Visitor,
    ) -> io::Result<()> {
        let mut archive = ArchiveReader::new(input, Password::empty()).map_err(failed)?;
        let coders = archive.archive().blocks.iter().flat_map(|block| &block.coders);
        let mut dictionaries = coders.map(|coder| dictionary(coder.encoder_method_id(), coder.properties()));
        if dictionaries.any(|bytes| bytes > u64::from(DICTIONARY_KIB) << 10) {
            let problem = format!(
                "it takes a dictionary of more than {} MiB to read: unpack it first",
                DICTIONARY_KIB >> 10
            );
            return Err(io::Error::new(io::ErrorKind::Unsupported, problem));
        }
        let shown = archive.for_each_entries(|entry, content| {
            let member = joined(outer, entry.name());
            if entry.is_directory() || is_junk(&member) {
                return Ok(true);
            }
            self.member(content, &member, depth, visitor).map_err(Error::from)
        });
        shown.map_err(failed)
    }
}

/// Memory that a method takes, as its properties say.
fn dictionary(method: &[u8], properties: &[u8]) -> u64 {
    match (method, properties) {
        (EncoderMethod::ID_LZMA | EncoderMethod::ID_PPMD, [_, a, b, c, d, ..]) => {
            u32::from_le_bytes([*a, *b, *c, *d]).into()
        }
        (EncoderMethod::ID_LZMA2, [bits, ..]) => u64::from(2 | bits & 1) << (bits.min(&63) / 2 + 11),
        _ => 0,
    }
}

fn failed(error: Error) -> io::Error {
    match error {
        Error::Io(error, _) => error,
        Error::PasswordRequired | Error::MaybeBadPassword(_) => encrypted(),
        Error::UnsupportedCompressionMethod(method) if method.contains("AES") => encrypted(),
        other => io::Error::new(io::ErrorKind::InvalidData, other.to_string()),
    }
}
