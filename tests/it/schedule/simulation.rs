//! Days that pass in seconds, with all that happens to programs and data. At the end the alerts
//! are those of one hunt over all of it.

use super::bench::{Bench, Running, Written, beginning, pair, parsed, written};
use super::world::{Arrivals, FEW, MORE};
use crate::random_hunts::choices::{Choices, tape};
use crate::stores::servers::{Environment, bucket, container};
use chrono::{DateTime, Duration as Span, FixedOffset, Utc};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What is simulated.
struct Script {
    seed: u64,
    days: i64,
    events: usize,
    /// The clock goes on by up to so many hours at a time.
    stride: i64,
    /// Events are late by no more than this.
    latest: Span,
    /// In which steps the scheduler is killed first; else by chance.
    kills: Option<&'static [usize]>,
}

/// What happened.
#[derive(Debug, Default)]
struct Happened {
    steps: usize,
    kills: usize,
    pairs: usize,
    backwards: usize,
    ahead: usize,
    compactions: usize,
}

struct Simulation<'a> {
    bench: &'a Bench,
    script: &'a Script,
    choices: Choices<'a>,
    arrivals: Arrivals,
    happened: Happened,
}

impl Simulation<'_> {
    fn end(&self) -> DateTime<Utc> {
        beginning() + Span::days(self.script.days) + self.script.latest
    }

    fn start(&self, name: &str, now: DateTime<Utc>) -> Running {
        let now = written(now);
        self.bench
            .start(name, &["schedule", "--once", "--until", &now, "--log-level", "warn"])
    }

    /// Starts a scheduler and kills it, after it has come to wherever it has come.
    fn kill(&mut self, now: DateTime<Utc>) {
        let mut running = self.start("killed", now);
        std::thread::sleep(Duration::from_millis(self.choices.below(400) as u64));
        running.kill();
        self.happened.kills += 1;
    }

    /// Two schedulers at once: each does what is due, or says that the other does.
    fn two(&mut self, now: DateTime<Utc>) {
        let mut both = ["one", "other"].map(|name| self.start(name, now));
        for running in &mut both {
            let status = running.end();
            assert_eq!(status.code(), Some(0), "{:?}", self.bench.said(running));
        }
        self.happened.pairs += 1;
    }

    fn step(&mut self, now: DateTime<Utc>) {
        let records = self.arrivals.until(now);
        let mut ingest = (!records.is_empty()).then(|| self.bench.ingesting(&records));
        let number = self.happened.steps;
        self.happened.steps += 1;
        // Else it goes on while the scheduler works.
        if let Some(ingest) = ingest.as_mut()
            && self.choices.chance(70)
        {
            ingest.end();
        }
        let chance = self.choices.below(100);
        match self.script.kills {
            Some(kills) if kills.contains(&number) => self.kill(now),
            None if (15..45).contains(&chance) => self.kill(now),
            _ => {}
        }
        match chance {
            35..60 => self.two(now),
            60..70 => {
                self.bench.caught_up(now - Span::days(1), &[]);
                self.happened.backwards += 1;
            }
            70..80 => {
                let ahead = (now + Span::hours(27)).min(self.end());
                self.bench.caught_up(ahead, &[]);
                self.happened.ahead += 1;
            }
            80..90 => {
                self.bench.ok(&["lake", "compact"]);
                self.happened.compactions += 1;
            }
            _ => {}
        }
        if let Some(mut ingest) = ingest {
            let status = ingest.end();
            assert_eq!(status.code(), Some(0), "{:?}", self.bench.said(&ingest));
        }
        // Who finds that another one holds the lease leaves it to the next.
        let last = self.bench.once(&written(now), &[]);
        assert_eq!(last.code, 0, "{last:?}");
    }
}

