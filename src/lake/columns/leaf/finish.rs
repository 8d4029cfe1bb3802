//! The end of a column chunk: its dictionary, or what is in no page yet, and what the footer says of it.

use super::{Bounds, Finished, Leaf, PAGE_ROWS};
use crate::error::Result;
use crate::lake::columns::bounds::{NumberBounds, TextBounds};
use crate::lake::columns::compression::{Codec, Compressor};
use crate::lake::columns::dictionary::Dictionary;
use crate::lake::columns::failed;
use crate::lake::columns::levels::{bits_for, hybrid};
use crate::lake::columns::pages::Pages;
use crate::lake::columns::values::Values;
use datafusion::parquet::basic::Encoding;
use datafusion::parquet::column::writer::ColumnCloseResult;
use datafusion::parquet::file::metadata::ColumnChunkMetaData;
use datafusion::parquet::file::statistics::{Statistics, ValueStatistics};
use std::ops::Range;

impl Leaf {
    /// Ends the chunk at so many rows.
    pub(in crate::lake::columns) fn finish(mut self, rows: usize, compressor: &mut Compressor) -> Result<Finished> {
        self.pad(rows);
        match self.values.take() {
            Values::Dictionary(dictionary) if dictionary.pays() => self.write_dictionary(&dictionary, compressor)?,
            Values::Dictionary(dictionary) => {
                self.spell_out(&dictionary, compressor)?;
                self.write_page(compressor, true)?;
            }
            values => {
                self.values = values;
                if self.rows > self.paged_rows {
                    self.write_page(compressor, true)?;
                }
            }
        }
        self.close()
    }

    /// Writes the dictionary, and pages of indices into it.
    fn write_dictionary(&mut self, dictionary: &Dictionary, compressor: &mut Compressor) -> Result<()> {
        let mut body = Vec::new();
        for text in dictionary.texts() {
            body.extend_from_slice(&(text.len() as u32).to_le_bytes());
            body.extend_from_slice(text);
        }
        if self.settings.filtered {
            dictionary.texts().for_each(|text| self.filter.insert(text));
        }
        let definitions = std::mem::take(&mut self.definitions);
        let repetitions = std::mem::take(&mut self.repetitions);
        let bits = bits_for(dictionary.len().saturating_sub(1) as u64);
        let order = (self.rows > PAGE_ROWS).then(|| order_of(dictionary));
        let mut value = 0;
        let pages = pages_of(&repetitions, definitions.len(), self.is_list).into_iter();
        let pages = pages.map(|(levels, rows)| {
            let page = &definitions[levels.clone()];
            let present = page.iter().filter(|level| **level == self.deepest).count();
            let repeated = if self.is_list {
                &repetitions[levels.clone()]
            } else {
                &[]
            };
            let mut body = self.levels(page, repeated);
            body.push(bits as u8);
            let indices = &dictionary.indices()[value..value + present];
            hybrid(indices, bits, &mut body);
            value += present;
            (levels.len(), rows, indices, body)
        });
        let pages: Vec<_> = pages.collect();
        let bytes = body.len() + pages.iter().map(|(.., body)| body.len()).sum::<usize>();
        self.pages.codec = Some(self.settings.codec.for_bytes(bytes));
        self.pages.write_dictionary(compressor, &body, dictionary.len())?;
        for (levels, rows, indices, body) in pages {
            let encoding = Encoding::RLE_DICTIONARY;
            self.pages.write_data(compressor, &body, levels, rows, encoding)?;
            let bounds = match &order {
                None => TextBounds::of(dictionary.texts()),
                Some(order) => TextBounds::of(extremes(indices, order).into_iter().map(|index| dictionary.text(index))),
            };
            self.page_bounds(Some(Bounds::Texts(bounds)), levels - indices.len(), indices.len());
        }
        Ok(())
    }

