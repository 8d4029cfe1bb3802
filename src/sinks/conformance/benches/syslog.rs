//! Receivers of syslog over each transport.

use super::super::super::{Sink, SyslogSettings, SyslogSink};
use super::{Bench, sink};
use async_trait::async_trait;
use serde::Deserialize as _;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::{JoinHandle, JoinSet};

type Taken = Arc<Mutex<Vec<String>>>;

/// The text of a message of a high severity to local0, which is the alert as JSON.
fn text_of(message: &str) -> String {
    assert!(message.starts_with("<131>1 2026-03-01T00:00:"), "{message}");
    let (header, text) = message.split_once("] \u{feff}").unwrap();
    assert!(header.contains(" retrohunt ") && header.contains(" alert [retrohunt@32473 alert_id="));
    text.to_owned()
}

#[derive(Clone, Copy)]
enum State {
    Working,
    /// Hangs up on everybody.
    Broken,
    /// Reads nothing.
    Silent,
}

async fn serve(mut stream: impl AsyncRead + Unpin, state: State, taken: Taken) {
    match state {
        State::Broken => return,
        State::Silent => return std::future::pending().await,
        State::Working => {}
    }
    let mut bytes = Vec::new();
    if stream.read_to_end(&mut bytes).await.is_err() {
        return;
    }
    let mut rest = bytes.as_slice();
    let mut texts = Vec::new();
    while !rest.is_empty() {
        let space = rest.iter().position(|byte| *byte == b' ').unwrap();
        let length: usize = std::str::from_utf8(&rest[..space]).unwrap().parse().unwrap();
        let (frame, after) = rest[space + 1..].split_at(length);
        texts.push(text_of(std::str::from_utf8(frame).unwrap()));
        rest = after;
    }
    taken.lock().unwrap().extend(texts);
}

/// A receiver of streams.
struct Streams {
    state: Arc<Mutex<State>>,
    taken: Taken,
    task: JoinHandle<()>,
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Streams {
    fn set(&self, state: State) {
        *self.state.lock().unwrap() = state;
    }

    fn received(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
}

macro_rules! accepting {
    ($listener:expr) => {{
        let listener = $listener;
        let state = Arc::new(Mutex::new(State::Working));
        let taken = Taken::default();
        let (now, texts) = (Arc::clone(&state), Arc::clone(&taken));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let state = *now.lock().unwrap();
                connections.spawn(serve(stream, state, Arc::clone(&texts)));
            }
        });
        Streams { state, taken, task }
    }};
}

fn impatient(address: &str, timeout: Duration) -> Box<dyn Sink> {
    let settings: toml::Table = toml::from_str(&format!("address = '{address}'")).unwrap();
    let settings = SyslogSettings::deserialize(settings).unwrap();
    Box::new(SyslogSink::new("soc", &settings, timeout).unwrap())
}

/// Over TCP.
pub(in super::super) struct Tcp {
    streams: Streams,
    address: String,
}

#[async_trait]
impl Bench for Tcp {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        Self {
            streams: accepting!(listener),
            address,
        }
    }

    fn sink(&self) -> Box<dyn Sink> {
        sink(&format!(
            "kind = 'syslog'\nmax_size = '4MB'\naddress = '{}'",
            self.address
        ))
    }

    async fn stop_working(&self) {
        self.streams.set(State::Broken);
    }

    async fn repair(&self) {
        self.streams.set(State::Working);
    }

    async fn received(&self) -> Vec<String> {
        self.streams.received()
    }

    async fn never_answering(timeout: Duration) -> Option<(Self, Box<dyn Sink>)> {
        let bench = Self::start().await;
        bench.streams.set(State::Silent);
        let sink = impatient(&bench.address, timeout);
        Some((bench, sink))
    }
}

/// Over a socket of this machine that takes streams.
pub(in super::super) struct UnixStream {
    streams: Streams,
    folder: TempDir,
}

impl UnixStream {
    fn address(&self) -> String {
        format!("unix://{}/log", self.folder.path().display())
    }
}

#[async_trait]
impl Bench for UnixStream {
    const MOST: Option<usize> = Some(7_500);

    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("log")).unwrap();
        Self {
            streams: accepting!(listener),
            folder,
        }
    }

    fn sink(&self) -> Box<dyn Sink> {
        sink(&format!("kind = 'syslog'\naddress = '{}'", self.address()))
    }

    async fn stop_working(&self) {
        self.streams.set(State::Broken);
    }

    async fn repair(&self) {
        self.streams.set(State::Working);
    }

    async fn received(&self) -> Vec<String> {
        self.streams.received()
    }

    async fn never_answering(timeout: Duration) -> Option<(Self, Box<dyn Sink>)> {
        let bench = Self::start().await;
        bench.streams.set(State::Silent);
        let sink = impatient(&bench.address(), timeout);
        Some((bench, sink))
    }
}

