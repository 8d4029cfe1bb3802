//! Detections as text.

use retrohunt::detections::{Level, format_duration, lint, parse, parse_duration};

/// Any text as a file of a detection, as the header of one, and as a duration: what is read keeps
/// to the rules that the rest relies on, and what is refused says why, and where.
pub fn header(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    detection(&text);
    detection(&format!("/*---\n{text}\n---*/\nSELECT * FROM events"));
    if let Ok(duration) = parse_duration(&text) {
        assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
    }
}

fn detection(text: &str) {
    // The id is that of the file.
    let origin = "folder/d.sql";
    match parse(origin, text) {
        Ok(detection) => {
            let header = &detection.header;
            assert_eq!(header.id, "d");
            assert!(header.risk_score <= 100);
            let tick = header.rhythm.next(0);
            assert!(tick > 0 && header.rhythm.is_tick(tick));
            assert!(detection.reach().is_none_or(|reach| !reach.is_zero()));
            assert!(header.lookback.is_none() || header.new_terms.is_none());
            assert!(lint(&detection).iter().all(|finding| finding.level != Level::Error));
        }
        Err(error) => {
            let message = error.to_string();
            assert!(message.contains("folder/d.sql:"), "no place: {message}");
        }
    }
}
