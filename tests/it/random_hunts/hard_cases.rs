//! Windows that are hard to evaluate together, worked out by hand: what each tick must give,
//! in one pass and in replay.

mod meetings;
mod thresholds;

use super::events::{HOUR, MINUTE, TENANT};
use super::world::{Outcome, Range, World, windowed};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// 2026-03-02T00:00:00Z
const MIDNIGHT: i64 = 1_772_409_600_000_000;

fn audit(time: &str, id: &str, action: &str, user: Option<&str>, count: Option<u32>) -> Value {
    json!({
        "CreationTime": format!("2026-03-02T{time}"), "Id": id, "Operation": action, "OrganizationId": TENANT,
        "RecordType": 50, "UserType": 0, "Version": 1, "Workload": "Exchange", "UserId": user, "OperationCount": count,
    })
}

/// Six events: two at once on a tick, one without a user, one on a tick, one a second after
/// it, and one after hours of nothing. The last two arrive later.
static WORLD: LazyLock<World> = LazyLock::new(|| {
    World::of(&[
        vec![
            audit("10:00:00", "e1", "Mail", Some("ann"), Some(1)),
            audit("10:00:00", "e2", "Mail", Some("ben"), Some(3)),
            audit("15:00:00", "e6", "File", Some("eve"), Some(4)),
            audit("10:30:00", "e3", "File", None, None),
        ],
        vec![
            audit("11:00:01", "e5", "File", Some("ben"), Some(5)),
            audit("11:00:00", "e4", "File", Some("ann"), Some(2)),
            audit("10:00:00", "e1", "Mail", Some("ann"), Some(1)),
        ],
    ])
});

fn clock(hour: i64, minute: i64) -> i64 {
    MIDNIGHT + hour * HOUR + minute * MINUTE
}

fn between(from: i64, to: i64) -> Range {
    Range {
        from: Some(clock(from, 0)),
        to: Some(clock(to, 0)),
        per_window: true,
    }
}

/// Both ways, per window and as episodes; the windows are returned.
fn hunted(interval: &str, lookback: &str, key: &[&str], range: Range, sql: &str) -> Outcome {
    hunted_in(&WORLD, interval, lookback, key, range, sql)
}

fn hunted_in(world: &World, interval: &str, lookback: &str, key: &[&str], range: Range, sql: &str) -> Outcome {
    let detections = [windowed("hard_case", interval, lookback, key, sql)];
    let episodes = Range {
        per_window: false,
        ..range
    };
    for range in [episodes, range] {
        let outcome = world
            .hunt_both_ways(&detections, range)
            .unwrap_or_else(|difference| panic!("{difference}"));
        assert_eq!(outcome.errors, [None]);
        if range.per_window {
            return outcome;
        }
    }
    unreachable!("the last range is per window")
}

/// `HH:MM` of each tick and the fields of its rows, in order, without their names.
fn rows(outcome: &Outcome) -> Vec<String> {
    let mut rows: Vec<String> = outcome
        .alerts
        .iter()
        .map(|alert| {
            let minute = (alert.window_end.unwrap() - MIDNIGHT) / MINUTE;
            let values: Vec<String> = alert.fields.values().map(Value::to_string).collect();
            format!(
                "{:02}:{:02} {}",
                minute / 60,
                minute % 60,
                values.join(" ").replace('"', "")
            )
        })
        .collect();
    rows.sort();
    rows
}

