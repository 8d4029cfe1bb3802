//! IP addresses and sets of IP ranges.
//!
//! An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) is its IPv4 address everywhere, and a
//! range inside `::ffff:0:0/96` is its IPv4 range. Otherwise the two families are apart:
//! `::/0` holds every IPv6 address and no IPv4 address.

use std::net::{IpAddr, Ipv4Addr};

use super::matching::Matcher;

/// Reads an address; an IPv4-mapped one gives its IPv4.
pub(crate) fn parse_address(text: &str) -> Option<IpAddr> {
    // The shortest address is `::`, the longest is 45 characters: most other text is refused at once.
    if !(2..=45).contains(&text.len()) {
        return None;
    }
    match parse_v4(text) {
        Some(bits) => Some(IpAddr::V4(Ipv4Addr::from_bits(bits))),
        None => text.parse::<IpAddr>().ok().map(|address| address.to_canonical()),
    }
}

/// Reads an IPv4 address. Most addresses of logs are, and each is written in one way only: a text
/// that this reads is canonical already.
pub(crate) fn parse_v4(text: &str) -> Option<u32> {
    let (mut bits, mut octet, mut digits, mut dots) = (0_u32, 0_u32, 0_u32, 0_u32);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' if digits == 0 || (octet > 0 && digits < 3) => {
                octet = octet * 10 + u32::from(byte - b'0');
                digits += 1;
            }
            b'.' if digits > 0 && octet <= 255 && dots < 3 => {
                bits = bits << 8 | octet;
                (octet, digits, dots) = (0, 0, dots + 1);
            }
            _ => return None,
        }
    }
    (dots == 3 && digits > 0 && octet <= 255).then_some(bits << 8 | octet)
}

/// All addresses from the first to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IpRange {
    V4(u32, u32),
    V6(u128, u128),
}

/// Reads `address/prefix`, or an address alone. Bits after the prefix may be set: the network
/// that holds the address is meant. The error says what is wrong with the text.
pub(crate) fn parse_range(text: &str) -> Result<IpRange, String> {
    let (address_text, prefix_text) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address_text.parse().map_err(|_| {
        "write an IPv4 or IPv6 address, with a prefix length after a slash: '192.0.2.0/24', '2001:db8::/32'".to_string()
    })?;
    let Some(prefix_text) = prefix_text else {
        return Ok(network(address.to_canonical(), u32::MAX));
    };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix = parse_prefix(prefix_text)
        .filter(|prefix| *prefix <= longest)
        .ok_or_else(|| format!("the prefix length after the slash must be a number from 0 to {longest}"))?;
    match address {
        IpAddr::V6(v6) if prefix >= 96 => match v6.to_ipv4_mapped() {
            Some(v4) => Ok(network(IpAddr::V4(v4), prefix - 96)),
            None => Ok(network(address, prefix)),
        },
        _ => Ok(network(address, prefix)),
    }
}

/// One to three digits without a sign or a leading zero.
fn parse_prefix(text: &str) -> Option<u32> {
    let digits = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if digits && !leading_zero {
        text.parse().ok()
    } else {
        None
    }
}

/// A prefix longer than the address stands for the address alone.
fn network(address: IpAddr, prefix: u32) -> IpRange {
    match address {
        IpAddr::V4(v4) => {
            let host = u32::MAX.checked_shr(prefix).unwrap_or(0);
            IpRange::V4(v4.to_bits() & !host, v4.to_bits() | host)
        }
        IpAddr::V6(v6) => {
            let host = u128::MAX.checked_shr(prefix).unwrap_or(0);
            IpRange::V6(v6.to_bits() & !host, v6.to_bits() | host)
        }
    }
}

/// Any number of ranges as sorted, disjoint intervals: looking up an address is a binary search.
#[derive(Debug, Default)]
pub(crate) struct IpRanges {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
    /// A NULL or something that is not a range was among the values.
    unknown: bool,
}

impl IpRanges {
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => contains(&self.v4, v4.to_bits()),
            IpAddr::V6(v6) => contains(&self.v6, v6.to_bits()),
        }
    }
}

impl Matcher for IpRanges {
    fn compile(values: &[Option<&str>]) -> Self {
        let mut ranges = Self::default();
        for value in values {
            match value.map(parse_range) {
                Some(Ok(IpRange::V4(first, last))) => ranges.v4.push((first, last)),
                Some(Ok(IpRange::V6(first, last))) => ranges.v6.push((first, last)),
                Some(Err(_)) | None => ranges.unknown = true,
            }
        }
        join_overlapping(&mut ranges.v4);
        join_overlapping(&mut ranges.v6);
        ranges
    }

    fn matches(&self, text: &str) -> Option<bool> {
        if self.contains(parse_address(text)?) {
            Some(true)
        } else if self.unknown {
            None
        } else {
            Some(false)
        }
    }
}

fn join_overlapping<T: Ord + Copy>(ranges: &mut Vec<(T, T)>) {
    ranges.sort_unstable();
    ranges.dedup_by(|next, kept| {
        let overlaps = next.0 <= kept.1;
        if overlaps {
            kept.1 = kept.1.max(next.1);
        }
        overlaps
    });
}

fn contains<T: Ord + Copy>(ranges: &[(T, T)], address: T) -> bool {
    let after = ranges.partition_point(|range| range.0 <= address);
    after > 0 && address <= ranges[after - 1].1
}

