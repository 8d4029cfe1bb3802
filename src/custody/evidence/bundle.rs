//! Evidence as one file to hand over.

use super::{EventEvidence, Evidence, StoredEvent, Verification};
use crate::config::format_instant;
use crate::error::{Error, Result};
use crate::ingest::{Original, Stop};
use chrono::Utc;
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Seek as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// What to write, and where.
#[derive(Debug, Clone)]
pub struct BundleRequest {
    /// The file to make.
    pub path: PathBuf,
    /// Replace what is there.
    pub replace: bool,
    /// Copy the whole files that events came from.
    pub with_sources: bool,
}

/// A bundle that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundled {
    /// Its SHA-256, lower-case hexadecimal.
    pub sha256: String,
    /// Its bytes.
    pub size: u64,
    /// Files that were to be in it and are not: why.
    pub left_out: Vec<String>,
}

/// Longest part of a name that is taken over from elsewhere.
const NAME_BYTES: usize = 100;

#[derive(Serialize)]
struct Manifest<'a> {
    tool: &'static str,
    version: &'static str,
    made: &'a str,
    lake: &'a str,
    asked: &'a [String],
    alerts: Vec<ListedAlert<'a>>,
    events: Vec<ListedEvent<'a>>,
    sources_left_out: &'a [String],
    /// SHA-256 of every other member, by its path.
    sha256: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct ListedAlert<'a> {
    #[serde(flatten)]
    alert: &'a super::FoundAlert,
    alert_file: &'a str,
}

#[derive(Serialize)]
struct ListedEvent<'a> {
    #[serde(flatten)]
    event: &'a StoredEvent,
    ledger: &'a Option<Map<String, Value>>,
    verification: &'a Verification,
    record_file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_copy: Option<&'a str>,
}

/// Writes a bundle, all of it or nothing: README.txt, alerts, records, originals, sources if they
/// are asked for, their hashes, and the manifest, in this order.
pub async fn bundle(evidence: Arc<Evidence>, request: BundleRequest, stop: Stop) -> Result<Bundled> {
    let mut sources = Sources::default();
    if request.with_sources {
        for (sha256, file) in files_of(&evidence) {
            match Original::at(&file).await {
                Ok(original) => sources.there.push((sha256, file, original)),
                Err(problem) => sources.left_out.push(format!("{file}: {problem}")),
            }
        }
    }
    let made = format_instant(Utc::now().timestamp_micros());
    let written = tokio::task::spawn_blocking(move || write_file(&evidence, sources, &made, &request, &stop));
    written
        .await
        .map_err(|error| Error::Internal(format!("writing the bundle ended: {error}")))?
}

/// The files that events came from, with the hash they had, each once.
fn files_of(evidence: &Evidence) -> BTreeSet<(String, String)> {
    let files = evidence.events.iter();
    files
        .map(|event| (event.event.source_sha256.clone(), event.file.clone()))
        .collect()
}

fn write_file(
    evidence: &Evidence,
    sources: Sources,
    made: &str,
    request: &BundleRequest,
    stop: &Stop,
) -> Result<Bundled> {
    let path = &request.path;
    let failed = |source: io::Error| Error::File {
        path: path.clone(),
        source,
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Gone if anything fails; readable by nobody else.
    let mut file = NamedTempFile::new_in(folder).map_err(failed)?;
    let left_out = write(evidence, sources, made, file.as_file_mut(), stop).map_err(|error| match error {
        Error::Output(source) => failed(source),
        other => other,
    })?;
    let (sha256, size) = hashed(file.as_file_mut()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    let kept = match request.replace {
        true => file.persist(path),
        false => file.persist_noclobber(path),
    };
    kept.map_err(|error| failed(error.error))?;
    Ok(Bundled { sha256, size, left_out })
}

/// Files to copy.
#[derive(Default)]
struct Sources {
    /// Hash that it had, name, and where it is.
    there: Vec<(String, String, Original)>,
    left_out: Vec<String>,
}

fn hashed(file: &mut File) -> io::Result<(String, u64)> {
    file.rewind()?;
    let (mut hasher, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 20]);
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((hex(hasher), size));
        }
        hasher.update(&buffer[..count]);
        size += count as u64;
    }
}

