//! What was measured, as one HTML page that needs nothing else.

use super::shown::{self, handled, largest, largest_datasets, limit, seconds};
use crate::capacity::page::{CSS, list, millions, table};
use crate::capacity::statistics::median;
use crate::capacity::{At, LimitKind, Measurement, Measurements, Model, Phase, Work, WorkModel};
use crate::error::Result;
use crate::report::human::{bytes, count};
use crate::report::plot::{self, Axis, Series, escaped};
use std::fmt::Write as _;

/// Works that are drawn.
const DRAWN: [Work; 6] = [
    Work::Ingest,
    Work::HuntAll,
    Work::NewTerms,
    Work::Scan,
    Work::Aggregate,
    Work::Compaction,
];

/// Works whose fit is drawn: beside them there is room for the validation.
const FITTED: usize = 5;

/// Points of a line.
const STEPS: u32 = 40;

/// The page. `command` is what was typed.
pub fn page(run: &Measurements, model: &Model, command: &str) -> Result<String> {
    let mut html = String::new();
    head(&mut html, run, command);
    for section in shown::sections(run, model) {
        table(&mut html, &section);
        match section.title.as_str() {
            title if title.starts_with("What the largest size took") => {
                html.push_str(&by_size(run)?);
                html.push_str(&by_threads(run)?);
            }
            title if title.starts_with("What it costs") => html.push_str(&fits(run, model)?),
            title if title.starts_with("Storage") => html.push_str(&storage(run)?),
            title if title.starts_with("Speed against") => html.push_str(&roofline(run)?),
            _ => {}
        }
    }
    list(&mut html, "To be taken with care", &shown::doubts(run, model));
    html.push_str("</body></html>\n");
    Ok(html)
}

fn head(html: &mut String, run: &Measurements, command: &str) {
    let machine = &run.machine;
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Benchmark</title>\n<style>\n{CSS}{}</style></head>\n<body>\n<h1>Benchmark</h1>\n",
        plot::STYLE
    );
    let _ = writeln!(
        html,
        "<p>retrohunt {} on {}, {} cores, {}, {}, {}.</p>\n<p class=\"dim\"><code>{}</code></p>",
        escaped(&machine.retrohunt),
        escaped(&machine.cpu),
        machine.cores,
        bytes(machine.memory_bytes),
        escaped(&machine.os),
        escaped(&machine.date),
        escaped(command)
    );
    let list = |sizes: &[u64]| sizes.iter().map(|size| count(*size)).collect::<Vec<_>>().join(", ");
    let _ = writeln!(
        html,
        "<p class=\"dim\">Generated tenants of {} days with {} events (seed {}); validated with {}.</p>",
        largest(run)
            .iter()
            .filter_map(|one| one.quantities.days)
            .max()
            .unwrap_or_default(),
        list(&run.settings.sizes_events),
        run.settings.seed,
        match run.settings.validation_sizes_events.as_slice() {
            [] => "none".to_owned(),
            sizes => list(sizes),
        }
    );
}

fn logarithmic(label: &str, format: fn(f64) -> String) -> Axis<'_> {
    Axis {
        label,
        format,
        is_logarithmic: true,
    }
}

