//! `retrohunt bench`, on tenants so small that what it measures says nothing of the machine.

use crate::cli::{codes, transcript};
use crate::sandbox::Sandbox;
use crate::stores::servers;
use retrohunt::capacity::{Measurements, Model, Phase, Work};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

const SMALL: [&str; 12] = [
    "bench",
    "--quick",
    "--days",
    "2",
    "--sizes",
    "1000,2k,4k",
    "--repeat",
    "2",
    "--detections",
    "suspicious_source",
    "--workspace",
    "workspace",
];

fn read(path: &Path) -> Measurements {
    Measurements::from_json(&std::fs::read_to_string(path).unwrap(), "bench.json").unwrap()
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn all_work_is_measured_and_the_model_fits() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(
        &[
            &SMALL[..],
            &["--thread-counts", "1,2", "--validate", "8k", "--report", "bench.html"],
        ]
        .concat(),
    );
    assert_eq!(run.code, 0, "{run:?}");
    assert!(is_empty(&sandbox.path("workspace")), "the workspace is removed");

    // Where a plan looks for it.
    let written = sandbox.path(".local/share/retrohunt/bench.json");
    let measured = read(&written);
    assert_eq!(measured.settings.sizes_events, [1000, 2000, 4000]);
    assert_eq!(measured.settings.validation_sizes_events, [8000]);
    assert_eq!(measured.settings.detections, ["suspicious_source"]);
    assert!(measured.machine.cores > 0 && measured.machine.memory_bytes > 0);

    let works = [
        "ingest",
        "hunt:suspicious_source",
        "hunt_all",
        "tick",
        "scan",
        "new_terms",
        "aggregate",
        "join",
        "compaction",
        "needle:event_id",
        "needle:address",
        "needle:session",
        "needle:application",
        "needle:message_id",
    ];
    let wanted: BTreeSet<Work> = works.iter().map(|work| work.parse().unwrap()).collect();
    let found: BTreeSet<Work> = measured.measurements.iter().map(|one| one.work.clone()).collect();
    assert_eq!(found, wanted);
    for work in &wanted {
        for threads in [1, 2] {
            let of = |phase: Phase| {
                let same = |one: &&retrohunt::capacity::Measurement| {
                    one.work == *work && one.threads == threads && one.phase == phase
                };
                let sizes = measured.measurements.iter().filter(same);
                sizes.map(|one| one.quantities.events).collect::<BTreeSet<_>>().len()
            };
            assert!(of(Phase::Fit) >= 3, "{work} with {threads}");
            assert_eq!(of(Phase::Validate) > 0, threads == 2, "{work} with {threads}");
        }
    }
    for one in &measured.measurements {
        assert!(one.seconds.len() >= 2, "{one:?}");
        assert_eq!(
            one.peak_memory_bytes.is_some_and(|bytes| bytes > 1 << 20),
            cfg!(target_os = "linux")
        );
        match &one.work {
            Work::Ingest => assert!(
                one.quantities.input_bytes > Some(one.quantities.events * 500),
                "{one:?}"
            ),
            Work::Needle(_) => assert!(one.quantities.alerts > Some(0), "a needle is found: {one:?}"),
            Work::NewTerms => assert!(one.quantities.distinct_terms > Some(0), "{one:?}"),
            Work::Scan => {
                assert_eq!(
                    one.quantities.events_read,
                    Some(one.quantities.events),
                    "nothing is pruned"
                );
                assert_eq!(one.quantities.alerts, Some(1));
            }
            Work::Compaction => assert!(one.quantities.files > one.quantities.days, "{one:?}"),
            _ => {}
        }
    }
    // An ingest of little, into a lake that is there.
    let ingests = measured.measurements.iter().filter(|one| one.work == Work::Ingest);
    assert!(ingests.map(|one| one.quantities.events).min() < Some(100));
    assert!(measured.limits.iter().all(|limit| limit.bytes_per_second > 0.0));
    let kinds: BTreeSet<&str> = measured.limits.iter().map(|limit| limit.kind.as_str()).collect();
    for kind in [
        "parse JSON",
        "SHA-256",
        "compress (zstd)",
        "write to disk",
        "decode Parquet",
    ] {
        assert!(kinds.contains(kind), "{kind} in {kinds:?}");
    }
    let audit = measured.datasets.iter().filter(|sizes| sizes.dataset == "o365.audit");
    let audit: Vec<u64> = audit.map(|sizes| sizes.events).collect();
    assert!(audit.len() == 3 && audit.is_sorted(), "{audit:?}");

    let model = Model::of(&measured);
    assert_eq!(model.unfitted, []);
    assert!(
        model
            .works
            .iter()
            .all(|work| !work.validation.is_empty() && !work.seconds.costs.is_empty())
    );

    for part in [
        "What the largest size took, with 2 threads",
        "hunt_all",
        "held against a size",
        "needle:address",
    ] {
        assert!(run.stdout.contains(part), "{part} in {}", run.stdout);
    }
    let page = std::fs::read_to_string(sandbox.path("bench.html")).unwrap();
    assert!(page.contains("Roofline") && page.matches("<svg ").count() == 5);
    let plan: serde_json::Value = serde_json::from_str(&sandbox.ok(&[
        "plan",
        "--events",
        "20000",
        "--schedule-interval",
        "1h",
        "--format",
        "json",
    ]))
    .unwrap();
    let parts = plan["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["part"].as_str().unwrap());
    assert_eq!(parts.collect::<Vec<_>>(), ["ingest", "compaction", "schedule", "hunts"]);
}

#[test]
fn an_object_store_is_measured_and_left_as_it_was() {
    let (url, environment) = servers::bucket("bench");
    let sandbox = Sandbox::new();
    let more = [
        "--thread-counts",
        "1",
        "--validate",
        "0",
        "--store",
        &url,
        "--output",
        "b.json",
        "--format",
        "json",
    ];
    let mut command = sandbox.command(&[&SMALL[..], &more].concat());
    let run = crate::sandbox::Run::of(command.envs(environment).output().unwrap(), &sandbox.path("."));
    assert_eq!(run.code, 0, "{run:?}");
    let measured = read(&sandbox.path("b.json"));
    assert_eq!(std::fs::read_to_string(sandbox.path("b.json")).unwrap(), run.stdout);
    assert_eq!(measured.settings.stores, ["local", "s3"]);
    for one in measured.measurements.iter().filter(|one| one.store == "s3") {
        let made = one.quantities.requests.unwrap();
        let writes = matches!(one.work, Work::Ingest | Work::Compaction | Work::Tick);
        assert!(made.get > 0 && (made.put > 0) == writes, "{one:?}");
    }
    assert!(
        measured
            .measurements
            .iter()
            .all(|one| (one.store == "s3") == one.quantities.requests.is_some())
    );
    let model = Model::of(&measured);
    assert!(
        model
            .work(&Work::HuntAll, "s3")
            .unwrap()
            .requests_at(retrohunt::capacity::At::new(1e6, 2))
            .is_some()
    );
    assert_eq!(servers::objects("bench"), 0);
}

#[test]
fn what_cannot_be_measured_is_said_before_anything_is_made() {
    let sandbox = Sandbox::new();
    let lines: [&[&str]; 9] = [
        &["bench", "--sizes", "1k,2k"],
        &["bench", "--sizes", "1k,2k,many"],
        &["bench", "--sizes", "3k,2k,1k"],
        &["bench", "--validate", "1k"],
        &["bench", "--repeat", "1"],
        &["bench", "--thread-counts", "0,1"],
        &["bench", "--detections", "suspicious_sauce"],
        &["bench", "--store", "somewhere"],
        &["bench", "--output", "no/such/folder/bench.json"],
    ];
    let text = transcript(&sandbox, lines);
    assert_eq!(codes(&text), BTreeSet::from(["[1]", "[2]"]), "{text}");
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("bench_errors", text));
    // More than any disk has.
    let huge = sandbox.run(&[
        "bench",
        "--sizes",
        "1k,2k,900G",
        "--validate",
        "0",
        "--workspace",
        "workspace",
    ]);
    assert_eq!(huge.code, 2, "{huge:?}");
    assert!(
        huge.stderr.contains("are needed; give a folder on a larger disk"),
        "{huge:?}"
    );
    assert!(is_empty(&sandbox.path("workspace")));
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    let mut child = sandbox
        .command(&SMALL)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    // In the middle of something.
    while !sandbox.path("workspace").is_dir() || is_empty(&sandbox.path("workspace")) {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing was begun");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(700));
    crate::sandbox::interrupt(&child);
    let ended = child.wait().unwrap();
    assert_eq!(ended.code(), Some(1));
    assert!(is_empty(&sandbox.path("workspace")));
    assert!(!sandbox.path(".local/share/retrohunt/bench.json").exists());
}
