//! When a detection runs: the times of its ticks.

use super::duration::format_duration;
use chrono::{Datelike as _, NaiveDate};
use croner::parser::{CronParser, Seconds, Year};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 1440 * MINUTE;

/// Days after which the calendar repeats itself, days of the week included.
const CALENDAR: i64 = 146_097;

/// The first of January 1970, counted from the first day of the year 1.
const EPOCH: i64 = 719_163;

/// The times of a detection's ticks, in microseconds since the Unix epoch, as all times here:
/// the multiples of an interval, or the times of a cron pattern in UTC.
///
/// There is always a next tick and one before, but beyond what an `i64` holds: there the
/// largest or the smallest number stands for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Rhythm(Beat);

#[derive(Clone, PartialEq, Eq)]
enum Beat {
    /// At the multiples of so many microseconds, at least 1.
    Every(i64),
    Cron(Arc<Pattern>),
}

/// A pattern with its times of a day and the days that have them.
struct Pattern {
    /// As written, with single spaces.
    text: String,
    /// Microseconds since midnight, in order; never empty.
    times: Vec<i64>,
    days: croner::Cron,
}

impl Rhythm {
    /// At the multiples of an interval since the Unix epoch.
    pub fn every(interval: Duration) -> Self {
        Self::every_micros(i64::try_from(interval.as_micros()).unwrap_or(i64::MAX))
    }

    /// The same of so many microseconds; of 1, if less.
    pub fn every_micros(interval: i64) -> Self {
        Self(Beat::Every(interval.max(1)))
    }

    /// At the times of a cron pattern of five fields, in UTC. An error says what is wrong with
    /// the pattern, also where it is that no time fits it.
    pub fn cron(pattern: &str) -> Result<Self, String> {
        let text = pattern.split_whitespace().collect::<Vec<_>>().join(" ");
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let days = parser.parse(&text).map_err(|error| {
            let problem = error.to_string();
            format!(
                "{pattern:?} is no pattern ({}); write minute, hour, day of month, month and day of week, \
                 such as \"0 6 * * 1-5\" for working days at 06:00 UTC",
                problem.trim_end_matches('.')
            )
        })?;
        let minutes = (0..60).filter(|minute| days.pattern.minute_match(*minute).unwrap_or(false));
        let minutes: Vec<u32> = minutes.collect();
        let hours = (0..24).filter(|hour| days.pattern.hour_match(*hour).unwrap_or(false));
        let times = hours.flat_map(|hour| minutes.iter().map(move |minute| i64::from(hour * 60 + minute) * MINUTE));
        let times = times.collect();
        let pattern = Pattern { text, times, days };
        if pattern.times.is_empty() || pattern.day_at_or_after(0).is_none() {
            return Err(format!(
                "no time fits {:?}: there is no such minute, hour or day",
                pattern.text
            ));
        }
        Ok(Self(Beat::Cron(Arc::new(pattern))))
    }

    /// The cron pattern, if it is one.
    pub fn pattern(&self) -> Option<&str> {
        match &self.0 {
            Beat::Every(_) => None,
            Beat::Cron(pattern) => Some(&pattern.text),
        }
    }

    /// Whether there is a tick at a time.
    pub fn is_tick(&self, time: i64) -> bool {
        match &self.0 {
            Beat::Every(interval) => time.rem_euclid(*interval) == 0,
            Beat::Cron(pattern) => {
                let (day, time) = (time.div_euclid(DAY), time.rem_euclid(DAY));
                pattern.times.binary_search(&time).is_ok() && pattern.is_day(day)
            }
        }
    }

    /// The first tick at or after a time.
    pub fn at_or_after(&self, time: i64) -> i64 {
        match &self.0 {
            Beat::Every(interval) => match time.rem_euclid(*interval) {
                0 => time,
                over => time.saturating_add(interval - over),
            },
            Beat::Cron(pattern) => pattern.at_or_after(time),
        }
    }

    /// The last tick at or before a time.
    pub fn at_or_before(&self, time: i64) -> i64 {
        match &self.0 {
            Beat::Every(interval) => time.saturating_sub(time.rem_euclid(*interval)),
            Beat::Cron(pattern) => pattern.at_or_before(time),
        }
    }

    /// The first tick after a time.
    pub fn next(&self, time: i64) -> i64 {
        self.at_or_after(time.saturating_add(1))
    }

    /// The last tick before a time.
    pub fn previous(&self, time: i64) -> i64 {
        self.at_or_before(time.saturating_sub(1))
    }

    /// The tick so many ticks before one, or the first that is not before `earliest`.
    pub fn back(&self, tick: i64, ticks: u64, earliest: i64) -> i64 {
        match &self.0 {
            Beat::Every(interval) => {
                let possible = tick.saturating_sub(earliest).max(0) / interval;
                let ticks = i64::try_from(ticks).unwrap_or(i64::MAX).min(possible);
                tick.saturating_sub(ticks.saturating_mul(*interval))
            }
            Beat::Cron(_) => {
                let mut first = tick;
                for _ in 0..ticks {
                    match self.previous(first) {
                        previous if previous >= earliest && previous < first => first = previous,
                        _ => break,
                    }
                }
                first
            }
        }
    }

