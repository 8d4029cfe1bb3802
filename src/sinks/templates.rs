//! Alerts in the form that a chat or another program wants, by a template.

use super::fit::cut;
use super::within::said;
use crate::alerts::{Change, Revision};
use crate::config::format_instant;
use crate::detections::format_duration;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Templates that are part of the program: name, text, bytes of the longest message.
const BUILT_IN: [(&str, &str, usize); 2] = [
    // Slack refuses blocks of more than 13,200 characters together.
    ("slack", include_str!("../../templates/sinks/slack.json.j2"), 12_000),
    // Teams refuses messages of more than 28 KB.
    ("teams", include_str!("../../templates/sinks/teams.json.j2"), 28_000),
];

/// Characters of a value, and rows of values, which are tried in turn until a message fits.
const LIMITS: [(usize, usize); 6] = [(800, 40), (300, 40), (150, 30), (80, 20), (40, 10), (12, 5)];

/// What an alert may lack; a template finds `none` there.
const OPTIONAL: [&str; 6] = [
    "window_start",
    "window_end",
    "windows",
    "history_complete",
    "late_by",
    "suppressed_by",
];

/// A template, ready to use.
#[derive(Debug)]
pub(super) struct Template {
    environment: Environment<'static>,
    name: String,
    /// Bytes of the longest message, for a built-in one.
    most: Option<usize>,
}

/// A name and a value, both as text.
#[derive(Serialize)]
struct Row {
    name: String,
    value: String,
}

impl Template {
    /// A built-in template by its name, or that in a file.
    pub(super) fn load(name: &str) -> Result<Self, String> {
        if let Some((name, text, most)) = BUILT_IN.iter().find(|(built_in, ..)| *built_in == name) {
            return Self::parse(format!("{name}.json.j2"), (*text).to_owned(), Some(*most));
        }
        let text = std::fs::read_to_string(name).map_err(|error| {
            format!(
                "{name:?} is neither json, slack or teams nor a template that can be read: {}",
                said(&error)
            )
        })?;
        Self::parse(name.to_owned(), text, None)
    }

    fn parse(name: String, text: String, most: Option<usize>) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_filter("cut", |text: &str, most: usize| cut(&one_line(text), most));
        environment.add_filter("mrkdwn", |text: &str, most: usize| mrkdwn(text, most));
        environment
            .add_template_owned(name.clone(), text)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            environment,
            name,
            most,
        })
    }

    /// The message for a revision.
    pub(super) fn render(&self, revision: &Revision) -> Result<String, String> {
        let problem = |error: minijinja::Error| format!("the template {}: {error}", self.name);
        let template = self.environment.get_template(&self.name).map_err(problem)?;
        let mut context = context(revision)?;
        for (limit, rows) in LIMITS {
            context.insert("limit".into(), limit.into());
            context.insert("rows".into(), rows.into());
            let text = template.render(&context).map_err(problem)?;
            let Some(most) = self.most else { return Ok(text) };
            let message: Value = serde_json::from_str(&text)
                .map_err(|error| format!("the template {} gives no JSON: {error}", self.name))?;
            let message = message.to_string();
            if message.len() <= most {
                return Ok(message);
            }
        }
        Err(format!("the template {} gives more than the platform takes", self.name))
    }
}

/// What a template can name: the members of the alert's JSON, and what is made of them.
fn context(revision: &Revision) -> Result<Map<String, Value>, String> {
    let alert = serde_json::to_value(revision).map_err(|error| format!("cannot be written as JSON: {error}"))?;
    let Value::Object(mut context) = alert else {
        return Err("cannot be written as JSON".into());
    };
    for name in OPTIONAL {
        context.entry(name).or_insert(Value::Null);
    }
    let alert = &revision.alert;
    let columns = alert
        .fields
        .iter()
        .filter(|(name, value)| alert.key.get(*name) != Some(value));
    let title = if revision.title.is_empty() {
        &alert.detection
    } else {
        &revision.title
    };
    let heading = match revision.change {
        Change::New => title.clone(),
        Change::Grown => format!("Still going on: {title}"),
        Change::Revised => format!("Revised: {title}"),
        Change::Withdrawn => format!("Withdrawn: {title}"),
    };
    let footer = format!(
        "alert {} revision {}, recorded {}",
        alert.alert_id,
        revision.revision,
        format_instant(revision.recorded)
    );
    context.extend([
        ("summary".to_owned(), revision.summary().into()),
        ("heading".to_owned(), heading.into()),
        ("footer".to_owned(), footer.into()),
        ("facts".to_owned(), json!(facts(revision))),
        ("keys".to_owned(), json!(rows(alert.key.iter()))),
        ("columns".to_owned(), json!(rows(columns))),
    ]);
    Ok(context)
}

/// What is known of every alert, as people read it.
fn facts(revision: &Revision) -> Vec<Row> {
    let alert = &revision.alert;
    let window = match (alert.window_start, alert.window_end) {
        (Some(start), Some(end)) => Some(format!("{} to {}", format_instant(start), format_instant(end))),
        _ => None,
    };
    let late = revision.late_by.map(|seconds| {
        let late = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
        format_duration(late)
    });
    let attack = (!revision.attack.is_empty()).then(|| revision.attack.join(", "));
    let incomplete = (alert.history_complete == Some(false)).then(|| "incomplete".to_owned());
    let facts = [
        (
            "Severity",
            Some(format!("{}, risk {}", alert.severity, revision.risk_score)),
        ),
        ("Detection", Some(alert.detection.clone())),
        ("First event", Some(format_instant(alert.time))),
        ("Events", Some(alert.event_count.to_string())),
        ("Window", window),
        ("Windows", alert.windows.map(|windows| windows.to_string())),
        (
            "Change",
            Some(format!("{}, revision {}", revision.change.as_str(), revision.revision)),
        ),
        ("Late by", late),
        ("Suppressed by", revision.suppressed_by.clone()),
        ("History", incomplete),
        ("ATT&CK", attack),
    ];
    let facts = facts.into_iter().filter_map(|(name, value)| {
        Some(Row {
            name: name.into(),
            value: value?,
        })
    });
    facts.collect()
}

fn rows<'a>(members: impl Iterator<Item = (&'a String, &'a Value)>) -> Vec<Row> {
    let rows = members.map(|(name, value)| Row {
        name: name.clone(),
        value: match value {
            Value::String(text) => text.clone(),
            Value::Null => "-".into(),
            other => other.to_string(),
        },
    });
    rows.collect()
}

/// Without line ends, with which a value could look like another row.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect()
}

/// Text that Slack shows as it is, in at most so many characters: no mentions, no links.
pub(super) fn mrkdwn(text: &str, most: usize) -> String {
    let escape = |character: char| match character {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    };
    let mut escaped = String::new();
    let mut used = 0;
    // Where the text ends if it has to be cut.
    let mut end = 0;
    for character in one_line(text).chars() {
        let entity = escape(character);
        used += entity.map_or(character.len_utf16(), str::len);
        if used > most {
            escaped.truncate(end);
            escaped.push('…');
            return escaped;
        }
        match entity {
            Some(entity) => escaped.push_str(entity),
            None => escaped.push(character),
        }
        if used < most {
            end = escaped.len();
        }
    }
    escaped
}
