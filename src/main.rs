//! The command `retrohunt`.

use std::process::ExitCode;

fn main() -> ExitCode {
    retrohunt::cli::main()
}
