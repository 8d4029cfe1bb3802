use super::*;
use std::io::Write as _;
use std::sync::atomic::AtomicBool;

/// What a visitor was shown: paths with texts, and what was damaged.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    contents: Vec<(String, String)>,
    damaged: Vec<(String, String)>,
}

impl Visitor for Seen {
    fn content(&mut self, member: &str, content: &mut dyn Read) -> bool {
        let mut bytes = Vec::new();
        match content.read_to_end(&mut bytes) {
            Ok(_) => self
                .contents
                .push((member.into(), String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) => self.damaged(member, error),
        }
        true
    }

    fn damaged(&mut self, member: &str, error: io::Error) {
        self.damaged.push((member.into(), error.to_string()));
    }
}

fn seen(bytes: Vec<u8>) -> Seen {
    let mut seen = Seen::default();
    let size = bytes.len() as u64;
    visit(
        Box::new(Cursor::new(bytes)),
        Limits::new(size, &AtomicBool::new(false)),
        &mut seen,
    );
    seen
}

fn contents(bytes: Vec<u8>) -> Vec<(String, String)> {
    let seen = seen(bytes);
    assert_eq!(seen.damaged, []);
    seen.contents
}

fn of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(path, text)| ((*path).into(), (*text).into()))
        .collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = (0..text.len()).step_by(2).map(|at| &text[at..at + 2]);
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_old();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        tar.append(&header, *bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

#[test]
fn every_compression_reads_the_same() {
    let text = "{\"a\":\"é😀\"}\n".repeat(20_000);
    let same = of(&[("", &text)]);
    assert_eq!(contents(text.clone().into_bytes()), same);
    assert_eq!(contents(gzip(text.as_bytes())), same);
    assert_eq!(
        contents([gzip(b"{\"x\":1}\n"), gzip(text.as_bytes())].concat()),
        of(&[("", &format!("{{\"x\":1}}\n{text}"))]),
        "members"
    );
    assert_eq!(contents(zstd::stream::encode_all(text.as_bytes(), 1).unwrap()), same);
    let mut bz = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bz.write_all(text.as_bytes()).unwrap();
    assert_eq!(contents(bz.finish().unwrap()), same);
    // xz -9 of {"a":1} and a line feed.
    let xz = "fd377a585a000004e6d6b446020021011c00000010cf58cc0100077b2261223a317d0a00be4991435504ef8500012008bb19d9bb1fb6f37d010000000004595a";
    assert_eq!(contents(unhex(xz)), of(&[("", "{\"a\":1}\n")]));
    let utf16 = |convert: fn(u16) -> [u8; 2]| {
        let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
        units.flat_map(convert).collect()
    };
    let marked = of(&[("", &format!("\u{feff}{text}"))]);
    assert_eq!(contents(utf16(u16::to_le_bytes)), marked);
    assert_eq!(contents(utf16(u16::to_be_bytes)), marked);
}

#[test]
fn members_of_archives_are_files_in_any_nesting() {
    let members: &[(&str, &[u8])] = &[("a.json", b"{\"a\":1}"), ("logs\\b.csv", b"x,y"), ("empty", b"")];
    let plain = of(&[("a.json", "{\"a\":1}"), ("logs/b.csv", "x,y"), ("empty", "")]);
    assert_eq!(contents(zip(members)), plain);
    assert_eq!(contents(tar(members)), plain);
    assert_eq!(contents(gzip(&tar(members))), plain, ".tar.gz");
    let outer = zip(&[
        ("1.json.gz", &gzip(b"{}")),
        ("inner.zip", &zip(members)),
        ("inner.tgz", &gzip(&tar(&members[..1]))),
    ]);
    let nested = of(&[
        ("1.json.gz", "{}"),
        ("inner.zip!/a.json", "{\"a\":1}"),
        ("inner.zip!/logs/b.csv", "x,y"),
        ("inner.zip!/empty", ""),
        ("inner.tgz!/a.json", "{\"a\":1}"),
    ]);
    assert_eq!(contents(outer), nested);
}

#[test]
fn what_systems_add_to_archives_is_left_out() {
    let members: &[(&str, &[u8])] = &[
        ("__MACOSX/._a.json", b"x"),
        ("logs/._a.json", b"x"),
        (".DS_Store", b"x"),
        ("logs/a.json", b"{}"),
    ];
    assert_eq!(contents(zip(members)), of(&[("logs/a.json", "{}")]));
    assert_eq!(contents(tar(members)), of(&[("logs/a.json", "{}")]));
}

#[test]
fn a_path_that_leaves_its_archive_is_a_text_of_one_line() {
    let members: &[(&str, &[u8])] = &[
        ("../../etc/passwd", b"{}"),
        ("/abs.json", b"{}"),
        ("a\nb", b"{}"),
        ("./c/d", b"{}"),
    ];
    let paths = of(&[
        ("../../etc/passwd", "{}"),
        ("/abs.json", "{}"),
        ("a\u{FFFD}b", "{}"),
        ("c/d", "{}"),
    ]);
    assert_eq!(contents(tar(members)), paths);
}

#[test]
fn what_is_damaged_does_not_take_the_rest_with_it() {
    let text = "{\"a\":1}".repeat(5000);
    let mut bytes = zip(&[("1", text.as_bytes()), ("2", b"{}")]);
    // In the middle of the first member's data.
    bytes[60] ^= 0xFF;
    let seen = seen(bytes);
    assert_eq!(seen.contents, of(&[("2", "{}")]));
    assert_eq!(
        seen.damaged
            .iter()
            .map(|(member, _)| member.as_str())
            .collect::<Vec<_>>(),
        ["1"]
    );

    let whole = tar(&[("1", b"{}"), ("2", text.as_bytes())]);
    let cut = self::seen(whole[..2000].to_vec());
    assert_eq!(cut.contents[0], ("1".into(), "{}".into()));
    let zip_cut = zip(&[("1", b"{}")]);
    assert_eq!(self::seen(zip_cut[..40].to_vec()).damaged.len(), 1);
    assert_eq!(self::seen(b"7z\xBC\xAF\x27\x1C nothing".to_vec()).damaged.len(), 1);
}

#[test]
fn a_visitor_can_have_seen_enough() {
    struct One(usize);
    impl Visitor for One {
        fn content(&mut self, _: &str, _: &mut dyn Read) -> bool {
            self.0 += 1;
            false
        }

        fn damaged(&mut self, member: &str, error: io::Error) {
            panic!("{member}: {error}");
        }
    }
    let members: &[(&str, &[u8])] = &[("1", b"{}"), ("2", b"{}")];
    for bytes in [
        zip(members),
        tar(members),
        zip(&[("x.tar", &tar(members)), ("3", b"{}")]),
    ] {
        let mut one = One(0);
        visit(
            Box::new(Cursor::new(bytes)),
            Limits::new(1000, &AtomicBool::new(false)),
            &mut one,
        );
        assert_eq!(one.0, 1);
    }
}

#[test]
fn whoever_says_stop_does_not_wait_for_the_end() {
    let members: &[(&str, &[u8])] = &[("1", b"{}"), ("2", b"{}")];
    for bytes in [zip(members), tar(members), gzip(b"{}"), b"{}".to_vec()] {
        let mut seen = Seen::default();
        visit(
            Box::new(Cursor::new(bytes)),
            Limits::new(1000, &AtomicBool::new(true)),
            &mut seen,
        );
        assert_eq!(seen.contents, []);
        assert!(seen.damaged.iter().all(|(_, problem)| problem == "stopped"), "{seen:?}");
    }
}

#[test]
fn archives_end_somewhere() {
    let mut bytes = b"{}".to_vec();
    for _ in 0..12 {
        bytes = gzip(&bytes);
    }
    let seen = seen(bytes);
    assert_eq!(seen.contents, []);
    assert!(seen.damaged[0].1.contains("more than 8 deep"), "{seen:?}");
}

#[test]
fn what_expands_without_end_is_given_up() {
    struct Zeros;
    impl Read for Zeros {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            buffer.fill(b' ');
            Ok(buffer.len())
        }
    }
    let stop = AtomicBool::new(false);
    let limits = Limits::of(1 << 20, &stop);
    let mut zeros = Zeros;
    let mut sum = 0;
    let mut counted = limits.counted(&mut zeros, 1);
    let mut buffer = [0; 4096];
    let error = loop {
        match counted.read(&mut buffer) {
            Ok(count) => sum += count,
            Err(error) => break error,
        }
    };
    assert!(sum <= 1 << 20);
    assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    assert!(limits.check().is_err(), "the rest of the archive is not looked at");
}

