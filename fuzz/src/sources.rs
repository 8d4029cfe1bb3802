//! Records to events.

use retrohunt::ingest::examine;
use retrohunt::schema::{EVENT_DATASET, EventRow, TIMESTAMP};
use retrohunt::sources::{Recognised, SOURCES, parse, recognise};

/// Any record, given to every source, whether it recognises it or not: what is mapped has a time
/// and a dataset, the first source that recognises it is the one that is chosen, and a second
/// mapping gives the same.
pub fn sources(bytes: &[u8]) {
    let examined = examine(bytes, 4 << 20);
    assert_eq!(examined.framed.len() as u64, examined.read + examined.skipped);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(document) = parse(text) else { return };
    let record = document.root();
    let first = SOURCES.iter().find(|source| source.recognises(record));
    match (recognise(record), first) {
        (Ok(Recognised::Event(chosen)), Some(first)) => assert_eq!(chosen.name(), first.name()),
        (Ok(Recognised::Event(chosen)), None) => panic!("{} was chosen", chosen.name()),
        (Ok(Recognised::NotAnEvent(_)) | Err(_), _) => {}
    }
    for source in SOURCES {
        if let Ok(Some(content)) = source.content(record, text) {
            let _ = parse(&content);
        }
        let (mut row, mut again) = (EventRow::new(), EventRow::new());
        let mapped = source.map(record, &mut row);
        assert_eq!(source.map(record, &mut again), mapped, "{}", source.name());
        assert_eq!(row.cells(), again.cells(), "{}", source.name());
        if mapped.is_ok() && source.recognises(record) {
            assert!(row.has(TIMESTAMP), "{}: no time", source.name());
            let dataset = row.get_text(EVENT_DATASET).unwrap_or_default();
            assert!(!dataset.is_empty(), "{}: no dataset", source.name());
        }
    }
}
