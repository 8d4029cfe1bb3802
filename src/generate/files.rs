//! Streams to files, on several threads.

use super::stream::{Counts, Stream};
use super::summary::{Dataset, Summary};
use super::{Compression, Format, Progress, Tenant};
use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Bytes that are written at once.
const BLOCK: usize = 1 << 20;

/// Records that are made to see how long they are.
const SAMPLE: u64 = 512;

/// The name of the summary, beside the folder `logs`.
const SUMMARY: &str = "tenant.json";

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { path, source }
}

/// Makes the folder for logs, which must have been empty or not there, unless `force`; then
/// logs of an earlier run are removed, by their names, and everything else stays.
pub(super) fn prepare(folder: &Path, force: bool) -> Result<PathBuf> {
    let logs = folder.join("logs");
    if !force
        && let Ok(mut entries) = fs::read_dir(folder)
        && entries.next().is_some()
    {
        return Err(Error::Setting {
            setting: folder.display().to_string(),
            problem: "is not empty; give another folder, or --force to write in the place of logs generated before"
                .into(),
        });
    }
    fs::create_dir_all(&logs).map_err(failed(&logs))?;
    for entry in fs::read_dir(&logs).map_err(failed(&logs))? {
        let path = entry.map_err(failed(&logs))?.path();
        if path.file_name().and_then(|name| name.to_str()).is_some_and(is_ours) {
            fs::remove_file(&path).map_err(failed(&path))?;
        }
    }
    // Nobody takes an older one for that of the logs that are written now.
    let summary = folder.join(SUMMARY);
    if summary.exists() {
        fs::remove_file(&summary).map_err(failed(&summary))?;
    }
    Ok(logs)
}

/// `audit-00012.jsonl`, whatever is behind it.
fn is_ours(name: &str) -> bool {
    let Some((format, rest)) = name.split_once('-') else {
        return false;
    };
    let known = <Format as clap::ValueEnum>::value_variants()
        .iter()
        .any(|known| known.as_str() == format);
    let digits = rest.find('.').unwrap_or(rest.len());
    known
        && digits >= 5
        && rest.as_bytes()[..digits].iter().all(u8::is_ascii_digit)
        && matches!(&rest[digits..], ".jsonl" | ".jsonl.gz" | ".jsonl.zst")
}

/// One file to write.
#[derive(Debug)]
struct Job {
    stream: usize,
    path: PathBuf,
    records: Range<u64>,
    /// Whether it also has what comes after the last record.
    last: bool,
}

/// What a file has become.
struct Written {
    counts: Counts,
    bytes: u64,
    file_bytes: u64,
}

/// Bytes of a record of a stream, about.
fn mean(stream: &Stream<'_>) -> u64 {
    let mut out = Vec::new();
    let sample = SAMPLE.min(stream.events());
    let mut cursor = stream.cursor(0);
    for number in 0..sample {
        // From all of its time, as nights are not like days.
        let number = number * stream.events() / sample;
        stream.write(number, &mut cursor, &mut Counts::default(), &mut out);
    }
    (out.len() as u64 / sample.max(1)).max(1)
}

