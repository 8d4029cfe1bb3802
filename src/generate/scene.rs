//! Who does something, when, where, and with which device: what all writers of records ask.

use super::organisation::{Organisation, Site, User};
use super::places::{self, Address, ZONES};
use super::random::{Random, join};
use super::text::Guid;

const DAY: u64 = 86_400;

/// What is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Device {
    /// The computer that the organisation manages.
    Computer,
    /// A phone.
    Phone,
    /// Some other computer.
    Private,
}

/// One moment of somebody's work. Everything else about a record comes from `random`.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) organisation: &'a Organisation,
    pub(super) random: Random,
    /// Seconds since 1970.
    pub(super) second: u64,
    pub(super) user: &'a User,
    pub(super) device: Device,
    pub(super) address: Address,
    /// The zone that the address is in.
    pub(super) zone: usize,
    pub(super) session: Guid,
    pub(super) agent: &'static str,
}

/// User agents of each device: as what, browser, operating system.
pub(super) const COMPUTER_AGENTS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:146.0) Gecko/20100101 Firefox/146.0",
];
const PHONE_AGENTS: [&str; 3] = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 15; SM-S931B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
];
const PRIVATE_AGENTS: [&str; 3] = [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
];

/// What a user does at a second.
#[inline]
pub(super) fn scene<'a>(organisation: &'a Organisation, user: &'a User, second: u64, mut random: Random) -> Scene<'a> {
    let device = match random.below(100) {
        0..74 => Device::Computer,
        74..94 => Device::Phone,
        _ => Device::Private,
    };
    let (address, zone) = place(organisation, user, second, device, &mut random);
    Scene {
        organisation,
        random,
        second,
        user,
        device,
        address,
        zone,
        session: session(user, second, device),
        agent: agent(user, device),
    }
}

/// A session lasts for a day on a computer, for a week on a phone.
pub(super) fn session(user: &User, second: u64, device: Device) -> Guid {
    let day = second / DAY;
    let span = if device == Device::Phone { day / 7 } else { day };
    let number = join(user.seed, span * 4 + device as u64);
    Guid(number, join(number, 1))
}

fn agent(user: &User, device: Device) -> &'static str {
    let agents: &[&'static str] = match device {
        Device::Computer => &COMPUTER_AGENTS,
        Device::Phone => &PHONE_AGENTS,
        Device::Private => &PRIVATE_AGENTS,
    };
    agents[(user.seed >> 8) as usize % agents.len()]
}

/// Mostly the office and one to three homes, whose addresses change every month or two;
/// mobile networks; and now and then a week in another zone.
fn place(
    organisation: &Organisation,
    user: &User,
    second: u64,
    device: Device,
    random: &mut Random,
) -> (Address, usize) {
    let day = second / DAY;
    let week = join(user.seed, day / 7);
    if week.is_multiple_of(40) {
        let zone = (user.zone + 1 + (week >> 40) as usize % (ZONES.len() - 1)) % ZONES.len();
        return (places::home(join(week, day / 2), zone), zone);
    }
    let zone = user.zone;
    let address = match (random.below(100), device) {
        (0..55, Device::Computer) => places::office(organisation.seed, zone, random.next()),
        (0..60, Device::Phone) => places::mobile(join(user.seed, day * 8 + random.below(8)), zone),
        _ => {
            let homes = 1 + user.seed % 3;
            let which = random.skewed(homes, 2);
            let since = (day + (user.seed >> 16) % 45) / 45;
            places::home(join(user.seed, since * 4 + which), zone)
        }
    };
    (address, zone)
}

impl<'a> Scene<'a> {
    /// A site that the user works on: a few often, any of them sometimes.
    pub(super) fn site(&mut self) -> &'a Site {
        let sites = &self.organisation.sites;
        let own = self.random.below(10);
        let number = if own < 7 {
            join(self.user.seed, own / 2) % sites.len() as u64
        } else {
            self.random.skewed(sites.len() as u64, 2)
        };
        &sites[number as usize]
    }

    /// Somebody whom this user works with: one of the team, mostly.
    pub(super) fn colleague(&mut self) -> &'a User {
        let users = &self.organisation.users;
        let number = if self.random.below(4) > 0 {
            self.user.number / 8 * 8 + self.random.below(8)
        } else {
            self.random.below(users.len() as u64)
        };
        users.get(number as usize).unwrap_or(self.user)
    }

    /// A new id.
    #[inline]
    pub(super) fn guid(&mut self) -> Guid {
        Guid(self.random.next(), self.random.next())
    }

    /// `OS` as Entra ID names it.
    pub(super) fn system(&self) -> &'static str {
        match self.device {
            Device::Computer => "Windows10",
            Device::Phone if self.agent.contains("iPhone") => "Ios 18.6",
            Device::Phone => "Android",
            Device::Private if self.agent.contains("Linux") => "Linux",
            Device::Private => "MacOs",
        }
    }

    /// The browser as Entra ID names it.
    pub(super) fn browser(&self) -> &'static str {
        match self.agent {
            agent if agent.contains("Edg/143") => "Edge 143.0.0",
            agent if agent.contains("Edg/") => "Edge 142.0.0",
            agent if agent.contains("Firefox") => "Firefox 146.0",
            agent if agent.contains("Version/") => "Safari 18.6",
            _ => "Chrome 143.0.0",
        }
    }
}
