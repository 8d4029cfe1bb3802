//! Windows that have enough of something, or nearly: those that cannot pass their HAVING are
//! not built, and none of the others may miss an event.

use super::*;

/// Three of ann over three windows; of ben never three at once, as two leave when the third
/// comes; of eve two in one pane and one that comes just before they leave; four of nobody; and two of dan.
static TALLIES: LazyLock<World> = LazyLock::new(|| {
    World::of(&[
        vec![
            audit("10:00:00", "a1", "Mail", Some("ann"), Some(1)),
            audit("10:20:00", "a3", "Mail", Some("ann"), Some(2)),
            audit("10:00:00", "b1", "Mail", Some("ben"), Some(1)),
            audit("10:30:00", "b3", "File", Some("ben"), Some(1)),
            audit("10:00:01", "v1", "Mail", Some("eve"), None),
            audit("10:30:00", "v3", "Mail", Some("eve"), None),
            audit("11:00:00", "n1", "Mail", None, Some(1)),
            audit("11:10:00", "n4", "File", None, None),
            audit("12:00:00", "d1", "Mail", Some("dan"), None),
        ],
        vec![
            audit("10:10:00", "a2", "File", Some("ann"), None),
            audit("10:00:00", "b2", "Mail", Some("ben"), Some(1)),
            audit("10:00:02", "v2", "Mail", Some("eve"), None),
            audit("11:00:00", "n2", "Mail", None, None),
            audit("11:00:00", "n3", "File", None, None),
            audit("12:10:00", "d2", "File", Some("dan"), None),
        ],
    ])
});

fn passed(key: &[&str], sql: &str) -> Vec<String> {
    rows(&hunted_in(&TALLIES, "10m", "30m", key, between(9, 13), sql))
}

/// Users whose events pass, with a number.
fn users(number: &str, having: &str) -> Vec<String> {
    let sql = format!("SELECT user.id AS who, {number} AS n FROM events GROUP BY user.id HAVING {having}");
    passed(&["who"], &sql)
}

const THREE_OR_MORE: [&str; 5] = [
    "10:20 ann 3",
    "10:30 eve 3",
    "11:00 null 3",
    "11:10 null 4",
    "11:20 null 4",
];

#[test]
fn windows_with_enough_events_pass_however_that_is_written() {
    for having in [
        "count(*) >= 3",
        "3 <= count(*)",
        "count(*) > 2",
        "2 < count(*)",
        "NOT count(*) < 3",
        "count(*) >= 3 AND count(*) > 1 AND 0 <= count(*)",
    ] {
        assert_eq!(users("count(*)", having), THREE_OR_MORE, "{having}");
    }
    let exactly = ["10:20 ann 3", "10:30 eve 3", "11:00 null 3"];
    for having in ["count(*) = 3", "3 = count(*)", "count(*) BETWEEN 3 AND 3"] {
        assert_eq!(users("count(*)", having), exactly, "{having}");
    }
    assert_eq!(users("count(*)", "count(*) >= 5"), [""; 0]);
}

#[test]
fn a_number_that_is_too_large_or_only_one_of_two_ways_in_keeps_no_window_out() {
    assert_eq!(
        users("count(*)", "count(*) < 2"),
        [
            "10:00 ann 1",
            "10:30 ben 1",
            "10:40 ann 1",
            "10:40 ben 1",
            "10:40 eve 1",
            "10:50 ben 1",
            "10:50 eve 1",
            "11:30 null 1",
            "12:00 dan 1",
            "12:30 dan 1"
        ]
    );
    assert_eq!(
        users("count(*)", "count(*) >= 3 OR min(event.action) = 'File'"),
        [
            "10:10 ann 2",
            "10:20 ann 3",
            "10:30 ann 2",
            "10:30 ben 1",
            "10:30 eve 3",
            "10:40 ben 1",
            "10:50 ben 1",
            "11:00 null 3",
            "11:10 null 4",
            "11:20 null 4",
            "11:30 null 1",
            "12:10 dan 2",
            "12:20 dan 2",
            "12:30 dan 1"
        ]
    );
}

#[test]
fn distinct_values_are_counted_once_per_window() {
    // Those of eve are the same one in two panes, and those of ben never in one window.
    let having = "count(DISTINCT event.action) = 2";
    assert_eq!(
        users("count(DISTINCT event.action)", having),
        [
            "10:10 ann 2",
            "10:20 ann 2",
            "10:30 ann 2",
            "11:00 null 2",
            "11:10 null 2",
            "11:20 null 2",
            "12:10 dan 2",
            "12:20 dan 2"
        ]
    );
    // Beside another count it is planned in another way.
    let with_all = [
        "10:10 ann 2",
        "10:20 ann 3",
        "10:30 ann 2",
        "11:00 null 3",
        "11:10 null 4",
        "11:20 null 4",
        "12:10 dan 2",
        "12:20 dan 2",
    ];
    assert_eq!(users("count(*)", having), with_all);
    assert_eq!(users("count(*)", "1 < count(DISTINCT event.action)"), with_all);
}

