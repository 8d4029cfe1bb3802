//! The files that events came from, read once more: is the record still where it was?
//!
//! The position of a record counts bytes of what the framing sees: of the file, or of the member
//! of an archive, once it is decompressed and, from UTF-16, turned into UTF-8. It is that of the
//! first byte of a JSON record, of a row of delimited text, or of a row of a query's result
//! (`[…]`). Where a record carries another one (`AuditData`), both have its position.
//!
//! What lies there is not only compared but recognised and mapped again, by the code of an
//! ingest: the stored text need not be that of the file, as a row of CSV is stored as JSON.

use super::archive::{self, MEMBER, Visitor};
use super::framing::{self, Chunk, Shape, rows};
use super::parse::{self, encoded_again};
use super::source_file::{Found, SourceFile};
use super::{Place, Stop, discover, tables};
use crate::schema::RAW;
use crate::sources;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::runtime::Handle;

/// A record as a lake has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Path of the member within the file; empty where the file is no archive.
    pub member: String,
    /// Where the record begins.
    pub position: u64,
    /// The text that is stored of it.
    pub raw: Arc<str>,
}

/// What a file is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reread {
    /// Lower-case hexadecimal SHA-256.
    pub sha256: String,
    /// For each record that was wanted, in their order: its bytes in the file, if it is still
    /// there.
    pub records: Vec<Option<Vec<u8>>>,
    /// What kept the file from being read to its end.
    pub problem: Option<String>,
}

/// A file that events came from, and that is still where it was.
#[derive(Debug, Clone)]
pub struct Original {
    found: Found,
    runtime: Handle,
}

/// Such a file, whose hash is known.
#[derive(Debug)]
pub struct Opened {
    source: SourceFile,
    sha256: Arc<str>,
}

/// The files and members that a `source_file` may stand for, the likeliest first. A folder may
/// be named like an archive.
pub fn places(source_file: &str) -> Vec<(String, String)> {
    let whole = (source_file.to_owned(), String::new());
    let members = source_file.match_indices(MEMBER).map(|(at, between)| {
        let (file, member) = (&source_file[..at], &source_file[at + between.len()..]);
        (file.to_owned(), member.to_owned())
    });
    std::iter::once(whole).chain(members).collect()
}

/// The member of a file that a `source_file` stands for; none where it stands for another file.
pub fn member_within<'a>(source_file: &'a str, file: &str) -> Option<&'a str> {
    match source_file.strip_prefix(file)? {
        "" => Some(""),
        rest => rest.strip_prefix(MEMBER),
    }
}

impl Original {
    /// The file of this path or URL, or why it cannot be read.
    pub async fn at(name: &str) -> Result<Self, String> {
        Ok(Self {
            found: discover::exact(name).await?,
            runtime: Handle::current(),
        })
    }

    /// Reads and hashes the file, or says why it cannot be read. To be called where blocking is
    /// allowed.
    pub fn open(&self) -> Result<Opened, String> {
        let source = SourceFile::open(&self.found, &Stop::default(), &self.runtime);
        let mut source = source.map_err(|error| in_words(&error))?;
        let hashed = source.hash.wait(&self.runtime).map_err(|error| error.to_string())?;
        match hashed.problem {
            None => Ok(Opened {
                source,
                sha256: hashed.sha256,
            }),
            Some(problem) => Err(in_words(&problem)),
        }
    }
}

impl Opened {
    /// Its lower-case hexadecimal SHA-256.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Looks for records in it.
    pub fn reread(&self, wanted: &[Wanted], stop: &Stop) -> Result<Reread, String> {
        let mut search = Search {
            wanted,
            stop,
            records: vec![None; wanted.len()],
            problem: None,
        };
        let input = self.source.input().map_err(|error| in_words(&error))?;
        archive::visit(input, archive::Limits::new(self.source.size, stop), &mut search);
        let changed = self.source.unchanged();
        Ok(Reread {
            sha256: self.sha256.to_string(),
            records: search.records,
            problem: search.problem.or_else(|| changed.err().map(|error| in_words(&error))),
        })
    }

    /// Its bytes. A large file is read for a second time: whoever relies on its hash has to look
    /// at that of these.
    pub fn content(&self) -> io::Result<impl Read> {
        self.source.input()
    }
}

/// Without the system's number for what it also says in words.
fn in_words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error ").next().unwrap_or(&text).to_owned()
}