    /// The ticks of a range of time, both ends included, in order.
    pub fn ticks(&self, from: i64, to: i64) -> Box<dyn Iterator<Item = i64> + Send + '_> {
        let (first, last) = (self.at_or_after(from), self.at_or_before(to));
        match &self.0 {
            Beat::Every(interval) => {
                let step = usize::try_from(*interval).unwrap_or(usize::MAX);
                Box::new((first..=last).step_by(step))
            }
            Beat::Cron(pattern) => {
                let days = (first <= last).then(|| first.div_euclid(DAY)..=last.div_euclid(DAY));
                let days = days.into_iter().flatten().filter(|day| pattern.is_day(*day));
                let ticks = days.flat_map(|day| pattern.times.iter().map(move |time| on(day, *time)));
                Box::new(ticks.filter(move |tick| (first..=last).contains(tick)))
            }
        }
    }

    /// How many ticks a range of time has, both ends included.
    pub fn count(&self, from: i64, to: i64) -> u64 {
        let (first, last) = (self.at_or_after(from), self.at_or_before(to));
        if first > last {
            return 0;
        }
        match &self.0 {
            Beat::Every(interval) => last.abs_diff(first) / interval.unsigned_abs() + 1,
            Beat::Cron(pattern) => {
                let (first_day, last_day) = (first.div_euclid(DAY), last.div_euclid(DAY));
                let days = (first_day..=last_day).filter(|day| pattern.is_day(*day)).count();
                let before = pattern.times.partition_point(|time| on(first_day, *time) < first);
                let upto = pattern.times.partition_point(|time| on(last_day, *time) <= last);
                // The ends are ticks, so their days count among them.
                (days * pattern.times.len() + upto - pattern.times.len() - before) as u64
            }
        }
    }

    /// The distance, in microseconds, of which the distances between any two ticks are
    /// multiples: the largest for the times of a day, at most a day.
    pub fn step(&self) -> i64 {
        match &self.0 {
            Beat::Every(interval) => *interval,
            Beat::Cron(pattern) => {
                let first = pattern.first_time();
                let times = pattern.times.iter();
                times.fold(DAY, |step, time| common_divisor(step, time - first))
            }
        }
    }

    /// The longest time between two ticks; of a pattern, within years to come.
    pub fn longest_gap(&self) -> Duration {
        // Two leap years and all days of the week.
        const YEARS: i64 = 8 * 366;
        let gap = match &self.0 {
            Beat::Every(interval) => *interval,
            Beat::Cron(pattern) => {
                let pairs = pattern.times.windows(2);
                let within_a_day = pairs.map(|pair| pair.iter().rev().copied().reduce(|b, a| b - a).unwrap_or(0));
                let over_night = DAY + pattern.first_time() - pattern.last_time();
                let mut longest_night = 0;
                let mut day = pattern.day_at_or_after(0).unwrap_or(0);
                while day < YEARS {
                    let next = pattern.day_at_or_after(day + 1).unwrap_or(day + CALENDAR);
                    longest_night = longest_night.max(over_night + (next - day - 1) * DAY);
                    day = next;
                }
                within_a_day.fold(longest_night, i64::max)
            }
        };
        Duration::from_micros(gap.unsigned_abs())
    }
}

impl Pattern {
    fn first_time(&self) -> i64 {
        self.times.first().copied().unwrap_or(0)
    }

    fn last_time(&self) -> i64 {
        self.times.last().copied().unwrap_or(0)
    }

    /// Whether a day, counted from the epoch, has ticks.
    fn is_day(&self, day: i64) -> bool {
        let number = i32::try_from(EPOCH + day.rem_euclid(CALENDAR)).ok();
        let Some(date) = number.and_then(NaiveDate::from_num_days_from_ce_opt) else {
            return false;
        };
        let pattern = &self.days.pattern;
        let is_month = || pattern.month_match(date.month()).unwrap_or(false);
        let is_day = || pattern.day_match(date.year(), date.month(), date.day());
        is_month() && is_day().unwrap_or(false)
    }

    fn day_at_or_after(&self, day: i64) -> Option<i64> {
        (day..day + CALENDAR).find(|day| self.is_day(*day))
    }

    fn day_at_or_before(&self, day: i64) -> Option<i64> {
        (day - CALENDAR + 1..=day).rev().find(|day| self.is_day(*day))
    }

    fn at_or_after(&self, time: i64) -> i64 {
        let (day, since) = (time.div_euclid(DAY), time.rem_euclid(DAY));
        let place = self.times.partition_point(|of_day| *of_day < since);
        match self.times.get(place) {
            Some(of_day) if self.is_day(day) => on(day, *of_day),
            _ => self
                .day_at_or_after(day + 1)
                .map_or(i64::MAX, |day| on(day, self.first_time())),
        }
    }

    fn at_or_before(&self, time: i64) -> i64 {
        let (day, since) = (time.div_euclid(DAY), time.rem_euclid(DAY));
        let place = self.times.partition_point(|of_day| *of_day <= since);
        match self.times.get(..place).and_then(<[i64]>::last) {
            Some(of_day) if self.is_day(day) => on(day, *of_day),
            _ => self
                .day_at_or_before(day - 1)
                .map_or(i64::MIN, |day| on(day, self.last_time())),
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

/// A time of a day.
fn on(day: i64, time: i64) -> i64 {
    let whole = i128::from(day) * i128::from(DAY) + i128::from(time);
    i64::try_from(whole).unwrap_or(if day < 0 { i64::MIN } else { i64::MAX })
}

fn common_divisor(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// As it is written in a header.
impl fmt::Display for Rhythm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Beat::Every(interval) => f.write_str(&format_duration(Duration::from_micros(interval.unsigned_abs()))),
            Beat::Cron(pattern) => f.write_str(&pattern.text),
        }
    }
}

impl fmt::Debug for Rhythm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            // As the duration that it was: hashes of definitions are made of it.
            Beat::Every(interval) => Duration::from_micros(interval.unsigned_abs()).fmt(f),
            Beat::Cron(pattern) => pattern.text.fmt(f),
        }
    }
}
