//! Lakes and logs in stores: S3 and Azure Blob by real servers, faults by a store in memory.

mod faults;
mod flaky;
mod requests;
pub(crate) mod servers;
mod watched;

use crate::sandbox::{Run, Sandbox, repository};
use object_store::ObjectStoreExt as _;
use serde_json::Value;
use servers::{Environment, bucket, container, container_by_connection_string};
use std::process::Command;

fn command(sandbox: &Sandbox, environment: &Environment, arguments: &[&str]) -> Command {
    let mut command = sandbox.command(arguments);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command
}

fn run(sandbox: &Sandbox, environment: &Environment, arguments: &[&str]) -> Run {
    Run::of(
        command(sandbox, environment, arguments).output().unwrap(),
        &sandbox.path(""),
    )
}

fn ok(sandbox: &Sandbox, environment: &Environment, arguments: &[&str]) -> String {
    let run = run(sandbox, environment, arguments);
    assert!(run.code == 0 || run.code == 3, "{arguments:?}: {run:?}");
    run.stdout
}

/// All that the lake holds and that detections find in it.
fn contents(sandbox: &Sandbox, environment: &Environment, lake: &str) -> Vec<String> {
    let questions = [
        "SELECT event_dataset, event_key, timestamp, event_action, raw, source_file, source_sha256, source_position \
         FROM events ORDER BY event_dataset, event_key, timestamp",
        "SELECT source_file, source_position, reason, record FROM quarantine ORDER BY 1, 2",
        "SELECT source_file, source_sha256, read, stored, duplicate, rejected FROM ledger ORDER BY 1",
    ];
    let mut contents = questions
        .map(|sql| ok(sandbox, environment, &["sql", sql, "--format", "jsonl", "--lake", lake]))
        .to_vec();
    contents.push(ok(sandbox, environment, &["hunt", "--format", "jsonl", "--lake", lake]));
    contents
}

fn same_as_on_disk((place, environment): (String, Environment)) {
    let sandbox = Sandbox::new();
    let logs = repository("data/contoso");
    let remote = format!("{place}/some/lake");
    let missing = run(
        &sandbox,
        &environment,
        &["sql", "SELECT 1 FROM events", "--lake", &remote],
    );
    assert_eq!(missing.code, 1);
    assert!(missing.stderr.contains("there is no lake at"), "{missing:?}");
    for lake in ["lake", &remote] {
        ok(&sandbox, &environment, &["ingest", &logs, "--lake", lake]);
    }
    let on_disk = contents(&sandbox, &environment, "lake");
    assert!(on_disk.iter().all(|text| text.lines().count() > 3));
    assert!(on_disk == contents(&sandbox, &environment, &remote), "{remote}");
    let again = ok(
        &sandbox,
        &environment,
        &["ingest", "--format", "json", "--again", &logs, "--lake", &remote],
    );
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!((&again["stored"], &again["files"]), (&0.into(), &37.into()));
}

#[test]
fn a_lake_on_s3_is_the_lake_on_disk() {
    same_as_on_disk(bucket("a-lake-on-s3"));
}

#[test]
fn a_lake_on_azure_is_the_lake_on_disk() {
    same_as_on_disk(container("a-lake-on-azure"));
}

#[test]
fn a_lake_on_azure_by_its_connection_string_is_the_lake_on_disk() {
    same_as_on_disk(container_by_connection_string("by-connection-string"));
}

/// Logs that lie in a bucket are read as those on a disk are: by object, prefix and pattern.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_in_a_bucket_are_ingested() {
    let (place, environment) = bucket("logs-in-a-bucket");
    let value = |name: &str| environment.iter().find(|(known, _)| *known == name).unwrap().1.clone();
    let store = object_store::aws::AmazonS3Builder::new()
        .with_url(&place)
        .with_endpoint(value("AWS_ENDPOINT_URL"))
        .with_access_key_id("test")
        .with_secret_access_key("test")
        .with_allow_http(true)
        .build()
        .unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(repository("data/contoso")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = object_store::path::Path::from(format!("export/2026/{name}"));
        store
            .put(&path, std::fs::read(entry.path()).unwrap().into())
            .await
            .unwrap();
        names.push(name);
    }
    store
        .put(&"export/2026/lake/events/_delta_log/0.json".into(), "{}".into())
        .await
        .unwrap();
    tokio::task::spawn_blocking(move || {
        let sandbox = Sandbox::new();
        let counted = |paths: &[&str], lake: &str| {
            let arguments = [&["ingest", "--format", "json", "--lake", lake], paths].concat();
            let mut report: Value = serde_json::from_str(&ok(&sandbox, &environment, &arguments)).unwrap();
            report.as_object_mut().unwrap().remove("details");
            report
        };
        let on_disk = counted(&[&repository("data/contoso")], "local");
        let prefix = format!("{place}/export");
        assert_eq!(counted(&[&prefix], "all"), on_disk);
        let only = format!("{place}/export/2026/audit_2026-03-03.json");
        assert_eq!(counted(&[&only], "one")["files"], 1);
        let pattern = format!("{place}/export/*/audit_*.json");
        let expected = names
            .iter()
            .filter(|name| name.starts_with("audit_") && name.ends_with(".json"));
        assert_eq!(counted(&[&pattern], "some")["files"], expected.count());
        let file = sandbox.ok(&[
            "sql",
            "SELECT DISTINCT source_file FROM events",
            "--lake",
            "one",
            "--format",
            "jsonl",
        ]);
        assert_eq!(file, format!("{{\"source_file\":\"{only}\"}}\n"));
        let keys = ok(
            &sandbox,
            &environment,
            &[
                "sql",
                "SELECT event_key FROM events",
                "--lake",
                "all",
                "--format",
                "csv",
            ],
        );
        let keys: Vec<&str> = keys.lines().skip(1).collect();
        let arguments = [&["evidence", "--format", "json", "--lake", "all"], keys.as_slice()].concat();
        let proved = run(&sandbox, &environment, &arguments);
        assert_eq!((proved.code, keys.len() > 200), (0, true), "{}", proved.stderr);
        let alone = run(
            &sandbox,
            &[("AWS_REGION", "us-east-1".to_owned())].into(),
            &["evidence", keys[0], "--lake", "all"],
        );
        assert_eq!(alone.code, 3, "without access: {alone:?}");
        assert!(alone.stdout.contains("file not reachable: s3://"), "{alone:?}");
        let nothing = run(&sandbox, &environment, &["ingest", &format!("{place}/nothing/here")]);
        assert_eq!(nothing.code, 1);
        assert!(nothing.stderr.contains("no such file or folder"), "{nothing:?}");
    })
    .await
    .unwrap();
}

