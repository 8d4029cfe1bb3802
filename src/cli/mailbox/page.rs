//! A page of text for a terminal: paragraphs, counts and tables that fit its width.

use super::super::output;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};
use console::measure_text_width;
use std::fmt::Write as _;

/// Rows of a section; the other formats have all.
pub(super) const ROWS: usize = 10;

/// Columns where no terminal says otherwise.
const COLUMNS: u16 = 80;

/// In fewer columns, cells side by side are too narrow to be read: a row becomes a few lines.
const SIDE_BY_SIDE: u16 = 72;

/// Header of a column of times, which the page shows without their zone.
pub(super) const WHEN: &str = "when (UTC)";

/// The text so far.
pub(super) struct Page {
    pub(super) text: String,
    width: u16,
}

impl Page {
    pub(super) fn new() -> Self {
        Self::of_width(output::terminal_width().unwrap_or(COLUMNS))
    }

    pub(super) fn of_width(width: u16) -> Self {
        Self {
            text: String::new(),
            // Some terminals say 0.
            width: width.max(20),
        }
    }

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{}", line.trim_end());
    }

    pub(super) fn blank(&mut self) {
        self.line("");
    }

    /// Text in lines that fit.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.indented("", "", text);
    }

    /// Text in lines that fit, the first after one indent, the others after another.
    fn indented(&mut self, first: &str, others: &str, text: &str) {
        let room = usize::from(self.width).saturating_sub(others.len().max(first.len()));
        for (position, line) in wrapped(&plain(text), room).iter().enumerate() {
            let indent = if position == 0 { first } else { others };
            self.line(&format!("{indent}{line}"));
        }
    }

    /// Numbers with what they count, one and several; the first always, the others unless nothing.
    pub(super) fn counts(&mut self, counts: &[(u64, &str, &str)]) {
        self.blank();
        // A column of numbers, which gives way on a narrow page.
        let digits = usize::from(self.width / 8).min(10);
        for (position, (count, one, several)) in counts.iter().enumerate() {
            if position == 0 || *count > 0 {
                let what = if *count == 1 { one } else { several };
                let number = format!("{count:>digits$} ");
                let indent = " ".repeat(number.len());
                self.indented(&number, &indent, what);
            }
        }
    }

    /// A table, unless it is empty.
    pub(super) fn section<T>(&mut self, title: &str, header: &[&str], rows: &[T], with: impl Fn(&T) -> Vec<String>) {
        if rows.is_empty() {
            return;
        }
        self.blank();
        self.paragraph(&format!("{title} ({})", rows.len()));
        let shown = rows.iter().take(ROWS);
        let cells = shown.map(|row| with(row).iter().map(|cell| plain(cell)).collect());
        let cells: Vec<Vec<String>> = cells.collect();
        if self.width < SIDE_BY_SIDE {
            self.stacked(header, &cells);
        } else {
            self.side_by_side(header, &cells);
        }
        if rows.len() > ROWS {
            self.paragraph(&format!("and {} more (--format csv writes all)", rows.len() - ROWS));
        }
    }

    fn side_by_side(&mut self, header: &[&str], rows: &[Vec<String>]) {
        let mut table = Table::new();
        table
            .load_style(comfy_table::presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(self.width).set_header(header.to_vec());
        for row in rows {
            table.add_row(row);
        }
        let last = header.len() - 1;
        for (position, (column, name)) in table.column_iter_mut().zip(header).enumerate() {
            column.set_padding((0, if position == last { 0 } else { 2 }));
            if *name == WHEN {
                // Times in one line: the other columns give way.
                column.set_constraint(ColumnConstraint::ContentWidth);
            } else if *name == "folder" {
                column.set_constraint(ColumnConstraint::UpperBoundary(Width::Percentage(30)));
            }
        }
        for line in table.to_string().lines() {
            self.line(line);
        }
    }

    /// Each row as its first cell, and under it the others with their headers.
    fn stacked(&mut self, header: &[&str], rows: &[Vec<String>]) {
        for row in rows {
            for (position, (cell, name)) in row.iter().zip(header).enumerate() {
                for (line_number, line) in cell.lines().enumerate() {
                    match (position, line_number) {
                        (0, _) => self.indented("", "  ", line),
                        (_, 0) => self.indented("  ", "    ", &format!("{name}: {line}")),
                        _ => self.indented("    ", "    ", line),
                    }
                }
            }
        }
    }
}

/// Text in lines of at most so many columns; at least one line. A word that is longer is cut.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = measure_text_width(word);
        if used > 0 && used + 1 + length <= columns {
            used += 1;
            if let Some(line) = lines.last_mut() {
                line.push(' ');
            }
        } else if used > 0 {
            lines.push(String::new());
            used = 0;
        }
        for c in word.chars() {
            let length = measure_text_width(c.encode_utf8(&mut [0; 4]));
            if used > 0 && used + length > columns {
                lines.push(String::new());
                used = 0;
            }
            used += length;
            if let Some(line) = lines.last_mut() {
                line.push(c);
            }
        }
    }
    lines
}

/// Text of a log record, without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_not_told_anything() {
        assert_eq!(plain("a\u{1b}[2Jb\tc\nd"), "a\u{fffd}[2Jb\u{fffd}c\nd");
    }

    #[test]
    fn words_are_cut_only_where_they_must() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("to abcdefghij", 4), ["to", "abcd", "efgh", "ij"]);
        assert_eq!(wrapped("", 4), [""]);
        // Two columns each.
        assert_eq!(wrapped("受信トレイ", 5), ["受信", "トレ", "イ"]);
    }

    #[test]
    fn counts_have_a_number() {
        let mut page = Page::of_width(80);
        page.counts(&[
            (0, "record", "records"),
            (1, "mail", "mails"),
            (0, "x", "x"),
            (2, "a", "b"),
        ]);
        assert_eq!(page.text, "\n         0 records\n         1 mail\n         2 b\n");
    }

    #[test]
    fn narrow_pages_stack_the_cells() {
        let mut page = Page::of_width(40);
        let folder = "\\Deleted Items\\Problèmes de synchronisation\\Échecs locaux";
        page.section("Folders", &["folder", WHEN, "by"], &[()], |()| {
            vec![
                folder.into(),
                "2026-03-02 08:00-09:10".into(),
                "ann@contoso.example\nOutlook".into(),
            ]
        });
        let expected = "
Folders (1)
\\Deleted Items\\Problèmes de
  synchronisation\\Échecs locaux
  when (UTC): 2026-03-02 08:00-09:10
  by: ann@contoso.example
    Outlook
";
        assert_eq!(page.text, expected);
    }
}
