//! How fast hunts over months are, beside what they replace.
//!
//! `cargo bench --bench hunt` makes a lake of 180 days below the build folder, once (900,000
//! events: audit records, sign-ins, network alerts), and prints ratios:
//!
//! - `suspicious_source` in one pass and tick by tick (4,320 ticks and those after the end),
//! - `unusual_client_app` and a plain `SELECT DISTINCT` of its field under its filter,
//! - 40 detections in one hunt and each of them alone: such as a tenant has, most of which find
//!   nothing or little (`many`), and such that all find much or aggregate everything (`heavy`),
//! - the peak memory of all of these with `--memory-limit 256MB`.
//!
//! `RETROHUNT_BENCH_EVENTS` changes the number of events; arguments choose among `ticks`,
//! `terms`, `many`, `heavy` and `memory`.

#![allow(clippy::expect_used, clippy::print_stdout)]

mod made;

use made::{measured, setting};
use retrohunt::generate::Tenant;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const DAYS: u64 = 180;

/// Measures something in a folder and its lake.
type Run = fn(&Path, &Path);

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    // `cargo test --benches` only wants to know that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let events = setting("RETROHUNT_BENCH_EVENTS", 900_000);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hunt-tenant-{events}"));
    let tenant = Tenant {
        events,
        days: DAYS,
        ..Tenant::default()
    };
    made::tenant(&folder, tenant);
    let lake = folder.join("lake");
    if !lake.exists() {
        let mut ingest = retrohunt(&lake);
        ingest.arg("ingest").arg(folder.join("logs"));
        println!("ingested in {:.0} s", measured(&mut ingest).0);
    }
    let runs: [(&str, Run); 5] = [
        ("ticks", ticks),
        ("terms", terms),
        ("many", many),
        ("heavy", heavy),
        ("memory", memory),
    ];
    for (name, run) in runs {
        if chosen.is_empty() || chosen.iter().any(|choice| choice == name) {
            run(&folder, &lake);
        }
    }
}

fn retrohunt(lake: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retrohunt"));
    command.env("RETROHUNT_LAKE", lake);
    command
}

fn seconds(lake: &Path, arguments: &[&str]) -> f64 {
    measured(retrohunt(lake).args(arguments)).0
}

/// The best of several runs, taken in turns.
fn in_turns(lake: &Path, runs: usize, pair: [&[&str]; 2]) -> [f64; 2] {
    let mut best = [f64::INFINITY; 2];
    for _ in 0..runs {
        for (best, arguments) in best.iter_mut().zip(pair) {
            *best = best.min(seconds(lake, arguments));
        }
    }
    best
}

fn ticks(_: &Path, lake: &Path) {
    let once = ["hunt", "suspicious_source", "--format", "jsonl"];
    let replay = seconds(lake, &[&once[..], &["--replay"]].concat());
    let once = (0..5).map(|_| seconds(lake, &once)).fold(f64::INFINITY, f64::min);
    println!(
        "suspicious_source: one pass {once:.3} s, replay {replay:.1} s, {:.0} times faster",
        replay / once
    );
}

fn terms(_: &Path, lake: &Path) {
    let text = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/sql/detections/unusual_client_app.sql"
    ))
    .expect("the detection");
    let filter = text.split_once("\nFROM events").expect("its FROM").1;
    let distinct = format!("SELECT DISTINCT o365.audit.ClientAppId FROM events{filter}");
    let hunt: &[&str] = &["hunt", "unusual_client_app", "--format", "jsonl"];
    let [hunt, plain] = in_turns(lake, 7, [hunt, &["sql", &distinct, "--format", "jsonl"]]);
    println!(
        "unusual_client_app: one pass {hunt:.3} s, SELECT DISTINCT {plain:.3} s, ratio {:.2}",
        hunt / plain
    );
}

