//! Settings in a TOML file. Everything that is wrong in it is said at once, with its line.

use super::keys::{KEYS, Value, nearest};
use super::{DetectionSettings, Fault, Settings};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Keys of a table `[detection.<id>]`.
const OF_DETECTION: [&str; 4] = ["enabled", "interval", "delay", "timeout"];

/// Tables that are not in [`KEYS`].
const TABLES: [&str; 2] = ["detection", "sinks"];

/// What is wrong in a file, with places in its text.
struct Faults<'a> {
    name: &'a str,
    text: &'a str,
    /// Each with its line.
    found: Vec<(usize, String)>,
}

impl Faults<'_> {
    fn add(&mut self, at: Range<usize>, problem: impl Into<String>) {
        let before = self.text.as_bytes().iter().take(at.start);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        self.found.push((line, problem.into()));
    }

    /// In the order of the file.
    fn finish(mut self) -> impl Iterator<Item = Fault> {
        self.found.sort();
        let name = self.name.to_owned();
        self.found.into_iter().map(move |(line, problem)| Fault {
            place: format!("{name}:{line}"),
            problem,
        })
    }

    fn unknown(&mut self, at: Range<usize>, key: &str, of: &str, known: &[&str]) {
        let advice = match nearest(key, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the keys are {}", known.join(", ")),
        };
        self.add(at, format!("there is no key `{key}`{of}; {advice}"));
    }
}

impl Settings {
    /// Takes what a file of this name says.
    pub(super) fn take_file(&mut self, name: &str, text: &str, now: i64, found: &mut Vec<Fault>) {
        let mut faults = Faults {
            name,
            text,
            found: Vec::new(),
        };
        self.take_text(text, now, &mut faults);
        found.extend(faults.finish());
    }

    fn take_text(&mut self, text: &str, now: i64, faults: &mut Faults<'_>) {
        let table = match DeTable::parse(text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                // Its message alone: the text that it draws may be a secret.
                return faults.add(error.span().unwrap_or(0..0), error.message().trim());
            }
        };
        for (key, value) in &table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("detection", DeValue::Table(detections)) => self.take_detections(detections, faults),
                ("sinks", DeValue::Table(sinks)) => self.take_sinks(text, sinks, faults),
                (table, _) if TABLES.contains(&table) => {
                    faults.add(key.span(), format!("`{table}` must be tables, such as [{table}.name]"));
                }
                (prefix, DeValue::Table(table)) if KEYS.iter().any(|key| is_in(key.name, prefix)) => {
                    for (key, value) in table {
                        self.take(&format!("{prefix}.{}", key.get_ref()), key, value, now, faults);
                    }
                }
                (name, _) => self.take(name, key, value, now, faults),
            }
        }
    }

    fn take(
        &mut self,
        name: &str,
        key: &Spanned<impl Sized>,
        value: &Spanned<DeValue<'_>>,
        now: i64,
        faults: &mut Faults<'_>,
    ) {
        if !KEYS.iter().any(|known| known.name == name) {
            let known: Vec<&str> = KEYS.iter().map(|key| key.name).chain(TABLES).collect();
            return faults.unknown(key.span(), name, "", &known);
        }
        let set = plain(value.get_ref()).and_then(|value| self.set(name, &value, now));
        if let Err(problem) = set {
            faults.add(value.span(), format!("`{name}`: {problem}"));
        }
    }

    fn take_detections(&mut self, detections: &DeTable<'_>, faults: &mut Faults<'_>) {
        for (id, table) in detections {
            let DeValue::Table(keys) = table.get_ref() else {
                faults.add(
                    id.span(),
                    format!("`detection.{0}` must be a table: [detection.{0}]", id.get_ref()),
                );
                continue;
            };
            let settings = self.detection.entry(id.get_ref().to_string()).or_default();
            for (key, value) in keys {
                let name = key.get_ref().as_ref();
                if !OF_DETECTION.contains(&name) {
                    faults.unknown(key.span(), name, " of a detection", &OF_DETECTION);
                    continue;
                }
                let set = plain(value.get_ref()).and_then(|value| settings.set(name, &value));
                if let Err(problem) = set {
                    faults.add(value.span(), format!("`detection.{}.{name}`: {problem}", id.get_ref()));
                }
            }
        }
    }

    /// As they are: sinks know their settings.
    fn take_sinks(&mut self, text: &str, written: &DeTable<'_>, faults: &mut Faults<'_>) {
        for (name, value) in written {
            if !value.get_ref().is_table() {
                faults.add(
                    name.span(),
                    format!("`sinks.{0}` must be a table: [sinks.{0}]", name.get_ref()),
                );
            }
        }
        // Parsed before, so that there is nothing to say here.
        let all: toml::Table = toml::from_str(text).unwrap_or_default();
        if let Some(toml::Value::Table(sinks)) = all.get("sinks") {
            self.sinks = sinks.clone().into_iter().collect();
        }
    }
}

impl DetectionSettings {
    fn set(&mut self, name: &str, value: &Value) -> Result<(), String> {
        match name {
            "enabled" => self.enabled = Some(value.boolean()?),
            "interval" => self.interval = Some(value.duration()?),
            "delay" => self.delay = Some(value.duration_or_none()?),
            _ => self.timeout = Some(value.duration()?),
        }
        Ok(())
    }
}

/// Whether a key is in a table of this name.
fn is_in(key: &str, table: &str) -> bool {
    key.split_once('.').is_some_and(|(of, _)| of == table)
}

fn plain(value: &DeValue<'_>) -> Result<Value, String> {
    Ok(match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Integer(number) => {
            let number = i64::from_str_radix(number.as_str(), number.radix());
            Value::Integer(number.map_err(|_| "is no number that can be")?)
        }
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(values) => {
            let texts = values.iter().map(|value| value.get_ref().as_str().map(str::to_owned));
            let texts: Option<Vec<String>> = texts.collect();
            Value::List(texts.ok_or("must be a list of texts")?)
        }
        DeValue::Float(_) | DeValue::Table(_) => {
            return Err("must be a text, a number, a list, or true or false".into());
        }
    })
}
