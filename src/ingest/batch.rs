//! Events on their way to a file: the cells of each row, whose texts stay where they were read.

use super::Place;
use super::packed::{OTHER, Packed, Span, Value, Wide};
use super::prefetch::prefetch;
use crate::error::Result;
use crate::lake::ColumnsWriter;
use crate::schema::{CATALOGUE, Cell, EVENT_ACTION, EVENT_DATASET, EventRow, FieldId, RAW, USER_ID};
use std::ops::Range;
use std::sync::Arc;

/// What is known of each event of a batch beside its fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct EventMeta {
    /// Identity within the dataset and day.
    pub(super) key: u128,
    /// Hash of the content, whatever its spacing and order of keys.
    pub(super) content: i64,
    /// When it happened: microseconds since the Unix epoch.
    pub(super) time: i64,
    /// Position of the record in its decompressed file.
    pub(super) position: u64,
    /// Index of the source in the registry.
    pub(super) format: u8,
    /// It was carried by another record, which is an event itself.
    pub(super) derived: bool,
}

impl EventMeta {
    /// UTC date of the event, days since the Unix epoch.
    pub(super) fn day(&self) -> i32 {
        self.time.div_euclid(86_400_000_000) as i32
    }
}

/// Events of one dataset from one chunk of one file.
#[derive(Debug)]
pub(super) struct EventBatch {
    pub(super) dataset: String,
    pub(super) place: Place,
    pub(super) meta: Vec<EventMeta>,
    /// Bytes that it holds.
    pub(super) bytes: usize,
    /// The text of the chunk, in which most texts of cells are.
    text: Arc<Vec<u8>>,
    /// Texts that are not there, one after the other.
    other: Vec<u8>,
    cells: Vec<Packed>,
    /// Where the cells of each row end.
    ends: Vec<u32>,
    /// Elements of lists.
    elements: Vec<Packed>,
    /// What cells and elements are too narrow for.
    wide: Wide,
    /// By field: whether any row has it.
    present: Vec<bool>,
}

impl EventBatch {
    fn row(&self, row: u32) -> &[Packed] {
        let row = row as usize;
        let from = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.cells[from as usize..self.ends[row] as usize]
    }

    fn bytes_at(&self, span: Span) -> &[u8] {
        let (from, bytes) = match span.at & OTHER {
            0 => (span.at as usize, &self.text[..]),
            _ => ((span.at ^ OTHER) as usize, &self.other[..]),
        };
        &bytes[from..from + span.length as usize]
    }

    /// A keyword of an event.
    pub(super) fn text(&self, row: u32, field: FieldId) -> Option<&str> {
        std::str::from_utf8(self.bytes_of(row, field)?).ok()
    }

    /// The bytes of a keyword of an event.
    pub(super) fn bytes_of(&self, row: u32, field: FieldId) -> Option<&[u8]> {
        let of = |cell: &&Packed| cell.field() == field.index() as u16 && cell.is_text();
        self.text_of(*self.row(row).iter().find(of)?)
    }

    /// The text of a cell or of an element, where it is one.
    fn text_of(&self, packed: Packed) -> Option<&[u8]> {
        match self.wide.value(packed) {
            Value::Text(span) => Some(self.bytes_at(span)),
            _ => None,
        }
    }

    /// By field: whether any row has it.
    pub(super) fn present(&self) -> &[bool] {
        &self.present
    }

    /// About how many bytes an event has.
    pub(super) fn bytes_of_a_row(&self) -> usize {
        self.bytes / self.meta.len().max(1)
    }

    /// Of each cell of an event, the position of its column in the table, how many values it is, and
    /// their bytes.
    pub(super) fn sizes(&self, row: u32) -> impl Iterator<Item = (usize, usize, usize)> {
        self.row(row).iter().map(|cell| {
            let (values, bytes) = match self.wide.value(*cell) {
                Value::Text(span) => (1, span.length as usize),
                Value::Long(_) | Value::Double(_) => (1, size_of::<u64>()),
                Value::Boolean(_) | Value::Absent => (1, 1),
                Value::Texts(elements) | Value::Pairs(elements) => {
                    let elements = &self.elements[elements];
                    let texts = elements.iter().filter_map(|element| self.text_of(*element));
                    (elements.len(), texts.map(<[u8]>::len).sum())
                }
            };
            (schema_position(FieldId(cell.field())), values, bytes)
        })
    }

