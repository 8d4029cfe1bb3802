//! What a schedule is told: by a TOML file, by the environment, and by flags, which win over the
//! environment, which wins over the file.

mod file;
mod flags;
mod keys;
#[cfg(test)]
mod tests;

pub use flags::ScheduleFlags;
pub use keys::{KEYS, Key};

use crate::error::{Error, Result};
use keys::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Variables of the environment that begin so are settings.
const PREFIX: &str = "RETROHUNT_SCHEDULE_";

/// Variables that every command knows, and their keys.
const COMMON: [(&str, &str); 2] = [("RETROHUNT_LAKE", "lake"), ("RETROHUNT_DETECTIONS", "detections")];

/// From where on events count, for a detection that has not run yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// From the lake's first event on.
    All,
    /// From the first start of the schedule on.
    Now,
    /// From this time on, microseconds since the Unix epoch.
    At(i64),
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// Settings of one detection, which win over its header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DetectionSettings {
    /// Whether it runs.
    pub enabled: Option<bool>,
    /// How often.
    pub interval: Option<Duration>,
    /// How long after a tick it is first evaluated.
    pub delay: Option<Duration>,
    /// How long one evaluation may take.
    pub timeout: Option<Duration>,
}

/// All settings of a schedule, checked.
#[derive(Clone, PartialEq)]
pub struct Settings {
    /// Path or URL of the lake.
    pub lake: String,
    /// A folder with detections beside the built-in ones.
    pub detections: Option<PathBuf>,
    /// From where on events count, for a detection that has not run yet.
    pub start: Start,
    /// Ids of the detections that run; all that are enabled when empty.
    pub only: Vec<String>,
    /// Ids of detections that do not run.
    pub except: Vec<String>,
    /// Of missed ticks the latest come first.
    pub newest_first: bool,
    /// Detections that are evaluated at once.
    pub concurrency: usize,
    /// How long one evaluation may take.
    pub timeout: Duration,
    /// How often an evaluation is tried before it becomes a gap.
    pub attempts: u32,
    /// How long after a failure it is tried again.
    pub retry_after: Duration,
    /// How long after its last sign of life a scheduler is taken for dead.
    pub lease: Duration,
    /// Where health and metrics are served; nowhere when absent.
    pub listen: Option<SocketAddr>,
    /// How the log is written.
    pub log_format: LogFormat,
    /// The least that is logged: error, warn, info, debug or trace.
    pub log_level: String,
    /// By id.
    pub detection: BTreeMap<String, DetectionSettings>,
    /// By name, as written. May hold secrets.
    pub sinks: BTreeMap<String, toml::Value>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lake: "./lake".into(),
            detections: None,
            start: Start::All,
            only: Vec::new(),
            except: Vec::new(),
            newest_first: false,
            concurrency: 8,
            timeout: Duration::from_secs(600),
            attempts: 3,
            retry_after: Duration::from_secs(30),
            lease: Duration::from_secs(60),
            listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 9464))),
            log_format: LogFormat::Text,
            log_level: "info".into(),
            detection: BTreeMap::new(),
            sinks: BTreeMap::new(),
        }
    }
}

impl fmt::Debug for Settings {
    /// Of sinks the names alone: their settings may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("lake", &self.lake)
            .field("detections", &self.detections)
            .field("start", &self.start)
            .field("only", &self.only)
            .field("except", &self.except)
            .field("newest_first", &self.newest_first)
            .field("concurrency", &self.concurrency)
            .field("timeout", &self.timeout)
            .field("attempts", &self.attempts)
            .field("retry_after", &self.retry_after)
            .field("lease", &self.lease)
            .field("listen", &self.listen)
            .field("log_format", &self.log_format)
            .field("log_level", &self.log_level)
            .field("detection", &self.detection)
            .field("sinks", &self.sinks.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// A setting that makes no sense, and where it stands.
#[derive(Debug)]
struct Fault {
    place: String,
    problem: String,
}

impl Settings {
    /// Reads the settings of a file, if one is given, of these variables of the environment, and
    /// of flags (key and text). `now` is what times that are so long ago count from, microseconds
    /// since the Unix epoch.
    ///
    /// Fails with [`Error::File`] where the file cannot be read, and with [`Error::Setting`],
    /// which names all that is wrong, each with its place.
    pub fn read(
        file: Option<&Path>,
        environment: &BTreeMap<String, String>,
        flags: &[(&str, String)],
        now: i64,
    ) -> Result<Self> {
        let mut settings = Self::default();
        let mut faults = Vec::new();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(|source| Error::File {
                path: path.to_owned(),
                source,
            })?;
            settings.take_file(&path.display().to_string(), &text, now, &mut faults);
        }
        settings.take_environment(environment, now, &mut faults);
        for (key, text) in flags {
            let place = format!("--{}", key.replace(['_', '.'], "-"));
            let value = Value::Text(text.clone());
            if let Err(problem) = settings.set(key, &value, now) {
                faults.push(Fault { place, problem });
            }
        }
        settings.check_together(&mut faults);
        no_fault(faults)?;
        Ok(settings)
    }

    fn take_environment(&mut self, environment: &BTreeMap<String, String>, now: i64, faults: &mut Vec<Fault>) {
        let filled = |name: &str| environment.get(name).filter(|text| !text.is_empty());
        for (name, key) in COMMON {
            if let Some(text) = filled(name) {
                self.take_variable(name, key, text, now, faults);
            }
        }
        for (name, text) in environment.iter().filter(|(_, text)| !text.is_empty()) {
            let Some(of_key) = name.strip_prefix(PREFIX) else {
                continue;
            };
            match KEYS.iter().find(|key| key.variable() == of_key) {
                Some(key) => self.take_variable(name, key.name, text, now, faults),
                None => {
                    let known: Vec<String> = KEYS.iter().map(Key::variable).collect();
                    let meant = keys::nearest(of_key, known.iter().map(String::as_str));
                    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {PREFIX}{meant}?"));
                    faults.push(Fault {
                        place: name.clone(),
                        problem: format!("is no setting of the schedule{meant}"),
                    });
                }
            }
        }
    }

    fn take_variable(&mut self, name: &str, key: &str, text: &str, now: i64, faults: &mut Vec<Fault>) {
        if let Err(problem) = self.set(key, &Value::Text(text.to_owned()), now) {
            let place = name.to_owned();
            faults.push(Fault { place, problem });
        }
    }

    fn set(&mut self, name: &str, value: &Value, now: i64) -> Result<(), String> {
        match KEYS.iter().find(|key| key.name == name) {
            Some(key) => (key.set)(self, value, now),
            None => Err(format!("there is no setting `{name}`")),
        }
    }

    /// What no setting alone can be wrong in.
    fn check_together(&self, faults: &mut Vec<Fault>) {
        for id in self.only.iter().filter(|id| self.except.contains(id)) {
            faults.push(Fault {
                place: "except".into(),
                problem: format!("{id} is in `only` as well; take it out of one of them"),
            });
        }
    }
}

fn no_fault(faults: Vec<Fault>) -> Result<()> {
    let mut faults = faults.into_iter();
    let Some(first) = faults.next() else { return Ok(()) };
    let others = faults.map(|fault| format!("\n{}: {}", fault.place, fault.problem));
    Err(Error::Setting {
        setting: first.place,
        problem: first.problem + &others.collect::<String>(),
    })
}
