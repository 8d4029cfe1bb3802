//! Every source, container, encoding and framing against its sample in `data/formats`: what
//! is counted, what is recognised, every field of every event, and the evidence.

use crate::sandbox::{Sandbox, repository};
use retrohunt::schema::{CATALOGUE, EVENT_KEY, LAKE_FIELDS};
use retrohunt::sources::SOURCES;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

fn expected() -> Value {
    serde_json::from_slice(&fs::read(repository("data/formats/expected.json")).unwrap()).unwrap()
}

fn files(expected: &Value) -> &Map<String, Value> {
    expected["files"].as_object().unwrap()
}

fn sample(name: &str) -> String {
    repository(&format!("data/formats/{name}"))
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

#[test]
fn every_source_has_a_sample() {
    let expected = expected();
    let mut sampled: BTreeSet<&str> = BTreeSet::new();
    for file in files(&expected).values() {
        let recognised = file["recognised"].as_array().unwrap().iter();
        sampled.extend(recognised.map(|format| format[0].as_str().unwrap()));
        // Sources whose records are rejected, which is how they say what is not mapped.
        sampled.extend(texts(&file["sources"]));
    }
    let sources: BTreeSet<&str> = SOURCES.iter().map(|source| source.name()).collect();
    assert_eq!(sampled, sources, "data/formats has samples of these sources");
}

#[test]
fn every_sample_has_an_expectation() {
    let expected = expected();
    let there: BTreeSet<String> = fs::read_dir(repository("data/formats"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "expected.json")
        .collect();
    let told: BTreeSet<String> = files(&expected).keys().cloned().collect();
    assert_eq!(there, told);
    let documents: BTreeSet<&str> = files(&expected)
        .values()
        .flat_map(|file| file["events"].as_array().unwrap())
        .map(|event| event["is"].as_str().or_else(|| event.as_str()).unwrap())
        .collect();
    let written: BTreeSet<&str> = expected["documents"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(documents, written, "documents that samples hold");
}

#[test]
fn every_sample_becomes_what_it_is() {
    let expected = expected();
    let files: Vec<_> = files(&expected).iter().collect();
    let next = AtomicUsize::new(0);
    let problems: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut problems = Vec::new();
                    while let Some((name, file)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                        problems.extend(check(name, file, &expected["documents"]));
                    }
                    problems
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

/// What is wrong with one sample, in words.
fn check(name: &str, expected: &Value, documents: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let mut equal = |what: &str, found: Value, expected: Value| {
        if found != expected {
            problems.push(format!("{name}: {what} is {found} and should be {expected}"));
        }
    };
    let sandbox = Sandbox::new();
    let path = sample(name);
    let report = |arguments: &[&str]| -> Value {
        let arguments = [&["ingest", "--format", "json"], arguments, &[&path]].concat();
        serde_json::from_str(&sandbox.run(&arguments).stdout).unwrap()
    };

    let surveyed = report(&["--dry-run"]);
    equal(
        "what a dry run recognises",
        recognised(&surveyed),
        expected["recognised"].clone(),
    );
    equal(
        "what a dry run derives",
        json!(sum(&surveyed, "derived")),
        json!(expected["derived"].as_u64().unwrap_or_default()),
    );
    let dry = rejections(&surveyed);
    equal("what a dry run rejects", json!(dry), reasons(expected));
    assert!(!sandbox.path("lake").exists(), "{name}: a dry run stores nothing");

    let first = report(&[]);
    let counts = |report: &Value| json!(["read", "stored", "duplicate", "rejected"].map(|count| report[count].clone()));
    equal(
        "(read, stored, duplicate, rejected)",
        counts(&first),
        expected["counts"].clone(),
    );
    equal(
        "how many are derived",
        first["derived"].clone(),
        json!(expected["derived"].as_u64().unwrap_or_default()),
    );
    equal("why records are rejected", first["reasons"].clone(), reasons(expected));
    let skipped = expected["skipped"].as_u64().unwrap_or_default();
    equal("how many are no events", first["skipped"].clone(), json!(skipped));
    let seen = sum(&surveyed, "records") + dry.values().sum::<u64>();
    equal("what a dry run counts", json!(seen), first["read"].clone());

    let again = report(&["--again"]);
    equal("what a second ingest stores", again["stored"].clone(), json!(0));
    equal(
        "what a second ingest reads",
        again["read"].clone(),
        first["read"].clone(),
    );
    equal("what a third ingest stores", report(&[])["stored"].clone(), json!(0));

    let events = expected["events"].as_array().unwrap();
    if events.is_empty() {
        return problems;
    }
    let rows = sandbox.sql("SELECT * FROM events ORDER BY timestamp");
    equal("how many events there are", json!(rows.len()), json!(events.len()));
    let source = decoded(name, &fs::read(&path).unwrap());
    let part = expected["part"] == true;
    for event in events {
        let document = document(event, documents);
        let row = rows.iter().find(|row| {
            let same = |field: &str, column: &str| document.get(field).is_none_or(|value| row[column] == *value);
            same("@timestamp", "timestamp") && same("event.dataset", "event_dataset")
        });
        let Some(row) = row else {
            problems.push(format!("{name}: no event at {}", document["@timestamp"]));
            continue;
        };
        problems.extend(
            fields(row, &document, part)
                .into_iter()
                .map(|problem| format!("{name}: {problem}")),
        );
        let raw = row["raw"].as_str().unwrap();
        // What was a row of columns is a record again.
        let restored = row["source_format"] == "log_analytics_office_activity_record";
        let kept = if restored {
            true
        } else if expected["raw"] == "columns" {
            holds_columns(&source, raw)
        } else {
            holds(&source, raw)
        };
        if !kept {
            problems.push(format!("{name}: this is not in the file: {raw}"));
        }
    }
    problems
}

/// Fields that differ from the document; of a document that tells only a part, those it tells.
fn fields(row: &Value, document: &Map<String, Value>, part: bool) -> Vec<String> {
    let mut problems = Vec::new();
    for name in document.keys() {
        assert!(CATALOGUE.by_ecs(name).is_some(), "{name} is no field");
    }
    for field in CATALOGUE.fields() {
        if LAKE_FIELDS.contains(&field.id) || field.id == EVENT_KEY {
            continue;
        }
        let found = &row[&field.column];
        let expected = document.get(field.ecs).unwrap_or(&Value::Null);
        if found != expected && (!part || document.contains_key(field.ecs)) {
            problems.push(format!("{} is {found} and should be {expected}", field.ecs));
        }
    }
    problems
}

/// The expected fields of an event: those of a document, with what this format says otherwise.
fn document(event: &Value, documents: &Value) -> Map<String, Value> {
    let name = event["is"].as_str().or_else(|| event.as_str()).unwrap();
    let mut document = documents[name]
        .as_object()
        .unwrap_or_else(|| panic!("{name} is no document"))
        .clone();
    for (field, value) in event["but"].as_object().into_iter().flatten() {
        if value.is_null() {
            assert!(document.remove(field).is_some(), "{name} has no {field} to leave out");
        } else {
            document.insert(field.clone(), value.clone());
        }
    }
    document
}

/// Format, dataset and count of all that a dry run names, members of archives added up.
fn recognised(surveyed: &Value) -> Value {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for file in surveyed.as_array().unwrap() {
        for kind in file["records"].as_array().unwrap() {
            let key = (kind["format"].as_str().unwrap(), kind["dataset"].as_str().unwrap());
            *counts.entry(key).or_default() += kind["count"].as_u64().unwrap();
        }
    }
    json!(
        counts
            .iter()
            .map(|((format, dataset), count)| json!([format, dataset, count]))
            .collect::<Vec<_>>()
    )
}

fn sum(surveyed: &Value, key: &str) -> u64 {
    let kinds = surveyed
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|file| file[key].as_array().into_iter().flatten());
    kinds.map(|kind| kind["count"].as_u64().unwrap()).sum()
}

fn rejections(surveyed: &Value) -> BTreeMap<String, u64> {
    let mut rejected = BTreeMap::new();
    for file in surveyed.as_array().unwrap() {
        for (why, count) in file["rejected"].as_object().into_iter().flatten() {
            *rejected.entry(why.clone()).or_default() += count.as_u64().unwrap();
        }
    }
    rejected
}

fn reasons(expected: &Value) -> Value {
    expected.get("reasons").cloned().unwrap_or_else(|| json!({}))
}

/// The text of a sample without its containers and encoding.
fn decoded(name: &str, bytes: &[u8]) -> String {
    fn read(mut from: impl std::io::Read) -> Vec<u8> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        bytes
    }
    let units = |from: fn([u8; 2]) -> u16| -> String {
        let units: Vec<u16> = bytes[2..].as_chunks::<2>().0.iter().map(|unit| from(*unit)).collect();
        String::from_utf16(&units).unwrap()
    };
    match bytes {
        [0x1F, 0x8B, ..] => decoded(name, &read(flate2::read::MultiGzDecoder::new(bytes))),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => decoded(name, &zstd::stream::decode_all(bytes).unwrap()),
        [b'B', b'Z', b'h', ..] => decoded(name, &read(bzip2::read::MultiBzDecoder::new(bytes))),
        [0xFD, b'7', b'z', b'X', b'Z', ..] => decoded(name, &read(lzma_rust2::XzReader::new(bytes, true))),
        [b'P', b'K', ..] => {
            let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
            (0..archive.len())
                .map(|n| decoded(name, &read(archive.by_index(n).unwrap())))
                .collect()
        }
        [b'7', b'z', 0xBC, 0xAF, ..] => {
            let mut text = String::new();
            let mut archive =
                sevenz_rust2::ArchiveReader::new(std::io::Cursor::new(bytes), sevenz_rust2::Password::empty()).unwrap();
            archive
                .for_each_entries(|_, content| {
                    let mut bytes = Vec::new();
                    content.read_to_end(&mut bytes)?;
                    text += &decoded(name, &bytes);
                    Ok(true)
                })
                .unwrap();
            text
        }
        // A tar archive holds its members as they are.
        _ if name.contains(".tar") => String::from_utf8_lossy(bytes).into_owned(),
        [0xFF, 0xFE, ..] => units(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => units(u16::from_be_bytes),
        // Its characters beyond ASCII are those of Latin-1.
        _ if name.starts_with("windows-1252") => bytes.iter().map(|byte| char::from(*byte)).collect(),
        _ => String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

/// How a text stands in another one: as it is, in a CSV cell, in a JSON string, in both.
fn spellings(text: &str) -> [String; 5] {
    let cell = |text: &str| text.replace('"', "\"\"");
    let string = |text: &str| {
        let quoted = json!(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    [
        text.to_owned(),
        cell(text),
        string(text),
        string(&string(text)),
        cell(&string(text)),
    ]
}

/// Whether the bytes of a record are in its file.
fn holds(source: &str, raw: &str) -> bool {
    spellings(raw).iter().any(|spelling| source.contains(spelling))
}

/// The same for a row of columns and cells, whose record is an object of both.
fn holds_columns(source: &str, raw: &str) -> bool {
    let row: Map<String, Value> = serde_json::from_str(raw).unwrap();
    row.iter().all(|(name, value)| {
        let cell = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        holds(source, name) && holds(source, &cell)
    })
}

#[test]
fn all_samples_together_are_the_same_few_events() {
    let expected = expected();
    let sandbox = Sandbox::new();
    let paths: Vec<String> = files(&expected).keys().map(|name| sample(name)).collect();
    let arguments: Vec<&str> = ["ingest", "--format", "json"]
        .into_iter()
        .chain(paths.iter().map(String::as_str))
        .collect();
    let report: Value = serde_json::from_str(&sandbox.run(&arguments).stdout).unwrap();
    // A risk detection has no id that stays, so the one of Log Analytics is another event.
    assert_eq!(
        report["datasets"],
        json!({"azure.auditlogs": 1, "azure.identity_protection": 2, "azure.signinlogs": 2, "generic": 1,
            "log_analytics.office_activity": 2, "m365_defender.alert_evidence": 1, "m365_defender.cloud_app_events": 1, "m365_defender.sign_in_events": 2,
            "o365.audit": 4, "suricata.eve": 3})
    );
    let total = |count: usize| -> u64 {
        files(&expected)
            .values()
            .map(|file| file["counts"][count].as_u64().unwrap())
            .sum()
    };
    assert_eq!(
        (report["read"].as_u64(), report["rejected"].as_u64()),
        (Some(total(0)), Some(total(3)))
    );
}

/// A mail record of about this many bytes.
fn record(id: usize, bytes: usize) -> Value {
    let messages: Vec<Value> = (0..bytes / 64 + 1)
        .map(|n| json!({"InternetMessageId": format!("<{id:06}-{n:08}@contoso.example>")}))
        .collect();
    json!({
        "CreationTime": format!("2026-03-25T{:02}:{:02}:{:02}", id / 3600 % 24, id / 60 % 60, id % 60),
        "Id": format!("id-{id}"), "Operation": "MailItemsAccessed", "OrganizationId": "0F00", "RecordType": 50,
        "UserType": 0, "Version": 1, "Workload": "Exchange", "UserId": "ann@contoso.example",
        "Folders": [{"Path": "\\Inbox", "FolderItems": messages}], "OperationCount": messages.len(),
    })
}

#[test]
fn one_line_of_thirty_megabytes() {
    let records: Vec<Value> = (0..40_000).map(|id| record(id, 600)).collect();
    let line = json!({"@odata.count": records.len(), "value": records}).to_string();
    assert!(line.len() > 30 << 20 && !line.contains('\n'));
    let sandbox = Sandbox::new();
    let path = sandbox.file("export.json", &line);
    // Far less than the line, were it parsed as one.
    assert_eq!(
        sandbox.ingest(&["--memory-limit", "128MB", &path]),
        [40_000, 40_000, 0, 0]
    );
}

#[test]
fn cells_and_records_of_megabytes() {
    let sandbox = Sandbox::new();
    let records = [record(1, 150 << 10), record(2, 5 << 20)];
    let mut csv = "RecordId,CreationDate,RecordType,Operation,UserId,AuditData,AssociatedAdminUnits\r\n".to_owned();
    for record in &records {
        let cell = record.to_string().replace('"', "\"\"");
        csv += &format!("x,3/25/2026 8:00:00 AM,50,MailItemsAccessed,ann,\"{cell}\",\r\n");
    }
    let cells = sandbox.file("cells.csv", csv);
    assert_eq!(sandbox.ingest(&[&cells]), [2, 2, 0, 0]);
    let pretty = sandbox.file("pretty.json", serde_json::to_vec_pretty(&records).unwrap());
    assert_eq!(sandbox.ingest(&[&pretty]), [2, 0, 2, 0], "the same records");
    let counts = sandbox.sql("SELECT array_length(email.message_id) AS n FROM events ORDER BY n");
    assert_eq!(counts, [json!({"n": 2401}), json!({"n": 81_921})]);
}
