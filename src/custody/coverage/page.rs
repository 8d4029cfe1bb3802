//! A heat map for each log, as one HTML page that needs nothing else: no script, no font, no
//! picture. What records say is only ever text in it.

use super::words::{exceptions, looked_at, plain};
use super::{Coverage, CoveredHour, FileProblem, Gap, HOUR, LogCoverage};
use crate::config::format_instant;
use crate::report::human::{count, counted};
use chrono::{DateTime, Datelike as _, Utc};
use std::collections::HashMap;
use std::fmt::Write as _;

const CSS: &str = include_str!("page.css");

const DAY: i64 = 24 * HOUR;

/// Days that are drawn, of all logs. Each takes about a kilobyte.
const MOST_DAYS: usize = 8_000;

/// So many days in a row without anything are one line.
const LONG: usize = 8;

/// Colours.
const LEVELS: u64 = 9;

/// Gaps and files that are listed beside the map; the sentences have all gaps.
const LISTED: usize = 200;

/// The page. `lake` is where the lake is, and `written` when the page was, microseconds since
/// the Unix epoch.
pub fn page(coverage: &Coverage, lake: &str, written: i64) -> String {
    let mut html = String::new();
    head(&mut html, coverage, lake, written);
    overview(&mut html, &coverage.datasets);
    legend(&mut html);
    let mut room = MOST_DAYS;
    for (number, log) in coverage.datasets.iter().enumerate() {
        section(&mut html, number, log, &mut room);
    }
    files(&mut html, coverage);
    html.push_str("</body></html>\n");
    html
}

fn head(html: &mut String, coverage: &Coverage, lake: &str, written: i64) {
    let range = match (coverage.from, coverage.to) {
        (Some(from), Some(to)) => format!("{} to {}", format_instant(from), format_instant(to)),
        _ => "nothing".to_owned(),
    };
    let second = written - written.rem_euclid(1_000_000);
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Coverage of {lake}</title>\n<style>\n{CSS}</style></head>\n<body>\n\
         <h1>What was looked at</h1>\n\
         <p>{range}</p>\n\
         <p class=\"dim\">Lake {lake}, as of {}. All times are UTC. An hour without events is a gap where, by the log's own \
         history, an empty one has a probability below {}.</p>\n",
        format_instant(second),
        coverage.gap_probability,
        lake = escaped(lake),
    );
}

fn overview(html: &mut String, logs: &[LogCoverage]) {
    if logs.is_empty() {
        html.push_str("<p>There are no events in this range.</p>\n");
        return;
    }
    html.push_str(
        "<table class=\"list\"><thead><tr><th>dataset<th>organisation<th class=\"n\">events<th class=\"n\">repeats\
         <th class=\"n\">rejected<th class=\"n\">hours with events<th class=\"n\">gaps</tr></thead><tbody>\n",
    );
    for (number, log) in logs.iter().enumerate() {
        let (with, all) = log.hours_with_events();
        let bad = |number: u64| if number > 0 { " bad" } else { "" };
        let found = log.gaps.len() as u64;
        let gaps = match (found, log.hours_expected) {
            (0, 0) => "<span class=\"dim\">too few events</span>".to_owned(),
            _ => count(found),
        };
        let _ = writeln!(
            html,
            "<tr><td><a href=\"#log-{number}\">{}</a><td>{}<td class=\"n\">{}<td class=\"n\">{}<td class=\"n{}\">{}\
             <td class=\"n\">{} of {}<td class=\"n{}\">{gaps}</tr>",
            escaped(&log.dataset),
            organization(log),
            count(log.events),
            count(log.duplicates),
            bad(log.rejected),
            count(log.rejected),
            count(with),
            count(all),
            bad(found),
        );
    }
    html.push_str("</tbody></table>\n");
}

fn legend(html: &mut String) {
    html.push_str("<p class=\"legend\"><span>1 event");
    for level in 1..=LEVELS {
        let _ = write!(html, "<i class=\"c{level}\"></i>");
    }
    html.push_str(
        "most of the log (logarithmic)</span><span><i></i>no events, none expected</span>\
         <span><i class=\"g\"></i>gap</span><span><i class=\"x\"></i>rejected records in or near the hour</span></p>\n",
    );
}

