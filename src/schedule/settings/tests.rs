use super::*;
use crate::config::parse_instant;
use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use std::collections::BTreeSet;

/// 2026-03-10.
const NOW: i64 = 1_773_100_800_000_000;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schedule/retrohunt.toml");

fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    let variables = variables
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    variables.collect()
}

/// What is said of a file of this text.
fn said(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("retrohunt.toml");
    std::fs::write(&path, text).unwrap();
    match Settings::read(Some(&path), &BTreeMap::new(), &[], NOW) {
        Ok(settings) => format!("{settings:#?}"),
        Err(error) => format!("error: {error}").replace(&folder.path().display().to_string(), "[FOLDER]"),
    }
}

fn read(text: &str, variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Settings> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("retrohunt.toml");
    std::fs::write(&path, text).unwrap();
    let flags: Vec<(&str, String)> = flags.iter().map(|(key, text)| (*key, (*text).to_owned())).collect();
    Settings::read(Some(&path), &environment(variables), &flags, NOW)
}

#[test]
fn nothing_said_is_the_default() {
    let settings = Settings::read(None, &BTreeMap::new(), &[], NOW).unwrap();
    assert_eq!(settings, Settings::default());
    assert_eq!(read("", &[], &[]).unwrap(), Settings::default());
}

#[test]
fn the_example_of_the_docs_has_every_setting() {
    let settings = Settings::read(Some(Path::new(EXAMPLE)), &BTreeMap::new(), &[], NOW).unwrap();
    assert_eq!(settings.start, Start::At(parse_instant("2026-03-03", NOW).unwrap()));
    assert_eq!(settings.lake, "s3://audit-logs/lake");
    assert_eq!(settings.except, ["excessive_mail_items"]);
    let of_one = &settings.detection["suspicious_source"];
    assert_eq!(
        (of_one.interval, of_one.enabled),
        (Some(Duration::from_secs(1800)), None)
    );
    assert_eq!(settings.sinks["soc"]["kind"].as_str(), Some("webhook"));
    for (name, table) in &settings.sinks {
        crate::sinks::Settings::read(name, table).unwrap();
    }
    // What it says to be a default is one.
    let default = Settings::default();
    let same = [
        settings.concurrency == default.concurrency,
        settings.timeout == default.timeout,
        settings.attempts == default.attempts,
        settings.retry_after == default.retry_after,
        settings.lease == default.lease,
        settings.listen == default.listen,
        settings.newest_first == default.newest_first,
        settings.log_format == default.log_format,
        settings.log_level == default.log_level,
    ];
    assert_eq!(same, [true; 9]);
    let text = std::fs::read_to_string(EXAMPLE).unwrap();
    for key in KEYS {
        let name = key.name.rsplit('.').next().unwrap();
        assert!(
            text.lines().any(|line| line.starts_with(&format!("{name} = "))),
            "{name}"
        );
    }
    let known: Vec<String> = crate::detections::embedded()
        .unwrap()
        .iter()
        .map(|of| of.id().to_owned())
        .collect();
    for id in settings.detection.keys().chain(&settings.except) {
        assert!(known.contains(id), "{id} is a detection");
    }
}

/// The file in the ConfigMap of the sample for Kubernetes.
#[test]
fn the_sample_for_kubernetes_is_understood() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schedule/kubernetes.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let file = text
        .lines()
        .skip_while(|line| !line.contains("retrohunt.toml: |"))
        .skip(1);
    let file = file.take_while(|line| line.is_empty() || line.starts_with("    "));
    let file: Vec<&str> = file.map(|line| line.trim_start()).collect();
    let settings = read(&file.join("\n"), &[], &[]).unwrap();
    let port = settings.listen.unwrap().port().to_string();
    assert!(text.contains(&format!("containerPort: {port}")));
    assert!(text.contains(&format!("prometheus.io/port: \"{port}\"")));
    crate::sinks::Settings::read("soc", &settings.sinks["soc"]).unwrap();
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let file = "timeout = \"1m\"\nattempts = 1\nlease = \"1m\"\nonly = [\"a\"]\nlake = \"of-file\"\n[log]\nformat = \"json\"\n";
    let variables = [
        ("RETROHUNT_SCHEDULE_TIMEOUT", "2m"),
        ("RETROHUNT_SCHEDULE_ATTEMPTS", "2"),
        ("RETROHUNT_SCHEDULE_ONLY", "b, c"),
        ("RETROHUNT_SCHEDULE_LISTEN", ""),
        ("RETROHUNT_LAKE", "of-all"),
        ("RETROHUNT_SCHEDULE_LOG_LEVEL", "DEBUG"),
        ("RETROHUNT_THREADS", "not ours"),
    ];
    let settings = read(file, &variables, &[("timeout", "3m"), ("newest_first", "true")]).unwrap();
    assert_eq!(settings.timeout, Duration::from_secs(180));
    assert_eq!(settings.attempts, 2);
    assert_eq!(settings.lease, Duration::from_secs(60));
    assert_eq!(settings.only, ["b", "c"]);
    assert_eq!(settings.listen, Settings::default().listen, "an empty variable is none");
    assert_eq!(settings.lake, "of-all");
    assert_eq!(settings.log_format, LogFormat::Json);
    assert_eq!(settings.log_level, "debug");
    assert!(settings.newest_first);
    let both = [("RETROHUNT_LAKE", "of-all"), ("RETROHUNT_SCHEDULE_LAKE", "of-schedule")];
    assert_eq!(read(file, &both, &[]).unwrap().lake, "of-schedule");
}

