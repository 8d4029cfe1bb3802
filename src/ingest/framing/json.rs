//! Records in JSON text: one per line, pretty-printed, concatenated, in arrays, or in
//! an array inside an object (`{"records":[…]}`), also nested, mixed and interrupted.

use super::container::{self, Member, Object};
use super::search::{Pending, Search, Searcher};
use super::window::Window;
use super::{Chunk, Limits, Shape};
use std::io::Read;

/// Arrays and containers that are told apart. What is nested deeper is broken.
const MAX_DEPTH: usize = 1024;

/// Bytes that carry nothing between records. Three of them are the byte order mark.
pub(super) fn is_filler(byte: u8) -> bool {
    byte == b',' || super::is_blank(byte)
}

/// What is open around the place between two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Around {
    /// An array: its elements are the records.
    Array,
    /// An object around an array of records, or several in each other. Directly in it,
    /// the array is behind.
    Container(u8),
}

/// A record that is too long, and does not stay in memory.
#[derive(Debug)]
struct Skip {
    offset: u64,
    kept: Vec<u8>,
}

enum Step {
    /// There may be more.
    On,
    /// More bytes are needed, or none are left.
    More,
    /// A record longer than the limit ends here.
    TooLong { start: usize, end: usize },
}

#[derive(Debug)]
pub(super) struct JsonFramer {
    limits: Limits,
    around: Vec<Around>,
    at: usize,
    /// Blanks between the begin of the line and `at`; none where anything else is between.
    column: Option<usize>,
    pending: Option<Pending>,
    skip: Option<Skip>,
    searcher: Searcher,
    spans: Vec<(u32, u32)>,
}

