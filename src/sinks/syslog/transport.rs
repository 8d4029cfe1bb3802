//! Messages to a receiver: datagrams, or a stream of counted frames.

use super::super::within::{no_answer, said};
use std::fmt;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

/// For how long a receiver is watched that may hang up before it has read anything, as something
/// in front of it does when it is gone.
const HANGING_UP: Duration = Duration::from_millis(20);

/// Where messages go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    Udp(String),
    Tcp(String),
    Unix(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Udp(place) => write!(f, "udp://{place}"),
            Self::Tcp(place) => write!(f, "tcp://{place}"),
            Self::Unix(path) => write!(f, "unix://{path}"),
        }
    }
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no address; write udp://HOST:514, tcp://HOST:601 or unix:///dev/log");
        let (scheme, place) = text.split_once("://").ok_or_else(wrong)?;
        if scheme == "unix" {
            return match place.starts_with('/') && cfg!(unix) {
                true => Ok(Self::Unix(place.to_owned())),
                false => Err(wrong()),
            };
        }
        let (host, port) = place.rsplit_once(':').ok_or_else(wrong)?;
        let port_is_one = port.parse::<u16>().is_ok_and(|port| port > 0);
        // An IPv6 address is in brackets; else its last part would be taken for a port.
        let bracketed = host.starts_with('[') && host.ends_with(']');
        if host.is_empty() || !port_is_one || (host.contains(':') && !bracketed) || host.contains(['/', '@']) {
            return Err(wrong());
        }
        match scheme {
            "udp" => Ok(Self::Udp(place.to_owned())),
            "tcp" => Ok(Self::Tcp(place.to_owned())),
            _ => Err(wrong()),
        }
    }

    /// Whether it may be one; which a socket of this machine is, is known when it is there.
    pub(super) fn is_stream(&self) -> bool {
        matches!(self, Self::Tcp(_))
    }
}

/// Sends messages in order over a connection of their own. Each step may take as long as the
/// timeout.
pub(super) async fn send(
    address: &Address,
    messages: &[String],
    confirm: bool,
    timeout: Duration,
) -> Result<(), String> {
    match address {
        Address::Udp(place) => {
            let socket = within(timeout, connect_udp(place)).await?;
            for message in messages {
                let sent = async {
                    socket.send(message.as_bytes()).await?;
                    // Where this machine knows already that nobody listens there.
                    socket.take_error()?.map_or(Ok(()), Err)
                };
                within(timeout, sent).await?;
            }
            Ok(())
        }
        Address::Tcp(place) => {
            let stream = within(timeout, TcpStream::connect(place)).await?;
            send_frames(stream, messages, confirm, timeout).await
        }
        Address::Unix(path) => send_unix(path, messages, confirm, timeout).await,
    }
}

async fn within<T>(timeout: Duration, step: impl Future<Output = io::Result<T>>) -> Result<T, String> {
    match tokio::time::timeout(timeout, step).await {
        Ok(result) => result.map_err(|error| said(&error)),
        Err(_) => Err(no_answer(timeout)),
    }
}

async fn connect_udp(place: &str) -> io::Result<UdpSocket> {
    let mut problem = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in tokio::net::lookup_host(place).await? {
        let any = if address.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" };
        let connected = async {
            let socket = UdpSocket::bind(any).await?;
            socket.connect(address).await?;
            Ok(socket)
        };
        match connected.await {
            Ok(socket) => return Ok(socket),
            Err(error) => problem = error,
        }
    }
    Err(problem)
}

/// RFC 6587: the length in bytes, a space, the message.
fn frame(message: &str) -> Vec<u8> {
    let mut frame = format!("{} ", message.len()).into_bytes();
    frame.extend(message.as_bytes());
    frame
}

async fn send_frames(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    messages: &[String],
    confirm: bool,
    timeout: Duration,
) -> Result<(), String> {
    for message in messages {
        within(timeout, stream.write_all(&frame(message))).await?;
    }
    within(timeout, stream.flush()).await?;
    if !confirm {
        return within(timeout, stream.shutdown()).await;
    }
    // What was written may wait in a buffer of a receiver that is gone. One that has read to the
    // end closes its side; one that has not, resets the connection, or keeps it. Who closes before
    // the end has not read it.
    if let Ok(ended) = tokio::time::timeout(HANGING_UP, end_of(&mut stream)).await {
        return Err(ended.map_or_else(|error| said(&error), |()| "the receiver hung up".into()));
    }
    within(timeout, stream.shutdown()).await?;
    within(timeout, end_of(&mut stream))
        .await
        .map_err(|problem| format!("the receiver did not confirm by closing the connection: {problem}"))
}

/// Waits until the other side has closed.
async fn end_of(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}

#[cfg(unix)]
async fn send_unix(path: &str, messages: &[String], confirm: bool, timeout: Duration) -> Result<(), String> {
    let socket = tokio::net::UnixDatagram::unbound().map_err(|error| said(&error))?;
    match socket.connect(path) {
        Ok(()) => {
            for message in messages {
                let sent = async { socket.send(message.as_bytes()).await.map(drop) };
                within(timeout, sent).await?;
            }
            Ok(())
        }
        // It is there and takes a stream, not datagrams; anything else fails again here.
        Err(_) => {
            let stream = within(timeout, tokio::net::UnixStream::connect(path)).await?;
            send_frames(stream, messages, confirm, timeout).await
        }
    }
}

#[cfg(not(unix))]
async fn send_unix(_: &str, _: &[String], _: bool, _: Duration) -> Result<(), String> {
    Err("this system has no such sockets".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for text in [
            "udp://127.0.0.1:514",
            "tcp://log.example:601",
            "tcp://[::1]:601",
            "unix:///dev/log",
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "log.example:514",
            "udp://",
            "udp://host",
            "udp://:514",
            "udp://host:0",
            "udp://host:70000",
            "tcp://::1:601",
            "tcp://user@host:601",
            "tls://host:6514",
            "unix://dev/log",
        ] {
            assert!(Address::parse(text).unwrap_err().contains("unix:///dev/log"), "{text}");
        }
    }

    #[test]
    fn frames_count_bytes() {
        assert_eq!(frame("é𝕏"), "6 é𝕏".as_bytes());
    }
}
