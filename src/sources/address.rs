//! The forms in which audit logs write where a client came from.
//!
//! Addresses stand with and without port, in brackets, behind a host name, or as names
//! alone; what cannot be read as an address stays as text, and never reaches an IP column.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What one client address field says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    /// The address in canonical text; an IPv4-mapped one as its IPv4.
    pub(crate) ip: Option<Cow<'a, str>>,
    /// The port behind it.
    pub(crate) port: Option<i64>,
    /// A host name.
    pub(crate) domain: Option<&'a str>,
    /// The address, or the whole text where it is neither address nor name.
    pub(crate) address: Option<Cow<'a, str>>,
}

/// Splits one of them. Nothing for an empty text or `<null>`.
pub(crate) fn parse(text: &str) -> Address<'_> {
    let text = text.trim();
    if text.is_empty() || text.eq_ignore_ascii_case("<null>") {
        return Address::default();
    }
    if let Some(ip) = ip(text) {
        return at(ip, None);
    }
    if let Some(inner) = text.strip_prefix('[')
        && let Some((inner, after)) = inner.rsplit_once(']')
        && let Some(port) = optional_port(after)
    {
        return bracketed(inner, port).unwrap_or_else(|| as_text(text));
    }
    if let Some(named) = named(text) {
        return named;
    }
    if let Some((host, after)) = text.rsplit_once(':')
        && let Some(port) = self::port(after)
        && let Some(ip) = v4(host)
    {
        return at(ip, Some(port));
    }
    if is_name(text) {
        Address {
            domain: Some(text),
            ..Address::default()
        }
    } else {
        as_text(text)
    }
}

/// An address in canonical text; None for anything but an address.
pub(crate) fn ip(text: &str) -> Option<Cow<'_, str>> {
    if let Some(v4) = v4(text) {
        return Some(v4);
    }
    if !text.contains(':') {
        return None;
    }
    let address = text.split('%').next().unwrap_or(text);
    let parsed = match address.parse::<Ipv6Addr>() {
        Ok(parsed) => parsed,
        // Azure sometimes writes `::` before a whole address.
        Err(_) => address.strip_prefix("::")?.parse::<Ipv6Addr>().ok()?,
    };
    let canonical = match parsed.to_ipv4_mapped() {
        Some(v4) => IpAddr::V4(v4),
        None => IpAddr::V6(parsed),
    };
    let canonical = canonical.to_string();
    Some(if canonical == text {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(canonical)
    })
}

/// The parser takes no other spelling than the canonical one.
fn v4(text: &str) -> Option<Cow<'_, str>> {
    text.parse::<Ipv4Addr>().ok().map(|_| Cow::Borrowed(text))
}

fn at<'a>(ip: Cow<'a, str>, port: Option<i64>) -> Address<'a> {
    Address {
        ip: Some(ip.clone()),
        port,
        domain: None,
        address: Some(ip),
    }
}

fn as_text(text: &str) -> Address<'_> {
    Address {
        address: Some(Cow::Borrowed(text)),
        ..Address::default()
    }
}

/// What stands in brackets: an address, `HOST (10.0.0.1)`, or a host name.
fn bracketed(inner: &str, port: Option<i64>) -> Option<Address<'_>> {
    if let Some(ip) = ip(inner) {
        return Some(at(ip, port));
    }
    if let Some(named) = named(inner) {
        return Some(Address { port, ..named });
    }
    is_name(inner).then(|| Address {
        domain: Some(inner),
        port,
        ..Address::default()
    })
}

/// `HOST (10.0.0.1)`.
fn named(text: &str) -> Option<Address<'_>> {
    let (host, rest) = text.strip_suffix(')')?.rsplit_once('(')?;
    let host = host.trim();
    let ip = ip(rest.trim());
    let address = ip.clone().unwrap_or(Cow::Borrowed(rest.trim()));
    is_name(host).then_some(Address {
        ip,
        port: None,
        domain: Some(host),
        address: Some(address),
    })
}

/// One word that is neither a broken address nor a GUID; Elastic takes `host:port` for one.
fn is_name(text: &str) -> bool {
    let one_word = !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || "[]()<>".contains(c));
    let broken_address =
        text.bytes().all(|byte| byte.is_ascii_digit() || b".:".contains(&byte)) || text.matches(':').count() > 1;
    one_word && !broken_address && !is_guid(text)
}

