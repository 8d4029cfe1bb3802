//! A plan as one HTML page that needs nothing else: no script, no font, no picture of others.

use super::shown::{Section, money, size};
use super::{HuntTime, Plan};
use crate::error::Result;
use crate::report::human::{count, seconds};
use crate::report::plot::{self, Axis, Series, escaped};
use std::fmt::Write as _;

/// The style sheet.
pub(crate) const CSS: &str = include_str!("page.css");

/// Hunts that are drawn: the slowest.
const DRAWN: usize = 4;

impl Plan {
    /// The page. `written` is when, as text.
    pub fn page(&self, written: &str) -> Result<String> {
        let mut html = String::new();
        self.head(&mut html, written);
        for section in self.sections() {
            table(&mut html, &section);
            match section.title.as_str() {
                title if title.starts_with("By month") => html.push_str(&self.storage()?),
                title if title.starts_with("Hunts over") => html.push_str(&self.seconds()?),
                title if title.starts_with("Cost of") => html.push_str(&self.costs_plot()?),
                _ => {}
            }
        }
        let refused = self.not_measured.iter();
        let refused: Vec<String> = refused.map(|one| format!("{}: {}", one.part, one.reason)).collect();
        list(&mut html, "Not said, as it was not measured", &refused);
        list(&mut html, "To be taken with care", &self.doubts);
        list(&mut html, "Assumptions", &self.assumptions);
        html.push_str("</body></html>\n");
        Ok(html)
    }

    fn head(&self, html: &mut String, written: &str) {
        let _ = write!(
            html,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>Capacity plan</title>\n<style>\n{CSS}{}</style></head>\n<body>\n<h1>Capacity plan</h1>\n<p>{}</p>\n",
            plot::STYLE,
            escaped(&self.headline())
        );
        let _ = write!(html, "<p class=\"dim\">Written {}. ", escaped(written));
        if let Some(measured) = &self.measured {
            let machine = &measured.machine;
            let _ = write!(
                html,
                "Measured on {}, {} cores, {}, {}, with retrohunt {} on {}, up to {} events on the store {}.",
                escaped(&machine.cpu),
                machine.cores,
                size(machine.memory_bytes as f64),
                escaped(&machine.os),
                escaped(&machine.retrohunt),
                escaped(&machine.date),
                count(measured.largest_events),
                escaped(&measured.store)
            );
        }
        html.push_str("</p>\n");
    }

    fn storage(&self) -> Result<String> {
        let months = self.months.iter().filter_map(|month| {
            let stored = month.stored_bytes?;
            Some((f64::from(month.month), stored))
        });
        let months: Vec<_> = months.collect();
        if months.is_empty() {
            return Ok(String::new());
        }
        let series = Series {
            name: "storage".into(),
            line: months.iter().map(|(month, stored)| (*month, stored.value)).collect(),
            band: months
                .iter()
                .map(|(month, stored)| (*month, stored.low, stored.high))
                .collect(),
            points: months.iter().map(|(month, stored)| (*month, stored.value)).collect(),
        };
        let month = Axis {
            label: "month",
            format: |month| {
                if month.fract() == 0.0 {
                    format!("{month:.0}")
                } else {
                    String::new()
                }
            },
            is_logarithmic: false,
        };
        plot::curves("Storage by month", month, axis("", size), &[series])
    }

    /// The slowest hunts, with what was measured.
    fn seconds(&self) -> Result<String> {
        let mut hunts: Vec<&HuntTime> = self.hunts.iter().collect();
        hunts.sort_by(|a, b| b.seconds.value.total_cmp(&a.seconds.value));
        let series = hunts.iter().take(DRAWN).map(|hunt| Series {
            name: hunt.work.to_string(),
            line: hunt
                .curve
                .iter()
                .map(|(events, seconds)| (*events, seconds.value))
                .collect(),
            band: hunt
                .curve
                .iter()
                .map(|(events, seconds)| (*events, seconds.low, seconds.high))
                .collect(),
            points: hunt.points.clone(),
        });
        let series: Vec<Series> = series.collect();
        let threads = hunts.first().map_or(1, |hunt| hunt.points_threads);
        let title = format!(
            "Seconds by events: the slowest hunts with {} cores and their intervals; points were measured with {threads}",
            self.scenario.cores
        );
        let is_far = series
            .iter()
            .all(|one| one.line.first().is_some_and(|(events, _)| *events > 0.0));
        let [events, time] = [axis("events", millions), axis("", seconds)].map(|axis| Axis {
            is_logarithmic: is_far,
            ..axis
        });
        plot::curves(&title, events, time, &series)
    }

