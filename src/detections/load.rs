//! From files to detections.

use super::header::{Fault as HeaderFault, Header};
use super::lint::{Level, lint};
use super::{Detection, NewTerms};
use crate::engine::names::parse_query;
use crate::error::{Error, Result};
use datafusion::sql::sqlparser::ast::Statement;
use include_dir::{Dir, include_dir};
use std::collections::BTreeMap;
use std::path::Path;

static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sql/detections");

const OPENING: &str = "/*---";
const CLOSING: &str = "---*/";

/// The detections that come with the program, ordered by id.
pub fn embedded() -> Result<Vec<Detection>> {
    load(None)
}

/// A file that gives no detection, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file: a path, or `sql/detections/<id>.sql` for a built-in one.
    pub origin: String,
    /// The id in its header, where that much can be read; else the file's stem.
    pub id: Option<String>,
    /// What is wrong: one or more lines, each with the place in the file.
    pub message: String,
}

impl Fault {
    /// Whether somebody who asks for this id means the faulty file.
    pub fn concerns(&self, id: &str) -> bool {
        self.id.as_deref() == Some(id) || stem(&self.origin).as_deref() == Some(id)
    }
}

/// The built-in detections and those of a folder's `.sql` files, ordered by id.
///
/// Faults of all files are one error; none is skipped: a hunt that leaves a detection out
/// would look clean.
pub fn load(folder: Option<&Path>) -> Result<Vec<Detection>> {
    let (detections, faults) = load_all(folder)?;
    no_fault(faults.iter())?;
    Ok(detections)
}

/// As [`load`], with the files that give no detection beside those that do. An error only
/// if the folder itself cannot be read.
pub fn load_all(folder: Option<&Path>) -> Result<(Vec<Detection>, Vec<Fault>)> {
    let mut detections: BTreeMap<String, Detection> = BTreeMap::new();
    let mut faults: Vec<Fault> = Vec::new();
    for (origin, text) in files(folder)? {
        let detection = text.map_err(|message| (None, message));
        let detection = match detection.and_then(|text| read(&origin, &text)) {
            Ok(detection) => detection,
            Err((id, message)) => {
                let id = id.or_else(|| stem(&origin));
                faults.push(Fault { origin, id, message });
                continue;
            }
        };
        if let Some(other) = detections.get(detection.id()) {
            let message = format!(
                "{}: the id {:?} is taken by {}; give one of them another id and file name",
                detection.origin,
                detection.id(),
                other.origin
            );
            let id = Some(detection.header.id);
            faults.push(Fault { origin, id, message });
            continue;
        }
        detections.insert(detection.id().to_owned(), detection);
    }
    Ok((detections.into_values().collect(), faults))
}

/// The origin of every file, and its text or why it has none.
fn files(folder: Option<&Path>) -> Result<Vec<(String, Result<String, String>)>> {
    let mut files = Vec::new();
    for file in BUILT_IN.files().filter(|file| is_sql(file.path())) {
        let origin = format!("sql/detections/{}", file.path().display());
        let text = file.contents_utf8().map(str::to_owned);
        let text = text.ok_or_else(|| format!("{origin}: not UTF-8 text"));
        files.push((origin, text));
    }
    if let Some(folder) = folder {
        let failed = |source| Error::File {
            path: folder.to_owned(),
            source,
        };
        let entries = std::fs::read_dir(folder).map_err(failed)?;
        let paths: std::io::Result<Vec<_>> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
        let mut paths = paths.map_err(failed)?;
        // The system's order differs between machines; faults are reported in this one.
        paths.sort();
        for path in paths.into_iter().filter(|path| is_sql(path)) {
            let origin = path.display().to_string();
            let text = std::fs::read_to_string(&path);
            files.push((origin, text.map_err(|source| Error::File { path, source }.to_string())));
        }
    }
    Ok(files)
}

/// As [`load_all`], of a folder that was typed: an error where it is none.
pub fn load_folder(folder: Option<&Path>) -> Result<(Vec<Detection>, Vec<Fault>)> {
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let problem = if folder.exists() {
            "is not a folder"
        } else {
            "is not there"
        };
        return Err(Error::Setting {
            setting: format!("--detections {}", folder.display()),
            problem: format!("{problem}; give the folder with your detections"),
        });
    }
    load_all(folder)
}

/// The detections that a hunt for these ids runs: those named, or, without any, all that
/// are enabled. An error if a fault hides one of them.
pub fn choose(detections: Vec<Detection>, faults: &[Fault], ids: &[String]) -> Result<Vec<Detection>> {
    let asked_for = |fault: &&Fault| ids.is_empty() || ids.iter().any(|id| fault.concerns(id));
    no_fault(faults.iter().filter(asked_for))?;
    select(detections, ids)
}