/// Simulates, and holds what came of it against a hunt.
fn simulate(mut bench: Bench, script: &Script) -> Happened {
    let sink = bench.sandbox.path("sink.jsonl");
    bench.settings(&format!(
        "[sinks.file]\nkind = \"file\"\npath = \"{}\"\nsuppressed = true\n\
         changes = [\"new\", \"grown\", \"revised\", \"withdrawn\"]\n",
        sink.display()
    ));
    let tape = tape(script.seed, 20 * script.events + 10_000);
    let mut choices = Choices::new(&tape);
    let mut arrivals = Arrivals::of(&mut choices, script.days, script.events, script.latest);
    let mut now = beginning() + Span::hours(3);
    bench.ingest(&arrivals.until(now));
    let mut simulation = Simulation {
        bench: &bench,
        script,
        choices,
        arrivals,
        happened: Happened::default(),
    };
    let (last_event, end) = (beginning() + Span::days(script.days), simulation.end());
    while now < end {
        // All that comes after the last event is late.
        let stride = match now < last_event {
            true => 1200 + simulation.choices.below((script.stride * 3600) as usize) as i64,
            false => (script.latest.num_seconds() / 2).max(1),
        };
        now = (now + Span::seconds(stride)).min(end);
        simulation.step(now);
    }
    let happened = simulation.happened;
    bench.caught_up(end, &[]);

    let alerts = bench.assert_as_hunted(end);
    assert!(alerts > script.events / 10, "{alerts} alerts say little");
    assert_shown_once(&bench);
    let revisions = bench.revisions();
    assert!(revisions.len() > alerts, "nothing was ever revised");
    // What a crash has cut is no line of its own.
    let sent = std::fs::read_to_string(sink).unwrap();
    let sent = sent.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let sent: BTreeSet<(String, u64)> = sent.map(|revision| pair(&revision)).collect();
    let recorded: BTreeSet<(String, u64)> = revisions.into_iter().collect();
    assert_eq!(sent, recorded, "what was sent is what is recorded");
    for of in bench.status()["detections"].as_array().unwrap() {
        assert_eq!(of["gaps"], Value::Array(Vec::new()), "{of}");
    }
    bench.ok(&["lake", "check"]);
    happened
}

/// That of the alerts of a user the first is shown and stands for those of the next hours, as the
/// headers say, and that no other is shown.
fn assert_shown_once(bench: &Bench) {
    let mut alerts = bench.alerts();
    let time = |alert: &Value| DateTime::parse_from_rfc3339(alert["time"].as_str().unwrap()).unwrap();
    alerts.sort_by_cached_key(|alert| (time(alert), pair(alert).0));
    let listed = parsed(&bench.ok(&["alerts", "list", "--format", "jsonl"]));
    let shown: BTreeSet<String> = listed.iter().map(|alert| pair(alert).0).collect();
    let mut standing: BTreeMap<String, (String, DateTime<FixedOffset>)> = BTreeMap::new();
    let mut suppressed = 0;
    for alert in &alerts {
        let hours = match alert["detection"].as_str().unwrap() {
            "e_rule" => 6,
            "w_absent" => 12,
            _ => 0,
        };
        let group = format!(
            "{} {} {}",
            alert["detection"], alert["key"]["user.id"], alert["fields"]["user.id"]
        );
        let known = standing.get(&group).filter(|(_, until)| time(alert) < *until);
        let by = known.map(|(id, _)| id.clone());
        assert_eq!(alert["suppressed_by"].as_str(), by.as_deref(), "{alert}");
        assert_eq!(shown.contains(&pair(alert).0), by.is_none(), "{alert}");
        if by.is_none() {
            standing.insert(group, (pair(alert).0, time(alert) + Span::hours(hours)));
        } else {
            suppressed += 1;
        }
    }
    assert!(suppressed > 0, "none of {} is suppressed", alerts.len());
}

fn short(seed: u64) -> Script {
    Script {
        seed,
        days: 1,
        events: 90,
        stride: 5,
        latest: Span::hours(10),
        kills: Some(&[4]),
    }
}

#[test]
fn a_week_of_crashes_gives_what_a_hunt_finds() {
    let script = Script {
        seed: 5,
        days: 7,
        events: 700,
        stride: 16,
        latest: Span::days(3),
        kills: None,
    };
    let happened = simulate(Bench::new(&FEW), &script);
    // The seed is one with which everything happens.
    let Happened {
        steps,
        kills,
        pairs,
        backwards,
        ahead,
        compactions,
    } = happened;
    assert!(steps > 15, "{happened:?}");
    assert!(
        [kills, pairs, backwards, ahead, compactions]
            .iter()
            .all(|times| *times > 0),
        "{happened:?}"
    );
}

/// Takes minutes. `RETROHUNT_SEED` makes it another month.
#[test]
#[ignore = "a month of all kinds of detections, for when the schedule itself changes"]
fn a_month_of_crashes_gives_what_a_hunt_finds() {
    let seed = std::env::var("RETROHUNT_SEED").map_or(1, |seed| seed.parse().unwrap());
    let script = Script {
        seed,
        days: 30,
        events: 3300,
        stride: 12,
        latest: Span::days(10),
        kills: None,
    };
    let all: Vec<Written> = FEW.into_iter().chain(MORE).collect();
    simulate(Bench::new(&all), &script);
}

fn in_a_store((place, environment): (String, Environment), seed: u64) {
    let bench = Bench::on(&format!("{place}/lake"), environment, &[FEW[0], FEW[3], FEW[5]]);
    let happened = simulate(bench, &short(seed));
    assert!(happened.kills == 1 && happened.steps >= 8, "{happened:?}");
}

#[test]
fn crashes_on_s3_give_what_a_hunt_finds() {
    in_a_store(bucket("scheduled"), 3);
}

#[test]
fn crashes_on_azure_give_what_a_hunt_finds() {
    in_a_store(container("scheduled"), 4);
}
