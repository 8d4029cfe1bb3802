//! `retrohunt functions`

use super::{Outcome, output};
use crate::error::{Error, Result};
use crate::functions;
use clap::Args;
use datafusion::logical_expr::Documentation;
use std::fmt::Write as _;

/// Describe the SQL functions that standard SQL does not have
#[derive(Debug, Args)]
pub(crate) struct FunctionsArgs {
    /// Describe only this function
    name: Option<String>,
}

pub(crate) fn run(args: &FunctionsArgs) -> Result<Outcome> {
    let scalar = functions::scalar();
    let aggregate = functions::aggregate();
    let documented = scalar
        .iter()
        .map(|function| (function.name(), function.documentation()))
        .chain(
            aggregate
                .iter()
                .map(|function| (function.name(), function.documentation())),
        );
    let mut all: Vec<(&str, &Documentation)> = documented
        .filter_map(|(name, documentation)| Some((name, documentation?)))
        .collect();
    all.sort_by_key(|(name, _)| *name);
    let mut text = String::new();
    match &args.name {
        None => {
            for (_, documentation) in all {
                let description = documentation.description.lines().next().unwrap_or_default();
                let sentence = description.split(". ").next().unwrap_or_default().trim_end_matches('.');
                let _ = writeln!(text, "{}", documentation.syntax_example);
                text.push_str(&output::wrapped(&format!("{sentence}."), "    "));
            }
            text.push_str("\n`retrohunt functions NAME` describes one whole, with an example.\n");
            text.push_str("All functions of DataFusion's SQL are there as well.\n");
        }
        Some(wanted) => {
            let (name, documentation) = all
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .ok_or_else(|| Error::Unknown {
                    kind: "function",
                    name: wanted.clone(),
                    nearest: output::nearest(wanted, all.iter().map(|(name, _)| *name)),
                })?;
            describe(&mut text, name, documentation);
        }
    }
    output::data(&text)?;
    Ok(Outcome::Done)
}

fn describe(text: &mut String, name: &str, documentation: &Documentation) {
    let _ = writeln!(
        text,
        "{name}\n\n    {}\n\n{}",
        documentation.syntax_example,
        output::wrapped(&documentation.description, "")
    );
    for (argument, meaning) in documentation.arguments.iter().flatten() {
        let _ = writeln!(text, "  {argument}");
        text.push_str(&output::wrapped(meaning, "      "));
    }
    if let Some(example) = &documentation.sql_example {
        let _ = writeln!(text, "\n{example}");
    }
}
