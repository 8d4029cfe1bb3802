//! Events that meet what is found at ticks, in windows that overlap so much that they look for
//! their partners in time.

use super::*;

/// Mails and files of ann an edge of a window apart, two of them at once; some of nobody; ben
/// without a partner; and the same of eve at the end of everything.
static MEETINGS: LazyLock<World> = LazyLock::new(|| {
    let event = |time, id, action, user| audit(time, id, action, user, None);
    World::of(&[
        vec![
            event("10:00:00", "m1", "Mail", Some("ann")),
            event("10:00:01", "m2", "Mail", Some("ann")),
            event("10:30:00", "f1", "File", Some("ann")),
            event("10:30:00", "m0", "Mail", None),
            event("10:40:00", "m5", "Mail", Some("ben")),
            event("11:20:00", "m3", "Mail", Some("ann")),
            event("11:20:01", "m4", "Mail", Some("ann")),
            event("14:20:01", "m7", "Mail", Some("eve")),
            event("14:31:00", "f5", "File", Some("eve")),
        ],
        vec![
            event("10:30:00", "f2", "File", Some("ann")),
            event("10:30:00", "f0", "File", None),
            event("10:35:00", "f3", "File", Some("ann")),
            event("14:20:00", "m6", "Mail", Some("eve")),
            event("14:30:00", "f4", "File", Some("eve")),
        ],
    ])
});

/// Mails with the number of files of the same user.
const WITH_FILES: &str = "SELECT m.event.id AS id, f.n AS n FROM events AS m \
    JOIN (SELECT user.id AS who, count(*) AS n FROM events WHERE event.action = 'File' GROUP BY user.id) AS f \
    ON m.user_id = f.who WHERE m.event.action = 'Mail'";

fn met(interval: &str, lookback: &str, key: &str, range: Range, sql: &str) -> Vec<String> {
    rows(&hunted_in(&MEETINGS, interval, lookback, &[key], range, sql))
}

fn from_to(from: (i64, i64), to: Option<(i64, i64)>) -> Range {
    Range {
        from: Some(clock(from.0, from.1)),
        to: to.map(|to| clock(to.0, to.1)),
        per_window: true,
    }
}

#[test]
fn a_window_begins_after_its_first_moment_and_ends_with_its_tick() {
    // The mail at 10:00:00 is not in the window of 11:00, the files of 10:30 are in that of
    // 10:30 and not in that of 11:30, and the mail a second after 11:20 not in that of 11:20.
    assert_eq!(
        met("10m", "1h", "id", between(9, 13), WITH_FILES),
        [
            "10:30 m1 2",
            "10:30 m2 2",
            "10:40 m1 3",
            "10:40 m2 3",
            "10:50 m1 3",
            "10:50 m2 3",
            "11:00 m2 3",
            "11:20 m3 3",
            "11:30 m3 1",
            "11:30 m4 1"
        ]
    );
}

#[test]
fn windows_that_are_no_multiple_of_the_interval_have_edges_between_ticks() {
    // The file of 10:35 leaves exactly with the window of 11:40.
    assert_eq!(
        met("10m", "65m", "id", between(9, 13), WITH_FILES),
        [
            "10:30 m1 2",
            "10:30 m2 2",
            "10:40 m1 3",
            "10:40 m2 3",
            "10:50 m1 3",
            "10:50 m2 3",
            "11:00 m1 3",
            "11:00 m2 3",
            "11:20 m3 3",
            "11:30 m3 3",
            "11:30 m4 3"
        ]
    );
}

#[test]
fn windows_with_gaps_between_them_let_nobody_meet_across_a_gap() {
    assert_eq!(met("15m", "10m", "id", between(9, 16), WITH_FILES), ["14:30 m7 1"]);
    assert_eq!(met("1h", "40m", "id", between(9, 16), WITH_FILES), ["15:00 m7 2"]);
}

#[test]
fn events_meet_in_windows_that_began_before_the_range() {
    let range = from_to((10, 45), Some((11, 35)));
    assert_eq!(
        met("10m", "1h", "id", range, WITH_FILES),
        [
            "10:50 m1 3",
            "10:50 m2 3",
            "11:00 m2 3",
            "11:20 m3 3",
            "11:30 m3 1",
            "11:30 m4 1"
        ]
    );
    assert_eq!(met("10m", "1h", "id", between(4, 6), WITH_FILES), [""; 0]);
}

#[test]
fn events_meet_in_windows_that_end_after_the_last_event() {
    let range = from_to((14, 45), None);
    assert_eq!(
        met("10m", "1h", "id", range, WITH_FILES),
        [
            "14:50 m6 2",
            "14:50 m7 2",
            "15:00 m6 2",
            "15:00 m7 2",
            "15:10 m6 2",
            "15:10 m7 2",
            "15:20 m7 2"
        ]
    );
}

