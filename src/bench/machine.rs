//! What the system says of the machine.

use crate::capacity::Machine;
use crate::config::{self, format_instant};

/// This machine, now.
pub(super) fn describe() -> Machine {
    let now = chrono::Utc::now().timestamp();
    Machine {
        cpu: cpu().unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        cores: config::default_threads() as u32,
        memory_bytes: config::memory(),
        os: os(),
        retrohunt: env!("CARGO_PKG_VERSION").to_owned(),
        date: format_instant(now * 1_000_000),
    }
}

fn cpu() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    let (_, name) = line.split_once(':')?;
    Some(name.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn os() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let release = read("/etc/os-release");
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let name = name.map_or(std::env::consts::OS, |name| name.trim_matches('"'));
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{name} {}", kernel.trim()).trim().to_owned()
}
