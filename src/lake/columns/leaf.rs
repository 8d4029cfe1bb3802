//! One column of a row group: its levels, when its pages end, and what is said of them.

mod finish;

use super::bounds::{NumberBounds, TextBounds};
use super::compression::{Codec, Compressor};
use super::dictionary::Dictionary;
use super::filter::{BLOCK, Filter};
use super::lengths::delta_packed;
use super::levels::{bits_for, hybrid};
use super::pages::Pages;
use super::segments::ChunkBytes;
use super::values::{ROOM, Values, behind, plain_texts, push_plain};
use crate::error::Result;
use crate::lake::writer::PAGE_BYTES;
use datafusion::parquet::basic::Encoding;
use datafusion::parquet::column::writer::ColumnCloseResult;
use datafusion::parquet::schema::types::ColumnDescPtr;

/// Rows after which a page ends: what a query may skip by what the index says of it.
const PAGE_ROWS: usize = 20_000;

/// What a page takes that is ended by its bytes, with the last value of it.
const FULL_PAGE: usize = PAGE_BYTES + PAGE_BYTES / 16;

/// What is known of a column before its first value.
#[derive(Debug)]
pub(super) struct LeafSettings {
    pub(super) descr: ColumnDescPtr,
    pub(super) codec: Codec,
    /// Keep bounds, and try a dictionary: not for texts that are all distinct and long.
    pub(super) bounded: bool,
    /// Keep a Bloom filter of the texts.
    pub(super) filtered: bool,
}

/// A column chunk in the making.
pub(super) struct Leaf {
    settings: LeafSettings,
    /// Rows that are to come in all.
    expected: usize,
    /// Definition level of a value.
    deepest: u8,
    is_list: bool,
    /// Levels that are in no page yet.
    definitions: Vec<u8>,
    /// Likewise; empty for what is no list.
    repetitions: Vec<u8>,
    values: Values,
    /// Rows so far, and those in pages.
    rows: usize,
    paged_rows: usize,
    nulls: u64,
    pages: Pages,
    bounds: Bounds,
    filter: Filter,
}

/// Of all pages.
enum Bounds {
    Texts(TextBounds),
    Numbers(NumberBounds),
    Flags(NumberBounds),
    None,
}

/// What of values a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueType {
    Text,
    Long,
    Double,
    Boolean,
}

/// What a chunk ended as: its bytes, and what the file's footer says of it.
pub(super) struct Finished {
    pub(super) bytes: ChunkBytes,
    pub(super) close: ColumnCloseResult,
    pub(super) texts: Option<TextBounds>,
    pub(super) numbers: Option<NumberBounds>,
    pub(super) nulls: u64,
}

impl Finished {
    /// Of the blocks of its Bloom filter; what stands before them is a few bytes more.
    pub(super) fn bytes_of_filter(&self) -> usize {
        let filter = self.close.bloom_filter.as_ref();
        filter.map_or(0, |filter| filter.num_blocks() * BLOCK as usize)
    }
}

impl Leaf {
    /// For so many rows, as far as is known: to grow is to copy into memory that the system clears.
    /// No more than those of a page have room at once, as many columns have few values.
    pub(super) fn new(settings: LeafSettings, value_type: ValueType, expected: usize) -> Self {
        let physical = settings.descr.physical_type();
        let of_a_page = expected.min(PAGE_ROWS);
        let is_list = settings.descr.max_rep_level() > 0;
        Self {
            deepest: settings.descr.max_def_level() as u8,
            is_list,
            values: match value_type {
                ValueType::Text if settings.bounded => Values::Dictionary(Dictionary::new(of_a_page)),
                ValueType::Text => Values::plain(FULL_PAGE, of_a_page),
                ValueType::Long | ValueType::Double => Values::Words(Vec::with_capacity(of_a_page)),
                ValueType::Boolean => Values::Flags(Vec::with_capacity(of_a_page)),
            },
            bounds: match value_type {
                ValueType::Text if settings.bounded => Bounds::Texts(TextBounds::default()),
                ValueType::Long => Bounds::Numbers(NumberBounds::default()),
                ValueType::Boolean => Bounds::Flags(NumberBounds::default()),
                // Of doubles too, as no query asks for ranges of them.
                ValueType::Text | ValueType::Double => Bounds::None,
            },
            settings,
            expected,
            definitions: Vec::with_capacity(of_a_page),
            repetitions: Vec::with_capacity(if is_list { of_a_page } else { 0 }),
            rows: 0,
            paged_rows: 0,
            nulls: 0,
            filter: Filter::default(),
            pages: Pages::new(physical),
        }
    }