fn section(html: &mut String, number: usize, log: &LogCoverage, room: &mut usize) {
    let _ = write!(
        html,
        "<section id=\"log-{number}\"><h2>{} <span class=\"dim\">{}</span></h2>\n<p>",
        escaped(&log.dataset),
        organization(log)
    );
    if let (Some(first), Some(last)) = (log.first, log.last) {
        let (first, last) = (format_instant(first), format_instant(last));
        let _ = write!(html, "First event {first}, last event {last}. ");
    }
    if let Some(late) = &log.late {
        let [median, p95, max] = [late.median_seconds, late.p95_seconds, late.max_seconds].map(super::how_long);
        let _ = write!(
            html,
            "Events were ingested {median} after they happened in the median, 95&nbsp;% within {p95}, all within {max}. "
        );
    }
    let days = Days::of(log);
    let _ = writeln!(
        html,
        "At most {} in an hour.</p>",
        counted(days.most, "event", "events")
    );
    gaps(html, &log.gaps);
    let drawn = days.drawn();
    if drawn > *room {
        html.push_str(
            "<p class=\"dim\">Not drawn, as the page would be too long: name a range, or this dataset and organisation.</p>\n",
        );
    } else {
        *room -= drawn;
        days.draw(html);
    }
    let _ = writeln!(html, "<blockquote>{}</blockquote></section>", escaped(&looked_at(log)));
}

fn gaps(html: &mut String, gaps: &[Gap]) {
    if gaps.is_empty() {
        return;
    }
    html.push_str("<ul>\n");
    for gap in gaps.iter().take(LISTED) {
        let _ = writeln!(
            html,
            "<li><span class=\"bad\">Gap</span> {} to {}: {}, about {} expected",
            format_instant(gap.from),
            format_instant(gap.to),
            counted(((gap.to - gap.from) / HOUR) as u64, "hour", "hours"),
            counted(gap.expected, "event", "events")
        );
    }
    if gaps.len() > LISTED {
        let _ = writeln!(html, "<li>and {} more", count((gaps.len() - LISTED) as u64));
    }
    html.push_str("</ul>\n");
}

/// The hours of a log by day.
struct Days<'a> {
    log: &'a LogCoverage,
    /// By the begin of the day.
    hours: HashMap<i64, Vec<&'a CoveredHour>>,
    most: u64,
}

/// A row of the map.
enum Row {
    Day(i64),
    /// From a day on, so many without anything.
    Nothing(i64, usize),
}

impl<'a> Days<'a> {
    fn of(log: &'a LogCoverage) -> Self {
        let mut hours: HashMap<i64, Vec<&CoveredHour>> = HashMap::new();
        for hour in &log.hours {
            hours.entry(day(hour.hour)).or_default().push(hour);
        }
        let most = log.hours.iter().map(|hour| hour.events).max().unwrap_or_default();
        Self { log, hours, most }
    }

    fn drawn(&self) -> usize {
        self.rows().len()
    }

    fn rows(&self) -> Vec<Row> {
        let mut busy: Vec<i64> = self.hours.keys().copied().collect();
        busy.sort_unstable();
        let mut rows = Vec::new();
        let mut next = day(self.log.from);
        for stop in busy.into_iter().chain([day(self.log.to - HOUR) + DAY]) {
            let nothing = usize::try_from((stop - next) / DAY).unwrap_or_default();
            match nothing < LONG {
                true => rows.extend((next..stop).step_by(DAY as usize).map(Row::Day)),
                false => rows.push(Row::Nothing(next, nothing)),
            }
            rows.push(Row::Day(stop));
            next = stop + DAY;
        }
        // The day after the range.
        rows.pop();
        rows
    }

    fn draw(&self, html: &mut String) {
        html.push_str("<table class=\"heat\"><thead><tr><th>");
        for hour in 0..24 {
            let _ = write!(html, "<th>{hour:02}");
        }
        html.push_str("</tr></thead><tbody>\n");
        for row in self.rows() {
            match row {
                Row::Day(day) => self.day(html, day),
                Row::Nothing(from, days) => self.nothing(html, from, days),
            }
        }
        html.push_str("</tbody></table>\n");
    }

    fn day(&self, html: &mut String, day: i64) {
        let date = date(day);
        let weekday = date.map_or(0, |date| date.weekday().num_days_from_monday());
        let class = match weekday {
            0 => " class=\"m\"",
            5 | 6 => " class=\"w\"",
            _ => "",
        };
        let name = date.map(|date| date.format("%a %Y-%m-%d").to_string());
        let _ = write!(html, "<tr{class}><th>{}", name.unwrap_or_default());
        let known = self.hours.get(&day).map(Vec::as_slice).unwrap_or_default();
        for number in 0..24 {
            let hour = day + number * HOUR;
            match known.iter().find(|known| known.hour == hour) {
                Some(known) => self.hour(html, number, known),
                None if !(self.log.from..self.log.to).contains(&hour) => html.push_str("<td class=\"o\">"),
                None if self.is_gap(hour) => {
                    let _ = write!(html, "<td class=\"g\" title=\"{number:02}:00 gap\">");
                }
                None => html.push_str("<td>"),
            }
        }
        html.push_str("</tr>\n");
    }

