//! Health and metrics over HTTP, for whoever watches over a schedule: `/healthz`, `/readyz` and
//! `/metrics`. It only reads what the scheduler leaves here.

use super::metrics::{CONTENT_TYPE, Metrics};
use crate::error::{Error, Result};
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tiny_http::{Header, Method, Request, Response, Server};

/// Requests that are answered at once. Who reads its answer slowly must not keep the others waiting,
/// and must not make more and more threads.
const AT_ONCE: usize = 16;

/// How long after the listening broke down it is tried again.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// What a scheduler tells of itself.
#[derive(Debug)]
pub struct Health {
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    progress: Instant,
    rounds: u64,
    lease_held: bool,
    stopping: bool,
}

/// What is told to whoever asks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Condition {
    /// `starting`, `ok`, `stalled` or `stopping`.
    pub status: &'static str,
    /// Rounds since the start.
    pub rounds: u64,
    /// Seconds since the last sign of progress.
    pub last_progress_seconds: f64,
    /// Seconds without progress after which it is stalled.
    pub patience_seconds: f64,
    /// Whether this scheduler holds the lease; another one does where it does not.
    pub lease_held: bool,
}

impl Condition {
    /// Whether it is alive: it makes progress, or has not been given the time to.
    pub fn is_healthy(&self) -> bool {
        matches!(self.status, "starting" | "ok")
    }

    /// Whether it does what it is there for.
    pub fn is_ready(&self) -> bool {
        self.status == "ok"
    }
}