#[test]
fn what_expands_on_its_way_to_nothing_is_given_up() {
    // A gzip file of no bytes in a million empty blocks, in one of the same length: the inner one
    // has to be read, though nothing comes out.
    let mut nothing = gzip(b"");
    let (head, tail) = (nothing[..10].to_vec(), nothing.split_off(10));
    let blocks = b"\0\0\0\xFF\xFF".repeat(1_000_000);
    let bytes = gzip(&[head, blocks, tail].concat());
    assert_eq!(contents(bytes.clone()), of(&[("", "")]));
    let stop = AtomicBool::new(false);
    let walk = Walk {
        limits: Limits::of(1 << 20, &stop),
        ended: Cell::new(false),
    };
    let mut seen = Seen::default();
    let shown = walk.stream(&mut bytes.as_slice(), "", 0, &mut seen);
    assert!(shown.is_err() || !seen.damaged.is_empty(), "{seen:?}");
    assert_eq!(walk.limits.check().unwrap_err().kind(), io::ErrorKind::FileTooLarge);
}

#[test]
fn what_describes_a_member_is_not_without_end() {
    let named = |length: usize| {
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(2);
        tar.append_data(&mut header, "n".repeat(length), &b"{}"[..]).unwrap();
        tar.into_inner().unwrap()
    };
    assert_eq!(contents(named(1000)), of(&[("n".repeat(1000).as_str(), "{}")]));
    let seen = seen(named(2 << 20));
    assert_eq!(seen.contents, []);
    assert!(seen.damaged[0].1.contains("is too long"), "{:?}", seen.damaged);
}

