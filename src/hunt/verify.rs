//! Replays some ticks of a hunt and compares what one pass over the whole range gives for
//! them: a check on the data at hand of what tests check on invented data.

use super::ticks::{self, in_parts, one_by_one, plan, rows_of_ticks};
use super::window_rows::WindowRows;
use super::{HuntRequest, Range};
use crate::alerts::WindowRow;
use crate::detections::{Detection, Kind, Rhythm};
use crate::engine::{Engine, Lifted, Ticks};
use crate::error::{Error, Result};
use futures::TryStreamExt as _;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Where a row is that the other does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OneOf {
    /// The evaluation of all ticks at once.
    OnePass,
    /// The evaluation of the tick by itself.
    Replay,
}

/// A row that only one of the two evaluations gives.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Id of the detection.
    pub detection: String,
    /// The tick, in RFC 3339.
    pub tick: String,
    /// Which evaluation gives it.
    pub only_in: OneOf,
    /// How many more of it than the other.
    pub times: u64,
    /// Its fields.
    pub fields: Map<String, Value>,
}

/// What a verification found.
#[derive(Debug)]
pub struct Verification {
    /// Ticks that were replayed.
    pub ticks: u64,
    /// Rows not in both; none is what should be.
    pub differences: Vec<Difference>,
}

/// Replays `count` random ticks of those that one pass answers, spread over the windowed
/// detections, and compares. Half of them are ticks at which something was found, where
/// there are as many. The same seed chooses the same ticks.
pub async fn verify(
    engine: &Engine,
    detections: &[&Detection],
    request: HuntRequest,
    count: u64,
    seed: u64,
) -> Result<Verification> {
    let mut at_once = Vec::new();
    for detection in detections {
        if let Some(ticks) = answered_at_once(engine, detection, request).await? {
            at_once.push((*detection, ticks));
        }
    }
    let available: Vec<u64> = at_once.iter().map(|(of, ticks)| ticks::count(of, *ticks)).collect();
    let mut verification = Verification {
        ticks: 0,
        differences: Vec::new(),
    };
    for ((detection, ticks), share) in at_once.into_iter().zip(shares(count, &available)) {
        if share == 0 {
            continue;
        }
        // As the hunt had to, where memory is short.
        let mut one_pass = sample(engine, detection, ticks, share, seed).await;
        if one_pass.as_ref().is_err_and(Error::is_out_of_memory) {
            one_pass = sample_of_parts(&engine.frugal()?, detection, ticks, share, seed).await;
        }
        let one_pass = match one_pass {
            Ok(one_pass) => one_pass,
            Err(error) if error.is_out_of_memory() => return Err(error),
            // Its hunt was a replay, and said so.
            Err(_) => continue,
        };
        let mut replayed = WindowRows::new(engine);
        one_by_one(engine, detection, one_pass.keys().copied(), &mut replayed).await?;
        let replayed = replayed.in_order().await?.collect::<Result<Vec<_>>>()?;
        verification.ticks += one_pass.len() as u64;
        verification
            .differences
            .extend(differences(detection.id(), one_pass, replayed));
    }
    Ok(verification)
}

/// What one pass over all ticks gives for some of them.
async fn sample(
    engine: &Engine,
    detection: &Detection,
    ticks: Ticks,
    share: u64,
    seed: u64,
) -> Result<BTreeMap<i64, Vec<WindowRow>>> {
    let mut sample = Sample::new(detection.id(), &detection.header.rhythm, ticks, share, seed);
    let planned = plan(engine, detection, ticks).await?;
    if let Lifted::Plan { .. } = &planned.lifted {
        // Exactly the plan of the hunt: with a filter of these ticks it would be another.
        let (plan, _) = planned.informed(engine, detection, ticks).await?;
        let mut stream = planned.session.run_counted(&plan).await?;
        while let Some(batch) = stream.try_next().await? {
            for row in rows_of_ticks(detection, &batch)? {
                sample.add(row);
            }
        }
    }
    Ok(sample.finish())
}

