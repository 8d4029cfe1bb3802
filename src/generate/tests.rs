//! Determinism, and that records are JSON of the counts that are said.

use super::*;
use std::collections::{BTreeMap, HashSet};
use std::fs;

struct Quiet;

impl Progress for Quiet {
    fn total(&self, _: u64) {}
    fn position(&self, _: u64) {}
}

fn small() -> Tenant {
    Tenant {
        users: 60,
        events: 4_000,
        days: 20,
        files_of: 256 << 10,
        ..Tenant::default()
    }
}

/// Every file by its name.
fn generated(tenant: &Tenant) -> (Summary, BTreeMap<String, Vec<u8>>) {
    let folder = tempfile::tempdir().unwrap();
    let summary = write(tenant, folder.path(), &Quiet, &AtomicBool::new(false)).unwrap();
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder.path().join("logs")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        files.insert(name, fs::read(&path).unwrap());
    }
    files.insert(
        "tenant.json".into(),
        fs::read(folder.path().join("tenant.json")).unwrap(),
    );
    (summary, files)
}

#[test]
fn the_same_settings_give_the_same_bytes_on_any_number_of_threads() {
    let tenant = small();
    let (summary, files) = generated(&tenant);
    assert!(files.len() > 10, "{:?}", files.keys());
    let (again, same) = generated(&Tenant {
        threads: 3,
        ..tenant.clone()
    });
    assert_eq!(
        again,
        Summary {
            settings: Tenant {
                threads: 3,
                ..summary.settings.clone()
            },
            ..summary.clone()
        }
    );
    assert!(files == same);
    let (_, other) = generated(&Tenant { seed: 2, ..tenant });
    assert!(
        other
            .values()
            .all(|content| !files.values().any(|known| known == content))
    );
}

#[test]
fn counts_are_those_of_the_lines() {
    let tenant = Tenant {
        duplicates: 0.3,
        formats: <Format as clap::ValueEnum>::value_variants().to_vec(),
        ..small()
    };
    let (summary, files) = generated(&tenant);
    for dataset in &summary.datasets {
        let mut lines: Vec<&[u8]> = Vec::new();
        let of_format = files
            .iter()
            .filter(|(name, _)| name.starts_with(dataset.format.as_str()));
        for (_, content) in of_format.clone() {
            lines.extend(content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()));
        }
        let distinct: HashSet<&[u8]> = lines.iter().copied().collect();
        for line in &distinct {
            let text = std::str::from_utf8(line).unwrap();
            let value: serde_json::Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
            assert!(value.is_object());
        }
        assert_eq!(dataset.events, distinct.len() as u64, "{dataset:?}");
        assert_eq!(dataset.events + dataset.repeats, lines.len() as u64);
        assert_eq!(
            dataset.bytes,
            of_format.clone().map(|(_, content)| content.len() as u64).sum::<u64>()
        );
        assert_eq!(dataset.files, of_format.count() as u64);
    }
    let planted: u64 = summary.datasets.iter().map(|dataset| dataset.planted).sum();
    assert_eq!(
        planted,
        summary
            .attacks
            .iter()
            .flat_map(|attack| attack.events.values())
            .sum::<u64>()
    );
    assert_eq!(summary.events, tenant.events + planted);
    let share = summary.repeats as f64 / summary.events as f64;
    assert!((0.2..0.4).contains(&share), "{share}");
}

#[test]
fn events_are_within_the_range() {
    let tenant = Tenant {
        formats: vec![Format::Audit],
        days: 1,
        ..small()
    };
    let (_, files) = generated(&tenant);
    for content in files
        .iter()
        .filter(|(name, _)| name.starts_with("audit"))
        .map(|(_, content)| content)
    {
        for line in std::str::from_utf8(content).unwrap().lines() {
            assert!(line.starts_with(r#"{"CreationTime":"2026-01-01T"#), "{line}");
        }
    }
}

#[test]
fn little_is_enough() {
    let least = Tenant {
        users: 1,
        events: 0,
        attacks: 0,
        ..small()
    };
    let (summary, files) = generated(&least);
    assert_eq!((summary.events, summary.files, files.len()), (0, 0, 1));
    let (summary, _) = generated(&Tenant {
        events: 1,
        ..least.clone()
    });
    assert_eq!(summary.events, 1);
    let (summary, _) = generated(&Tenant {
        users: 3,
        attacks: 2,
        days: 1,
        ..least
    });
    assert_eq!(summary.attacks.len(), 2);
    assert_eq!(
        summary.events,
        summary.datasets.iter().map(|dataset| dataset.planted).sum::<u64>()
    );
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let wrong = |setting: &str, tenant: Tenant| {
        let error = tenant.check().unwrap_err().to_string();
        assert!(error.starts_with(setting), "{error}");
    };
    wrong("--users", Tenant { users: 0, ..small() });
    wrong("--days", Tenant { days: 0, ..small() });
    wrong(
        "--duplicates",
        Tenant {
            duplicates: f64::NAN,
            ..small()
        },
    );
    wrong("--attacks", Tenant { users: 2, ..small() });
    wrong(
        "--formats",
        Tenant {
            formats: vec![],
            ..small()
        },
    );
    wrong("--files-of", Tenant { files_of: 1, ..small() });
    wrong("--from", Tenant { from: 0, ..small() });
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir_all(&logs).unwrap();
    fs::write(logs.join("audit-00009.jsonl"), "old").unwrap();
    fs::write(logs.join("mine.jsonl"), "mine").unwrap();
    let write = |force| {
        let tenant = Tenant {
            events: 10,
            force,
            ..small()
        };
        super::write(&tenant, folder.path(), &Quiet, &AtomicBool::new(false))
    };
    let refused = write(false).unwrap_err();
    assert!(refused.to_string().contains("is not empty"), "{refused}");
    assert!(logs.join("audit-00009.jsonl").exists());
    write(true).unwrap();
    assert!(!logs.join("audit-00009.jsonl").exists());
    assert_eq!(fs::read(logs.join("mine.jsonl")).unwrap(), b"mine");
}

#[test]
fn what_is_interrupted_has_no_summary() {
    let folder = tempfile::tempdir().unwrap();
    let stopped = write(&small(), folder.path(), &Quiet, &AtomicBool::new(true));
    assert!(matches!(stopped, Err(Error::Interrupted)));
    assert!(!folder.path().join("tenant.json").exists());
}
