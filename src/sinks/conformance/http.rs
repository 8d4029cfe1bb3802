//! A server for HTTP that answers as a test wants.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as it came.
#[derive(Debug, Clone)]
pub(in crate::sinks) struct Request {
    pub(in crate::sinks) line: String,
    /// By their names in lower case.
    pub(in crate::sinks) headers: BTreeMap<String, String>,
    pub(in crate::sinks) body: String,
}

/// What the server does with one.
#[derive(Debug, Clone)]
pub(in crate::sinks) enum Answer {
    /// Status, further header lines, body.
    Say(u16, &'static str, String),
    Nothing,
    HangUp,
}

type Rule = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

/// Listens on this machine until it is dropped.
pub(in crate::sinks) struct Server {
    pub(in crate::sinks) address: String,
    requests: Arc<Mutex<Vec<(Request, u16)>>>,
    rule: Arc<Mutex<Rule>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Says 200 to everything.
    pub(in crate::sinks) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::default());
        let agree: Rule = Arc::new(|_| Answer::Say(200, "", "ok".into()));
        let rule = Arc::new(Mutex::new(agree));
        let (seen, current) = (Arc::clone(&requests), Arc::clone(&rule));
        let task = tokio::spawn(async move {
            // Dropped with this task, which ends them.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&seen), Arc::clone(&current)));
            }
        });
        Self {
            address,
            requests,
            rule,
            task,
        }
    }

    /// From now on.
    pub(in crate::sinks) fn answer(&self, rule: impl Fn(&Request) -> Answer + Send + Sync + 'static) {
        *self.rule.lock().unwrap() = Arc::new(rule);
    }

    pub(in crate::sinks) fn requests(&self) -> Vec<Request> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|(request, _)| request.clone()).collect()
    }

    /// The bodies of those that were answered with 200.
    pub(in crate::sinks) fn taken(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        let taken = requests.iter().filter(|(_, status)| *status == 200);
        taken.map(|(request, _)| request.body.clone()).collect()
    }
}

async fn serve(stream: TcpStream, seen: Arc<Mutex<Vec<(Request, u16)>>>, rule: Arc<Mutex<Rule>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        let rule = Arc::clone(&rule.lock().unwrap());
        let answer = rule(&request);
        let status = match &answer {
            Answer::Say(status, ..) => *status,
            _ => 0,
        };
        seen.lock().unwrap().push((request, status));
        let text = match answer {
            Answer::Say(status, headers, body) => {
                format!(
                    "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n{body}",
                    body.len()
                )
            }
            Answer::Nothing => return std::future::pending().await,
            Answer::HangUp => return,
        };
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let headers: BTreeMap<String, String> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = vec![0; headers["content-length"].parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request {
        line: lines[0].clone(),
        headers,
        body: String::from_utf8(body).ok()?,
    })
}
