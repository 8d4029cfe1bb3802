//! Ticks against a loop over all minutes.

use super::Rhythm;
use chrono::{DateTime, Datelike as _, NaiveDate, Timelike as _};
use proptest::prelude::*;
use std::time::Duration;

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 1440 * MINUTE;

fn at(year: i32, month: u32, day: u32, hour: u32, minute: u32) -> i64 {
    let date = NaiveDate::from_ymd_opt(year, month, day).unwrap();
    date.and_hms_opt(hour, minute, 0).unwrap().and_utc().timestamp_micros()
}

fn cron(pattern: &str) -> Rhythm {
    Rhythm::cron(pattern).unwrap()
}

/// A field of a pattern: as written, and the numbers it stands for.
#[derive(Debug, Clone)]
struct Field {
    written: String,
    numbers: Vec<u32>,
}

fn field(from: u32, to: u32) -> impl Strategy<Value = Field> {
    let all = move || Field {
        written: "*".into(),
        numbers: (from..=to).collect(),
    };
    prop_oneof![
        2 => Just(()).prop_map(move |()| all()),
        1 => prop::collection::btree_set(from..=to, 1..4).prop_map(|numbers| Field {
            written: numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(","),
            numbers: numbers.into_iter().collect(),
        }),
        1 => (from..=to, from..=to).prop_map(|(a, b)| Field {
            written: format!("{}-{}", a.min(b), a.max(b)),
            numbers: (a.min(b)..=a.max(b)).collect(),
        }),
        1 => (2..=to.max(3)).prop_map(move |step| Field {
            written: format!("*/{step}"),
            numbers: (from..=to).step_by(step as usize).collect(),
        }),
    ]
}

fn fits(fields: &[Field; 5], time: i64) -> bool {
    let [minutes, hours, days, months, weekdays] = fields;
    let time = DateTime::from_timestamp_micros(time).unwrap();
    let day = days.numbers.contains(&time.day());
    let weekday = weekdays.numbers.contains(&time.weekday().num_days_from_sunday());
    // Where both are given, either will do.
    let either = match (days.written.as_str(), weekdays.written.as_str()) {
        ("*", _) => weekday,
        (_, "*") => day,
        _ => day || weekday,
    };
    minutes.numbers.contains(&time.minute())
        && hours.numbers.contains(&time.hour())
        && months.numbers.contains(&time.month())
        && either
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn a_pattern_is_what_a_loop_over_minutes_finds(
        minutes in field(0, 59), hours in field(0, 23), days in field(1, 31), months in field(1, 12), weekdays in field(0, 6),
        from in -20_000_i64..30_000, odd in 0..MINUTE, steps in 0_u64..40,
    ) {
        let fields = [minutes, hours, days, months, weekdays];
        let text = fields.iter().map(|field| field.written.as_str()).collect::<Vec<_>>().join(" ");
        let Ok(rhythm) = Rhythm::cron(&text) else {
            prop_assert!(fields[2].numbers.iter().all(|day| *day > 29), "{}", text);
            return Ok(());
        };
        prop_assert_eq!(rhythm.pattern(), Some(text.as_str()));
        let (first, last) = (from * DAY + 77 * MINUTE, (from + 20) * DAY);
        let expected: Vec<i64> =
            (first..=last).step_by(MINUTE as usize).filter(|time| fits(&fields, *time)).collect();
        prop_assert!(rhythm.ticks(first, last).eq(expected.iter().copied()), "{}", text);
        prop_assert_eq!(rhythm.count(first, last), expected.len() as u64);
        let (step, longest) = (rhythm.step(), rhythm.longest_gap().as_micros() as i64);
        for pair in expected.windows(2) {
            let [a, b] = *pair else { unreachable!() };
            prop_assert_eq!((b - a) % step, 0);
            prop_assert!(b - a <= longest);
            prop_assert_eq!((rhythm.next(a), rhythm.previous(b)), (b, a));
            prop_assert_eq!((rhythm.next(b - 1), rhythm.previous(a + 1)), (b, a));
            prop_assert_eq!((rhythm.at_or_after(a), rhythm.at_or_before(b)), (a, b));
            let between = a + odd.clamp(1, b - a - 1);
            prop_assert_eq!((rhythm.at_or_after(between), rhythm.at_or_before(between)), (b, a));
            prop_assert!(rhythm.is_tick(a) && !rhythm.is_tick(between));
        }
        if let Some(end) = expected.last() {
            let place = expected.len().saturating_sub(1 + steps as usize);
            prop_assert_eq!(rhythm.back(*end, steps, first), expected[place]);
        }
    }

    #[test]
    fn an_interval_is_its_multiples(
        interval in 1_i64..50, from in -500_i64..500, length in 0_i64..300, steps in 0_u64..20,
    ) {
        let (rhythm, last) = (Rhythm::every_micros(interval), from + length);
        let expected: Vec<i64> = (from..=last).filter(|time| time.rem_euclid(interval) == 0).collect();
        prop_assert!(rhythm.ticks(from, last).eq(expected.iter().copied()));
        prop_assert_eq!(rhythm.count(from, last), expected.len() as u64);
        prop_assert_eq!(rhythm.step(), interval);
        let around = (from - interval..=last + interval).filter(|time| time.rem_euclid(interval) == 0);
        let around: Vec<i64> = around.collect();
        for time in from..=last {
            let after = around.iter().copied().find(|tick| *tick >= time);
            let before = around.iter().copied().rfind(|tick| *tick <= time);
            prop_assert_eq!(Some(rhythm.at_or_after(time)), after);
            prop_assert_eq!(Some(rhythm.at_or_before(time)), before);
            prop_assert_eq!(rhythm.is_tick(time), after == before);
            prop_assert_eq!(rhythm.next(time), rhythm.at_or_after(time + 1));
            prop_assert_eq!(rhythm.previous(time), rhythm.at_or_before(time - 1));
        }
        if let Some(end) = expected.last() {
            let place = expected.len().saturating_sub(1 + steps as usize);
            prop_assert_eq!(rhythm.back(*end, steps, from), expected[place]);
        }
    }

    #[test]
    fn whatever_is_written_is_read_or_refused(text in "[-*/,#LW?+@ 0-9A-Za-zé]{0,16}") {
        if let Ok(rhythm) = Rhythm::cron(&text) {
            let tick = rhythm.next(0);
            prop_assert!(rhythm.is_tick(tick) && tick > 0);
        }
    }
}

