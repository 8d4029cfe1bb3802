//! What can be told without running anything.

use super::*;
use crate::capacity::{Cache, Limit, LimitKind, Machine, Measurement, Model, Phase, Quantities, Work};

fn bench() -> Bench {
    Bench {
        program: "retrohunt".into(),
        workspace: "workspace".into(),
        store: None,
        sizes: vec![100_000, 300_000, 1_000_000],
        validate: vec![3_000_000],
        days: 30,
        threads: vec![1, 2],
        repeat: 5,
        quick: false,
        detections: Vec::new(),
        seed: 1,
        resources: Resources {
            memory_limit: 1 << 30,
            threads: 2,
        },
    }
}

#[test]
fn only_events_grow_from_size_to_size() {
    let shapes = shapes::of(&bench());
    let of = |is_spread: bool| {
        let found = shapes.iter().filter(move |shape| shape.is_spread == is_spread);
        found.map(|shape| (shape.events, shape.days)).collect::<Vec<_>>()
    };
    assert_eq!(
        of(false),
        [(100_000, 30), (300_000, 30), (1_000_000, 30), (3_000_000, 30)]
    );
    // As many events on a day as the smallest, on fewer and more days.
    assert_eq!(of(true), [(33_333, 10), (200_000, 60)]);
    let validated = shapes.iter().filter(|shape| shape.phase == Phase::Validate);
    assert_eq!(validated.map(|shape| shape.events).collect::<Vec<_>>(), [3_000_000]);
    // Leaving out a size leaves out one tenant.
    let doubled = Bench {
        sizes: vec![100_000, 200_000, 400_000],
        ..bench()
    };
    let spread = shapes::of(&doubled).into_iter().filter(|shape| shape.is_spread);
    assert_eq!(spread.map(|shape| shape.events).collect::<Vec<_>>(), [33_333]);
    let quick = Bench { quick: true, ..bench() };
    assert!(shapes::of(&quick).iter().all(|shape| !shape.is_spread));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let said = |change: &dyn Fn(&mut Bench)| {
        let mut changed = bench();
        change(&mut changed);
        changed.check().unwrap_err().to_string()
    };
    assert!(bench().check().is_ok());
    assert!(said(&|bench| bench.sizes.truncate(2)).starts_with("--sizes: must be three or more"));
    assert!(said(&|bench| bench.sizes.reverse()).contains("--sizes: must ascend"));
    assert!(said(&|bench| bench.sizes[0] = 10).contains("--sizes: must be 1000 or more"));
    assert!(said(&|bench| bench.validate[0] = 1_000_000).contains("--validate: must be larger"));
    assert!(said(&|bench| bench.repeat = 1).contains("--repeat"));
    assert!(said(&|bench| bench.days = 1).contains("--days"));
    assert!(said(&|bench| bench.threads = vec![2, 2]).contains("--thread-counts"));
}

#[test]
fn room_is_asked_for_by_events() {
    let small = Bench {
        validate: Vec::new(),
        ..bench()
    };
    let (small, large) = (needed(&small), needed(&bench()));
    // Three million events, two kilobytes each and more.
    assert!(large - small > 3_000_000 * 2000, "{small} {large}");
    assert!(
        available(std::path::Path::new("."))
            .unwrap()
            .is_none_or(|free| free > 0)
    );
    let nowhere = available(std::path::Path::new("/no/such/folder"));
    assert!(nowhere.is_err() || !cfg!(unix));
}