/// The same, evaluated in parts of the range.
async fn sample_of_parts(
    engine: &Engine,
    detection: &Detection,
    ticks: Ticks,
    share: u64,
    seed: u64,
) -> Result<BTreeMap<i64, Vec<WindowRow>>> {
    let mut sample = Sample::new(detection.id(), &detection.header.rhythm, ticks, share, seed);
    let mut rows = WindowRows::new(engine);
    in_parts(engine, detection, ticks, &mut rows).await?;
    for row in rows.in_order().await? {
        sample.add(row?);
    }
    Ok(sample.finish())
}

/// The ticks of a detection, if the hunt answered for them at once.
async fn answered_at_once(engine: &Engine, detection: &Detection, request: HuntRequest) -> Result<Option<Ticks>> {
    let Some(extent) = engine.extent().filter(|_| !request.replay) else {
        return Ok(None);
    };
    if detection.kind() != Kind::Windowed {
        return Ok(None);
    }
    let range = Range {
        from: request.from.unwrap_or(extent.first),
        to: request.to.unwrap_or(extent.last.saturating_add(1)),
    };
    let ticks = ticks::ticks(detection, request, range);
    if ticks.count() == 0 {
        return Ok(None);
    }
    // What cannot be planned failed in the hunt, which said so.
    let Ok(planned) = plan(engine, detection, ticks).await else {
        return Ok(None);
    };
    Ok(matches!(planned.lifted, Lifted::Plan { .. }).then_some(ticks))
}

/// Splits a number of ticks over detections with so many of them each, as evenly as can be.
fn shares(count: u64, available: &[u64]) -> Vec<u64> {
    let mut shares = vec![0; available.len()];
    let mut order: Vec<usize> = (0..available.len()).collect();
    order.sort_by_key(|&at| available[at]);
    let mut left = count;
    for (done, &at) in order.iter().enumerate() {
        let others = (order.len() - done) as u64;
        let share = left.div_ceil(others).min(available[at]);
        shares[at] = share;
        left -= share;
    }
    shares
}

/// Ticks chosen while the rows of all of them go by, with their rows.
struct Sample {
    id: String,
    seed: u64,
    /// As many random ticks as are wanted, and what one pass gives for them.
    random: BTreeMap<i64, Vec<WindowRow>>,
    /// Random ones of those that have rows: (rank, tick), the smallest ranks of all so far.
    /// A tick that a smaller rank has pushed out never comes in again.
    found: BTreeMap<(u64, i64), Vec<WindowRow>>,
    most_found: usize,
    wanted: usize,
}

impl Sample {
    fn new(id: &str, rhythm: &Rhythm, ticks: Ticks, wanted: u64, seed: u64) -> Self {
        let mut chosen = BTreeSet::new();
        // Floyd's way to distinct numbers below a limit, all sets alike probable.
        let all = rhythm.count(ticks.first, ticks.last);
        for limit in all.saturating_sub(wanted)..all {
            let number = rank(seed, id, "random", i64::try_from(limit).unwrap_or(i64::MAX)) % (limit + 1);
            chosen.insert(if chosen.contains(&number) { limit } else { number });
        }
        let wanted = chosen.len();
        let mut ticks = rhythm.ticks(ticks.first, ticks.last);
        let mut random = BTreeMap::new();
        let mut passed = 0;
        for number in chosen {
            let between = usize::try_from(number - passed).unwrap_or(usize::MAX);
            random.extend(ticks.nth(between).map(|tick| (tick, Vec::new())));
            passed = number + 1;
        }
        Self {
            id: id.to_owned(),
            seed,
            wanted,
            most_found: wanted.div_ceil(2),
            random,
            found: BTreeMap::new(),
        }
    }

