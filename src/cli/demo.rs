//! `retrohunt demo`

use super::args::OutputArgs;
use super::hunt::{Wanted, hunt_and_print};
use super::verify::VerifyArgs;
use super::{Outcome, ingest, output};
use crate::config::Resources;
use crate::detections;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::hunt::HuntRequest;
use crate::ingest::{IngestRequest, Stop};
use crate::lake::Lake;
use clap::Args;
use include_dir::{Dir, include_dir};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

static SAMPLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/data/contoso");

/// Sample logs in, detections run, alerts shown
///
/// Writes the logs of an invented tenant, in every format that is read, into a folder,
/// ingests them into a lake beside them and hunts it with the built-in detections. The
/// logs hold a phished account and much that only looks like it, and a few damaged files.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where the logs and the lake go
    #[arg(long, value_name = "DIR", default_value = "retrohunt-demo")]
    dir: PathBuf,

    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) async fn run(args: DemoArgs, resources: Resources) -> Result<Outcome> {
    args.output.check()?;
    let logs = args.dir.join("logs");
    std::fs::create_dir_all(&logs)
        .and_then(|()| SAMPLES.extract(&logs))
        .map_err(|source| Error::File {
            path: logs.clone(),
            source,
        })?;
    let lake_path = args.dir.join("lake").display().to_string();
    let lake = Lake::at(&lake_path)?;
    output::note(format_args!(
        "{} sample logs in {}\n",
        SAMPLES.files().count(),
        logs.display()
    ));

    let request = IngestRequest {
        paths: vec![logs.display().to_string()],
        memory_limit: resources.memory_limit,
        threads: resources.threads,
        again: false,
        unwrap: true,
    };
    let bar = Arc::new(output::BytesBar::new("ingesting"));
    let started = Instant::now();
    let ingested = crate::ingest::ingest(&lake, request, Arc::clone(&bar) as _, Stop::default()).await;
    bar.finish();
    output::note(ingest::summary(&ingested?, &lake_path, started.elapsed().as_secs_f64()));

    let engine = Engine::open(&lake, resources).await?;
    let chosen = detections::select(detections::embedded()?, &[])?;
    let request = HuntRequest {
        from: None,
        to: None,
        per_window: false,
        replay: false,
        suppressed: false,
    };
    let wanted = Wanted {
        output: &args.output,
        most: None,
        report: None,
        verify: VerifyArgs::default(),
    };
    let hunted = hunt_and_print(&engine, &chosen, request, wanted).await?;
    output::note(format_args!(
        "\nNow ask it yourself:\n  retrohunt sql \"SELECT event.action, count(*) AS n FROM events GROUP BY 1 ORDER BY n DESC\" --lake {lake_path}\n  \
         retrohunt mailbox ann.keller@contoso.example --lake {lake_path}\n  \
         retrohunt detections show suspicious_source"
    ));
    hunted.outcome()
}