/// Ingests and scans that take what they should, but one that is all over the place.
fn measured() -> Measurements {
    let settings = Settings {
        sizes_events: vec![1_000_000, 2_000_000, 4_000_000],
        threads: vec![1, 2],
        stores: vec!["local".into()],
        ..Settings::default()
    };
    let machine = Machine {
        cpu: "<script>alert(1)</script>".into(),
        ..Machine::default()
    };
    let mut run = Measurements::new(machine, settings);
    for events in [1_000_000, 2_000_000, 4_000_000, 12_000_000] {
        for threads in [1, 2] {
            for (work, speed) in [(Work::Ingest, 0.5e6), (Work::Scan, 2e6), (Work::HuntAll, 4e6)] {
                let seconds = 0.1 + events as f64 / speed / f64::from(threads);
                let is_wild = work == Work::HuntAll && events == 4_000_000 && threads == 2;
                let spread = if is_wild { 0.4 } else { 0.01 };
                run.measurements.push(Measurement {
                    work,
                    phase: match events {
                        12_000_000 => Phase::Validate,
                        _ => Phase::Fit,
                    },
                    threads,
                    store: "local".into(),
                    cache: Cache::Warm,
                    quantities: Quantities {
                        events,
                        input_bytes: Some(events * 1000),
                        bytes_read: Some(events * 300),
                        ..Quantities::default()
                    },
                    seconds: [1.0 - spread, 1.0, 1.0 + spread].map(|of| of * seconds).to_vec(),
                    peak_memory_bytes: None,
                });
            }
        }
    }
    run.limits = vec![Limit {
        kind: LimitKind::Parse,
        threads: 2,
        bytes_per_second: 2e9,
    }];
    run
}

#[test]
fn what_is_too_noisy_is_said() {
    let run = measured();
    let model = Model::of(&run);
    let sections = sections(&run, &model);
    let took = &sections[0];
    let row = |work: &str| took.rows.iter().find(|row| row[0] == work).unwrap();
    assert_eq!(row("hunt_all")[3], "too noisy");
    assert!(row("ingest")[3].starts_with('±'), "{:?}", row("ingest"));
    // 4.1 s for 4 GB.
    assert_eq!(row("ingest")[5], "976 MB/s");
    let doubts = doubts(&run, &model);
    assert_eq!(doubts.len(), 1, "{doubts:?}");
    assert!(doubts[0].starts_with("hunt_all of 4,000,000 events with 2 threads on local: too noisy to conclude"));
    let against = sections
        .iter()
        .find(|section| section.title.starts_with("Speed against"));
    assert_eq!(against.unwrap().rows[0][2], "49 % of parse JSON");
}

#[test]
fn the_error_on_an_unseen_size_is_shown() {
    let mut run = measured();
    let held = run.measurements.iter_mut().filter(|one| one.phase == Phase::Validate);
    for one in held.filter(|one| one.work == Work::Scan) {
        one.seconds.iter_mut().for_each(|seconds| *seconds *= 2.0);
    }
    let model = Model::of(&run);
    let sections = sections(&run, &model);
    let validation = sections
        .iter()
        .find(|section| section.title.starts_with("The model, held"));
    let errors = validation
        .unwrap()
        .rows
        .iter()
        .map(|row| (row[0].as_str(), row[5].as_str()));
    let of = |work: &str| {
        errors
            .clone()
            .filter(|(name, _)| *name == work)
            .map(|(_, error)| error)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("scan"), ["-50.0 %", "-50.0 %"]);
    assert!(of("ingest").iter().all(|error| error.ends_with("0.0 %")));
    let said = doubts(&run, &model);
    let outside = said
        .iter()
        .filter(|doubt| doubt.contains("not within what the model expects"));
    assert_eq!(outside.count(), 2, "{said:?}");
}

#[test]
fn the_page_needs_nothing_else() {
    let run = measured();
    let html = page(&run, &Model::of(&run), "retrohunt bench --output \"<x>\"").unwrap();
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;") && html.contains("&lt;x&gt;"));
    let outside = html.replace("http://www.w3.org/2000/svg", "");
    for absent in ["http://", "https://", "src=", "url(", "NaN", "inf"] {
        assert!(!outside.contains(absent), "{absent}");
    }
    // By size, by threads, the fit, the roofline; no bytes by dataset without datasets.
    assert_eq!(html.matches("<svg ").count(), 4);
    for part in ["Roofline", "limit: parse JSON", "validation", "too noisy to conclude"] {
        assert!(html.contains(part), "{part}");
    }
}
