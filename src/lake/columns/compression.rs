//! Compressors that are made once and used for every page.

use crate::error::{Error, Result};
use datafusion::parquet::basic::{Compression, ZstdLevel};

/// How much zstd tries: more takes more time than it saves in bytes.
const LEVEL: i32 = 1;

/// A column chunk of fewer bytes is not compressed: there is next to nothing to be saved.
const TINY: usize = 256;

/// A column chunk of fewer bytes is worth no context of zstd. The library makes two for each chunk
/// that it reads, which takes as long as to decompress 20 kB, and most chunks of a day are small.
const SMALL: usize = 4 << 10;

/// How the pages of a column are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// Not at all.
    None,
    /// For what nearly every query reads, and for what is small.
    Lz4,
    /// For everything else.
    Zstd,
}

impl Codec {
    /// What to take for a chunk of so many bytes in place of this one, which is for a large one, as one of
    /// several pages of texts or numbers is.
    pub(super) fn for_bytes(self, bytes: usize) -> Self {
        match bytes {
            ..TINY => Self::None,
            TINY..SMALL => Self::Lz4,
            _ => self,
        }
    }

    pub(super) fn compression(self) -> Compression {
        match self {
            Self::None => Compression::UNCOMPRESSED,
            Self::Lz4 => Compression::LZ4_RAW,
            Self::Zstd => Compression::ZSTD(ZstdLevel::try_new(LEVEL).unwrap_or_default()),
        }
    }
}

/// Compresses pages. Making one of zstd's contexts takes longer than most pages do.
pub(super) struct Compressor {
    zstd: zstd::bulk::Compressor<'static>,
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressor").finish_non_exhaustive()
    }
}

impl Compressor {
    pub(super) fn new() -> Result<Self> {
        let zstd = zstd::bulk::Compressor::new(LEVEL).map_err(failed)?;
        Ok(Self { zstd })
    }

    pub(super) fn compress(&mut self, codec: Codec, page: &[u8]) -> Result<Vec<u8>> {
        match codec {
            Codec::None => Ok(page.to_vec()),
            Codec::Zstd => self.zstd.compress(page).map_err(failed),
            Codec::Lz4 => Ok(lz4_flex::block::compress(page)),
        }
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::Internal(format!("cannot compress a page: {error}"))
}
