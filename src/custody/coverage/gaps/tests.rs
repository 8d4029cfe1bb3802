//! Made-up tenants, and the definition of gaps read slowly.

use super::*;
use proptest::prelude::*;

/// Monday, 2026-01-05T00:00:00Z.
const MONDAY: i64 = 490_992;

const LIMIT: f64 = 0.001;

/// Numbers that look random and are always the same.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn poisson(&mut self, mean: f64) -> u64 {
        let (mut product, mut count) = (self.roll(), 0);
        while product > (-mean).exp() {
            product *= self.roll();
            count += 1;
        }
        count
    }
}

/// Weeks of a tenant that has this many events in an hour on average.
fn tenant(weeks: i64, seed: u64, mean: impl Fn(i64) -> f64) -> HashMap<i64, u64> {
    let mut dice = Dice(seed);
    (MONDAY..MONDAY + weeks * WEEK)
        .map(|hour| (hour, dice.poisson(mean(hour))))
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// 08:00 to 18:00 on weekdays, with edges and some at night.
fn office(hour: i64) -> f64 {
    match (is_weekend(hour), hour.rem_euclid(24)) {
        (true, _) => 0.2,
        (_, 9..17) => 40.0,
        (_, 8 | 17) => 6.0,
        _ => 0.4,
    }
}

fn gaps(hours: &HashMap<i64, u64>, range: (i64, i64)) -> Vec<Gap> {
    History::new(hours).gaps(range, LIMIT)
}

fn spans(gaps: &[Gap]) -> Vec<(i64, i64)> {
    gaps.iter().map(|gap| (gap.from, gap.to)).collect()
}

fn weeks(count: i64) -> (i64, i64) {
    (MONDAY, MONDAY + count * WEEK)
}

#[test]
fn the_calendar_is_that_of_utc() {
    assert_eq!(MONDAY.rem_euclid(24), 0);
    let days: Vec<bool> = (0..7).map(|day| is_weekend(MONDAY + day * 24)).collect();
    assert_eq!(days, [false, false, false, false, false, true, true]);
}

#[test]
fn office_hours_have_quiet_nights_and_weekends_and_no_gaps() {
    for seed in 0..20 {
        let found = gaps(&tenant(12, seed, office), weeks(12));
        assert_eq!(found, [], "seed {seed}");
    }
}

#[test]
fn hours_that_were_taken_out_are_found_exactly() {
    let tuesday = MONDAY + 5 * WEEK + 24;
    for seed in 0..20 {
        let mut hours = tenant(12, seed, office);
        hours.retain(|hour, _| !(tuesday + 10..tuesday + 13).contains(hour));
        let found = gaps(&hours, weeks(12));
        assert_eq!(spans(&found), [(tuesday + 10, tuesday + 13)], "seed {seed}");
        assert!((100..140).contains(&found[0].expected), "{found:?}");
    }
}

#[test]
fn a_gap_goes_on_over_nights_and_weekends() {
    // Thursday 12:00 to Tuesday 12:00.
    let (from, to) = (MONDAY + 4 * WEEK + 84, MONDAY + 5 * WEEK + 36);
    let mut hours = tenant(12, 1, office);
    hours.retain(|hour, _| !(from..to).contains(hour));
    assert_eq!(spans(&gaps(&hours, weeks(12))), [(from, to)]);
    // And again at the same time of other weeks: two of twelve are no habit.
    let later = (from + 3 * WEEK, to + 3 * WEEK);
    hours.retain(|hour, _| !(later.0..later.1).contains(hour));
    assert_eq!(spans(&gaps(&hours, weeks(12))), [(from, to), later]);
}

#[test]
fn a_month_that_is_missing_does_not_make_itself_usual() {
    let mut hours = tenant(12, 2, office);
    let (from, to) = (MONDAY + 4 * WEEK, MONDAY + 9 * WEEK);
    hours.retain(|hour, _| !(from..to).contains(hour));
    let found = gaps(&hours, weeks(12));
    // From Monday 09:00 to Friday 17:00: at the edges little is expected.
    assert_eq!(spans(&found), [(from + 9, to - 48 - 7)]);
}

#[test]
fn few_events_a_day_have_no_gaps() {
    for seed in 0..20 {
        let hours = tenant(12, seed, |_| 3.0 / 24.0);
        assert_eq!(gaps(&hours, weeks(12)), [], "seed {seed}");
        assert_eq!(History::new(&hours).expecting(weeks(12), LIMIT), 0);
    }
}

#[test]
fn a_quiet_log_can_lose_a_day() {
    let quiet = |hour| office(hour) / 12.0;
    for seed in 0..20 {
        let mut hours = tenant(12, seed, quiet);
        let day = MONDAY + 6 * WEEK + 48;
        assert_eq!(gaps(&hours, weeks(12)), [], "seed {seed}");
        assert_eq!(
            History::new(&hours).expecting(weeks(12), LIMIT),
            0,
            "no single hour is sure"
        );
        hours.retain(|hour, _| !(day..day + 24).contains(hour));
        let found = gaps(&hours, weeks(12));
        assert_eq!(found.len(), 1, "seed {seed}: {found:?}");
        let gap = found[0];
        assert!(gap.from <= day + 10 && day + 15 <= gap.to, "{gap:?}");
        assert!(
            day - 10 <= gap.from && gap.to <= day + 36,
            "as far as its neighbours are empty: {gap:?}"
        );
    }
}

#[test]
fn a_burst_is_no_habit() {
    let mut hours = tenant(8, 3, |_| 0.1);
    for week in [1, 4] {
        hours.insert(MONDAY + week * WEEK + 30, 100_000);
    }
    assert_eq!(gaps(&hours, weeks(8)), []);
}

#[test]
fn a_log_that_ends_early_is_held_against_what_was_asked_for() {
    let hours = tenant(8, 4, office);
    assert_eq!(gaps(&hours, weeks(8)), []);
    let found = gaps(&hours, weeks(9));
    assert_eq!(
        spans(&found),
        [(MONDAY + 8 * WEEK + 9, MONDAY + 8 * WEEK + 4 * 24 + 17)]
    );
    let inside = (MONDAY + 8 * WEEK + 34, MONDAY + 8 * WEEK + 36);
    assert_eq!(spans(&gaps(&hours, inside)), [inside], "judged by all of the history");
}

#[test]
fn few_days_are_compared_with_each_other() {
    // A week, 30 events in each hour, and Wednesday's 10:00 is missing.
    let missing = MONDAY + 58;
    let mut hours = tenant(1, 5, |_| 30.0);
    hours.remove(&missing);
    assert_eq!(
        spans(&gaps(&hours, weeks(1))),
        [(missing, missing + 1)],
        "with other weekdays"
    );
    // Two days: with all hours.
    let mut hours: HashMap<i64, u64> = (MONDAY..MONDAY + 48).map(|hour| (hour, 30)).collect();
    hours.remove(&(MONDAY + 20));
    assert_eq!(
        spans(&gaps(&hours, (MONDAY, MONDAY + 48))),
        [(MONDAY + 20, MONDAY + 21)]
    );
    // A few hours say nothing.
    let hours: HashMap<i64, u64> = [(MONDAY, 900), (MONDAY + 2, 900)].into();
    assert_eq!(gaps(&hours, (MONDAY, MONDAY + 3)), []);
    assert_eq!(gaps(&HashMap::new(), weeks(1)), []);
}

#[test]
fn hours_that_expect_events_are_those_of_the_office() {
    let hours = tenant(12, 6, office);
    let expecting = History::new(&hours).expecting(weeks(12), LIMIT);
    assert_eq!(expecting, 12 * 5 * 8, "09:00 to 17:00");
}

#[test]
fn probabilities_are_as_documented() {
    let usual = |hours, low| {
        Usual {
            hours,
            low,
            median: low,
        }
        .probability_of_none()
    };
    assert!(usual(3, 9) < LIMIT && usual(3, 8) > LIMIT);
    assert!(usual(1000, 7) < LIMIT && usual(1000, 6) > LIMIT);
    assert!((usual(100_000, 3) - (-3.0_f64).exp()).abs() < 1e-5);
    assert_eq!(usual(50, 0), 1.0);
}

/// The definition, hour by hour.
fn slowly(hours: &HashMap<i64, u64>, range: (i64, i64), limit: f64) -> Vec<Gap> {
    let busy: Vec<i64> = hours.iter().filter(|(_, n)| **n > 0).map(|(hour, _)| *hour).collect();
    let Some((&first, &last)) = busy.iter().min().zip(busy.iter().max()) else {
        return Vec::new();
    };
    let (end, known) = (last + 1, first.min(range.0)..range.1.max(last + 1));
    let count = |hour: i64| hours.get(&hour).copied().unwrap_or_default();
    // Which hours are empty together: the number of busy ones before them.
    let place = |hour: i64| busy.iter().filter(|&&other| other < hour).count();
    let places: HashMap<i64, usize> = known.clone().map(|hour| (hour, place(hour))).collect();
    let together = |a: i64, b: i64| count(a) == 0 && count(b) == 0 && places[&a] == places[&b];
    let quartiles = |mut counts: Vec<u64>, least: usize| {
        counts.sort_unstable();
        (counts.len() >= least).then(|| Usual {
            hours: counts.len(),
            low: counts[counts.len() / 4],
            median: counts[(counts.len() - 1) / 2],
        })
    };
    let usual = |hour: i64| {
        let others: Vec<i64> = (first..end).filter(|&other| !together(hour, other)).collect();
        let counts =
            |same: &dyn Fn(i64) -> bool| others.iter().copied().filter(|&other| same(other)).map(count).collect();
        quartiles(counts(&|other| (other - hour) % 168 == 0), 3)
            .or_else(|| {
                let same_kind = |other: i64| (other - hour) % 24 == 0 && is_weekend(other) == is_weekend(hour);
                quartiles(counts(&same_kind), 3)
            })
            .or_else(|| quartiles(counts(&|_| true), 24))
    };
    let empty = || (range.0..range.1).filter(|&hour| count(hour) == 0);
    let usual: HashMap<i64, Option<Usual>> = empty().map(|hour| (hour, usual(hour))).collect();
    let unlikely = |usual: Option<Usual>| usual.is_some_and(|usual| usual.probability_of_none() < limit);
    let usually_busy = |hour: i64| usual[&hour].is_some_and(|usual| usual.median > 0);
    let mut gaps: Vec<Gap> = Vec::new();
    for hour in empty() {
        let run: Vec<i64> = known.clone().filter(|&other| together(hour, other)).collect();
        let (from, length) = (run[0], run.len() as i64);
        let seen: Vec<i64> = empty().filter(|&other| together(hour, other)).collect();
        let mut of_whole = 0;
        let chosen = if length < 24 || seen.iter().any(|hour| unlikely(usual[hour])) {
            unlikely(usual[&hour])
        } else {
            let starts = (first..=end - length).filter(|start| (start - from) % 168 == 0);
            let starts = starts.filter(|start| start + length <= from || *start >= from + length);
            let sums = starts.map(|start| (start..start + length).map(count).sum());
            let busy = seen.iter().any(|&hour| usually_busy(hour));
            let whole = quartiles(sums.collect(), 3);
            of_whole = whole.map_or(0, |whole| whole.median);
            let whole = whole.map(Usual::probability_of_none);
            whole.is_some_and(|whole| whole < limit / 168.0) && (!busy || usually_busy(hour))
        };
        if chosen {
            match gaps.last_mut() {
                Some(last) if together(last.to - 1, hour) => last.to = hour + 1,
                _ => gaps.push(Gap {
                    from: hour,
                    to: hour + 1,
                    expected: of_whole,
                }),
            }
        }
    }
    for gap in &mut gaps {
        let medians = (gap.from..gap.to)
            .filter_map(|hour| usual[&hour])
            .map(|usual| usual.median);
        gap.expected = gap.expected.max(medians.sum());
    }
    gaps
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Tenants of all kinds with holes, looked at in part.
    #[test]
    fn gaps_are_those_of_the_definition(
        length in 1_i64..700,
        busy in prop::sample::select(vec![0.05, 0.5, 3.0, 12.0]),
        nights in prop::bool::ANY,
        seed in 0_u64..1000,
        holes in prop::collection::vec((0_i64..700, 1_i64..200), 0..4),
        cut in (0_i64..200, -100_i64..200),
        limit in prop::sample::select(vec![0.001, 0.05, 0.3]),
    ) {
        let mean = |hour: i64| if nights && !(8..18).contains(&hour.rem_euclid(24)) { busy / 30.0 } else { busy };
        let mut hours = tenant(6, seed, mean);
        hours.retain(|hour, _| *hour < MONDAY + length);
        hours.retain(|hour, _| !holes.iter().any(|(at, long)| (*at..at + long).contains(&(hour - MONDAY))));
        let range = (MONDAY + cut.0 - 20, (MONDAY + length + cut.1).max(MONDAY + cut.0));
        let quickly = History::new(&hours).gaps(range, limit);
        prop_assert_eq!(quickly, slowly(&hours, range, limit));
    }
}
