//! Files as people write them, and what they are told.

use super::*;

pub(super) const HEADER: &str = "id = \"t\"\ntitle = \"T\"\nseverity = \"low\"\nrisk_score = 1\n";
pub(super) const WINDOW: &str = "interval = \"1h\"\nlookback = \"8h\"\nkey = [\"user.id\"]\n";

pub(super) fn file(header: &str, sql: &str) -> String {
    format!("/*---\n{header}---*/\n{sql}")
}

pub(super) fn fault(text: &str) -> String {
    match parse("dir/t.sql", text) {
        Ok(detection) => panic!("accepted: {detection:?}"),
        Err(error) => error.to_string(),
    }
}

pub(super) fn findings(header: &str, sql: &str) -> String {
    let detection = parse("dir/t.sql", &file(header, sql)).unwrap();
    lint(&detection)
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn kinds() {
    let kind = |more: &str| {
        parse("t.sql", &file(&format!("{HEADER}{more}"), "SELECT user.id FROM events"))
            .unwrap()
            .kind()
    };
    assert_eq!(kind(""), Kind::Event);
    assert_eq!(kind(WINDOW), Kind::Windowed);
    assert_eq!(
        kind("[new_terms]\nfields = [\"user.id\"]\nhistory = \"14d\"\n"),
        Kind::NewTerms
    );
}

#[test]
fn headers() {
    let text = file(
        &format!("{HEADER}{WINDOW}delay = \"15m\"\nenabled = false\nmax_alerts = 5\n"),
        "SELECT user.id FROM events -- end",
    );
    let detection = parse("t.sql", &text).unwrap();
    assert_eq!(detection.header.rhythm, Rhythm::every(Duration::from_secs(3_600)));
    assert_eq!(detection.header.lookback.unwrap().as_secs(), 28_800);
    assert_eq!(detection.header.delay.as_secs(), 900);
    assert_eq!(
        (detection.header.enabled, detection.header.max_alerts),
        (false, Some(5))
    );
    let before = text.lines().take_while(|line| !line.starts_with("SELECT")).count();
    assert_eq!(detection.sql, "\n".repeat(before) + "SELECT user.id FROM events -- end");
    assert_eq!(detection.output_columns().unwrap(), ["user.id"]);
    assert_eq!(detection.key(), ["user.id"]);
    assert!(same_column("source_ip", "source.ip"));
}

#[test]
fn faults_of_the_file() {
    let select = "SELECT 1 FROM events";
    insta::assert_snapshot!(fault("SELECT 1"), @"dir/t.sql:1: no header; a detection starts with /*--- , TOML, and ---*/");
    insta::assert_snapshot!(fault("/*---\nid = \"t\"\n"), @"dir/t.sql:1: the header does not end; close it with ---*/");
    insta::assert_snapshot!(fault(&file("", select)), @"
    dir/t.sql:1: the header has no `id`; every detection needs one
    dir/t.sql:1: the header has no `title`; every detection needs one
    dir/t.sql:1: the header has no `severity`; every detection needs one
    dir/t.sql:1: the header has no `risk_score`; every detection needs one
    ");
    insta::assert_snapshot!(fault(&file("id = t\n", select)), @"dir/t.sql:2: invalid boolean, expected `true`");
    for (key, advice) in [
        (
            "severty = \"low\"",
            "`severty`; did you mean `severity`? (the keys are id, ",
        ),
        (
            "risk-score = 1",
            "`risk-score`; did you mean `risk_score`? (the keys are id, ",
        ),
        (
            "False_Positives = []",
            "`False_Positives`; did you mean `false_positives`? (the keys are id, ",
        ),
        (
            "look_back = \"8h\"",
            "`look_back`; did you mean `lookback`? (the keys are id, ",
        ),
        ("xyz = 1", "`xyz` (the keys are id, "),
        (
            "[new_terms]\nfield = []",
            "`field`; did you mean `fields`? (the keys are fields, history)",
        ),
    ] {
        let message = fault(&file(&format!("{HEADER}{key}\n"), select));
        let line = if key.contains('\n') { 7 } else { 6 };
        let expected = format!("dir/t.sql:{line}: the header has no key {advice}");
        assert!(message.starts_with(&expected), "{message}");
    }
    for (severity, advice) in [
        ("High", "did you mean \"high\"? (one of "),
        ("hgih", "did you mean \"high\"? "),
        ("zzz", "use one of informational"),
    ] {
        let header = HEADER.replace("\"low\"", &format!("{severity:?}"));
        let message = fault(&file(&header, select));
        let expected = format!("dir/t.sql:4: {severity:?} is no severity; {advice}");
        assert!(message.starts_with(&expected), "{message}");
    }
    insta::assert_snapshot!(fault(&file("id = \"T-1\"\ntitle = \"T\"\nseverity = \"bad\"\nrisk_score = 101\n", select)), @r##"
    dir/t.sql:2: "T-1" is no id; use lower-case letters, digits and underscores
    dir/t.sql:4: "bad" is no severity; use one of informational, low, medium, high, critical
    dir/t.sql:5: `risk_score` is 101; use 0 to 100
    "##);
    insta::assert_snapshot!(fault(&file(&HEADER.replace("\"t\"", "\"other\""), select)), @r##"dir/t.sql:1: the id is "other", but the file is t.sql; make them the same"##);
    insta::assert_snapshot!(fault(&file(&format!("{HEADER}lookback = \"8\"\nkey = []\nattack = [\"T1\"]\nmax_alerts = 0\n"), select)), @r##"
    dir/t.sql:1: a detection with `lookback` needs an `interval`: how often it is evaluated, such as "1h"; or a `cron`: when, such as "0 6 * * 1-5"
    dir/t.sql:6: `lookback`: "8" is no duration; write numbers with w, d, h, m or s, such as "8h" or "7d 12h"
    dir/t.sql:7: `key` must name at least one column of the SELECT, or be left out
    dir/t.sql:8: "T1" is no ATT&CK id; write TA0009/T1114.002, T1114 or TA0009
    dir/t.sql:9: `max_alerts` must be at least 1; to switch a detection off use `enabled = false`
    "##);
    insta::assert_snapshot!(fault(&file(&format!("{HEADER}lookback = \"8h\"\n[new_terms]\nfields = []\n"), select)), @r##"
    dir/t.sql:1: a detection with `lookback` needs an `interval`: how often it is evaluated, such as "1h"; or a `cron`: when, such as "0 6 * * 1-5"
    dir/t.sql:6: `lookback` and `[new_terms]` exclude each other; new terms look as far back as their `history`
    dir/t.sql:1: a detection with `lookback` needs a `key`: the columns that make two results the same finding
    dir/t.sql:7: `[new_terms]` has no `history`; say how long values must not have occurred, such as "14d"
    dir/t.sql:8: `fields` of `[new_terms]` must name at least one field
    "##);
    insta::assert_snapshot!(fault(&file(HEADER, "SELECT 1\n  FROM events WHERE = 1")), @"dir/t.sql:8: syntax error: expected an expression, found = (line 8, column 21)");
    insta::assert_snapshot!(fault(&file(HEADER, "DELETE FROM events")), @"dir/t.sql:6: DELETE is refused: retrohunt sql is read-only; use SELECT, EXPLAIN, SHOW TABLES or DESCRIBE");
    insta::assert_snapshot!(fault(&file(HEADER, "EXPLAIN SELECT 1")), @"dir/t.sql:6: a detection is one SELECT (WITH is allowed), nothing else");
    insta::assert_snapshot!(fault(&file(HEADER, "SELECT 1; SELECT 2")), @"dir/t.sql:6: 2 statements where one was expected; run them one at a time");
    insta::assert_snapshot!(fault(&file(HEADER, "")), @"dir/t.sql:6: syntax error: there is no statement; write a SELECT");
}

#[test]
fn patterns_in_place_of_intervals() {
    let windowed = |when: &str| format!("{HEADER}{when}\nlookback = \"8h\"\nkey = [\"user.id\"]\n");
    let select = "SELECT user.id FROM events";
    let detection = parse("t.sql", &file(&windowed("cron = \"0  6 * * 1-5\""), select)).unwrap();
    assert_eq!(detection.kind(), Kind::Windowed);
    assert_eq!(detection.header.rhythm.pattern(), Some("0 6 * * 1-5"));
    let event = parse("t.sql", &file(&format!("{HEADER}cron = \"@hourly\"\n"), select)).unwrap();
    assert_eq!(event.kind(), Kind::Event);
    assert!(event.header.rhythm.is_tick(3_600_000_000));
    let when = |when: &str| fault(&file(&windowed(when), select));
    insta::assert_snapshot!(when("cron = \"0 6 * * 1-5\"\ninterval = \"1h\""), @"dir/t.sql:6: `cron` and `interval` exclude each other; keep the one that says when it runs");
    insta::assert_snapshot!(when("cron = \"0 0 30 2 *\""), @r##"dir/t.sql:6: `cron`: no time fits "0 0 30 2 *": there is no such minute, hour or day"##);
    insta::assert_snapshot!(when("cron = \"0 0 6 * * 1\""), @r##"dir/t.sql:6: `cron`: "0 0 6 * * 1" is no pattern (Invalid pattern: Pattern must have 5 fields when seconds are disallowed); write minute, hour, day of month, month and day of week, such as "0 6 * * 1-5" for working days at 06:00 UTC"##);
    insta::assert_snapshot!(when("cron = \"0 25 * * *\""), @r##"dir/t.sql:6: `cron`: "0 25 * * *" is no pattern (Component error: Number out of bounds); write minute, hour, day of month, month and day of week, such as "0 6 * * 1-5" for working days at 06:00 UTC"##);
    insta::assert_snapshot!(when("cron = \"hourly\"\ninterval = \"1\""), @r##"dir/t.sql:6: `cron` and `interval` exclude each other; keep the one that says when it runs
dir/t.sql:7: `interval`: "1" is no duration; write numbers with w, d, h, m or s, such as "8h" or "7d 12h"
dir/t.sql:6: `cron`: "hourly" is no pattern (Invalid pattern: Pattern must have 5 fields when seconds are disallowed); write minute, hour, day of month, month and day of week, such as "0 6 * * 1-5" for working days at 06:00 UTC"##);
    insta::assert_snapshot!(when("cron = 6"), @"dir/t.sql:6: invalid type: integer `6`, expected a string");
    let found = |when: &str| findings(&windowed(when), select);
    let of_cron = |text: &str| text.lines().find(|line| line.contains("cron")).map(str::to_owned);
    insta::assert_snapshot!(of_cron(&found("cron = \"0 9-17 * * 1-5\"")).unwrap(), @"dir/t.sql: warning: the times of `cron` (0 9-17 * * 1-5) are up to 2d 16h apart but it looks back only 8h, so no window holds the events between; make `lookback` as long");
    assert_eq!(of_cron(&found("cron = \"30 */8 * * *\"")), None);
    insta::assert_snapshot!(of_cron(&findings(&format!("{HEADER}cron = \"0 6 * * *\"\n"), select)).unwrap(), @"dir/t.sql: warning: `cron` without `lookback` makes no windows: each event that the SELECT keeps is an alert; add a `lookback` and a `key`, or leave `cron` out");
}

#[test]
fn filters_are_filters() {
    let faults: Vec<String> = [
        "SELECT count(*) FROM events",
        "SELECT user.id\nFROM events GROUP BY user.id",
        "SELECT DISTINCT user.id FROM events",
        "SELECT 1 FROM events a JOIN events b ON true",
        "SELECT 1 FROM events UNION SELECT 2 FROM events",
        "SELECT 1 FROM events LIMIT 3",
        "SELECT\n  row_number() OVER (ORDER BY timestamp) FROM events",
        "SELECT 1 FROM events WHERE @timestamp > now() - INTERVAL '1 day'",
    ]
    .iter()
    .map(|sql| fault(&file(HEADER, sql)))
    .collect();
    insta::assert_snapshot!(faults.join("\n"), @"
    dir/t.sql:7: an aggregate needs more than one event at a time; give the header a `lookback`, an `interval` and a `key`, or make the SELECT a plain filter
    dir/t.sql:7: GROUP BY needs more than one event at a time; give the header a `lookback`, an `interval` and a `key`, or make the SELECT a plain filter
    dir/t.sql:7: DISTINCT needs more than one event at a time; give the header a `lookback`, an `interval` and a `key`, or make the SELECT a plain filter
    dir/t.sql:7: a join needs more than one event at a time; give the header a `lookback`, an `interval` and a `key`, or make the SELECT a plain filter
    dir/t.sql:7: UNION, INTERSECT or EXCEPT needs more than one event at a time; give the header a `lookback`, an `interval` and a `key`, or make the SELECT a plain filter
    dir/t.sql:7: LIMIT needs more than one event at a time; give the header a `lookback`, an `interval` and a `key`, or make the SELECT a plain filter
    dir/t.sql:8: a window function needs more than one event at a time; give the header a `lookback`, an `interval` and a `key`, or make the SELECT a plain filter
    dir/t.sql:7: `now()` means nothing without windows: whether an event is found must not depend on when it is looked for; compare fields of the event, or give the header a `lookback`
    ");
    let terms = format!("{HEADER}[new_terms]\nfields = [\"user.id\"]\nhistory = \"14d\"\n");
    insta::assert_snapshot!(fault(&file(&terms, "SELECT max(user.id) FROM events")), @"dir/t.sql:10: an aggregate needs more than one event at a time; a new terms detection is a filter; the engine finds what is new");
    let list = "SELECT event.id FROM events WHERE user.id IN (SELECT max(app_id) FROM first_party_apps LIMIT 1)";
    assert!(parse("t.sql", &file(HEADER, list)).is_ok());
}

#[test]
fn interval_trap() {
    let trap = |condition: &str| {
        let sql = format!("SELECT user.id FROM events\nWHERE {condition}");
        parse("t.sql", &file(&format!("{HEADER}{WINDOW}"), &sql))
            .err()
            .map(|error| error.to_string())
    };
    insta::assert_snapshot!(trap("(event.end - event.start) > INTERVAL '14 days'").unwrap(), @"t.sql:11: `(event.end - event.start) > INTERVAL '14 days'` compares a duration with an interval, which is silently wrong in DataFusion; write `a > b + INTERVAL '...'` instead of `a - b > INTERVAL '...'`");
    for wrong in [
        "event.end - event.start > INTERVAL '1 hour'",
        "INTERVAL '1 hour' <= event.end - event.start",
        "(event.end - event.start) BETWEEN INTERVAL '1 hour' AND INTERVAL '2 hours'",
        "x IN (SELECT 1 FROM events WHERE (a - b) < 2 * INTERVAL '1 day')",
    ] {
        assert!(trap(wrong).is_some(), "{wrong}");
    }
    for right in [
        "event.end > event.start + INTERVAL '14 days'",
        "event.end - INTERVAL '14 days' > event.start",
        "@timestamp > now() - INTERVAL '8 hours'",
        "a - b > 5",
    ] {
        assert_eq!(trap(right), None, "{right}");
    }
}

#[test]
fn warnings() {
    let complete = "description = \"d\"\ntriage = \"t\"\nfalse_positives = [\"f\"]\nattack = [\"TA0009/T1114.002\"]\n";
    let window = WINDOW.replace("1h", "2d");
    let header = format!("{HEADER}{complete}{window}");
    insta::assert_snapshot!(findings(&header, "SELECT user.id, 1 AS event_count FROM events ORDER BY 1 LIMIT 5"), @"
    dir/t.sql:14: warning: LIMIT cannot be lifted over many ticks at once, so a hunt replays this detection tick by tick, slowly; rank with row_number() and filter instead
    dir/t.sql: warning: the SELECT gives no `event_ids`, so alerts cannot say which events an alert is about
    dir/t.sql: warning: the SELECT gives none of `first_time`, `first_seen`, `time`, `@timestamp`, `timestamp`, `Timestamp`, so alerts cannot say when their first event was
    dir/t.sql: warning: it runs every 2d but looks back only 8h, so no window holds the events between; make `interval` at most `lookback`
    ");
    insta::assert_snapshot!(findings(HEADER, "SELECT user.id FROM events"), @"dir/t.sql: warning: the header has no `description`, `triage`, `false_positives`, `attack`; whoever gets the alert will miss it");
    insta::assert_snapshot!(fault(&file(&format!("{HEADER}{WINDOW}"), "SELECT source.ip AS ip, user.name FROM events")), @"dir/t.sql: `key` names user.id, which the SELECT does not give; it gives ip, user.name");
    assert_eq!(
        findings(
            &format!("{HEADER}{complete}{WINDOW}"),
            "SELECT user.id, [] AS event_ids, 1 AS event_count, min(timestamp) AS first_time FROM events GROUP BY user.id"
        ),
        ""
    );
}

#[test]
fn built_in_detections_are_clean() {
    let detections = embedded().unwrap();
    assert!(!detections.is_empty());
    for detection in &detections {
        assert_eq!(lint(detection), [], "{}", detection.id());
    }
}

#[test]
fn folders() {
    let folder = tempfile::tempdir().unwrap();
    let taken = embedded().unwrap().remove(0);
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("t.sql", &file(HEADER, "SELECT user.id FROM events"));
    write("notes.txt", "not a detection");
    let loaded = load(Some(folder.path())).unwrap();
    assert!(loaded.iter().any(|detection| detection.id() == "t"));
    assert!(loaded.is_sorted_by_key(|detection| detection.id().to_owned()));
    let error = select(loaded.clone(), &["suspicious_sourc".into()])
        .unwrap_err()
        .to_string();
    assert!(error.contains("suspicious_source"), "{error}");
    assert_eq!(select(loaded, &["t".into()]).unwrap().len(), 1);

    write(
        &format!("{}.sql", taken.id()),
        &file(
            &HEADER.replace("\"t\"", &format!("{:?}", taken.id())),
            "SELECT 1 FROM events",
        ),
    );
    write("bad.sql", "SELECT 1");
    let error = load(Some(folder.path())).unwrap_err().to_string();
    assert!(
        error.contains("bad.sql:1: no header") && error.contains(&taken.origin),
        "{error}"
    );
    assert!(matches!(
        load(Some(std::path::Path::new("/nowhere"))),
        Err(crate::Error::File { .. })
    ));
}

#[test]
fn faulty_files_beside_good_ones() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
    write("t.sql", file(HEADER, "SELECT user.id FROM events").as_bytes());
    write("bad.sql", b"SELECT 1");
    write("bytes.sql", b"\xff\xfe");
    write(
        "stem.sql",
        file(&HEADER.replace("\"t\"", "\"other\""), "SELECT 1").as_bytes(),
    );
    write(
        "suspicious_source.sql",
        file(&HEADER.replace("\"t\"", "\"suspicious_source\""), "SELECT 1").as_bytes(),
    );
    let (known, faults) = load_all(Some(folder.path())).unwrap();
    assert_eq!(known.len(), embedded().unwrap().len() + 1);
    let ids: Vec<&str> = faults.iter().filter_map(|fault| fault.id.as_deref()).collect();
    assert_eq!(ids, ["bad", "bytes", "other", "suspicious_source"]);
    for fault in &faults {
        assert!(fault.message.starts_with(&fault.origin), "{fault:?}");
    }
    let choose = |ids: &[&str]| {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        choose(known.clone(), &faults, &ids).map(|chosen| chosen.len())
    };
    assert_eq!(choose(&["t", "unusual_client_app"]).unwrap(), 2);
    for id in ["bad", "bytes", "other", "stem", "suspicious_source"] {
        let error = choose(&["t", id]).unwrap_err().to_string();
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    // A hunt for all of them would look clean without those that cannot be read.
    assert_eq!(choose(&[]).unwrap_err().to_string().lines().count(), 4);
    assert!(load(Some(folder.path())).is_err());
    assert!(matches!(choose(&["nothing"]), Err(crate::Error::Unknown { .. })));
}
