//! An invented organisation: who works there, with what, on which sites. All of it follows
//! from the seed, and is made once.

use super::applications::{APPROVED, SERVICES};
use super::names::{DEPARTMENTS, FIRST_NAMES, LAST_NAMES, ORGANISATIONS};
use super::places::ZONES;
use super::random::{Random, join};
use super::text::{Base64, Guid, Hex, text_of};

/// Everything that records are about. Texts are as JSON has them.
#[derive(Debug)]
pub(super) struct Organisation {
    pub(super) seed: u64,
    /// `contoso`.
    pub(super) name: &'static str,
    /// `contoso.example`.
    pub(super) domain: String,
    /// The tenant's id.
    pub(super) id: Box<str>,
    pub(super) users: Vec<User>,
    /// Users of each zone: the first, and the first of the next.
    pub(super) zones: Vec<(usize, usize)>,
    pub(super) sites: Vec<Site>,
    /// Approved applications of others: id, name.
    pub(super) approved: Vec<(Box<str>, &'static str)>,
    pub(super) services: Vec<Service>,
    /// Servers of Exchange.
    pub(super) servers: Vec<Box<str>>,
}

/// Somebody with an account.
#[derive(Debug)]
pub(super) struct User {
    pub(super) number: u64,
    /// What is particular to this user.
    pub(super) seed: u64,
    pub(super) zone: usize,
    pub(super) department: &'static str,
    /// User principal name, which is the mail address too.
    pub(super) upn: String,
    /// The part of it before the `@`.
    pub(super) alias: String,
    pub(super) name: String,
    /// Object id.
    pub(super) id: Box<str>,
    /// The id that Exchange and SharePoint have: 16 digits.
    pub(super) key: Box<str>,
    pub(super) sid: String,
    pub(super) mailbox: Box<str>,
    /// What ids of items and folders of the mailbox share.
    pub(super) store: [Box<str>; 2],
    /// Id and name of the managed computer.
    pub(super) computer: (Box<str>, String),
    /// Own site: address and ids.
    pub(super) personal: Site,
}

/// A site of SharePoint.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) seed: u64,
    pub(super) url: String,
    pub(super) site: Box<str>,
    pub(super) web: Box<str>,
    pub(super) list: Box<str>,
}

/// A program with credentials of its own.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: &'static str,
    pub(super) application: Box<str>,
    pub(super) principal: Box<str>,
}

fn guid(random: &mut Random) -> Box<str> {
    Guid(random.next(), random.next()).text()
}

impl Site {
    fn new(seed: u64, url: String) -> Self {
        let mut random = Random::new(seed);
        Self {
            seed,
            url,
            site: guid(&mut random),
            web: guid(&mut random),
            list: guid(&mut random),
        }
    }
}

impl Organisation {
    /// The organisation of a seed.
    pub(super) fn new(seed: u64, users: u64) -> Self {
        let mut random = Random::of(seed, 1);
        let name = *random.pick(&ORGANISATIONS);
        let domain = format!("{name}.example");
        let zones = zones(users);
        let zone_of = |number: u64| {
            zones
                .iter()
                .position(|zone| (number as usize) < zone.1)
                .unwrap_or_default()
        };
        let sid = format!(
            "S-1-5-21-{}-{}-{}",
            random.below(1 << 31),
            random.below(1 << 31),
            random.below(1 << 31)
        );
        let users: Vec<User> = (0..users)
            .map(|number| user(number, zone_of(number), seed, (name, &domain), &sid))
            .collect();
        let sites = (0..users.len() as u64 / 8 + 6)
            .map(|number| {
                let department = DEPARTMENTS[number as usize % DEPARTMENTS.len()].replace(' ', "");
                let url = format!(
                    "https://{name}.sharepoint.example/sites/{department}{}/",
                    number / 12 + 1
                );
                Site::new(join(seed, 1_000_000 + number), url)
            })
            .collect();
        Self {
            seed,
            name,
            id: guid(&mut random),
            domain,
            users,
            zones,
            sites,
            approved: APPROVED.iter().map(|name| (guid(&mut random), *name)).collect(),
            services: SERVICES
                .iter()
                .map(|name| Service {
                    name,
                    application: guid(&mut random),
                    principal: guid(&mut random),
                })
                .collect(),
            servers: (0..40)
                .map(|_| {
                    let region = ["AM0PR07MB", "VI1PR04MB", "DB8PR04MB", "AM6PR04MB"];
                    format!("{}{}", random.pick(&region), 1_000 + random.below(9_000)).into()
                })
                .collect(),
        }
    }
}

