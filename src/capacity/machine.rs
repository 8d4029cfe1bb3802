//! Where a benchmark ran, and what that machine can do at best.

use serde::{Deserialize, Serialize};

/// A machine, as the system describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Model of its processor.
    pub cpu: String,
    /// Cores that the program may use.
    pub cores: u32,
    /// Memory that the program may use.
    pub memory_bytes: u64,
    /// Operating system and its version.
    pub os: String,
    /// Version of the program that was measured.
    pub retrohunt: String,
    /// When the run began, RFC 3339.
    pub date: String,
}

/// What the machine can do at best, over data of the same kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// What it does.
    pub kind: LimitKind,
    /// With so many threads.
    pub threads: u32,
    /// Bytes a second; of what goes in, for a compression that which is not compressed yet.
    pub bytes_per_second: f64,
}

/// Kinds of limits, with the bytes that they count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// JSON text parsed.
    Parse,
    /// Parquet bytes of the columns of a scan decoded, as stored.
    Scan,
    /// Bytes hashed with SHA-256.
    Hash,
    /// Bytes compressed with zstd, before.
    Zstd,
    /// Bytes decompressed with zstd, after.
    Unzstd,
    /// Bytes read from the disk, not from the system's memory.
    DiskRead,
    /// Bytes written to the disk and synced.
    DiskWrite,
    /// Bytes copied in memory.
    Memory,
}

impl LimitKind {
    /// Its name in a report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parse => "parse JSON",
            Self::Scan => "decode Parquet",
            Self::Hash => "SHA-256",
            Self::Zstd => "compress (zstd)",
            Self::Unzstd => "decompress (zstd)",
            Self::DiskRead => "read from disk",
            Self::DiskWrite => "write to disk",
            Self::Memory => "copy in memory",
        }
    }
}