/// 40 detections such as a tenant has: most ask for what hardly ever happens.
fn usual_detections(folder: &Path) -> PathBuf {
    let folder = folder.join("usual");
    fs::create_dir_all(&folder).expect("the build folder can be written");
    let write = |id: &str, more: &str, sql: &str| {
        let text = format!("{}{sql}", header(id, more));
        fs::write(folder.join(format!("{id}.sql")), text).expect("the build folder can be written");
    };
    let rare = [
        "New-InboxRule",
        "Set-InboxRule",
        "Add-MailboxPermission",
        "New-TransportRule",
        "Set-AdminAuditLogConfig",
        "Disable-AntiPhishRule",
        "Remove-MalwareFilterPolicy",
        "Consent to application.",
        "Add member to role.",
        "Add app role assignment grant to user.",
        "New-ManagementRoleAssignment",
        "Set-DkimSigningConfig",
        "FileMalwareDetected",
        "SharingInvitationCreated",
        "AnonymousLinkCreated",
        "Set-CASMailbox",
        "Add-MailboxFolderPermission",
        "Update application.",
    ];
    for (number, action) in rare.iter().enumerate() {
        let sql = format!(
            "SELECT @timestamp, event.id, user.id, source.ip FROM events WHERE event.dataset = 'o365.audit' AND event.action = '{action}' AND event.outcome = 'success'"
        );
        write(&format!("rare_{number}"), "", &sql);
    }
    let ranges = [
        ("o365.audit", "MailItemsAccessed", "91.20.0.0/16"),
        ("azure.signinlogs", "Sign-in activity", "80.33.4.0/24"),
    ];
    for (number, (dataset, action, range)) in ranges.iter().enumerate() {
        let sql = format!(
            "SELECT @timestamp, event.id, user.id, source.ip FROM events WHERE event.dataset = '{dataset}' AND event.action = '{action}' AND cidr_match(source.ip, '{range}')"
        );
        write(&format!("range_{number}"), "", &sql);
    }
    let thresholds = [
        ("UserLoggedIn", "10m", "1h", "user.id", "count(*)", 8),
        ("UserLoginFailed", "5m", "30m", "user.id", "count(*)", 10),
        ("FileAccessed", "1h", "1h", "user.id", "count(*)", 10),
        ("FileDownloaded", "15m", "1h", "user.id", "count(*)", 50),
        ("MailItemsAccessed", "1h", "4h", "user.id", "count(*)", 12),
        ("Sign-in activity", "30m", "2h", "source.ip", "count(*)", 20),
        ("UserLoggedIn", "1h", "24h", "source.ip", "count(*)", 60),
        ("Set-Mailbox", "1h", "12h", "user.id", "count(*)", 6),
        ("UserLoggedIn", "1h", "4h", "source.ip", "count(DISTINCT user.id)", 12),
        (
            "Sign-in activity",
            "1h",
            "2h",
            "source.ip",
            "count(DISTINCT user.id)",
            15,
        ),
        ("UserLoggedIn", "1h", "6h", "user.id", "count(DISTINCT source.ip)", 8),
        ("FileAccessed", "1d", "1d", "user.id", "count(DISTINCT source.ip)", 10),
    ];
    for (number, (action, interval, lookback, key, count, least)) in thresholds.iter().enumerate() {
        let more = format!("interval = \"{interval}\"\nlookback = \"{lookback}\"\nkey = [\"{key}\"]\n");
        let sql = format!(
            "SELECT {key}, count(*) AS event_count, min(@timestamp) AS first_time FROM events WHERE event.action = '{action}' GROUP BY {key} HAVING {count} >= {least}"
        );
        write(&format!("threshold_{number}"), &more, &sql);
    }
    let terms = [
        ("\"user.id\"", "14d", "event.dataset = 'o365.audit'"),
        ("\"source.ip\"", "14d", "event.dataset = 'azure.signinlogs'"),
        (
            "\"o365.audit.ClientAppId\"",
            "14d",
            "event.action = 'MailItemsAccessed'",
        ),
        ("\"user.id\", \"event.action\"", "10d", "event.dataset = 'o365.audit'"),
        ("\"user.id\", \"source.ip\"", "14d", "event.action = 'Set-Mailbox'"),
    ];
    for (number, (fields, history, filter)) in terms.iter().enumerate() {
        let more = format!("[new_terms]\nfields = [{fields}]\nhistory = \"{history}\"\n");
        let sql = format!(
            "SELECT @timestamp, event.id, user.id, source.ip, o365.audit.ClientAppId FROM events WHERE {filter}"
        );
        write(&format!("terms_{number}"), &more, &sql);
    }
    let events = |action: &str| format!("(SELECT user.id, @timestamp FROM events WHERE event.action = '{action}')");
    for (number, (first, second)) in [
        ("UserLoggedIn", "Set-Mailbox"),
        ("Set-Mailbox", "FileAccessed"),
        ("Set-Mailbox", "New-InboxRule"),
    ]
    .iter()
    .enumerate()
    {
        let sql = format!(
            "SELECT b.user.id AS \"user.id\", count(*) AS event_count FROM {} a JOIN {} b ON a.user.id = b.user.id AND a.@timestamp < b.@timestamp GROUP BY b.user.id",
            events(first),
            events(second)
        );
        write(
            &format!("sequence_{number}"),
            "interval = \"1h\"\nlookback = \"2h\"\nkey = [\"user.id\"]\n",
            &sql,
        );
    }
    folder
}

