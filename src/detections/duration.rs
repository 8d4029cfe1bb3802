//! Durations as detections write them: `1h`, `30m`, `7d 12h`.

use std::time::Duration;

const UNITS: &[(&str, u64)] = &[("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// Reads a duration: whole numbers, each with its unit (`w`, `d`, `h`, `m`, `s`).
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no duration; write numbers with w, d, h, m or s, such as \"8h\" or \"7d 12h\"");
    let mut rest = text.trim();
    let mut seconds: u64 = 0;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|character: char| !character.is_ascii_digit())
            .ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let after = &rest[digits..];
        let (unit, length) = UNITS
            .iter()
            .find(|(unit, _)| after.starts_with(unit))
            .ok_or_else(wrong)?;
        let part = number.checked_mul(*length).ok_or_else(wrong)?;
        seconds = seconds.checked_add(part).ok_or_else(wrong)?;
        rest = after[unit.len()..].trim_start();
    }
    // A window must fit into microseconds with a sign, twice over.
    if seconds > i64::MAX as u64 / 4_000_000 {
        Err(wrong())
    } else {
        Ok(Duration::from_secs(seconds))
    }
}

/// The shortest way to write a duration that [`parse_duration`] reads.
pub fn format_duration(duration: Duration) -> String {
    let mut seconds = duration.as_secs();
    let mut parts = Vec::new();
    for (unit, length) in UNITS.iter().filter(|(unit, _)| *unit != "w") {
        if seconds >= *length {
            parts.push(format!("{}{unit}", seconds / length));
            seconds %= length;
        }
    }
    if parts.is_empty() { "0s".into() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds, written) in [
            ("1h", 3_600, "1h"),
            ("14d", 1_209_600, "14d"),
            ("7d 12h", 648_000, "7d 12h"),
            ("7d12h", 648_000, "7d 12h"),
            (" 90m ", 5_400, "1h 30m"),
            ("2w", 1_209_600, "14d"),
            ("0s", 0, "0s"),
        ] {
            let duration = parse_duration(text).unwrap();
            assert_eq!(duration.as_secs(), seconds, "{text}");
            assert_eq!(format_duration(duration), written);
            assert_eq!(parse_duration(written), Ok(duration));
        }
        for text in [
            "",
            "5",
            "h",
            "1.5h",
            "-1h",
            "1y",
            "1h x",
            "99999999999999999999d",
            "999999999999999w",
            "é",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
