//! Statements as people write them, and as the planner gets them.

use super::*;

const NOW: i64 = 1_709_287_200_123_456; // 2024-03-01T10:00:00.123456Z

fn names() -> Names {
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    let columns = |names: &[&str]| -> SchemaRef {
        let fields = names.iter().map(|name| Field::new(*name, DataType::Utf8, true));
        Schema::new(fields.collect::<Vec<_>>()).into()
    };
    Names::new(&[
        ("events".into(), crate::lake::TableName::Events.read_schema()),
        (
            "CloudAppEvents".into(),
            columns(&[
                "Timestamp",
                "ActionType",
                "AccountObjectId",
                "RawEventData",
                "IPAddress",
            ]),
        ),
        (
            "AlertEvidence".into(),
            columns(&["Timestamp", "AccountObjectId", "AlertId"]),
        ),
        ("first_party_apps".into(), columns(&["app_id"])),
    ])
}

pub(super) fn resolve(sql: &str, now: Option<i64>) -> Result<(String, Resolution), NameError> {
    let mut statement = parse_query(sql)?;
    let resolution = names().resolve(&mut statement, now.map(Clock::At))?;
    Ok((statement.to_string(), resolution))
}

#[track_caller]
pub(super) fn check(sql: &str, expected: &str) {
    match resolve(sql, Some(NOW)) {
        Ok((resolved, _)) => {
            assert_eq!(resolved, expected, "\n{sql}");
            // What is resolved stays as it is.
            assert_eq!(resolve(&resolved, Some(NOW)).unwrap().0, expected, "\n{sql}");
        }
        Err(error) => panic!("{sql}\n{error}"),
    }
}

