use super::*;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn started(patience: Duration) -> (StatusServer, Arc<Metrics>, Arc<Health>) {
    let (metrics, health) = (Arc::new(Metrics::new()), Arc::new(Health::new(patience)));
    let server = StatusServer::start(ANY, Arc::clone(&metrics), Arc::clone(&health)).unwrap();
    (server, metrics, health)
}

/// The status line, the headers in lower case, and the body.
fn asked(server: &StatusServer, request: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(stream, "{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    (code, head.to_ascii_lowercase(), body.to_owned())
}

#[test]
fn conditions() {
    let patience = Duration::from_secs(10);
    let health = Health::new(patience);
    let now = Instant::now();
    let status = |now: Instant| health.condition(now).status;
    assert_eq!(status(now), "starting");
    assert!(health.condition(now).is_healthy() && !health.condition(now).is_ready());
    assert_eq!(status(now + patience * 2), "stalled", "it never came to an end");
    health.round_ended();
    assert_eq!(status(Instant::now()), "ok");
    let late = health.condition(Instant::now() + patience * 2);
    assert_eq!(
        (late.status, late.is_healthy(), late.is_ready()),
        ("stalled", false, false)
    );
    health.progress();
    assert_eq!((status(Instant::now()), health.condition(now).rounds), ("ok", 1));
    health.stopping();
    assert_eq!(status(Instant::now()), "stopping");
    assert!(!health.condition(Instant::now()).is_healthy());
}

#[test]
fn health_is_told() {
    let (server, _, health) = started(Duration::from_secs(3600));
    let (code, head, body) = asked(&server, "GET /healthz");
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (code, &body["status"], &body["lease_held"]),
        (200, &"starting".into(), &false.into())
    );
    assert!(head.contains("content-type: application/json"), "{head}");
    assert_eq!(asked(&server, "GET /readyz").0, 503, "no round has ended");
    health.round_ended();
    health.lease(true);
    assert_eq!(asked(&server, "GET /readyz").0, 200);
    let (code, _, body) = asked(&server, "GET /healthz?verbose");
    assert_eq!(code, 200);
    assert!(
        body.contains("\"status\":\"ok\"") && body.contains("\"lease_held\":true"),
        "{body}"
    );
    health.stopping();
    assert_eq!(asked(&server, "GET /healthz").0, 503);
    assert_eq!(asked(&server, "GET /readyz").0, 503);

    let (server, _, health) = started(Duration::ZERO);
    health.round_ended();
    std::thread::sleep(Duration::from_millis(1));
    let (code, _, body) = asked(&server, "GET /healthz");
    assert_eq!(code, 503);
    assert!(body.contains("\"status\":\"stalled\""), "{body}");
}

#[test]
fn metrics_are_told_and_nothing_else() {
    let (server, metrics, _) = started(Duration::from_secs(3600));
    metrics.arrived(42);
    let (code, head, body) = asked(&server, "GET /metrics");
    assert_eq!(code, 200);
    assert!(head.contains("application/openmetrics-text"), "{head}");
    assert!(body.contains("retrohunt_schedule_arrived_events_total 42\n"), "{body}");
    assert!(body.ends_with("# EOF\n"), "{body}");
    let (code, head, nothing) = asked(&server, "HEAD /metrics");
    assert_eq!((code, nothing.as_str()), (200, ""));
    assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
    for path in ["/", "/metrics/", "/healthz/../etc/passwd", "//metrics"] {
        let (code, _, body) = asked(&server, &format!("GET {path}"));
        assert_eq!(code, 404, "{path}");
        assert!(body.contains("/metrics"), "{body}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "BREW"] {
        let (code, head, _) = asked(&server, &format!("{method} /healthz"));
        assert_eq!(code, 405, "{method}");
        assert!(head.contains("allow: get, head"), "{head}");
    }
}

#[test]
fn those_who_dawdle_hold_nobody_up() {
    let (server, _, _) = started(Duration::from_secs(3600));
    let connect = |text: &str| {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    };
    // They say nothing, stop in the middle, or promise a body that never comes.
    let texts = [
        "",
        "GET /healthz HTTP/1.1\r\nHo",
        "POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n",
    ];
    let dawdling: Vec<TcpStream> = texts
        .iter()
        .cycle()
        .take(AT_ONCE / 2)
        .map(|text| connect(text))
        .collect();
    for _ in 0..50 {
        assert_eq!(asked(&server, "GET /healthz").0, 200);
    }
    drop(server);
    drop(dawdling);
}

#[test]
fn those_who_dawdle_are_left() {
    let (metrics, health) = (
        Arc::new(Metrics::new()),
        Arc::new(Health::new(Duration::from_secs(3600))),
    );
    let server = StatusServer::start_with(ANY, metrics, health, Duration::from_millis(20)).unwrap();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\n").unwrap();
    let mut nothing = Vec::new();
    // Closed, with or without a word from the system.
    let _ = stream.read_to_end(&mut nothing);
    assert_eq!(nothing, b"");
}

#[test]
fn what_is_no_request_is_refused() {
    let (server, _, _) = started(Duration::from_secs(3600));
    for text in [
        "nonsense\r\n\r\n".to_owned(),
        format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(20_000)),
    ] {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        // What is still on its way when it is refused may end it early.
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
}

#[test]
fn a_port_in_use_is_said_and_one_that_is_dropped_is_free() {
    let (server, metrics, health) = started(Duration::from_secs(3600));
    let address = server.address();
    let problem = StatusServer::start(address, Arc::clone(&metrics), Arc::clone(&health)).unwrap_err();
    let problem = problem.to_string();
    assert!(
        problem.starts_with(&format!("listen {address}: is used by another program")),
        "{problem}"
    );
    drop(server);
    drop(TcpListener::bind(address).unwrap());
    let elsewhere = "192.0.2.1:9464".parse().unwrap();
    let problem = StatusServer::start(elsewhere, metrics, health).unwrap_err().to_string();
    assert!(
        problem.contains("cannot listen there") && !problem.contains("os error"),
        "{problem}"
    );
}