#[test]
fn an_aggregate_over_everything_has_a_row_for_every_window() {
    let sql = "SELECT count(*) AS n, max(o365.audit.OperationCount) AS most FROM events";
    assert_eq!(
        rows(&hunted("1h", "1h", &["n"], between(8, 17), sql)),
        [
            "08:00 0 null",
            "09:00 0 null",
            "10:00 2 3",
            "11:00 2 2",
            "12:00 1 5",
            "13:00 0 null",
            "14:00 0 null",
            "15:00 1 4",
            "16:00 0 null",
            "17:00 0 null"
        ]
    );
    // The same below a condition and a join, where the row of nothing must not get lost.
    let sql = "SELECT a.n AS n, b.m AS m FROM (SELECT count(*) AS n FROM events WHERE event.action = 'Mail') AS a \
               CROSS JOIN (SELECT count(*) AS m FROM events WHERE event.action = 'File') AS b WHERE a.n = 0";
    assert_eq!(
        rows(&hunted("1h", "1h", &["n"], between(9, 13), sql)),
        ["09:00 0 0", "11:00 0 2", "12:00 0 1", "13:00 0 0"]
    );
}

#[test]
fn ticks_reach_from_the_first_event_to_the_last_window_that_sees_one() {
    let sql = "SELECT count(*) AS n FROM events";
    let outcome = hunted("1h", "3h", &["n"], Range::WHOLE, sql);
    assert_eq!(
        rows(&outcome),
        [
            "10:00 2", "11:00 4", "12:00 5", "13:00 3", "14:00 1", "15:00 1", "16:00 1", "17:00 1", "18:00 0"
        ]
    );
    let nothing_before = hunted("1h", "3h", &["n"], between(4, 6), sql);
    assert_eq!(rows(&nothing_before), ["04:00 0", "05:00 0", "06:00 0"]);
    let sql = "SELECT user.id, count(*) AS n FROM events GROUP BY user.id";
    assert_eq!(rows(&hunted("1h", "3h", &["user.id"], between(18, 20), sql)), [""; 0]);
    assert_eq!(
        rows(&hunted("1h", "3h", &["user.id"], between(17, 20), sql)),
        ["17:00 eve 1"]
    );
}

#[test]
fn not_in_sees_the_nulls_of_its_own_window() {
    // In the second window the list holds a null, so nothing is certainly not in it.
    let sql = "SELECT a.user.id, a.event.id FROM events AS a WHERE a.event.action = 'Mail' \
               AND a.user.id NOT IN (SELECT s.user.id FROM events AS s WHERE s.event.action = 'File')";
    let range = Range {
        to: Some(clock(11, 30)),
        ..between(9, 12)
    };
    assert_eq!(
        rows(&hunted("30m", "1h", &["event.id"], range, sql)),
        ["10:00 ann e1", "10:00 ben e2"]
    );
    let sql = "SELECT a.user.id, a.event.id FROM events AS a WHERE a.event.action = 'Mail' AND a.user.id NOT IN \
               (SELECT s.user.id FROM events AS s WHERE s.event.action = 'File' AND s.user.id IS NOT NULL)";
    assert_eq!(
        rows(&hunted("30m", "90m", &["event.id"], range, sql)),
        [
            "10:00 ann e1",
            "10:00 ben e2",
            "10:30 ann e1",
            "10:30 ben e2",
            "11:00 ben e2"
        ]
    );
}

#[test]
fn a_full_join_joins_within_each_window() {
    let sql = "SELECT m.event.id AS mail, f.event.id AS file FROM (SELECT * FROM events WHERE event.action = 'Mail') AS m \
               FULL JOIN (SELECT * FROM events WHERE event.action = 'File') AS f ON m.user_id = f.user_id";
    assert_eq!(
        rows(&hunted("1h", "2h", &["mail", "file"], between(9, 17), sql)),
        [
            "10:00 e1 null",
            "10:00 e2 null",
            "11:00 e1 e4",
            "11:00 e2 null",
            "11:00 null e3",
            "12:00 null e3",
            "12:00 null e4",
            "12:00 null e5",
            "13:00 null e5",
            "15:00 null e6",
            "16:00 null e6"
        ]
    );
}

