//! `hunt --explain` and `hunt --verify`.

use super::{compare, said};
use crate::hunts::{event, own};
use crate::sandbox::{Sandbox, repository};
use serde_json::Value;

const WINDOW: &str = "interval = \"1h\"\nlookback = \"3h\"\nkey = [\"user.id\"]\n";

/// Detections of every shape, and one that cannot be planned.
fn detections(sandbox: &Sandbox) {
    let windowed = |id: &str, sql: &str| own(sandbox, id, WINDOW, sql);
    own(
        sandbox,
        "a_rule",
        "",
        "SELECT event.id, o365.audit.Note FROM events WHERE event.action = 'rule' AND user.id = 'ann'",
    );
    windowed(
        "b_busy",
        "SELECT user.id, count(*) AS event_count FROM events WHERE event.action = 'mailbox' GROUP BY user.id",
    );
    windowed(
        "c_first",
        "SELECT user.id, count(*) AS event_count FROM events GROUP BY user.id ORDER BY user.id LIMIT 1",
    );
    windowed("d_broken", "SELECT user.id, no_such_function(user.id) FROM events");
    windowed("e_plain", "SELECT user.id FROM events WHERE event.action = 'rule'");
    own(
        sandbox,
        "f_term",
        "[new_terms]\nfields = [\"user.id\"]\nhistory = \"14d\"\n",
        "SELECT event.id FROM events WHERE event.action IN ('rule', 'it''s')",
    );
    windowed(
        "g_none",
        "SELECT user.id, count(*) AS event_count FROM events WHERE event.action = 'x' GROUP BY user.id",
    );
}

const IDS: [&str; 7] = ["a_rule", "b_busy", "c_first", "d_broken", "e_plain", "f_term", "g_none"];

fn lake() -> Sandbox {
    let sandbox = Sandbox::new();
    let log = [
        event("1", "2026-03-01T01:30:00Z", "t.a", "rule", "ann"),
        event("2", "2026-03-02T02:30:00Z", "t.a", "mailbox", "ann"),
        event("3", "2026-03-02T03:30:00Z", "t.b", "mailbox", "ben"),
    ];
    sandbox.file("log.json", log.concat());
    assert_eq!(sandbox.ingest(&["log.json"]), [3, 3, 0, 0]);
    detections(&sandbox);
    sandbox
}

/// What is said of each detection, without its plans.
fn without_plans(text: &str) -> String {
    let mut shown = String::new();
    let mut plan = false;
    for line in text.lines() {
        let begins = |name: &str| line == format!("  {name} plan");
        plan = begins("logical") || begins("physical") || plan && line.starts_with("    ");
        if !plan || !line.starts_with("    ") {
            shown += line;
            shown.push('\n');
        }
    }
    shown
}

fn explained(sandbox: &Sandbox, more: &[&str]) -> Vec<Value> {
    explained_with(sandbox, &[&["--detections", "own"], more].concat())
}