/// Writes all records.
pub(super) fn write(
    streams: &[Stream<'_>],
    tenant: &Tenant,
    logs: &Path,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Vec<Dataset>> {
    let (mut jobs, mut total) = (Vec::new(), 0);
    for (number, stream) in streams.iter().enumerate().filter(|(_, stream)| !stream.is_empty()) {
        let mean = mean(stream);
        total += mean * stream.events();
        let files = (mean * stream.events()).div_ceil(tenant.files_of).max(1);
        let at = |file: u64| (u128::from(stream.events()) * u128::from(file) / u128::from(files)) as u64;
        for file in 0..files {
            let end = match tenant.compression {
                Compression::None => "",
                Compression::Gzip => ".gz",
                Compression::Zstd => ".zst",
            };
            jobs.push(Job {
                stream: number,
                path: logs.join(format!("{}-{:05}.jsonl{end}", stream.format.as_str(), file + 1)),
                records: at(file)..at(file + 1),
                last: file + 1 == files,
            });
        }
    }
    progress.total(total);
    let shared = Shared {
        streams,
        jobs: &jobs,
        compression: tenant.compression,
        next: AtomicUsize::new(0),
        bytes: AtomicU64::new(0),
        done: Mutex::new(Vec::new()),
        failed: AtomicBool::new(false),
        progress,
        stop,
    };
    std::thread::scope(|scope| {
        for _ in 0..tenant.threads.clamp(1, jobs.len().max(1)) {
            scope.spawn(|| shared.work());
        }
    });
    let done = shared.done.into_inner();
    let done = done.map_err(|_| Error::Internal("a thread that writes logs ended".into()))?;
    let mut datasets: Vec<Dataset> = streams.iter().map(|stream| Dataset::new(stream.format)).collect();
    for (job, written) in done {
        let written = written?;
        datasets[jobs[job].stream].add(written.counts, written.bytes, written.file_bytes);
    }
    if stop.load(Ordering::Relaxed) {
        return Err(Error::Interrupted);
    }
    Ok(datasets)
}

/// What threads share.
struct Shared<'a> {
    streams: &'a [Stream<'a>],
    jobs: &'a [Job],
    compression: Compression,
    next: AtomicUsize,
    bytes: AtomicU64,
    done: Mutex<Vec<(usize, Result<Written>)>>,
    /// Set when one file could not be written: the others need not be.
    failed: AtomicBool,
    progress: &'a dyn Progress,
    stop: &'a AtomicBool,
}

impl Shared<'_> {
    fn ends(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.failed.load(Ordering::Relaxed)
    }

    fn work(&self) {
        let mut out = Vec::with_capacity(BLOCK + (BLOCK >> 2));
        while !self.ends() {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = self.jobs.get(number) else { return };
            let written = self.file(job, &mut out).map_err(failed(&job.path));
            if written.is_err() {
                self.failed.store(true, Ordering::Relaxed);
            }
            if let Ok(mut done) = self.done.lock() {
                done.push((number, written));
            }
        }
    }

    fn file(&self, job: &Job, out: &mut Vec<u8>) -> io::Result<Written> {
        let stream = &self.streams[job.stream];
        let mut target = Target::new(File::create(&job.path)?, self.compression)?;
        let (mut counts, mut bytes) = (Counts::default(), 0);
        let mut cursor = stream.cursor(job.records.start);
        let end = job.records.end + u64::from(job.last);
        out.clear();
        for number in job.records.start..end {
            stream.write(number, &mut cursor, &mut counts, out);
            if out.len() >= BLOCK || number + 1 == end {
                target.write_all(out)?;
                bytes += out.len() as u64;
                let before = self.bytes.fetch_add(out.len() as u64, Ordering::Relaxed);
                self.progress.position(before + out.len() as u64);
                out.clear();
                if self.ends() {
                    break;
                }
            }
        }
        Ok(Written {
            counts,
            bytes,
            file_bytes: target.finish()?.metadata()?.len(),
        })
    }
}

/// A file, compressed or not.
enum Target {
    Plain(File),
    Gzip(Box<flate2::write::GzEncoder<File>>),
    Zstd(Box<zstd::Encoder<'static, File>>),
}

impl Target {
    fn new(file: File, compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Self::Plain(file),
            Compression::Gzip => {
                let level = flate2::Compression::fast();
                Self::Gzip(Box::new(flate2::write::GzEncoder::new(file, level)))
            }
            Compression::Zstd => Self::Zstd(Box::new(zstd::Encoder::new(file, 1)?)),
        })
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.write_all(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes),
            Self::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    fn finish(self) -> io::Result<File> {
        match self {
            Self::Plain(file) => Ok(file),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

/// Writes what was generated, beside the logs.
pub(super) fn write_summary(summary: &Summary, folder: &Path) -> Result<()> {
    let path = folder.join(SUMMARY);
    let text = serde_json::to_string_pretty(summary).map_err(|error| Error::Internal(error.to_string()))?;
    fs::write(&path, text + "\n").map_err(failed(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_others_are_not_ours() {
        for name in ["audit-00001.jsonl", "signins-123456.jsonl.gz", "risk-00002.jsonl.zst"] {
            assert!(is_ours(name), "{name}");
        }
        for name in [
            "audit-1.jsonl",
            "audit-00001.json",
            "mine-00001.jsonl",
            "audit.jsonl",
            "audit-0000é.jsonl",
        ] {
            assert!(!is_ours(name), "{name}");
        }
    }
}
