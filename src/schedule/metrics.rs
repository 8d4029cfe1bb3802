//! What a schedule counts, in the text form that Prometheus and OpenMetrics read. Names and
//! labels are stable: dashboards and alarms are built on them.

use super::runs::{Run, RunEnd};
use crate::alerts::Change;
use crate::error::{Error, Result};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::AtomicU64;

/// What the text is, for the header `Content-Type`.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Bounds in seconds: a tick of a small lake takes milliseconds, a catch-up over months minutes.
const SECONDS: [f64; 13] = [
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0,
];

type FloatGauge = Gauge<f64, AtomicU64>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfDetection {
    detection: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfEvaluations {
    detection: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfAlerts {
    detection: String,
    change: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSink {
    sink: String,
}

#[derive(Debug, Clone, Copy)]
struct NewHistogram;

impl MetricConstructor<Histogram> for NewHistogram {
    fn new_metric(&self) -> Histogram {
        Histogram::new(SECONDS)
    }
}

/// The counters of one schedule. Whoever holds it counts; none of it can fail.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    ticks: Family<OfDetection, Counter>,
    evaluations: Family<OfEvaluations, Counter>,
    seconds: Family<OfDetection, Histogram, NewHistogram>,
    rows: Family<OfDetection, Counter>,
    bytes: Family<OfDetection, Counter>,
    requests: Family<OfDetection, Counter>,
    alerts: Family<OfAlerts, Counter>,
    suppressed: Family<OfDetection, Counter>,
    lag: Family<OfDetection, FloatGauge>,
    gaps: Family<OfDetection, Gauge>,
    arrived: Counter,
    delivered: Family<OfSink, Counter>,
    failures: Family<OfSink, Counter>,
    dead_letters: Family<OfSink, Counter>,
    lease: Gauge,
    last_commit: FloatGauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at nothing.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("retrohunt"),
            ticks: Family::default(),
            evaluations: Family::default(),
            seconds: Family::new_with_constructor(NewHistogram),
            rows: Family::default(),
            bytes: Family::default(),
            requests: Family::default(),
            alerts: Family::default(),
            suppressed: Family::default(),
            lag: Family::default(),
            gaps: Family::default(),
            arrived: Counter::default(),
            delivered: Family::default(),
            failures: Family::default(),
            dead_letters: Family::default(),
            lease: Gauge::default(),
            last_commit: FloatGauge::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Version of the program", build);
        let all = registry.sub_registry_with_prefix("schedule");
        all.register("ticks", "Ticks evaluated", self.ticks.clone());
        all.register(
            "evaluations",
            "Evaluations by how they ended: done, failed (and tried again), gap (given up)",
            self.evaluations.clone(),
        );
        all.register_with_unit(
            "evaluation",
            "Time that evaluations took",
            Unit::Seconds,
            self.seconds.clone(),
        );
        all.register("read_rows", "Rows that evaluations read", self.rows.clone());
        all.register_with_unit("read", "Bytes that evaluations read", Unit::Bytes, self.bytes.clone());
        all.register(
            "requests",
            "Requests of evaluations to the store",
            self.requests.clone(),
        );
        all.register(
            "alerts",
            "Revisions of alerts recorded: new, grown, revised, withdrawn",
            self.alerts.clone(),
        );
        all.register(
            "alerts_suppressed",
            "Alerts for which another one stands",
            self.suppressed.clone(),
        );
        all.register_with_unit(
            "lag",
            "Clock minus the last tick that was evaluated",
            Unit::Seconds,
            self.lag.clone(),
        );
        all.register("gaps_open", "Gaps that wait to be filled", self.gaps.clone());
        all.register("arrived_events", "Events that have arrived", self.arrived.clone());
        all.register("sink_delivered", "Alerts that sinks have taken", self.delivered.clone());
        all.register(
            "sink_failures",
            "Attempts to send alerts that failed",
            self.failures.clone(),
        );
        all.register(
            "sink_dead_letters",
            "Alerts that were given up and are in the table dead_letters",
            self.dead_letters.clone(),
        );
        all.register(
            "lease_held",
            "1 while this scheduler holds the lease",
            self.lease.clone(),
        );
        all.register_with_unit(
            "last_commit_timestamp",
            "Time of the last commit, since the Unix epoch",
            Unit::Seconds,
            self.last_commit.clone(),
        );
    }

    /// An evaluation of a detection has ended.
    pub fn evaluated(&self, run: &Run) {
        let of = OfDetection {
            detection: run.detection.clone(),
        };
        let ending = OfEvaluations {
            detection: run.detection.clone(),
            state: run.end.as_str(),
        };
        self.evaluations.get_or_create(&ending).inc();
        self.seconds.get_or_create(&of).observe(run.seconds);
        self.rows.get_or_create(&of).inc_by(run.read.rows_in);
        self.bytes
            .get_or_create(&of)
            .inc_by(run.read.bytes_read + run.state.bytes);
        self.requests
            .get_or_create(&of)
            .inc_by(run.requests + run.state.requests);
        if run.end == RunEnd::Done {
            self.ticks.get_or_create(&of).inc_by(run.ticks);
            self.suppressed(&run.detection, run.suppressed);
        }
    }

    /// So many revisions of alerts of a detection were recorded.
    pub fn recorded(&self, detection: &str, change: Change, revisions: u64) {
        let of = OfAlerts {
            detection: detection.to_owned(),
            change: change.as_str(),
        };
        self.alerts.get_or_create(&of).inc_by(revisions);
    }

    /// So many alerts of a detection were suppressed.
    pub fn suppressed(&self, detection: &str, alerts: u64) {
        let of = OfDetection {
            detection: detection.to_owned(),
        };
        self.suppressed.get_or_create(&of).inc_by(alerts);
    }

    /// How far a detection is behind, in seconds: the clock minus its last tick.
    pub fn lag(&self, detection: &str, seconds: f64) {
        let of = OfDetection {
            detection: detection.to_owned(),
        };
        self.lag.get_or_create(&of).set(seconds);
    }

    /// How many gaps of a detection are open.
    pub fn gaps(&self, detection: &str, open: u64) {
        let of = OfDetection {
            detection: detection.to_owned(),
        };
        let open = i64::try_from(open).unwrap_or(i64::MAX);
        self.gaps.get_or_create(&of).set(open);
    }

    /// A detection does not run any more: its lag and gaps say nothing.
    pub fn forget(&self, detection: &str) {
        let of = OfDetection {
            detection: detection.to_owned(),
        };
        self.lag.remove(&of);
        self.gaps.remove(&of);
    }

    /// So many events have arrived.
    pub fn arrived(&self, events: u64) {
        self.arrived.inc_by(events);
    }

    /// What became of alerts that were sent to a sink: taken, attempts that failed, given up.
    pub fn sent(&self, sink: &str, delivered: u64, failures: u64, dead_letters: u64) {
        let of = OfSink { sink: sink.to_owned() };
        self.delivered.get_or_create(&of).inc_by(delivered);
        self.failures.get_or_create(&of).inc_by(failures);
        self.dead_letters.get_or_create(&of).inc_by(dead_letters);
    }

    /// Whether this scheduler holds the lease.
    pub fn lease(&self, held: bool) {
        self.lease.set(held.into());
    }

    /// There was a commit, at this time in microseconds since the Unix epoch.
    pub fn committed(&self, micros: i64) {
        self.last_commit.set(micros as f64 / 1e6);
    }

    /// All of it as text, of the type [`CONTENT_TYPE`].
    pub fn text(&self) -> Result<String> {
        let mut text = String::new();
        encode(&mut text, &self.registry).map_err(|error| Error::Internal(format!("metrics: {error}")))?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_all() {
        let metrics = Metrics::new();
        let mut run = Run {
            seconds: 0.2,
            ticks: 3,
            requests: 2,
            ..Run::of("d", "event")
        };
        run.read.rows_in = 1000;
        run.read.bytes_read = 4096;
        metrics.evaluated(&run);
        run.end = RunEnd::Failed;
        metrics.evaluated(&run);
        let gap = Run {
            end: RunEnd::Gap,
            ..Run::of("d", "event")
        };
        metrics.evaluated(&gap);
        metrics.recorded("d", Change::New, 2);
        metrics.recorded("d", Change::Withdrawn, 1);
        metrics.suppressed("d", 4);
        metrics.lag("d", 61.5);
        metrics.gaps("d", 1);
        metrics.arrived(12);
        metrics.sent("a \"quoted\"\nsink", 2, 1, 0);
        metrics.lease(true);
        metrics.committed(1_772_323_200_500_000);
        insta::assert_snapshot!(in_order(&metrics.text().unwrap()));
    }

    /// The series of one metric come in any order.
    fn in_order(text: &str) -> String {
        let mut lines: Vec<&str> = text.lines().collect();
        let is_series = |line: &str| !line.starts_with('#') && !line.contains("le=");
        lines
            .chunk_by_mut(|a, b| is_series(a) && is_series(b))
            .for_each(<[&str]>::sort);
        lines.join("\n")
    }

    #[test]
    fn what_is_forgotten_is_not_told() {
        let metrics = Metrics::new();
        metrics.lag("d", 1.0);
        assert!(metrics.text().unwrap().contains("lag_seconds{detection=\"d\"} 1.0"));
        metrics.forget("d");
        assert!(!metrics.text().unwrap().contains("lag_seconds{"));
    }
}
