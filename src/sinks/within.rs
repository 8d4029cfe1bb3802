//! Work that blocks, for no longer than it may.

use std::sync::{Arc, Mutex, TryLockError};
use std::time::Duration;

/// Does one thing at a time on a thread of its own, which nobody waits for when it hangs: not the
/// caller, and not the end of the program.
#[derive(Debug, Clone, Default)]
pub(super) struct Worker(Arc<Mutex<()>>);

impl Worker {
    /// What the work gives, or what is wrong. While an earlier work hangs, none is begun, so that
    /// nothing is written out of order.
    pub(super) async fn run(
        &self,
        timeout: Duration,
        work: impl FnOnce() -> std::io::Result<()> + Send + 'static,
    ) -> Result<(), String> {
        let (done, wait) = tokio::sync::oneshot::channel();
        let one_at_a_time = Arc::clone(&self.0);
        let spawned = std::thread::Builder::new().name("sink".into()).spawn(move || {
            let result = match one_at_a_time.try_lock() {
                Err(TryLockError::WouldBlock) => Err("an earlier write still hangs".to_owned()),
                _guard => work().map_err(|error| said(&error)),
            };
            // Who waited may have given up.
            let _ = done.send(result);
        });
        if let Err(error) = spawned {
            return Err(said(&error));
        }
        match tokio::time::timeout(timeout, wait).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err("the write was not finished".into()),
            Err(_) => Err(no_answer(timeout)),
        }
    }
}

/// What the system says, without its number for it.
pub(super) fn said(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error ").next().unwrap_or(&text).to_owned()
}

/// The problem of what took too long.
pub(super) fn no_answer(timeout: Duration) -> String {
    format!("not done within {} s (timeout)", timeout.as_secs_f64())
}