struct Search<'a> {
    wanted: &'a [Wanted],
    stop: &'a Stop,
    records: Vec<Option<Vec<u8>>>,
    problem: Option<String>,
}

impl Search<'_> {
    /// What is still to be found in a member.
    fn open(&self, member: &str) -> impl Iterator<Item = (usize, &Wanted)> {
        let wanted = self.wanted.iter().enumerate();
        wanted.filter(move |(index, wanted)| wanted.member == member && self.records[*index].is_none())
    }

    fn take(&mut self, member: &str, chunk: &Chunk, positions: &BTreeSet<u64>) {
        records_at(chunk, positions, &mut |here| {
            let same = self.open(member).filter(|(_, wanted)| {
                wanted.position == here.position && here.texts.iter().any(|text| text.as_str() == &*wanted.raw)
            });
            for index in same.map(|(index, _)| index).collect::<Vec<_>>() {
                self.records[index] = Some(here.record.to_vec());
            }
        });
    }
}

impl Visitor for Search<'_> {
    fn content(&mut self, member: &str, content: &mut dyn Read) -> bool {
        let positions: BTreeSet<u64> = self.open(member).map(|(_, wanted)| wanted.position).collect();
        let Some(last) = positions.last().copied() else {
            return self.records.iter().any(Option::is_none);
        };
        let framed = framing::frame(content, &mut |chunk| {
            let end = chunk.offset + chunk.bytes.len() as u64;
            if positions.range(chunk.offset..end).next().is_some() {
                self.take(member, &chunk, &positions);
            }
            end <= last && !self.stop.load(Ordering::Relaxed)
        });
        if let Err((_, error)) = framed {
            self.problem.get_or_insert(in_words(&error));
        }
        self.records.iter().any(Option::is_none)
    }

    fn damaged(&mut self, member: &str, error: io::Error) {
        if member.is_empty() || self.open(member).next().is_some() {
            self.problem.get_or_insert(in_words(&error));
        }
    }
}

/// A record at a position that was asked for.
struct Here<'a> {
    position: u64,
    /// Its bytes in the file.
    record: &'a [u8],
    /// What an ingest stores of it.
    texts: Vec<String>,
}