    /// Has brought near where the cells of an event are, which is written soon.
    pub(super) fn announce(&self, row: u32) {
        let row = row as usize;
        prefetch(self.ends.get(row.saturating_sub(1)..=row).unwrap_or_default());
    }

    /// Has the cells of an event brought near, which is written sooner.
    pub(super) fn announce_cells(&self, row: u32) {
        prefetch(self.row(row));
    }

    /// Has brought near what is in the cells of an event, which is written next. Of what is in the
    /// chunk the record has most.
    pub(super) fn announce_values(&self, row: u32) {
        for cell in self.row(row) {
            match self.wide.value(*cell) {
                Value::Text(span) if span.at & OTHER != 0 || cell.field() == RAW.index() as u16 => {
                    prefetch(self.bytes_at(span));
                }
                Value::Texts(elements) | Value::Pairs(elements) => prefetch(&self.elements[elements]),
                _ => {}
            }
        }
    }

    /// Writes the cells of an event.
    pub(super) fn write(&self, row: u32, file: &mut ColumnsWriter) -> Result<()> {
        for cell in self.row(row) {
            let position = schema_position(FieldId(cell.field()));
            match self.wide.value(*cell) {
                Value::Text(span) => file.text(position, self.bytes_at(span))?,
                Value::Long(number) => file.long(position, number)?,
                Value::Double(number) => file.double(position, number)?,
                Value::Boolean(flag) => file.boolean(position, flag)?,
                Value::Texts(elements) => {
                    let texts = self.elements[elements].iter();
                    file.texts(position, texts.filter_map(|text| self.text_of(*text)))?;
                }
                Value::Pairs(elements) => {
                    let pairs = self.elements[elements].chunks_exact(2);
                    let pair = |pair: &[Packed]| Some((self.text_of(pair[0])?, self.text_of(pair[1])));
                    file.pairs(position, pairs.filter_map(pair))?;
                }
                Value::Absent => {}
            }
        }
        Ok(())
    }
}

/// Collects events of one dataset.
#[derive(Debug)]
pub(super) struct EventBatchBuilder {
    batch: EventBatch,
    /// Bytes of the chunk's text that are records of this batch.
    records: usize,
    /// Rows.
    expected: usize,
    /// By field: a text of it that is not in the chunk. Most are names of kinds, the same from row to
    /// row, and kept once.
    others: Vec<Span>,
}

/// Rows by which it is told how much the others of a chunk take.
const TELLING: usize = 64;

/// How many times the text of a chunk is made room for at most, before it is needed.
const MOST_ROOM: usize = 2;

impl EventBatchBuilder {
    /// For events of a chunk with this text, which has so many records, as far as is known.
    pub(super) fn new(dataset: String, place: Place, text: Arc<Vec<u8>>, expected: usize) -> Self {
        Self {
            batch: EventBatch {
                dataset,
                place,
                meta: Vec::with_capacity(expected),
                bytes: 0,
                text,
                other: Vec::new(),
                cells: Vec::new(),
                ends: Vec::with_capacity(expected),
                elements: Vec::new(),
                wide: Wide::default(),
                present: vec![false; CATALOGUE.fields().len()],
            },
            records: 0,
            expected,
            others: vec![Span { at: OTHER, length: 0 }; CATALOGUE.fields().len()],
        }
    }

    /// Makes room for all that is expected to come, by the rows that came. To grow by doubling
    /// would copy everything once more, into memory that the system has to clear first.
    fn reserve(&mut self) {
        let rows = self.batch.meta.len();
        let left = self.expected.saturating_sub(rows);
        let batch = &mut self.batch;
        // The first rows may be unlike all others.
        let most = MOST_ROOM * batch.text.len();
        let more = |length: usize, size: usize| (length * left / rows * 9 / 8).min(most / size);
        batch.cells.reserve_exact(more(batch.cells.len(), size_of::<Packed>()));
        batch
            .elements
            .reserve_exact(more(batch.elements.len(), size_of::<Packed>()));
        batch.other.reserve_exact(more(batch.other.len(), 1));
    }

    pub(super) fn dataset(&self) -> &str {
        &self.batch.dataset
    }