    fn costs_plot(&self) -> Result<String> {
        let Some(costs) = &self.costs else {
            return Ok(String::new());
        };
        let bars: Vec<(String, f64)> = costs.items.iter().map(|item| (item.item.clone(), item.cost)).collect();
        plot::bars(&format!("Cost of a month by item, in {}", costs.currency), money, &bars)
    }
}

fn axis(label: &str, format: fn(f64) -> String) -> Axis<'_> {
    Axis {
        label,
        format,
        is_logarithmic: false,
    }
}

/// `0`, `500 k`, `1.5 M`
pub(crate) fn millions(events: f64) -> String {
    let short = |number: f64, unit: &str| format!("{} {unit}", super::words::plain(number));
    match events {
        _ if events >= 1e9 => short(events / 1e9, "G"),
        _ if events >= 1e6 => short(events / 1e6, "M"),
        _ if events >= 1e3 => short(events / 1e3, "k"),
        _ => format!("{events:.0}"),
    }
}

/// A section with its table.
pub(crate) fn table(html: &mut String, section: &Section) {
    let _ = writeln!(html, "<section><h2>{}</h2>", escaped(&section.title));
    if !section.rows.is_empty() {
        html.push_str("<div class=\"wide\"><table class=\"list\">");
        if section.header.iter().any(|name| !name.is_empty()) {
            html.push_str("<thead><tr>");
            for (position, name) in section.header.iter().enumerate() {
                let _ = write!(html, "<th{}>{}", class(position, name), escaped(name));
            }
            html.push_str("</tr></thead>");
        }
        html.push_str("<tbody>\n");
        for row in &section.rows {
            html.push_str("<tr>");
            for (position, cell) in row.iter().enumerate() {
                let _ = write!(html, "<td{}>{}", class(position, cell), escaped(cell));
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody></table></div>\n");
    }
    for note in &section.notes {
        let _ = writeln!(html, "<p>{}</p>", escaped(note));
    }
    html.push_str("</section>\n");
}

/// Characters of a cell that stay in one line.
const LONG: usize = 26;

/// What a row is of stands left, its numbers right. What is long goes on in another line.
fn class(position: usize, cell: &str) -> &'static str {
    match position {
        0 => "",
        _ if cell.len() > LONG => " class=\"n w\"",
        _ => " class=\"n\"",
    }
}

/// A section of sentences; nothing where there are none.
pub(crate) fn list(html: &mut String, title: &str, sentences: &[String]) {
    if sentences.is_empty() {
        return;
    }
    let _ = writeln!(html, "<section><h2>{title}</h2>\n<ul>");
    for sentence in sentences {
        let _ = writeln!(html, "<li>{}", escaped(sentence));
    }
    html.push_str("</ul></section>\n");
}

#[cfg(test)]
mod tests {
    use crate::capacity::made::run;
    use crate::capacity::prices::{EXAMPLE, Prices};
    use crate::capacity::scenario::scenario;
    use crate::capacity::{Plan, Scenario};

    #[test]
    fn the_page_needs_nothing_else() {
        let mut run = run();
        run.machine.cpu = "<script>alert(1)</script>".into();
        let prices = Prices::read(EXAMPLE, "example").unwrap();
        let scenario = Scenario {
            answer_within_seconds: Some(60.0),
            ..scenario()
        };
        let plan = Plan::of(scenario, Some(&run), Some((&prices, None))).unwrap();
        let html = plan.page("2026-11-22").unwrap();
        assert!(!html.contains("<script") && html.contains("&lt;script&gt;"));
        for absent in ["http://", "https://", "src=", "url(", "NaN", "inf"] {
            let html = html.replace("http://www.w3.org/2000/svg", "");
            assert!(!html.contains(absent), "{absent}");
        }
        assert_eq!(html.matches("<svg ").count(), 3);
        for part in [
            "Storage by month",
            "hunt_all",
            "Cost of a month",
            "made-up numbers",
            "Assumptions",
        ] {
            assert!(html.contains(part), "{part}");
        }
        // Four sizes with the threads of the machine, for four hunts; a dot a month.
        assert_eq!(html.matches("<circle").count(), 4 * 4 + 12);
    }
}
