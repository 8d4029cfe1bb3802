//! A plan as text.

use crate::capacity::{Plan, Section};
use crate::cli::output;
use console::measure_text_width;
use std::fmt::Write as _;

/// Columns of running text, at most.
const TEXT: usize = 80;

/// The plan, for a terminal of this width, or for a file.
pub(super) fn shown(plan: &Plan, width: Option<u16>) -> String {
    let (width, columns) = widths(width);
    let mut text = String::new();
    for section in plan.sections() {
        table(&mut text, &section, width, columns);
        text.push('\n');
    }
    let refused = plan.not_measured.iter();
    let refused: Vec<String> = refused.map(|one| format!("{}: {}", one.part, one.reason)).collect();
    list(&mut text, "Not said, as it was not measured", &refused, columns);
    list(&mut text, "To be taken with care", &plan.doubts, columns);
    list(&mut text, "Assumptions", &plan.assumptions, columns);
    if let Some(measured) = &plan.measured {
        let machine = &measured.machine;
        let sentence = format!(
            "Measured on {}, {} cores, with retrohunt {} on {}.",
            machine.cpu, machine.cores, machine.retrohunt, machine.date
        );
        text.push_str(&output::wrapped_to(&plain(&sentence), "", "", columns));
    }
    if !refused.is_empty() {
        text.push_str(&output::wrapped_to(
            "`retrohunt bench` measures what is missing, where it can be measured.",
            "",
            "",
            columns,
        ));
    }
    text
}

/// The width of tables, if there is one, and of running text.
pub(in crate::cli) fn widths(terminal: Option<u16>) -> (Option<usize>, usize) {
    // Some terminals say 0.
    let width = terminal.map(|width| usize::from(width).max(20));
    (width, width.map_or(TEXT, |width| width.min(TEXT)))
}

/// A section as aligned columns, or stacked where these are too wide.
pub(in crate::cli) fn table(text: &mut String, section: &Section, width: Option<usize>, columns: usize) {
    text.push_str(&output::wrapped_to(&plain(&section.title), "", "  ", columns));
    let rows: Vec<Vec<String>> = section
        .rows
        .iter()
        .map(|row| row.iter().map(|cell| plain(cell)).collect())
        .collect();
    let widths: Vec<usize> = (0..section.header.len())
        .map(|column| {
            let cells = rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| measure_text_width(cell));
            cells.chain([section.header[column].len()]).max().unwrap_or_default()
        })
        .collect();
    let whole = 2 + widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
    if width.is_some_and(|width| width < whole) {
        stacked(text, section, &rows, columns);
    } else {
        let header: Vec<String> = section.header.iter().map(|name| (*name).to_owned()).collect();
        if !rows.is_empty() && header.iter().any(|name| !name.is_empty()) {
            line(text, &header, &widths);
        }
        rows.iter().for_each(|row| line(text, row, &widths));
    }
    for note in &section.notes {
        text.push_str(&output::wrapped_to(&plain(note), "  ", "  ", columns));
    }
}

/// What a row is of stands left, its numbers right.
fn line(text: &mut String, cells: &[String], widths: &[usize]) {
    let mut line = String::from("  ");
    for (position, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let room = " ".repeat(width.saturating_sub(measure_text_width(cell)));
        match position {
            0 => line.push_str(&format!("{cell}{room}")),
            _ => line.push_str(&format!("  {room}{cell}")),
        }
    }
    let _ = writeln!(text, "{}", line.trim_end());
}

/// Each row as its first cell, and under it the others with their headers.
fn stacked(text: &mut String, section: &Section, rows: &[Vec<String>], columns: usize) {
    for row in rows {
        for (position, (cell, name)) in row.iter().zip(&section.header).enumerate() {
            let sentence = match (position, name.is_empty()) {
                (0, _) | (_, true) => cell.clone(),
                _ => format!("{name}: {cell}"),
            };
            let indent = if position == 0 { "  " } else { "    " };
            text.push_str(&output::wrapped_to(&sentence, indent, "      ", columns));
        }
    }
}

/// Sentences under a title.
pub(in crate::cli) fn list(text: &mut String, title: &str, sentences: &[String], columns: usize) {
    if sentences.is_empty() {
        return;
    }
    text.push_str(&output::wrapped_to(title, "", "  ", columns));
    for sentence in sentences {
        text.push_str(&output::wrapped_to(&plain(sentence), "  - ", "    ", columns));
    }
    text.push('\n');
}

/// Text of a file that somebody gave, without what a terminal would obey.
fn plain(text: &str) -> String {
    crate::report::printable(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::made::run;
    use crate::capacity::scenario::scenario;

    #[test]
    fn narrow_terminals_are_not_overrun() {
        let mut run = run();
        run.machine.cpu = "A\u{1b}[2JCPU".into();
        let plan = Plan::of(scenario(), Some(&run), None).unwrap();
        for width in [0, 40, 60, 80, 120] {
            let text = shown(&plan, Some(width));
            let most = usize::from(width).max(20);
            // A word alone may be longer.
            let too_long = |line: &&str| measure_text_width(line) > most && line.split_whitespace().count() > 3;
            assert_eq!(text.lines().find(too_long), None, "{width}");
            assert!(!text.contains('\u{1b}'));
        }
        let (narrow, wide) = (shown(&plan, Some(40)), shown(&plan, None));
        assert!(narrow.contains("  hunts\n    times a day: 4\n"), "{narrow}");
        assert!(wide.contains("work        times a day  events each"), "{wide}");
    }
}