fn no_fault<'a>(faults: impl Iterator<Item = &'a Fault>) -> Result<()> {
    let messages: Vec<&str> = faults.map(|fault| fault.message.as_str()).collect();
    if messages.is_empty() {
        Ok(())
    } else {
        Err(Error::Detection(messages.join("\n")))
    }
}

fn stem(origin: &str) -> Option<String> {
    let stem = Path::new(origin).file_stem()?;
    Some(stem.to_string_lossy().into_owned())
}

fn is_sql(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "sql")
}

/// The detections of these ids, or, without any, all that are enabled.
pub fn select(detections: Vec<Detection>, ids: &[String]) -> Result<Vec<Detection>> {
    if ids.is_empty() {
        return Ok(detections
            .into_iter()
            .filter(|detection| detection.header.enabled)
            .collect());
    }
    for id in ids {
        if !detections.iter().any(|detection| detection.id() == id) {
            let mut nearest: Vec<(f64, &str)> = detections
                .iter()
                .map(|detection| (strsim::jaro_winkler(id, detection.id()), detection.id()))
                .filter(|(likeness, _)| *likeness > 0.7)
                .collect();
            nearest.sort_by(|a, b| b.0.total_cmp(&a.0));
            let nearest = nearest.into_iter().take(3).map(|(_, id)| id.to_owned()).collect();
            return Err(Error::Unknown {
                kind: "detection",
                name: id.clone(),
                nearest,
            });
        }
    }
    Ok(detections
        .into_iter()
        .filter(|detection| ids.iter().any(|id| id == detection.id()))
        .collect())
}

/// Reads one detection from the text of its file. Its faults and the errors of the linter
/// are one error, a line each, with the place in the file.
pub fn parse(origin: &str, text: &str) -> Result<Detection> {
    read(origin, text).map_err(|(_, message)| Error::Detection(message))
}

/// As [`parse`]; an error is the id, where the header can be read, and the message.
fn read(origin: &str, text: &str) -> Result<Detection, (Option<String>, String)> {
    let place = |line: usize, message: &str| format!("{origin}:{line}: {message}");
    let Some(opening) = text
        .find(OPENING)
        .filter(|at| text[..*at].trim_start_matches('\u{feff}').trim().is_empty())
    else {
        let message = "no header; a detection starts with /*--- , TOML, and ---*/";
        return Err((None, place(1, message)));
    };
    let header_start = opening + OPENING.len();
    let Some(length) = text[header_start..].find(CLOSING) else {
        let message = "the header does not end; close it with ---*/";
        return Err((None, place(line_of(text, opening), message)));
    };
    let header_text = &text[header_start..header_start + length];
    let faults = |faults: Vec<HeaderFault>| {
        let describe = |fault: &HeaderFault| {
            let line = line_of(text, header_start + fault.at.start.min(length));
            place(line, &fault.message)
        };
        (None, faults.iter().map(describe).collect::<Vec<_>>().join("\n"))
    };
    let header = Header::parse(header_text).map_err(faults)?;
    let fail = |line: usize, message: &str| (Some(header.id.clone()), place(line, message));
    let stem = stem(origin).unwrap_or_default();
    if stem != header.id {
        let message = format!(
            "the id is {:?}, but the file is {stem}.sql; make them the same",
            header.id
        );
        return Err(fail(line_of(text, opening), &message));
    }
    let sql_start = header_start + length + CLOSING.len();
    // Blank lines in place of the header, so that places in the SQL are lines of the file.
    let before = line_of(text, sql_start) - 1;
    let sql = format!("{}{}", "\n".repeat(before), text[sql_start..].trim_end());
    let statement = parse_query(&sql).map_err(|error| {
        let line = error.location().and_then(|(line, _)| usize::try_from(line).ok());
        fail(line.unwrap_or(line_of(text, sql_start)), &error.to_string())
    })?;
    if !matches!(statement, Statement::Query(_)) {
        return Err(fail(
            line_of(text, sql_start),
            "a detection is one SELECT (WITH is allowed), nothing else",
        ));
    }
    let detection = Detection {
        header,
        origin: origin.to_owned(),
        sql,
        statement,
    };
    let errors: Vec<String> = lint(&detection)
        .into_iter()
        .filter(|finding| finding.level == Level::Error)
        .map(|finding| finding.to_string())
        .collect();
    if errors.is_empty() {
        Ok(detection)
    } else {
        Err((Some(detection.header.id), errors.join("\n")))
    }
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count()
}

impl NewTerms {
    /// The fields as one text, for messages.
    pub fn describe(&self) -> String {
        self.fields.join(" + ")
    }
}
