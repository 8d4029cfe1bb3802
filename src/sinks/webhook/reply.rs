//! What a receiver says to a request, and what it means.

use super::super::secret::hide;
use super::super::within::said;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, StatusCode};
use std::time::Duration;

/// Bytes of what a receiver says that are looked at.
const LOOKED_AT: usize = 4096;

/// Characters of it that are repeated.
const REPEATED: usize = 200;

/// What a request came to.
pub(super) enum Reply {
    Taken,
    /// Why this content will never be taken.
    Rejected(String),
    /// Why it was not taken for now, and how long the receiver asks to be left alone.
    Unavailable(String, Option<Duration>),
}

impl Reply {
    /// With where it comes from in front.
    pub(super) fn at(self, place: &str) -> Self {
        match self {
            Self::Taken => Self::Taken,
            Self::Rejected(problem) => Self::Rejected(format!("{place}: {problem}")),
            Self::Unavailable(problem, wait) => Self::Unavailable(format!("{place}: {problem}"), wait),
        }
    }
}

/// Makes a request. What comes back is shown without the secrets.
pub(super) async fn of(request: RequestBuilder, secrets: &[&str]) -> Reply {
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => return Reply::Unavailable(hide(&explained(error), secrets), None),
    };
    let status = response.status();
    if status.is_success() {
        return Reply::Taken;
    }
    let wait = retry_after(response.headers(), chrono::Utc::now());
    let text = hide(&beginning(response).await, secrets);
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text: String = text.chars().filter(|c| !c.is_control()).take(REPEATED).collect();
    let mut problem = format!("HTTP {status}");
    if status.is_redirection() {
        problem.push_str(", which is not followed: give the URL it leads to");
    }
    if !text.is_empty() {
        problem = format!("{problem}: {text}");
    }
    match status {
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
            Reply::Rejected(problem)
        }
        _ => Reply::Unavailable(problem, wait),
    }
}

/// How long the receiver asks to be left alone: seconds, or until a time.
fn retry_after(headers: &HeaderMap, now: chrono::DateTime<chrono::Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let time = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    (time.to_utc() - now).to_std().ok()
}

/// The beginning of what the receiver says; what is read of it until it breaks off.
async fn beginning(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < LOOKED_AT {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend(chunk.iter().take(LOOKED_AT - bytes.len())),
            _ => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Why there was no response: the cause at the bottom, without the URL.
fn explained(error: reqwest::Error) -> String {
    let kind = match () {
        () if error.is_timeout() => "no answer in time",
        () if error.is_connect() => "no connection",
        () => "the request failed",
    };
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let cause = match cause.downcast_ref::<std::io::Error>() {
        Some(error) => said(error),
        None => cause.to_string(),
    };
    format!("{kind}: {cause}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receivers_say_how_long_to_wait() {
        let now = chrono::DateTime::from_timestamp(1_772_323_200, 0).unwrap();
        let wait = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            retry_after(&headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("7"), Some(7));
        assert_eq!(wait("Sun, 01 Mar 2026 00:00:30 GMT"), Some(30));
        assert_eq!(wait("Sun, 01 Mar 2020 00:00:30 GMT"), None);
        assert_eq!(wait("soon"), None);
        assert_eq!(wait("-1"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
