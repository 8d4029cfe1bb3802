//! Compressors that are made once and used for every page.

use crate::error::{Error, Result};
use datafusion::parquet::basic::{Compression, ZstdLevel};

/// How much zstd tries: more takes more time than it saves in bytes.
const LEVEL: i32 = 1;

/// How the pages of a column are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// Not at all: for the few bytes of a column with hardly a value in it, a reader would only
    /// have to make a decompressor.
    None,
    /// For what nearly every query reads.
    Lz4,
    /// For everything else.
    Zstd,
}

impl Codec {
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
