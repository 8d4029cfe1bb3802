//! A lake with detections of its own, and the program on it: run to its end, or left running.

use crate::sandbox::{Run, Sandbox};
use crate::stores::servers::Environment;
use chrono::{DateTime, Duration as Span, SecondsFormat, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// Nothing that is waited for takes longer, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Of an alert, what a hunt says as well.
const FIELDS: [&str; 12] = [
    "alert_id",
    "detection",
    "severity",
    "time",
    "key",
    "window_start",
    "window_end",
    "windows",
    "event_ids",
    "event_count",
    "history_complete",
    "fields",
];

/// A detection: id, the lines of its header beside those that all have, SQL.
pub(super) type Written = (&'static str, &'static str, &'static str);

/// A lake, detections and settings.
pub(super) struct Bench {
    pub(super) sandbox: Sandbox,
    environment: Environment,
    written: Vec<Written>,
    logs: std::cell::Cell<usize>,
}

/// A program that runs; it is killed when this is dropped.
pub(super) struct Running {
    child: Child,
    pub(super) name: String,
}

/// When all events of these tests begin: 2026-03-01.
pub(super) fn beginning() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-03-01T00:00:00Z").unwrap().to_utc()
}

/// So many minutes after the beginning.
pub(super) fn minute(number: i64) -> DateTime<Utc> {
    beginning() + Span::minutes(number)
}

pub(super) fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A record of the audit log.
pub(super) fn record(number: usize, time: DateTime<Utc>, action: &str, user: usize, address: usize) -> Value {
    json!({
        "CreationTime": written(time).trim_end_matches('Z'),
        "Id": format!("00000000-0000-0000-0000-{number:012}"),
        "Operation": action,
        "OrganizationId": "0f000000-0000-0000-0000-000000000000",
        "RecordType": 6,
        "UserType": 0,
        "Version": 1,
        "ResultStatus": "Succeeded",
        "Workload": "SharePoint",
        "UserId": format!("user{user}@contoso.example"),
        "ClientIP": format!("203.0.113.{address}"),
    })
}

/// Looks until something is there.
pub(super) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "in {PATIENCE:?} there was no {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Lines of JSON.
pub(super) fn parsed(text: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    text.lines().map(parse).collect()
}

/// What a hunt and a schedule must agree on, in an order.
pub(super) fn comparable(alerts: &[Value]) -> Vec<String> {
    let of = |alert: &Value| -> BTreeMap<&str, Value> { FIELDS.map(|name| (name, alert[name].clone())).into() };
    let mut all: Vec<String> = alerts.iter().map(|alert| json!(of(alert)).to_string()).collect();
    all.sort();
    all
}

impl Bench {
    /// In a folder, with a lake beside.
    pub(super) fn new(written: &[Written]) -> Self {
        Self::on("lake", Vec::new(), written)
    }

    /// On a lake somewhere else.
    pub(super) fn on(lake: &str, mut environment: Environment, written: &[Written]) -> Self {
        let sandbox = Sandbox::new();
        let ids: Vec<&str> = written.iter().map(|(id, ..)| *id).collect();
        environment.extend([
            ("RETROHUNT_LAKE", lake.to_owned()),
            ("RETROHUNT_SCHEDULE_DETECTIONS", "detections".to_owned()),
            ("RETROHUNT_SCHEDULE_ONLY", ids.join(",")),
            ("RETROHUNT_SCHEDULE_LISTEN", "off".to_owned()),
            ("RETROHUNT_SCHEDULE_LEASE", "1s".to_owned()),
            ("RETROHUNT_SCHEDULE_RETRY_AFTER", "1s".to_owned()),
        ]);
        let bench = Self {
            sandbox,
            environment,
            written: written.to_vec(),
            logs: std::cell::Cell::new(0),
        };
        for detection in written {
            bench.write(detection);
        }
        bench
    }

    /// Writes the file of a detection, also another one under the same id.
    pub(super) fn write(&self, (id, header, sql): &Written) {
        let text = format!(
            "/*---\nid = \"{id}\"\ntitle = \"Test {id}\"\nseverity = \"high\"\nrisk_score = 50\n{header}\n---*/\n{sql}\n"
        );
        self.sandbox.file(&format!("detections/{id}.sql"), text);
    }

    /// Sets a variable of the environment for all that is run from now on.
    pub(super) fn set(&mut self, name: &'static str, value: &str) {
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value.to_owned()));
    }

    /// Writes the file with the settings, which is found from now on.
    pub(super) fn settings(&mut self, text: &str) {
        let path = self.sandbox.file("retrohunt.toml", text);
        self.set("RETROHUNT_CONFIG", &path);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.sandbox.command(arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the program to its end.
    pub(super) fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().unwrap();
        Run::of(output, &self.sandbox.path(""))
    }

    /// Runs the program, which has to succeed, and gives what it printed.
    pub(super) fn ok(&self, arguments: &[&str]) -> String {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
        run.stdout
    }

    /// Starts the program; what it says is in two files that are named after this.
    pub(super) fn start(&self, name: &str, arguments: &[&str]) -> Running {
        let output = |of: &str| File::create(self.sandbox.path(&format!("{name}.{of}"))).unwrap();
        let mut command = self.command(arguments);
        command.stdout(output("out")).stderr(output("err"));
        Running {
            child: command.spawn().unwrap(),
            name: name.to_owned(),
        }
    }

    /// What a program that was started has said so far: on standard output and error.
    pub(super) fn said(&self, running: &Running) -> [String; 2] {
        ["out", "err"].map(|of| std::fs::read_to_string(self.sandbox.path(&format!("{}.{of}", running.name))).unwrap())
    }

    /// Starts to ingest records.
    pub(super) fn ingesting(&self, records: &[Value]) -> Running {
        let number = self.logs.replace(self.logs.get() + 1);
        let text: String = records.iter().map(|record| format!("{record}\n")).collect();
        let path = self.sandbox.file(&format!("log{number}.json"), text);
        self.start(&format!("ingest{number}"), &["ingest", &path])
    }

    /// Ingests records; none make an empty lake.
    pub(super) fn ingest(&self, records: &[Value]) {
        let mut running = self.ingesting(records);
        let status = running.end();
        assert!(matches!(status.code(), Some(0 | 3)), "{:?}", self.said(&running));
    }

    /// `schedule --once` with a clock that stands still.
    pub(super) fn once<'a>(&self, now: &'a str, more: &[&'a str]) -> Run {
        let arguments = [&["schedule", "--once", "--until", now], more].concat();
        self.run(&arguments)
    }

    /// [`Self::once`], as soon as nobody holds the lease. It has to succeed.
    pub(super) fn caught_up(&self, now: DateTime<Utc>, more: &[&str]) -> Run {
        let now = written(now);
        wait_for("free lease", || {
            let run = self.once(&now, more);
            assert_eq!(run.code, 0, "{run:?}");
            (!run.stderr.contains("runs the schedule of this lake")).then_some(run)
        })
    }

    /// Rows of a query.
    pub(super) fn rows(&self, query: &str) -> Vec<Value> {
        parsed(&self.ok(&["sql", query, "--format", "jsonl"]))
    }

    /// How the schedule is doing.
    pub(super) fn status(&self) -> Value {
        serde_json::from_str(&self.ok(&["schedule", "status", "--json"])).unwrap()
    }

    /// How one detection is doing.
    pub(super) fn status_of(&self, id: &str) -> Value {
        let status = self.status();
        let mut all = status["detections"].as_array().unwrap().iter();
        all.find(|of| of["detection"] == id).unwrap().clone()
    }

    /// All alerts as they are now, suppressed ones too.
    pub(super) fn alerts(&self) -> Vec<Value> {
        parsed(&self.ok(&["alerts", "list", "--suppressed", "--format", "jsonl"]))
    }

    /// [`Self::alerts`] of one detection.
    pub(super) fn alerts_of(&self, id: &str) -> Vec<Value> {
        let mut alerts = self.alerts();
        alerts.retain(|alert| alert["detection"] == id);
        alerts
    }

    /// What a hunt finds with these detections up to a time.
    pub(super) fn hunted(&self, ids: &[&str], to: DateTime<Utc>) -> Vec<Value> {
        let to = written(to);
        let options = [
            "--detections",
            "detections",
            "--suppressed",
            "--format",
            "jsonl",
            "--to",
            &to,
        ];
        parsed(&self.ok(&[&["hunt"], ids, &options].concat()))
    }

    /// That the alerts of every detection are those of a hunt that ends now, in each field, and
    /// gives how many there are.
    pub(super) fn assert_as_hunted(&self, now: DateTime<Utc>) -> usize {
        let counted = self.written.iter().map(|(id, header, _)| {
            let delay = if header.contains("delay = \"10m\"") { 10 } else { 0 };
            self.assert_one_as_hunted(id, now - Span::minutes(delay))
        });
        counted.sum()
    }

    /// [`Self::assert_as_hunted`] for one detection, up to a tick.
    pub(super) fn assert_one_as_hunted(&self, id: &str, to: DateTime<Utc>) -> usize {
        let hunted = comparable(&self.hunted(&[id], to));
        let recorded = comparable(&self.alerts_of(id));
        assert_same(id, &recorded, &hunted);
        recorded.len()
    }

    /// That no revision is in the table twice, and gives all of them.
    pub(super) fn revisions(&self) -> Vec<(String, u64)> {
        let rows = self.rows("SELECT alert_id, revision, count(*) AS times FROM alerts GROUP BY 1, 2");
        for row in &rows {
            assert_eq!(row["times"], 1, "{row}");
        }
        let pairs = rows.iter().map(pair);
        pairs.collect()
    }
}

