//! `retrohunt hunt --verify`

use super::interrupts::Interrupts;
use super::output;
use crate::detections::Detection;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::hunt::{HuntRequest, verify};
use crate::report::human::{count, counted};
use clap::Args;
use std::collections::BTreeSet;

/// Whether and what to verify.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct VerifyArgs {
    /// Evaluate N random ticks of what one pass answered by themselves as well, and say
    /// what differs
    #[arg(long, value_name = "N")]
    verify: Option<u64>,

    /// Chooses the ticks of --verify: the same seed, the same ticks (default: a random one)
    #[arg(long, value_name = "SEED", requires = "verify")]
    verify_seed: Option<u64>,
}

/// Verifies a hunt of these detections. Differences go to standard error, a line of JSON
/// each, and are an error.
pub(crate) async fn verify_and_print(
    engine: &Engine,
    done: &[&Detection],
    request: HuntRequest,
    args: VerifyArgs,
    interrupts: &Interrupts,
) -> Result<()> {
    let Some(wanted) = args.verify else {
        return Ok(());
    };
    let seed = args.verify_seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().1);
    let spinner = output::spinner("verifying");
    let verified = tokio::select! {
        verified = verify(engine, done, request, wanted, seed) => verified,
        () = interrupts.next() => Err(Error::Interrupted),
    };
    spinner.finish_and_clear();
    let verified = verified?;
    for difference in &verified.differences {
        let line = serde_json::to_string(difference).map_err(|error| Error::Internal(error.to_string()))?;
        output::note(line);
    }
    let ticks = counted(verified.ticks, "tick", "ticks");
    if verified.differences.is_empty() {
        let why = match verified.ticks {
            0 if wanted > 0 => "; one pass answered none",
            _ => "",
        };
        output::note(format_args!(
            "verified {ticks}: no difference (--verify-seed {seed}){why}"
        ));
        return Ok(());
    }
    let differ = verified.differences.iter();
    let differ: BTreeSet<(&str, &str)> = differ
        .map(|difference| (difference.detection.as_str(), difference.tick.as_str()))
        .collect();
    Err(Error::Detection(format!(
        "one pass and replay differ at {} of {ticks} (--verify-seed {seed}), see above; floating-point results need \
         round(x, 6), and anything else is a bug in retrohunt: --replay gives what is right",
        count(differ.len() as u64)
    )))
}
