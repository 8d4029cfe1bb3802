//! Logs made for benchmarks: the same on every machine.

#![allow(clippy::expect_used, clippy::print_stdout, dead_code, unreachable_pub)]

use retrohunt::generate::{self, Progress, Tenant};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// A number from the environment.
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// Writes the logs of a tenant into `logs` below the folder, once.
pub fn tenant(folder: &Path, tenant: Tenant) {
    // Written last: where it is, all is there.
    if !folder.join("tenant.json").exists() {
        let tenant = Tenant {
            users: 2_000,
            attacks: 0,
            force: true,
            threads: 2,
            ..tenant
        };
        let stop = AtomicBool::new(false);
        generate::write(&tenant, folder, &Quiet, &stop).expect("the build folder can be written");
    }
}

struct Quiet;

impl Progress for Quiet {
    fn total(&self, _: u64) {}
    fn position(&self, _: u64) {}
}

/// Runs a command: seconds, and the largest resident size that was seen.
pub fn measured(command: &mut Command) -> (f64, u64) {
    let started = Instant::now();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let watch = std::thread::spawn(move || {
        let mut peak = 0;
        while let Ok(text) = fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let Some(kib) = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()) else {
                break;
            };
            peak = kib * 1024;
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        peak
    });
    let ended = child.wait().expect("the program can be waited for");
    let seconds = started.elapsed().as_secs_f64();
    assert!(ended.success(), "{command:?} failed");
    (seconds, watch.join().expect("the watch ends"))
}
