//! When Exchange logged nothing.

use serde::Serialize;

/// How long Exchange keeps silent about a mailbox after it throttled the logging.
const SILENCE: i64 = 24 * 3_600_000_000;

/// A time for which the absence of records says nothing: whatever was in the mailbox may
/// have been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Unlogged {
    /// The throttled record.
    #[serde(serialize_with = "super::instant")]
    pub from: i64,
    /// 24 hours after the last one that this window merges.
    #[serde(serialize_with = "super::instant")]
    pub to: i64,
}

/// The 24 hours after each throttled record; windows that overlap or touch become one.
pub fn unlogged_windows(throttled: impl IntoIterator<Item = i64>) -> Vec<Unlogged> {
    let mut times: Vec<i64> = throttled.into_iter().collect();
    times.sort_unstable();
    let mut windows: Vec<Unlogged> = Vec::new();
    for from in times {
        let to = from.saturating_add(SILENCE);
        match windows.last_mut() {
            Some(last) if from <= last.to => last.to = to,
            _ => windows.push(Unlogged { from, to }),
        }
    }
    windows
}

/// From when on a throttled record reaches into a range that begins at `from`.
pub(super) fn reaching(from: i64) -> i64 {
    from.saturating_sub(SILENCE).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: i64 = 3_600_000_000;

    fn hours(throttled: &[i64]) -> Vec<(i64, i64)> {
        let windows = unlogged_windows(throttled.iter().map(|hour| hour * HOUR));
        windows
            .iter()
            .map(|window| (window.from / HOUR, window.to / HOUR))
            .collect()
    }

    #[test]
    fn windows_merge_where_they_overlap_or_touch() {
        assert_eq!(hours(&[]), []);
        assert_eq!(hours(&[0]), [(0, 24)]);
        assert_eq!(hours(&[10, 0, 10]), [(0, 34)]);
        assert_eq!(hours(&[0, 24]), [(0, 48)]);
        assert_eq!(hours(&[0, 25]), [(0, 24), (25, 49)]);
        assert_eq!(unlogged_windows([i64::MAX])[0].to, i64::MAX);
    }

    #[test]
    fn a_record_reaches_into_the_next_day_but_not_its_end() {
        assert_eq!(reaching(24 * HOUR), 1);
        assert!(unlogged_windows([reaching(24 * HOUR)])[0].to > 24 * HOUR);
    }

    proptest! {
        /// Against a grid of minutes, each unlogged or not.
        #[test]
        fn merging_keeps_every_minute(minutes in prop::collection::vec(0_i64..6000, 0..12)) {
            const MINUTE: i64 = 60_000_000;
            let windows = unlogged_windows(minutes.iter().map(|minute| minute * MINUTE));
            for minute in 0..8000 {
                let silent = minutes.iter().any(|throttled| (*throttled..throttled + 24 * 60).contains(&minute));
                let at = minute * MINUTE;
                let shown = windows.iter().filter(|window| (window.from..window.to).contains(&at)).count();
                prop_assert_eq!(shown, usize::from(silent), "minute {}", minute);
            }
            // Nothing is left that touches.
            prop_assert!(windows.windows(2).all(|pair| pair[0].to < pair[1].from));
        }
    }
}
