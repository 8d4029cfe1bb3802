//! A table for the terminal, or, where it would not fit, one value a line.

use super::value::to_text;
use super::{Writer, column_names, output};
use crate::error::Result;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Row, Table};
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::record_batch::RecordBatch;
use std::io::Write;

/// Below this many characters a column says nothing.
const NARROWEST: usize = 9;

pub(super) struct TableWriter<'a> {
    names: Vec<String>,
    numeric: Vec<bool>,
    rows: Vec<Vec<Option<String>>>,
    out: &'a mut (dyn Write + Send),
    width: Option<u16>,
}

impl<'a> TableWriter<'a> {
    pub(super) fn new(schema: &Schema, out: &'a mut (dyn Write + Send), width: Option<u16>) -> Self {
        let numeric = schema
            .fields()
            .iter()
            .map(|field| field.data_type().is_numeric())
            .collect();
        Self {
            names: column_names(schema),
            numeric,
            rows: vec![],
            out,
            width,
        }
    }

    fn too_narrow(&self) -> bool {
        self.width
            .is_some_and(|width| usize::from(width) < self.names.len() * NARROWEST)
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        table.set_header(self.names.iter().map(|name| printable(name)));
        if let Some(width) = self.width {
            table
                .set_width(width)
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_truncation_indicator("…");
        }
        for cells in &self.rows {
            let mut row = Row::from(cells.iter().map(|cell| printable(cell.as_deref().unwrap_or_default())));
            row.max_height(1);
            table.add_row(row);
        }
        for (position, numeric) in self.numeric.iter().enumerate() {
            if let Some(column) = table.column_mut(position).filter(|_| *numeric) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }

    /// Each row as a block of its values; nulls are left out.
    fn blocks(&self) -> String {
        let widest = self.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let mut text = String::new();
        for (position, row) in self.rows.iter().enumerate() {
            text.push_str(&format!("── {} ──\n", position + 1));
            for (name, value) in self.names.iter().zip(row) {
                let Some(value) = value else { continue };
                let line = format!("{:<widest$}  {}", printable(name), printable(value));
                text.push_str(&cut(&line, self.width));
                text.push('\n');
            }
        }
        text
    }
}

impl Writer for TableWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let rows = (0..batch.num_rows()).map(|row| batch.columns().iter().map(|column| to_text(column, row)).collect());
        self.rows.extend(rows);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let text = if self.too_narrow() {
            self.blocks()
        } else {
            format!("{}\n", self.table().trim_fmt())
        };
        self.out
            .write_all(text.as_bytes())
            .and_then(|()| self.out.flush())
            .map_err(output)
    }
}

/// Logs hold what attackers send: no control character of theirs reaches the terminal.
pub fn printable(text: &str) -> String {
    if !text.contains(hidden) {
        return text.to_owned();
    }
    text.chars()
        .map(|character| if hidden(character) { '\u{fffd}' } else { character })
        .collect::<String>()
}

/// Control characters, and those that turn the direction of text around.
fn hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn cut(line: &str, width: Option<u16>) -> String {
    match width.map(usize::from) {
        Some(width) if line.chars().count() > width => line
            .chars()
            .take(width.saturating_sub(1))
            .chain(std::iter::once('…'))
            .collect(),
        _ => line.to_owned(),
    }
}
