//! Plots as SVG in a page: curves with bands and points, and bars. The page's style sheet
//! ([`STYLE`]) gives the colours, light or dark.

use crate::error::{Error, Result};
use plotters::coord::Shift;
use plotters::prelude::*;
use std::fmt::Write as _;

/// Colours of the plots, for the page's style sheet.
pub const STYLE: &str = include_str!("plot.css");

/// Pixels of a plot, which the page scales to its width.
const WIDTH: u32 = 760;
const HEIGHT: u32 = 300;
/// Pixels of a bar with its gap.
const BAR: i32 = 30;

/// Stand-ins for colours of the style sheet, which plotters does not know.
const TEXT: RGBColor = RGBColor(1, 1, 1);
const GRID: RGBColor = RGBColor(2, 2, 2);
/// Series: the style sheet has so many.
const SERIES: usize = 6;

fn series_color(number: usize) -> RGBColor {
    RGBColor(3, 3, (number % SERIES) as u8)
}

/// What an axis shows.
#[derive(Debug, Clone, Copy)]
pub struct Axis<'a> {
    /// What it is.
    pub label: &'a str,
    /// A number as text.
    pub format: fn(f64) -> String,
    /// Whether equal distances are equal factors; numbers must be above zero then.
    pub is_logarithmic: bool,
}

/// A curve with what belongs to it; each part may be empty.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// A line.
    pub line: Vec<(f64, f64)>,
    /// An area: x, low and high.
    pub band: Vec<(f64, f64, f64)>,
    /// Marks.
    pub points: Vec<(f64, f64)>,
}

/// Curves over one pair of axes, as a figure with a legend.
pub fn curves(title: &str, x: Axis<'_>, y: Axis<'_>, series: &[Series]) -> Result<String> {
    let place = |axis: Axis<'_>, value: f64| if axis.is_logarithmic { value.log10() } else { value };
    let of = |(a, b): (f64, f64)| (place(x, a), place(y, b));
    let all = series.iter().flat_map(|one| {
        let band = one.band.iter().flat_map(|(a, low, high)| [(*a, *low), (*a, *high)]);
        one.line.iter().chain(&one.points).copied().chain(band).map(of)
    });
    let all: Vec<(f64, f64)> = all.filter(|(a, b)| a.is_finite() && b.is_finite()).collect();
    if all.is_empty() {
        return Ok(String::new());
    }
    let xs = span(all.iter().map(|(a, _)| *a), x.is_logarithmic);
    let ys = span(all.iter().map(|(_, b)| *b), y.is_logarithmic);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .margin_right(24)
            .x_label_area_size(44)
            .y_label_area_size(76)
            .build_cartesian_2d(xs.0..xs.1, ys.0..ys.1)
            .map_err(failed)?;
        let text =
            |axis: Axis<'_>, value: f64| (axis.format)(if axis.is_logarithmic { 10_f64.powf(value) } else { value });
        let font = || ("sans-serif", 15).into_font().color(&TEXT);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(GRID)
            .label_style(font())
            .x_labels(7)
            .y_labels(6)
            .x_label_formatter(&|value| text(x, *value))
            .y_label_formatter(&|value| text(y, *value))
            .x_desc(x.label)
            .y_desc(y.label)
            .axis_desc_style(font())
            .draw()
            .map_err(failed)?;
        for (number, one) in series.iter().enumerate() {
            let color = series_color(number);
            let low = one.band.iter().map(|(a, low, _)| of((*a, *low)));
            let high = one.band.iter().rev().map(|(a, _, high)| of((*a, *high)));
            let band: Vec<(f64, f64)> = low.chain(high).collect();
            if band.len() > 3 {
                let band = Polygon::new(band, color.mix(0.18));
                chart.draw_series([band]).map_err(failed)?;
            }
            let line = one.line.iter().copied().map(of);
            chart
                .draw_series(LineSeries::new(line, color.stroke_width(2)))
                .map_err(failed)?;
            let marks = one
                .points
                .iter()
                .map(|point| Circle::new(of(*point), 4, color.filled()));
            chart.draw_series(marks).map_err(failed)?;
        }
        area.present().map_err(failed)?;
    }
    Ok(figure(title, &svg, series))
}

/// Bars with their names and values, as a figure.
pub fn bars(title: &str, format: fn(f64) -> String, bars: &[(String, f64)]) -> Result<String> {
    let most = bars.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    if most <= 0.0 {
        return Ok(String::new());
    }
    let mut svg = String::new();
    {
        let height = BAR * bars.len() as i32 + 8;
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height as u32)).into_drawing_area();
        draw_bars(&area, format, bars, most).map_err(failed)?;
        area.present().map_err(failed)?;
    }
    Ok(figure(title, &svg, &[]))
}

