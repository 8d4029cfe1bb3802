//! What chats get, and that they take it whatever is in it.

use super::conformance::{odd, revision};
use super::templates::{Template, mrkdwn};
use crate::alerts::{Change, Revision};
use serde_json::Value;

fn message(template: &str, revision: &Revision) -> Value {
    let text = Template::load(template).unwrap().render(revision).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// With everything that an alert can have.
fn full() -> Revision {
    let mut full = revision(7);
    full.change = Change::Revised;
    full.revision = 2;
    full.late_by = Some(5400.0);
    full.suppressed_by = Some("0123456789abcdef0123456789abcdef".into());
    full.alert.window_start = Some(full.alert.time - 1_000_000);
    full.alert.window_end = Some(full.alert.time + 3_600_000_000);
    full.alert.windows = Some(12);
    full.alert.history_complete = Some(false);
    full
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[test]
fn slack() {
    insta::assert_snapshot!("slack", pretty(&message("slack", &revision(1))));
    insta::assert_snapshot!("slack_full", pretty(&message("slack", &full())));
}

#[test]
fn teams() {
    insta::assert_snapshot!("teams", pretty(&message("teams", &revision(1))));
    insta::assert_snapshot!("teams_full", pretty(&message("teams", &full())));
}

/// Every text of a message of Slack's, with the most characters it may have.
fn check_slack(message: &Value) {
    let characters = |text: &Value| text.as_str().unwrap().encode_utf16().count();
    let blocks = message["blocks"].as_array().unwrap();
    assert!((3..=50).contains(&blocks.len()));
    for block in blocks {
        let (texts, most) = match block["type"].as_str().unwrap() {
            "header" => (vec![&block["text"]], 150),
            "section" => (block["fields"].as_array().unwrap().iter().collect(), 2000),
            "context" => (block["elements"].as_array().unwrap().iter().collect(), 3000),
            "divider" => continue,
            other => panic!("{other}"),
        };
        assert!((1..=10).contains(&texts.len()));
        for text in texts {
            assert!((1..=most).contains(&characters(&text["text"])), "{text}");
        }
    }
    assert!(message.to_string().len() <= 12_000);
}

#[test]
fn whatever_the_texts_platforms_take_them() {
    for change in Change::ALL {
        let mut longest = odd();
        longest.change = change;
        check_slack(&message("slack", &longest));
        assert!(message("teams", &longest).to_string().len() <= 28_000);
        longest.title = "<&>𝕏".repeat(10_000);
        for at in 0..1000 {
            let name = format!("{}{at}", "&".repeat(at));
            longest
                .alert
                .key
                .insert(name.clone(), "\u{1}".repeat(100_000 / (at + 1)).into());
            longest
                .alert
                .fields
                .insert(name, "𝕏\"".repeat(100_000 / (at + 1)).into());
        }
        check_slack(&message("slack", &longest));
        assert!(message("teams", &longest).to_string().len() <= 28_000);
    }
    let mut empty = revision(1);
    empty.title = String::new();
    empty.alert.key.clear();
    empty.alert.fields.clear();
    check_slack(&message("slack", &empty));
    message("teams", &empty);
}

#[test]
fn what_somebody_wrote_into_a_log_is_shown_and_not_followed() {
    let mut alert = revision(1);
    let text = "<!channel> <https://evil.example|x> & *b*\n*Severity*";
    alert.alert.key.insert("user.name".into(), text.into());
    let shown = message("slack", &alert).to_string();
    assert!(!shown.contains("<!channel>") && !shown.contains("<https"), "{shown}");
    assert!(
        shown.contains("&lt;!channel&gt; &lt;https://evil.example|x&gt; &amp; *b* *Severity*"),
        "{shown}"
    );
    let shown = message("teams", &alert).to_string();
    assert!(!shown.contains("\"TextBlock\""), "{shown}");
    assert!(
        shown.contains("<!channel> <https://evil.example|x> & *b* *Severity*"),
        "{shown}"
    );
}

#[test]
fn entities_are_not_cut() {
    assert_eq!(mrkdwn("a<b", 6), "a&lt;b");
    assert_eq!(mrkdwn("a<b", 5), "a…");
    assert_eq!(mrkdwn("a<", 5), "a&lt;");
    assert_eq!(mrkdwn("abc", 2), "a…");
    assert_eq!(mrkdwn("𝕏𝕏", 3), "𝕏…");
}

#[test]
fn templates_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let load = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Template::load(path.to_str().unwrap())
    };
    let own = load(
        "own.json.j2",
        r#"{"id": {{ alert_id }}, "late": {{ late_by }}, "ip": {{ key["source.ip"] }}}"#,
    );
    let alert = revision(1);
    let ip = alert.alert.key["source.ip"].as_str().unwrap();
    let expected = format!(r#"{{"id": "{}", "late": null, "ip": "{ip}"}}"#, alert.alert.alert_id);
    assert_eq!(own.unwrap().render(&alert).unwrap(), expected);

    let strict = load("strict.json.j2", r#"{"a": {{ fields.no_such_field }}}"#).unwrap();
    let problem = strict.render(&alert).unwrap_err();
    assert!(
        problem.contains("strict.json.j2") && problem.contains("undefined"),
        "{problem}"
    );
    let broken = load("broken.j2", "{% if %}").unwrap_err();
    assert!(broken.contains("broken.j2:1"), "{broken}");
    let absent = Template::load("/no/such/template").unwrap_err();
    assert!(absent.contains("neither json, slack or teams"), "{absent}");
}
