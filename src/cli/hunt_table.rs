//! What a hunt read, found and took: a line per detection.

use crate::hunt::{DetectionRun, RunState};
use crate::report::human::{bytes, count, counted};

/// Columns of a terminal that nobody has made narrower.
const WIDTH: usize = 80;

/// An id is cut to no less than this.
const LEAST_ID: usize = 8;

/// Names of the figures, and the least width of their columns: sizes and times are padded,
/// so that a run a little slower looks the same.
const FIGURES: [(&str, usize); 6] = [
    ("rows in", 0),
    ("matched", 0),
    ("read", 8),
    ("alerts", 0),
    ("time", 8),
    ("ticks", 0),
];

/// The number of alerts, the table, and below it what does not fit into it.
pub(crate) fn summary(alerts: u64, runs: &[DetectionRun], common_bytes: u64) -> String {
    let mut lines = vec![counted(alerts, "alert", "alerts")];
    lines.extend(table(runs));
    if common_bytes > 0 {
        lines.push(format!(
            "{} more were read once for several of them",
            bytes(common_bytes)
        ));
    }
    for run in runs {
        if !run.raw_fields.is_empty() {
            let fields = run.raw_fields.join(", ");
            lines.push(format!("{} reads from the record's text: {fields}", run.detection));
        }
        if run.suppressed > 0 {
            let more = counted(run.suppressed, "more alert", "more alerts");
            lines.push(format!(
                "{}: {more}, for which others stand (--suppressed)",
                run.detection
            ));
        }
        for note in &run.notes {
            lines.push(format!("{}: {note}", run.detection));
        }
        if let Some(error) = &run.error {
            lines.push(format!("{} failed: {}", run.detection, error.replace('\n', "\n  ")));
        }
    }
    lines.join("\n")
}

fn table(runs: &[DetectionRun]) -> Vec<String> {
    let rows: Vec<Result<Vec<String>, &str>> = runs.iter().map(figures).collect();
    // No windowed detection, no ticks.
    let ticks = usize::from(runs.iter().any(|run| run.ticks.is_some()));
    let shown = FIGURES.len() - 1 + ticks;
    let names: Vec<String> = FIGURES.iter().map(|(name, _)| (*name).to_owned()).collect();
    let widths: Vec<usize> = (0..shown)
        .map(|column| {
            let cells = rows.iter().flatten().map(|cells| cells[column].chars().count());
            let least = FIGURES[column].1.max(names[column].len());
            cells.max().unwrap_or(0).max(least)
        })
        .collect();
    let widest = |cells: &mut dyn Iterator<Item = &str>| cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
    let kind = widest(&mut runs.iter().map(|run| run.kind.as_str()).chain(["kind"]));
    let id = widest(&mut runs.iter().map(|run| run.detection.as_str()).chain(["detection"]));
    let taken = |gap: usize| kind + gap + widths.iter().map(|width| width + gap).sum::<usize>();
    let gap = if id + taken(2) <= WIDTH { 2 } else { 1 };
    let id = id.min(WIDTH.saturating_sub(taken(gap)).max(LEAST_ID));
    let space = " ".repeat(gap);

    let line = |name: &str, of_kind: &str, cells: &[String]| {
        let mut line = format!("{:<id$}{space}{of_kind:<kind$}", cut(name, id));
        for (cell, width) in cells.iter().zip(&widths) {
            line.push_str(&format!("{space}{cell:>width$}"));
        }
        line
    };
    let mut lines = vec![line("detection", "kind", &names[..shown])];
    for (run, figures) in runs.iter().zip(&rows) {
        let (name, of_kind) = (run.detection.as_str(), run.kind.as_str());
        lines.push(match figures {
            Ok(cells) => line(name, of_kind, cells).trim_end().to_owned(),
            Err(state) => line(name, of_kind, &[]) + &space + state,
        });
    }
    lines
}

/// The figures of a detection, or why it has none.
fn figures(run: &DetectionRun) -> Result<Vec<String>, &'static str> {
    match run.state {
        RunState::Failed => Err("failed"),
        RunState::NotRun => Err("not run"),
        RunState::Done => Ok(vec![
            count(run.read.rows_in),
            count(run.read.rows_matched),
            bytes(run.read.bytes_read),
            count(run.alerts),
            format!("{:.1} s", run.seconds),
            run.ticks.map(count).unwrap_or_default(),
        ]),
    }
}

/// The text in at most so many characters.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept = text.chars().take(width.saturating_sub(1));
    kept.chain(std::iter::once('…')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detections::Kind;
    use crate::engine::ScanFigures;

    fn run(detection: &str, kind: Kind, rows: u64) -> DetectionRun {
        DetectionRun {
            detection: detection.into(),
            kind,
            state: RunState::Done,
            read: ScanFigures {
                rows_in: rows,
                rows_matched: rows / 10,
                bytes_read: rows * 100,
            },
            alerts: rows / 100,
            suppressed: 0,
            ticks: (kind == Kind::Windowed).then_some(4320),
            seconds: rows as f64 / 1e6,
            raw_fields: vec![],
            notes: vec![],
            error: None,
        }
    }

    #[test]
    fn figures_stand_in_columns() {
        let mut failed = run("c", Kind::Event, 0);
        (failed.state, failed.error) = (RunState::Failed, Some("no such\ncolumn".into()));
        let mut not_run = run("d", Kind::NewTerms, 0);
        not_run.state = RunState::NotRun;
        let runs = [
            run("short", Kind::Event, 7),
            run("busy", Kind::Windowed, 12_345),
            failed,
            not_run,
        ];
        let expected = "\
123 alerts
detection  kind       rows in  matched      read  alerts      time  ticks
short      event            7        0     700 B       0     0.0 s
busy       windowed    12,345    1,234   1.2 MiB     123     0.0 s  4,320
c          event      failed
d          new_terms  not run
c failed: no such
  column";
        assert_eq!(summary(123, &runs, 0), expected);
        let without_ticks = summary(0, &runs[..1], 0);
        assert!(!without_ticks.contains("ticks"), "{without_ticks}");
    }

    #[test]
    fn long_names_and_numbers_fit_into_80_columns() {
        let long = "a_detection_with_a_rather_long_name_that_says_it_all";
        for rows in [1, 10_000_000, 4_000_000_000] {
            let text = summary(1, &[run(long, Kind::Windowed, rows), run("b", Kind::NewTerms, rows)], 0);
            for line in text.lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
            assert!(text.contains("a_detec"), "{text}");
        }
    }
}