#[test]
fn a_correlated_count_counts_within_the_window_and_is_zero_where_nothing_is() {
    let sql = "SELECT a.event.id AS id, (SELECT count(*) FROM events AS s WHERE s.user_id = a.user_id) AS alike FROM events AS a";
    assert_eq!(
        rows(&hunted("1h", "2h", &["id"], between(10, 12), sql)),
        [
            "10:00 e1 1",
            "10:00 e2 1",
            "11:00 e1 2",
            "11:00 e2 1",
            "11:00 e3 0",
            "11:00 e4 2",
            "12:00 e3 0",
            "12:00 e4 1",
            "12:00 e5 1"
        ]
    );
}

#[test]
fn a_scalar_subquery_is_of_the_window() {
    let sql = "SELECT event.id AS id FROM events AS a WHERE a.o365.audit.OperationCount > \
               (SELECT avg(s.o365.audit.OperationCount) FROM events AS s)";
    // 10:00 of 1, 3; 11:00 of 1, 3, 2; 12:00 of 2, 5; 13:00 of 5 alone.
    assert_eq!(
        rows(&hunted("1h", "2h", &["id"], between(9, 16), sql)),
        ["10:00 e2", "11:00 e2", "12:00 e5"]
    );
    let sql = "SELECT user.id, count(*) AS n FROM events GROUP BY user.id \
               HAVING 3 * count(*) > (SELECT count(*) FROM events)";
    assert_eq!(
        rows(&hunted("1h", "2h", &["user.id"], between(10, 14), sql)),
        ["10:00 ann 1", "10:00 ben 1", "11:00 ann 2", "13:00 ben 1"]
    );
}

#[test]
fn the_clock_stands_at_the_tick() {
    let sql = "SELECT a.event.id AS id, b.event.id AS later, now() AS seen_at FROM events AS a \
               LEFT JOIN events AS b ON a.user_id = b.user_id AND b.timestamp > a.timestamp \
                   AND b.timestamp > now() - INTERVAL '30 minutes' \
               WHERE a.event.action = 'Mail'";
    assert_eq!(
        rows(&hunted("1h", "2h", &["id"], between(10, 11), sql)),
        [
            "10:00 e1 null 2026-03-02T10:00:00Z",
            "10:00 e2 null 2026-03-02T10:00:00Z",
            "11:00 e1 e4 2026-03-02T11:00:00Z",
            "11:00 e2 null 2026-03-02T11:00:00Z"
        ]
    );
    // The last tick's clock would let nothing pass at the others.
    let sql = "SELECT event.id AS id FROM events WHERE @timestamp > now() - INTERVAL '15 minutes'";
    assert_eq!(
        rows(&hunted("1h", "2h", &["id"], between(9, 16), sql)),
        ["10:00 e1", "10:00 e2", "11:00 e4", "15:00 e6"]
    );
    let sql = "SELECT count(*) AS n FROM events WHERE extract(hour FROM now()) = 11 OR @timestamp = now()";
    assert_eq!(
        rows(&hunted("1h", "2h", &["n"], between(9, 12), sql)),
        ["09:00 0", "10:00 2", "11:00 4", "12:00 0"]
    );
}

#[test]
fn a_condition_without_columns_takes_the_row_of_an_aggregate_over_everything_away() {
    let sql = "SELECT count(*) AS n FROM events HAVING extract(hour FROM now()) = 11";
    assert_eq!(rows(&hunted("1h", "2h", &["n"], between(9, 12), sql)), ["11:00 4"]);
    // No window has an event of the year 2001.
    let sql = "SELECT d.n AS n FROM (SELECT count(*) AS n FROM events) AS d \
               WHERE (SELECT count(*) FROM events WHERE @timestamp < TIMESTAMP '2001-01-01') > 0";
    assert_eq!(rows(&hunted("1h", "2h", &["n"], between(9, 12), sql)), [""; 0]);
}

