//! `retrohunt alerts promote`

use crate::alerts::{Alert, Change, Origin, Revision, promote};
use crate::cli::args::{FolderArgs, LakeArgs};
use crate::cli::evidence::alert_file;
use crate::cli::{Outcome, output};
use crate::detections::Detection;
use crate::error::{Error, Result};
use crate::report::human::{count, counted};
use crate::report::printable;
use clap::{ArgGroup, Args};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Record what a hunt found in the lake, beside what a schedule finds
///
/// Alerts that are recorded already are left as they are: to promote a file twice, or one whose
/// alerts a schedule has found as well, records nothing twice.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true)))]
pub(crate) struct PromoteArgs {
    /// Files of alerts, as `hunt --format jsonl --output FILE` writes them; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Only this alert, by its id or how that begins; may be given several times
    #[arg(long, value_name = "ID", group = "which")]
    id: Vec<String>,

    /// All alerts of the files
    #[arg(long, group = "which")]
    all: bool,

    #[command(flatten)]
    folder: FolderArgs,

    #[command(flatten)]
    lake: LakeArgs,
}

pub(crate) async fn run(args: PromoteArgs) -> Result<Outcome> {
    let lake = args.lake.lake()?;
    let (known, faults) = args.folder.load()?;
    for fault in &faults {
        output::note(format_args!("not read: {}", fault.message));
    }
    let files = args.files.iter().map(alert_file).collect::<Result<Vec<_>>>()?;
    let ids = args.id;
    // Where waiting for standard input keeps nobody from ending it.
    let reading = tokio::task::spawn_blocking(move || {
        let (mut alerts, mut read) = (Vec::new(), 0);
        for file in files {
            read += file.each(|text| {
                let alert = Alert::from_json(text)?;
                if ids.is_empty() || ids.iter().any(|id| alert.alert_id.starts_with(id.as_str())) {
                    alerts.push(alert);
                }
                Ok(())
            })?;
        }
        checked(&ids, &alerts, read)?;
        Ok::<_, Error>(alerts)
    });
    let reading = reading.await;
    let alerts = reading.map_err(|error| Error::Internal(format!("reading alerts ended: {error}")))??;
    let recorded = chrono::Utc::now().timestamp_micros();
    let mut unknown = BTreeSet::new();
    let revisions = alerts.into_iter().map(|alert| {
        let detection = known.iter().find(|detection| detection.id() == alert.detection);
        if detection.is_none() {
            unknown.insert(alert.detection.clone());
        }
        revision(detection, alert, recorded)
    });
    let revisions: Vec<Revision> = revisions.collect();
    let promoted = promote(&lake, revisions).await?;
    for id in unknown {
        output::note(format_args!(
            "note: no detection is known as {}; its alerts have its id for a title and no risk score (--detections \
             DIR)",
            printable(&id)
        ));
    }
    output::data(&format!(
        "{} promoted, {} recorded already\n",
        counted(promoted.promoted, "alert", "alerts"),
        count(promoted.known)
    ))?;
    Ok(Outcome::Done)
}

/// Each id stands for one alert of the files.
fn checked(ids: &[String], alerts: &[Alert], read: u64) -> Result<()> {
    for id in ids {
        let found = alerts.iter().map(|alert| alert.alert_id.as_str());
        let found: BTreeSet<&str> = found.filter(|known| known.starts_with(id.as_str())).collect();
        let problem = match found.len() {
            1 => continue,
            0 => format!(
                "none of the {} in the files has this id",
                counted(read, "alert", "alerts")
            ),
            _ if found.contains(id.as_str()) => continue,
            number => format!(
                "the ids of {} begin so, among them {}; write more of it",
                counted(number as u64, "alert", "alerts"),
                found.into_iter().take(3).collect::<Vec<_>>().join(", ")
            ),
        };
        return Err(Error::Setting {
            setting: format!("--id {id}"),
            problem,
        });
    }
    Ok(())
}

fn revision(detection: Option<&Detection>, alert: Alert, recorded: i64) -> Revision {
    match detection {
        Some(detection) => Revision::first(detection, alert, recorded, Origin::Hunt),
        None => Revision {
            title: alert.detection.clone(),
            alert,
            risk_score: 0,
            attack: Vec::new(),
            revision: 1,
            change: Change::New,
            recorded,
            late_by: None,
            suppressed_by: None,
            origin: Origin::Hunt,
        },
    }
}
