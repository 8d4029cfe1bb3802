use super::super::super::{Output, Sink, StdoutSink};
use super::Bench;
use async_trait::async_trait;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

#[derive(PartialEq)]
enum State {
    Working,
    Broken,
    Hanging,
}

struct Pipe {
    state: Arc<(Mutex<State>, Condvar)>,
    taken: Arc<Mutex<Vec<u8>>>,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (state, changed) = &*self.state;
        let state = changed.wait_while(state.lock().unwrap(), |state| *state == State::Hanging);
        if *state.unwrap() == State::Broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.taken.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(in super::super) struct Stdout {
    state: Arc<(Mutex<State>, Condvar)>,
    taken: Arc<Mutex<Vec<u8>>>,
    output: Output,
}

impl Stdout {
    fn set(&self, to: State) {
        let (state, changed) = &*self.state;
        *state.lock().unwrap() = to;
        changed.notify_all();
    }
}

/// Whoever hangs is let go.
impl Drop for Stdout {
    fn drop(&mut self) {
        self.set(State::Broken);
    }
}

#[async_trait]
impl Bench for Stdout {
    async fn start() -> Self {
        let state = Arc::new((Mutex::new(State::Working), Condvar::new()));
        let taken = Arc::new(Mutex::default());
        let pipe = Pipe {
            state: Arc::clone(&state),
            taken: Arc::clone(&taken),
        };
        Self {
            state,
            taken,
            output: Arc::new(Mutex::new(pipe)),
        }
    }

    fn sink(&self) -> Box<dyn Sink> {
        Box::new(StdoutSink::new(
            "out",
            Arc::clone(&self.output),
            super::super::quick().timeout,
        ))
    }

    async fn stop_working(&self) {
        self.set(State::Broken);
    }

    async fn repair(&self) {
        self.set(State::Working);
    }

    async fn received(&self) -> Vec<String> {
        let text = String::from_utf8(self.taken.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    async fn never_answering(timeout: Duration) -> Option<(Self, Box<dyn Sink>)> {
        let bench = Self::start().await;
        bench.set(State::Hanging);
        let sink = Box::new(StdoutSink::new("out", Arc::clone(&bench.output), timeout));
        Some((bench, sink))
    }
}
