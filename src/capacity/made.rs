//! Made-up measurements whose truth is known, for tests.

use super::{Cache, DatasetSizes, Machine, Measurement, Measurements, Phase, Quantities, Requests, Settings, Work};

/// Seconds of a work, as a sum of what is true in a test.
#[derive(Debug, Clone, Copy)]
pub(super) struct Truth {
    pub(super) fixed: f64,
    pub(super) serial: f64,
    pub(super) shared: f64,
    pub(super) term: f64,
}

impl Truth {
    pub(super) fn seconds(&self, events: u64, threads: u32, terms: u64) -> f64 {
        let per_event = self.serial + self.shared / f64::from(threads);
        self.fixed + per_event * events as f64 + self.term * terms as f64
    }
}

/// Numbers from -1 to 1 that look like chance.
#[derive(Debug)]
pub(super) struct Noise(pub(super) u64);

impl Noise {
    pub(super) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// What a work takes by its truth, five times, each up to `noise` off.
pub(super) fn measured(work: Work, events: u64, threads: u32, truth: Truth, noise: (f64, u64)) -> Measurement {
    let mut chance = Noise(noise.1 ^ events.rotate_left(17) ^ u64::from(threads) ^ work.to_string().len() as u64);
    let terms = events / 1000;
    let seconds = truth.seconds(events, threads, 0);
    Measurement {
        work,
        phase: Phase::Fit,
        threads,
        store: "local".into(),
        cache: Cache::Warm,
        quantities: Quantities {
            events,
            input_bytes: Some(events * 1200),
            bytes_read: Some(events * 30),
            files: Some(30 + events / 1_000_000),
            distinct_terms: Some(terms),
            requests: None,
            days: Some(30),
            ..Quantities::default()
        },
        seconds: (0..5).map(|_| seconds * (1.0 + noise.0 * chance.next())).collect(),
        peak_memory_bytes: Some(150_000_000 + 40 * events),
    }
}

/// A hunt, an ingest and all else that a plan asks for, at four sizes and with one and two
/// threads, without noise.
pub(crate) fn run() -> Measurements {
    let sizes = [500_000, 1_000_000, 2_000_000, 4_000_000];
    let machine = Machine {
        cpu: "Test CPU".into(),
        cores: 2,
        memory_bytes: 8 << 30,
        os: "Linux".into(),
        retrohunt: "0.1.0".into(),
        date: "2026-11-22T06:00:00Z".into(),
    };
    let settings = Settings {
        sizes_events: sizes.to_vec(),
        threads: vec![1, 2],
        stores: vec!["local".into()],
        repetitions: 5,
        detections: vec!["suspicious_source".into(), "unusual_client_app".into()],
        compaction_target_bytes: Some(128 << 20),
        ..Settings::default()
    };
    let truth = |fixed, serial, shared| Truth {
        fixed,
        serial,
        shared,
        term: 0.0,
    };
    let works = [
        (Work::Ingest, truth(0.2, 0.5e-6, 5e-6)),
        (Work::Hunt("suspicious_source".into()), truth(0.1, 0.1e-6, 0.5e-6)),
        (Work::Hunt("unusual_client_app".into()), truth(0.1, 0.05e-6, 0.2e-6)),
        (Work::HuntAll, truth(0.15, 0.1e-6, 0.6e-6)),
        (Work::Tick, truth(0.3, 0.0, 0.8e-6)),
        (Work::Needle("message_id".into()), truth(0.05, 0.0, 0.01e-6)),
        (Work::Compaction, truth(0.1, 0.0, 1e-6)),
    ];
    let mut run = Measurements::new(machine, settings);
    for (work, truth) in works {
        for events in sizes.into_iter().chain([12_000_000]) {
            for threads in [1, 2] {
                let mut one = measured(work.clone(), events, threads, truth, (0.0, 1));
                if events == 12_000_000 {
                    one.phase = Phase::Validate;
                }
                run.measurements.push(one.clone());
                one.store = "s3".into();
                one.quantities.requests = Some(Requests {
                    put: 5 + events / 100_000,
                    get: 10 + events / 50_000,
                    list: 2,
                });
                one.seconds.iter_mut().for_each(|seconds| *seconds *= 1.5);
                run.measurements.push(one);
            }
        }
    }
    for (dataset, share, bytes) in [("azure.signinlogs", 3, 400), ("o365.audit", 7, 200)] {
        for size in sizes {
            let events = size * share / 10;
            run.datasets.push(DatasetSizes {
                dataset: dataset.into(),
                events,
                input_bytes: Some(events * 1200),
                stored_bytes: 30 * 20_000 + events * bytes,
                files: 30,
                days: 30,
                compacted: true,
            });
        }
    }
    run
}
