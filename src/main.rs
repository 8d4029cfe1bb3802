//! The command `retrohunt`.

use std::process::ExitCode;

/// With glibc's allocator, a hunt that goes to disk held up to three times what it had
/// allocated (10 million events, `--memory-limit 256MB`): many threads take small pieces, and
/// what they give back stays with them.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    retrohunt::cli::main()
}
