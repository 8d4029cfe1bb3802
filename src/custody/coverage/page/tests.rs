use super::super::WithoutHour;
use super::*;

/// Monday, 2026-03-02T00:00:00Z.
const MONDAY: i64 = 1_772_409_600_000_000;

fn log(name: &str, hours: &[(i64, u64)], to: i64) -> LogCoverage {
    LogCoverage {
        dataset: name.into(),
        organization: None,
        from: MONDAY + 8 * HOUR,
        to: MONDAY + to * HOUR,
        first: None,
        last: None,
        events: hours.iter().map(|(_, events)| events).sum(),
        duplicates: 0,
        rejected: 0,
        late: None,
        hours_expected: 0,
        hours: hours
            .iter()
            .map(|&(hour, events)| CoveredHour {
                hour: MONDAY + hour * HOUR,
                events,
                ..CoveredHour::default()
            })
            .collect(),
        gaps: Vec::new(),
    }
}

fn page_of(logs: Vec<LogCoverage>) -> String {
    let coverage = Coverage {
        from: None,
        to: None,
        gap_probability: 0.001,
        datasets: logs,
        without_hour: WithoutHour::default(),
        files: vec![FileProblem {
            file: "<img src=x onerror=alert(1)>".into(),
            problem: Some("\"><b>".into()),
            ..FileProblem::default()
        }],
    };
    page(&coverage, "/lake'<u>", 0)
}

#[test]
fn what_records_say_is_text() {
    let mut hostile = log("<script>alert(1)</script>", &[(9, 1)], 48);
    hostile.organization = Some("\"><svg onload=alert(1)>&".into());
    let html = page_of(vec![hostile]);
    for forbidden in ["<script", "<img", "<svg", "<b>", "<u>", "onload=alert(1)>&\""] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(html.contains("&quot;&gt;&lt;svg onload=alert(1)&gt;&amp;"));
    for outside in ["http://", "https://", "url(", "@import", "src="] {
        assert!(!html.replace("src=x", "").contains(outside), "{outside}");
    }
}

#[test]
fn each_hour_has_its_place() {
    let mut log = log("d", &[(9, 1), (10, 1000), (30, 30)], 49);
    log.gaps = vec![Gap {
        from: MONDAY + 25 * HOUR,
        to: MONDAY + 27 * HOUR,
        expected: 9,
    }];
    log.hours[2].duplicates = 2;
    log.hours[2].rejected = 1;
    let html = page_of(vec![log]);
    let rows: Vec<&str> = html
        .lines()
        .filter(|line| line.contains("<th>") && line.contains("2026-03-0"))
        .collect();
    let outside = "<td class=\"o\">".repeat(8);
    let empty = "<td>".repeat(13);
    assert_eq!(
        rows,
        [
            format!(
                "<tr class=\"m\"><th>Mon 2026-03-02{outside}<td><td class=\"c1\" title=\"09:00 1 event\">\
                 <td class=\"c9\" title=\"10:00 1,000 events\">{empty}</tr>"
            ),
            format!(
                "<tr><th>Tue 2026-03-03<td><td class=\"g\" title=\"01:00 gap\"><td class=\"g\" title=\"02:00 gap\">\
                 <td><td><td><td class=\"c5 x\" title=\"06:00 30 events, 2 repeats, 1 rejected\">{}</tr>",
                "<td>".repeat(17)
            ),
            format!("<tr><th>Wed 2026-03-04<td>{}</tr>", "<td class=\"o\">".repeat(23)),
        ]
    );
}

#[test]
fn years_of_nothing_are_one_line() {
    // One record with the clock of 36 years later.
    let html = page_of(vec![log("d", &[(9, 1), (13_000 * 24, 1)], 13_000 * 24 + 1)]);
    assert!(
        html.contains("2026-03-03 to 2061-10-03: 12,999 days without events</tr>"),
        "{html}"
    );
    assert!(html.len() < 20_000, "{}", html.len());
}

#[test]
fn half_a_year_fits_and_a_thousand_logs_are_not_all_drawn() {
    let hours: Vec<(i64, u64)> = (8..181 * 24).map(|hour| (hour, 1000 + hour as u64)).collect();
    let one = page_of(vec![log("d", &hours, 181 * 24)]);
    assert!(one.len() < 300_000, "{}", one.len());
    let many = page_of((0..100).map(|_| log("d", &hours, 181 * 24)).collect());
    assert!(many.contains("Not drawn") && many.len() < 15_000_000, "{}", many.len());
    assert_eq!(many.matches("<blockquote>").count(), 101, "but told");
}
