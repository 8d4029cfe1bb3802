//! Health and metrics over HTTP, for whoever watches over a schedule: `/healthz`, `/readyz` and
//! `/metrics`. It only reads what the scheduler leaves here.
//!
//! It has threads of its own, so that it answers however busy the others are.

mod connection;
mod health;
#[cfg(test)]
mod tests;

pub use health::{Condition, Health};

use super::metrics::{CONTENT_TYPE, Metrics};
use crate::error::{Error, Result};
use connection::{Answer, Asked};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Connections at once: each has a thread.
const AT_ONCE: usize = 64;

/// How long a connection may take.
const TIME: Duration = Duration::from_secs(5);

/// How long after the system refused a connection, as with too many open files, the next is taken.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// Answers requests until it is dropped.
#[derive(Debug)]
pub struct StatusServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    time: Duration,
    stop: AtomicBool,
    answering: AtomicUsize,
}

impl StatusServer {
    /// Listens at an address; port 0 is any that is free.
    ///
    /// Fails with [`Error::Setting`] where that is not possible.
    pub fn start(address: SocketAddr, metrics: Arc<Metrics>, health: Arc<Health>) -> Result<Self> {
        Self::start_with(address, metrics, health, TIME)
    }

    fn start_with(address: SocketAddr, metrics: Arc<Metrics>, health: Arc<Health>, time: Duration) -> Result<Self> {
        let listener = TcpListener::bind(address).map_err(|error| cannot_listen(address, &error))?;
        let address = listener.local_addr().unwrap_or(address);
        let shared = Arc::new(Shared {
            metrics,
            health,
            time,
            stop: AtomicBool::new(false),
            answering: AtomicUsize::new(0),
        });
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("status".into())
            .spawn(move || listen(&listener, &for_thread))
            .map_err(|error| Error::Internal(format!("cannot start a thread: {error}")))?;
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

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Error {
    let problem = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "is used by another program, perhaps by another schedule; give another port, or off (--listen)".into()
        }
        _ => format!(
            "cannot listen there ({}); give another address, or off (--listen)",
            error.to_string().split(" (os error ").next().unwrap_or_default()
        ),
    };
    Error::Setting {
        setting: format!("listen {address}"),
        problem,
    }
}

impl Drop for StatusServer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Who waits for a connection sees this one.
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        let woken = TcpStream::connect_timeout(&address, TIME).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            // It does not panic, and there would be nothing to do about it.
            let _ = thread.join();
        }
    }
}

fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    loop {
        let accepted = listener.accept();
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        match accepted {
            Ok((stream, _)) => answer_beside(shared, stream),
            Err(error) => {
                tracing::warn!(%error, "a connection for health or metrics was not accepted");
                std::thread::sleep(ACCEPT_AGAIN);
            }
        }
    }
}

fn answer_beside(shared: &Arc<Shared>, mut stream: TcpStream) {
    let for_thread = Arc::clone(shared);
    // Too many, and it is dropped, which closes it.
    if shared.answering.fetch_add(1, Ordering::SeqCst) >= AT_ONCE {
        shared.answering.fetch_sub(1, Ordering::SeqCst);
        return;
    }
    let answering = std::thread::Builder::new().name("status".into()).spawn(move || {
        // Who asked may have left, or never come to the point.
        let _ = connection::serve(&mut stream, for_thread.time, |asked| for_thread.answer(asked));
        for_thread.answering.fetch_sub(1, Ordering::SeqCst);
    });
    if answering.is_err() {
        shared.answering.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Shared {
    fn answer(&self, asked: &Asked) -> Answer {
        if !matches!(asked.method.as_str(), "GET" | "HEAD") {
            return Answer::text("405 Method Not Allowed", "only GET and HEAD\n");
        }
        let condition = || self.health.condition(Instant::now());
        match asked.path.as_str() {
            "/healthz" => {
                let condition = condition();
                json(condition.is_healthy(), &condition)
            }
            "/readyz" => {
                let condition = condition();
                json(condition.is_ready(), &condition)
            }
            "/metrics" => match self.metrics.text() {
                Ok(body) => Answer {
                    status: "200 OK",
                    content_type: CONTENT_TYPE,
                    body,
                },
                Err(error) => Answer::text("500 Internal Server Error", &format!("{error}\n")),
            },
            _ => Answer::text("404 Not Found", "there is /healthz, /readyz and /metrics\n"),
        }
    }
}

fn json(fine: bool, condition: &Condition) -> Answer {
    Answer {
        status: if fine { "200 OK" } else { "503 Service Unavailable" },
        content_type: "application/json",
        body: serde_json::to_string(condition).unwrap_or_default() + "\n",
    }
}