    fn hour(&self, html: &mut String, number: i64, hour: &CoveredHour) {
        let level = match hour.events {
            0 if self.is_gap(hour.hour) => "g".to_owned(),
            0 => String::new(),
            events => format!("c{}", level(events, self.most)),
        };
        let mark = if hour.rejected > 0 { " x" } else { "" };
        let mut title = format!("{number:02}:00 {}", counted(hour.events, "event", "events"));
        if level == "g" {
            title.push_str(", gap");
        }
        if hour.duplicates > 0 {
            let _ = write!(title, ", {}", counted(hour.duplicates, "repeat", "repeats"));
        }
        if hour.rejected > 0 {
            let _ = write!(title, ", {} rejected", count(hour.rejected));
        }
        let _ = write!(html, "<td class=\"{level}{mark}\" title=\"{title}\">");
    }

    fn nothing(&self, html: &mut String, from: i64, days: usize) {
        let to = from + days as i64 * DAY;
        let name = |day: i64| {
            date(day)
                .map(|date| date.format("%Y-%m-%d").to_string())
                .unwrap_or_default()
        };
        let is_gap = self.log.gaps.iter().any(|gap| gap.from < to && from < gap.to);
        let gap = if is_gap { ", <span class=\"bad\">gap</span>" } else { "" };
        let _ = writeln!(
            html,
            "<tr class=\"s\"><th><td colspan=\"24\">{} to {}: {} days without events{gap}</tr>",
            name(from),
            name(to - DAY),
            count(days as u64)
        );
    }

    fn is_gap(&self, hour: i64) -> bool {
        let after = self.log.gaps.partition_point(|gap| gap.from <= hour);
        after > 0 && hour < self.log.gaps[after - 1].to
    }
}

/// 1 for one event, the highest level for the most.
fn level(events: u64, most: u64) -> u64 {
    if most <= 1 {
        return LEVELS / 2 + 1;
    }
    let share = (events as f64).ln() / (most as f64).ln();
    1 + ((LEVELS - 1) as f64 * share).round() as u64
}

fn day(micros: i64) -> i64 {
    micros - micros.rem_euclid(DAY)
}

fn date(micros: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros)
}

fn files(html: &mut String, coverage: &Coverage) {
    let sentences = exceptions(coverage);
    if coverage.files.is_empty() && sentences.is_empty() {
        return;
    }
    html.push_str("<section><h2>Files that were not taken in as a whole</h2>\n");
    if !coverage.files.is_empty() {
        html.push_str(
            "<table class=\"list\"><thead><tr><th>file<th>what is wrong<th class=\"n\">rejected records\
             <th>in or near the hour of</tr></thead><tbody>\n",
        );
        coverage
            .files
            .iter()
            .take(LISTED)
            .for_each(|problem| file(html, problem));
        html.push_str("</tbody></table>\n");
    }
    if coverage.files.len() > LISTED {
        let more = count((coverage.files.len() - LISTED) as u64);
        let _ = writeln!(html, "<p>and {more} more</p>");
    }
    if !sentences.is_empty() {
        let sentences: Vec<String> = sentences.iter().map(|sentence| escaped(sentence)).collect();
        let _ = writeln!(html, "<blockquote>{}</blockquote>", sentences.join("<br>\n"));
    }
    html.push_str("</section>\n");
}

fn file(html: &mut String, file: &FileProblem) {
    let problem = match (&file.problem, file.finished) {
        (Some(problem), _) => escaped(problem),
        (None, false) => "not ingested to its end".to_owned(),
        (None, true) => String::new(),
    };
    let near = file.near.iter().take(LISTED / 10).map(|near| {
        let log = match &near.organization {
            Some(organization) => format!("{} of {}", near.dataset, organization),
            None => near.dataset.clone(),
        };
        format!(
            "{} ({}, {})",
            format_instant(near.hour),
            escaped(&log),
            count(near.rejected)
        )
    });
    let mut near: Vec<String> = near.collect();
    if file.near.len() > near.len() {
        near.push(format!("and {} more", count((file.near.len() - near.len()) as u64)));
    }
    let _ = writeln!(
        html,
        "<tr><td>{}<br><small>{}</small><td class=\"{}\">{problem}<td class=\"n\">{}<td>{}</tr>",
        escaped(&file.file),
        escaped(&file.sha256),
        if problem.is_empty() { "" } else { "bad" },
        count(file.rejected),
        near.join("<br>")
    );
}

fn organization(log: &LogCoverage) -> String {
    let named = log.organization.as_deref().map(escaped);
    named.unwrap_or_else(|| "no named organisation".to_owned())
}

/// Text that is only text, in an element or in a quoted attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