/// `00000000-0000-0000-0000-000000000000`, in either letter case.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(position, byte)| match position {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn port(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        text.parse::<u16>().ok().map(i64::from)
    } else {
        None
    }
}

/// What follows a closing bracket: nothing, or a port.
fn optional_port(text: &str) -> Option<Option<i64>> {
    match text.strip_prefix(':') {
        Some(digits) => port(digits).map(Some),
        None => text.is_empty().then_some(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// (text, ip, port, domain, address); empty and 0 for none.
    type Case = (&'static str, &'static str, i64, &'static str, &'static str);

    const CASES: &[Case] = &[
        ("203.0.113.9", "203.0.113.9", 0, "", "203.0.113.9"),
        ("203.0.113.9:1433", "203.0.113.9", 1433, "", "203.0.113.9"),
        ("[203.0.113.9]:1433", "203.0.113.9", 1433, "", "203.0.113.9"),
        ("[203.0.113.9]", "203.0.113.9", 0, "", "203.0.113.9"),
        ("[2001:db8::5]:54088", "2001:db8::5", 54088, "", "2001:db8::5"),
        ("2001:db8::5", "2001:db8::5", 0, "", "2001:db8::5"),
        ("2001:0DB8:0:0::5", "2001:db8::5", 0, "", "2001:db8::5"),
        ("[2001:db8::5]", "2001:db8::5", 0, "", "2001:db8::5"),
        ("fe80::1%12", "fe80::1", 0, "", "fe80::1"),
        ("::ffff:10.0.0.1", "10.0.0.1", 0, "", "10.0.0.1"),
        ("[::ffff:10.0.0.1]:443", "10.0.0.1", 443, "", "10.0.0.1"),
        ("::1", "::1", 0, "", "::1"),
        (
            "::2a02:cf40:add:4002:91f2:a9b2:e09a:6fc6",
            "2a02:cf40:add:4002:91f2:a9b2:e09a:6fc6",
            0,
            "",
            "2a02:cf40:add:4002:91f2:a9b2:e09a:6fc6",
        ),
        ("localhost", "", 0, "localhost", ""),
        ("localhost:12345", "", 0, "localhost:12345", ""),
        ("[host]:443", "", 443, "host", ""),
        ("HOST (10.0.0.1)", "10.0.0.1", 0, "HOST", "10.0.0.1"),
        ("[HOST (10.0.0.1)]", "10.0.0.1", 0, "HOST", "10.0.0.1"),
        ("AM0PR07MB1 (15.20.7000.010)", "", 0, "AM0PR07MB1", "15.20.7000.010"),
        (
            "VI1PR04MB5056 (15.20.225.32)\r\n",
            "15.20.225.32",
            0,
            "VI1PR04MB5056",
            "15.20.225.32",
        ),
        ("10.9000.0.1", "", 0, "", "10.9000.0.1"),
        ("10.0.0.1:99999", "", 0, "", "10.0.0.1:99999"),
        ("2001:db8::zz", "", 0, "", "2001:db8::zz"),
        (
            "6e5a1c1c-9a57-4f0e-8a0f-3f6a3b1c2d3e",
            "",
            0,
            "",
            "6e5a1c1c-9a57-4f0e-8a0f-3f6a3b1c2d3e",
        ),
        ("not an address", "", 0, "", "not an address"),
        ("[", "", 0, "", "["),
        ("[]:1", "", 0, "", "[]:1"),
        ("<null>", "", 0, "", ""),
        ("  ", "", 0, "", ""),
        ("", "", 0, "", ""),
    ];

    #[test]
    fn every_form() {
        for (text, ip, port, domain, address) in CASES {
            let parsed = parse(text);
            assert_eq!(parsed.ip.as_deref().unwrap_or(""), *ip, "ip of {text:?}");
            assert_eq!(parsed.port.unwrap_or(0), *port, "port of {text:?}");
            assert_eq!(parsed.domain.unwrap_or(""), *domain, "domain of {text:?}");
            assert_eq!(parsed.address.as_deref().unwrap_or(""), *address, "address of {text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*|[0-9a-fA-F:.%\\[\\]() ]*") {
            parse(&text);
        }

        #[test]
        fn every_address_is_read(bits in any::<u128>()) {
            let address = Ipv6Addr::from_bits(bits).to_string();
            prop_assert!(ip(&address).is_some());
        }
    }
}
