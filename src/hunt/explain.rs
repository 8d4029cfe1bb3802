//! How a hunt would evaluate a detection: plans it and runs nothing.

use super::ticks::{self, PlannedTicks};
use super::{HuntRequest, Range, event, new_terms};
use crate::config::format_instant;
use crate::detections::{Detection, Kind, format_duration};
use crate::engine::{Engine, Lifted, Question, ScanPlan, Session, Ticks, aggregates_per_pane};
use crate::error::Result;
use crate::report::human::counted;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::displayable;
use serde::Serialize;

/// What a hunt would do for a detection.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// Id of the detection.
    pub detection: String,
    /// Its shape.
    #[serde(serialize_with = "super::kind_name")]
    pub kind: Kind,
    /// How it is evaluated, in words; absent where it cannot be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<String>,
    /// Ticks of the range, for a windowed detection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticks: Option<u64>,
    /// Windows that an event is in, at most; for what one pass answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_copies: Option<u64>,
    /// Whether aggregates combine panes into windows; for what one pass answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_pane: Option<bool>,
    /// Fields read from the record's text, which is slow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub raw_fields: Vec<String>,
    /// What is read before, to learn which groups the HAVING can let pass. The plan that
    /// runs is narrower than the one shown where these are few.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asked_first: Vec<ScanPlan>,
    /// What is read of the lake's tables.
    pub scans: Vec<ScanPlan>,
    /// The logical plan, lifted where it can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logical_plan: Option<String>,
    /// The physical plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_plan: Option<String>,
    /// Why it cannot be planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A plan to show, and what it belongs to.
pub(super) struct Shown {
    pub(super) session: Session,
    pub(super) plan: LogicalPlan,
    evaluation: String,
    raw_fields: Vec<String>,
    ticks: Option<u64>,
    /// Of the lifted plan, if it is one.
    copies: Option<u64>,
    pub(super) questions: Vec<Question>,
    /// Of whose rows some are read afterwards, depending on what is found.
    pub(super) afterwards: Option<LogicalPlan>,
    /// The first tick, where alerts may be open from before: that is looked at by itself.
    pub(super) open_at: Option<i64>,
}

impl Shown {
    /// How a hunt would evaluate a detection.
    pub(super) async fn of(engine: &Engine, detection: &Detection, request: HuntRequest) -> Result<Self> {
        // Without events, any range shows the plan.
        let (first, last) = engine.extent().map_or((0, 0), |extent| (extent.first, extent.last));
        let from = request.from.unwrap_or(request.to.map_or(first, |to| first.min(to)));
        let range = Range {
            from,
            to: request.to.unwrap_or(last.saturating_add(1).max(from)),
        };
        match detection.kind() {
            Kind::Event => one_scan(engine, detection, range).await,
            Kind::NewTerms => with_history(engine, detection, range).await,
            Kind::Windowed => ticks(engine, detection, request, range, last).await,
        }
    }

    /// How often the plan is run: the ticks, if it is that of one of them.
    pub(super) fn times(&self) -> u64 {
        match (self.copies, self.ticks) {
            (None, Some(ticks)) => ticks,
            _ => 1,
        }
    }
}

/// Plans detections as a hunt with this request would.
pub async fn explain(engine: &Engine, detections: &[&Detection], request: HuntRequest) -> Vec<Explanation> {
    let mut explanations = Vec::with_capacity(detections.len());
    for detection in detections {
        let mut explanation = Explanation::of(detection);
        if let Err(error) = explanation.fill(engine, detection, request).await {
            explanation.error = Some(error.to_string());
        }
        explanations.push(explanation);
    }
    explanations
}

impl Explanation {
    fn of(detection: &Detection) -> Self {
        Self {
            detection: detection.id().to_owned(),
            kind: detection.kind(),
            evaluation: None,
            ticks: None,
            window_copies: None,
            per_pane: None,
            raw_fields: Vec::new(),
            asked_first: Vec::new(),
            scans: Vec::new(),
            logical_plan: None,
            physical_plan: None,
            error: None,
        }
    }