#[test]
fn working_days_are_consecutive() {
    let rhythm = cron("0 6 * * 1-5");
    let (friday, monday) = (at(2026, 3, 6, 6, 0), at(2026, 3, 9, 6, 0));
    assert_eq!((rhythm.next(friday), rhythm.previous(monday)), (monday, friday));
    assert_eq!(rhythm.step(), DAY);
    assert_eq!(rhythm.longest_gap(), Duration::from_secs(3 * 86_400));
    let spelled = cron(" 0  6 * * MON-FRI ");
    let (first, last) = (at(2026, 1, 1, 0, 0), at(2028, 1, 1, 0, 0));
    assert!(spelled.ticks(first, last).eq(rhythm.ticks(first, last)));
    assert_eq!(spelled.to_string(), "0 6 * * MON-FRI");
}

#[test]
fn steps_and_gaps() {
    let hour = 60 * MINUTE;
    for (pattern, step, gap) in [
        ("* * * * *", MINUTE, MINUTE),
        ("*/15 * * * *", 15 * MINUTE, 15 * MINUTE),
        ("7 * * * *", hour, hour),
        ("15 2,8,20 * * *", 6 * hour, 12 * hour),
        ("0 9-17 * * 1-5", hour, 64 * hour),
        ("0,7 3 * * *", MINUTE, 24 * hour - 7 * MINUTE),
        ("30 4 1 * *", DAY, 31 * DAY),
        ("0 0 29 2 *", DAY, 1461 * DAY),
    ] {
        let rhythm = cron(pattern);
        assert_eq!(rhythm.step(), step, "{pattern}");
        assert_eq!(rhythm.longest_gap().as_micros() as i64, gap, "{pattern}");
    }
}

#[test]
fn rare_days_are_found() {
    let leap = cron("0 0 29 2 *");
    assert_eq!(leap.next(at(2026, 1, 1, 0, 0)), at(2028, 2, 29, 0, 0));
    // 2100 is no leap year.
    assert_eq!(leap.next(at(2096, 2, 29, 0, 0)), at(2104, 2, 29, 0, 0));
    assert_eq!(leap.previous(at(2104, 2, 29, 0, 0)), at(2096, 2, 29, 0, 0));
    let last = cron("59 23 L * *");
    assert_eq!(last.next(at(2026, 2, 1, 0, 0)), at(2026, 2, 28, 23, 59));
    assert_eq!(last.next(at(2026, 2, 28, 23, 59)), at(2026, 3, 31, 23, 59));
    let second_tuesday = cron("0 18 * * TUE#2");
    assert_eq!(second_tuesday.next(at(2026, 3, 1, 0, 0)), at(2026, 3, 10, 18, 0));
    assert_eq!(cron("@daily").next(0), DAY);
}

#[test]
fn the_ends_of_time_are_no_end() {
    for rhythm in [cron("0 6 * * 1-5"), cron("0 0 29 2 *"), Rhythm::every_micros(DAY)] {
        assert_eq!(rhythm.at_or_after(i64::MAX), i64::MAX);
        assert!(rhythm.at_or_before(i64::MAX) > 0);
        assert_eq!(rhythm.previous(i64::MIN), i64::MIN);
        assert!(rhythm.at_or_after(i64::MIN) < 0);
        assert_eq!((rhythm.count(5, 4), rhythm.ticks(5, 4).next()), (0, None));
    }
}

#[test]
fn what_never_comes_and_what_is_no_pattern_is_refused() {
    for pattern in ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", ", * * * *", "0 , * * *"] {
        let error = Rhythm::cron(pattern).unwrap_err();
        assert!(error.starts_with("no time fits "), "{error}");
    }
    for pattern in [
        "",
        "0 6 * *",
        "0 0 6 * * 1",
        "0 0 6 * * 1 2026",
        "60 * * * *",
        "* 24 * * *",
        "5-3 * * * *",
        "*/0 * * * *",
        "daily",
    ] {
        let error = Rhythm::cron(pattern).unwrap_err();
        assert!(
            error.contains("is no pattern") && error.contains("0 6 * * 1-5"),
            "{error}"
        );
    }
}