#[test]
fn two_ingests_at_once_into_azure_store_each_event_once() {
    let (place, environment) = container("two-at-once");
    let sandbox = Sandbox::new();
    let logs = repository("data/contoso");
    let arguments = ["ingest", "--format", "json", &logs, "--lake", &place];
    let running = [(); 2].map(|()| {
        let mut command = command(&sandbox, &environment, &arguments);
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        command.spawn().unwrap()
    });
    let mut stored = 0;
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        stored += report["stored"].as_u64().unwrap() + report["derived"].as_u64().unwrap();
    }
    let sql = "SELECT count(*) AS events, count(DISTINCT event_key) AS keys FROM events";
    let rows = ok(
        &sandbox,
        &environment,
        &["sql", sql, "--format", "jsonl", "--lake", &place],
    );
    assert_eq!(rows, format!("{{\"events\":{stored},\"keys\":{stored}}}\n"));
}

#[test]
fn a_store_that_cannot_be_used_says_why() {
    let sandbox = Sandbox::new();
    let says = |environment: &[(&'static str, &str)], lake: &str| {
        let environment = environment.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let mut environment: Environment = environment.collect();
        environment.push(("RETROHUNT_STORE_RETRY_SECONDS", "1".into()));
        let run = run(
            &sandbox,
            &environment,
            &["sql", "SELECT count(*) FROM events", "--lake", lake],
        );
        assert!(run.code == 1 || run.code == 2, "{run:?}");
        assert!(!run.stderr.contains("hunter2"), "{run:?}");
        run.stderr
    };
    // Nobody listens there.
    let closed = [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
    ];
    let text = says(&closed, "s3://bucket/lake");
    assert!(text.contains("cannot open table events of s3://bucket/lake"), "{text}");
    let text = says(&[("AWS_PROFILE", "hunt")], "s3://bucket/lake");
    assert!(text.contains("AWS_PROFILE=hunt"), "{text}");
    let text = says(&[], "az://container/lake");
    assert!(text.contains("AZURE_STORAGE_ACCOUNT"), "{text}");
    let text = says(
        &[("AZURE_STORAGE_CONNECTION_STRING", "AccountKey=hunter2")],
        "az://container/lake",
    );
    assert!(
        text.contains("AZURE_STORAGE_CONNECTION_STRING: names neither"),
        "{text}"
    );
    let (place, mut environment) = bucket("exists");
    environment.push(("RETROHUNT_STORE_RETRY_SECONDS", "1".into()));
    let run = run(
        &sandbox,
        &environment,
        &["sql", "SELECT 1", "--lake", &place.replace("exists", "does-not-exist")],
    );
    assert_eq!(run.code, 1, "{run:?}");
    let (azure, mut of_azure) = container("exists");
    of_azure.push(("RETROHUNT_STORE_RETRY_SECONDS", "1".into()));
    for (place, environment, code, hint) in [
        (place, environment, "(NoSuchBucket)", "create the bucket"),
        (azure, of_azure, "(ContainerNotFound)", "create the container"),
    ] {
        let nowhere = format!("{}/logs", place.replace("exists", "does-not-exist"));
        let logs = repository("data/formats/search.csv");
        for arguments in [&["ingest", &logs, "--lake", &nowhere][..], &["ingest", &nowhere]] {
            let run = self::run(&sandbox, &environment, arguments);
            let told = run.stderr.contains(code) && run.stderr.contains(hint) && run.stderr.contains("RETROHUNT_LAKE");
            assert!(run.code == 1 && told && !run.stderr.contains("<"), "{run:?}");
        }
    }
}
