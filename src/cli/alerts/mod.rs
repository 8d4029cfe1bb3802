//! `retrohunt alerts`

mod list;
pub(super) mod print;
mod promote;
mod show;

use super::Outcome;
use crate::config::Resources;
use crate::error::Result;
use clap::{Args, Subcommand};

/// Alerts that the lake has recorded: list, show, and record those of a hunt
#[derive(Debug, Args)]
pub(crate) struct AlertsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Promote(promote::PromoteArgs),
}

pub(crate) async fn run(args: AlertsArgs, resources: Resources) -> Result<Outcome> {
    match args.action {
        Action::List(args) => list::run(args, resources).await,
        Action::Show(args) => show::run(args, resources).await,
        Action::Promote(args) => promote::run(args).await,
    }
}
