//! A connection to a store that fails again and again: refused, dropped, cut off within the
//! answer, and with an answer that never comes although the store did what it was asked for.

use super::servers::{Environment, bucket, s3};
use super::{contents, ok, run};
use crate::sandbox::{Sandbox, repository};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What happens to a connection. The server answers one request on each.
#[derive(Debug, Clone, Copy)]
enum Way {
    Through,
    /// 503, as a store says that is asked too much.
    Refused,
    Dropped,
    /// Half of the answer.
    Cut,
    /// Done, and not answered.
    Unanswered,
}

/// Passes connections on to a port, each in its way by its number. Returns its own port.
fn between(port: u16, way: fn(usize) -> Way) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let failed = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&failed);
    std::thread::spawn(move || {
        for (number, client) in listener.incoming().enumerate() {
            let Ok(client) = client else { return };
            let way = way(number);
            counted.fetch_add(usize::from(!matches!(way, Way::Through)), Ordering::Relaxed);
            std::thread::spawn(move || pass(client, port, way));
        }
    });
    (own, failed)
}

fn pass(mut client: TcpStream, port: u16, way: Way) {
    if let Way::Refused = way {
        // What was asked is read first: else the answer is lost with the connection.
        let mut request = [0; 1 << 16];
        let _ = client.read(&mut request);
        let _ = client.write_all(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let _ = client.shutdown(Shutdown::Write);
        let _ = std::io::copy(&mut client, &mut std::io::sink());
        return;
    }
    if let Way::Dropped = way {
        return;
    }
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else {
        return;
    };
    let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
    });
    let mut answer = Vec::new();
    let _ = { server }.read_to_end(&mut answer);
    let told = match way {
        Way::Cut => &answer[..answer.len() / 2],
        Way::Unanswered => &[],
        _ => &answer[..],
    };
    let _ = client.write_all(told);
    let _ = client.shutdown(Shutdown::Both);
}

fn through(environment: &Environment, port: u16) -> Environment {
    let mut environment = environment.clone();
    for (name, value) in &mut environment {
        if *name == "AWS_ENDPOINT_URL" {
            *value = format!("http://127.0.0.1:{port}");
        }
    }
    environment
}

#[test]
fn a_lake_behind_a_bad_connection_is_the_same() {
    let (place, direct) = bucket("behind-a-bad-connection");
    let (port, failed) = between(s3().port, |number| match number % 7 {
        1 => Way::Refused,
        3 => Way::Dropped,
        4 => Way::Cut,
        6 => Way::Unanswered,
        _ => Way::Through,
    });
    let environment = through(&direct, port);
    let sandbox = Sandbox::new();
    let logs = repository("data/contoso");
    let ingest = |environment: &Environment, lake: &str| -> Value {
        let report = ok(
            &sandbox,
            environment,
            &["ingest", "--format", "json", &logs, "--lake", lake],
        );
        serde_json::from_str(&report).unwrap()
    };
    let on_disk = ingest(&direct, "lake");
    let remote = ingest(&environment, &place);
    assert_eq!(remote, on_disk);
    assert!(contents(&sandbox, &environment, &place) == contents(&sandbox, &direct, "lake"));
    assert!(failed.load(Ordering::Relaxed) > 20);
}

#[test]
fn a_store_that_refuses_for_too_long_is_an_error() {
    let (place, direct) = bucket("refuses");
    let sandbox = Sandbox::new();
    let logs = repository("data/contoso");
    let (port, failed) = between(s3().port, |_| Way::Refused);
    let mut environment = through(&direct, port);
    environment.push(("RETROHUNT_STORE_RETRY_SECONDS", "1".into()));
    let refused = run(&sandbox, &environment, &["ingest", &logs, "--lake", &place]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.stderr.contains("503") && refused.stderr.contains(&place),
        "{refused:?}"
    );
    assert!(failed.load(Ordering::Relaxed) > 1, "it was asked more than once");
}