impl JsonFramer {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            around: Vec::new(),
            at: 0,
            column: Some(0),
            pending: None,
            skip: None,
            searcher: Searcher::new(limits),
            spans: Vec::new(),
        }
    }

    /// Frames the whole stream; returns the window with the stream's error, if any.
    pub(super) fn run(
        mut self,
        mut window: Window,
        input: &mut impl Read,
        emit: &mut dyn FnMut(Chunk) -> bool,
    ) -> Window {
        loop {
            let step = self.step(&window.bytes, window.ended);
            let goes_on = match step {
                Step::On if self.spans.len() < self.limits.records => continue,
                Step::On => self.flush(&mut window, self.at, emit),
                Step::TooLong { start, end } => {
                    self.flush(&mut window, start, emit) && emit(self.cut(&mut window, end - start))
                }
                Step::More => match self.pending.as_ref().map(|pending| pending.start) {
                    Some(start) if self.may_skip(&window) => {
                        let goes_on = self.skip.is_some() || self.flush(&mut window, start, emit);
                        self.drop_searched(&mut window);
                        goes_on
                    }
                    Some(start) => self.flush(&mut window, start, emit),
                    None => self.flush(&mut window, self.at, emit),
                },
            };
            if !goes_on {
                return window;
            }
            if matches!(step, Step::More) {
                if window.ended {
                    return window;
                }
                window.fill(input);
            }
        }
    }

    /// Emits everything up to here.
    fn flush(&mut self, window: &mut Window, length: usize, emit: &mut dyn FnMut(Chunk) -> bool) -> bool {
        if length == 0 || self.skip.is_some() {
            return true;
        }
        let spans = std::mem::take(&mut self.spans);
        let chunk = window.take(length, Shape::Json(spans));
        self.shift(length);
        emit(chunk)
    }

    /// Takes a record that is too long out of the window, where it begins or goes on.
    fn cut(&mut self, window: &mut Window, length: usize) -> Chunk {
        let Skip { offset, kept } = self.skip.take().unwrap_or_else(|| self.begin_skip(window));
        window.discard(length);
        self.shift(length);
        Chunk::too_long(kept, offset, window.offset - offset)
    }

    fn begin_skip(&self, window: &Window) -> Skip {
        Skip {
            offset: window.offset,
            kept: window.bytes[..self.limits.kept.min(window.bytes.len())].to_vec(),
        }
    }

    /// Whether the pending record is too long in any case, wherever it ends.
    fn may_skip(&self, window: &Window) -> bool {
        let searched = |pending: &Pending| pending.searched(window.bytes.len()) - pending.start;
        self.skip.is_some() || self.pending.as_ref().map_or(0, searched) > self.limits.record
    }

    /// Forgets what was searched of a record that is too long, which the window begins with.
    fn drop_searched(&mut self, window: &mut Window) {
        if self.skip.is_none() {
            self.skip = Some(self.begin_skip(window));
        }
        let searched = |pending: &Pending| pending.searched(window.bytes.len());
        let length = self.pending.as_ref().map_or(0, searched);
        window.discard(length);
        self.shift(length);
    }

    /// The first bytes of the window are gone.
    fn shift(&mut self, length: usize) {
        self.at = self.at.saturating_sub(length);
        self.searcher.shift(length);
        if let Some(pending) = &mut self.pending {
            pending.shift(length);
        }
    }

    /// Advances behind the next record or bracket.
    fn step(&mut self, bytes: &[u8], ended: bool) -> Step {
        if self.pending.is_some() {
            return self.search(bytes, ended);
        }
        let Some(start) = self.skip_filler(bytes) else {
            return Step::More;
        };
        let rest = &bytes[start..];
        match (bytes[start], self.around.last()) {
            (b'}', Some(Around::Container(objects))) => {
                let objects = objects - 1;
                self.around.pop();
                if objects > 0 {
                    self.around.push(Around::Container(objects));
                }
                self.go_to(start + 1)
            }
            (b'"', Some(Around::Container(_))) => match container::member(rest, ended) {
                Member::More => Step::More,
                Member::Skip(length) => self.go_to(start + length),
                Member::Array(length) => {
                    self.open(Around::Array);
                    self.go_to(start + length)
                }
                Member::Foreign => self.leave(),
            },
            // The closing bracket of the container is missing.
            (_, Some(Around::Container(_))) => self.leave(),
            (b']', Some(Around::Array)) => {
                self.around.pop();
                self.go_to(start + 1)
            }
            (b']' | b'}', _) => self.go_to(start + 1),
            (b'{', _) => match container::object(rest, ended) {
                Object::More => Step::More,
                Object::Record => self.begin(start, Search::value(start), bytes, ended),
                Object::Container(length, objects) => {
                    self.open(Around::Container(objects));
                    self.open(Around::Array);
                    self.go_to(start + length)
                }
            },
            (b'[', None) => self.open_array(start),
            (b'[', Some(Around::Array)) => match container::array(rest, ended) {
                None => Step::More,
                Some(true) => self.open_array(start),
                Some(false) => self.begin(start, Search::value(start), bytes, ended),
            },
            (_, None) => self.begin(start, Search::Line, bytes, ended),
            (_, Some(Around::Array)) => self.begin(start, Search::element(start), bytes, ended),
        }
    }

    fn go_to(&mut self, at: usize) -> Step {
        self.at = at;
        self.column = None;
        Step::On
    }

    fn open(&mut self, around: Around) {
        if self.around.len() < MAX_DEPTH {
            self.around.push(around);
        }
    }

    fn open_array(&mut self, start: usize) -> Step {
        self.open(Around::Array);
        self.go_to(start + 1)
    }

    fn leave(&mut self) -> Step {
        self.around.pop();
        Step::On
    }

    /// The next byte that is no filler.
    fn skip_filler(&mut self, bytes: &[u8]) -> Option<usize> {
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b'\n' => self.column = Some(0),
                b' ' | b'\t' => self.column = self.column.map(|column| column + 1),
                b',' => self.column = None,
                _ if is_filler(byte) => {}
                _ => return Some(self.at),
            }
            self.at += 1;
        }
        None
    }

    fn begin(&mut self, start: usize, found_by: Search, bytes: &[u8], ended: bool) -> Step {
        let column = self.column;
        self.pending = Some(Pending {
            start,
            column,
            found_by,
        });
        self.search(bytes, ended)
    }

    fn search(&mut self, bytes: &[u8], ended: bool) -> Step {
        let Some(mut pending) = self.pending.take() else {
            return Step::On;
        };
        let skipping = self.skip.is_some();
        let Some(end) = self.searcher.find_end(&mut pending, bytes, ended, skipping) else {
            self.pending = Some(pending);
            return Step::More;
        };
        self.go_to(end);
        let start = pending.start;
        if self.skip.is_some() || end - start > self.limits.record {
            return Step::TooLong { start, end };
        }
        let length = bytes[start..end].trim_ascii_end().len();
        // Chunks are far smaller than 4 GiB: a record is at most `limits.record` long.
        self.spans.push((start as u32, (start + length) as u32));
        Step::On
    }
}
