//! The spellings of a time in audit logs, to microseconds since the Unix epoch, UTC.
//!
//! Digits beyond the microsecond are cut off. A time without a zone is UTC: that is what
//! Microsoft means by it. Day and month are told apart by the spelling alone, so of the
//! slashed forms only the American one is read.

use super::Json;

/// The time a JSON value holds: text in any known form, or a number of milliseconds.
pub(crate) fn of(value: Json<'_>) -> Option<i64> {
    match value.as_str() {
        Some(text) => parse(text),
        None => millis(value.as_i64().or_else(|| whole(value.as_f64()?))?),
    }
}

/// Reads a time; None for anything else.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let bytes = text.trim_ascii().as_bytes();
    iso(bytes).or_else(|| american(bytes)).or_else(|| dot_net(bytes))
}

/// Milliseconds since the epoch, as numbers and `/Date()/` give them; years 0 to 9999.
fn millis(value: i64) -> Option<i64> {
    (MIN_MILLIS..=MAX_MILLIS).contains(&value).then(|| value * 1000)
}

const MIN_MILLIS: i64 = -62_167_219_200_000;
const MAX_MILLIS: i64 = 253_402_300_799_999;

fn whole(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() < 1e15).then_some(value as i64)
}

/// `2026-03-02T08:14:55.1234567Z`: `T` or a blank, one or two digits for the hour,
/// seconds and fraction optional, zone optional.
fn iso(bytes: &[u8]) -> Option<i64> {
    let mut at = Cursor { bytes };
    let year = at.digits(4, 4)?;
    at.one(b'-')?;
    let month = at.digits(2, 2)?;
    at.one(b'-')?;
    let day = at.digits(2, 2)?;
    if !matches!(at.next()?, b'T' | b't' | b' ') {
        return None;
    }
    let time = at.clock()?;
    let offset = at.zone()?;
    at.end()?;
    micros(year, month, day, time, offset)
}

/// `3/24/2022 2:42:35 PM`, `01/09/2007 09:41:00`, `1/9/2007 10:41:00 AM +01:00`, and with a
/// comma behind the day.
fn american(bytes: &[u8]) -> Option<i64> {
    let mut at = Cursor { bytes };
    let month = at.digits(1, 2)?;
    at.one(b'/')?;
    let day = at.digits(1, 2)?;
    at.one(b'/')?;
    let year = at.digits(4, 4)?;
    if let [b',', rest @ ..] = at.bytes {
        at.bytes = rest;
    }
    at.one(b' ')?;
    let mut time = at.clock()?;
    let spaced = at.bytes.trim_ascii_start();
    if let [half @ (b'A' | b'a' | b'P' | b'p'), b'M' | b'm', rest @ ..] = spaced {
        if !(1..=12).contains(&time.hour) {
            return None;
        }
        time.hour = time.hour % 12 + if half.eq_ignore_ascii_case(&b'P') { 12 } else { 0 };
        at.bytes = rest;
    }
    at.bytes = at.bytes.trim_ascii_start();
    let offset = at.zone()?;
    at.end()?;
    micros(year, month, day, time, offset)
}

/// `/Date(1621372413000)/`, as Windows PowerShell writes a time into JSON. An offset
/// inside only says which zone the writer was in.
fn dot_net(bytes: &[u8]) -> Option<i64> {
    let inner = bytes.strip_prefix(b"/Date(")?.strip_suffix(b")/")?;
    let (sign, digits) = match inner {
        [b'-', rest @ ..] => (-1, rest),
        _ => (1, inner),
    };
    let mut at = Cursor { bytes: digits };
    let value = at.digits(1, 15)?;
    at.zone()?;
    at.end()?;
    millis(sign * value)
}

#[derive(Clone, Copy)]
struct Clock {
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
}

