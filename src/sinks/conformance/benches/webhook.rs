use super::super::super::{Sink, WebhookSettings, WebhookSink};
use super::super::SECRET;
use super::super::http::{Answer, Server};
use super::{Bench, sink};
use async_trait::async_trait;
use serde::Deserialize as _;
use serde_json::value::RawValue;
use std::time::Duration;

fn settings(server: &Server) -> String {
    format!(
        "url = 'http://{}/{SECRET}?token={SECRET}'\nheaders = {{ Authorization = 'Bearer {SECRET}' }}\n",
        server.address
    )
}

/// Says what was sent, secrets and all, as some do in their errors.
fn fail(server: &Server) {
    server.answer(|request| {
        let said = format!("down: {} {:?}", request.line, request.headers);
        Answer::Say(503, "retry-after: 0\r\n", said)
    });
}

fn work(server: &Server) {
    server.answer(|_| Answer::Say(200, "", "ok".into()));
}

async fn never_answering(timeout: Duration) -> (Server, Box<dyn Sink>) {
    let server = Server::start().await;
    server.answer(|_| Answer::Nothing);
    let settings: toml::Table = toml::from_str(&settings(&server)).unwrap();
    let settings = WebhookSettings::deserialize(settings).unwrap();
    let sink = WebhookSink::new("soc", &settings, timeout).unwrap();
    (server, Box::new(sink))
}

/// One alert in a request.
pub(in super::super) struct OneByOne(Server);

#[async_trait]
impl Bench for OneByOne {
    async fn start() -> Self {
        Self(Server::start().await)
    }

    fn sink(&self) -> Box<dyn Sink> {
        sink(&format!("kind = 'webhook'\n{}", settings(&self.0)))
    }

    async fn stop_working(&self) {
        fail(&self.0);
    }

    async fn repair(&self) {
        work(&self.0);
    }

    async fn received(&self) -> Vec<String> {
        self.0.taken()
    }

    async fn never_answering(timeout: Duration) -> Option<(Self, Box<dyn Sink>)> {
        let (server, sink) = never_answering(timeout).await;
        Some((Self(server), sink))
    }
}

/// Several alerts in a request.
pub(in super::super) struct Batches(Server);

#[async_trait]
impl Bench for Batches {
    async fn start() -> Self {
        Self(Server::start().await)
    }

    fn sink(&self) -> Box<dyn Sink> {
        sink(&format!("kind = 'webhook'\nbatch = 4\n{}", settings(&self.0)))
    }

    async fn stop_working(&self) {
        fail(&self.0);
    }

    async fn repair(&self) {
        work(&self.0);
    }

    async fn received(&self) -> Vec<String> {
        let bodies = self.0.taken().into_iter();
        let alerts = bodies.flat_map(|body| {
            let alerts: Vec<Box<RawValue>> = serde_json::from_str(&body).unwrap();
            assert!(alerts.len() <= 4);
            alerts
        });
        alerts.map(|alert| alert.get().to_owned()).collect()
    }

    async fn never_answering(timeout: Duration) -> Option<(Self, Box<dyn Sink>)> {
        let (server, sink) = never_answering(timeout).await;
        Some((Self(server), sink))
    }
}
