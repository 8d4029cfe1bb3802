//! When things happen: by the hour of the day and the day of the week where people are.

use super::organisation::Organisation;
use super::places::ZONES;
use super::random::Random;

const HOUR: u64 = 3_600;

/// How much people do in each hour of a working day.
const WORK: [u64; 24] = [
    2, 1, 1, 1, 1, 3, 10, 32, 82, 100, 97, 92, 60, 84, 96, 94, 86, 62, 34, 22, 18, 12, 7, 4,
];

/// How much of that they do on a Saturday and a Sunday, in hundredths.
const WEEKEND: [u64; 2] = [9, 12];

/// So many events, spread over the hours of a range.
#[derive(Debug)]
pub(super) struct Rhythm {
    from: u64,
    /// The first event of each hour, and how many there are at last.
    starts: Vec<u64>,
    /// For each hour of the week, up to which of a thousand thousandths each zone has.
    zones: Vec<[u64; ZONES.len()]>,
}

/// What is in full.
const WHOLE: u64 = 1_000_000;

impl Rhythm {
    /// `from` in seconds since 1970. `machines` is what happens at any hour whoever is awake,
    /// in hundredths of what people do in their busiest one.
    pub(super) fn new(organisation: &Organisation, from: u64, days: u64, events: u64, machines: u64) -> Self {
        let hours = days * 24;
        let weights: Vec<[u64; ZONES.len()]> = (0..168)
            .map(|hour| weights(organisation, from + hour * HOUR, machines))
            .collect();
        let of_hour = |hour: u64| weights[(hour % 168) as usize].iter().sum::<u64>();
        let all: u64 = (0..hours).map(of_hour).sum();
        let mut starts = vec![0];
        let mut before = 0;
        for hour in 0..hours {
            before += of_hour(hour);
            let start = u128::from(events) * u128::from(before) / u128::from(all.max(1));
            starts.push(start as u64);
        }
        let zones = weights.iter().map(|weights| {
            let all = weights.iter().sum::<u64>().max(1);
            let mut before = 0;
            weights.map(|weight| {
                before += weight;
                before * WHOLE / all
            })
        });
        Self {
            from,
            starts,
            zones: zones.collect(),
        }
    }

    /// How many events there are.
    pub(super) fn events(&self) -> u64 {
        self.starts.last().copied().unwrap_or_default()
    }

    /// The hour that an event is in. `near` is the hour of the event before, and becomes this.
    #[inline]
    pub(super) fn hour(&self, event: u64, near: &mut usize) -> usize {
        let is_in = |hour: usize| {
            self.starts.get(hour).is_some_and(|start| *start <= event)
                && self.starts.get(hour + 1).is_some_and(|end| event < *end)
        };
        if !is_in(*near) {
            *near = if is_in(*near + 1) {
                *near + 1
            } else {
                self.starts.partition_point(|start| *start <= event).saturating_sub(1)
            };
        }
        *near
    }

    /// The first event at or after a second.
    pub(super) fn at(&self, second: u64) -> u64 {
        let into = second.saturating_sub(self.from);
        let hour = (into / HOUR) as usize;
        let (Some(start), Some(end)) = (self.starts.get(hour), self.starts.get(hour + 1)) else {
            return self.events();
        };
        start + (end - start) * (into % HOUR) / HOUR
    }

    /// A second of an hour.
    #[inline]
    pub(super) fn second(&self, hour: usize, random: &mut Random) -> u64 {
        self.from + hour as u64 * HOUR + random.below(HOUR)
    }

    /// Where what happens in an hour happens.
    #[inline]
    pub(super) fn zone(&self, hour: usize, random: &mut Random) -> usize {
        let at = random.below(WHOLE);
        let upto = &self.zones[hour % self.zones.len()];
        upto.iter().position(|upto| at < *upto).unwrap_or_default()
    }
}

/// How much each zone does in the hour that begins at a second.
fn weights(organisation: &Organisation, second: u64, machines: u64) -> [u64; ZONES.len()] {
    let mut weights = [0; ZONES.len()];
    for ((weight, zone), (begin, end)) in weights.iter_mut().zip(&ZONES).zip(&organisation.zones) {
        let local = (second + 86_400).saturating_add_signed(zone.offset * 60) - 86_400;
        // The first of January 1970 was a Thursday; Monday is 0.
        let day = (local / 86_400 + 3) % 7;
        let work = WORK[(local / HOUR % 24) as usize];
        let people = match day {
            5 | 6 => work * WEEKEND[day as usize - 5],
            _ => work * 100,
        };
        *weight = (people + machines * 100) * (end - begin) as u64;
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    // 2026-01-05, a Monday.
    const MONDAY: u64 = 1_767_571_200;

    fn rhythm(events: u64) -> Rhythm {
        Rhythm::new(&Organisation::new(1, 100), MONDAY, 14, events, 4)
    }

    #[test]
    fn every_event_has_its_hour() {
        let rhythm = rhythm(10_007);
        assert_eq!(rhythm.events(), 10_007);
        let mut near = 0;
        let mut last = 0;
        for event in 0..10_007 {
            let hour = rhythm.hour(event, &mut near);
            assert!(hour >= last && hour < 14 * 24);
            assert_eq!(rhythm.hour(event, &mut 300), hour, "whatever was near");
            last = hour;
        }
        assert_eq!(rhythm.at(MONDAY), 0);
        assert_eq!(rhythm.at(MONDAY + 14 * 86_400), 10_007);
    }

    #[test]
    fn nights_and_weekends_are_quiet() {
        let rhythm = rhythm(1_000_000);
        let hour = |hour: usize| rhythm.starts[hour + 1] - rhythm.starts[hour];
        let day = |day: usize| (0..24).map(|of_day| hour(day * 24 + of_day)).sum::<u64>();
        assert!(hour(9) > hour(2) * 3);
        assert!(day(1) > day(5) * 3);
        assert!(day(1).abs_diff(day(8)) < day(1) / 100, "the next week is the same");
        let mut random = Random::new(1);
        let mut in_japan = |hour| (0..1_000).filter(|_| rhythm.zone(hour, &mut random) == 4).count();
        // One in the morning of UTC is ten in Tokyo.
        assert!(in_japan(1) > in_japan(14) * 4);
    }

    #[test]
    fn few_events_and_few_users() {
        let alone = Organisation::new(1, 1);
        let rhythm = Rhythm::new(&alone, MONDAY, 1, 3, 4);
        let mut random = Random::new(1);
        assert_eq!(rhythm.events(), 3);
        assert!((0..24).all(|hour| rhythm.zone(hour, &mut random) == 0));
    }
}