fn explained_with(sandbox: &Sandbox, more: &[&str]) -> Vec<Value> {
    let all = ["hunt", "--explain", "--format", "json"];
    let run = sandbox.run(&[&all[..], more].concat());
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

#[test]
fn explain_says_how_each_detection_is_evaluated() {
    let sandbox = lake();
    let all = ["hunt", "--explain", "--detections", "own"];
    let mut text = without_plans(&said(&sandbox, &[&all[..], &IDS].concat()));
    let narrow = ["--from", "2026-03-02", "--to", "2026-03-03"];
    text += &without_plans(&said(&sandbox, &[&all[..], &["b_busy", "f_term"], &narrow].concat()));
    text += &without_plans(&said(&sandbox, &[&all[..], &["b_busy", "--replay"]].concat()));
    text += &said(&sandbox, &[&all[..], &["b_busy", "--format", "csv"]].concat());
    text += &said(&sandbox, &[&all[..], &["b_busy", "--verify", "3"]].concat());
    text += &said(&sandbox, &["hunt", "--verify-seed", "3"]);
    // How large a file is depends on when it was written.
    let sizes: Vec<String> = text
        .lines()
        .map(
            |line| match line.split_once(" files, ").or(line.split_once(" file, ")) {
                Some((before, _)) if line.trim_start().starts_with("reads") => format!("{before} files, [SIZE]"),
                _ => line.to_owned(),
            },
        )
        .collect();
    compare("hunt_explain", &(sizes.join("\n") + "\n"));
}

#[test]
fn explain_gives_the_same_as_json() {
    let sandbox = lake();
    let found = explained(&sandbox, &IDS);
    let ids: Vec<&str> = found
        .iter()
        .map(|one| one["detection"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(ids, IDS);
    let of = |id: &str| &found[IDS.iter().position(|known| *known == id).unwrap()];
    let busy = of("b_busy");
    assert_eq!((&busy["window_copies"], &busy["per_pane"]), (&3.into(), &true.into()));
    let hunted: Value = {
        sandbox.ok(&["hunt", "--detections", "own", "b_busy", "--report", "report.json"]);
        serde_json::from_slice(&std::fs::read(sandbox.path("report.json")).unwrap()).unwrap()
    };
    assert_eq!(busy["ticks"], hunted["detections"][0]["ticks"]);
    let scan = &busy["scans"][0];
    assert_eq!((&scan["files"], &scan["files_of"]), (&2.into(), &3.into()));
    assert!(scan["bytes"].as_u64().unwrap() > 1000);
    for (id, plan, words) in [
        ("b_busy", "logical_plan", "Hop: "),
        ("b_busy", "physical_plan", "to panes"),
        ("e_plain", "logical_plan", "Hop: "),
        ("f_term", "logical_plan", "new_terms("),
        ("c_first", "logical_plan", "fetch=1"),
        ("a_rule", "physical_plan", "DataSourceExec: "),
    ] {
        let text = of(id)[plan].as_str().unwrap();
        assert!(text.contains(words), "{words} in {text}");
    }
    assert_eq!(of("e_plain")["per_pane"], false);
    assert!(of("d_broken")["error"].as_str().unwrap().contains("no_such_function"));
    assert!(of("d_broken").get("physical_plan").is_none());
    // Nothing was run: the file that a scan would read may as well be gone.
    std::fs::remove_dir_all(sandbox.path("lake/events/event_dataset=t.a")).unwrap();
    assert_eq!(explained(&sandbox, &IDS), found);
}

/// A window's three panes may be alike in a maximum, never in a count.
#[test]
fn what_is_idempotent_is_told_once() {
    let sandbox = lake();
    for (id, select, once) in [
        ("greatest", "max(event.id) AS most FROM events GROUP BY user.id", true),
        ("is_there", "1 AS one FROM events GROUP BY user.id", true),
        (
            "is_new",
            "event.action FROM events GROUP BY user.id, event.action",
            true,
        ),
        ("counted", "count(*) AS event_count FROM events GROUP BY user.id", false),
        (
            "flipped",
            "bit_xor(event.severity) AS bits FROM events GROUP BY user.id",
            false,
        ),
        (
            "both",
            "max(event.id) AS most, count(*) AS event_count FROM events GROUP BY user.id",
            false,
        ),
    ] {
        own(&sandbox, id, WINDOW, &format!("SELECT user.id, {select}"));
        let found = explained(&sandbox, &[id]);
        let plan = found[0]["physical_plan"].as_str().unwrap();
        assert!(plan.contains("to panes"), "{id}: {plan}");
        assert_eq!(plan.contains("what is alike once"), once, "{id}: {plan}");
    }
}

#[test]
fn explain_works_without_events() {
    let sandbox = Sandbox::new();
    sandbox.file("log.json", "{\"nothing\": \"known\"}\n");
    assert_eq!(sandbox.ingest(&["log.json"])[1], 0);
    detections(&sandbox);
    for range in [
        &[][..],
        &["--from", "2026-03-01"],
        &["--to", "2026-03-02"],
        &["--from", "2026-03-01T00:10:00Z", "--to", "2026-03-01T00:20:00Z"],
    ] {
        let found = explained(&sandbox, &[&IDS[..], range].concat());
        for one in &found {
            assert_eq!(one.get("error").is_some(), one["detection"] == "d_broken", "{one}");
            let of = one["scans"].as_array().unwrap().iter().map(|scan| &scan["files_of"]);
            assert!(of.clone().all(|files| files == &Value::from(0)), "{one}");
        }
    }
}

#[test]
fn verify_replays_ticks_of_what_one_pass_answered() {
    let sandbox = Sandbox::new();
    sandbox.ingest(&[&repository("data/contoso")]);
    // One of them asks first which groups can be found; what it runs then is verified.
    let explained = explained_with(&sandbox, &["suspicious_source"]);
    assert_eq!(explained[0]["asked_first"][0]["table"], "events");
    assert!(
        sandbox
            .ok(&["hunt", "--explain"])
            .contains("\n  asks first        events: ")
    );
    let hunt = |more: &[&str]| sandbox.run(&[&["hunt", "--format", "jsonl"], more].concat());
    let last = |more: &[&str]| {
        let run = hunt(more);
        assert_eq!(run.code, 0, "{run:?}");
        run.stderr.lines().last().unwrap().to_owned()
    };
    let seed = ["--verify-seed", "7"];
    let verify = |count: &str, more: &[&str]| last(&[&["--verify", count], &seed[..], more].concat());
    assert_eq!(verify("12", &[]), "verified 12 ticks: no difference (--verify-seed 7)");
    // No more than there are.
    let day = [
        "suspicious_source",
        "--from",
        "2026-03-18",
        "--to",
        "2026-03-18T06:00:00Z",
    ];
    assert_eq!(verify("99", &day), "verified 7 ticks: no difference (--verify-seed 7)");
    let none = "verified 0 ticks: no difference (--verify-seed 7); one pass answered none";
    assert_eq!(verify("9", &["excessive_mail_items"]), none);
    assert_eq!(verify("9", &[&day[..], &["--replay"]].concat()), none);
    let chosen = last(&["suspicious_source", "--verify", "1"]);
    assert!(
        chosen.starts_with("verified 1 tick: no difference (--verify-seed "),
        "{chosen}"
    );
}

#[test]
fn verify_finds_differences() {
    let sandbox = lake();
    own(
        &sandbox,
        "chance",
        WINDOW,
        "SELECT user.id, count(*) AS event_count, random() AS chance FROM events GROUP BY user.id",
    );
    let arguments = ["hunt", "--detections", "own", "chance", "b_busy", "--format", "jsonl"];
    let run = sandbox.run(&[&arguments[..], &["--verify", "8", "--verify-seed", "1"]].concat());
    assert_eq!(run.code, 1, "{run:?}");
    let lines = run.stderr.lines().filter(|line| line.starts_with('{'));
    let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let in_one_pass = lines.iter().filter(|line| line["only_in"] == "one_pass").count();
    // At the least, the half of the ticks that has something found.
    assert!(in_one_pass >= 2 && lines.len() == 2 * in_one_pass, "{lines:?}");
    for line in &lines {
        assert_eq!((&line["detection"], &line["times"]), (&"chance".into(), &1.into()));
        assert!(line["fields"]["chance"].is_number() && line["tick"].is_string());
    }
    assert!(run.stderr.contains("error: one pass and replay differ at "), "{run:?}");
    assert!(run.stderr.contains(" of 8 ticks (--verify-seed 1)"), "{run:?}");
    // The alerts are there all the same.
    assert!(run.stdout.contains("\"detection\":\"b_busy\""));
}
