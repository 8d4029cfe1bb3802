//! What a user sees: help, errors, exit codes, results.
//!
//! Each test writes down what the program says to many command lines as one transcript, and
//! compares it with `snapshots/<name>.snap`. `INSTA_UPDATE=always` writes the
//! transcripts of now into these files; read the difference before you keep it.

mod errors;
mod explain;
mod results;
mod schedule;

use crate::sandbox::{Run, Sandbox};
use std::collections::BTreeSet;

/// Words of the libraries below and of Rust that say nothing to a user.
const INTERNALS: [&str; 14] = [
    "Error during planning",
    "Execution error",
    "External error",
    "External:",
    "Arrow error",
    "Parquet error",
    "Kernel error",
    "caused by",
    "type_coercion",
    "Optimizer rule",
    "DataFusion's code",
    "Utf8",
    "(os error",
    "panicked",
];

/// What the program says to a command line, and its exit code.
fn said(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let run = sandbox.run(arguments);
    let Run { code, stdout, stderr } = &run;
    for words in INTERNALS {
        assert!(
            !stderr.contains(words),
            "{words:?} in what {arguments:?} gives: {stderr}"
        );
    }
    let quoted = arguments.iter().map(|argument| {
        let plain = !argument.is_empty() && !argument.contains([' ', '\n', '*', '(', '\'', '[', ';']);
        if plain {
            (*argument).to_owned()
        } else {
            format!("\"{argument}\"")
        }
    });
    let quoted: Vec<String> = quoted.collect();
    let mut text = format!("$ retrohunt {}\n", quoted.join(" "));
    for line in [stdout, stderr].into_iter().flat_map(|text| text.trim_end().lines()) {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text + &format!("[{code}]\n")
}

/// [`said`] for each line, in order.
pub(crate) fn transcript<'a>(sandbox: &Sandbox, lines: impl IntoIterator<Item = &'a [&'a str]>) -> String {
    lines
        .into_iter()
        .map(|line| said(sandbox, line))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The exit codes of a transcript.
pub(crate) fn codes(transcript: &str) -> BTreeSet<&str> {
    transcript
        .lines()
        .filter(|line| line.len() == 3 && line.starts_with('[') && line != &"[]")
        .collect()
}

/// Compares with the snapshot of this name; what differs from run to run is masked.
fn compare(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // Rows and bytes depend on when a join tells its other side what to look for.
    settings.add_filter(
        r"(event|windowed|new_terms) +[\d,]+ +[\d,]+ +[\d.]+ [KMG]?i?B ",
        "$1 [ROWS] [MATCHED] [READ] ",
    );
    // Whether there is anything to share depends on who is still there.
    settings.add_filter(r"[\d.]+ [KMG]?i?B more were read once for several of them\n", "");
    settings.add_filter(r" +\d+\.\d s\b", " [SECONDS]");
    settings.add_filter(r"\(\d+ MB/s\)", "([SPEED])");
    settings.add_filter(r"part-[0-9a-f-]{36}", "part-[UUID]");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// A lake with three events that are written here, and nothing else.
pub(crate) fn tiny_lake() -> Sandbox {
    let sandbox = Sandbox::new();
    let record = |id: &str, minute: u8, operation: &str, user: &str| {
        format!(
            "{{\"CreationTime\":\"2026-03-01T08:{minute:02}:00\",\"Id\":\"{id}\",\"Operation\":\"{operation}\",\
             \"OrganizationId\":\"o\",\"RecordType\":1,\"UserKey\":\"k\",\"UserType\":0,\"Version\":1,\
             \"Workload\":\"Exchange\",\"UserId\":\"{user}@contoso.example\",\"ClientIPAddress\":\"198.51.100.{minute}\",\
             \"Note\":\"a \\\"quoted\\\" word, and a comma\"}}\n"
        )
    };
    let log = record("e-1", 1, "New-InboxRule", "ann") + &record("e-2", 2, "Set-Mailbox", "ann");
    let path = sandbox.file("log.json", log + &record("e-3", 3, "New-InboxRule", "ben"));
    assert_eq!(sandbox.ingest(&[&path]), [3, 3, 0, 0]);
    sandbox
}

#[test]
fn help_says_what_is_needed_in_80_columns() {
    let commands: [&[&str]; 30] = [
        &[],
        &["demo"],
        &["ingest"],
        &["hunt"],
        &["alerts"],
        &["alerts", "list"],
        &["alerts", "show"],
        &["alerts", "promote"],
        &["schedule"],
        &["schedule", "status"],
        &["schedule", "fill"],
        &["evidence"],
        &["lake"],
        &["lake", "info"],
        &["lake", "check"],
        &["lake", "compact"],
        &["lake", "coverage"],
        &["lake", "vacuum"],
        &["mailbox"],
        &["bench"],
        &["plan"],
        &["detections"],
        &["detections", "list"],
        &["detections", "show"],
        &["detections", "check"],
        &["sql"],
        &["functions"],
        &["generate"],
        &["completions"],
        &["--version"],
    ];
    let sandbox = Sandbox::new();
    let help: Vec<Vec<&str>> = commands
        .iter()
        .map(|command| [command, &["--help"][..]].concat())
        .collect();
    let text = transcript(&sandbox, help.iter().map(Vec::as_slice));
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let listed = sandbox.ok(&["--help"]);
    let listed = listed
        .split("Commands:")
        .nth(1)
        .unwrap()
        .split("Options:")
        .next()
        .unwrap();
    let names = listed
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    for name in names.map(|line| line.split_whitespace().next().unwrap()) {
        assert!(
            commands.iter().any(|command| command.first() == Some(&name)),
            "{name} is not in this test"
        );
    }
    compare("help", &text);
}