#[test]
fn a_member_of_any_type_that_has_bytes_is_a_file() {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, kind) in [
        ("links", b'1'),
        ("points", b'2'),
        ("folder", b'5'),
        ("cont", b'7'),
        ("other", b'Z'),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_path(name).unwrap();
        let content: &[u8] = if kind < b'6' { b"" } else { b"{}" };
        header.set_size(content.len() as u64);
        if kind < b'5' {
            header.set_link_name("../../etc/passwd").unwrap();
        }
        header.set_cksum();
        tar.append(&header, content).unwrap();
    }
    assert_eq!(
        contents(tar.into_inner().unwrap()),
        of(&[("cont", "{}"), ("other", "{}")])
    );
}

#[test]
fn members_of_the_same_name_are_said() {
    let mut bytes = zip(&[("a.json", b"{\"a\":1}"), ("b.json", b"{\"b\":1}")]);
    while let Some(at) = bytes.windows(6).position(|window| window == b"b.json") {
        bytes[at] = b'a';
    }
    let seen = seen(bytes);
    assert_eq!(seen.contents, of(&[("a.json", "{\"b\":1}")]));
    assert!(seen.damaged[0].1.contains("the same name"), "{seen:?}");
}

/// `logs/a.json` and `b.csv`, packed with py7zr: plain, with a password, and with one for the
/// names as well.
const SEVEN_Z_PLAIN: &str = "377abcaf271c00046aec57f783000000000000001400000000000000735c91ee0100097b2261223a317d782c7900e0007c006d5d0000813307ae0fcec75c81090a900f5e71b9e029b5641dbca0e5c007520328d57885394cf60023ff21f9153b642a9a814ae3bd9918777a8a3499ee4959b5d124e2a49bcf72c6a810d0aa7b81180e5a9c3cd5a086c11a148ba89f1549bcde9692476468d06ae231307cd0000000000017060e01097500070b010001212101180c7d0000";
const SEVEN_Z_SECRET: &str = "377abcaf271c00040c61ec609c000000000000001600000000000000c6c2f1d7b002f5ade3e405e5cc5c16105606efebe0009000845d0000813307ae0fcef372518d7831027282b5734157e0fb55ada4121385e662d22110b0a3f0ee9265aa5edf9ec25a1ad51b85e44dccf461de96226630f9ed7647addd1888670d2150675b021004a6c01ec8a00a5df0434d27b794dc3020e6ef6cbc0fd60b3c307321b51ed233bb2573c15617f66dd1caad901d9e13110006979550c0000000001706100109808c00070b010001212101180c80910000";
const SEVEN_Z_ALL_SECRET: &str = "377abcaf271c0004984a397eb0000000000000002a000000000000009a2c39d9363693f90e6a78f518ae34c8b58f8cd1251b1bfed081fa8faa1a47ca78fc5c53061fd2231e1e5bd1aab673a72d9eed62c8797d655536bb0e06adc373e12b82954a1b9719895cb5c47e91ef16a522d92a814ba9b93c2c51feb289cca4166d9f961efa7b492146f50420fb776383e08e5d080c20d90cb8fe2ba68d79408f6a3681340d12f2fb098d6d200242306b74604ad883695e2d5e69b5d2792f1bfeecbdffdd7678f01d9bd40b2690b960142848f4170610010980a000070b0100012406f1070112530f4e19960510a4e024fc915140b29e734b0c80910000";

