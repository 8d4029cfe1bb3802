//! Measurements as text.

use crate::bench;
use crate::capacity::{Measurements, Model};
use crate::cli::output;
use crate::cli::plan::table::{list, table, widths};

/// Doubts that are shown; the page has all.
const DOUBTS: usize = 12;

/// What was measured, for a terminal of this width, or for a file.
pub(super) fn shown(run: &Measurements, model: &Model, width: Option<u16>) -> String {
    let (width, columns) = widths(width);
    let mut text = String::new();
    for section in bench::sections(run, model) {
        table(&mut text, &section, width, columns);
        text.push('\n');
    }
    let mut doubts = bench::doubts(run, model);
    let more = doubts.len().saturating_sub(DOUBTS);
    doubts.truncate(DOUBTS);
    if more > 0 {
        doubts.push(format!("and {more} more, which --report shows"));
    }
    list(&mut text, "To be taken with care", &doubts, columns);
    let machine = &run.machine;
    let sentence = format!(
        "Measured on {}, {} cores, {}, with retrohunt {} on {}.",
        machine.cpu, machine.cores, machine.os, machine.retrohunt, machine.date
    );
    text.push_str(&output::wrapped_to(
        &crate::report::printable(&sentence),
        "",
        "",
        columns,
    ));
    text
}
