//! `kind = "webhook"`: an HTTP request for each alert, as JSON or in the form of a chat.

mod reply;
mod settings;

pub use settings::WebhookSettings;

use super::secret::Secret;
use super::templates::Template;
use super::{Outcome, Sink, json, wrong_setting};
use crate::alerts::Revision;
use crate::error::Result;
use async_trait::async_trait;
use reply::Reply;
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

/// The most that is waited for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Tells a receiver which requests are the same.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Posts alerts to a URL.
pub struct WebhookSink {
    name: String,
    url: Secret,
    headers: Vec<(HeaderName, Secret)>,
    /// None for JSON.
    template: Option<Template>,
    /// Alerts in one request, as an array; none for one by itself.
    batch: Option<usize>,
    client: reqwest::Client,
    timeout: Duration,
}

impl std::fmt::Debug for WebhookSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookSink")
            .field("name", &self.name)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Where to, with what; read anew for every batch.
struct Target {
    url: Url,
    headers: HeaderMap,
    /// As texts, to recognise them in what the receiver says.
    secrets: Vec<String>,
}

impl WebhookSink {
    /// A sink with a name. Checks the settings and reads the template and the secrets, but asks
    /// nothing of the receiver yet.
    pub fn new(name: &str, settings: &WebhookSettings, timeout: Duration) -> Result<Self> {
        let wrong = |setting: &str, problem: String| wrong_setting(name, setting, problem);
        let template = match settings.template.as_str() {
            "json" => None,
            other => Some(Template::load(other).map_err(|problem| wrong("template", problem))?),
        };
        if settings.batch.is_some() && template.is_some() {
            return Err(wrong("batch", "goes with template = \"json\" alone".into()));
        }
        if settings.batch == Some(0) {
            return Err(wrong("batch", "must be 1 or more".into()));
        }
        let mut headers = Vec::new();
        for (header, value) in &settings.headers.0 {
            let setting = format!("headers.{header}");
            let parsed = HeaderName::try_from(header).map_err(|_| wrong(&setting, "is no name of a header".into()))?;
            headers.push((parsed, value.clone()));
        }
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout.min(CONNECT_TIMEOUT))
            // A redirection would drop the alert, or take it and the secrets elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("retrohunt/", env!("CARGO_PKG_VERSION")));
        let mut sink = Self {
            name: name.to_owned(),
            url: settings.url.clone(),
            headers,
            template,
            batch: settings.batch,
            client: reqwest::Client::new(),
            timeout,
        };
        let target = sink.target().map_err(|(setting, problem)| wrong(&setting, problem))?;
        // Whatever the environment says of proxies, this machine is reached without one.
        let client = if is_this_machine(&target.url) {
            client.no_proxy()
        } else {
            client
        };
        sink.client = client
            .build()
            .map_err(|error| wrong("", format!("no HTTP client: {}", error.without_url())))?;
        Ok(sink)
    }

    /// Or the setting that is wrong, and how.
    fn target(&self) -> Result<Target, (String, String)> {
        let in_url = |problem: String| ("url".to_owned(), problem);
        let text = self.url.reveal().map_err(in_url)?;
        // Not the error, and not the text: it is a secret.
        let url = Url::parse(&text).ok().filter(|url| {
            let scheme = matches!(url.scheme(), "http" | "https");
            scheme && url.host_str().is_some_and(|host| !host.is_empty())
        });
        let url = url.ok_or_else(|| in_url("is no http:// or https:// URL".into()))?;
        let mut headers = HeaderMap::new();
        let mut secrets = vec![text];
        for (name, value) in &self.headers {
            let in_header = |problem: String| (format!("headers.{name}"), problem);
            let text = value.reveal().map_err(in_header)?;
            let mut value = HeaderValue::from_str(&text)
                .map_err(|_| in_header("holds characters that a header cannot have".into()))?;
            value.set_sensitive(true);
            headers.insert(name, value);
            secrets.push(text);
        }
        Ok(Target { url, headers, secrets })
    }

    /// The body for revisions that go in one request.
    fn body(&self, revisions: &[&Revision], target: &Target) -> Result<String, String> {
        let body = match (&self.template, revisions) {
            (Some(template), [revision]) => template.render(revision)?,
            (None, [revision]) if self.batch.is_none() => json(revision)?,
            _ => {
                let members: Result<Vec<_>, _> = revisions.iter().map(|revision| json(revision)).collect();
                format!("[{}]", members?.join(","))
            }
        };
        let kind = target.headers.get(CONTENT_TYPE);
        let is_json = kind.is_none_or(|kind| kind.to_str().is_ok_and(|kind| kind.contains("json")));
        match serde_json::from_str::<serde::de::IgnoredAny>(&body) {
            Err(error) if is_json => Err(format!(
                "the template gives no JSON: {error}; name it .json.j2, so that values are printed as JSON, or set \
                 headers.Content-Type"
            )),
            _ => Ok(body),
        }
    }

    async fn post(&self, revisions: &[&Revision], target: &Target) -> Reply {
        let body = match self.body(revisions, target) {
            Ok(body) => body,
            Err(problem) => return Reply::Rejected(problem),
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let [revision] = revisions
            && let Ok(key) = HeaderValue::from_str(&format!("{}-{}", revision.alert.alert_id, revision.revision))
        {
            headers.insert(IDEMPOTENCY_KEY, key);
        }
        headers.extend(target.headers.clone());
        let request = self.client.post(target.url.clone()).headers(headers).body(body);
        let secrets: Vec<&str> = target.secrets.iter().map(String::as_str).collect();
        // The client's own timeout does not cover finding out where the host is.
        let reply = tokio::time::timeout(self.timeout, reply::of(request, &secrets));
        let timed_out = |_| Reply::Unavailable(super::within::no_answer(self.timeout), None);
        reply.await.unwrap_or_else(timed_out).at(&host(&target.url))
    }

    /// Sends revisions in one request. Where the receiver rejects several, it is found out which,
    /// by sending half of them each.
    async fn post_halving(&self, revisions: &[&Revision], target: &Target) -> Outcome {
        let mut outcome = Outcome::default();
        // What is left, the first last.
        let mut parts = vec![revisions];
        while let Some(part) = parts.pop() {
            match self.post(part, target).await {
                Reply::Taken => outcome.done += part.len(),
                Reply::Rejected(_) if part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Reply::Rejected(problem) => {
                    outcome.rejected.push((outcome.done, problem));
                    outcome.done += part.len();
                }
                Reply::Unavailable(problem, retry_after) => return outcome.stopped(part.len(), problem, retry_after),
            }
        }
        outcome
    }
}

#[async_trait]
impl Sink for WebhookSink {
    fn name(&self) -> &str {
        &self.name
    }

    async fn send(&self, revisions: &[&Revision]) -> Outcome {
        let target = match self.target() {
            Ok(target) => target,
            Err((setting, problem)) => {
                return Outcome::default().stopped(revisions.len(), format!("{setting}: {problem}"), None);
            }
        };
        let mut all = Outcome::default();
        for request in revisions.chunks(self.batch.unwrap_or(1)) {
            let outcome = self.post_halving(request, &target).await;
            let rejected = outcome.rejected.into_iter();
            all.rejected
                .extend(rejected.map(|(at, problem)| (all.done + at, problem)));
            all.done += outcome.done;
            if outcome.unavailable.is_some() {
                all.unavailable = outcome.unavailable;
                break;
            }
        }
        all
    }
}

/// All that may be shown of a URL.
fn host(url: &Url) -> String {
    match (url.host_str().unwrap_or_default(), url.port()) {
        (host, Some(port)) => format!("{host}:{port}"),
        (host, None) => host.to_owned(),
    }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