/// Who is in which zone: the shares, in whole users.
fn zones(users: u64) -> Vec<(usize, usize)> {
    let (mut share, mut begin) = (0, 0);
    ZONES
        .iter()
        .map(|zone| {
            share += zone.share;
            let end = (users * share).div_ceil(1_000) as usize;
            (std::mem::replace(&mut begin, end), end)
        })
        .collect()
}

fn user(number: u64, zone: usize, seed: u64, (organisation, domain): (&str, &str), sid: &str) -> User {
    let own = join(seed, number + 2);
    let mut random = Random::new(own);
    // 1009 and the number of pairs have no divisor in common: each pair comes once a round.
    let pairs = (FIRST_NAMES.len() * LAST_NAMES.len()) as u64;
    let (pair, round) = ((number * 1_009 + seed % pairs) % pairs, number / pairs);
    let first = FIRST_NAMES[pair as usize % FIRST_NAMES.len()];
    let last = LAST_NAMES[pair as usize / FIRST_NAMES.len()];
    let suffix = if round > 0 {
        (round + 1).to_string()
    } else {
        String::new()
    };
    let alias = format!("{}.{}{suffix}", first.to_lowercase(), last.to_lowercase());
    let upn = format!("{alias}@{domain}");
    let personal = format!(
        "https://{organisation}-my.sharepoint.example/personal/{}/",
        upn.replace(['.', '@'], "_")
    );
    let store = |random: &mut Random| {
        let [a, b] = [random.next(), random.next()].map(|number| text_of(&Base64(number)));
        format!("{a}{b}xpM8").into()
    };
    User {
        number,
        seed: own,
        zone,
        department: DEPARTMENTS[random.below(DEPARTMENTS.len() as u64) as usize],
        name: format!("{first} {last}"),
        id: guid(&mut random),
        key: text_of(&Hex(0x1003_2000 << 32 | own >> 32)),
        sid: format!("{sid}-{}", 20_000_000 + number),
        mailbox: guid(&mut random),
        store: [store(&mut random), store(&mut random)],
        computer: (
            guid(&mut random),
            format!("{}-{:06}", &alias[..1].to_uppercase(), number),
        ),
        personal: Site::new(join(own, 9), personal),
        alias,
        upn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_and_ids_are_unique() {
        let organisation = Organisation::new(5, 6_000);
        let unique = |of: fn(&User) -> &str| organisation.users.iter().map(of).collect::<HashSet<_>>().len();
        for of in [
            (|user| user.upn.as_str()) as fn(&User) -> &str,
            |user| &user.id,
            |user| &user.sid,
            |user| &user.mailbox,
            |user| &user.personal.url,
        ] {
            assert_eq!(unique(of), 6_000);
        }
        let other = Organisation::new(6, 10);
        assert_ne!(other.id, organisation.id);
        assert_ne!(other.users[0].id, organisation.users[0].id);
    }

    #[test]
    fn everybody_is_in_a_zone() {
        for users in [1, 2, 7, 100, 12_345] {
            let zones = zones(users);
            assert_eq!(zones[0].0, 0);
            assert_eq!(zones[5].1 as u64, users);
            assert!(zones.windows(2).all(|pair| pair[0].1 == pair[1].0));
        }
    }
}
