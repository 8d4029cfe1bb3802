//! What the linter says about SELECTs.

use super::parse;
use super::tests::{HEADER, WINDOW, fault, file, findings};

#[test]
fn filters_look_at_single_events_below_too() {
    for (what, sql) in [
        (
            "LIMIT",
            "SELECT e.user.id FROM (SELECT * FROM events ORDER BY timestamp LIMIT 5) AS e",
        ),
        (
            "LIMIT",
            "WITH a AS (SELECT * FROM events LIMIT 5), b AS (SELECT * FROM A) SELECT user.id FROM B",
        ),
        (
            "LIMIT",
            "SELECT user.id FROM (SELECT * FROM (SELECT * FROM events FETCH FIRST 5 ROWS ONLY) AS a) AS b",
        ),
        (
            "DISTINCT",
            "SELECT user.id FROM (SELECT DISTINCT user.id FROM events) AS e",
        ),
        (
            "GROUP BY",
            "SELECT user.id FROM (SELECT user.id FROM events GROUP BY user.id) AS e",
        ),
        (
            "a window function",
            "SELECT n FROM (SELECT row_number() OVER (ORDER BY timestamp) AS n FROM events) AS e",
        ),
        (
            "LIMIT",
            "SELECT user.id FROM (SELECT * FROM events UNION ALL (SELECT * FROM events LIMIT 1)) AS e",
        ),
    ] {
        let message = fault(&file(HEADER, sql));
        assert!(
            message.contains(&format!(": {what} needs more than one event")),
            "{sql}\n{message}"
        );
    }
    for sql in [
        "SELECT e.user.id FROM (SELECT * FROM events WHERE event.code = 'x') AS e",
        "WITH events AS (SELECT * FROM events WHERE event.code = 'x') SELECT user.id FROM events",
        "WITH apps AS (SELECT app_id FROM first_party_apps LIMIT 5) SELECT user.id FROM events WHERE user.id IN (SELECT app_id FROM apps)",
    ] {
        assert!(parse("t.sql", &file(HEADER, sql)).is_ok(), "{sql}");
    }
}

#[test]
fn filters_that_depend_on_the_range() {
    let terms = "[new_terms]\nfields = [\"user.id\"]\nhistory = \"14d\"\n";
    let depends = |more: &str, sql: &str| {
        let found = findings(&format!("{HEADER}{more}"), sql);
        let line = found.lines().find(|line| line.contains("depends on --from"));
        line.and_then(|line| line.split_once(", and a hunt"))
            .map(|(line, _)| line.replace("dir/t.sql:", ""))
    };
    for (sql, expected) in [
        (
            "SELECT ActionType\nFROM cloudappevents AS c",
            "8: warning: the view CloudAppEvents looks at other events too",
        ),
        (
            "SELECT a FROM (SELECT ActionType AS a FROM CloudAppEvents) AS c",
            "7: warning: the view CloudAppEvents looks at other events too",
        ),
        (
            "SELECT user.id FROM events WHERE user.id IN (SELECT user.id FROM Events WHERE event.code = 'x')",
            "7: warning: a subquery reads events",
        ),
        (
            "SELECT user.id FROM events WHERE EXISTS (SELECT 1 FROM AlertEvidence AS a WHERE a.AccountObjectId = user_id)",
            "7: warning: a subquery reads alertevidence",
        ),
        (
            "WITH bad AS (SELECT user.id FROM events) SELECT user.id FROM events WHERE user.id IN (SELECT user.id FROM Bad)",
            "7: warning: a subquery reads bad",
        ),
        (
            "SELECT u FROM (SELECT a.user.id AS u FROM events AS a JOIN events AS b ON a.user.id = b.user.id) AS x",
            "7: warning: a join reads events",
        ),
    ] {
        assert_eq!(depends("", sql).as_deref(), Some(expected), "{sql}");
        assert_eq!(
            depends(WINDOW, &format!("SELECT 1 AS \"user.id\" FROM ({sql}) AS t")),
            None
        );
    }
    assert!(depends(terms, "SELECT ActionType FROM CloudAppEvents").is_some());
    for sql in [
        "SELECT user.id FROM events",
        "SELECT AccountObjectId FROM AlertEvidence",
        "SELECT user.id FROM events WHERE user.id IN (SELECT app_id FROM first_party_apps)",
        "WITH apps AS (SELECT app_id FROM first_party_apps) SELECT user.id FROM events WHERE user.id IN (SELECT app_id FROM apps)",
        "WITH e AS (SELECT * FROM events) SELECT user.id FROM e",
    ] {
        assert_eq!(depends("", sql), None, "{sql}");
    }
}

#[test]
fn clocks() {
    let uses = |sql: &str| {
        let sql = format!("SELECT user.id FROM events WHERE {sql}");
        parse("t.sql", &file(&format!("{HEADER}{WINDOW}"), &sql))
            .unwrap()
            .uses_clock()
    };
    for condition in [
        "timestamp > now() - INTERVAL '1 hour'",
        "timestamp > NOW()",
        "timestamp < CURRENT_TIMESTAMP",
        "timestamp < current_timestamp()",
        "day = current_date",
        "day = today()",
        "x = current_time",
        "x = localtime",
        "x = LOCALTIMESTAMP",
        "user.id IN (SELECT user.id FROM events WHERE timestamp > now())",
        "user.id IN (WITH a AS (SELECT now() AS n) SELECT n FROM a)",
        "EXISTS (SELECT 1 FROM (SELECT 1 FROM events ORDER BY now()) AS t)",
    ] {
        assert!(uses(condition), "{condition}");
    }
    for condition in [
        "labels.now = 'x'",
        "event.code = 'now()'",
        "labels.current_date = labels.localtime",
        "a.now > b.today",
    ] {
        assert!(!uses(condition), "{condition}");
    }
    let cte = "WITH a AS (SELECT now() AS n) SELECT user.id FROM events, a WHERE timestamp < n";
    assert!(
        parse("t.sql", &file(&format!("{HEADER}{WINDOW}"), cte))
            .unwrap()
            .uses_clock()
    );
    let join = "SELECT a.user.id FROM events AS a JOIN events AS b ON a.timestamp < now()";
    assert!(
        parse("t.sql", &file(&format!("{HEADER}{WINDOW}"), join))
            .unwrap()
            .uses_clock()
    );
}

#[test]
fn windows_and_their_times() {
    let missing = |column: &str| {
        let sql = format!("SELECT user.id, {column}, [] AS event_ids, 1 AS event_count FROM events");
        findings(&format!("{HEADER}{WINDOW}"), &sql).contains("cannot say when their first event was")
    };
    for column in [
        "min(timestamp) AS first_time",
        "1 AS first_seen",
        "1 AS time",
        "@timestamp",
        "timestamp",
        "e.\"Timestamp\"",
    ] {
        let column = column.replace("e.", "events.");
        assert!(!missing(&column), "{column}");
    }
    assert!(missing("1 AS began"));
    let interval =
        |more: &str| findings(&format!("{HEADER}{more}"), "SELECT user.id FROM events").contains("makes no windows");
    assert!(interval("interval = \"1h\"\n"));
    assert!(!interval(""));
    assert!(!interval(WINDOW));
    assert!(!interval(
        "interval = \"1h\"\n[new_terms]\nfields = [\"user.id\"]\nhistory = \"14d\"\n"
    ));
}
