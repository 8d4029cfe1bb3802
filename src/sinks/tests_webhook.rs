//! What receivers of requests see, and what is made of what they say.

use super::conformance::http::{Answer, Server};
use super::conformance::{SECRET, odd, quick, revision};
use super::{Outcome, Output, Settings, Sink, deliver, json};
use crate::alerts::Revision;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn sink(server: &Server, settings: &str) -> Box<dyn Sink> {
    let text = format!(
        "kind = 'webhook'\nurl = 'http://{}/a/b?c={SECRET}'\n{settings}",
        server.address
    );
    let settings = Settings::read("soc", &toml::Value::Table(toml::from_str(&text).unwrap())).unwrap();
    let nowhere: Output = Arc::new(Mutex::new(Vec::new()));
    settings.open(&nowhere).unwrap()
}

fn say(status: u16, headers: &'static str, body: &str) -> Answer {
    Answer::Say(status, headers, body.to_owned())
}

/// Finds an alert's id in a body.
fn has(body: &str, revision: &Revision) -> bool {
    body.contains(&revision.alert.alert_id)
}

#[tokio::test]
async fn a_request_says_what_it_is() {
    let server = Server::start().await;
    let sink = sink(&server, "headers = { Authorization = 'Bearer x', X-Team = 'soc' }");
    assert_eq!(sink.send(&[&revision(10)]).await, Outcome::sent(1));
    let request = server.requests().remove(0);
    assert_eq!(request.line, format!("POST /a/b?c={SECRET} HTTP/1.1"));
    let header = |name: &str| request.headers[name].as_str();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("idempotency-key"), "0000000000000000000000000000000a-1");
    assert_eq!(header("user-agent"), concat!("retrohunt/", env!("CARGO_PKG_VERSION")));
    assert_eq!((header("authorization"), header("x-team")), ("Bearer x", "soc"));
    assert_eq!(request.body, json(&revision(10)).unwrap());
}

#[tokio::test]
async fn what_is_rejected_is_not_tried_again_and_holds_nothing_up() {
    for (status, settings) in [
        (400, ""),
        (413, ""),
        (422, ""),
        (400, "batch = 3"),
        (413, "batch = 100"),
    ] {
        let server = Server::start().await;
        server.answer(
            move |request| match has(&request.body, &revision(11)) || has(&request.body, &revision(16)) {
                true => say(status, "", "no such field"),
                false => say(200, "", "ok"),
            },
        );
        let all: Vec<_> = (10..17).map(revision).collect();
        let delivered = deliver(sink(&server, settings).as_ref(), &quick(), &all, 0).await;
        assert_eq!(delivered.sent, 5);
        let dead: Vec<_> = delivered.dead.iter().map(|letter| &letter.revision).collect();
        assert_eq!(dead, [&all[1], &all[6]]);
        for letter in &delivered.dead {
            assert_eq!(letter.attempts, 1);
            let said = format!("{}: HTTP {status} ", server.address);
            assert!(
                letter.problem.starts_with(&said) && letter.problem.ends_with(": no such field"),
                "{letter:?}"
            );
        }
        // Each of the others was taken once, in order.
        let taken = server.taken().concat();
        let places: Vec<_> = all
            .iter()
            .filter_map(|revision| taken.find(&revision.alert.alert_id))
            .collect();
        assert!(places.len() == 5 && places.is_sorted(), "{taken}");
        let by_itself = |revision: &Revision| {
            let requests = server.requests();
            let alone = requests
                .iter()
                .filter(|request| has(&request.body, revision) && request.headers.contains_key("idempotency-key"));
            alone.count()
        };
        assert_eq!((by_itself(&all[1]), by_itself(&all[6])), (1, 1));
    }
}

#[tokio::test]
async fn whoever_fails_may_say_when_to_come_back() {
    let server = Server::start().await;
    server.answer(|_| say(429, "Retry-After: 7\r\n", "slow down"));
    let outcome = sink(&server, "").send(&[&revision(1), &revision(2)]).await;
    let why = outcome.unavailable.unwrap();
    assert_eq!((outcome.done, why.tried), (0, 1));
    assert_eq!(why.retry_after, Some(Duration::from_secs(7)));
    assert_eq!(
        why.problem,
        format!("{}: HTTP 429 Too Many Requests: slow down", server.address)
    );
}

#[tokio::test]
async fn other_answers_than_success_are_no_delivery() {
    for status in [301, 302, 307, 401, 403, 404, 408, 410, 500, 502, 503, 504] {
        let server = Server::start().await;
        server.answer(move |_| say(status, "Location: /elsewhere\r\n", ""));
        let delivered = deliver(sink(&server, "").as_ref(), &quick(), &[revision(1)], 0).await;
        assert_eq!((delivered.sent, delivered.failures), (0, 3), "{status}");
        assert_eq!(server.requests().len(), 3, "a redirection is not followed");
        assert!(delivered.dead[0].problem.contains(&status.to_string()));
    }
}