/// Offset in seconds. A leap second is the second after it.
fn micros(year: i64, month: i64, day: i64, time: Clock, offset: i64) -> Option<i64> {
    let valid = (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && time.hour < 24
        && time.minute < 60
        && time.second <= 60;
    let seconds = days(year, month, day) * 86_400 + time.hour * 3600 + time.minute * 60 + time.second - offset;
    valid.then_some(seconds * 1_000_000 + time.micros)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar. The year is taken to begin in March,
/// so that the leap day is its last and every month's place in it is a linear formula.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

struct Cursor<'a> {
    bytes: &'a [u8],
}

impl Cursor<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn one(&mut self, expected: u8) -> Option<()> {
        (self.next()? == expected).then_some(())
    }

    fn end(&self) -> Option<()> {
        self.bytes.is_empty().then_some(())
    }

    /// A number of `least` to `most` digits; `most` keeps it far from overflow.
    fn digits(&mut self, least: usize, most: usize) -> Option<i64> {
        let length = self
            .bytes
            .iter()
            .take(most)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let (digits, rest) = self.bytes.split_at(length);
        self.bytes = rest;
        (length >= least).then(|| {
            digits
                .iter()
                .fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
        })
    }

    /// `h:mm`, `hh:mm:ss`, `hh:mm:ss.fffffffff`.
    fn clock(&mut self) -> Option<Clock> {
        let hour = self.digits(1, 2)?;
        self.one(b':')?;
        let minute = self.digits(2, 2)?;
        let mut clock = Clock {
            hour,
            minute,
            second: 0,
            micros: 0,
        };
        if let [b':', rest @ ..] = self.bytes {
            self.bytes = rest;
            clock.second = self.digits(2, 2)?;
            if let [b'.', rest @ ..] = self.bytes {
                self.bytes = rest;
                let before = self.bytes.len();
                let fraction = self.digits(0, 9)?;
                let length = (before - self.bytes.len()) as u32;
                clock.micros = if length <= 6 {
                    fraction * 10_i64.pow(6 - length)
                } else {
                    fraction / 10_i64.pow(length - 6)
                };
            }
        }
        Some(clock)
    }

    /// Offset in seconds: nothing, `Z`, `+02`, `+0200`, `+02:00`.
    fn zone(&mut self) -> Option<i64> {
        let sign = match self.bytes {
            [] => return Some(0),
            [b'Z' | b'z', rest @ ..] => {
                self.bytes = rest;
                return Some(0);
            }
            [b'+', rest @ ..] => {
                self.bytes = rest;
                1
            }
            [b'-', rest @ ..] => {
                self.bytes = rest;
                -1
            }
            _ => return None,
        };
        let hours = self.digits(2, 2)?;
        if let [b':', rest @ ..] = self.bytes {
            self.bytes = rest;
        }
        let minutes = if self.bytes.is_empty() { 0 } else { self.digits(2, 2)? };
        (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::made;
    use super::*;
    use proptest::prelude::*;

    fn rfc3339(text: &str) -> i64 {
        chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
    }

    #[test]
    fn known_spellings() {
        for (text, same) in [
            ("2026-03-02T08:14:55", "2026-03-02T08:14:55Z"),
            ("2026-03-02T08:14:55Z", "2026-03-02T08:14:55Z"),
            ("2026-03-02 08:14:55", "2026-03-02T08:14:55Z"),
            ("2026-03-02T08:14", "2026-03-02T08:14:00Z"),
            ("2026-03-02T08:14:55.", "2026-03-02T08:14:55Z"),
            ("2026-03-02T08:14:55.1+00:00", "2026-03-02T08:14:55.1Z"),
            ("2022-04-05T13:07:16.7796535Z", "2022-04-05T13:07:16.779653Z"),
            ("2022-04-05T13:07:16.779653599Z", "2022-04-05T13:07:16.779653Z"),
            ("2022-09-09T8:48:50.361Z", "2022-09-09T08:48:50.361Z"),
            ("2024-01-07T19:54:41.712927+0000", "2024-01-07T19:54:41.712927Z"),
            ("2024-01-07T19:54:41+02:00", "2024-01-07T17:54:41Z"),
            ("2024-01-07T19:54:41-0530", "2024-01-08T01:24:41Z"),
            ("2024-01-07T19:54:41+02", "2024-01-07T17:54:41Z"),
            ("2024-02-29T23:59:59.999999Z", "2024-02-29T23:59:59.999999Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
            ("3/24/2022 2:42:35 PM", "2022-03-24T14:42:35Z"),
            ("3/24/2022, 2:42:35.125 PM", "2022-03-24T14:42:35.125Z"),
            ("3/24/2022 12:42:35 AM", "2022-03-24T00:42:35Z"),
            ("3/24/2022 12:42:35 pm", "2022-03-24T12:42:35Z"),
            ("01/09/2007 09:41:00", "2007-01-09T09:41:00Z"),
            ("1/9/2007 10:41:00 AM +01:00", "2007-01-09T09:41:00Z"),
            ("/Date(1621372413000)/", "2021-05-18T21:13:33Z"),
            ("/Date(1621372413000+0200)/", "2021-05-18T21:13:33Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(parse(text), Some(rfc3339(same)), "{text}");
        }
        assert_eq!(
            of(made(&sonic_rs::json!(1_621_372_413_000_i64)).root()),
            Some(rfc3339("2021-05-18T21:13:33Z"))
        );
    }

    #[test]
    fn anything_else_is_no_time() {
        for text in [
            "",
            " ",
            "yesterday",
            "2026-03-02",
            "2026-13-02T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-03-02T24:00:00Z",
            "2026-03-02T08:60:00Z",
            "2026-03-02T08:14:55.1234567890Z",
            "2026-03-02T08:14:55Zulu",
            "12026-03-02T08:14:55Z",
            "24/3/2022 2:42:35 PM",
            "3/24/2022 14:42:35 PM",
            "3/24/2022 0:42:35 AM",
            "/Date(99999999999999999)/",
            "Feb 7, 2020 @ 16:43:53.000",
            "2026-03-02T08:14:55+99:00",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        for value in [
            sonic_rs::json!(null),
            sonic_rs::json!(true),
            sonic_rs::json!(1e300),
            sonic_rs::json!([]),
        ] {
            assert_eq!(of(made(&value).root()), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*") {
            parse(&text);
        }

        #[test]
        fn nothing_like_a_time_panics(text in "[0-9/:.TZ+ -]{0,40}|/Date\\([0-9+-]*\\)/|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4} [0-9:. apmAPM+-]*") {
            parse(&text);
        }

        #[test]
        fn agrees_with_chrono(seconds in -62_167_219_200_i64..=253_402_300_799) {
            let time = chrono::DateTime::from_timestamp(seconds, 0).unwrap();
            prop_assert_eq!(parse(&time.format("%Y-%m-%dT%H:%M:%SZ").to_string()), Some(seconds * 1_000_000));
        }
    }
}
