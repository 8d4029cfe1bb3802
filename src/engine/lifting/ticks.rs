//! The ticks of a hunt, and which of them see an event.

/// The ticks at which a windowed detection is evaluated, in microseconds: from the first on, one
/// interval apart. A tick T sees the events of (T - lookback, T].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd)]
pub struct Ticks {
    /// The first tick.
    pub first: i64,
    /// The last tick, a multiple of the interval after the first; none if before the first.
    pub last: i64,
    /// The distance between ticks; at least 1.
    pub interval: i64,
    /// How far each run looks.
    pub lookback: i64,
}

impl Ticks {
    /// The multiples of an interval since the Unix epoch in a range of time, both ends included.
    pub fn within(from: i64, to: i64, interval: i64, lookback: i64) -> Self {
        let interval = interval.max(1);
        Self {
            first: up(from, interval),
            last: to.div_euclid(interval).saturating_mul(interval),
            interval,
            lookback,
        }
    }

    /// All of them, in order.
    pub fn iter(self) -> impl Iterator<Item = i64> {
        let count = self.count();
        (0..count).map(move |number| self.first + i64::try_from(number).unwrap_or(i64::MAX) * self.interval)
    }

    /// How many there are.
    pub fn count(self) -> u64 {
        match self.last.checked_sub(self.first) {
            Some(length) if length >= 0 => (length / self.interval).unsigned_abs() + 1,
            Some(_) => 0,
            None => u64::MAX,
        }
    }

    /// To how many ticks an event is copied at most: the windows that overlap.
    pub fn copies(self) -> u64 {
        let whole = self.lookback.max(0) / self.interval;
        let more = i64::from(self.lookback.max(0) % self.interval != 0);
        (whole + more).unsigned_abs().min(self.count())
    }

    /// Spans of time as long as the window, by their ends: as ticks that see a time if it lies
    /// in one of the last `spans` spans before them. A tick lies in the span that ends with or
    /// after it; an event's ticks lie in the two spans that see it, of the last two.
    pub(super) fn spans(self, spans: i64) -> Self {
        let length = self.lookback.max(1);
        Self {
            first: up(self.first, length),
            last: up(self.last, length),
            interval: length,
            lookback: length.saturating_mul(spans),
        }
    }

    /// First and last of the ticks whose window holds an event at this time.
    pub(super) fn seeing(self, time: i64) -> Option<(i64, i64)> {
        // T sees the event while T >= time and T < time + lookback.
        let first = self.up(time).max(self.first);
        let last = self
            .up(time.saturating_add(self.lookback))
            .saturating_sub(self.interval);
        let last = last.min(self.last);
        (first <= last).then_some((first, last))
    }

    /// First and last time of events that some tick sees together with an event at this time;
    /// where windows are shorter than the interval, some between them are seen by no tick.
    pub(super) fn seen_with(self, time: i64) -> Option<(i64, i64)> {
        let (first, last) = self.seeing(time)?;
        Some((first.saturating_sub(self.lookback).saturating_add(1), last))
    }

    /// First and last half of them.
    pub fn halves(self) -> [Self; 2] {
        let half = i64::try_from(self.count() / 2).unwrap_or(i64::MAX);
        let middle = self.first.saturating_add(half.saturating_mul(self.interval));
        let before = middle.saturating_sub(self.interval);
        [Self { last: before, ..self }, Self { first: middle, ..self }]
    }

    /// The latest time that the very same ticks see: events of one pane cannot be told
    /// apart by any window.
    pub(super) fn pane(self, time: i64) -> i64 {
        let enters = self.up(time);
        let leaves = self
            .up(time.saturating_add(self.lookback))
            .saturating_sub(self.lookback);
        enters.min(leaves)
    }

    /// The next of the times that are intervals before or after the first tick, the time itself if
    /// it is one.
    fn up(self, time: i64) -> i64 {
        up(time.saturating_sub(self.first), self.interval).saturating_add(self.first)
    }
}

/// The next multiple of the interval, the time itself if it is one.
fn up(time: i64, interval: i64) -> i64 {
    let number = time.div_euclid(interval) + i64::from(time.rem_euclid(interval) != 0);
    number.saturating_mul(interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ticks_are_multiples_of_the_interval() {
        let ticks = |from, to| Ticks::within(from, to, 10, 5).iter().collect::<Vec<_>>();
        assert_eq!(ticks(1, 30), [10, 20, 30]);
        assert_eq!(ticks(10, 10), [10]);
        assert_eq!(ticks(11, 19), [0_i64; 0]);
        assert_eq!(ticks(-15, 5), [-10, 0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn an_event_is_seen_by_the_ticks_whose_window_holds_it(
            from in -60_i64..60, length in 0_i64..80, interval in 1_i64..20, lookback in 1_i64..50, time in -150_i64..150,
            offset in 0_i64..20,
        ) {
            // Where ticks lie is nothing to them, but that they are an interval apart.
            let ticks = Ticks::within(from, from + length, interval, lookback);
            let ticks = Ticks { first: ticks.first + offset, last: ticks.last + offset, ..ticks };
            let definition = |time: i64| -> Vec<i64> {
                ticks.iter().filter(|tick| tick - lookback < time && time <= *tick).collect()
            };
            let seeing: Vec<i64> = match ticks.seeing(time) {
                Some((first, last)) => (first..=last).step_by(usize::try_from(interval).unwrap()).collect(),
                None => Vec::new(),
            };
            prop_assert_eq!(&seeing, &definition(time));
            prop_assert!(seeing.len() as u64 <= ticks.copies());
            let together = |other: i64| definition(time).iter().any(|tick| definition(other).contains(tick));
            if let Some((first, last)) = ticks.seen_with(time) {
                prop_assert!((-220..320).all(|other| !together(other) || (first <= other && other <= last)));
                prop_assert!(interval > lookback || (first..=last).all(together));
            } else {
                prop_assert!(definition(time).is_empty());
            }
            let halves = ticks.halves();
            prop_assert!(halves.iter().flat_map(|half| half.iter()).eq(ticks.iter()));
            prop_assert!(ticks.count() < 2 || halves.iter().all(|half| half.count() >= ticks.count() / 2));
            let pane = ticks.pane(time);
            prop_assert!(pane >= time);
            prop_assert_eq!(definition(pane), seeing);
            // Whatever tick sees it, both are in the same span once.
            for tick in definition(time) {
                let (span, last) = ticks.spans(1).seeing(tick).unwrap();
                prop_assert_eq!(span, last);
                let (first, last) = ticks.spans(2).seeing(time).unwrap();
                prop_assert!((first..=last).step_by(usize::try_from(lookback).unwrap()).any(|seen| seen == span));
            }
            // Without the ends of the range, the pane is the last time of its kind.
            let endless = Ticks { first: ticks.first - 1000 * interval, last: ticks.first + 1000 * interval, ..ticks };
            prop_assert_eq!(endless.seeing(pane), endless.seeing(time));
            prop_assert_ne!(endless.seeing(pane + 1), endless.seeing(time));
        }
    }
}
