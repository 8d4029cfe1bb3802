//! `kind = "stdout"`: JSONL to whoever reads this program's output.

use super::within::Worker;
use super::{Outcome, Sink, json_lines};
use crate::alerts::Revision;
use async_trait::async_trait;
use serde::Deserialize;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Where lines for the standard output go. Only the command line knows the terminal, so it gives
/// this to whom it starts.
pub type Output = Arc<Mutex<dyn Write + Send>>;

/// Settings of `kind = "stdout"`: there are none of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StdoutSettings {}

/// Writes JSONL to an output.
pub struct StdoutSink {
    name: String,
    output: Output,
    timeout: Duration,
    /// Whether a failure has left half a line behind.
    cut: Arc<AtomicBool>,
    worker: Worker,
}

impl std::fmt::Debug for StdoutSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StdoutSink")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl StdoutSink {
    /// A sink with a name that writes to an output.
    pub fn new(name: &str, output: Output, timeout: Duration) -> Self {
        Self {
            name: name.to_owned(),
            output,
            timeout,
            cut: Arc::default(),
            worker: Worker::default(),
        }
    }
}

#[async_trait]
impl Sink for StdoutSink {
    fn name(&self) -> &str {
        &self.name
    }

    async fn send(&self, revisions: &[&Revision]) -> Outcome {
        let written = async {
            let lines = json_lines(revisions)?;
            let output = Arc::clone(&self.output);
            let cut = Arc::clone(&self.cut);
            let write = move || {
                let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
                if cut.load(Ordering::Relaxed) {
                    write_all(&mut *output, b"\n", &cut)?;
                }
                write_all(&mut *output, lines.as_bytes(), &cut)?;
                output.flush()
            };
            self.worker.run(self.timeout, write).await
        };
        let written = written.await.map_err(|problem| format!("standard output: {problem}"));
        Outcome::together(revisions.len(), written)
    }
}

/// Writes everything, and notes whether the last line is whole.
fn write_all(output: &mut (dyn Write + Send), mut bytes: &[u8], cut: &AtomicBool) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = match output.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => written.min(bytes.len()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let (done, rest) = bytes.split_at(written);
        cut.store(!done.ends_with(b"\n"), Ordering::Relaxed);
        bytes = rest;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::conformance::{quick, revision};
    use super::*;

    /// Takes some bytes, then fails once, then takes all.
    struct Narrow {
        room: Option<usize>,
        taken: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = match self.room.take() {
                Some(0) => return Err(io::ErrorKind::StorageFull.into()),
                Some(room) => {
                    self.room = Some(room.saturating_sub(bytes.len()));
                    room.min(bytes.len())
                }
                None => bytes.len(),
            };
            self.taken.lock().unwrap().extend(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_cut_line_costs_no_other() {
        let taken = Arc::new(Mutex::default());
        let narrow = Narrow {
            room: Some(10),
            taken: Arc::clone(&taken),
        };
        let sink = StdoutSink::new("out", Arc::new(Mutex::new(narrow)), quick().timeout);
        assert!(sink.send(&[&revision(1)]).await.unavailable.is_some());
        assert_eq!(sink.send(&[&revision(1)]).await, Outcome::sent(1));
        assert_eq!(sink.send(&[&revision(2)]).await, Outcome::sent(1));
        let text = String::from_utf8(taken.lock().unwrap().clone()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        let ids: Vec<_> = lines[1..]
            .iter()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["alert_id"].clone())
            .collect();
        assert_eq!(ids, [revision(1).alert.alert_id, revision(2).alert.alert_id]);
    }
}
