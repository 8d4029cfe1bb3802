//! From files to detections.

use super::header::{Fault, Header};
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

/// The built-in detections and those of a folder's `.sql` files, ordered by id.
///
/// Faults of all files are reported together; a detection with faults is an error, not
/// skipped: a hunt that leaves one out would look clean.
pub fn load(folder: Option<&Path>) -> Result<Vec<Detection>> {
    let mut files: Vec<(String, String)> = Vec::new();
    for file in BUILT_IN.files().filter(|file| is_sql(file.path())) {
        let origin = format!("sql/detections/{}", file.path().display());
        let text = file
            .contents_utf8()
            .ok_or_else(|| Error::Detection(format!("{origin}: not UTF-8 text")))?;
        files.push((origin, text.to_owned()));
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
            let text = std::fs::read_to_string(&path).map_err(|source| Error::File {
                path: path.clone(),
                source,
            })?;
            files.push((path.display().to_string(), text));
        }
    }
    let mut detections: BTreeMap<String, Detection> = BTreeMap::new();
    let mut faults: Vec<String> = Vec::new();
    for (origin, text) in files {
        let detection = match parse(&origin, &text) {
            Ok(detection) => detection,
            Err(error) => {
                faults.push(error.to_string());
                continue;
            }
        };
        if let Some(other) = detections.get(detection.id()) {
            faults.push(format!(
                "{}: the id {:?} is taken by {}; give one of them another id and file name",
                detection.origin,
                detection.id(),
                other.origin
            ));
            continue;
        }
        detections.insert(detection.id().to_owned(), detection);
    }
    if faults.is_empty() {
        Ok(detections.into_values().collect())
    } else {
        Err(Error::Detection(faults.join("\n")))
    }
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
    let fail = |line: usize, message: &str| Error::Detection(format!("{origin}:{line}: {message}"));
    let Some(opening) = text
        .find(OPENING)
        .filter(|at| text[..*at].trim_start_matches('\u{feff}').trim().is_empty())
    else {
        return Err(fail(1, "no header; a detection starts with /*--- , TOML, and ---*/"));
    };
    let header_start = opening + OPENING.len();
    let Some(length) = text[header_start..].find(CLOSING) else {
        return Err(fail(
            line_of(text, opening),
            "the header does not end; close it with ---*/",
        ));
    };
    let header_text = &text[header_start..header_start + length];
    let faults = |faults: Vec<Fault>| {
        let describe = |fault: &Fault| {
            let line = line_of(text, header_start + fault.at.start.min(length));
            format!("{origin}:{line}: {}", fault.message)
        };
        Error::Detection(faults.iter().map(describe).collect::<Vec<_>>().join("\n"))
    };
    let header = Header::parse(header_text).map_err(faults)?;
    let stem = Path::new(origin)
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
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
        Err(Error::Detection(errors.join("\n")))
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
