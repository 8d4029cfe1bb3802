//! From what was typed, written and set to what is run.

use crate::cli::args::lake_at;
use crate::detections::{self, Detection, Rhythm};
use crate::error::{Error, Result};
use crate::lake::Lake;
use crate::schedule::settings::{DetectionSettings, ScheduleFlags, Settings};
use crate::schedule::{Plan, Planned};
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Where settings come from.
#[derive(Debug, Clone, Args)]
pub(super) struct PlanArgs {
    /// Settings: a TOML file; flags and RETROHUNT_SCHEDULE_* win over it
    #[arg(long, value_name = "PATH", env = "RETROHUNT_CONFIG")]
    config: Option<PathBuf>,

    #[command(flatten)]
    flags: ScheduleFlags,
}

impl PlanArgs {
    /// All settings.
    pub(super) fn settings(&self) -> Result<Settings> {
        // What is no text is no setting of ours.
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let now = chrono::Utc::now().timestamp_micros();
        Settings::read(self.config.as_deref(), &environment, &self.flags.given(), now)
    }
}

/// The lake of the settings.
pub(super) fn lake(settings: &Settings) -> Result<Lake> {
    lake_at(&settings.lake)
}

/// What the settings run.
pub(super) fn plan(settings: &Settings) -> Result<Plan> {
    let (known, faults) = detections::load_folder(settings.detections.as_deref())?;
    let named = |ids: &mut dyn Iterator<Item = &String>| -> Result<()> {
        let ids: Vec<String> = ids.cloned().collect();
        if ids.is_empty() {
            return Ok(());
        }
        detections::choose(known.clone(), &faults, &ids).map(drop)
    };
    // A name that is nowhere is a mistake, wherever it stands.
    named(&mut settings.except.iter())?;
    named(&mut settings.detection.keys())?;
    let mut chosen = detections::choose(known.clone(), &faults, &settings.only)?;
    if settings.only.is_empty() {
        let switched_on = known.into_iter().filter(|detection| {
            let of = settings.detection.get(detection.id());
            !detection.header.enabled && of.and_then(|of| of.enabled) == Some(true)
        });
        chosen.extend(switched_on);
    }
    chosen.retain(|detection| {
        let of = settings.detection.get(detection.id());
        let off = settings.only.is_empty() && of.and_then(|of| of.enabled) == Some(false);
        !off && !settings.except.iter().any(|id| id == detection.id())
    });
    if chosen.is_empty() {
        return Err(Error::Setting {
            setting: "detections".into(),
            problem: "none is left to run; see `retrohunt detections list`, and only, except and enabled".into(),
        });
    }
    Ok(Plan {
        detections: chosen
            .into_iter()
            .map(|detection| {
                let of = settings.detection.get(detection.id()).cloned().unwrap_or_default();
                planned(detection, &of, settings)
            })
            .collect(),
        start: settings.start,
        newest_first: settings.newest_first,
        concurrency: settings.concurrency,
        attempts: settings.attempts,
        retry_after: settings.retry_after,
        lease: settings.lease,
        once: false,
        until: None,
    })
}

fn planned(mut detection: Detection, of: &DetectionSettings, settings: &Settings) -> Planned {
    if let Some(interval) = of.interval {
        detection.header.rhythm = Rhythm::every(interval);
    }
    Planned {
        delay: of.delay.unwrap_or(detection.header.delay),
        timeout: of.timeout.unwrap_or(settings.timeout),
        detection: Arc::new(detection),
    }
}
