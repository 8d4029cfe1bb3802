//! One connection: a request is read, an answer is written, and that is the end of it. Everything
//! is bounded, the time too: whoever dawdles is left.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// Bytes of a request line and its headers.
const MOST: usize = 16 << 10;

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) method: String,
    /// Without what stands behind a question mark.
    pub(super) path: String,
}

/// What is answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: &'static str,
    pub(super) content_type: &'static str,
    pub(super) body: String,
}

/// Answers the one request of a connection, in so much time.
pub(super) fn serve(stream: &mut TcpStream, time: Duration, answer: impl FnOnce(&Asked) -> Answer) -> io::Result<()> {
    let end = Instant::now() + time;
    let head = read_head(stream, end)?;
    let (answer, with_body) = match head.as_deref().and_then(asked) {
        Some(asked) => (answer(&asked), asked.method != "HEAD"),
        None => (Answer::text("400 Bad Request", "this is no request of HTTP/1\n"), true),
    };
    let mut text = format!(
        "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n",
        answer.status,
        answer.content_type,
        answer.body.len()
    );
    if answer.status.starts_with("405") {
        text.push_str("Allow: GET, HEAD\r\n");
    }
    text.push_str("\r\n");
    if with_body {
        text.push_str(&answer.body);
    }
    write(stream, text.as_bytes(), end)?;
    stream.shutdown(Shutdown::Write)?;
    // To close while the other side still sends would take the answer away from it.
    let mut rest = [0; 1024];
    for _ in 0..MOST / rest.len() {
        if read(stream, &mut rest, end)? == 0 {
            break;
        }
    }
    Ok(())
}

impl Answer {
    pub(super) fn text(status: &'static str, body: &str) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            body: body.to_owned(),
        }
    }
}

/// The request line and the headers; nothing where they do not end.
fn read_head(stream: &mut TcpStream, end: Instant) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    let mut bytes = [0; 1024];
    while head.len() < MOST {
        let number = read(stream, &mut bytes, end)?;
        if number == 0 {
            return Ok(None);
        }
        head.extend_from_slice(&bytes[..number]);
        if head.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
            return Ok(Some(head));
        }
    }
    Ok(None)
}

fn asked(head: &[u8]) -> Option<Asked> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let is_request = !method.is_empty() && version.starts_with("HTTP/1.") && words.next().is_none();
    is_request.then(|| Asked {
        method: method.to_owned(),
        path: target.split('?').next().unwrap_or_default().to_owned(),
    })
}

/// The time that is left, which is not nothing: that would be for ever.
fn left(end: Instant) -> io::Result<Option<Duration>> {
    let left = end.saturating_duration_since(Instant::now());
    match left.is_zero() {
        true => Err(ErrorKind::TimedOut.into()),
        false => Ok(Some(left)),
    }
}

fn read(stream: &mut TcpStream, bytes: &mut [u8], end: Instant) -> io::Result<usize> {
    stream.set_read_timeout(left(end)?)?;
    stream.read(bytes)
}

fn write(stream: &mut TcpStream, mut bytes: &[u8], end: Instant) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.set_write_timeout(left(end)?)?;
        let number = stream.write(bytes)?;
        if number == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
        bytes = &bytes[number..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let of = |text: &str| asked(text.as_bytes()).map(|asked| (asked.method, asked.path));
        let get = |path: &str| Some(("GET".to_owned(), path.to_owned()));
        assert_eq!(of("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), get("/healthz"));
        assert_eq!(of("GET /metrics?a=b?c HTTP/1.0\r\n\r\n"), get("/metrics"));
        for text in [
            "",
            "\r\n\r\n",
            "GET /\r\n\r\n",
            "GET / HTTP/2.0\r\n\r\n",
            "GET / x HTTP/1.1\r\n\r\n",
            "\u{16}\u{3}\u{1}",
        ] {
            assert_eq!(of(text), None, "{text:?}");
        }
    }
}
