//! Archives and compressed files.

use super::{ingested, line};
use crate::sandbox::{gzip, zip};
use std::io::{Read as _, Write as _};

#[test]
fn zips_within_zips() {
    let nested = |depth: usize| (0..depth).fold(line("a").into_bytes(), |bytes, _| zip(&[("inner", &bytes)]));
    assert_eq!(ingested(nested(9)).counts, [1, 1, 0, 0]);
    let found = ingested(nested(12));
    assert_eq!(found.counts, [1, 0, 0, 1]);
    assert!(found.says("more than 8 deep"), "{}", found.problem);
}

/// No name of a member is ever that of a file on the disk.
#[test]
fn names_that_leave_the_archive() {
    let names = [
        "../../x",
        "/etc/cron.d/x",
        "C:\\x",
        "..\\..\\x",
        "a\u{0}b",
        "a\nb",
        "e\u{301}\u{202e}",
        "n/",
    ];
    let records: Vec<String> = (0..names.len()).map(|id| line(&id.to_string())).collect();
    let members: Vec<(&str, &[u8])> = names
        .iter()
        .copied()
        .zip(records.iter().map(String::as_bytes))
        .collect();
    let found = ingested(zip(&members));
    assert_eq!(
        found.counts[1], 7,
        "a name that ends with a slash is that of a folder: {}",
        found.problem
    );
    let outside: Vec<_> = std::fs::read_dir(found.sandbox.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(outside.len(), 2, "the file and the lake: {outside:?}");
    for row in found.sandbox.sql("SELECT source_file FROM events") {
        let (_, member) = row["source_file"].as_str().unwrap().split_once("in!/").unwrap();
        assert!(!member.chars().any(char::is_control), "{member:?}");
    }
}

#[test]
fn a_zip_with_two_members_of_a_name_says_so() {
    let mut bytes = zip(&[("a.json", line("a").as_bytes()), ("b.json", line("b").as_bytes())]);
    while let Some(at) = bytes.windows(6).position(|window| window == b"b.json") {
        bytes[at] = b'a';
    }
    let found = ingested(bytes);
    assert_eq!(found.counts[1], 1);
    assert!(found.says("the same name"), "{}", found.problem);
}

/// What is wrong with each of two members is kept, whatever they are called.
#[test]
fn members_of_a_tar_with_the_same_name_are_two() {
    let found = ingested(tar(&[
        ("a", b'0', b"{\"a\":1}"),
        ("a", b'0', b"{\"b\":1}"),
        ("a", b'0', line("a").as_bytes()),
    ]));
    assert_eq!(found.counts, [3, 1, 0, 2]);
    assert_eq!(found.quarantine().len(), 2);
}

fn tar(members: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, kind, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(tar::EntryType::new(*kind));
        header.set_size(bytes.len() as u64);
        if matches!(kind, b'1' | b'2') {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        tar.append(&header, *bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

#[test]
fn links_and_devices_in_a_tar_are_nothing() {
    let record = line("a");
    let found = ingested(tar(&[
        ("symbolic", b'2', b""),
        ("hard", b'1', b""),
        ("device", b'3', b""),
        ("block", b'4', b""),
        ("pipe", b'6', b""),
        ("folder", b'5', b""),
        ("../../x", b'0', record.as_bytes()),
    ]));
    assert_eq!(found.counts, [1, 1, 0, 0], "{}", found.problem);
}

/// A megabyte of zeros for each kilobyte: padding, as far as it goes, and the record behind it.
#[test]
fn a_gzip_file_a_thousand_times_as_long() {
    let mut text = vec![0; 100 << 20];
    text.extend_from_slice(line("a").as_bytes());
    assert_eq!(ingested(gzip(&text)).counts, [1, 1, 0, 0]);
}

/// Takes a minute: what comes out is given up at 4 GiB.
#[test]
#[ignore = "takes minutes"]
fn a_bomb_is_given_up() {
    let piece = gzip(&vec![b'['; 64 << 20]);
    let found = ingested(piece.repeat(70));
    assert_eq!(found.counts, [1, 0, 0, 1]);
    assert!(found.says("expands to more than 4 GiB"), "{}", found.problem);
}

/// What describes a member is read whole by whoever unpacks it: a name of 200 MB is no name.
#[test]
fn a_name_without_end() {
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..4].copy_from_slice(b"long");
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(200 << 20);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.resize(bytes.len() + (200 << 20), b'n');
    let found = ingested(gzip(&bytes));
    assert_eq!(found.counts, [1, 0, 0, 1]);
    assert!(found.says("is too long"), "{}", found.problem);
}

#[test]
fn a_zip_that_claims_what_it_has_not() {
    let whole = zip(&[("a.json", line("a").as_bytes())]);
    let end = whole.len() - 22;
    // Members, and bytes of the index: as many as fit.
    for (from, to) in [(8, 12), (12, 16), (16, 20), (8, 20)] {
        let mut claims = whole.clone();
        claims[end + from..end + to].fill(0xFF);
        let found = ingested(claims);
        assert_eq!(
            found.counts[0],
            found.counts[1] + found.counts[3],
            "{from}: {}",
            found.problem
        );
    }
    let found = ingested(&whole[..end]);
    assert_eq!(found.counts, [1, 0, 0, 1]);
}

/// Memory for an index is taken by what the archive says of it: 2 MB that expand to a zip archive
/// of ten million members, all of them zeros.
#[test]
fn a_zip_that_claims_ten_million_members() {
    let (before, index) = (20_000_000_u64, 460_000_000_u64);
    let members = (index / 46).to_le_bytes();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut zeros = |head: &[u8], length: u64| {
        encoder.write_all(head).unwrap();
        std::io::copy(&mut std::io::repeat(0).take(length - head.len() as u64), &mut encoder).unwrap();
    };
    zeros(b"PK\x03\x04", before);
    zeros(b"PK\x01\x02", index);
    let sizes = [index.to_le_bytes(), before.to_le_bytes()].concat();
    let head = b"PK\x06\x06\x2C\0\0\0\0\0\0\0\x2D\0\x2D\0\0\0\0\0\0\0\0\0";
    let locator = [
        b"PK\x06\x07\0\0\0\0",
        &(before + index).to_le_bytes()[..],
        b"\x01\0\0\0",
    ]
    .concat();
    let end = b"PK\x05\x06\0\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0";
    for part in [&head[..], &members, &members, &sizes, &locator, end] {
        encoder.write_all(part).unwrap();
    }
    let found = ingested(encoder.finish().unwrap());
    assert_eq!(found.counts, [1, 0, 0, 1]);
    assert!(found.says("the index of the archive is too long"), "{}", found.problem);
}

/// A 7z archive whose index is this, with good checksums.
fn seven_z(claimed: u64, index: &[u8]) -> Vec<u8> {
    let sum = |bytes: &[u8]| {
        let mut sum = flate2::Crc::new();
        sum.update(bytes);
        sum.sum().to_le_bytes()
    };
    let start = [&[0; 8], &claimed.to_le_bytes()[..], &sum(index)].concat();
    [b"7z\xBC\xAF\x27\x1C\x00\x04", &sum(&start)[..], &start, index].concat()
}

#[test]
fn a_7z_archive_that_claims_what_it_has_not() {
    let most = [0xFF; 9];
    for bytes in [
        seven_z(1 << 62, b"\x01"),
        seven_z(u64::MAX, b"\x01"),
        seven_z(3 << 30, b"\x01"),
        // So many streams, so many files, an index that is packed and as large.
        seven_z(13, &[&b"\x01\x04\x06\x00"[..], &most].concat()),
        seven_z(11, &[&b"\x01\x05"[..], &most].concat()),
        seven_z(13, &[&b"\x17\x06\x00\x01"[..], &most].concat()),
    ] {
        let found = ingested(bytes);
        assert_eq!(found.counts, [1, 0, 0, 1]);
        assert!(found.says("damaged or cut off"), "{}", found.problem);
    }
}

#[test]
fn half_a_character_of_utf16_is_the_end_of_its_record() {
    let text = format!("\u{feff}{}{}", line("a"), line("b"));
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(ingested(&bytes).counts, [2, 2, 0, 0]);
    let found = ingested(&bytes[..bytes.len() - 5]);
    assert_eq!(found.counts, [2, 1, 0, 1]);
    let lonely: Vec<u8> = [0xFEFF, 0xD800, 0xDC00, 0xDC00, 0xD800]
        .iter()
        .flat_map(|unit: &u16| unit.to_be_bytes())
        .collect();
    assert_eq!(ingested(lonely).counts, [1, 0, 0, 1]);
}