#[track_caller]
pub(super) fn error(sql: &str) -> String {
    match resolve(sql, None) {
        Ok((resolved, _)) => panic!("resolved to {resolved}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn tables() {
    check("SELECT raw FROM Events", "SELECT raw FROM events");
    check(
        "SELECT ActionType FROM cloudappevents",
        "SELECT ActionType FROM CloudAppEvents",
    );
    check(
        "WITH events AS (SELECT 1 AS one) SELECT one FROM EVENTS",
        "WITH events AS (SELECT 1 AS one) SELECT one FROM events",
    );
    check(
        "WITH a AS (SELECT event.id FROM events) SELECT event.id FROM A",
        "WITH a AS (SELECT event_id AS \"event.id\" FROM events) SELECT \"event.id\" FROM a",
    );
    check("DESCRIBE EVENTS", "DESCRIBE events");
    check(
        "EXPLAIN SELECT event.id FROM events",
        "EXPLAIN SELECT event_id AS \"event.id\" FROM events",
    );
    check(
        "SELECT * FROM generate_series(1, 3)",
        "SELECT * FROM generate_series(1, 3)",
    );
    assert_eq!(
        resolve("SELECT 1 FROM Events e JOIN events f ON true, AlertEvidence", None)
            .unwrap()
            .1
            .tables,
        ["events", "AlertEvidence"]
    );
}

#[test]
fn dotted_names() {
    check(
        "SELECT event.action FROM events",
        "SELECT event_action AS \"event.action\" FROM events",
    );
    check("SELECT event_action FROM events", "SELECT event_action FROM events");
    check(
        "SELECT o365.audit.ClientAppId FROM events",
        "SELECT o365_audit_client_app_id AS \"o365.audit.ClientAppId\" FROM events",
    );
    check(
        "SELECT o365.audit.clientappid AS app FROM events",
        "SELECT o365_audit_client_app_id AS app FROM events",
    );
    check(
        "SELECT group.name, source.as.number, event.end, session.id FROM events",
        "SELECT group_name AS \"group.name\", source_as_number AS \"source.as.number\", event_end AS \"event.end\", session_id AS \"session.id\" FROM events",
    );
    check(
        "SELECT user.id, user.name FROM events WHERE user.target.id IS NULL",
        "SELECT user_id AS \"user.id\", user_name AS \"user.name\" FROM events WHERE user_target_id IS NULL",
    );
    check(
        "SELECT @timestamp, \"@timestamp\" AS t FROM events ORDER BY @timestamp DESC",
        "SELECT timestamp AS \"@timestamp\", timestamp AS t FROM events ORDER BY \"@timestamp\" DESC",
    );
    check(
        "SELECT \"event.action\" FROM events",
        "SELECT event_action AS \"event.action\" FROM events",
    );
    check(
        "SELECT `event`.`action` FROM events",
        "SELECT event_action AS \"event.action\" FROM events",
    );
    check(
        "SELECT azure.auditlogs.properties.target_resources.\"0\".display_name, azure.auditlogs.properties.target_resources.`0`.id AS i, azure.auditlogs.properties.target_resources.0.modified_properties.1.new_value AS v FROM events",
        "SELECT azure_auditlogs_properties_target_resources_0_display_name AS \"azure.auditlogs.properties.target_resources.0.display_name\", azure_auditlogs_properties_target_resources_0_id AS i, azure_auditlogs_properties_target_resources_0_modified_properties_1_new_value AS v FROM events",
    );
    check(
        "SELECT event.category[1] AS c, 1.5, .5 FROM events",
        "SELECT event_category[1] AS c, 1.5, .5 FROM events",
    );
    check(
        "SELECT data_stream.dataset FROM events",
        "SELECT event_dataset AS \"data_stream.dataset\" FROM events",
    );
    check(
        "SELECT lower(event.action) FROM events",
        "SELECT lower(event_action) AS \"lower(event.action)\" FROM events",
    );
}

#[test]
fn everywhere() {
    check(
        "SELECT event.action, count(DISTINCT user.id) AS users FROM events WHERE source.ip BETWEEN 'a' AND client.ip GROUP BY event.action HAVING max(event.code) > 'x' ORDER BY event.action, lower(event.action)",
        "SELECT event_action AS \"event.action\", count(DISTINCT user_id) AS users FROM events WHERE source_ip BETWEEN 'a' AND client_ip GROUP BY event_action HAVING max(event_code) > 'x' ORDER BY \"event.action\", lower(\"event.action\")",
    );
    check(
        "SELECT row_number() OVER (PARTITION BY user.id ORDER BY @timestamp) AS n, sum(1) OVER w AS s FROM events WINDOW w AS (PARTITION BY event.code)",
        "SELECT row_number() OVER (PARTITION BY user_id ORDER BY timestamp) AS n, sum(1) OVER w AS s FROM events WINDOW w AS (PARTITION BY event_code)",
    );
    check(
        "SELECT CASE WHEN user.id IN ('a', user.name) THEN event.code ELSE host.id END AS x, count(*) FILTER (WHERE user.name = 'b') AS n FROM events GROUP BY 1",
        "SELECT CASE WHEN user_id IN ('a', user_name) THEN event_code ELSE host_id END AS x, count(*) FILTER (WHERE user_name = 'b') AS n FROM events GROUP BY 1",
    );
    check(
        "SELECT e.event.action FROM events e JOIN AlertEvidence AS a ON a.accountobjectid = e.user.id WHERE NOT EXISTS (SELECT 1 FROM events WHERE events.event.id = E.event.id AND user.name = AccountObjectId)",
        "SELECT e.event_action AS \"event.action\" FROM events e JOIN AlertEvidence AS a ON a.AccountObjectId = e.user_id WHERE NOT EXISTS (SELECT 1 FROM events WHERE events.event_id = e.event_id AND user_name = AccountObjectId)",
    );
    check(
        "SELECT user.id FROM (SELECT user.id, event.category FROM events) AS s WHERE event.category = 'web' AND s.user.id <> '' AND user_id <> 'x'",
        "SELECT \"user.id\" FROM (SELECT user_id AS \"user.id\", event_category AS \"event.category\" FROM events) AS s WHERE any_in(\"event.category\", 'web') AND s.\"user.id\" <> '' AND \"user.id\" <> 'x'",
    );
    check(
        "SELECT user.id FROM events UNION ALL SELECT user.name FROM events ORDER BY user.id LIMIT 3",
        "SELECT user_id AS \"user.id\" FROM events UNION ALL SELECT user_name AS \"user.name\" FROM events ORDER BY \"user.id\" LIMIT 3",
    );
    check(
        "SELECT * EXCLUDE (RAW, event.hash) FROM events CROSS JOIN UNNEST(event.category) AS c (category)",
        "SELECT * EXCLUDE (raw, event_hash) FROM events CROSS JOIN UNNEST(event_category) AS c (category)",
    );
}

#[test]
fn aliases_win() {
    check(
        "SELECT e.event_action FROM events e",
        "SELECT e.event_action FROM events e",
    );
    check(
        "SELECT e.o365.audit.ClientAppId FROM events AS e",
        "SELECT e.o365_audit_client_app_id AS \"o365.audit.ClientAppId\" FROM events AS e",
    );
    check(
        "SELECT e.user.id, e.user.name AS n FROM events e",
        "SELECT e.user_id AS \"user.id\", e.user_name AS n FROM events e",
    );
    check(
        "SELECT a.event.id, b.event.id FROM events a JOIN events b ON a.user.id = b.user.id",
        "SELECT a.event_id AS \"event.id\", b.event_id AS \"b.event.id\" FROM events a JOIN events b ON a.user_id = b.user_id",
    );
    check(
        "SELECT event.action FROM events AS event",
        "SELECT event_action AS \"event.action\" FROM events AS event",
    );
    check("SELECT e.* FROM events E", "SELECT E.* FROM events E");
}

#[test]
fn case() {
    check(
        "SELECT EVENT_ACTION, actiontype FROM events, CloudAppEvents",
        "SELECT event_action, ActionType FROM events, CloudAppEvents",
    );
    assert_eq!(
        error("SELECT \"EVENT_ACTION\" FROM events"),
        "unknown column EVENT_ACTION; did you mean event_action? (line 1, column 8); a text takes single quotes: 'EVENT_ACTION'"
    );
    check(
        "SELECT count(*) AS Total FROM events ORDER BY total",
        "SELECT count(*) AS Total FROM events ORDER BY Total",
    );
    check(
        "SELECT c.accountobjectid FROM CloudAppEvents c JOIN AlertEvidence USING (ACCOUNTOBJECTID)",
        "SELECT c.AccountObjectId FROM CloudAppEvents c JOIN AlertEvidence USING(AccountObjectId)",
    );
}

#[test]
fn lists() {
    for (written, resolved) in [
        ("event.category = 'web'", "any_in(event_category, 'web')"),
        ("'web' = event_category", "any_in(event_category, 'web')"),
        ("event.category <> 'web'", "NOT any_in(event_category, 'web')"),
        ("event.category != 'web'", "NOT any_in(event_category, 'web')"),
        ("e.event.category = user.id", "any_in(e.event_category, user_id)"),
        ("event.category IN ('a', 'b')", "any_in(event_category, 'a', 'b')"),
        (
            "event.category NOT IN ('a', 'b')",
            "NOT any_in(event_category, 'a', 'b')",
        ),
        ("NOT event.category IN ('a')", "NOT any_in(event_category, 'a')"),
        ("o365.audit.Target.Type = 5", "any_in(o365_audit_target_type, '5')"),
        (
            "o365.audit.OperationProperties.Value = 'Bind'",
            "any_in(pair_values(o365_audit_operation_properties), 'Bind')",
        ),
        (
            "o365.audit.OperationProperties.Name IN ('a')",
            "any_in(pair_names(o365_audit_operation_properties), 'a')",
        ),
        (
            "o365.audit.Parameters.Confirm = 'True'",
            "property(o365_audit_parameters, 'Confirm') = 'True'",
        ),
        (
            "o365.audit.DeviceProperties = 'x'",
            "any_in(pair_values(o365_audit_device_properties), 'x')",
        ),
        ("event.category LIKE 'we%'", "any_match(event_category, 'we*')"),
        (
            "event.category NOT LIKE '%\\%%'",
            "NOT any_match(event_category, '*%*')",
        ),
        (
            "event.category LIKE 'w_b'",
            "coalesce(regexp_like(array_to_string(event_category, '\u{1f}'), '(?:^|\u{1f})w[^\u{1f}]b(?:\u{1f}|$)'), false)",
        ),
        (
            "event.category ILIKE 'We.%'",
            "coalesce(regexp_like(array_to_string(event_category, '\u{1f}'), '(?i)(?:^|\u{1f})We\\.[^\u{1f}]*(?:\u{1f}|$)'), false)",
        ),
        (
            "event.category IN (SELECT app_id FROM first_party_apps)",
            "any_in(event_category, (SELECT array_agg(value) FROM (SELECT app_id FROM first_party_apps) AS list (value)))",
        ),
        ("event.category = ['web']", "event_category = ['web']"),
        (
            "event.category = make_array('web')",
            "event_category = make_array('web')",
        ),
        ("event.category = event.type", "event_category = event_type"),
        ("event.category IS NULL", "event_category IS NULL"),
        ("array_has(event.category, 'web')", "array_has(event_category, 'web')"),
    ] {
        check(
            &format!("SELECT 1 FROM events e WHERE {written}"),
            &format!("SELECT 1 FROM events e WHERE {resolved}"),
        );
    }
    check(
        "SELECT event.category FROM events GROUP BY event.category",
        "SELECT event_category AS \"event.category\" FROM events GROUP BY event_category",
    );
    assert!(error("SELECT 1 FROM events WHERE event.category LIKE user.id").contains("use any_match"));
}

#[test]
fn raw_fields() {
    let (sql, resolution) = resolve(
        "SELECT o365.audit.Brand.New FROM events WHERE dns.question.name = 'x' AND dns.question.name <> ''",
        None,
    )
    .unwrap();
    assert_eq!(
        sql,
        "SELECT raw_field(raw, 'o365.audit.Brand.New') AS \"o365.audit.Brand.New\" FROM events WHERE raw_field(raw, 'dns.question.name') = 'x' AND raw_field(raw, 'dns.question.name') <> ''"
    );
    assert_eq!(resolution.raw_fields, ["o365.audit.Brand.New", "dns.question.name"]);
    check(
        "SELECT e.host.ip FROM events e",
        "SELECT raw_field(e.raw, 'host.ip') AS \"host.ip\" FROM events e",
    );
    check(
        "SELECT host.ip FROM events e JOIN CloudAppEvents c ON true",
        "SELECT raw_field(e.raw, 'host.ip') AS \"host.ip\" FROM events e JOIN CloudAppEvents c ON true",
    );
}

#[test]
fn clock() {
    const INSTANT: &str = "arrow_cast('2024-03-01T10:00:00.123456Z', 'Timestamp(Microsecond, Some(\"UTC\"))')";
    check(
        "SELECT 1 FROM events WHERE \"timestamp\" > now() - INTERVAL '8 hours'",
        &format!("SELECT 1 FROM events WHERE \"timestamp\" > {INSTANT} - INTERVAL '8 hours'"),
    );
    check(
        "SELECT NOW(), current_timestamp AS c",
        &format!("SELECT {INSTANT} AS \"NOW()\", {INSTANT} AS c"),
    );
    check(
        "SELECT today() AS t, current_date AS c",
        "SELECT arrow_cast('2024-03-01', 'Date32') AS t, arrow_cast('2024-03-01', 'Date32') AS c",
    );
    assert_eq!(resolve("SELECT now()", None).unwrap().0, "SELECT now()");
}

#[test]
fn columns_that_are_read_without_being_named() {
    let unnamed = |sql: &str| {
        let mut statement = parse_query(sql).unwrap();
        names().resolve(&mut statement, None).unwrap().unnamed_columns
    };
    for sql in [
        "SELECT * FROM events",
        "SELECT event.action FROM (SELECT * FROM events)",
        "WITH e AS (SELECT * FROM events) SELECT count(*) FROM e",
        "SELECT e.* FROM events e",
        "SELECT event.action FROM events WHERE EXISTS (SELECT * FROM events)",
        "SELECT 1 FROM events NATURAL JOIN events e",
        "DESCRIBE events",
        "SELECT column_name FROM information_schema.columns",
    ] {
        assert!(unnamed(sql), "{sql}");
    }
    for sql in [
        "SELECT count(*) FROM events",
        "SELECT event.action, 2 * 3 FROM events",
        "SELECT a.event.action FROM events a JOIN events b USING (event.action)",
        "SELECT user.id FROM events UNION ALL SELECT 'x'",
    ] {
        assert!(!unnamed(sql), "{sql}");
    }
}

#[test]
fn words_of_a_statement() {
    let words = |sql: &str| super::words(sql).map(|words| words.into_iter().collect::<std::collections::BTreeSet<_>>());
    let found = words(r#"SELECT "event_action", count(*) FROM e WHERE a.b = 'c d'"#).unwrap();
    for word in ["event_action", "count", "e", "a", "b"] {
        assert!(found.contains(word), "{word}");
    }
    assert!(!found.contains("c"));
    assert_eq!(words("SELECT count(e . *) FROM e"), None);
    assert_eq!(words("SELECT 'open"), None);
    assert!(words("SELECT 1.5 * a FROM e").is_some());
}

#[test]
fn errors() {
    let cases = [
        "SELECT event.acton FROM events",
        "SELECT e.event.acton FROM events e",
        "SELECT 1 FROM events WHERE Event.Action = 'x'",
        "SELECT sauce.ipp FROM events",
        "SELECT x.y.z FROM events",
        "SELECT event.action FROM AlertEvidence",
        "SELECT dns.id FROM AlertEvidence a",
        "SELECT event.action",
        "SELECT 1 FROM evnts",
        "SELEC 1",
        "SELECT 1 FROM events WHERE",
        "",
        "SELECT 1; SELECT 2",
        "DROP TABLE events",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'x'",
        "COPY events TO 'x.parquet'",
        "SET a = 1",
        "INSERT INTO events VALUES (1)",
        "SELECT * INTO t FROM events",
        "SELECT * FROM events FOR UPDATE",
        "EXPLAIN DELETE FROM events",
        "WITH a AS (SELECT 1) INSERT INTO events SELECT * FROM a",
    ];
    let lines: Vec<String> = cases.iter().map(|sql| format!("{sql}\n    {}", error(sql))).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    SELECT event.acton FROM events
        unknown field event.acton; did you mean event.action? (line 1, column 8)
    SELECT e.event.acton FROM events e
        unknown field e.event.acton; did you mean event.action? (line 1, column 8)
    SELECT 1 FROM events WHERE Event.Action = 'x'
        unknown field Event.Action; did you mean event.action? (line 1, column 28)
    SELECT sauce.ipp FROM events
        unknown field sauce.ipp; did you mean source.ip? (line 1, column 8)
    SELECT x.y.z FROM events
        unknown field x.y.z (line 1, column 8)
    SELECT event.action FROM AlertEvidence
        event.action is not in AlertEvidence (line 1, column 8); select it there, or read a table that has it
    SELECT dns.id FROM AlertEvidence a
        dns.id is not in a (line 1, column 8); select it there, or read a table that has it
    SELECT event.action
        event.action is not in a SELECT without FROM (line 1, column 8); select it there, or read a table that has it
    SELECT 1 FROM evnts
        unknown table evnts; did you mean events? (line 1, column 15)
    SELEC 1
        syntax error: expected an SQL statement, found SELEC (line 1, column 1)
    SELECT 1 FROM events WHERE
        syntax error: expected an expression, found the end of the text

        syntax error: there is no statement; write a SELECT
    SELECT 1; SELECT 2
        2 statements where one was expected; run them one at a time
    DROP TABLE events
        DROP TABLE is refused: retrohunt sql is read-only; use SELECT, EXPLAIN, SHOW TABLES or DESCRIBE
    CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'x'
        CREATE EXTERNAL is refused: retrohunt sql is read-only; use SELECT, EXPLAIN, SHOW TABLES or DESCRIBE
    COPY events TO 'x.parquet'
        COPY is refused: retrohunt sql is read-only; use SELECT, EXPLAIN, SHOW TABLES or DESCRIBE
    SET a = 1
        SET is refused: retrohunt sql is read-only; use SELECT, EXPLAIN, SHOW TABLES or DESCRIBE
    INSERT INTO events VALUES (1)
        INSERT INTO is refused: retrohunt sql is read-only; use SELECT, EXPLAIN, SHOW TABLES or DESCRIBE
    SELECT * INTO t FROM events
        SELECT INTO is refused: retrohunt sql is read-only; use SELECT, EXPLAIN, SHOW TABLES or DESCRIBE
    SELECT * FROM events FOR UPDATE
        SELECT FOR UPDATE is refused: retrohunt sql is read-only; use SELECT, EXPLAIN, SHOW TABLES or DESCRIBE
    EXPLAIN DELETE FROM events
        EXPLAIN DELETE FROM is refused: retrohunt sql is read-only; use SELECT, EXPLAIN, SHOW TABLES or DESCRIBE
    WITH a AS (SELECT 1) INSERT INTO events SELECT * FROM a
        INSERT is refused: retrohunt sql is read-only; use SELECT, EXPLAIN, SHOW TABLES or DESCRIBE
    ");
}