    /// Whether anything but nulls is in it.
    pub(super) fn holds_values(&self) -> bool {
        self.pages.values > 0 || self.definitions.iter().any(|level| *level > 0)
    }

    /// Begins a row's value or list: rows before it that have none are null.
    #[inline]
    pub(super) fn begin(&mut self, row: usize, compressor: &mut Compressor) -> Result<()> {
        self.pad(row);
        // What may be in a dictionary is written at the end, as that comes first.
        if !matches!(self.values, Values::Dictionary(_)) {
            self.write_full_page(compressor)?;
        }
        self.rows = row + 1;
        Ok(())
    }

    fn write_full_page(&mut self, compressor: &mut Compressor) -> Result<()> {
        let bytes = match &self.values {
            Values::Plain { bytes, .. } => bytes.len() - ROOM,
            _ => 0,
        };
        if bytes >= PAGE_BYTES || self.rows - self.paged_rows >= PAGE_ROWS {
            self.write_page(compressor, false)?;
        }
        Ok(())
    }

    /// Nulls up to this row.
    #[inline]
    pub(super) fn pad(&mut self, row: usize) {
        let missing = row.saturating_sub(self.rows);
        if missing > 0 {
            self.definitions.resize(self.definitions.len() + missing, 0);
            if self.is_list {
                self.repetitions.resize(self.repetitions.len() + missing, 0);
            }
            self.nulls += missing as u64;
            self.rows = row;
        }
    }

    /// A level without a value: an empty list, an absent member of one.
    pub(super) fn absent(&mut self, definition: u8, repetition: u8) {
        self.definitions.push(definition);
        self.repetitions.push(repetition);
        self.nulls += 1;
    }

    #[inline]
    fn present(&mut self, repetition: u8) {
        self.definitions.push(self.deepest);
        if self.is_list {
            self.repetitions.push(repetition);
        }
    }

    #[inline(always)]
    pub(super) fn text(&mut self, text: &[u8], repetition: u8, compressor: &mut Compressor) -> Result<()> {
        self.present(repetition);
        match &mut self.values {
            Values::Plain { bytes, ends } => push_plain(bytes, ends, text),
            Values::Dictionary(dictionary) => {
                if !dictionary.push(text) {
                    let dictionary = std::mem::take(dictionary);
                    self.spell_out(&dictionary, compressor)?;
                }
            }
            Values::Words(_) | Values::Flags(_) => {}
        }
        Ok(())
    }

    /// Goes on without a dictionary.
    #[inline(never)]
    fn spell_out(&mut self, dictionary: &Dictionary, compressor: &mut Compressor) -> Result<()> {
        let of_a_page = self.expected.min(PAGE_ROWS);
        let definitions = std::mem::replace(&mut self.definitions, Vec::with_capacity(of_a_page));
        let repetitions = std::mem::take(&mut self.repetitions);
        let mut indices = dictionary.indices().iter();
        let (bytes, rows) = (dictionary.bytes_of_values(), self.rows.max(1));
        let expected = bytes.saturating_mul(self.expected.max(rows)) / rows;
        self.values = Values::plain((ROOM + expected + expected / 8).min(FULL_PAGE), of_a_page);
        self.rows = 0;
        for (at, definition) in definitions.into_iter().enumerate() {
            let repetition = repetitions.get(at).copied();
            if repetition.unwrap_or_default() == 0 {
                self.write_full_page(compressor)?;
                self.rows += 1;
            }
            self.definitions.push(definition);
            self.repetitions.extend(repetition);
            if definition == self.deepest
                && let (Values::Plain { bytes, ends }, Some(index)) = (&mut self.values, indices.next())
            {
                push_plain(bytes, ends, dictionary.text(*index));
            }
        }
        Ok(())
    }

    pub(super) fn word(&mut self, word: u64) {
        self.present(0);
        if let Values::Words(words) = &mut self.values {
            words.push(word);
        }
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.present(0);
        if let Values::Flags(flags) = &mut self.values {
            flags.push(flag);
        }
    }

