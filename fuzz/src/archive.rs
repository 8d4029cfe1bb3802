//! Files in files.

use retrohunt::ingest::{examine, members};

/// Bytes that may come out of an archive: enough for every seed, and read in no time.
const LIMIT: u64 = 8 << 20;

/// Any file: its members have paths of one line, no more comes out than may, the same comes out
/// again, and all of it can be framed.
pub fn archive(bytes: &[u8]) {
    let found = members(bytes.to_vec(), LIMIT);
    assert!(!found.is_empty() || bytes.len() > 20, "nothing was said of {bytes:?}");
    let again = members(bytes.to_vec(), LIMIT);
    assert_eq!(found.len(), again.len());
    let mut sum = 0;
    for ((path, content), (path_again, content_again)) in found.iter().zip(&again) {
        assert_eq!(path, path_again);
        assert!(!path.chars().any(char::is_control), "{path:?}");
        match (content, content_again) {
            (Ok(content), Ok(again)) => {
                assert_eq!(content, again);
                // UTF-16 grows by half.
                sum += content.len() as u64 * 2 / 3;
                if content.len() < 64 << 10 {
                    let examined = examine(content.as_slice(), 4 << 20);
                    assert_eq!(examined.framed.len() as u64, examined.read + examined.skipped);
                }
            }
            (Err(error), Err(again)) => assert_eq!(error.to_string(), again.to_string()),
            _ => panic!("{path}: {content:?}, and then {content_again:?}"),
        }
    }
    // Each of nine layers may hold as much.
    assert!(sum <= 9 * LIMIT, "{sum}");
}