/// 40 detections of every kind, each with much to do: ten variants of each of four.
fn heavy_detections(folder: &Path) -> PathBuf {
    let folder = folder.join("detections");
    fs::create_dir_all(&folder).expect("the build folder can be written");
    let actions = [
        "MailItemsAccessed",
        "UserLoggedIn",
        "FileAccessed",
        "Set-Mailbox",
        "Sign-in activity",
    ];
    for variant in 0..10_u64 {
        let action = actions[variant as usize % actions.len()];
        let mut event = header(&format!("event_{variant}"), "");
        let _ = write!(
            event,
            "SELECT @timestamp, event.id, user.id, source.ip FROM events WHERE event.action = '{action}' AND source.ip = '80.{}.{variant}.1'",
            32 + variant % 4
        );
        let mut threshold = header(
            &format!("threshold_{variant}"),
            "interval = \"1h\"\nlookback = \"6h\"\nkey = [\"source.ip\"]\n",
        );
        let _ = write!(
            threshold,
            "SELECT source.ip, count(*) AS event_count, min(@timestamp) AS first_time FROM events WHERE event.action = '{action}' GROUP BY source.ip HAVING count(*) >= {}",
            30 + variant
        );
        let mut distinct = header(
            &format!("distinct_{variant}"),
            "interval = \"1d\"\nlookback = \"{}d\"\nkey = [\"user.id\"]\n"
                .replace("{}", &(1 + variant).to_string())
                .as_str(),
        );
        let _ = write!(
            distinct,
            "SELECT user.id, count(DISTINCT source.ip) AS addresses, count(*) AS event_count FROM events WHERE event.dataset = 'o365.audit' GROUP BY user.id HAVING count(DISTINCT source.ip) > {}",
            3 + variant
        );
        let mut terms = header(&format!("terms_{variant}"), "");
        terms = terms.replace(
            "---*/",
            &format!(
                "[new_terms]\nfields = [\"user.id\", \"source.ip\"]\nhistory = \"{}d\"\n---*/",
                7 + variant
            ),
        );
        let _ = write!(
            terms,
            "SELECT @timestamp, event.id, user.id, source.ip FROM events WHERE event.action = '{action}'"
        );
        for (kind, text) in [
            ("event", event),
            ("threshold", threshold),
            ("distinct", distinct),
            ("terms", terms),
        ] {
            fs::write(folder.join(format!("{kind}_{variant}.sql")), text).expect("the build folder can be written");
        }
    }
    folder
}

fn header(id: &str, more: &str) -> String {
    format!("/*---\nid = \"{id}\"\ntitle = \"Benchmark\"\nseverity = \"low\"\nrisk_score = 21\n{more}---*/\n")
}

fn many(folder: &Path, lake: &Path) {
    together(&usual_detections(folder), lake);
}

fn heavy(folder: &Path, lake: &Path) {
    together(&heavy_detections(folder), lake);
}

fn together(detections: &Path, lake: &Path) {
    let detections = detections.to_str().expect("a path in UTF-8");
    let mut alone = Vec::new();
    for entry in fs::read_dir(detections).expect("the detections") {
        let path = entry.expect("an entry").path();
        let id = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("a name")
            .to_owned();
        let hunt = ["hunt", &id, "--detections", detections, "--format", "jsonl"];
        alone.push(((0..2).map(|_| seconds(lake, &hunt)).fold(f64::INFINITY, f64::min), id));
    }
    alone.sort_by(|a, b| b.0.total_cmp(&a.0));
    let together = ["hunt", "--detections", detections, "--format", "jsonl"];
    let together = (0..2).map(|_| seconds(lake, &together)).fold(f64::INFINITY, f64::min);
    let (slowest, id) = &alone[0];
    let sum: f64 = alone.iter().map(|(seconds, _)| seconds).sum();
    println!(
        "{} detections: {together:.2} s together, {sum:.2} s one by one, slowest alone {id} {slowest:.2} s, ratio {:.2}",
        alone.len(),
        together / slowest
    );
}

fn memory(folder: &Path, lake: &Path) {
    let detections = heavy_detections(folder);
    let detections = detections.to_str().expect("a path in UTF-8");
    let hunts: [&[&str]; 5] = [
        &["hunt", "suspicious_source"],
        &["hunt", "unusual_client_app"],
        &["hunt", "risky_mailbox_rule"],
        &["hunt", "terms_1", "--detections", detections],
        &["hunt", "--detections", detections],
    ];
    for hunt in hunts {
        let limited = [hunt, &["--memory-limit", "256MB", "--format", "jsonl"]].concat();
        let (seconds, peak) = measured(retrohunt(lake).args(&limited));
        println!(
            "{}: {seconds:.2} s, peak memory {:.0} MB",
            hunt[1..].join(" "),
            peak as f64 / 1e6
        );
    }
}