    /// Writes what is in no page yet as one page.
    fn write_page(&mut self, compressor: &mut Compressor, last: bool) -> Result<()> {
        let levels = 0..self.definitions.len();
        let rows = self.rows - self.paged_rows;
        let definitions = std::mem::take(&mut self.definitions);
        let repetitions = std::mem::take(&mut self.repetitions);
        let mut body = self.levels(&definitions, &repetitions);
        let mut encoding = Encoding::PLAIN;
        let (bounds, renewed) = match self.values.take() {
            Values::Plain { bytes, mut ends } => {
                if !ends.is_empty() {
                    encoding = Encoding::DELTA_LENGTH_BYTE_ARRAY;
                    delta_packed(plain_texts(&bytes, &ends).map(|text| text.len() as u32), &mut body);
                }
                if self.settings.filtered {
                    plain_texts(&bytes, &ends).for_each(|text| self.filter.insert(text));
                }
                let bounds = matches!(self.bounds, Bounds::Texts(_))
                    .then(|| Bounds::Texts(TextBounds::of(plain_texts(&bytes, &ends))));
                ends.clear();
                (bounds, Values::Plain { bytes, ends })
            }
            Values::Words(mut words) => {
                words
                    .iter()
                    .for_each(|word| body.extend_from_slice(&word.to_le_bytes()));
                let bounds = NumberBounds::of(words.iter().map(|word| *word as i64));
                words.clear();
                let numbers = matches!(self.bounds, Bounds::Numbers(_)).then_some(Bounds::Numbers(bounds));
                (numbers, Values::Words(words))
            }
            Values::Flags(mut flags) => {
                let bits: Vec<u8> = flags
                    .chunks(8)
                    .map(|eight| eight.iter().rev().fold(0, |byte, flag| byte << 1 | u8::from(*flag)))
                    .collect();
                body.extend_from_slice(&bits);
                let bounds = NumberBounds::of(flags.iter().map(|flag| i64::from(*flag)));
                flags.clear();
                (Some(Bounds::Flags(bounds)), Values::Flags(flags))
            }
            Values::Dictionary(dictionary) => (None, Values::Dictionary(dictionary)),
        };
        self.values = renewed;
        let present = definitions.iter().filter(|level| **level == self.deepest).count();
        let page: &[u8] = match &mut self.values {
            Values::Plain { bytes, .. } => behind(&mut body, bytes),
            _ => &body,
        };
        let codec = self.settings.codec;
        self.pages
            .codec
            .get_or_insert_with(|| if last { codec.for_bytes(page.len()) } else { codec });
        self.pages.write_data(compressor, page, levels.len(), rows, encoding)?;
        if let Values::Plain { bytes, .. } = &mut self.values {
            bytes.truncate(ROOM);
        }
        self.page_bounds(bounds, levels.len() - present, present);
        self.paged_rows = self.rows;
        (self.definitions, self.repetitions) = (definitions, repetitions);
        self.definitions.clear();
        self.repetitions.clear();
        Ok(())
    }

    /// The levels as they stand at the begin of a page.
    fn levels(&self, definitions: &[u8], repetitions: &[u8]) -> Vec<u8> {
        let mut body = Vec::new();
        let mut write = |levels: &[u8], deepest: u64| {
            let length = body.len();
            body.extend_from_slice(&[0; 4]);
            hybrid(levels, bits_for(deepest), &mut body);
            let written = (body.len() - length - 4) as u32;
            body[length..length + 4].copy_from_slice(&written.to_le_bytes());
        };
        if self.is_list {
            write(repetitions, 1);
        }
        write(definitions, u64::from(self.deepest));
        body
    }

    /// Adds what is known of a page to the index and to the whole.
    fn page_bounds(&mut self, bounds: Option<Bounds>, nulls: usize, present: usize) {
        let index = &mut self.pages.index;
        let nulls = nulls as i64;
        let entry = match &bounds {
            _ if present == 0 => Some((Vec::new(), Vec::new())),
            Some(Bounds::Texts(texts)) => texts.shortened(),
            Some(Bounds::Numbers(NumberBounds(Some((low, high))))) => {
                Some((low.to_le_bytes().to_vec(), high.to_le_bytes().to_vec()))
            }
            Some(Bounds::Flags(NumberBounds(Some((low, high))))) => Some((vec![*low as u8], vec![*high as u8])),
            _ => None,
        };
        match entry {
            Some((low, high)) => index.append(present == 0, low, high, nulls),
            None => index.to_invalid(),
        }
        match (&mut self.bounds, bounds) {
            (Bounds::Texts(all), Some(Bounds::Texts(page))) => all.extend(page),
            (Bounds::Numbers(all), Some(Bounds::Numbers(page))) | (Bounds::Flags(all), Some(Bounds::Flags(page))) => {
                all.extend(page);
            }
            _ => {}
        }
    }
}
