//! Settings that commands share, and how their texts are read.

use crate::error::{Error, Result};

/// What a query or an ingest may use.
#[derive(Debug, Clone, Copy)]
pub struct Resources {
    /// Bytes.
    pub memory_limit: u64,
    /// Threads.
    pub threads: usize,
}

/// Reads a size such as `2GB`, `512 MiB` or `1048576`. Units are powers of 1024 either way.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number
        .parse()
        .map_err(|_| format!("{text:?} is no size; write for example 2GB or 512MB"))?;
    let exponent = match unit.trim().to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 1,
        "M" | "MB" | "MIB" => 2,
        "G" | "GB" | "GIB" => 3,
        "T" | "TB" | "TIB" => 4,
        other => return Err(format!("{other:?} is no unit of size; write KB, MB, GB or TB")),
    };
    let bytes = number * 1024_f64.powi(exponent);
    if bytes < 1.0 {
        Err("must be more than nothing".into())
    } else {
        Ok(bytes as u64)
    }
}

/// Reads an instant: RFC 3339, a date (its first moment, UTC), a date and time without
/// zone (UTC), or how long ago (`14d`, `6h`). Microseconds since the Unix epoch.
pub fn parse_instant(text: &str, now: i64) -> Result<i64, String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("now") {
        return Ok(now);
    }
    if let Ok(time) = chrono::DateTime::parse_from_rfc3339(text) {
        return Ok(time.timestamp_micros());
    }
    for format in [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ] {
        if let Ok(time) = chrono::NaiveDateTime::parse_from_str(text, format) {
            return Ok(time.and_utc().timestamp_micros());
        }
    }
    if let Ok(date) = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Ok(date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros());
    }
    let ago = |unit: i64, number: &str| Some(now - number.parse::<i64>().ok()?.checked_mul(unit)?);
    let relative = match text.chars().last() {
        Some('d') => ago(86_400_000_000, &text[..text.len() - 1]),
        Some('h') => ago(3_600_000_000, &text[..text.len() - 1]),
        Some('m') => ago(60_000_000, &text[..text.len() - 1]),
        _ => None,
    };
    relative.ok_or_else(|| {
        format!("{text:?} is no time; write 2026-03-01, 2026-03-01T08:00:00Z, or how long ago, such as 14d")
    })
}

/// A time as every output shows it: RFC 3339, UTC, fractions only where there are any.
pub fn format_instant(micros: i64) -> String {
    use chrono::SecondsFormat::{Micros, Secs};
    let precision = if micros % 1_000_000 == 0 { Secs } else { Micros };
    chrono::DateTime::from_timestamp_micros(micros)
        .map_or_else(|| micros.to_string(), |time| time.to_rfc3339_opts(precision, true))
}

/// Memory that an operation may take when nobody said: 60 % of what the machine, or the
/// container this runs in, has.
pub fn default_memory_limit() -> u64 {
    memory() / 10 * 6
}

/// Memory of the machine, or of the container this runs in; 4 GB where the system does not tell.
pub fn memory() -> u64 {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let total = read("/proc/meminfo").and_then(|text| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("MemTotal:"))?
            .trim()
            .to_owned();
        line.strip_suffix("kB")?
            .trim()
            .parse::<u64>()
            .ok()
            .map(|kib| kib * 1024)
    });
    let cgroup = read("/sys/fs/cgroup/memory.max").and_then(|text| text.trim().parse::<u64>().ok());
    [total, cgroup].into_iter().flatten().min().unwrap_or(4 << 30)
}

/// Threads when nobody said: one per core.
pub fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

impl Resources {
    /// Checks that there is enough to work with.
    pub fn new(memory_limit: u64, threads: usize) -> Result<Self> {
        let setting = |setting: &str, problem: &str| Error::Setting {
            setting: setting.into(),
            problem: problem.into(),
        };
        if memory_limit < 64 << 20 {
            return Err(setting("--memory-limit", "must be 64MB or more"));
        }
        if threads == 0 || threads > 1024 {
            return Err(setting("--threads", "must be from 1 to 1024"));
        }
        Ok(Self { memory_limit, threads })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(parse_bytes("2GB"), Ok(2 << 30));
        assert_eq!(parse_bytes("1.5 mib"), Ok(3 << 19));
        assert_eq!(parse_bytes("100"), Ok(100));
        assert!(parse_bytes("lots").is_err());
        assert!(parse_bytes("2 parsecs").is_err());
        assert!(parse_bytes("0").is_err());
    }

    #[test]
    fn instants() {
        let at = |text: &str| parse_instant(text, 1_000_000_000_000_000).map(format_instant);
        assert_eq!(at("2026-03-01").unwrap(), "2026-03-01T00:00:00Z");
        assert_eq!(at("2026-03-01T08:00:00+02:00").unwrap(), "2026-03-01T06:00:00Z");
        assert_eq!(at("2026-03-01 08:00").unwrap(), "2026-03-01T08:00:00Z");
        assert_eq!(at("2026-03-01T08:00:00.5").unwrap(), "2026-03-01T08:00:00.500000Z");
        assert_eq!(at("1d").unwrap(), "2001-09-08T01:46:40Z");
        assert!(at("yesterday-ish").is_err());
        assert!(at("é").is_err());
    }
}