    fn close(mut self) -> Result<Finished> {
        let Pages {
            bytes,
            codec,
            dictionary,
            first_data,
            encodings,
            uncompressed,
            values,
            index,
            offsets,
        } = self.pages;
        let bytes = bytes.into_inner().map_err(failed)?.finish();
        let statistics: Option<Statistics> = match &self.bounds {
            Bounds::Texts(texts) => Some(texts.statistics(self.nulls)),
            Bounds::Numbers(NumberBounds(bounds)) => {
                let (low, high) = (bounds.map(|b| b.0), bounds.map(|b| b.1));
                Some(ValueStatistics::<i64>::new(low, high, None, Some(self.nulls), false).into())
            }
            Bounds::Flags(NumberBounds(bounds)) => {
                let (low, high) = (bounds.map(|b| b.0 > 0), bounds.map(|b| b.1 > 0));
                Some(ValueStatistics::<bool>::new(low, high, None, Some(self.nulls), false).into())
            }
            Bounds::None => None,
        };
        let used = encodings.iter().map(|of| of.encoding).chain([Encoding::RLE]);
        let used: Vec<Encoding> = used.collect();
        let mut metadata = ColumnChunkMetaData::builder(self.settings.descr)
            .set_compression(codec.unwrap_or(Codec::None).compression())
            .set_encodings(used)
            .set_page_encoding_stats(encodings)
            .set_total_compressed_size(bytes.len() as i64)
            .set_total_uncompressed_size(uncompressed as i64)
            .set_num_values(values as i64)
            .set_data_page_offset(first_data.unwrap_or_default())
            .set_dictionary_page_offset(dictionary.map(|(offset, _)| offset));
        if let Some(statistics) = statistics {
            metadata = metadata.set_statistics(statistics);
        }
        let column_index = index.valid().then(|| index.build()).transpose().map_err(failed)?;
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: self.rows as u64,
            metadata: metadata.build().map_err(failed)?,
            bloom_filter: self.settings.filtered.then(|| self.filter.finish()),
            column_index,
            offset_index: Some(offsets.build()),
        };
        let (mut texts, mut numbers) = (None, None);
        match &mut self.bounds {
            Bounds::Texts(bounds) => texts = Some(std::mem::take(bounds)),
            Bounds::Numbers(bounds) => numbers = Some(*bounds),
            Bounds::Flags(_) | Bounds::None => {}
        }
        Ok(Finished {
            bytes,
            close,
            texts,
            numbers,
            nulls: self.nulls,
        })
    }
}

/// Levels of each page, and how many rows they are.
fn pages_of(repetitions: &[u8], levels: usize, is_list: bool) -> Vec<(Range<usize>, usize)> {
    if !is_list {
        let begins = (0..levels.max(1)).step_by(PAGE_ROWS);
        let pages = begins.map(|begin| begin..levels.min(begin + PAGE_ROWS));
        return pages.map(|page| (page.clone(), page.len())).collect();
    }
    let (mut pages, mut begin, mut rows) = (Vec::new(), 0, 0);
    for (at, repetition) in repetitions.iter().enumerate() {
        let row = *repetition == 0;
        if row && rows == PAGE_ROWS {
            pages.push((begin..at, rows));
            (begin, rows) = (at, 0);
        }
        rows += usize::from(row);
    }
    pages.push((begin..levels, rows));
    pages
}

/// The place of each text of a dictionary among them.
fn order_of(dictionary: &Dictionary) -> Vec<u32> {
    let mut sorted: Vec<u32> = (0..dictionary.len() as u32).collect();
    sorted.sort_unstable_by(|a, b| dictionary.text(*a).cmp(dictionary.text(*b)));
    let mut order = vec![0; sorted.len()];
    (0..)
        .zip(sorted)
        .for_each(|(place, index)| order[index as usize] = place);
    order
}

/// The least and the greatest of some values.
fn extremes(indices: &[u32], order: &[u32]) -> Vec<u32> {
    let place = |index: &&u32| order[**index as usize];
    let least = indices.iter().min_by_key(place);
    let greatest = indices.iter().max_by_key(place);
    least.into_iter().chain(greatest).copied().collect()
}