#[test]
fn an_event_with_several_partners_is_found_once_by_in_and_exists() {
    let mails = "SELECT m.user.id AS who, count(*) AS n FROM events AS m";
    let found = [
        "10:30 ann 2",
        "10:40 ann 2",
        "10:50 ann 2",
        "11:00 ann 1",
        "11:20 ann 1",
        "11:30 ann 2",
    ];
    for condition in [
        "m.user.id IN (SELECT f.user.id FROM events AS f WHERE f.event.action = 'File')",
        "m.user.id IN (SELECT f.user.id FROM events AS f WHERE f.event.action = 'File' GROUP BY f.user.id)",
        "EXISTS (SELECT 1 FROM events AS f WHERE f.event.action = 'File' AND f.user_id = m.user_id)",
    ] {
        let sql = format!("{mails} WHERE m.event.action = 'Mail' AND {condition} GROUP BY m.user.id");
        assert_eq!(met("10m", "1h", "who", between(9, 13), &sql), found, "{condition}");
    }
    let sql = format!(
        "{mails} JOIN (SELECT DISTINCT user.id AS who FROM events WHERE event.action = 'File') AS f \
         ON m.user_id = f.who WHERE m.event.action = 'Mail' GROUP BY m.user.id"
    );
    assert_eq!(met("10m", "1h", "who", between(9, 13), &sql), found);
    // A join has each as often as it has partners.
    let sql = format!(
        "{mails} JOIN events AS f ON m.user_id = f.user_id AND f.event.action = 'File' \
         WHERE m.event.action = 'Mail' GROUP BY m.user.id"
    );
    assert_eq!(
        met("10m", "1h", "who", between(9, 13), &sql),
        [
            "10:30 ann 4",
            "10:40 ann 6",
            "10:50 ann 6",
            "11:00 ann 3",
            "11:20 ann 3",
            "11:30 ann 2"
        ]
    );
}

#[test]
fn nobody_meets_nobody_unless_nulls_are_equal() {
    let sql = "SELECT m.event.id AS id FROM events AS m WHERE m.event.action = 'Mail' AND m.user.id IS NULL \
               AND m.user.id IN (SELECT f.user.id FROM events AS f)";
    assert_eq!(met("10m", "1h", "id", between(9, 13), sql), [""; 0]);
    // Rows of an INTERSECT are equal as those of a GROUP BY are.
    let sql = "SELECT d.who AS who, count(*) AS n FROM (\
                   SELECT user.id AS who FROM events WHERE event.action = 'Mail' \
                   INTERSECT ALL SELECT user.id FROM events WHERE event.action = 'File' AND user.id IS NULL) AS d \
               GROUP BY d.who";
    assert_eq!(
        met("10m", "1h", "who", between(9, 13), sql),
        [
            "10:30 null 1",
            "10:40 null 1",
            "10:50 null 1",
            "11:00 null 1",
            "11:10 null 1",
            "11:20 null 1"
        ]
    );
}

#[test]
fn partners_in_time_must_also_meet_the_other_conditions() {
    let sql = "SELECT m.event.id AS id, f.n AS n FROM events AS m JOIN (\
                   SELECT user.id AS who, max(timestamp) AS last, count(*) AS n FROM events \
                   WHERE event.action = 'File' GROUP BY user.id) AS f \
               ON m.user_id = f.who AND m.timestamp < f.last WHERE m.event.action = 'Mail'";
    assert_eq!(
        met("10m", "1h", "id", between(9, 13), sql),
        [
            "10:30 m1 2",
            "10:30 m2 2",
            "10:40 m1 3",
            "10:40 m2 3",
            "10:50 m1 3",
            "10:50 m2 3",
            "11:00 m2 3"
        ]
    );
    let sql = "SELECT m.event.id AS id FROM events AS m WHERE m.event.action = 'Mail' AND EXISTS (\
                   SELECT 1 FROM events AS f WHERE f.event.action = 'File' AND f.user_id = m.user_id \
                   AND f.timestamp > m.timestamp)";
    assert_eq!(
        met("10m", "1h", "id", between(9, 13), sql),
        [
            "10:30 m1", "10:30 m2", "10:40 m1", "10:40 m2", "10:50 m1", "10:50 m2", "11:00 m2"
        ]
    );
}

#[test]
fn events_meet_the_one_row_of_their_window_without_a_key() {
    let sql = "SELECT m.event.id AS id, f.n AS n FROM events AS m \
               CROSS JOIN (SELECT count(*) AS n FROM events WHERE event.action = 'File') AS f \
               WHERE m.event.action = 'Mail' AND m.user.id = 'ann'";
    assert_eq!(
        met("10m", "1h", "id", from_to((10, 45), Some((11, 45))), sql),
        [
            "10:50 m1 4",
            "10:50 m2 4",
            "11:00 m2 4",
            "11:20 m3 4",
            "11:30 m3 1",
            "11:30 m4 1",
            "11:40 m3 0",
            "11:40 m4 0"
        ]
    );
}