#[test]
fn values() {
    let start = |text: &str| read(&format!("start = {text}"), &[], &[]).unwrap().start;
    assert_eq!(start("\"all\""), Start::All);
    assert_eq!(start("\"now\""), Start::Now);
    assert_eq!(start("\"1d\""), Start::At(NOW - 86_400_000_000));
    assert_eq!(start("2026-03-10T00:00:00Z"), Start::At(NOW));
    let listen = |text: &str| read("", &[], &[("listen", text)]).unwrap().listen;
    assert_eq!(listen("off"), None);
    assert_eq!(listen("localhost:80"), Some("127.0.0.1:80".parse().unwrap()));
    assert_eq!(listen("[::1]:0"), Some("[::1]:0".parse().unwrap()));
    let delay = read("[detection.d]\ndelay = \"0s\"\nenabled = true", &[], &[]).unwrap();
    let expected = DetectionSettings {
        enabled: Some(true),
        delay: Some(Duration::ZERO),
        ..DetectionSettings::default()
    };
    assert_eq!(delay.detection["d"], expected);
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let wrong = r#"concurency = 3
timeout = 600
attempts = 0
retry-after = "soon"
retry_after = "soon"
lease = "0s"
start = "yesterday"
only = ["a", 1]
newest_first = "yes"
listen = "9464"
lake = ""
sink = "x"

[log]
format = "xml"
levle = "info"

[detection.d]
intervall = "5m"
interval = "5x"
enabled = 1

[detection]
e = true

[sinks]
soc = "https://user:secret@example"

[logs]
level = "info"
"#;
    insta::assert_snapshot!("wrong_file", said(wrong));
    insta::assert_snapshot!("no_toml", said("lake = \"x\"\ntoken = \"secret\nlist = []\n"));
    let variables = [
        ("RETROHUNT_SCHEDULE_CONCURENCY", "3"),
        ("RETROHUNT_SCHEDULE_TIMEOUT", "3"),
        ("RETROHUNT_SCHEDULE_ONLY", "a,,b"),
    ];
    let flags = [("log.level", "loud"), ("except", "x"), ("retry_after", "-1s")];
    let problem = read("only = [\"x\"]", &variables, &flags).unwrap_err();
    insta::assert_snapshot!("wrong_elsewhere", format!("error: {problem}"));
}

#[test]
fn who_may_not_read_the_file_is_told() {
    let problem = Settings::read(Some(Path::new("/nowhere/x.toml")), &BTreeMap::new(), &[], NOW).unwrap_err();
    assert_eq!(problem.to_string(), "/nowhere/x.toml: No such file or directory");
}

#[test]
fn secrets_of_sinks_are_never_shown() {
    let settings = read("[sinks.soc]\nurl = \"https://hooks.example/T0K3N\"\n", &[], &[]).unwrap();
    assert_eq!(
        settings.sinks["soc"]["url"].as_str(),
        Some("https://hooks.example/T0K3N")
    );
    let shown = format!("{settings:?}{settings:#?}");
    assert!(shown.contains("soc") && !shown.contains("T0K3N"), "{shown}");
    // Not where the file is wrong, either.
    for wrong in [
        "[sinks.soc]\nurl = \"T0K3N\nx = 1",
        "[sinks]\nsoc = \"T0K3N\"",
        "[sinks.soc]\nurl = T0K3N",
    ] {
        let shown = said(wrong);
        assert!(shown.contains("error: ") && !shown.contains("T0K3N"), "{shown}");
    }
}

#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    flags: ScheduleFlags,
}

#[test]
fn every_key_is_a_flag() {
    let flags = Program::command();
    let flags: BTreeSet<String> = flags
        .get_arguments()
        .filter_map(|of| of.get_long().map(str::to_owned))
        .collect();
    let keys: BTreeSet<String> = KEYS.iter().map(|key| key.name.replace(['_', '.'], "-")).collect();
    assert_eq!(flags, keys);
    let typed = ["x", "--newest-first", "--log-level", "warn", "--only", "a,b"];
    let typed = Program::from_arg_matches(&Program::command().get_matches_from(typed)).unwrap();
    assert_eq!(
        typed.flags.given(),
        [
            ("only", "a,b".to_owned()),
            ("newest_first", "true".to_owned()),
            ("log.level", "warn".to_owned())
        ]
    );
    for key in &keys {
        let command = Program::command().get_matches_from(["x".to_owned(), format!("--{key}=v")]);
        assert_eq!(
            Program::from_arg_matches(&command).unwrap().flags.given().len(),
            1,
            "{key}"
        );
    }
}