#[test]
fn so_it_does_with_the_row_of_all_rows_of_grouping_sets() {
    let groups = |sets: &str, tables: &str| {
        format!(
            "SELECT d.a AS a, d.n AS n FROM (SELECT event.action AS a, count(*) AS n FROM events GROUP BY {sets}) AS d \
             WHERE (SELECT count(*) FROM events{tables}) > 3"
        )
    };
    for sets in [
        "ROLLUP (event.action)",
        "CUBE (event.action)",
        "GROUPING SETS ((event.action), ())",
    ] {
        // Only the second window has more than three events.
        assert_eq!(
            rows(&hunted("1h", "2h", &["a", "n"], between(9, 12), &groups(sets, ""))),
            ["11:00 File 2", "11:00 Mail 2", "11:00 null 4"],
            "{sets}"
        );
        let never = groups(sets, " WHERE @timestamp < TIMESTAMP '2001-01-01'");
        assert_eq!(
            rows(&hunted("1h", "2h", &["a", "n"], between(9, 12), &never)),
            [""; 0],
            "{sets}"
        );
    }
}

#[test]
fn it_does_through_joins_unions_and_constants() {
    let count = |action: &str| format!("(SELECT count(*) AS n FROM events WHERE event.action = '{action}')");
    let (mails, files) = (count("Mail"), count("File"));
    let many = "(SELECT count(*) FROM events) > 3";
    for (sql, expected) in [
        // Only the second window has more than three events.
        (
            format!("SELECT a.n AS a, b.n AS b FROM {mails} AS a CROSS JOIN {files} AS b WHERE {many}"),
            vec!["11:00 2 2"],
        ),
        (
            format!("SELECT a.n AS a, b.n AS b FROM {mails} AS a JOIN {files} AS b ON {many}"),
            vec!["11:00 2 2"],
        ),
        (
            format!("SELECT a.n AS a, b.n AS b FROM {files} AS b RIGHT JOIN {mails} AS a ON {many} WHERE a.n = 2"),
            vec!["10:00 2 null", "11:00 2 2"],
        ),
        (
            format!("SELECT a.n AS a, b.n AS b FROM {mails} AS a LEFT JOIN {files} AS b ON false WHERE a.n = 2"),
            vec!["10:00 2 null", "11:00 2 null"],
        ),
        (
            format!("SELECT a.n AS a, b.n AS b FROM {files} AS b RIGHT JOIN {mails} AS a ON 1 = 2 WHERE a.n = 2"),
            vec!["10:00 2 null", "11:00 2 null"],
        ),
        (
            format!("SELECT d.k AS a, d.c AS b FROM (SELECT 'x' AS k, count(*) AS c FROM {mails} GROUP BY k) AS d WHERE d.k = 'y'"),
            vec![],
        ),
        (
            format!("SELECT d.k AS a, d.n AS b FROM (SELECT 'x' AS k, i.n FROM {mails} AS i GROUP BY k, i.n) AS d WHERE d.k = 'y'"),
            vec![],
        ),
        (
            format!(
                "SELECT d.n AS a, 0 AS b FROM (SELECT i.n, EXISTS (SELECT 1 FROM events WHERE user.id = 'nobody') AS e \
                 FROM {mails} AS i) AS d WHERE d.e"
            ),
            vec![],
        ),
        (
            format!("SELECT 'both' AS a, u.n AS b FROM (SELECT * FROM {mails} UNION ALL SELECT * FROM {files}) AS u WHERE {many}"),
            vec!["11:00 both 2"],
        ),
        (
            format!(
                "SELECT u.kind AS a, u.n AS b FROM (SELECT 'mail' AS kind, n FROM {mails} UNION ALL \
                 SELECT 'file' AS kind, n FROM {files}) AS u WHERE u.kind = 'file' AND u.n = 2"
            ),
            vec!["11:00 file 2"],
        ),
        (
            "SELECT u.kind AS a, 0 AS b FROM (SELECT 'mail' AS kind, count(*) AS n FROM events) AS u WHERE u.kind = 'file'"
                .to_owned(),
            vec![],
        ),
        (
            format!("SELECT u.many AS a, u.n AS b FROM (SELECT n, {many} AS many FROM {mails}) AS u WHERE u.many"),
            vec!["11:00 true 2"],
        ),
    ] {
        let found = rows(&hunted("1h", "2h", &["a", "b"], between(9, 12), &sql));
        assert_eq!(found, expected, "{sql}");
    }
}

