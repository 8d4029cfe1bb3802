# Shortcuts; everything also works with plain cargo.

# What CI runs
ci:
    .ci/run

# Sample logs in, detections run, alerts shown
demo:
    cargo run -- demo

# All tests
test *ARGS:
    cargo test {{ARGS}}

# Accept changed snapshots of the command line's output
accept:
    INSTA_UPDATE=always cargo test

# Rewrite the expected results of the sqllogictest files
slt-complete:
    SLT_COMPLETE=1 cargo test --test it slt

# Licences, advisories and sources of the dependencies (needs cargo-deny)
deny:
    cargo deny check

# Ingest speed on a generated folder, in release
bench:
    cargo bench --bench ingest
