//! `retrohunt schedule`

mod fill;
mod planned;
mod run;
mod status;
mod watch;

use super::Outcome;
use crate::config::Resources;
use crate::error::Result;
use clap::{Args, Subcommand};
use planned::PlanArgs;

/// Run detections at their intervals, for ever, on a lake that grows
///
/// Each detection is evaluated at its ticks, on what arrived since the last one; what arrives late
/// opens again the windows that it belongs to. Alerts go to the lake's table `alerts` (retrohunt
/// alerts list) and to the sinks of the settings. All that the schedule knows is in the lake: it
/// may be ended and begun anywhere, and two of them on one lake do not alert twice. The first run
/// looks at all that the lake holds, unless --start says otherwise.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ScheduleCommandArgs {
    #[command(subcommand)]
    command: Option<ScheduleCommand>,

    #[command(flatten)]
    run: run::RunArgs,
}

#[derive(Debug, Subcommand)]
enum ScheduleCommand {
    Status(status::StatusArgs),
    Fill(fill::FillArgs),
}

pub(crate) async fn run(args: ScheduleCommandArgs, resources: Resources) -> Result<Outcome> {
    match args.command {
        None => run::run(args.run, resources).await,
        Some(ScheduleCommand::Status(args)) => status::run(args, resources).await,
        Some(ScheduleCommand::Fill(args)) => fill::run(args, resources).await,
    }
}