    async fn fill(&mut self, engine: &Engine, detection: &Detection, request: HuntRequest) -> Result<()> {
        let shown = Shown::of(engine, detection, request).await?;
        let physical = shown.session.physical(&shown.plan).await?;
        let logical = shown.session.optimized(&shown.plan)?;
        for question in &shown.questions {
            let physical = shown.session.physical(&question.plan).await?;
            self.asked_first.extend(engine.scans(physical.as_ref()));
        }
        self.scans = engine.scans(physical.as_ref());
        // Where nothing is read, nothing is aggregated.
        let copies = shown.copies.filter(|_| !self.scans.is_empty());
        self.per_pane = copies.map(|_| aggregates_per_pane(physical.as_ref()));
        self.logical_plan = Some(logical.display_indent().to_string());
        self.physical_plan = Some(displayable(physical.as_ref()).indent(false).to_string());
        self.window_copies = shown.copies;
        self.ticks = shown.ticks;
        self.raw_fields = shown.raw_fields;
        self.evaluation = Some(shown.evaluation);
        Ok(())
    }
}

async fn one_scan(engine: &Engine, detection: &Detection, range: Range) -> Result<Shown> {
    let (session, planned) = event::plan(engine, detection, range).await?;
    Ok(Shown {
        session,
        plan: planned.plan,
        evaluation: "one scan".into(),
        raw_fields: planned.resolution.raw_fields,
        ticks: None,
        copies: None,
        questions: Vec::new(),
        afterwards: None,
        open_at: None,
    })
}

async fn with_history(engine: &Engine, detection: &Detection, range: Range) -> Result<Shown> {
    let (session, plan, exploded, raw_fields) = new_terms::first_pass(engine, detection, range).await?;
    let history = detection.reach().map(format_duration).unwrap_or_default();
    Ok(Shown {
        session,
        plan,
        evaluation: format!("one pass with {history} of history; then the rows of what was new are read"),
        raw_fields,
        ticks: None,
        copies: None,
        questions: Vec::new(),
        afterwards: Some(exploded),
        open_at: None,
    })
}

async fn ticks(
    engine: &Engine,
    detection: &Detection,
    request: HuntRequest,
    range: Range,
    last_event: i64,
) -> Result<Shown> {
    let wanted = ticks::ticks(detection, request, range);
    let count = ticks::count(detection, wanted);
    // A range without a tick has a plan too.
    let ticks = match count {
        0 => Ticks {
            last: wanted.first,
            ..wanted
        },
        _ => wanted,
    };
    let PlannedTicks {
        session,
        lifted,
        raw_fields,
        ..
    } = ticks::plan(engine, detection, ticks).await?;
    let counted_ticks = counted(count, "tick", "ticks");
    let looks_back = count > 0 && !request.per_window && ticks::seen_before(engine, detection, ticks, None).is_some();
    let open_at = looks_back.then_some(ticks.first);
    let reason = match lifted {
        Lifted::Plan { plan, questions } if !request.replay => {
            return Ok(Shown {
                session,
                plan: *plan,
                evaluation: format!("one pass over {counted_ticks}"),
                raw_fields,
                ticks: Some(count),
                copies: Some(ticks.copies()),
                questions,
                afterwards: None,
                open_at,
            });
        }
        Lifted::Refused(reason) if !request.replay => reason,
        _ => "--replay asks for it".into(),
    };
    let near_last_event = detection.header.rhythm.at_or_before(last_event);
    let tick = near_last_event.min(ticks.last).max(ticks.first);
    let (session, planned) = ticks::plan_of_one(engine, detection, tick).await?;
    Ok(Shown {
        session,
        plan: planned.plan,
        evaluation: format!(
            "tick by tick over {counted_ticks}, because: {reason}; the plan is that of the tick {}",
            format_instant(tick)
        ),
        raw_fields,
        ticks: Some(count),
        copies: None,
        questions: Vec::new(),
        afterwards: None,
        open_at,
    })
}