    pub(super) fn push(&mut self, row: &EventRow<'_>, meta: EventMeta) {
        let first = self.batch.cells.len();
        for (field, cell) in row.cells() {
            if *field != EVENT_DATASET {
                self.batch.present[field.index()] = true;
                let packed = self.packed(field.index() as u16, cell);
                self.batch.cells.push(packed);
                // Rows are sorted by these: they are not to be looked for.
                let place = [EVENT_ACTION, USER_ID].iter().position(|key| key == field);
                let last = self.batch.cells.len() - 1;
                if let Some(place) = place.map(|place| first + place).filter(|place| *place < last) {
                    self.batch.cells.swap(place, last);
                }
            }
        }
        self.batch.ends.push(self.batch.cells.len() as u32);
        self.batch.meta.push(meta);
        if self.batch.meta.len() == TELLING {
            self.reserve();
        }
    }

    fn packed(&mut self, field: u16, cell: &Cell<'_>) -> Packed {
        match cell {
            Cell::Text(text) => {
                let span = self.span(text, field, 0);
                self.batch.wide.pack_text(field, span)
            }
            Cell::Long(number) | Cell::Timestamp(number) => self.batch.wide.pack(field, Value::Long(*number)),
            Cell::Double(number) => self.batch.wide.pack(field, Value::Double(*number)),
            Cell::Boolean(flag) => self.batch.wide.pack(field, Value::Boolean(*flag)),
            Cell::Texts(texts) => {
                let first = self.batch.elements.len();
                for (place, text) in texts.iter().enumerate() {
                    self.element(text, field, place);
                }
                let elements = first..self.batch.elements.len();
                self.batch.wide.pack(field, Value::Texts(elements))
            }
            Cell::Pairs(pairs) => {
                let first = self.batch.elements.len();
                for (place, (name, value)) in pairs.iter().enumerate() {
                    self.element(name, field, 2 * place);
                    match value {
                        Some(value) => self.element(value, field, 2 * place + 1),
                        None => self.batch.element(Value::Absent),
                    }
                }
                let elements = first..self.batch.elements.len();
                self.batch.wide.pack(field, Value::Pairs(elements))
            }
        }
    }

    fn element(&mut self, text: &str, field: u16, place: usize) {
        let span = self.span(text, field, place);
        let packed = self.batch.wide.pack_text(0, span);
        self.batch.elements.push(packed);
    }

    /// Where a text is that has this place in a field. It is copied if it is neither in the chunk nor
    /// the one that was copied last.
    #[inline]
    fn span(&mut self, text: &str, field: u16, place: usize) -> Span {
        let chunk = self.batch.text.as_ptr_range();
        let here = text.as_bytes().as_ptr_range();
        if chunk.start <= here.start && here.end <= chunk.end {
            self.records += text.len();
            let at = here.start as usize - chunk.start as usize;
            return Span {
                at: at as u64,
                length: text.len() as u32,
            };
        }
        self.other(text, field, place)
    }

    /// As [`Self::span`], of a text that is not in the chunk.
    #[inline(never)]
    fn other(&mut self, text: &str, field: u16, place: usize) -> Span {
        let length = text.len() as u32;
        // Elements of a list share the places of other fields, which costs at most a copy.
        let other = (usize::from(field) + place) % self.others.len();
        let known = self.others[other];
        if known.length == length && self.batch.bytes_at(known) == text.as_bytes() {
            return known;
        }
        let at = self.batch.other.len() as u64 | OTHER;
        self.batch.other.extend_from_slice(text.as_bytes());
        self.others[other] = Span { at, length };
        self.others[other]
    }

    pub(super) fn finish(self) -> EventBatch {
        let Self { mut batch, records, .. } = self;
        if records == 0 {
            batch.text = Arc::default();
        }
        batch.bytes = batch.held() + records.min(batch.text.len());
        batch
    }
}

impl EventBatch {
    /// Bytes without the chunk's text.
    fn held(&self) -> usize {
        self.other.len()
            + size_of_val(self.meta.as_slice())
            + size_of_val(self.cells.as_slice())
            + size_of_val(self.ends.as_slice())
            + size_of_val(self.elements.as_slice())
            + self.wide.bytes()
    }

    fn element(&mut self, value: Value) {
        let packed = self.wide.pack(0, value);
        self.elements.push(packed);
    }

