//! Where people are, and from which addresses they come.
//!
//! Addresses are made up, but public ones: detections leave out those reserved for
//! documentation. People, attackers and scanners have ranges of their own.

use super::random::join;
use super::text::{Put, put};

/// A part of the organisation in one time zone.
#[derive(Debug)]
pub(super) struct Zone {
    /// Minutes that its clocks are ahead of UTC.
    pub(super) offset: i64,
    /// How much of the organisation is there, in thousandths.
    pub(super) share: u64,
    pub(super) city: &'static str,
    pub(super) state: &'static str,
    pub(super) country: &'static str,
    /// Latitude and longitude, as text.
    pub(super) position: (&'static str, &'static str),
    /// First numbers of the addresses of homes, of mobile networks, of the office.
    first: [u8; 3],
    /// Number of the autonomous system of most homes.
    pub(super) network: u64,
}

const fn zone(
    (offset, share): (i64, u64),
    (city, state, country): (&'static str, &'static str, &'static str),
    position: (&'static str, &'static str),
    first: [u8; 3],
    network: u64,
) -> Zone {
    Zone {
        offset,
        share,
        city,
        state,
        country,
        position,
        first,
        network,
    }
}

/// The shares are a thousand together.
pub(super) const ZONES: [Zone; 6] = [
    zone(
        (60, 420),
        ("Berlin", "Berlin", "DE"),
        ("52.52", "13.40"),
        [91, 80, 62],
        3320,
    ),
    zone(
        (0, 180),
        ("London", "England", "GB"),
        ("51.51", "-0.13"),
        [86, 82, 81],
        2856,
    ),
    zone(
        (-300, 180),
        ("New York", "New York", "US"),
        ("40.71", "-74.01"),
        [73, 107, 12],
        7922,
    ),
    zone(
        (330, 120),
        ("Bengaluru", "Karnataka", "IN"),
        ("12.97", "77.59"),
        [117, 106, 121],
        24560,
    ),
    zone(
        (540, 40),
        ("Tokyo", "Tokyo", "JP"),
        ("35.68", "139.69"),
        [126, 133, 122],
        17676,
    ),
    zone(
        (-480, 60),
        ("Seattle", "Washington", "US"),
        ("47.61", "-122.33"),
        [98, 174, 67],
        209,
    ),
];

/// An address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address {
    V4([u8; 4]),
    /// The second half of a network of `2001:db8::/32`, and the number of the host.
    V6(u64, u64),
}

impl Put for Address {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::V4([a, b, c, d]) => {
                let [a, b, c, d] = [*a, *b, *c, *d].map(u64::from);
                put!(out, a, ".", b, ".", c, ".", d);
            }
            Self::V6(network, host) => {
                put!(out, "2001:db8:");
                Group((network >> 16) as u16).put(out);
                out.push(b':');
                Group(*network as u16).put(out);
                put!(out, "::");
                Group(*host as u16).put(out);
            }
        }
    }
}

/// An address with a port, as some workloads write it.
#[derive(Debug, Clone, Copy)]
pub(super) struct WithPort(pub(super) Address, pub(super) u64);

impl Put for WithPort {
    fn put(&self, out: &mut Vec<u8>) {
        match self.0 {
            Address::V4(_) => put!(out, self.0, ":", self.1),
            Address::V6(..) => put!(out, "[", self.0, "]:", self.1),
        }
    }
}

/// A group of an IPv6 address without leading zeros; never zero, which has short forms.
struct Group(u16);

impl Put for Group {
    fn put(&self, out: &mut Vec<u8>) {
        let number = self.0.max(1);
        let digits = (16 - number.leading_zeros()).div_ceil(4);
        for digit in (0..digits).rev() {
            out.push(b"0123456789abcdef"[usize::from(number >> (digit * 4) & 15)]);
        }
    }
}

/// One of the addresses through which an office goes out.
pub(super) fn office(seed: u64, zone: usize, which: u64) -> Address {
    let hash = join(seed, zone as u64);
    let third = (hash >> 8) as u8 & 0xFE;
    Address::V4([
        ZONES[zone].first[2],
        16 + hash as u8 % 200,
        third,
        10 + (which % 8) as u8,
    ])
}

/// A home, whatever number it has.
pub(super) fn home(number: u64, zone: usize) -> Address {
    let [a, b, c, d, kind, ..] = number.to_be_bytes();
    if kind < 31 {
        return Address::V6(number >> 32, number);
    }
    Address::V4([ZONES[zone].first[0], 16 + b % 200, c ^ a, 1 + d % 250])
}

/// An address of a mobile network, which many share.
pub(super) fn mobile(number: u64, zone: usize) -> Address {
    let [a, b, ..] = number.to_be_bytes();
    Address::V4([ZONES[zone].first[1], 32 + a % 4, b % 16, 1 + (number % 200) as u8])
}

/// Where an attacker comes from.
pub(super) fn attacker(number: u64) -> Address {
    let [_, b, c, d, ..] = number.to_be_bytes();
    Address::V4([45, 128 + b % 64, c, 1 + d % 250])
}

/// Who tries passwords everywhere, and never gets in.
pub(super) fn scanner(number: u64) -> Address {
    Address::V4([193, 163, (number % 5) as u8, 1 + (number / 5 % 250) as u8])
}

/// A machine of Microsoft's that speaks for an application.
pub(super) fn front_end(number: u64) -> Address {
    Address::V4([20, 190, 128 + (number % 32) as u8, 1 + (number / 32 % 250) as u8])
}

#[cfg(test)]
mod tests {
    use super::super::text::text_of;
    use super::*;

    #[test]
    fn addresses_can_be_read() {
        for number in (0..2_000).map(|number| join(number, 1)) {
            for address in [
                home(number, 3),
                mobile(number, 2),
                office(number, 0, 3),
                attacker(number),
            ] {
                let text = text_of(&address);
                let read: std::net::IpAddr = text.parse().unwrap();
                assert_eq!(read.to_string(), *text, "the short form");
                let with_port = text_of(&WithPort(address, 443));
                assert!(with_port.parse::<std::net::SocketAddr>().is_ok(), "{with_port}");
            }
        }
    }

    #[test]
    fn shares_are_a_thousand() {
        assert_eq!(ZONES.iter().map(|zone| zone.share).sum::<u64>(), 1_000);
        let taken = |first: u8| ZONES.iter().any(|zone| zone.first.contains(&first));
        assert!(![45, 193, 20, 10, 172, 192, 198, 203].into_iter().any(taken));
    }
}
