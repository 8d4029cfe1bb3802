//! What `retrohunt schedule` says to settings that it cannot use.

use super::{codes, compare, tiny_lake, transcript};
use std::collections::BTreeSet;
use std::net::TcpListener;

#[test]
fn wrong_settings() {
    let sandbox = tiny_lake();
    sandbox.file(
        "wrong.toml",
        "lake = 5\nintervall = \"5m\"\ntimeout = \"soon\"\nlog.level = \"loud\"\n\
         [detection.suspicious_source]\nfrequency = \"daily\"\ndelay = 5\n",
    );
    sandbox.file("syntax.toml", "lake = \"lake\"\nstart = \n");
    sandbox.file("nobody.toml", "[detection.suspicious_sorce]\nenabled = false\n");
    sandbox.file("sink.toml", "[sinks.soc]\nkind = \"webhok\"\n");
    sandbox.file(
        "secret.toml",
        "[sinks.soc]\nkind = \"webhook\"\nurl = { env = \"NOT_SET\" }\ntemplat = \"slack\"\n",
    );
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let lines: [&[&str]; 22] = [
        &["schedule", "--config", "missing.toml"],
        &["schedule", "--config", "wrong.toml"],
        &["schedule", "--config", "syntax.toml"],
        &["schedule", "--config", "nobody.toml"],
        &["schedule", "--config", "sink.toml"],
        &["schedule", "--config", "secret.toml", "--once"],
        &["schedule", "--only", "suspicious_sorce"],
        &["schedule", "--only", ","],
        &["schedule", "--except", "nothing_like_it"],
        &[
            "schedule",
            "--only",
            "suspicious_source",
            "--except",
            "suspicious_source",
        ],
        &["schedule", "--detections", "missing"],
        &["schedule", "--listen", "everywhere"],
        &["schedule", "--listen", &address],
        &["schedule", "--start", "soon"],
        &["schedule", "--until", "late"],
        &["schedule", "--timeout", "0s"],
        &["schedule", "--attempts", "0"],
        &["schedule", "--newest-first=maybe"],
        &["schedule", "--log-format", "xml"],
        &["schedule", "--once", "status"],
        &["schedule", "fill", "nothing_like_it"],
        &["schedule", "status", "--only", "nothing_like_it"],
    ];
    let text = transcript(&sandbox, lines);
    let port = taken.local_addr().unwrap().port().to_string();
    let text = text.replace(&port, "PORT");
    assert_eq!(codes(&text), BTreeSet::from(["[1]", "[2]"]));
    compare("schedule_wrong_settings", &text);
}

#[test]
fn without_a_lake_or_a_schedule() {
    let sandbox = tiny_lake();
    let text = transcript(
        &sandbox,
        [
            &["schedule", "--once", "--lake", "elsewhere"] as &[&str],
            &["schedule", "status", "--lake", "elsewhere"],
            &["schedule", "fill", "--lake", "elsewhere"],
            &["schedule", "status", "--only", "suspicious_source"],
            &["schedule", "fill"],
        ],
    );
    assert!(!sandbox.path("elsewhere").exists());
    compare("schedule_not_there", &text);
}