#[test]
fn a_condition_on_a_list_holds_in_files_without_the_other_column_it_asks_for() {
    let with_list = |time: &str, id: &str, throttled: &str| {
        let mut record = audit(time, id, "Mail", Some("ann"), None);
        record["OperationProperties"] = json!([{"Name": "IsThrottled", "Value": throttled}]);
        record
    };
    // The files of audit records have no session.
    let world = World::of(&[vec![
        with_list("10:00:00", "e1", "False"),
        with_list("10:00:00", "e2", "True"),
        audit("10:00:00", "e3", "Mail", Some("ann"), None),
    ]]);
    let (throttled, session) = (
        "property(o365.audit.OperationProperties, 'IsThrottled')",
        "azure.signinlogs.properties.session_id",
    );
    for condition in [
        format!("{throttled} = 'True' OR {session} IS NOT NULL"),
        format!("{throttled} = 'True' OR array_has(email.message_id, 'x')"),
        format!("{throttled} = 'True' OR {session} IS NOT NULL AND user.id = 'ann'"),
        format!("{throttled} = 'True' OR {throttled} LIKE 'Tr%' OR {session} IS NOT NULL"),
        format!("{throttled} IS NOT NULL AND {throttled} <> 'False' OR {session} IS NOT NULL"),
    ] {
        let sql = format!("SELECT event.id FROM events WHERE {condition}");
        let outcome = hunted_in(&world, "1h", "1h", &["event.id"], between(9, 12), &sql);
        assert_eq!(rows(&outcome), ["10:00 e2"], "{condition}");
        let sql =
            format!("SELECT event.id FROM (SELECT event.id, {condition} AS is_so FROM events) AS d WHERE d.is_so");
        let outcome = hunted_in(&world, "1h", "1h", &["event.id"], between(9, 12), &sql);
        assert_eq!(rows(&outcome), ["10:00 e2"], "below a projection: {condition}");
    }
}

#[test]
fn a_greatest_value_is_found_after_rows_without_one_whatever_else_is_asked() {
    let document = |minute: u32, id: &str, dataset: &str, severity: Option<u32>| {
        json!({
            "@timestamp": format!("2026-03-02T10:{minute}:00Z"), "event.id": id, "event.dataset": dataset,
            "event.severity": severity,
        })
    };
    // Files of which only the smallest, which are read last, have a severity.
    let part = |minute: u32, severity: u32| {
        let silent = ["t.a", "t.b", "t.c", "t.d"].into_iter().flat_map(|dataset| {
            let documents = (0..9).map(move |number| (dataset, format!("{dataset}-{minute}-{number}")));
            documents.map(|(dataset, id)| document(minute, &id, dataset, None))
        });
        let last = document(40, &format!("severe-{minute}"), "t.e", Some(severity));
        silent.chain([last]).collect::<Vec<_>>()
    };
    let world = World::of(&[part(10, 3), part(20, 5)]);
    let sql = "SELECT max(event.severity) AS most, min(@timestamp) AS first FROM events";
    let outcome = hunted_in(&world, "1h", "1h", &["most"], between(11, 11), sql);
    assert_eq!(rows(&outcome), ["11:00 5 2026-03-02T10:10:00Z"]);
}

#[test]
fn windows_with_gaps_between_them_leave_events_out() {
    let sql = "SELECT event.id AS id FROM events";
    assert_eq!(
        rows(&hunted("2h", "30m", &["id"], between(8, 20), sql)),
        ["10:00 e1", "10:00 e2"]
    );
    let sql = "SELECT count(*) AS n FROM events";
    assert_eq!(
        rows(&hunted("150m", "1h", &["n"], between(9, 16), sql)),
        ["09:00 0", "11:30 2", "14:00 0"]
    );
}

