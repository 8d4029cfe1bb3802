//! The records of one log, by number: any of them can be made alone.

use super::attack::Planted;
use super::organisation::Organisation;
use super::others::{defender, directory, network, risk};
use super::random::{Random, join};
use super::rhythm::Rhythm;
use super::scene::{Scene, scene};
use super::{Format, Tenant, audit, sign_ins};

/// How many records come again together, on average.
const RUN: u64 = 8;

/// Records that are resent are mostly recent ones.
const RECENT: u64 = 4_000;

/// A log of a tenant: its records, and what attacks put between them.
#[derive(Debug)]
pub(super) struct Stream<'a> {
    pub(super) format: Format,
    organisation: &'a Organisation,
    seed: u64,
    rhythm: Rhythm,
    /// How many repeats there are, in millionths of the records.
    repeats: u64,
    /// By the record that they come before; `true` where it is a repeat.
    planted: Vec<(u64, Vec<u8>, bool)>,
    /// What records of CloudAppEvents carry.
    audit: Option<Box<Stream<'a>>>,
}

/// Where whoever makes records one after another is.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    hour: usize,
    hour_of_repeat: usize,
    scratch: Vec<u8>,
    planted: usize,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) events: u64,
    pub(super) planted: u64,
    pub(super) repeats: u64,
}

impl<'a> Stream<'a> {
    /// The log of a tenant, of so many records of its own.
    pub(super) fn new(organisation: &'a Organisation, tenant: &Tenant, format: Format, events: u64) -> Self {
        // Programs refresh their tokens and sensors look on while people sleep.
        let machines = match format {
            Format::Signins => 18,
            Format::Network => 100,
            _ => 5,
        };
        Self {
            format,
            organisation,
            seed: join(tenant.seed, format as u64 + 100),
            rhythm: Rhythm::new(organisation, tenant.first_second(), tenant.days, events, machines),
            repeats: (tenant.duplicates * 1e6).round() as u64,
            planted: Vec::new(),
            audit: None,
        }
    }

    /// Lets records of CloudAppEvents carry those of an audit log.
    pub(super) fn carrying(mut self, audit: Stream<'a>) -> Self {
        self.audit = Some(Box::new(audit));
        self
    }

    /// Puts events of attacks where others of their time are; some are resent, as others are.
    pub(super) fn plant(&mut self, events: impl Iterator<Item = Planted>) {
        for (number, event) in events.enumerate() {
            let at = self.rhythm.at(event.second);
            let mut random = Random::of(self.seed ^ 0x9A17, number as u64);
            if random.below(1_000_000) < self.repeats {
                let again = (at + random.below(RECENT)).min(self.rhythm.events());
                self.planted.push((again, event.record.clone(), true));
            }
            self.planted.push((at, event.record, false));
        }
        // At the same place, first those that are there for the first time.
        self.planted.sort_by_key(|(at, _, repeat)| (*at, *repeat));
    }

    /// How many records it has, without what attacks put between them.
    pub(super) fn events(&self) -> u64 {
        self.rhythm.events()
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.events() == 0 && self.planted.is_empty()
    }

    /// The cursor of who begins with a record.
    pub(super) fn cursor(&self, first: u64) -> Cursor {
        Cursor {
            planted: self.planted.partition_point(|(at, ..)| *at < first),
            ..Cursor::default()
        }
    }

    /// Writes a record, what attacks put before it, and what is resent after it. With the
    /// number of all records, only what comes at the very end.
    #[inline]
    pub(super) fn write(&self, number: u64, cursor: &mut Cursor, counts: &mut Counts, out: &mut Vec<u8>) {
        while let Some((_, record, repeat)) = self.planted.get(cursor.planted).filter(|(at, ..)| *at <= number) {
            out.extend_from_slice(record);
            out.push(b'\n');
            cursor.planted += 1;
            *(if *repeat {
                &mut counts.repeats
            } else {
                &mut counts.planted
            }) += 1;
        }
        if number >= self.events() {
            return;
        }
        self.record(number, &mut cursor.hour, &mut cursor.scratch, out);
        counts.events += 1;
        if self.repeats == 0 {
            return;
        }
        let mut random = Random::of(self.seed ^ 0x5EED, number);
        if random.below(1_000_000 * RUN) < self.repeats {
            // Recently, or any time before.
            let back = if random.below(4) > 0 {
                random.below(RECENT)
            } else {
                random.below(number + 1)
            };
            let first = number.saturating_sub(back);
            let run = 1 + random.below(2 * RUN - 1);
            for again in first..(first + run).min(number + 1) {
                self.record(again, &mut cursor.hour_of_repeat, &mut cursor.scratch, out);
                counts.repeats += 1;
            }
        }
    }

    /// Writes one record and the end of its line.
    #[inline]
    fn record(&self, number: u64, near: &mut usize, scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
        match self.format {
            Format::Network => {
                let (second, random) = self.when(number, near);
                network::record(second, random, out);
            }
            Format::Audit => {
                audit::record(&mut self.scene(number, near), out);
            }
            Format::Signins => sign_ins::record(&mut self.scene(number, near), out),
            Format::Directory => directory::record(&mut self.scene(number, near), out),
            Format::Risk => risk::record(&mut self.scene(number, near), out),
            Format::Evidence => defender::record(&mut self.scene(number, near), out),
            Format::Cloudapp => {
                let audit = self.audit.as_deref().unwrap_or(self);
                let spread = u128::from(number) * u128::from(audit.events()) / u128::from(self.events());
                let mut scene = audit.scene(spread as u64, near);
                scratch.clear();
                let kind = audit::record(&mut scene, scratch);
                defender::cloud_app_event(&mut scene, kind, scratch, out);
            }
        }
        out.push(b'\n');
    }

    fn when(&self, number: u64, near: &mut usize) -> (u64, Random) {
        let mut random = Random::of(self.seed, number);
        let hour = self.rhythm.hour(number, near);
        (self.rhythm.second(hour, &mut random), random)
    }

    #[inline]
    fn scene(&self, number: u64, near: &mut usize) -> Scene<'a> {
        let (second, mut random) = self.when(number, near);
        let zone = self.rhythm.zone(*near, &mut random);
        let (begin, end) = self.organisation.zones[zone];
        let user = begin as u64 + random.skewed((end - begin) as u64, 1);
        scene(
            self.organisation,
            &self.organisation.users[user as usize],
            second,
            random,
        )
    }
}