impl Health {
    /// Of a scheduler that starts now, and is stalled after so long without progress: several of
    /// its shortest intervals, and longer than one evaluation may take.
    pub fn new(patience: Duration) -> Self {
        let state = State {
            progress: Instant::now(),
            rounds: 0,
            lease_held: false,
            stopping: false,
        };
        Self {
            patience,
            state: Mutex::new(state),
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Something was done, such as one evaluation of many in a long round.
    pub fn progress(&self) {
        self.change(|state| state.progress = Instant::now());
    }

    /// A round has ended, with something to do or without.
    pub fn round_ended(&self) {
        self.change(|state| {
            state.progress = Instant::now();
            state.rounds += 1;
        });
    }

    /// Whether this scheduler holds the lease.
    pub fn lease(&self, held: bool) {
        self.change(|state| state.lease_held = held);
    }

    /// It was told to stop, and nothing more should be sent to it.
    pub fn stopping(&self) {
        self.change(|state| state.stopping = true);
    }

    /// How it is at this moment.
    pub fn condition(&self, now: Instant) -> Condition {
        let state = *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.saturating_duration_since(state.progress);
        let status = match state {
            State { stopping: true, .. } => "stopping",
            _ if since > self.patience => "stalled",
            State { rounds: 0, .. } => "starting",
            _ => "ok",
        };
        Condition {
            status,
            rounds: state.rounds,
            last_progress_seconds: since.as_millis() as f64 / 1000.0,
            patience_seconds: self.patience.as_secs_f64(),
            lease_held: state.lease_held,
        }
    }
}

/// Answers requests until it is dropped.
#[derive(Debug)]
pub struct StatusServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    /// The server that listens now.
    server: Mutex<Arc<Server>>,
    stop: AtomicBool,
    answering: AtomicUsize,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl StatusServer {
    /// Listens at an address; port 0 is any that is free.
    ///
    /// Fails with [`Error::Setting`] where that is not possible.
    pub fn start(address: SocketAddr, metrics: Arc<Metrics>, health: Arc<Health>) -> Result<Self> {
        let wrong = |problem: String| Error::Setting {
            setting: format!("listen {address}"),
            problem,
        };
        let server = Server::http(address).map_err(|error| match error.downcast_ref::<std::io::Error>() {
            Some(error) if error.kind() == std::io::ErrorKind::AddrInUse => wrong(
                "is used by another program, perhaps by another schedule; give another port, or off (--listen)".into(),
            ),
            _ => wrong(format!(
                "cannot listen there ({}); give another address, or off (--listen)",
                error.to_string().split(" (os error ").next().unwrap_or_default()
            )),
        })?;
        let address = server.server_addr().to_ip().unwrap_or(address);
        let shared = Arc::new(Shared {
            metrics,
            health,
            server: Mutex::new(Arc::new(server)),
            stop: AtomicBool::new(false),
            answering: AtomicUsize::new(0),
        });
        let thread = {
            let shared = Arc::clone(&shared);
            let builder = std::thread::Builder::new().name("status".into());
            builder.spawn(move || serve(&shared, address))
        };
        let thread = thread.map_err(|error| Error::Internal(format!("cannot start a thread: {error}")))?;
        Ok(Self {
            address,
            shared,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for StatusServer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.server().unblock();
        if let Some(thread) = self.thread.take() {
            // It does not panic, and there would be nothing to do about it.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn server(&self) -> Arc<Server> {
        Arc::clone(&self.server.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

fn serve(shared: &Arc<Shared>, address: SocketAddr) {
    loop {
        let server = shared.server();
        while let Ok(request) = server.recv() {
            if shared.is_stopped() {
                return;
            }
            answer_beside(shared, request);
        }
        // The listening has ended: because it should, or because of what the system says, such as
        // too many open files.
        loop {
            if shared.is_stopped() {
                return;
            }
            std::thread::sleep(LISTEN_AGAIN);
            if let Ok(server) = Server::http(address) {
                tracing::warn!(%address, "listening again");
                *shared.server.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(server);
                break;
            }
        }
    }
}

fn answer_beside(shared: &Arc<Shared>, request: Request) {
    if shared.answering.fetch_add(1, Ordering::SeqCst) >= AT_ONCE {
        shared.answering.fetch_sub(1, Ordering::SeqCst);
        // To take leave of a request may mean to wait for it as well, so nobody does.
        return drop(std::thread::Builder::new().spawn(move || drop(request)));
    }
    let for_thread = Arc::clone(shared);
    let answering = std::thread::Builder::new().spawn(move || {
        let response = for_thread.answer(request.method(), request.url());
        // Who asked may have left.
        let _ = request.respond(response);
        for_thread.answering.fetch_sub(1, Ordering::SeqCst);
    });
    if answering.is_err() {
        shared.answering.fetch_sub(1, Ordering::SeqCst);
    }
}

type Answer = Response<std::io::Cursor<Vec<u8>>>;

impl Shared {
    fn answer(&self, method: &Method, url: &str) -> Answer {
        if !matches!(method, Method::Get | Method::Head) {
            return with_header(text(405, "only GET and HEAD\n".into()), "Allow", "GET, HEAD");
        }
        let condition = || self.health.condition(Instant::now());
        match url.split('?').next().unwrap_or_default() {
            "/healthz" => {
                let condition = condition();
                json(condition.is_healthy(), &condition)
            }
            "/readyz" => {
                let condition = condition();
                json(condition.is_ready(), &condition)
            }
            "/metrics" => match self.metrics.text() {
                Ok(metrics) => typed(200, metrics, CONTENT_TYPE),
                Err(error) => text(500, format!("{error}\n")),
            },
            _ => text(404, "there is /healthz, /readyz and /metrics\n".into()),
        }
    }
}

fn json(fine: bool, condition: &Condition) -> Answer {
    let body = serde_json::to_string(condition).unwrap_or_default() + "\n";
    typed(if fine { 200 } else { 503 }, body, "application/json")
}

fn text(code: u16, body: String) -> Answer {
    typed(code, body, "text/plain; charset=utf-8")
}

fn typed(code: u16, body: String, content_type: &str) -> Answer {
    let response = Response::from_data(body.into_bytes()).with_status_code(code);
    let response = with_header(response, "Content-Type", content_type);
    with_header(response, "Cache-Control", "no-store")
}

fn with_header(response: Answer, name: &str, value: &str) -> Answer {
    match Header::from_bytes(name, value) {
        Ok(header) => response.with_header(header),
        Err(()) => response,
    }
}

#[cfg(test)]
mod tests;