/// Shows the records of a chunk that begin at some of these positions.
fn records_at(chunk: &Chunk, positions: &BTreeSet<u64>, show: &mut dyn FnMut(Here<'_>)) {
    // It was rejected.
    if chunk.too_long.is_some() {
        return;
    }
    match &chunk.shape {
        Shape::Json(spans) => {
            for &(from, to) in spans {
                let record = &chunk.bytes[from as usize..to as usize];
                let (start, end) = (chunk.offset + u64::from(from), chunk.offset + u64::from(to));
                if positions.contains(&start) {
                    let texts = texts(record, start, json(record));
                    show(Here {
                        position: start,
                        record,
                        texts,
                    });
                }
                if positions.range(start + 1..end).next().is_some() {
                    rows_of_result(record, start, positions, show);
                }
            }
        }
        Shape::Csv(header, _) => {
            for (at, row, _) in rows(&chunk.bytes, header) {
                let position = chunk.offset + at as u64;
                if positions.contains(&position) {
                    let texts = texts(row, position, Shape::Csv(Arc::clone(header), 1));
                    show(Here {
                        position,
                        record: row,
                        texts,
                    });
                }
            }
        }
    }
}

/// As [`records_at`], of a record that is the result of a query.
fn rows_of_result(record: &[u8], start: u64, positions: &BTreeSet<u64>, show: &mut dyn FnMut(Here<'_>)) {
    let Ok(text) = std::str::from_utf8(record) else { return };
    let mut text = Cow::Borrowed(text);
    loop {
        let Ok(parsed) = sources::parse(&text) else { return };
        match encoded_again(parsed.root()).map(str::to_owned) {
            Some(inner) => text = Cow::Owned(inner),
            None if tables::is_result(parsed.root()) => break,
            None => return,
        }
    }
    tables::each_row(&text, &mut |row| {
        let position = start + row.at as u64;
        if let (true, Ok(object)) = (positions.contains(&position), &row.object) {
            let object = object.as_bytes();
            show(Here {
                position,
                record: row.original.as_bytes(),
                texts: texts(object, position, json(object)),
            });
        }
    });
}

fn json(record: &[u8]) -> Shape {
    Shape::Json(vec![(0, record.len() as u32)])
}

/// What an ingest stores of a record: its text, and that of the record that it carries.
fn texts(record: &[u8], position: u64, shape: Shape) -> Vec<String> {
    let chunk = Chunk {
        bytes: record.to_vec(),
        offset: position,
        shape,
        too_long: None,
    };
    let parsed = parse::parse(chunk, Place::default(), true);
    let mut texts = Vec::new();
    for batch in &parsed.batches {
        let rows = (0..).zip(&batch.meta).filter(|(_, meta)| meta.position == position);
        let stored = rows.filter_map(|(row, _)| batch.text(row, RAW));
        texts.extend(stored.map(str::to_owned));
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{"CreationTime":"2026-03-01T08:00:00","Id":"e","Operation":"New-InboxRule","RecordType":1,"OrganizationId":"o","UserType":2,"UserKey":"k","UserId":"a@b.example","Workload":"Exchange"}"#;

    async fn reread(content: &[u8], wanted: &[(u64, &str)]) -> Vec<Option<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a!").join("x.log");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        let original = Original::at(path.to_str().unwrap()).await.unwrap();
        let wanted: Vec<Wanted> = wanted
            .iter()
            .map(|(position, raw)| Wanted {
                member: String::new(),
                position: *position,
                raw: Arc::from(*raw),
            })
            .collect();
        let read = tokio::task::spawn_blocking(move || original.open()?.reread(&wanted, &Stop::default()));
        let read = read.await.unwrap().unwrap();
        assert_eq!(read.problem, None);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        read.records.into_iter().map(|record| record.map(text)).collect()
    }

    #[tokio::test]
    async fn a_record_is_where_it_was_or_is_not() {
        let file = format!("[{RECORD},\n{RECORD}]");
        let second = RECORD.len() as u64 + 3;
        let some = Some(RECORD.to_owned());
        let wanted = [
            (1, RECORD),
            (second, RECORD),
            (2, RECORD),
            (second + 900, RECORD),
            (1, "{}"),
        ];
        let found = reread(file.as_bytes(), &wanted).await;
        assert_eq!(found, [some.clone(), some, None, None, None]);
    }

    #[tokio::test]
    async fn rows_of_results_and_records_in_records() {
        let columns = r#"[{"name":"TimeGenerated"},{"name":"Id"},{"name":"OperationName"},{"name":"Category"},{"name":"Type"},{"name":"TenantId"},{"name":"AADTenantId"},{"name":"CorrelationId"},{"name":"UserPrincipalName"},{"name":"ResultType"},{"name":"IPAddress"},{"name":"UserId"},{"name":"AppDisplayName"}]"#;
        let row = r#"["2026-03-01T08:00:00Z","i","Sign-in activity","SignInLogs","SigninLogs","t","t","c","a@b.example","0","198.51.100.7","u","Outlook"]"#;
        let file = format!(r#"{{"tables":[{{"name":"PrimaryResult","columns":{columns},"rows":[{row}]}}]}}"#);
        let position = file.find(row).unwrap() as u64;
        let mut stored = Vec::new();
        rows_of_result(file.as_bytes(), 0, &BTreeSet::from([position]), &mut |here| {
            stored = here.texts
        });
        assert_eq!(stored.len(), 1, "the row is an event");
        assert_eq!(
            reread(file.as_bytes(), &[(position, &stored[0])]).await,
            [Some(row.to_owned())]
        );
        let encoded = serde_json::to_string(&file).unwrap();
        assert_eq!(
            reread(encoded.as_bytes(), &[(position, &stored[0])]).await,
            [Some(row.to_owned())]
        );
        let once_more = serde_json::to_string(RECORD).unwrap();
        assert_eq!(
            reread(once_more.as_bytes(), &[(0, RECORD)]).await,
            [Some(once_more.clone())]
        );
    }

    #[test]
    fn members_of_files() {
        assert_eq!(member_within("/a/x.zip!/b/c.json", "/a/x.zip"), Some("b/c.json"));
        assert_eq!(member_within("/a/x.json", "/a/x.json"), Some(""));
        assert_eq!(member_within("/a/x.json", "/a/x"), None);
        let pair = |file: &str, member: &str| (file.to_owned(), member.to_owned());
        assert_eq!(
            places("/a!/x.zip!/b"),
            [pair("/a!/x.zip!/b", ""), pair("/a", "x.zip!/b"), pair("/a!/x.zip", "b")]
        );
    }
}
