//! Printing: data to stdout, everything else to stderr, progress only to a terminal.

use crate::engine::Resolution;
use crate::error::{Error, Result, answer};
use crate::ingest::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

/// Writes text to stdout.
pub(crate) fn data(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(Error::Output)
}

/// Writes a line for the person at the terminal.
pub(crate) fn note(text: impl std::fmt::Display) {
    // There is nobody to tell when stderr is closed.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// An error with what caused it, each cause once.
pub(crate) fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = answer(&cause);
        // The system's number for what it also says in words.
        let cause_text = cause_text.split(" (os error ").next().unwrap_or_default();
        if !text.contains(cause_text) {
            text.push_str(": ");
            text.push_str(cause_text);
        }
        source = cause.source();
    }
    // Some libraries put a backtrace into their messages, which helps nobody here.
    if let Some(backtrace) = text.find("\n   0: ") {
        text.truncate(backtrace);
    }
    // The Delta library's name for a part of itself.
    text.replace("Kernel error: ", "")
}

/// A path as a shell takes it for one argument.
pub(crate) fn as_argument(path: &str) -> String {
    if path.contains(|c: char| c.is_whitespace() || "\"'$`&;|<>()*?[]#~!\\".contains(c)) {
        format!("'{}'", path.replace('\'', "'\\''"))
    } else {
        path.to_owned()
    }
}

/// Text in lines of at most 80 characters, each after the indent.
pub(crate) fn wrapped(text: &str, indent: &str) -> String {
    wrapped_to(text, indent, indent, 80)
}

/// Text in lines of at most so many characters where words allow it; the first line of each
/// paragraph after one indent, the others after another.
pub(crate) fn wrapped_to(text: &str, first: &str, others: &str, columns: usize) -> String {
    let mut lines = String::new();
    for paragraph in text.lines() {
        let mut indent = first;
        let mut line = indent.to_owned();
        for word in paragraph.split_whitespace() {
            if line.len() > indent.len() && line.chars().count() + 1 + word.chars().count() > columns {
                lines.push_str(line.trim_end());
                lines.push('\n');
                indent = others;
                line = indent.to_owned();
            }
            if line.len() > indent.len() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
    lines
}

/// True where the output was closed by whoever read it, however deep that is wrapped.
pub(crate) fn is_closed_pipe(error: &Error) -> bool {
    let Error::Output(error) = error else { return false };
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe) {
            return true;
        }
        // The source of an `io::Error` that wraps another error is that error's source.
        cause = match io.and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    false
}

/// A progress bar over bytes; silent where stderr is no terminal.
pub(crate) struct BytesBar(ProgressBar);

impl BytesBar {
    pub(crate) fn new(message: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), target()).with_message(message);
        let template = "{msg} {bar:30} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for BytesBar {
    fn total(&self, bytes: u64) {
        self.0.set_length(bytes);
    }

    fn position(&self, bytes: u64) {
        self.0.set_position(bytes);
    }
}

/// Columns of the terminal that stdout is; none where it is no terminal.
pub(crate) fn terminal_width() -> Option<u16> {
    let term = console::Term::stdout();
    term.is_term().then(|| term.size().1)
}

/// Up to three names that look like the wanted one, best first.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut scored: Vec<(f64, &str)> = names
        .map(|name| (strsim::jaro_winkler(&wanted.to_lowercase(), &name.to_lowercase()), name))
        .collect();
    scored.retain(|(score, _)| *score > 0.75);
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

/// What somebody should know about the names in a query: fields that are read from the
/// record's text, and those that look like a misspelling of one with a column.
pub(crate) fn resolution_notes(resolution: &Resolution) -> Vec<String> {
    let mut notes = Vec::new();
    if !resolution.raw_fields.is_empty() {
        let fields = resolution.raw_fields.join(", ");
        notes.push(format!(
            "read from the record's text, which is slower than a column: {fields}"
        ));
    }
    for (name, nearest) in &resolution.doubtful {
        notes.push(format!(
            "no field is known as {name}; did you mean {}?",
            nearest.join(", ")
        ));
    }
    notes
}

/// A spinner for work of unknown length; silent where stderr is no terminal.
pub(crate) fn spinner(message: impl Into<String>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, target()).with_message(message.into());
    bar.set_style(ProgressStyle::default_spinner());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// A bar over parts of work, with what is done at the time; silent where stderr is no terminal.
pub(crate) fn part_bar(parts: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(parts), target());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent}%, {elapsed}, {wide_msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

fn target() -> ProgressDrawTarget {
    if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    }
}
