//! What a hunt would read, before it reads anything but the metadata of files.

use super::HuntRequest;
use super::explain::Shown;
use crate::detections::{Detection, Kind};
use crate::engine::{Engine, ScanBytes, ToRead};
use crate::error::Result;
use serde::Serialize;

/// Microseconds.
const DAY: i64 = 86_400_000_000;

/// What a hunt with one detection would read.
#[derive(Debug, Serialize)]
pub struct Expected {
    /// Id of the detection.
    pub detection: String,
    /// Its shape.
    #[serde(serialize_with = "super::kind_name")]
    pub kind: Kind,
    /// At most: what is read only for what was found before, such as the rows of new terms, counts
    /// as if everything was.
    #[serde(flatten)]
    pub to_read: ToRead,
    /// Why it cannot be planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What a hunt would read.
#[derive(Debug, Serialize)]
pub struct HuntToRead {
    /// One per detection, each as if it ran alone.
    pub detections: Vec<Expected>,
    /// All of them together: what several read is read once.
    pub together: ToRead,
    /// Files of the lake that have events.
    pub files_of: u64,
    /// Days of the range that have events.
    pub days: u64,
}

/// Plans detections as a hunt with this request would, and says what they would read.
pub async fn to_read(engine: &Engine, detections: &[&Detection], request: HuntRequest) -> HuntToRead {
    let (mut common, mut more) = (ScanBytes::default(), ToRead::default());
    let mut expected = Vec::with_capacity(detections.len());
    for detection in detections {
        let mut one = Expected {
            detection: detection.id().to_owned(),
            kind: detection.kind(),
            to_read: ToRead::default(),
            error: None,
        };
        match Scans::of(engine, detection, request).await {
            // Tick by tick, a file is read as often as ticks see it.
            Ok(scans) if scans.times != 1 => {
                one.to_read = scans.once().times(scans.times);
                more += one.to_read;
            }
            Ok(scans) => {
                one.to_read = scans.once();
                more += scans.again;
                common.add(scans.first);
            }
            Err(error) => one.error = Some(error.to_string()),
        }
        expected.push(one);
    }
    let mut together = common.sum();
    together += more;
    HuntToRead {
        detections: expected,
        together,
        files_of: engine.event_files().len() as u64,
        days: days(engine, request),
    }
}

/// What a detection reads.
#[derive(Default)]
struct Scans {
    /// By the plan that reads most, which others may share.
    first: ScanBytes,
    /// By the plans before and after it, of the same files.
    again: ToRead,
    /// How often.
    times: u64,
}

impl Scans {
    async fn of(engine: &Engine, detection: &Detection, request: HuntRequest) -> Result<Self> {
        if engine.extent().is_none() {
            return Ok(Self::default());
        }
        let shown = Shown::of(engine, detection, request).await?;
        let mut scans = Self {
            times: shown.times(),
            ..Self::default()
        };
        let physical = shown.session.physical(&shown.plan).await?;
        scans.first = engine.scan_bytes(physical.as_ref()).await?;
        let questions = shown.questions.iter().map(|question| &question.plan);
        for plan in questions.chain(&shown.afterwards) {
            let physical = shown.session.physical(plan).await?;
            let of_plan = engine.scan_bytes(physical.as_ref()).await?.sum();
            scans.again += ToRead {
                files: 0,
                row_groups: 0,
                row_groups_of: 0,
                ..of_plan
            };
        }
        Ok(scans)
    }

    fn once(&self) -> ToRead {
        let mut sum = self.first.sum();
        sum += self.again;
        sum
    }
}

/// Days of the range that the lake has events of.
fn days(engine: &Engine, request: HuntRequest) -> u64 {
    let Some(extent) = engine.extent() else { return 0 };
    let from = request.from.unwrap_or(extent.first).max(extent.first);
    let to = request.to.unwrap_or(i64::MAX).min(extent.last.saturating_add(1));
    if from >= to {
        return 0;
    }
    u64::try_from((to - 1).div_euclid(DAY) - from.div_euclid(DAY) + 1).unwrap_or_default()
}