#[tokio::test]
async fn whoever_hangs_up_is_tried_again() {
    let server = Server::start().await;
    server.answer(|_| Answer::HangUp);
    let delivered = deliver(sink(&server, "").as_ref(), &quick(), &[revision(1)], 0).await;
    assert_eq!(delivered.failures, 3);
    let problem = &delivered.dead[0].problem;
    assert!(
        problem.starts_with(&format!("{}: the request failed: ", server.address)),
        "{problem}"
    );
}

#[tokio::test]
async fn where_nobody_listens_the_host_is_named_and_the_url_is_not() {
    let server = Server::start().await;
    let sink = sink(&server, "");
    let place = server.address.clone();
    drop(server);
    tokio::task::yield_now().await;
    let problem = sink.send(&[&revision(1)]).await.unavailable.unwrap().problem;
    assert!(!problem.contains(SECRET) && !problem.contains("/a/b"), "{problem}");
    assert_eq!(problem, format!("{place}: no connection: Connection refused"));
}

#[tokio::test]
async fn what_the_receiver_repeats_of_secrets_is_not_repeated() {
    let server = Server::start().await;
    server.answer(|request| {
        let said = format!("bad\u{1b}[31m {} {:?}", request.line, request.headers);
        Answer::Say(400, "", said)
    });
    let sink = sink(&server, &format!("headers = {{ Authorization = 'Bearer {SECRET}x' }}"));
    let delivered = deliver(sink.as_ref(), &quick(), &[revision(1)], 0).await;
    let problem = &delivered.dead[0].problem;
    assert!(
        problem.contains("HTTP 400") && !problem.contains(SECRET) && !problem.contains('\u{1b}'),
        "{problem}"
    );
    assert!(!format!("{delivered:?} {sink:?}").contains(SECRET));
}

#[tokio::test]
async fn another_token_in_the_file_counts_at_once() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "one\n").unwrap();
    let sink = sink(
        &server,
        &format!("headers = {{ X-Token = {{ file = '{}' }} }}", path.display()),
    );
    sink.send(&[&revision(1)]).await;
    std::fs::write(&path, "two\n").unwrap();
    sink.send(&[&revision(2)]).await;
    let requests = server.requests();
    let tokens: Vec<_> = requests
        .iter()
        .map(|request| request.headers["x-token"].as_str())
        .collect();
    assert_eq!(tokens, ["one", "two"]);
    std::fs::remove_file(&path).unwrap();
    let problem = sink.send(&[&revision(3)]).await.unavailable.unwrap().problem;
    assert!(
        problem.starts_with("headers.x-token: the file ") && problem.contains("cannot be read"),
        "{problem}"
    );
}

#[tokio::test]
async fn chats_get_one_message_per_alert() {
    for template in ["slack", "teams"] {
        let server = Server::start().await;
        let sink = sink(&server, &format!("template = '{template}'"));
        let all = [revision(1), odd(), revision(2)];
        let delivered = deliver(sink.as_ref(), &quick(), &all, 0).await;
        assert_eq!(delivered.sent, 3, "{:?}", delivered.dead);
        let bodies = server.taken();
        for (body, revision) in bodies.iter().zip(&all) {
            assert!(serde_json::from_str::<Value>(body).is_ok() && has(body, revision));
        }
        assert_eq!(bodies.len(), 3);
    }
}

#[tokio::test]
async fn a_template_that_gives_no_json_is_said_to() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.txt");
    std::fs::write(&path, "{\"title\": \"{{ title }}\"}").unwrap();
    let template = format!("template = '{}'\n", path.display());
    let mut quoted = revision(1);
    quoted.title = "\"x\"".into();
    let delivered = deliver(sink(&server, &template).as_ref(), &quick(), &[quoted.clone()], 0).await;
    assert!(
        delivered.dead[0].problem.contains("gives no JSON"),
        "{:?}",
        delivered.dead[0].problem
    );
    assert_eq!(server.requests().len(), 0);
    // Other things are sent to whoever wants them.
    let template = format!("{template}headers = {{ Content-Type = 'text/plain' }}");
    let delivered = deliver(sink(&server, &template).as_ref(), &quick(), &[quoted], 0).await;
    assert_eq!(delivered.sent, 1);
    assert_eq!(server.taken(), ["{\"title\": \"\"x\"\"}"]);
    assert_eq!(server.requests()[0].headers["content-type"], "text/plain");
}
