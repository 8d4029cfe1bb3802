//! Settings as flags.

use clap::Args;

/// The settings that can be typed. Each wins over the same one of the environment and the file.
#[derive(Debug, Clone, Default, Args)]
pub struct ScheduleFlags {
    /// The lake: a folder, s3://BUCKET/PATH, az://CONTAINER/PATH or
    /// abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH (or RETROHUNT_LAKE; default ./lake)
    #[arg(long, value_name = "URL")]
    pub lake: Option<String>,

    /// A folder with detections of your own, beside the built-in ones (or RETROHUNT_DETECTIONS)
    #[arg(long, value_name = "DIR")]
    pub detections: Option<String>,

    /// From where on events count for a detection that has not run yet: all (default), now,
    /// 2026-03-01, 2026-03-01T08:00:00Z, or how long ago, such as 7d
    #[arg(long, value_name = "TIME")]
    pub start: Option<String>,

    /// Run these detections alone: ids, with commas between them
    #[arg(long, value_name = "IDS")]
    pub only: Option<String>,

    /// Do not run these detections
    #[arg(long, value_name = "IDS")]
    pub except: Option<String>,

    /// Of missed ticks evaluate the latest first
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub newest_first: Option<String>,

    /// Detections that are evaluated at once (default: 8)
    #[arg(long, value_name = "N")]
    pub concurrency: Option<String>,

    /// How long one evaluation may take (default: 10m)
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,

    /// How often an evaluation is tried before it is recorded as a gap (default: 3)
    #[arg(long, value_name = "N")]
    pub attempts: Option<String>,

    /// How long after a failure it is tried again (default: 30s)
    #[arg(long, value_name = "DURATION")]
    pub retry_after: Option<String>,

    /// How long after its last sign of life another scheduler is taken for dead (default: 60s)
    #[arg(long, value_name = "DURATION")]
    pub lease: Option<String>,

    /// Where /healthz, /readyz and /metrics are served (default: 127.0.0.1:9464), or off
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,

    /// Form of the log: text (default) or json
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,

    /// The least that is logged: error, warn, info (default), debug or trace
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
}

impl ScheduleFlags {
    /// What was typed, by key.
    pub fn given(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("lake", &self.lake),
            ("detections", &self.detections),
            ("start", &self.start),
            ("only", &self.only),
            ("except", &self.except),
            ("newest_first", &self.newest_first),
            ("concurrency", &self.concurrency),
            ("timeout", &self.timeout),
            ("attempts", &self.attempts),
            ("retry_after", &self.retry_after),
            ("lease", &self.lease),
            ("listen", &self.listen),
            ("log.format", &self.log_format),
            ("log.level", &self.log_level),
        ];
        let given = all.into_iter().filter_map(|(key, text)| Some((key, text.clone()?)));
        given.collect()
    }
}