#[test]
fn seven_z_is_read_and_what_is_encrypted_is_said() {
    let members = of(&[("logs/a.json", "{\"a\":1}"), ("b.csv", "x,y")]);
    assert_eq!(contents(unhex(SEVEN_Z_PLAIN)), members);
    let within = contents(gzip(&zip(&[("x.7z", &unhex(SEVEN_Z_PLAIN))])));
    assert_eq!(within[0].0, "x.7z!/logs/a.json");
    for secret in [SEVEN_Z_SECRET, SEVEN_Z_ALL_SECRET] {
        let seen = seen(unhex(secret));
        assert_eq!(seen.contents, []);
        assert!(
            !seen.damaged.is_empty() && seen.damaged.iter().all(|(_, problem)| problem.contains("password")),
            "{seen:?}"
        );
    }
}

#[test]
fn a_dictionary_of_gigabytes_is_not_made() {
    // The size of its dictionary follows the method, LZMA, and five bytes of its properties.
    let mut bytes = unhex(SEVEN_Z_PLAIN);
    let index = 32 + u64::from_le_bytes(bytes[12..20].try_into().unwrap()) as usize;
    assert!(bytes.len() > index);
    let method = bytes.windows(3).rposition(|window| window == [0x21, 0x01, 0x18]);
    let method = method.expect("LZMA2 with the property of 16 MiB");
    // 40 stands for 4 GiB.
    bytes[method + 2] = 40;
    let seen = seen(bytes);
    assert_eq!(seen.damaged.len(), 1, "{seen:?}");
}

#[test]
fn a_zip_with_a_password_is_said() {
    let mut bytes = zip(&[("a.json", b"{}")]);
    // The flag of encryption, in the member and in the index.
    bytes[6] |= 1;
    let index = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    bytes[index + 8] |= 1;
    let seen = seen(bytes);
    assert_eq!(seen.damaged.len(), 1, "{seen:?}");
    assert!(
        seen.damaged[0].0 == "a.json" && seen.damaged[0].1.contains("password"),
        "{seen:?}"
    );
}
