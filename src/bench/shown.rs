//! What was measured, as tables and sentences, for the terminal and for the page.

use crate::capacity::statistics::{Summary, TOO_NOISY};
use crate::capacity::{Cost, Driver, LimitKind, Measurement, Measurements, Model, Phase, Section, Work, WorkModel};
use crate::report::human::{bytes, count, duration};
use std::time::Duration;

/// All tables, in the order in which they are read.
pub fn sections(run: &Measurements, model: &Model) -> Vec<Section> {
    let sections = [
        took(run),
        costs(model),
        validation(model),
        datasets(run),
        limits(run),
        against_limits(run),
    ];
    sections
        .into_iter()
        .filter(|section| !section.rows.is_empty())
        .collect()
}

/// What should be taken with care, a sentence each.
pub fn doubts(run: &Measurements, model: &Model) -> Vec<String> {
    let noisy = run.measurements.iter().filter_map(|one| {
        let doubt = Summary::of(&one.seconds)?.doubt(TOO_NOISY)?;
        Some(format!("{}: {doubt}", place(one)))
    });
    let unfitted = model
        .unfitted
        .iter()
        .map(|one| format!("{} on {}: {}", one.work, one.store, one.reason));
    let outside = model.works.iter().flat_map(|work| {
        let outside = work.validation.iter().filter(|held| !held.is_inside);
        outside.map(|held| {
            format!(
                "{} on {}: {} events took {}, which is not within what the model expects ({} to {})",
                work.work,
                work.store,
                count(held.events),
                seconds(held.measured_seconds),
                seconds(held.predicted_seconds.low),
                seconds(held.predicted_seconds.high)
            )
        })
    });
    unfitted.chain(outside).chain(noisy).collect()
}

fn place(one: &Measurement) -> String {
    let threads = if one.threads == 1 { "thread" } else { "threads" };
    format!(
        "{} of {} events with {} {threads} on {}",
        one.work,
        count(one.quantities.events),
        one.threads,
        one.store
    )
}

/// Those of the largest size with the most threads, one per work and store.
pub(super) fn largest(run: &Measurements) -> Vec<&Measurement> {
    let threads = run.settings.threads.last().copied().unwrap_or(1);
    let fitted = |one: &&Measurement| one.phase == Phase::Fit && one.threads == threads;
    let mut found: Vec<&Measurement> = Vec::new();
    for one in run.measurements.iter().filter(fitted) {
        let same = |other: &&mut &Measurement| other.work == one.work && other.store == one.store;
        match found.iter_mut().find(same) {
            Some(other) if other.quantities.events < one.quantities.events => *other = one,
            Some(_) => {}
            None => found.push(one),
        }
    }
    found
}

fn took(run: &Measurements) -> Section {
    let several = run.settings.stores.len() > 1;
    let rows = largest(run).into_iter().filter_map(|one| {
        let summary = Summary::of(&one.seconds)?;
        let spread = match summary.doubt(TOO_NOISY) {
            Some(_) => "too noisy".to_owned(),
            None => format!("±{:.1} %", summary.relative_half_width()? * 100.0),
        };
        let name = match several {
            true => format!("{} ({})", one.work, one.store),
            false => one.work.to_string(),
        };
        let rate = |number: u64| number as f64 / summary.median;
        Some(vec![
            name,
            count(one.quantities.events),
            seconds(summary.median),
            spread,
            count(rate(one.quantities.events) as u64),
            handled(one).map_or_else(nothing, |number| speed(rate(number))),
            one.peak_memory_bytes.map_or_else(nothing, bytes),
        ])
    });
    let rows = rows.collect();
    let threads = run.settings.threads.last().copied().unwrap_or(1);
    Section {
        title: format!("What the largest size took, with {threads} threads"),
        header: vec!["", "events", "median", "interval", "events/s", "bytes/s", "memory"],
        rows,
        notes: vec![
            "Bytes are those of the logs for an ingest, those read of the lake's files for all else. Start-up is \
             included. Intervals hold the mean with 95 %."
                .into(),
        ],
    }
}

/// Bytes that a work is about.
pub(super) fn handled(one: &Measurement) -> Option<u64> {
    let bytes = match one.work {
        Work::Ingest => one.quantities.input_bytes,
        _ => one.quantities.bytes_read,
    };
    bytes.filter(|bytes| *bytes > 0)
}

fn costs(model: &Model) -> Section {
    let rows = model.works.iter().map(|work| {
        vec![
            name(model, work),
            work.seconds.costs.iter().map(cost).collect::<Vec<_>>().join(", "),
            percent(work.seconds.errors.max),
            work.seconds.errors.left_out_max.map_or_else(nothing, percent),
            format!("{:.2}", work.exponent),
        ]
    });
    Section {
        title: "What it costs, fitted".into(),
        header: vec!["", "costs", "error", "of unseen sizes", "exponent"],
        rows: rows.collect(),
        notes: vec![
            "The error is the largest on what the costs were fitted on; that of unseen sizes the largest when sizes \
             are left out one by one. The exponent is the power of the events with which seconds grow: 1 is linear, \
             less where starting takes a part."
                .into(),
        ],
    }
}

fn name(model: &Model, work: &WorkModel) -> String {
    let several = model.works.iter().any(|other| other.store != work.store);
    match several {
        true => format!("{} ({})", work.work, work.store),
        false => work.work.to_string(),
    }
}

