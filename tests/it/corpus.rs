//! The corpus of the fuzz targets, held to their checks; and random changes of it.

#[allow(unreachable_pub)]
#[path = "../../fuzz/src/lib.rs"]
mod checks;

use crate::sandbox::repository;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

type Check = fn(&[u8]);

/// The targets by the names of their folders.
const TARGETS: [(&str, Check); 6] = [
    ("archive", checks::archive),
    ("cidr_match", checks::cidr_match),
    ("csv", checks::csv),
    ("framing", checks::framing),
    ("header", checks::header),
    ("sources", checks::sources),
];

/// Seeds of a target, in the order of their names.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = repository(&format!("fuzz/corpus/{target}"));
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut seeds: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{folder} is empty");
    seeds
}

/// Runs a check. Where it panics, the input is written to a file, which the answer names.
fn fault(target: &str, check: Check, bytes: &[u8], origin: &Path) -> Option<String> {
    catch_unwind(AssertUnwindSafe(|| check(bytes))).err()?;
    let kept = std::env::temp_dir().join(format!("{target}-{:x}", bytes.len()));
    std::fs::write(&kept, bytes).unwrap();
    Some(format!("{target}: {} (from {})", kept.display(), origin.display()))
}

#[test]
fn every_seed_holds() {
    let mut faults = Vec::new();
    for (target, check) in TARGETS {
        let seeds = corpus(target);
        faults.extend(
            seeds
                .iter()
                .filter_map(|(path, bytes)| fault(target, check, bytes, path)),
        );
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_target_is_built_and_has_a_corpus() {
    let manifest = std::fs::read_to_string(repository("fuzz/Cargo.toml")).unwrap();
    let named = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("path = \"fuzz_targets/"));
    let mut named: Vec<&str> = named.filter_map(|rest| rest.strip_suffix(".rs\"")).collect();
    named.sort_unstable();
    assert_eq!(named, TARGETS.map(|(target, _)| target));
    for target in named {
        let text = std::fs::read_to_string(repository(&format!("fuzz/fuzz_targets/{target}.rs"))).unwrap();
        assert!(text.contains(&format!("checks::{target}(bytes)")), "{text}");
    }
}

/// Changed seeds. `FUZZ_CASES` is how many per target, `FUZZ_SEED` which ones.
#[test]
fn changed_seeds_hold() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let cases = number("FUZZ_CASES").unwrap_or(150);
    let only = std::env::var("FUZZ_TARGET").ok();
    for (target, check) in TARGETS {
        if only.as_ref().is_some_and(|only| only != target) {
            continue;
        }
        let seeds = corpus(target);
        let mut random = Random(number("FUZZ_SEED").unwrap_or(1));
        for _ in 0..cases {
            let (path, bytes) = &seeds[random.below(seeds.len())];
            let other = &seeds[random.below(seeds.len())].1;
            let changed = random.changed(bytes, other);
            if let Some(fault) = fault(target, check, &changed, path) {
                panic!("{fault}");
            }
        }
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..(start + self.below(64)).min(length)
    }

    /// A few changes in a row: bits, bytes and what means something to a parser, pieces left out,
    /// repeated, put in from another seed, and cut off.
    fn changed(&mut self, bytes: &[u8], other: &[u8]) -> Vec<u8> {
        const TOKENS: [&[u8]; 40] = [
            b"\"",
            b"\\",
            b"{",
            b"}",
            b"[",
            b"]",
            b",",
            b":",
            b"\n",
            b"\r",
            b"\0",
            b" ",
            b"\xEF\xBB\xBF",
            b"\xFF",
            b"\xC3",
            b"\\u0000",
            b"\\ud800",
            b"null",
            b"true",
            b"NaN",
            b"-1",
            b"0",
            b"9223372036854775808",
            b"1e308",
            b"1e999999",
            b"-0.0",
            b"9999-12-31T23:59:59Z",
            b"0000-01-01T00:00:00",
            b"/Date(-99999999999999)/",
            b"\"\"",
            b"[]",
            b"{}",
            b";",
            b"\t",
            b"::ffff:1.2.3.4",
            b"/0",
            b"/128",
            b"\xFF\xFF\xFF\xFF",
            b"---*/",
            b"sep=|\n",
        ];
        let mut changed = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let range = self.range(changed.len());
            match self.below(8) {
                0 if !changed.is_empty() => {
                    let at = self.below(changed.len());
                    changed[at] ^= 1 << self.below(8);
                }
                1 if !changed.is_empty() => {
                    let at = self.below(changed.len());
                    changed[at] = self.next() as u8;
                }
                2 => drop(changed.drain(range)),
                3 => {
                    let piece = changed[range.clone()].repeat(1 + self.below(4));
                    changed.splice(range.start..range.start, piece);
                }
                4 => {
                    let piece = other[self.range(other.len())].to_vec();
                    changed.splice(range, piece);
                }
                5 => {
                    let at = self.below(changed.len() + 1);
                    changed.truncate(at);
                    let from = self.below(other.len() + 1);
                    changed.extend_from_slice(&other[from..]);
                    changed.truncate(64 << 10);
                }
                6 => changed.truncate(range.end),
                _ => {
                    let token = TOKENS[self.below(TOKENS.len())].iter().copied();
                    let until = range.start + self.below(2) * range.len();
                    changed.splice(range.start..until, token);
                }
            }
        }
        changed
    }
}
