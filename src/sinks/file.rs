//! `kind = "file"`: JSONL at the end of a file.

use super::within::Worker;
use super::{Outcome, Sink, json_lines, wrong_setting};
use crate::alerts::Revision;
use crate::error::Result;
use async_trait::async_trait;
use serde::Deserialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Settings of `kind = "file"`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSettings {
    /// The file; made, for its owner alone, where it is absent. Its folder must exist.
    pub path: PathBuf,
}

/// Appends JSONL to a file, which is opened anew for each batch, so that it may be renamed or
/// removed in between.
#[derive(Debug)]
pub struct FileSink {
    name: String,
    path: PathBuf,
    timeout: Duration,
    worker: Worker,
}

impl FileSink {
    /// A sink with a name. Looks at no file yet.
    pub fn new(name: &str, settings: &FileSettings, timeout: Duration) -> Result<Self> {
        if settings.path.as_os_str().is_empty() {
            return Err(wrong_setting(name, "path", "is empty; give a file"));
        }
        Ok(Self {
            name: name.to_owned(),
            path: settings.path.clone(),
            timeout,
            worker: Worker::default(),
        })
    }
}

#[async_trait]
impl Sink for FileSink {
    fn name(&self) -> &str {
        &self.name
    }

    async fn send(&self, revisions: &[&Revision]) -> Outcome {
        let written = async {
            let lines = json_lines(revisions)?;
            let path = self.path.clone();
            let write = move || append(&path, lines);
            self.worker.run(self.timeout, write).await
        };
        let written = written
            .await
            .map_err(|problem| format!("{}: {problem}", self.path.display()));
        Outcome::together(revisions.len(), written)
    }
}

/// Puts whole lines at the end of a file, on the disk when it returns.
fn append(path: &Path, mut lines: String) -> io::Result<()> {
    let (mut file, made) = open(path)?;
    // A line that a full disk or a crash has cut would swallow the next one.
    if !made && ends_within_a_line(&mut file)? {
        lines.insert(0, '\n');
    }
    file.write_all(lines.as_bytes())?;
    file.sync_all()?;
    match path.parent() {
        // The name of a new file is lost with its folder otherwise.
        Some(folder) if made && cfg!(unix) => {
            let folder = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            File::open(folder)?.sync_all()
        }
        _ => Ok(()),
    }
}

/// The file, and whether it was made.
fn open(path: &Path) -> io::Result<(File, bool)> {
    let mut options = OpenOptions::new();
    options.append(true).read(true);
    match std::fs::metadata(path) {
        // Opening a pipe waits for a reader.
        Ok(found) if !found.is_file() => Err(io::Error::other("is no regular file")),
        Ok(_) => Ok((options.open(path)?, false)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            Ok((options.create(true).open(path)?, true))
        }
        Err(error) => Err(error),
    }
}

fn ends_within_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::super::conformance::{quick, revision};
    use super::*;

    fn sink(path: &Path) -> FileSink {
        let settings = FileSettings { path: path.to_owned() };
        FileSink::new("file", &settings, quick().timeout).unwrap()
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.jsonl");
        assert_eq!(sink(&path).send(&[&revision(1)]).await, Outcome::sent(1));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[tokio::test]
    async fn goes_on_in_a_new_file_after_a_rotation() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.jsonl");
        let sink = sink(&path);
        assert_eq!(sink.send(&[&revision(1)]).await, Outcome::sent(1));
        std::fs::rename(&path, folder.path().join("alerts.jsonl.1")).unwrap();
        assert_eq!(sink.send(&[&revision(2)]).await, Outcome::sent(1));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(&revision(2).alert.alert_id) && text.lines().count() == 1);
    }

    #[tokio::test]
    async fn a_cut_line_costs_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.jsonl");
        std::fs::write(&path, "{\"alert_id\":\"cut").unwrap();
        assert_eq!(sink(&path).send(&[&revision(1)]).await, Outcome::sent(1));
        let text = std::fs::read_to_string(&path).unwrap();
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(last["alert_id"], revision(1).alert.alert_id);
        assert_eq!(text.lines().count(), 2);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_pipe_that_nobody_reads_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let outcome = sink(&path).send(&[&revision(1)]).await;
        let problem = outcome.unavailable.unwrap().problem;
        assert!(problem.ends_with("pipe: is no regular file"), "{problem}");
    }
}