/// On the local disk, with some threads, of one work: events and median seconds, ascending.
fn points(run: &Measurements, work: &Work, threads: u32, phase: Option<Phase>) -> Vec<(f64, f64)> {
    let is_meant = |one: &&Measurement| {
        one.work == *work
            && one.threads == threads
            && one.store == "local"
            && phase.is_none_or(|phase| one.phase == phase)
    };
    let of = |one: &Measurement| Some((one.quantities.events as f64, median(&one.seconds)?));
    let mut points: Vec<(f64, f64)> = run.measurements.iter().filter(is_meant).filter_map(of).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

fn most_threads(run: &Measurements) -> u32 {
    run.settings.threads.last().copied().unwrap_or(1)
}

fn by_size(run: &Measurements) -> Result<String> {
    let series = DRAWN.iter().filter_map(|work| {
        let points = points(run, work, most_threads(run), None);
        let rates: Vec<(f64, f64)> = points.iter().map(|(events, time)| (*events, events / time)).collect();
        (!rates.is_empty()).then(|| Series {
            name: work.to_string(),
            line: rates.clone(),
            band: Vec::new(),
            points: rates,
        })
    });
    let title = format!("Events a second by size, with {} threads", most_threads(run));
    let series: Vec<Series> = series.collect();
    plot::curves(
        &title,
        logarithmic("events", millions),
        logarithmic("", millions),
        &series,
    )
}

fn by_threads(run: &Measurements) -> Result<String> {
    if run.settings.threads.len() < 2 {
        return Ok(String::new());
    }
    let series = DRAWN.iter().filter_map(|work| {
        let each = run.settings.threads.iter().filter_map(|threads| {
            let points = points(run, work, *threads, Some(Phase::Fit));
            Some((f64::from(*threads), points.last()?.1))
        });
        let each: Vec<(f64, f64)> = each.collect();
        let alone = each.first()?.1;
        let faster: Vec<(f64, f64)> = each.iter().map(|(threads, time)| (*threads, alone / time)).collect();
        Some(Series {
            name: work.to_string(),
            line: faster.clone(),
            band: Vec::new(),
            points: faster,
        })
    });
    let threads = Axis {
        label: "threads",
        format: |threads| {
            if (threads - threads.round()).abs() < 0.01 {
                format!("{threads:.0}")
            } else {
                String::new()
            }
        },
        is_logarithmic: false,
    };
    let faster = Axis {
        label: "",
        format: |times| format!("{times:.1}×"),
        is_logarithmic: false,
    };
    let series: Vec<Series> = series.collect();
    plot::curves(
        "How many times faster with more threads, largest size",
        threads,
        faster,
        &series,
    )
}

fn fits(run: &Measurements, model: &Model) -> Result<String> {
    let threads = most_threads(run);
    let works = DRAWN.iter().filter_map(|work| model.work(work, "local"));
    let works: Vec<&WorkModel> = works.take(FITTED).collect();
    let mut series: Vec<Series> = works.iter().filter_map(|work| fit(run, work, threads)).collect();
    let held = works.iter().flat_map(|work| &work.validation);
    let held: Vec<(f64, f64)> = held.map(|held| (held.events as f64, held.measured_seconds)).collect();
    if !held.is_empty() {
        series.push(Series {
            name: "validation".into(),
            points: held,
            ..Series::default()
        });
    }
    let title = format!(
        "The model (lines, with its interval) and what was measured (points), with {threads} threads; tenants of \
         other numbers of days lie beside their line"
    );
    plot::curves(
        &title,
        logarithmic("events", millions),
        logarithmic("", seconds),
        &series,
    )
}

fn fit(run: &Measurements, work: &WorkModel, threads: u32) -> Option<Series> {
    let measured = points(run, &work.work, threads, Some(Phase::Fit));
    let validated = work.validation.iter().map(|held| held.events as f64);
    let (smallest, largest) = (work.smallest_events as f64, work.largest_events as f64);
    let most = validated.fold(largest, f64::max);
    let line = (0..=STEPS).filter_map(|step| {
        let events = smallest * (most / smallest).powf(f64::from(step) / f64::from(STEPS));
        Some((events, work.seconds_at(At::new(events, threads))?))
    });
    let line: Vec<_> = line.filter(|(_, expected)| expected.value > 0.0).collect();
    Some(Series {
        name: work.work.to_string(),
        line: line
            .iter()
            .map(|(events, expected)| (*events, expected.value))
            .collect(),
        band: line
            .iter()
            .map(|(events, expected)| (*events, expected.low.max(expected.value / 10.0), expected.high))
            .collect(),
        points: measured,
    })
}

fn storage(run: &Measurements) -> Result<String> {
    let bars = largest_datasets(run)
        .into_iter()
        .map(|sizes| (sizes.dataset.clone(), sizes.stored_bytes as f64));
    let bars: Vec<(String, f64)> = bars.collect();
    plot::bars(
        "Bytes by dataset, in the largest lake",
        |size| bytes(size as u64),
        &bars,
    )
}

/// Events a second by the bytes that each event takes: under the lines is what is possible.
fn roofline(run: &Measurements) -> Result<String> {
    let point = |one: &&Measurement| {
        let events = one.quantities.events as f64;
        Some((handled(one)? as f64 / events, events / median(&one.seconds)?))
    };
    let of = |is_ingest: bool| {
        let local = largest(run).into_iter().filter(|one| one.store == "local");
        let meant = local.filter(|one| (one.work == Work::Ingest) == is_ingest && one.work != Work::Compaction);
        meant
            .collect::<Vec<_>>()
            .iter()
            .filter_map(point)
            .collect::<Vec<(f64, f64)>>()
    };
    let (ingest, asked) = (of(true), of(false));
    let all = ingest.iter().chain(&asked).map(|(intensity, _)| *intensity);
    let (low, high) = all.fold((f64::INFINITY, 0.0_f64), |(low, high), one| {
        (low.min(one), high.max(one))
    });
    if !low.is_finite() {
        return Ok(String::new());
    }
    let (low, high) = (low / 2.0, high * 2.0);
    let roof = |kind: LimitKind| {
        let rate = limit(run, kind)?;
        Some(Series {
            name: format!("limit: {}", kind.as_str()),
            line: vec![(low, rate / low), (high, rate / high)],
            ..Series::default()
        })
    };
    let dots = |name: &str, points: Vec<(f64, f64)>| Series {
        name: name.into(),
        points,
        ..Series::default()
    };
    let mut series: Vec<Series> = [LimitKind::Scan, LimitKind::Parse, LimitKind::DiskRead]
        .into_iter()
        .filter_map(roof)
        .collect();
    series.push(dots("ingest (bytes of logs)", ingest));
    series.push(dots("hunts and queries (bytes read)", asked));
    let intensity = logarithmic("bytes per event", |value| {
        if value < 10.0 {
            format!("{value:.2}")
        } else {
            count(value as u64)
        }
    });
    plot::curves(
        "Roofline: events a second by the bytes that each event takes",
        intensity,
        logarithmic("", millions),
        &series,
    )
}