/// `0.12 s fixed`, `1.4 µs per event`
fn cost(cost: &Cost) -> String {
    let amount = cost.amount;
    let (amount, unit) = match amount {
        _ if amount >= 0.1 => (amount, "s"),
        _ if amount >= 1e-4 => (amount * 1e3, "ms"),
        _ if amount >= 1e-7 => (amount * 1e6, "µs"),
        _ => (amount * 1e9, "ns"),
    };
    let per = match cost.per {
        Driver::Fixed => "fixed",
        Driver::EventByThreads => "per event and core",
        per => per.words(),
    };
    format!("{} {unit} {per}", short(amount))
}

/// Two or three digits that matter.
fn short(number: f64) -> String {
    match number {
        _ if number >= 100.0 => format!("{number:.0}"),
        _ if number >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

fn validation(model: &Model) -> Section {
    let rows = model.works.iter().flat_map(|work| {
        work.validation.iter().map(|held| {
            let predicted = held.predicted_seconds;
            vec![
                name(model, work),
                count(held.events),
                seconds(predicted.value),
                format!("{} to {}", seconds(predicted.low), seconds(predicted.high)),
                seconds(held.measured_seconds),
                format!("{:+.1} %", held.error * 100.0),
            ]
        })
    });
    Section {
        title: "The model, held against a size that it was not fitted on".into(),
        header: vec!["", "events", "predicted", "interval", "took", "error"],
        rows: rows.collect(),
        notes: Vec::new(),
    }
}

fn datasets(run: &Measurements) -> Section {
    let rows = largest_datasets(run).into_iter().map(|sizes| {
        let events = sizes.events.max(1);
        vec![
            sizes.dataset.clone(),
            count(sizes.events),
            bytes(sizes.stored_bytes),
            format!("{} B", count(sizes.stored_bytes / events)),
            sizes
                .input_bytes
                .map_or_else(nothing, |input| format!("{} B", count(input / events))),
            sizes.input_bytes.map_or_else(nothing, |input| {
                format!("{:.1}", input as f64 / sizes.stored_bytes.max(1) as f64)
            }),
        ]
    });
    Section {
        title: "Storage by dataset, in the largest lake".into(),
        header: vec!["", "events", "stored", "an event", "in the logs", "times smaller"],
        rows: rows.collect(),
        notes: Vec::new(),
    }
}

/// Of each dataset that of the largest lake, the largest first.
pub(super) fn largest_datasets(run: &Measurements) -> Vec<&crate::capacity::DatasetSizes> {
    let mut found: Vec<&crate::capacity::DatasetSizes> = Vec::new();
    for sizes in &run.datasets {
        match found.iter_mut().find(|other| other.dataset == sizes.dataset) {
            Some(other) if other.events < sizes.events => *other = sizes,
            Some(_) => {}
            None => found.push(sizes),
        }
    }
    found.sort_by_key(|sizes| std::cmp::Reverse(sizes.stored_bytes));
    found
}

fn limits(run: &Measurements) -> Section {
    let mut kinds: Vec<LimitKind> = run.limits.iter().map(|limit| limit.kind).collect();
    kinds.sort();
    kinds.dedup();
    let rows = kinds.into_iter().map(|kind| {
        let of_kind = run.limits.iter().filter(|limit| limit.kind == kind);
        let each = of_kind.map(|limit| {
            let threads = if limit.threads == 1 { "thread" } else { "threads" };
            format!("{} ({} {threads})", speed(limit.bytes_per_second), limit.threads)
        });
        vec![kind.as_str().to_owned(), each.collect::<Vec<_>>().join(", ")]
    });
    Section {
        title: "What the machine can do at best".into(),
        header: vec!["", "bytes a second"],
        rows: rows.collect(),
        notes: Vec::new(),
    }
}

/// The best of a limit.
pub(super) fn limit(run: &Measurements, kind: LimitKind) -> Option<f64> {
    let of_kind = run.limits.iter().filter(|limit| limit.kind == kind);
    of_kind.map(|limit| limit.bytes_per_second).max_by(f64::total_cmp)
}

fn against_limits(run: &Measurements) -> Section {
    let rows = largest(run).into_iter().filter_map(|one| {
        let rate = handled(one)? as f64 / Summary::of(&one.seconds)?.median;
        let kinds: &[LimitKind] = match one.work {
            Work::Ingest => &[LimitKind::Parse, LimitKind::Hash, LimitKind::Zstd],
            Work::Compaction => &[LimitKind::DiskWrite],
            _ => &[LimitKind::Scan, LimitKind::DiskRead],
        };
        let parts = kinds.iter().filter_map(|kind| {
            let part = rate / limit(run, *kind)?;
            Some(format!("{:.0} % of {}", part * 100.0, kind.as_str()))
        });
        let parts: Vec<String> = parts.collect();
        (one.store == "local" && !parts.is_empty()).then(|| vec![one.work.to_string(), speed(rate), parts.join(", ")])
    });
    Section {
        title: "Speed against these limits".into(),
        header: vec!["", "bytes/s", "part of what is possible"],
        rows: rows.collect(),
        notes: vec!["Small files and needles are far below the limits, as most of their time is start-up.".into()],
    }
}

pub(super) fn seconds(number: f64) -> String {
    match number {
        _ if number < 0.0 => "0 s".to_owned(),
        _ if number < 1.0 => format!("{:.0} ms", number * 1000.0),
        _ if number < 60.0 => format!("{number:.2} s"),
        _ => duration(Duration::try_from_secs_f64(number).unwrap_or(Duration::MAX)),
    }
}

pub(super) fn speed(bytes_per_second: f64) -> String {
    match bytes_per_second {
        rate if rate >= 1e9 => format!("{:.2} GB/s", rate / 1e9),
        rate => format!("{:.0} MB/s", rate / 1e6),
    }
}

fn percent(part: f64) -> String {
    format!("±{:.1} %", part * 100.0)
}

fn nothing() -> String {
    "-".to_owned()
}
