//! Appending to text without making strings: what a record is written with.

/// Something that can be written at the end of a record.
pub(super) trait Put {
    fn put(&self, out: &mut Vec<u8>);
}

/// Writes the parts one after another.
macro_rules! put {
    ($out:expr, $($part:expr),+ $(,)?) => {{
        let out: &mut Vec<u8> = $out;
        $( $crate::generate::text::Put::put(&$part, out); )+
    }};
}
pub(super) use put;

impl Put for str {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

impl<T: Put + ?Sized> Put for &T {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
}

impl<T: Put + ?Sized> Put for Box<T> {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
}

impl Put for String {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) {
        self.as_str().put(out);
    }
}

impl Put for u64 {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) {
        let mut digits = [0; 20];
        let (mut rest, mut at) = (*self, digits.len());
        while rest >= 100 {
            at -= 2;
            digits[at..at + 2].copy_from_slice(two_digits(rest % 100));
            rest /= 100;
        }
        if rest >= 10 {
            at -= 2;
            digits[at..at + 2].copy_from_slice(two_digits(rest));
        } else {
            at -= 1;
            digits[at] = b'0' + rest as u8;
        }
        out.extend_from_slice(&digits[at..]);
    }
}

impl Put for bool {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) {
        (if *self { "true" } else { "false" }).put(out);
    }
}

/// `00` to `99`.
const TWO_DIGITS: [[u8; 2]; 100] = {
    let mut table = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        table[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    table
};

#[inline]
fn two_digits(number: u64) -> &'static [u8; 2] {
    &TWO_DIGITS[(number % 100) as usize]
}

const fn hex_table(digits: &[u8; 16]) -> [[u8; 2]; 256] {
    let mut table = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    table
}

const LOWER: [[u8; 2]; 256] = hex_table(b"0123456789abcdef");
const UPPER: [[u8; 2]; 256] = hex_table(b"0123456789ABCDEF");

/// A GUID of these bits, in lower case, marked as a random one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Guid(pub(super) u64, pub(super) u64);

impl Put for Guid {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) {
        let high = (self.0 & !0xF000 | 0x4000).to_be_bytes();
        let low = (self.1 & !(3 << 62) | 2 << 62).to_be_bytes();
        let mut text = [b'-'; 36];
        for (byte, at) in high.iter().zip([0, 2, 4, 6, 9, 11, 14, 16]) {
            text[at..at + 2].copy_from_slice(&LOWER[usize::from(*byte)]);
        }
        for (byte, at) in low.iter().zip([19, 21, 24, 26, 28, 30, 32, 34]) {
            text[at..at + 2].copy_from_slice(&LOWER[usize::from(*byte)]);
        }
        out.extend_from_slice(&text);
    }
}

impl Guid {
    /// As text.
    pub(super) fn text(self) -> Box<str> {
        text_of(&self)
    }
}

/// Sixteen digits, in upper case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hex(pub(super) u64);

impl Put for Hex {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) {
        let mut text = [0; 16];
        for (byte, place) in self.0.to_be_bytes().iter().zip(text.chunks_exact_mut(2)) {
            place.copy_from_slice(&UPPER[usize::from(*byte)]);
        }
        out.extend_from_slice(&text);
    }
}

/// Ten characters of base 64.
#[derive(Debug, Clone, Copy)]
pub(super) struct Base64(pub(super) u64);

impl Put for Base64 {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = [0; 10];
        for (place, digit) in text.iter_mut().enumerate() {
            *digit = DIGITS[(self.0 >> (place * 6)) as usize & 63];
        }
        out.extend_from_slice(&text);
    }
}

/// What a value is as text.
pub(super) fn text_of(part: &(impl Put + ?Sized)) -> Box<str> {
    let mut out = Vec::new();
    part.put(&mut out);
    String::from_utf8_lossy(&out).into()
}

/// A second: `2026-03-02T08:14:55`, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Second(pub(super) u64);

/// Year, month and day of a number of days since 1970.
fn date(days: u64) -> (u64, u64, u64) {
    // Howard Hinnant's civil_from_days, for days after 1970.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

impl Put for Second {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) {
        let (year, month, day) = date(self.0 / 86_400);
        let second = self.0 % 86_400;
        let mut text = *b"0000-00-00T00:00:00";
        for (at, number) in [
            (0, year / 100),
            (2, year % 100),
            (5, month),
            (8, day),
            (11, second / 3_600),
            (14, second / 60 % 60),
            (17, second % 60),
        ] {
            text[at..at + 2].copy_from_slice(two_digits(number));
        }
        out.extend_from_slice(&text);
    }
}

/// A second and its fraction in seven digits, as .NET writes times: `2026-03-02T08:14:55.1234567`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tick(pub(super) u64, pub(super) u64);

impl Put for Tick {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) {
        Second(self.0).put(out);
        let mut text = *b".0000000";
        text[1] = b'0' + (self.1 / 1_000_000 % 10) as u8;
        text[2..4].copy_from_slice(two_digits(self.1 / 10_000));
        text[4..6].copy_from_slice(two_digits(self.1 / 100));
        text[6..8].copy_from_slice(two_digits(self.1));
        out.extend_from_slice(&text);
    }
}

/// A second in the American form that Azure Monitor uses for risk events: `3/24/2026 9:21:00 AM`.
#[derive(Debug, Clone, Copy)]
pub(super) struct AmericanSecond(pub(super) u64);

impl Put for AmericanSecond {
    fn put(&self, out: &mut Vec<u8>) {
        let (year, month, day) = date(self.0 / 86_400);
        let (hour, minute, second) = (self.0 / 3_600 % 24, self.0 / 60 % 60, self.0 % 60);
        put!(out, month, "/", day, "/", year, " ", (hour + 11) % 12 + 1, ":");
        out.extend_from_slice(two_digits(minute));
        out.push(b':');
        out.extend_from_slice(two_digits(second));
        put!(out, if hour < 12 { " AM" } else { " PM" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for number in [0, 7, 10, 99, 100, 12_345, 1_000_000, u64::MAX] {
            assert_eq!(*text_of(&number), number.to_string());
        }
        assert_eq!(&*text_of(&Hex(0xAB)), "00000000000000AB");
        assert_eq!(&*text_of(&Base64(0)), "AAAAAAAAAA");
    }

    #[test]
    fn guids_are_random_ones() {
        assert_eq!(&*Guid(0, 0).text(), "00000000-0000-4000-8000-000000000000");
        assert_eq!(
            &*Guid(u64::MAX, u64::MAX).text(),
            "ffffffff-ffff-4fff-bfff-ffffffffffff"
        );
        let id = Guid(0x0123_4567_89ab_cdef, 0x0123_4567_89ab_cdef).text();
        assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 4);
    }

    #[test]
    fn times_are_those_of_chrono() {
        for second in (0..4_000_000_000_u64).step_by(7_654_321) {
            let time = chrono::DateTime::from_timestamp(second as i64, 0).unwrap();
            assert_eq!(*text_of(&Second(second)), time.format("%Y-%m-%dT%H:%M:%S").to_string());
            let american = time.format("%-m/%-d/%Y %-I:%M:%S %p").to_string();
            assert_eq!(*text_of(&AmericanSecond(second)), american);
        }
        assert_eq!(&*text_of(&Tick(0, 1_234_567)), "1970-01-01T00:00:00.1234567");
        assert_eq!(&*text_of(&Tick(0, 42)), "1970-01-01T00:00:00.0000042");
    }
}
