//! `retrohunt lake`

mod check;
mod compact;
mod coverage;
mod info;
mod vacuum;

use super::Outcome;
use super::args::LakeArgs;
use crate::config::Resources;
use crate::error::Result;
use clap::{Args, Subcommand};

/// What a lake holds, whether it is whole, and its upkeep
#[derive(Debug, Args)]
pub(crate) struct LakeCommandArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Info(info::InfoArgs),
    Check(check::CheckArgs),
    Compact(compact::CompactArgs),
    Vacuum(vacuum::VacuumArgs),
    Coverage(coverage::CoverageArgs),
}

pub(crate) async fn run(args: LakeCommandArgs, resources: Resources) -> Result<Outcome> {
    match args.action {
        Action::Info(args) => info::run(args).await,
        Action::Check(args) => check::run(args, resources).await,
        Action::Compact(args) => compact::run(args, resources).await,
        Action::Vacuum(args) => vacuum::run(args).await,
        Action::Coverage(args) => coverage::run(args, resources).await,
    }
}