/// Writes the canonical text into a buffer that is used again for every row.
pub(crate) fn write_address(address: IpAddr, buffer: &mut String) {
    use std::fmt::Write;
    buffer.clear();
    // Writing to a String cannot fail.
    let _ = match address {
        IpAddr::V4(v4) => write!(buffer, "{v4}"),
        IpAddr::V6(v6) => write!(buffer, "{v6}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipnet::IpNet;
    use proptest::prelude::*;
    use std::net::Ipv6Addr;

    fn ranges(texts: &[&str]) -> IpRanges {
        IpRanges::compile(&texts.iter().copied().map(Some).collect::<Vec<_>>())
    }

    #[test]
    fn texts_that_are_not_ranges_say_why() {
        for text in [
            "",
            "banana",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/08",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "::/129",
        ] {
            assert!(parse_range(text).is_err(), "{text}");
        }
        for text in [
            "10.0.0",
            "010.0.0.1",
            "10.0.0.1/255.0.0.0",
            " 10.0.0.1",
            "[::1]",
            "fe80::1%eth0",
            "1.2.3.4:443",
        ] {
            assert!(parse_range(text).is_err(), "{text}");
            assert_eq!(parse_address(text), None, "{text}");
        }
    }

    #[test]
    fn families_are_apart() {
        assert_eq!(ranges(&["::/0"]).matches("10.0.0.1"), Some(false));
        assert_eq!(ranges(&["::/0"]).matches("::ffff:10.0.0.1"), Some(false));
        assert_eq!(ranges(&["0.0.0.0/0"]).matches("::ffff:10.0.0.1"), Some(true));
        assert_eq!(ranges(&["0.0.0.0/0"]).matches("::1"), Some(false));
        assert_eq!(ranges(&["::ffff:0:0/96"]).matches("10.0.0.1"), Some(true));
    }

    /// An address near the range, so that both answers are common.
    fn near(address: IpAddr, flipped_bit: u32) -> IpAddr {
        match address {
            IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() ^ (1 << (flipped_bit % 32)))),
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() ^ (1 << (flipped_bit % 128)))),
        }
    }

    fn any_address() -> impl Strategy<Value = IpAddr> {
        prop_oneof![
            any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))),
            any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))),
            any::<u32>().prop_map(|bits| IpAddr::V6(Ipv4Addr::from_bits(bits).to_ipv6_mapped())),
        ]
    }

    fn any_range() -> impl Strategy<Value = (IpAddr, u8)> {
        any_address().prop_flat_map(|address| {
            let longest: u8 = if address.is_ipv4() { 32 } else { 128 };
            (
                Just(address),
                prop_oneof![0..=longest, Just(longest), Just(longest - 8), Just(longest - 32)],
            )
        })
    }

    /// The range as `ipnet` sees it, after the two rules on mapped addresses.
    fn oracle(address: IpAddr, prefix: u8) -> IpNet {
        if let IpAddr::V6(v6) = address
            && let Some(v4) = v6.to_ipv4_mapped()
            && prefix >= 96
        {
            return IpNet::new(IpAddr::V4(v4), prefix - 96).unwrap();
        }
        IpNet::new(address, prefix).unwrap()
    }

    proptest! {
        #[test]
        fn agrees_with_ipnet(
            written in prop::collection::vec(any_range(), 1..12),
            others in prop::collection::vec(any_address(), 0..4),
            flipped_bit in 0u32..128,
            upper in any::<bool>(),
        ) {
            let spell = |text: String| if upper { text.to_uppercase() } else { text };
            let texts: Vec<String> = written.iter().map(|(address, prefix)| spell(format!("{address}/{prefix}"))).collect();
            let set = ranges(&texts.iter().map(String::as_str).collect::<Vec<_>>());
            let nets: Vec<IpNet> = written.iter().map(|(address, prefix)| oracle(*address, *prefix)).collect();
            let mut addresses = others;
            for (address, _) in &written {
                addresses.extend([*address, near(*address, flipped_bit), near(*address, flipped_bit / 16)]);
            }
            for address in addresses {
                let expected = nets.iter().any(|net| net.contains(&address.to_canonical()));
                prop_assert_eq!(set.matches(&spell(address.to_string())), Some(expected), "{} in {:?}", address, texts);
            }
        }

        #[test]
        fn ipv4_is_read_as_the_standard_library_reads_it(
            text in prop_oneof![
                "[0-9]{1,4}([.][0-9]{1,4}){2,4}",
                "(0|[1-9]|[1-9][0-9]|1[0-9]{2}|2[0-5][0-9])([.](0|[1-9]|[1-9][0-9]|1[0-9]{2}|2[0-5][0-9])){3}",
                "[0-9. a:]{0,16}",
                any::<u32>().prop_map(|bits| Ipv4Addr::from_bits(bits).to_string()),
            ],
        ) {
            let expected = text.parse::<Ipv4Addr>().ok();
            prop_assert_eq!(parse_v4(&text), expected.map(Ipv4Addr::to_bits));
            prop_assert!(expected.is_none_or(|address| address.to_string() == text));
        }

        #[test]
        fn canonical_text_reads_back_as_the_same_address(address in any_address()) {
            let mut text = String::new();
            write_address(address.to_canonical(), &mut text);
            prop_assert_eq!(parse_address(&text), Some(address.to_canonical()));
            prop_assert_eq!(text.to_lowercase(), text.clone());
        }
    }
}