    /// These rows alone, without the chunk: of a chunk of repeats, the few others must not hold
    /// all of it in memory.
    pub(super) fn only(&self, rows: &[u32]) -> Self {
        let mut builder = EventBatchBuilder::new(self.dataset.clone(), self.place, Arc::default(), rows.len());
        let kept = &mut builder.batch;
        kept.present.clone_from(&self.present);
        for &row in rows {
            for cell in self.row(row) {
                let value = match self.wide.value(*cell) {
                    Value::Texts(elements) => Value::Texts(kept.keep_all(self, elements)),
                    Value::Pairs(elements) => Value::Pairs(kept.keep_all(self, elements)),
                    value => kept.keep(self, value),
                };
                let cell = kept.wide.pack(cell.field(), value);
                kept.cells.push(cell);
            }
            kept.ends.push(kept.cells.len() as u32);
            kept.meta.push(self.meta[row as usize]);
        }
        builder.finish()
    }

    fn keep_all(&mut self, from: &Self, elements: Range<usize>) -> Range<usize> {
        let first = self.elements.len();
        for element in &from.elements[elements] {
            let value = self.keep(from, from.wide.value(*element));
            self.element(value);
        }
        first..self.elements.len()
    }

    /// A value of another batch, whose text it takes.
    fn keep(&mut self, from: &Self, value: Value) -> Value {
        let Value::Text(span) = value else { return value };
        let at = self.other.len() as u64 | OTHER;
        self.other.extend_from_slice(from.bytes_at(span));
        Value::Text(Span { at, ..span })
    }
}

/// Position of a field in [`crate::lake::events_schema`], which is the catalogue without the
/// dataset.
pub(super) fn schema_position(field: FieldId) -> usize {
    field.index() - usize::from(field > EVENT_DATASET)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{EVENT_CATEGORY, EVENT_ID, EVENT_OUTCOME};

    #[test]
    fn texts_that_are_kept_once_are_each_rows_own() {
        let chunk = Arc::new(b"the text of a chunk".to_vec());
        let whole = std::str::from_utf8(&chunk).unwrap().to_owned();
        let mut builder = EventBatchBuilder::new("d".into(), Place::default(), Arc::clone(&chunk), 0);
        let outcomes = ["success", "success", "failure", "success", "", "failure"];
        let rows = 2 * outcomes.len();
        for row in 0..rows {
            let in_chunk = std::str::from_utf8(&chunk).unwrap();
            let mut event = EventRow::new();
            event.text(EVENT_OUTCOME, outcomes[row % outcomes.len()]);
            event.text(EVENT_ID, format!("id {:03}", row / 2));
            event.text(RAW, &in_chunk[4..4 + row]);
            // More elements than there are fields: they come around to the places of others.
            for element in 0..CATALOGUE.fields().len() + row {
                event.add(EVENT_CATEGORY, format!("{}", element % 3));
            }
            let meta = EventMeta {
                key: 0,
                content: 0,
                time: 0,
                position: 0,
                format: 0,
                derived: false,
            };
            builder.push(&event, meta);
        }
        let batch = builder.finish();
        for row in 0..rows {
            let outcome = Some(outcomes[row % outcomes.len()]).filter(|outcome| !outcome.is_empty());
            assert_eq!(batch.text(row as u32, EVENT_OUTCOME), outcome);
            assert_eq!(
                batch.text(row as u32, EVENT_ID),
                Some(format!("id {:03}", row / 2).as_str())
            );
            let raw = Some(&whole[4..4 + row]).filter(|raw| !raw.is_empty());
            assert_eq!(batch.text(row as u32, RAW), raw);
            let cells = batch.row(row as u32).iter();
            let list = cells.map(|cell| batch.wide.value(*cell)).find_map(|value| match value {
                Value::Texts(elements) => Some(elements),
                _ => None,
            });
            let elements = &batch.elements[list.unwrap()];
            assert_eq!(elements.len(), CATALOGUE.fields().len() + row);
            for (element, span) in elements.iter().enumerate() {
                assert_eq!(batch.text_of(*span), Some((element % 3).to_string().as_bytes()));
            }
        }
        assert!(batch.other.len() < rows * CATALOGUE.fields().len() / 2);
        let only = batch.only(&[2, 7]);
        for (row, of) in [(0, 2), (1, 7)] {
            for field in [EVENT_OUTCOME, EVENT_ID, RAW] {
                assert_eq!(only.text(row, field), batch.text(of, field));
            }
        }
    }
}