#[test]
fn only_what_is_there_and_asked_for_counts() {
    assert_eq!(
        users(
            "count(o365.audit.OperationCount)",
            "count(o365.audit.OperationCount) >= 2"
        ),
        ["10:00 ben 2", "10:10 ben 2", "10:20 ann 2", "10:20 ben 2"]
    );
    let files = "count(*) FILTER (WHERE event.action = 'File')";
    assert_eq!(users(files, &format!("{files} >= 2")), ["11:10 null 2", "11:20 null 2"]);
    // An average has two states, which come before that of the count.
    let sql = "SELECT user.id AS who, avg(o365.audit.OperationCount) AS mean, count(*) AS n FROM events \
               GROUP BY user.id HAVING count(*) >= 3";
    assert_eq!(
        passed(&["who"], sql),
        [
            "10:20 ann 1.5 3",
            "10:30 eve null 3",
            "11:00 null 1.0 3",
            "11:10 null 1.0 4",
            "11:20 null 1.0 4"
        ]
    );
}

#[test]
fn two_conditions_must_hold_in_the_same_window() {
    let both = ["10:20 ann 3", "11:00 null 3", "11:10 null 4", "11:20 null 4"];
    for having in [
        "count(*) >= 3 AND count(DISTINCT event.action) = 2",
        // Ben's mails are gone when his file comes.
        "count(*) FILTER (WHERE event.action = 'Mail') >= 2 AND count(*) FILTER (WHERE event.action = 'File') >= 1",
    ] {
        assert_eq!(users("count(*)", having), both, "{having}");
    }
    assert_eq!(
        users("count(*)", "count(*) >= 3 AND count(DISTINCT event.action) = 1"),
        ["10:30 eve 3"]
    );
}

#[test]
fn a_threshold_on_a_derived_table_is_of_the_windows_in_it() {
    let counts = "(SELECT user.id AS who, count(*) AS n FROM events GROUP BY user.id) AS d";
    let sql = format!("SELECT d.who AS who, d.n AS n FROM {counts} WHERE d.n >= 3");
    assert_eq!(passed(&["who"], &sql), THREE_OR_MORE);
    // How many users have so many events: a count of groups, none of which may be missing.
    let sql = format!("SELECT d.n AS n, count(*) AS users FROM {counts} GROUP BY d.n HAVING count(*) >= 2");
    assert_eq!(
        passed(&["n"], &sql),
        ["10:10 2 3", "10:20 2 2", "10:40 1 3", "10:50 1 2"]
    );
    // Windows in which nobody passes still have their one row.
    let sql = "SELECT sum(d.n) AS n FROM (SELECT count(*) AS n FROM events GROUP BY user.id HAVING count(*) >= 3) AS d";
    assert_eq!(
        rows(&hunted_in(&TALLIES, "10m", "30m", &["n"], between(10, 11), sql)),
        [
            "10:00 null",
            "10:10 null",
            "10:20 3",
            "10:30 3",
            "10:40 null",
            "10:50 null",
            "11:00 3"
        ]
    );
}

#[test]
fn groups_of_several_columns_are_kept_apart() {
    let sql = "SELECT user.id AS who, event.action AS what, count(*) AS n FROM events \
               GROUP BY user.id, event.action HAVING count(*) >= 2";
    assert_eq!(
        passed(&["who", "what"], sql),
        [
            "10:00 ben Mail 2",
            "10:10 ben Mail 2",
            "10:10 eve Mail 2",
            "10:20 ann Mail 2",
            "10:20 ben Mail 2",
            "10:20 eve Mail 2",
            "10:30 eve Mail 3",
            "11:00 null Mail 2",
            "11:10 null File 2",
            "11:10 null Mail 2",
            "11:20 null File 2",
            "11:20 null Mail 2"
        ]
    );
    let sql = "SELECT user.id AS who, event.action AS what, o365.audit.OperationCount AS size, count(*) AS n FROM events \
               GROUP BY user.id, event.action, o365.audit.OperationCount HAVING count(*) >= 2";
    assert_eq!(
        passed(&["who", "what", "size"], sql),
        [
            "10:00 ben Mail 1 2",
            "10:10 ben Mail 1 2",
            "10:10 eve Mail null 2",
            "10:20 ben Mail 1 2",
            "10:20 eve Mail null 2",
            "10:30 eve Mail null 3",
            "11:10 null File null 2",
            "11:20 null File null 2"
        ]
    );
}
