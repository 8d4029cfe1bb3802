//! The pages of a column chunk that are written.

use super::compression::{Codec, Compressor};
use super::failed;
use super::segments::Segments;
use crate::error::Result;
use datafusion::parquet::basic::{Encoding, PageType, Type};
use datafusion::parquet::column::page::{CompressedPage, Page, PageWriter as _};
use datafusion::parquet::file::metadata::{ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats};
use datafusion::parquet::file::writer::{SerializedPageWriter, TrackedWrite};

/// Pages that are written.
pub(super) struct Pages {
    pub(super) bytes: TrackedWrite<Segments>,
    /// Chosen with the first page.
    pub(super) codec: Option<Codec>,
    pub(super) dictionary: Option<(i64, usize)>,
    pub(super) first_data: Option<i64>,
    pub(super) encodings: Vec<PageEncodingStats>,
    pub(super) uncompressed: usize,
    pub(super) values: usize,
    pub(super) index: ColumnIndexBuilder,
    pub(super) offsets: OffsetIndexBuilder,
}

impl Pages {
    /// None yet, of values of this type.
    pub(super) fn new(physical: Type) -> Self {
        Self {
            bytes: TrackedWrite::new(Segments::default()),
            codec: None,
            dictionary: None,
            first_data: None,
            encodings: Vec::new(),
            uncompressed: 0,
            values: 0,
            index: ColumnIndexBuilder::new(physical),
            offsets: OffsetIndexBuilder::new(),
        }
    }

    pub(super) fn write_data(
        &mut self,
        compressor: &mut Compressor,
        body: &[u8],
        values: usize,
        rows: usize,
        encoding: Encoding,
    ) -> Result<()> {
        let page = Page::DataPage {
            buf: compressor.compress(self.codec.unwrap_or(Codec::None), body)?.into(),
            num_values: values as u32,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let (offset, size) = self.write(page, body.len())?;
        self.first_data.get_or_insert(offset);
        self.values += values;
        self.offsets.append_row_count(rows as i64);
        self.offsets.append_offset_and_size(offset, size as i32);
        match self.encodings.last_mut() {
            Some(last) if last.page_type == PageType::DATA_PAGE && last.encoding == encoding => last.count += 1,
            _ => self.encodings.push(PageEncodingStats {
                page_type: PageType::DATA_PAGE,
                encoding,
                count: 1,
            }),
        }
        Ok(())
    }

    pub(super) fn write_dictionary(&mut self, compressor: &mut Compressor, body: &[u8], texts: usize) -> Result<()> {
        let page = Page::DictionaryPage {
            buf: compressor.compress(self.codec.unwrap_or(Codec::None), body)?.into(),
            num_values: texts as u32,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        self.dictionary = Some(self.write(page, body.len())?);
        self.encodings.push(PageEncodingStats {
            page_type: PageType::DICTIONARY_PAGE,
            encoding: Encoding::PLAIN,
            count: 1,
        });
        Ok(())
    }

    /// Where it begins, and its size with its header.
    fn write(&mut self, page: Page, uncompressed: usize) -> Result<(i64, usize)> {
        let page = CompressedPage::new(page, uncompressed);
        let written = SerializedPageWriter::new(&mut self.bytes)
            .write_page(page)
            .map_err(failed)?;
        self.uncompressed += written.uncompressed_size;
        Ok((written.offset as i64, written.compressed_size))
    }
}