#[test]
fn window_functions_and_distinct_rows_stay_within_the_window() {
    let sql = "SELECT event.id AS id, row_number() OVER (ORDER BY @timestamp, event.id) AS place, \
               count(*) OVER (PARTITION BY user.id) AS alike FROM events";
    assert_eq!(
        rows(&hunted("1h", "1h", &["id"], between(9, 13), sql)),
        [
            "10:00 e1 1 1",
            "10:00 e2 2 1",
            "11:00 e3 1 1",
            "11:00 e4 2 1",
            "12:00 e5 1 1"
        ]
    );
    let sql = "SELECT DISTINCT event.action FROM events EXCEPT SELECT event.action FROM events WHERE user.id = 'ben'";
    assert_eq!(
        rows(&hunted("1h", "2h", &["event.action"], between(9, 16), sql)),
        ["11:00 File", "15:00 File", "16:00 File"]
    );
}

#[test]
fn a_limit_is_of_each_window() {
    let sql = "SELECT event.id AS id FROM events ORDER BY @timestamp DESC, event.id DESC LIMIT 1";
    assert_eq!(
        rows(&hunted("1h", "2h", &["id"], between(9, 13), sql)),
        ["10:00 e2", "11:00 e4", "12:00 e5", "13:00 e5"]
    );
}

#[test]
fn a_limit_keeps_the_last_of_several_times_of_one_day_and_of_numbers_with_one_quotient() {
    let last = |having: &str, order: &str| {
        format!(
            "SELECT d.id AS id FROM (SELECT event.id AS id, max(@timestamp) AS last, max(o365.audit.OperationCount) AS n \
             FROM events GROUP BY event.id HAVING {having} ORDER BY {order} DESC, id LIMIT 1) AS d"
        )
    };
    let of_day = last("CAST(max(@timestamp) AS DATE) = DATE '2026-03-02'", "last");
    assert_eq!(
        rows(&hunted("1h", "2h", &["id"], between(9, 12), &of_day)),
        ["10:00 e1", "11:00 e4", "12:00 e5"]
    );
    let of_quotient = last("max(o365.audit.OperationCount) / 10 = 0", "n");
    assert_eq!(
        rows(&hunted("1h", "2h", &["id"], between(9, 12), &of_quotient)),
        ["10:00 e2", "11:00 e2", "12:00 e5"]
    );
}

#[test]
fn what_reads_no_event_has_its_rows_at_every_tick() {
    let range = between(9, 11);
    assert_eq!(
        rows(&hunted("1h", "1h", &["k"], range, "SELECT 1 AS k")),
        ["09:00 1", "10:00 1", "11:00 1"]
    );
    let sql = "SELECT 'quiet' AS k WHERE NOT EXISTS (SELECT 1 FROM events WHERE event.action = 'Mail')";
    assert_eq!(
        rows(&hunted("1h", "1h", &["k"], range, sql)),
        ["09:00 quiet", "11:00 quiet"]
    );
}

#[test]
fn one_that_fails_at_one_tick_fails_both_ways_and_alone() {
    let fails = windowed(
        "fails",
        "1h",
        "1h",
        &["k"],
        "SELECT 1 / (count(*) - 2) AS k FROM events",
    );
    let works = windowed("works", "1h", "1h", &["n"], "SELECT count(*) AS n FROM events");
    let outcome = WORLD.hunt_both_ways(&[fails, works.clone()], between(9, 12)).unwrap();
    assert!(
        outcome.errors[0]
            .as_deref()
            .is_some_and(|error| error.contains("division by zero")),
        "{:?}",
        outcome.errors
    );
    assert_eq!(outcome.alerts, WORLD.hunt(&[works], between(9, 12), false).alerts);
    assert_eq!(outcome.alerts.len(), 4);
}
