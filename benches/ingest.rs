//! How fast and in how much memory a folder of audit records is ingested.
//!
//! `cargo bench --bench ingest` writes 900,000 Management Activity records (about 1.2 GB of
//! JSON lines, 1 % of them repeats, 90 days, 2,000 users) with `retrohunt generate` below the build
//! folder, once, and ingests them into a new lake under `--memory-limit 2GB` on two threads.
//! `RETROHUNT_BENCH_EVENTS` changes the number of events, `RETROHUNT_BENCH_RUNS` that of runs.

#![allow(clippy::expect_used, clippy::print_stdout)]

mod made;

use made::{measured, setting};
use retrohunt::generate::{Format, Tenant};
use std::fs;
use std::path::Path;
use std::process::Command;

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let events = setting("RETROHUNT_BENCH_EVENTS", 900_000);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ingest-tenant-{events}"));
    let logs = folder.join("logs");
    let tenant = Tenant {
        events,
        days: 90,
        duplicates: 0.01,
        formats: vec![Format::Audit],
        ..Tenant::default()
    };
    made::tenant(&folder, tenant);
    let bytes: u64 = fs::read_dir(&logs)
        .expect("logs")
        .map(|e| e.expect("entry").metadata().expect("size").len())
        .sum();
    println!("{events} events, {:.2} GB", bytes as f64 / 1e9);
    for run in 1..=setting("RETROHUNT_BENCH_RUNS", 3) {
        let lake = folder.join("lake");
        let _ = fs::remove_dir_all(&lake);
        let (seconds, peak) = ingest(&logs, &lake);
        println!(
            "run {run}: {seconds:.1} s, {:.0} MB/s, {:.0} events/s, peak memory {:.0} MB, lake {:.0} bytes per event",
            bytes as f64 / 1e6 / seconds,
            events as f64 / seconds,
            peak as f64 / 1e6,
            size_of(&lake) as f64 / events as f64,
        );
    }
}

fn ingest(logs: &Path, lake: &Path) -> (f64, u64) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retrohunt"));
    command.args(["ingest", "--memory-limit", "2GB", "--threads", "2", "--format", "json"]);
    command.arg(logs).arg("--lake").arg(lake);
    measured(&mut command)
}

fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    entries
        .map(|path| {
            if path.is_dir() {
                size_of(&path)
            } else {
                fs::metadata(path).expect("size").len()
            }
        })
        .sum()
}