fn draw_bars<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    format: fn(f64) -> String,
    bars: &[(String, f64)],
    most: f64,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    use plotters::style::text_anchor::{HPos, Pos, VPos};
    // About so wide is a letter.
    let letter = 7.5;
    let longest = bars
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or_default();
    let left = (longest as f64 * letter + 12.0).min(f64::from(WIDTH) * 0.45);
    let room = f64::from(WIDTH) - left - 110.0;
    let font = |at| {
        ("sans-serif", 16)
            .into_font()
            .color(&TEXT)
            .pos(Pos::new(at, VPos::Center))
    };
    for (number, (name, value)) in bars.iter().enumerate() {
        let top = 4 + BAR * number as i32;
        let (bottom, middle) = (top + BAR - 8, top + (BAR - 8) / 2);
        let right = left + room * (value / most).max(0.0);
        area.draw(&Text::new(name.clone(), (left as i32 - 8, middle), font(HPos::Right)))?;
        area.draw(&Rectangle::new(
            [(left as i32, top), (right.max(left + 1.0) as i32, bottom)],
            series_color(0).filled(),
        ))?;
        area.draw(&Text::new(format(*value), (right as i32 + 8, middle), font(HPos::Left)))?;
    }
    Ok(())
}

/// From the smallest to the largest, from zero where that is not far, with a little room.
fn span(values: impl Iterator<Item = f64>, is_logarithmic: bool) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let low = if is_logarithmic || low < 0.0 { low } else { 0.0 };
    let room = ((high - low) * 0.05).max(1e-12);
    (if is_logarithmic { low - room } else { low }, high + room)
}

/// With a title and a legend, in the colours of the style sheet.
fn figure(title: &str, svg: &str, series: &[Series]) -> String {
    let mut colored = svg
        .replace("#010101", "var(--plot-text)")
        .replace("#020202", "var(--plot-grid)");
    for number in 0..SERIES {
        let RGBColor(red, green, blue) = series_color(number);
        let stand_in = format!("#{red:02X}{green:02X}{blue:02X}");
        colored = colored.replace(&stand_in, &format!("var(--plot-{})", number + 1));
    }
    // The page says how wide; the plot keeps its proportions.
    let colored = colored.replacen("<svg ", "<svg role=\"img\" class=\"plot\" ", 1);
    let mut html = format!("<figure>\n<figcaption>{}</figcaption>\n", escaped(title));
    if series.len() > 1 {
        html.push_str("<p class=\"plot-legend\">");
        for (number, one) in series.iter().enumerate() {
            let _ = write!(
                html,
                "<span><i class=\"plot-{}\"></i>{}</span>",
                number % SERIES + 1,
                escaped(&one.name)
            );
        }
        html.push_str("</p>\n");
    }
    let _ = writeln!(html, "{}\n</figure>", colored.trim_end());
    html
}

/// Text that is only text, in an element or in a quoted attribute of a page.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

fn failed<E: std::error::Error + Send + Sync>(error: DrawingAreaErrorKind<E>) -> Error {
    Error::Internal(format!("cannot draw a plot: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: Axis<'_> = Axis {
        label: "events",
        format: |value| format!("{value:.0}"),
        is_logarithmic: false,
    };

    fn series(name: &str) -> Series {
        Series {
            name: name.into(),
            line: vec![(0.0, 1.0), (10.0, 5.0)],
            band: vec![(0.0, 0.5, 1.5), (10.0, 4.0, 6.0)],
            points: vec![(2.0, 2.0), (4.0, 3.0), (8.0, 4.0)],
        }
    }

    #[test]
    fn curves_have_what_they_are_of() {
        let html = curves("Seconds <by> events", X, X, &[series("a & b"), series("c")]).unwrap();
        for number in 1..=2 {
            let line = format!("stroke=\"var(--plot-{number})\" stroke-width=\"2\"");
            assert_eq!(html.matches(&line).count(), 1, "{html}");
        }
        assert_eq!(html.matches("<circle").count(), 6);
        assert_eq!(html.matches("<polygon").count(), 2);
        for part in [
            "Seconds &lt;by&gt; events",
            "a &amp; b",
            "var(--plot-1)",
            "var(--plot-2)",
            "\nevents\n",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains("#0"), "a stand-in is left: {html}");
    }

    #[test]
    fn the_style_sheet_has_every_colour() {
        for number in 1..=SERIES {
            assert!(STYLE.contains(&format!("--plot-{number}:")) && STYLE.contains(&format!(".plot-{number} ")));
        }
    }

    #[test]
    fn logarithmic_axes_leave_out_what_has_no_logarithm() {
        let axis = Axis {
            is_logarithmic: true,
            ..X
        };
        let html = curves("t", axis, axis, &[series("a")]).unwrap();
        assert!(!html.contains("NaN") && !html.contains("inf"));
    }

    #[test]
    fn bars_are_as_long_as_their_values() {
        let of = |value: f64| format!("{value:.1} EUR");
        let html = bars("Cost", of, &[("storage".into(), 10.0), ("GET <x>".into(), 5.0)]).unwrap();
        let widths: Vec<f64> = html
            .split("<rect")
            .skip(1)
            .filter_map(|rect| rect.split("width=\"").nth(1)?.split('"').next()?.parse().ok())
            .collect();
        assert_eq!(widths.len(), 2, "{html}");
        assert!((widths[0] / widths[1] - 2.0).abs() < 0.02, "{widths:?}");
        assert!(html.contains("10.0 EUR") && html.contains("GET &lt;x&gt;"));
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(curves("t", X, X, &[]).unwrap(), "");
        assert_eq!(bars("t", X.format, &[("a".into(), 0.0)]).unwrap(), "");
    }
}