fn write(evidence: &Evidence, sources: Sources, made: &str, file: &mut File, stop: &Stop) -> Result<Vec<String>> {
    let mut members = Members {
        zip: ZipWriter::new(file),
        hashes: BTreeMap::new(),
        sums: String::new(),
    };
    members.add("README.txt", super::readme::readme(evidence, made).as_bytes())?;
    let mut alert_files = Vec::new();
    for (index, alert) in evidence.alerts.iter().enumerate() {
        let id = file_name(&alert.alert_id);
        let earlier = &evidence.alerts[..index];
        let name = match earlier.iter().any(|earlier| file_name(&earlier.alert_id) == id) {
            false => format!("alerts/{id}.json"),
            true => format!("alerts/{id}-{}.json", index + 1),
        };
        members.add(&name, alert.text.as_bytes())?;
        alert_files.push(name);
    }
    let stem = |index: usize, event: &EventEvidence| format!("{}-{}", index + 1, file_name(&event.event.event_key));
    let mut record_files = Vec::new();
    for (index, event) in evidence.events.iter().enumerate() {
        record_files.push(format!("records/{}.json", stem(index, event)));
        members.add(&record_files[index], event.raw.as_bytes())?;
    }
    let mut original_files = Vec::new();
    for (index, event) in evidence.events.iter().enumerate() {
        let name = event
            .original
            .as_ref()
            .map(|_| format!("originals/{}.bin", stem(index, event)));
        if let (Some(name), Some(original)) = (&name, &event.original) {
            members.add(name, original)?;
        }
        original_files.push(name);
    }
    let (copies, left_out) = copy_sources(sources, &mut members, stop)?;
    let sums = std::mem::take(&mut members.sums);
    members.add("SHA256SUMS", sums.as_bytes())?;
    let events = evidence.events.iter().enumerate().map(|(index, event)| ListedEvent {
        event: &event.event,
        ledger: &event.ledger,
        verification: &event.verification,
        record_file: &record_files[index],
        original_file: original_files[index].as_deref(),
        source_copy: copies.get(&event.event.source_sha256).map(String::as_str),
    });
    let alerts = evidence.alerts.iter().zip(&alert_files);
    let manifest = Manifest {
        tool: "retrohunt",
        version: env!("CARGO_PKG_VERSION"),
        made,
        lake: &evidence.lake,
        asked: &evidence.asked,
        alerts: alerts
            .map(|(alert, alert_file)| ListedAlert { alert, alert_file })
            .collect(),
        events: events.collect(),
        sources_left_out: &left_out,
        sha256: &members.hashes,
    };
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| Error::Internal(error.to_string()))? + "\n";
    members.add("manifest.json", text.as_bytes())?;
    members.zip.finish().map_err(of_zip)?;
    Ok(left_out)
}

/// Copies files: where each went, by its hash, and why some did not.
fn copy_sources(
    sources: Sources,
    members: &mut Members<'_>,
    stop: &Stop,
) -> Result<(BTreeMap<String, String>, Vec<String>)> {
    let (mut copies, mut left_out) = (BTreeMap::new(), sources.left_out);
    for (sha256, name, original) in sources.there {
        // The same content under two names is one source.
        if copies.contains_key(&sha256) {
            continue;
        }
        let opened = match original.open() {
            Ok(opened) if opened.sha256() == sha256 => opened,
            Ok(_) => {
                left_out.push(format!("{name}: its SHA-256 is not {sha256} any more"));
                continue;
            }
            Err(problem) => {
                left_out.push(format!("{name}: {problem}"));
                continue;
            }
        };
        let failed = |error: io::Error| Error::store(format!("cannot copy {name}"), error);
        let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let member = format!("sources/{}/{}", file_name(&sha256), file_name(base));
        let mut content = opened.content().map_err(failed)?;
        let mut buffer = vec![0; 1 << 20];
        let copied = members.add_from(&member, |out| {
            loop {
                if stop.load(Ordering::Relaxed) {
                    return Err(Error::Interrupted);
                }
                match content.read(&mut buffer).map_err(failed)? {
                    0 => return Ok(()),
                    count => out.write_all(&buffer[..count]).map_err(Error::Output)?,
                }
            }
        })?;
        if copied != sha256 {
            return Err(failed(io::Error::other("it changed while it was copied; try again")));
        }
        copies.insert(sha256, member);
    }
    Ok((copies, left_out))
}

/// A bundle that is being written.
struct Members<'a> {
    zip: ZipWriter<&'a mut File>,
    hashes: BTreeMap<String, String>,
    /// The hashes as `sha256sum` writes them, in the order of the members.
    sums: String,
}

impl Members<'_> {
    fn add(&mut self, name: &str, content: &[u8]) -> Result<()> {
        self.add_from(name, |out| out.write_all(content).map_err(Error::Output))
            .map(drop)
    }

    /// Adds what is written; returns its hash.
    fn add_from(&mut self, name: &str, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<String> {
        // Always the same time: what was written when is in the manifest.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .large_file(name.starts_with("sources/"));
        self.zip.start_file(name, options).map_err(of_zip)?;
        let mut out = Hashed {
            out: &mut self.zip,
            hasher: Sha256::new(),
        };
        write(&mut out)?;
        let hash = hex(out.hasher);
        let _ = writeln!(self.sums, "{hash}  {name}");
        self.hashes.insert(name.to_owned(), hash.clone());
        Ok(hash)
    }
}

struct Hashed<'a, W> {
    out: &'a mut W,
    hasher: Sha256,
}

impl<W: Write> Write for Hashed<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn hex(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn of_zip(error: zip::result::ZipError) -> Error {
    Error::Output(error.into())
}

/// A name that is one part of a path everywhere, whatever it was.
fn file_name(name: &str) -> String {
    let safe = |c: char| match c {
        c if c.is_ascii_alphanumeric() => c,
        '-' | '_' | '.' | ' ' => c,
        _ => '_',
    };
    let name: String = name.chars().map(safe).take(NAME_BYTES).collect();
    let name = name.trim_matches(['.', ' ']);
    if name.is_empty() {
        "_".to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn names_are_one_part_of_a_path() {
        assert_eq!(file_name("AuditLog 2026.csv"), "AuditLog 2026.csv");
        for (name, safe) in [
            ("../../etc/passwd", "_.._etc_passwd"),
            ("..", "_"),
            ("", "_"),
            ("a\nb\\c:d", "a_b_c_d"),
            ("é\u{202e}", "__"),
        ] {
            assert_eq!(file_name(name), safe);
        }
        assert_eq!(file_name(&"x".repeat(1000)).len(), 100);
    }
}