/// Which revision of which alert it is.
pub(super) fn pair(revision: &Value) -> (String, u64) {
    let id = revision["alert_id"].as_str().unwrap();
    (id.to_owned(), revision["revision"].as_u64().unwrap())
}

fn assert_same(id: &str, recorded: &[String], hunted: &[String]) {
    let without = |all: &[String], others: &[String]| -> Vec<String> {
        all.iter().filter(|alert| !others.contains(alert)).cloned().collect()
    };
    assert!(
        recorded == hunted,
        "{id}: {} recorded, {} hunted\nonly recorded: {:#?}\nonly hunted: {:#?}",
        recorded.len(),
        hunted.len(),
        without(recorded, hunted),
        without(hunted, recorded)
    );
}

impl Running {
    /// Waits until it has ended.
    pub(super) fn end(&mut self) -> ExitStatus {
        wait_for(&format!("end of {}", self.name), || self.child.try_wait().unwrap())
    }

    /// Ends it as a crash does.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells it to stop: `TERM` or `INT`.
    pub(super) fn tell(&self, signal: &str) {
        let mut kill = Command::new("kill");
        kill.args([format!("-{signal}"), self.child.id().to_string()]);
        assert!(kill.status().unwrap().success());
    }

    /// Whether it runs still.
    pub(super) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
