//! Messages and folders of mailboxes, by name: the same message comes in many records.

use super::super::organisation::User;
use super::super::random::{Random, join};
use super::super::text::{Base64, Hex, Put, put};

/// A message. Every third one is also in the mailboxes of the team.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message(pub(super) u64);

/// Seconds from one message that a mailbox gets to the next, about.
const SECONDS_PER_MESSAGE: u64 = 1_800;

impl Message {
    /// One of those that a mailbox got, by number.
    fn of(owner: &User, number: u64) -> Self {
        let whose = if number.is_multiple_of(3) {
            u64::MAX - owner.number / 8
        } else {
            owner.seed
        };
        Self(join(whose, number))
    }

    /// One that a mailbox has at a second, most likely a new one.
    pub(super) fn recent(owner: &User, second: u64, random: &mut Random) -> Self {
        let age = random.skewed(20_000, 4);
        Self::of(owner, (second / SECONDS_PER_MESSAGE).saturating_sub(age))
    }

    /// Bytes.
    pub(super) fn size(self) -> u64 {
        3_000 + Random::new(self.0).skewed(4_000_000, 5)
    }
}

impl Put for Message {
    /// As half of all messages are named, by Exchange itself; or by others.
    fn put(&self, out: &mut Vec<u8>) {
        let number = self.0;
        let (a, b) = (Hex(join(number, 1)), Hex(join(number, 2)));
        match number % 10 {
            0..6 => {
                let server = 1_000 + number / 10 % 90 * 97;
                put!(
                    out,
                    "<AM0PR07MB",
                    server,
                    a,
                    b,
                    "@AM0PR07MB",
                    server,
                    ".eurprd07.prod.outlook.com>"
                );
            }
            6..9 => put!(
                out,
                "<",
                a,
                ".",
                number % 1_000_000,
                "@mail.partner",
                number / 10 % 40,
                ".example>"
            ),
            _ => {
                put!(
                    out,
                    "<",
                    a,
                    b,
                    "-JFBVALKQOJXWILKCJQZFA7CPGM3DKTLFONZWCZ3FINSW45DFOJ6E2Q2ENFTWK43UL4Y",
                    a
                );
                put!(out, "====@microsoft.com>");
            }
        }
    }
}

/// The id of a folder of a mailbox.
pub(super) struct FolderId<'a>(pub(super) &'a User, pub(super) usize);

impl Put for FolderId<'_> {
    fn put(&self, out: &mut Vec<u8>) {
        let [a, b] = &self.0.store;
        put!(out, "LgAAAAD", a, "AQB", b, "AAAAAAE", 10 + self.1 as u64, "AAAB");
    }
}

/// The id of an item in a folder.
pub(super) struct ItemId<'a>(pub(super) &'a User, pub(super) usize, pub(super) u64);

impl Put for ItemId<'_> {
    fn put(&self, out: &mut Vec<u8>) {
        let [a, b] = &self.0.store;
        put!(
            out,
            "RgAAAAD",
            a,
            "BwB",
            b,
            "AAAAAAE",
            10 + self.1 as u64,
            "AAB",
            b,
            "AA",
            Base64(self.2),
            "AAA="
        );
    }
}