    fn add(&mut self, row: WindowRow) {
        if let Some(rows) = self.random.get_mut(&row.tick) {
            rows.push(row.clone());
        }
        let place = (rank(self.seed, &self.id, "found", row.tick), row.tick);
        let full = self.found.len() >= self.most_found;
        if full && self.found.last_key_value().is_none_or(|(last, _)| place > *last) {
            return;
        }
        self.found.entry(place).or_default().push(row);
        if self.found.len() > self.most_found {
            self.found.pop_last();
        }
    }

    /// The ticks with something found, and random ones up to the number that is wanted.
    fn finish(self) -> BTreeMap<i64, Vec<WindowRow>> {
        let found = self.found.into_iter().map(|((_, tick), rows)| (tick, rows));
        let mut sample: BTreeMap<i64, Vec<WindowRow>> = found.collect();
        let (id, seed) = (self.id, self.seed);
        let mut random: Vec<_> = self.random.into_iter().collect();
        random.sort_by_key(|(tick, _)| rank(seed, &id, "order", *tick));
        for (tick, rows) in random {
            if sample.len() < self.wanted {
                sample.entry(tick).or_insert(rows);
            }
        }
        sample
    }
}

/// A number that only the seed and what is ranked decide.
fn rank(seed: u64, id: &str, purpose: &str, number: i64) -> u64 {
    xxh3_64_with_seed(format!("{purpose} {number} {id}").as_bytes(), seed)
}

