//! What a hunt would read, before it reads anything but the metadata of files.

use super::HuntRequest;
use super::explain::Shown;
use super::ticks::plan_of_one;
use super::together::at_once;
use crate::detections::{Detection, Kind};
use crate::engine::{Engine, ScanBytes, ToRead, scan_bytes};
use crate::error::Result;
use datafusion::physical_plan::ExecutionPlan;
use serde::Serialize;
use std::sync::Arc;

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
    /// Whether alerts that are open at its first tick are followed to their beginning, before the
    /// range: that is known only from what the first tick finds, and does not count.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub follows_back: bool,
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
pub async fn to_read(engine: &Engine, detections: &[&Detection], request: HuntRequest) -> Result<HuntToRead> {
    let mut together = ToRead::default();
    let mut common = ScanBytes::default();
    let mut expected = Vec::with_capacity(detections.len());
    for chunk in detections.chunks(at_once(engine)) {
        let mut shareable = Vec::new();
        for detection in chunk {
            let mut one = Expected::of(detection);
            match one.fill(engine, detection, request).await {
                Ok((plan, rest)) => {
                    shareable.extend(plan);
                    together += rest;
                }
                Err(error) => one.error = Some(error.to_string()),
            }
            expected.push(one);
        }
        common.add_all(match shareable.len() {
            // Alone it reads what it reads alone.
            1 => shareable.into_iter().map(|(_, bytes)| bytes).next().unwrap_or_default(),
            _ => scan_bytes(shareable.into_iter().map(|(plan, _)| plan).collect()).await?,
        });
    }
    together += common.sum();
    Ok(HuntToRead {
        detections: expected,
        together,
        files_of: engine.event_files().len() as u64,
        days: days(engine, request),
    })
}

impl Expected {
    fn of(detection: &Detection) -> Self {
        Self {
            detection: detection.id().to_owned(),
            kind: detection.kind(),
            to_read: ToRead::default(),
            follows_back: false,
            error: None,
        }
    }

    /// Gives the plan that reads what others may read at the same time, if there is one, with what
    /// it reads alone, and what is read besides.
    async fn fill(
        &mut self,
        engine: &Engine,
        detection: &Detection,
        request: HuntRequest,
    ) -> Result<(Option<(Arc<dyn ExecutionPlan>, ScanBytes)>, ToRead)> {
        if engine.extent().is_none() {
            return Ok(Default::default());
        }
        let shown = Shown::of(engine, detection, request).await?;
        let mut besides = ToRead::default();
        for plan in shown
            .questions
            .iter()
            .map(|question| &question.plan)
            .chain(&shown.afterwards)
        {
            let physical = shown.session.physical(plan).await?;
            besides += again(physical).await?;
        }
        if let Some(tick) = shown.open_at {
            let (session, planned) = plan_of_one(engine, detection, tick).await?;
            let physical = session.physical(&planned.plan).await?;
            besides += again(physical).await?;
            self.follows_back = true;
        }
        let physical = shown.session.physical(&shown.plan).await?;
        let alone = scan_bytes(vec![Arc::clone(&physical)]).await?;
        let times = shown.times();
        self.to_read = alone.sum().times(times);
        self.to_read += besides;
        // Tick by tick, a file is read as often as ticks see it, and for this detection alone.
        Ok(match times {
            1 => (Some((physical, alone)), besides),
            _ => (None, self.to_read),
        })
    }
}

/// What a plan reads of files that count already.
async fn again(plan: Arc<dyn ExecutionPlan>) -> Result<ToRead> {
    Ok(ToRead {
        files: 0,
        row_groups: 0,
        row_groups_of: 0,
        ..scan_bytes(vec![plan]).await?.sum()
    })
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
