//! Whether there is room on the disk.

use super::{Bench, shapes};
use crate::error::Result;
use std::path::Path;

/// Bytes of an event in the logs.
const LOG: u64 = 2_300;

/// Bytes of an event in a lake; a little more than was ever seen.
const STORED: u64 = 500;

/// Lakes of a tenant: whole and in pieces. Copies share their files.
const LAKES: u64 = 2;

/// For alerts, states and what else there is.
const BESIDE: u64 = 300 << 20;

/// Bytes that the workspace takes, at most.
pub fn needed(bench: &Bench) -> u64 {
    let sizes: Vec<u64> = shapes::of(bench).iter().map(|shape| shape.events).collect();
    let largest = sizes.iter().copied().max().unwrap_or_default();
    // One more lake is being made.
    sizes.iter().sum::<u64>() * (LOG + LAKES * STORED) + largest * STORED + BESIDE
}

/// Bytes that are free where a folder is, for who is no administrator. None where the system does
/// not tell.
#[cfg(unix)]
pub fn available(folder: &Path) -> Result<Option<u64>> {
    let told = rustix::fs::statvfs(folder).map_err(|error| crate::error::Error::File {
        path: folder.to_owned(),
        source: error.into(),
    })?;
    Ok(Some(told.f_bavail.saturating_mul(told.f_frsize)))
}

/// Bytes that are free where a folder is. None where the system does not tell.
#[cfg(not(unix))]
pub fn available(_: &Path) -> Result<Option<u64>> {
    Ok(None)
}
