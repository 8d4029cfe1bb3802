//! Where filters are, as a text of the log: whoever looks for one value in a lake of a thousand files then
//! reads thirty-two bytes of each, and no footer.
//!
//! `1c0a6f5277e0b13d 4100+2063,-,1039,?;9600+2063,-,1039,?` is of two row groups. First stands which columns
//! it is of; then for each row group and column the bytes of the filter, and before them where it begins,
//! unless that is where the one before it ends. `-` is a column that is not there, `?` one without a filter.

use super::{Filter, FilterPlaces, LONGEST, Place};
use std::fmt::Write as _;
use xxhash_rust::xxh3::xxh3_64;

impl FilterPlaces {
    /// The text of the places of filters of all of these columns.
    pub(in crate::lake) fn told(&self, columns: &[&str]) -> String {
        let mut text = identity(columns);
        let mut behind = None;
        for (number, group) in self.0.iter().enumerate() {
            text.push(if number == 0 { ' ' } else { ';' });
            for (column, place) in group.iter().enumerate() {
                if column > 0 {
                    text.push(',');
                }
                match place {
                    Place::NoColumn => text.push('-'),
                    Place::NoFilter => text.push('?'),
                    Place::Filter(Filter { offset, length }) => {
                        if behind != Some(*offset) {
                            let _ = write!(text, "{offset}+");
                        }
                        let _ = write!(text, "{length}");
                        behind = offset.checked_add(*length);
                    }
                }
            }
        }
        text
    }

    /// Those of some of the columns that a text is of. None where it is of others, as one that another
    /// version wrote, or is no such text.
    pub(in crate::lake) fn of_told<S: AsRef<str>>(text: &str, columns: &[&str], wanted: &[S]) -> Option<Self> {
        if !Self::is_told_of(text, columns) {
            return None;
        }
        let (_, groups) = text.split_once(' ')?;
        let position = |name: &S| columns.iter().position(|column| *column == name.as_ref());
        let positions: Vec<usize> = wanted.iter().map(position).collect::<Option<_>>()?;
        let mut behind = None;
        let groups = groups.split(';').map(|group| {
            let mut found = vec![Place::NoColumn; wanted.len()];
            let mut count = 0;
            for place in group.split(',') {
                let place = match place {
                    "-" => Place::NoColumn,
                    "?" => Place::NoFilter,
                    place => {
                        let (offset, length) = match place.split_once('+') {
                            Some((offset, length)) => (offset.parse().ok()?, length),
                            None => (behind?, place),
                        };
                        let length = length.parse().ok().filter(|length| *length <= LONGEST)?;
                        behind = Some(u64::checked_add(offset, length)?);
                        Place::Filter(Filter { offset, length })
                    }
                };
                if let Some(at) = positions.iter().position(|position| *position == count) {
                    found[at] = place;
                }
                count += 1;
            }
            (count == columns.len()).then_some(found)
        });
        Some(Self(groups.collect::<Option<_>>()?))
    }

    /// Whether a text is of these columns.
    pub(in crate::lake) fn is_told_of(text: &str, columns: &[&str]) -> bool {
        text.split_once(' ').is_some_and(|(of, _)| of == identity(columns))
    }
}

/// Which columns in which order.
fn identity(columns: &[&str]) -> String {
    format!("{:016x}", xxh3_64(columns.join(",").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COLUMNS: [&str; 4] = ["event_id", "source_ip", "session_id", "event_key"];

    fn place() -> impl Strategy<Value = Place> {
        let filter = |(offset, length): (u64, u64)| {
            let length = length.min(LONGEST).min(u64::MAX - offset);
            Place::Filter(Filter { offset, length })
        };
        prop_oneof![
            Just(Place::NoColumn),
            Just(Place::NoFilter),
            (any::<u64>(), any::<u64>()).prop_map(filter),
            (0..50u64, 30..40u64).prop_map(filter),
        ]
    }

    proptest! {
        #[test]
        fn what_is_told_is_what_was_there(
            groups in proptest::collection::vec(proptest::collection::vec(place(), COLUMNS.len()), 1..4),
            wanted in proptest::sample::subsequence(vec![3, 0, 2, 1], 0..4),
        ) {
            // Most stand one behind the other.
            let mut groups = groups;
            let mut behind = 4;
            for place in groups.iter_mut().flatten() {
                if let Place::Filter(filter) = place && filter.offset < 20 {
                    filter.offset = behind;
                    behind += filter.length;
                }
            }
            let places = FilterPlaces(groups);
            let text = places.told(&COLUMNS);
            prop_assert_eq!(FilterPlaces::of_told(&text, &COLUMNS, &COLUMNS), Some(places.clone()));
            let names: Vec<&str> = wanted.iter().map(|at| COLUMNS[*at]).collect();
            let some = places.0.iter().map(|group| wanted.iter().map(|at| group[*at]).collect());
            prop_assert_eq!(FilterPlaces::of_told(&text, &COLUMNS, &names), Some(FilterPlaces(some.collect())));
        }

        #[test]
        fn any_text_is_read(text in "[0-9+,;?-]{0,40}|.*", places in "([0-9]{1,4}(\\+[0-9]{1,4})?|-|\\?)(,([0-9]{1,4}|-|\\?)){3}") {
            let of = identity(&COLUMNS);
            let _ = FilterPlaces::of_told(&text, &COLUMNS, &COLUMNS);
            for text in [&text, &places] {
                if let Some(read) = FilterPlaces::of_told(&format!("{of} {text}"), &COLUMNS, &COLUMNS) {
                    let again = FilterPlaces::of_told(&read.told(&COLUMNS), &COLUMNS, &COLUMNS);
                    prop_assert_eq!(again, Some(read));
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_told_is_not_guessed() {
        let one = Place::Filter(Filter { offset: 4, length: 40 });
        let next = Place::Filter(Filter { offset: 44, length: 72 });
        let places = FilterPlaces(vec![vec![one, Place::NoColumn, Place::NoFilter, next]]);
        let text = places.told(&COLUMNS);
        assert!(text.ends_with(" 4+40,-,?,72"), "{text}");
        let (of, _) = text.split_once(' ').unwrap();
        for other in [
            "",
            "4+40,,-",
            "4+40,,-,72,",
            "40,,-,72",
            "4+40,,-,x",
            "4+,,,",
            "18446744073709551615+9,,,",
        ] {
            let other = format!("{of} {other}");
            assert_eq!(FilterPlaces::of_told(&other, &COLUMNS, &COLUMNS), None, "{other}");
        }
        let others = "0000000000000000 4+40,-,?,72";
        assert_eq!(FilterPlaces::of_told(others, &COLUMNS, &COLUMNS), None);
        assert_eq!(
            FilterPlaces::of_told(&text, &COLUMNS[..3], &COLUMNS[..3]),
            None,
            "of fewer columns"
        );
        assert_eq!(
            FilterPlaces::of_told(&text, &COLUMNS, &["raw"]),
            None,
            "of none of them"
        );
    }
}