/// Rows that are not in both, by tick.
fn differences(
    detection: &str,
    one_pass: BTreeMap<i64, Vec<WindowRow>>,
    replayed: impl IntoIterator<Item = WindowRow>,
) -> Vec<Difference> {
    // How many more of a row one pass has than the replay.
    let mut more: HashMap<(i64, String), (i64, Map<String, Value>)> = HashMap::new();
    let one_pass = one_pass.into_values().flatten().map(|row| (row, 1));
    for (row, one) in one_pass.chain(replayed.into_iter().map(|row| (row, -1))) {
        let text = Value::Object(row.fields.clone()).to_string();
        more.entry((row.tick, text)).or_insert((0, row.fields)).0 += one;
    }
    let mut unequal: Vec<_> = more.into_iter().filter(|(_, (count, _))| *count != 0).collect();
    unequal.sort_by(|(a, _), (b, _)| a.cmp(b));
    let difference = |((tick, _), (count, fields)): ((i64, String), (i64, _))| Difference {
        detection: detection.to_owned(),
        tick: crate::config::format_instant(tick),
        only_in: if count > 0 { OneOf::OnePass } else { OneOf::Replay },
        times: count.unsigned_abs(),
        fields,
    };
    unequal.into_iter().map(difference).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(tick: i64, fields: Value) -> WindowRow {
        let Value::Object(fields) = fields else {
            panic!("fields are an object")
        };
        WindowRow {
            tick,
            key: Map::new(),
            fields,
            first_time: None,
            event_ids: Vec::new(),
            event_count: 1,
        }
    }

    fn compared(one_pass: &[WindowRow], replayed: &[WindowRow]) -> Vec<(OneOf, u64, Value)> {
        let mut by_tick: BTreeMap<i64, Vec<WindowRow>> = BTreeMap::new();
        for row in one_pass {
            by_tick.entry(row.tick).or_default().push(row.clone());
        }
        let found = differences("d", by_tick, replayed.to_vec());
        let short = |difference: Difference| (difference.only_in, difference.times, Value::Object(difference.fields));
        found.into_iter().map(short).collect()
    }

    #[test]
    fn rows_are_compared_as_multisets_of_whole_rows() {
        let ann = row(10, json!({"user": "ann", "ids": ["1", "2"]}));
        let ben = row(10, json!({"user": "ben", "ids": []}));
        assert_eq!(compared(&[ann.clone(), ben.clone()], &[ben.clone(), ann.clone()]), []);
        // One row is doctored: the order of a list.
        let doctored = row(10, json!({"user": "ann", "ids": ["2", "1"]}));
        assert_eq!(
            compared(&[doctored.clone(), ben.clone()], &[ann.clone(), ben.clone()]),
            [
                (OneOf::Replay, 1, Value::Object(ann.fields.clone())),
                (OneOf::OnePass, 1, Value::Object(doctored.fields)),
            ]
        );
        // Another tick, a row too few, a row too many.
        let later = row(20, json!({"user": "ann", "ids": ["1", "2"]}));
        assert_eq!(compared(std::slice::from_ref(&ann), &[later]).len(), 2);
        let twice = [ben.clone(), ben.clone(), ben.clone()];
        let fields = Value::Object(ben.fields.clone());
        assert_eq!(compared(&twice, &twice[..1]), [(OneOf::OnePass, 2, fields.clone())]);
        assert_eq!(compared(&[], &twice[..2]), [(OneOf::Replay, 2, fields)]);
    }

    #[test]
    fn ticks_are_spread_evenly() {
        assert_eq!(shares(10, &[]), [0_u64; 0]);
        assert_eq!(shares(10, &[100, 100]), [5, 5]);
        assert_eq!(shares(10, &[100, 2, 100]), [4, 2, 4]);
        assert_eq!(shares(10, &[3, 2]), [3, 2]);
        assert_eq!(shares(1, &[3, 2]).iter().sum::<u64>(), 1);
        assert_eq!(shares(0, &[3, 2]), [0, 0]);
    }

    fn sampled(wanted: u64, seed: u64, found: &[i64]) -> Vec<i64> {
        let ticks = Ticks::within(10, 1000, 10, 10);
        let mut sample = Sample::new("d", &Rhythm::every_micros(10), ticks, wanted, seed);
        for tick in found {
            sample.add(row(*tick, json!({"n": 1})));
            sample.add(row(*tick, json!({"n": 2})));
        }
        let sample = sample.finish();
        for (tick, rows) in &sample {
            let expected = if found.contains(tick) { 2 } else { 0 };
            assert_eq!(rows.len(), expected, "{tick}");
            assert!(tick % 10 == 0 && (10..=1000).contains(tick), "{tick}");
        }
        sample.into_keys().collect()
    }

    #[test]
    fn only_times_of_a_pattern_are_replayed() {
        const HOUR: i64 = 3_600_000_000;
        let rhythm = Rhythm::cron("0 6,18 * * 1-5").unwrap();
        let (first, last) = (rhythm.next(0), rhythm.previous(400 * HOUR));
        let ticks = Ticks {
            first,
            last,
            interval: rhythm.step(),
            lookback: HOUR,
        };
        let all: Vec<i64> = rhythm.ticks(first, last).collect();
        for seed in 0..20 {
            let sample = |wanted| Sample::new("d", &rhythm, ticks, wanted, seed).finish().into_keys();
            assert!(sample(5).all(|tick| all.contains(&tick)));
            assert_eq!(sample(5).count(), 5);
            assert!(sample(all.len() as u64).eq(all.iter().copied()));
        }
    }

    #[test]
    fn half_of_the_sample_are_ticks_with_something_found() {
        let found: Vec<i64> = (40..60).map(|number| number * 10).collect();
        for seed in 0..50 {
            let sample = sampled(10, seed, &found);
            assert_eq!(sample.len(), 10);
            assert!(
                sample.iter().filter(|tick| found.contains(tick)).count() >= 5,
                "{sample:?}"
            );
            // The order in which rows come decides nothing.
            let reversed: Vec<i64> = found.iter().rev().copied().collect();
            assert_eq!(sampled(10, seed, &reversed), sample);
            assert_eq!(sampled(10, seed, &[]).len(), 10);
            assert_eq!(sampled(10, seed, &found[..2]).len(), 10);
        }
        assert_ne!(sampled(10, 1, &found), sampled(10, 2, &found));
        assert_eq!(sampled(100, 1, &found).len(), 100);
        assert_eq!(sampled(1, 1, &[500]), [500]);
    }
}
