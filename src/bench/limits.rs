//! What the machine can do at best, over the records of the tenants: what the rates of all work
//! are held against.

use super::sites::Site;
use super::{Bench, Stop, counted, go_on};
use crate::capacity::{Limit, LimitKind};
use crate::config::Resources;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::lake::Lake;
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Records that are parsed, hashed and so on, over and over.
const SAMPLE: usize = 16 << 20;

/// Bytes that are compressed at once: a page.
const PAGE: usize = 1 << 20;

/// Bytes that are written to the disk and read from it.
const FILE: usize = 256 << 20;

/// Decodes the widest column of all events.
const WIDE: &str = "SELECT sum(octet_length(raw)) FROM events";

/// Measures all limits, with each number of threads.
pub(super) async fn measure(bench: &Bench, site: &Site<'_>, stop: &Stop) -> Result<Vec<Limit>> {
    let time = Duration::from_millis(if bench.quick { 150 } else { 500 });
    let sample = sample(&site.logs.folder.join("logs"))?;
    let mut limits = Vec::new();
    for threads in &bench.threads {
        go_on(stop)?;
        let (sample, threads) = (sample.clone(), *threads);
        let measured = tokio::task::spawn_blocking(move || in_memory(&sample, threads, time)).await;
        limits.extend(measured.map_err(|error| Error::Internal(error.to_string()))??);
        limits.push(scan(bench, &site.whole, threads, time).await?);
    }
    let (path, size) = (bench.workspace.join("disk"), FILE / if bench.quick { 4 } else { 1 });
    let measured = tokio::task::spawn_blocking(move || disk(&path, size)).await;
    limits.extend(measured.map_err(|error| Error::Internal(error.to_string()))??);
    Ok(limits)
}

/// The first records of the largest log.
fn sample(folder: &Path) -> Result<String> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::File { path, source }
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        files.push(entry.map_err(failed(folder))?.path());
    }
    files.sort();
    let mut text = String::new();
    for path in files {
        if text.len() >= SAMPLE {
            break;
        }
        let file = File::open(&path).map_err(failed(&path))?;
        let left = (SAMPLE - text.len()) as u64;
        let mut bytes = Vec::new();
        file.take(left).read_to_end(&mut bytes).map_err(failed(&path))?;
        // The last record may be cut.
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        text.push_str(&String::from_utf8_lossy(&bytes[..end]));
    }
    Ok(text)
}

fn in_memory(sample: &str, threads: usize, time: Duration) -> Result<Vec<Limit>> {
    let bytes = sample.as_bytes();
    let packed: Vec<Vec<u8>> = bytes
        .chunks(PAGE)
        .map(|page| zstd::bulk::compress(page, 1))
        .collect::<std::io::Result<_>>()
        .map_err(|error| Error::Internal(format!("cannot compress: {error}")))?;
    let limit = |kind, pass: &(dyn Fn() + Sync)| Limit {
        kind,
        threads: threads as u32,
        bytes_per_second: rate(bytes.len(), threads, time, pass),
    };
    Ok(vec![
        limit(LimitKind::Parse, &|| {
            for line in sample.lines() {
                black_box(crate::sources::json::parse(line).is_ok());
            }
        }),
        limit(LimitKind::Hash, &|| {
            black_box(Sha256::digest(bytes));
        }),
        limit(LimitKind::Zstd, &|| {
            for page in bytes.chunks(PAGE) {
                black_box(zstd::bulk::compress(page, 1).is_ok());
            }
        }),
        limit(LimitKind::Unzstd, &|| {
            for page in &packed {
                black_box(zstd::bulk::decompress(page, PAGE).is_ok());
            }
        }),
        limit(LimitKind::Memory, &|| {
            black_box(bytes.to_vec());
        }),
    ])
}

/// Bytes a second, when so many threads do a pass over so many bytes, again and again.
fn rate(bytes: usize, threads: usize, time: Duration, pass: &(dyn Fn() + Sync)) -> f64 {
    let begun = Instant::now();
    let passes: usize = std::thread::scope(|scope| {
        let working: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut passes = 0;
                    while begun.elapsed() < time || passes == 0 {
                        pass();
                        passes += 1;
                    }
                    passes
                })
            })
            .collect();
        working.into_iter().map(|one| one.join().unwrap_or_default()).sum()
    });
    (bytes * passes) as f64 / begun.elapsed().as_secs_f64()
}

/// Decodes a column over and over; the best of the passes, as others may be at work.
async fn scan(bench: &Bench, lake: &str, threads: usize, time: Duration) -> Result<Limit> {
    let resources = Resources {
        threads,
        ..bench.resources
    };
    let engine = Engine::open(&Lake::at(lake)?, resources).await?;
    let (begun, mut best, mut passes) = (Instant::now(), 0.0_f64, 0);
    while begun.elapsed() < time || passes < 3 {
        let pass = Instant::now();
        let (_, read) = counted::number(&engine, WIDE).await?;
        best = best.max(read.bytes_read as f64 / pass.elapsed().as_secs_f64());
        passes += 1;
    }
    Ok(Limit {
        kind: LimitKind::Scan,
        threads: threads as u32,
        bytes_per_second: best,
    })
}

/// Writes a file until it is on the disk; reads it where the system can be told to forget it.
fn disk(path: &PathBuf, size: usize) -> Result<Vec<Limit>> {
    let failed = |source| Error::File {
        path: path.clone(),
        source,
    };
    // Not all alike: some disks and file systems make less of that.
    let block: Vec<u8> = (0..PAGE as u64)
        .map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect();
    let limit = |kind, seconds: f64| Limit {
        kind,
        threads: 1,
        bytes_per_second: size as f64 / seconds,
    };
    let begun = Instant::now();
    let mut file = File::create(path).map_err(failed)?;
    for _ in 0..size / PAGE {
        file.write_all(&block).map_err(failed)?;
    }
    file.sync_all().map_err(failed)?;
    let mut limits = vec![limit(LimitKind::DiskWrite, begun.elapsed().as_secs_f64())];
    drop(file);
    if forget(path) {
        let begun = Instant::now();
        let mut file = File::open(path).map_err(failed)?;
        let mut into = vec![0; PAGE];
        while file.read(&mut into).map_err(failed)? > 0 {}
        limits.push(limit(LimitKind::DiskRead, begun.elapsed().as_secs_f64()));
    }
    fs::remove_file(path).map_err(failed)?;
    Ok(limits)
}

/// Whether the system has forgotten what it holds of a file in memory.
#[cfg(target_os = "linux")]
fn forget(path: &Path) -> bool {
    let forgotten = File::open(path).map(|file| rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed));
    matches!(forgotten, Ok(Ok(())))
}

/// Whether the system has forgotten what it holds of a file in memory.
#[cfg(not(target_os = "linux"))]
fn forget(_: &Path) -> bool {
    false
}
