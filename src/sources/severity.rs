//! Severities that logs give as words.

use super::Json;

/// `event.severity`: 1 informational, 2 low, 3 medium, 4 high. In any letter case; Elastic
/// takes some in lower case alone, which real records never have.
pub(crate) fn of(value: Json<'_>) -> Option<i64> {
    let name = value.as_str()?;
    let names = ["informational", "low", "medium", "high"];
    names
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name))
        .map(|position| position as i64 + 1)
}