/// Over UDP. What was sent is in the socket when sending returns, on this machine.
pub(in super::super) struct Udp {
    socket: Mutex<Option<std::net::UdpSocket>>,
    place: String,
    taken: Taken,
}

impl Udp {
    fn bind(place: &str) -> std::net::UdpSocket {
        let socket = std::net::UdpSocket::bind(place).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    }

    fn drain(&self) {
        let mut buffer = vec![0; 65_536];
        if let Some(socket) = &*self.socket.lock().unwrap() {
            while let Ok(length) = socket.recv(&mut buffer) {
                let message = std::str::from_utf8(&buffer[..length]).unwrap();
                self.taken.lock().unwrap().push(text_of(message));
            }
        }
    }
}

#[async_trait]
impl Bench for Udp {
    const MOST: Option<usize> = Some(7_500);

    async fn start() -> Self {
        let socket = Self::bind("127.0.0.1:0");
        Self {
            place: socket.local_addr().unwrap().to_string(),
            socket: Mutex::new(Some(socket)),
            taken: Taken::default(),
        }
    }

    fn sink(&self) -> Box<dyn Sink> {
        sink(&format!("kind = 'syslog'\naddress = 'udp://{}'", self.place))
    }

    async fn stop_working(&self) {
        self.drain();
        *self.socket.lock().unwrap() = None;
    }

    async fn repair(&self) {
        *self.socket.lock().unwrap() = Some(Self::bind(&self.place));
    }

    async fn received(&self) -> Vec<String> {
        self.drain();
        self.taken.lock().unwrap().clone()
    }

    /// Nobody answers datagrams.
    async fn never_answering(_: Duration) -> Option<(Self, Box<dyn Sink>)> {
        None
    }
}

/// Over a socket of this machine that takes datagrams, as /dev/log does.
pub(in super::super) struct UnixDatagram {
    folder: TempDir,
    reader: Mutex<Option<JoinHandle<()>>>,
    taken: Taken,
    /// What a test sends itself, to know that all before it was read.
    marks: Arc<Mutex<VecDeque<tokio::sync::oneshot::Sender<()>>>>,
}

impl UnixDatagram {
    fn path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn listen(&self) {
        let socket = tokio::net::UnixDatagram::bind(self.path()).unwrap();
        let (taken, marks) = (Arc::clone(&self.taken), Arc::clone(&self.marks));
        let reader = tokio::spawn(async move {
            let mut buffer = vec![0; 1 << 20];
            while let Ok(length) = socket.recv(&mut buffer).await {
                match std::str::from_utf8(&buffer[..length]).unwrap() {
                    "mark" => marks.lock().unwrap().pop_front().unwrap().send(()).unwrap(),
                    message => taken.lock().unwrap().push(text_of(message)),
                }
            }
        });
        *self.reader.lock().unwrap() = Some(reader);
    }

    async fn drain(&self) {
        let (mark, read) = tokio::sync::oneshot::channel();
        self.marks.lock().unwrap().push_back(mark);
        let socket = tokio::net::UnixDatagram::unbound().unwrap();
        socket.send_to(b"mark", self.path()).await.unwrap();
        read.await.unwrap();
    }
}

impl Drop for UnixDatagram {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.lock().unwrap().take() {
            reader.abort();
        }
    }
}

#[async_trait]
impl Bench for UnixDatagram {
    const MOST: Option<usize> = Some(7_500);

    async fn start() -> Self {
        let bench = Self {
            folder: tempfile::tempdir().unwrap(),
            reader: Mutex::default(),
            taken: Taken::default(),
            marks: Arc::default(),
        };
        bench.listen();
        bench
    }

    fn sink(&self) -> Box<dyn Sink> {
        sink(&format!(
            "kind = 'syslog'\naddress = 'unix://{}'",
            self.path().display()
        ))
    }

    async fn stop_working(&self) {
        self.drain().await;
        let reader = self.reader.lock().unwrap().take().unwrap();
        reader.abort();
        let _ = reader.await;
        std::fs::remove_file(self.path()).unwrap();
    }

    async fn repair(&self) {
        self.listen();
    }

    async fn received(&self) -> Vec<String> {
        self.drain().await;
        self.taken.lock().unwrap().clone()
    }

    /// Nobody answers datagrams.
    async fn never_answering(_: Duration) -> Option<(Self, Box<dyn Sink>)> {
        None
    }
}
