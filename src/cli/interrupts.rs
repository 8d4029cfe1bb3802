//! Ctrl-C, for commands that have something to show when they are ended early.

use super::output;
use crate::hunt::Stop;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Counts how often Ctrl-C was pressed, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Interrupts {
    times: Stop,
    watching: JoinHandle<()>,
}

impl Interrupts {
    /// Begins to watch: from here on, Ctrl-C does not end the program.
    pub(crate) fn watch() -> Self {
        let (sender, times) = watch::channel(0);
        let watching = tokio::spawn(async move {
            // Where signals cannot be watched, Ctrl-C ends the program as it always does.
            while tokio::signal::ctrl_c().await.is_ok() {
                // Said first: what ends then says more.
                output::note("interrupted: ending");
                sender.send_modify(|times| *times += 1);
            }
            // Kept open: a closed channel is no wish to end.
            std::future::pending::<()>().await;
        });
        Self { times, watching }
    }

    /// For what ends itself.
    pub(crate) fn stop(&self) -> Stop {
        self.times.clone()
    }

    /// Ends with the next Ctrl-C.
    pub(crate) async fn next(&self) {
        let mut times = self.stop();
        let before = *times.borrow_and_update();
        if times.wait_for(|now| *now > before).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        self.watching.abort();
    }
}
