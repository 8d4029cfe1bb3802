//! Whole-term matching as Kusto's `has` defines it.
//!
//! A *term* is a maximal run of letters and digits. A needle matches where it occurs in the
//! text, whatever the case, and where each of its two ends that is a letter or digit sits on
//! the end of a term. So `has('svchost.exe', 'exe')` but not `has('svchost.exes', 'exe')`.
//!
//! Every term inside a needle is therefore a whole term of the text it matches. That is what
//! makes thousands of needles cheap: each is filed under its longest term, and a text is
//! matched by looking up its own terms, whatever the number of needles.

use std::ops::Range;

use datafusion::common::{HashMap, HashSet};
use memchr::memmem::Finder;
use memchr::{memchr_iter, memchr2_iter};

use super::matching::Matcher;

/// Up to this many needles are searched for one by one, which is faster than looking up terms.
const SEARCHED_ONE_BY_ONE: usize = 4;

/// The case-insensitive form of a character: its simple lower case. A character outside ASCII
/// never becomes an ASCII one, so the Kelvin sign is not a `k`.
fn fold(character: char) -> char {
    if character.is_ascii() || !character.is_alphanumeric() {
        return character.to_ascii_lowercase();
    }
    let mut lower = character.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(single), None) if !single.is_ascii() => single,
        _ => character,
    }
}

fn fold_text(text: &str) -> String {
    text.chars().map(fold).collect()
}

/// The terms of a text, as byte ranges.
fn terms(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut position = 0;
    std::iter::from_fn(move || {
        let mut start = None;
        while let Some(&byte) = bytes.get(position) {
            let (in_term, length) = if byte.is_ascii() {
                (byte.is_ascii_alphanumeric(), 1)
            } else {
                let character = text.get(position..).and_then(|rest| rest.chars().next());
                character.map_or((false, 1), |character| {
                    (character.is_alphanumeric(), character.len_utf8())
                })
            };
            match (in_term, start) {
                (true, None) => start = Some(position),
                (false, Some(start)) => return Some(start..position),
                _ => {}
            }
            position += length;
        }
        start.map(|start| start..position)
    })
}

/// The ends of a needle found at this range of the text sit on the ends of terms where they must.
fn ends_on_terms(text: &str, found: &Range<usize>, starts_in_term: bool, ends_in_term: bool) -> bool {
    let before = || text.get(..found.start).and_then(|before| before.chars().next_back());
    let after = || text.get(found.end..).and_then(|after| after.chars().next());
    let cuts_a_term = starts_in_term && before().is_some_and(char::is_alphanumeric)
        || ends_in_term && after().is_some_and(char::is_alphanumeric);
    !cuts_a_term
}

/// One ASCII needle, found by its rarest byte.
#[derive(Debug)]
struct Search {
    needle: Box<[u8]>,
    rarest: usize,
    starts_in_term: bool,
    ends_in_term: bool,
}

impl Search {
    /// `None` for an empty needle and for one outside ASCII.
    fn new(folded: &str) -> Option<Self> {
        // How often characters occur in logs, from often to rarely; what is not here is rarer still.
        const COMMON: &[u8] = b"e-0a1t\"ionr2s:34,ld5c67u89bmpfh_g.";
        if !folded.is_ascii() {
            return None;
        }
        let needle: Box<[u8]> = folded.as_bytes().into();
        let rank = |byte: &u8| COMMON.iter().position(|common| common == byte).unwrap_or(COMMON.len());
        let rarest = (0..needle.len()).max_by_key(|index| rank(&needle[*index]))?;
        let starts_in_term = needle.first()?.is_ascii_alphanumeric();
        let ends_in_term = needle.last()?.is_ascii_alphanumeric();
        Some(Self {
            needle,
            rarest,
            starts_in_term,
            ends_in_term,
        })
    }

    fn is_in(&self, text: &str) -> bool {
        let byte = self.needle[self.rarest];
        let upper = byte.to_ascii_uppercase();
        if byte == upper {
            memchr_iter(byte, text.as_bytes()).any(|position| self.is_at(text, position))
        } else {
            memchr2_iter(byte, upper, text.as_bytes()).any(|position| self.is_at(text, position))
        }
    }

    fn is_at(&self, text: &str, rarest_at: usize) -> bool {
        let Some(start) = rarest_at.checked_sub(self.rarest) else {
            return false;
        };
        let found = start..start + self.needle.len();
        text.as_bytes()
            .get(found.clone())
            .is_some_and(|bytes| bytes.eq_ignore_ascii_case(&self.needle))
            && ends_on_terms(text, &found, self.starts_in_term, self.ends_in_term)
    }
}

/// What a needle has around its longest term, folded.
#[derive(Debug, PartialEq, Eq)]
struct Around {
    before: Box<str>,
    after: Box<str>,
}

impl Around {
    fn fits(&self, text: &str, term: &Range<usize>) -> bool {
        let (Some(left), Some(right)) = (text.get(..term.start), text.get(term.end..)) else {
            return false;
        };
        let mut left = left.chars().rev();
        let mut right = right.chars();
        // After the part of the needle, the next character of the text decides about its end.
        self.before
            .chars()
            .rev()
            .all(|expected| left.next().map(fold) == Some(expected))
            && self
                .after
                .chars()
                .all(|expected| right.next().map(fold) == Some(expected))
            && !(self.before.starts_with(char::is_alphanumeric) && left.next().is_some_and(char::is_alphanumeric))
            && !(self.after.ends_with(char::is_alphanumeric) && right.next().is_some_and(char::is_alphanumeric))
    }
}

/// Needles filed by the term to look up.
#[derive(Debug, Default)]
struct Filed {
    /// Needles that are one term.
    whole: HashSet<Box<str>>,
    /// Needles of several terms, or with other characters around their term.
    partial: HashMap<Box<str>, Vec<Around>>,
    /// The lengths in bytes of the ASCII keys of both, one bit each, the last bit for all longer ones.
    lengths: u64,
}

impl Filed {
    fn add(&mut self, needle: String) {
        let Some(term) = terms(&needle).max_by_key(|term| term.len()) else {
            return;
        };
        self.lengths |= length_bit(term.len());
        if term.len() == needle.len() {
            self.whole.insert(needle.into());
            return;
        }
        let around = Around {
            before: needle[..term.start].into(),
            after: needle[term.end..].into(),
        };
        self.partial.entry(needle[term].into()).or_default().push(around);
    }

    fn any_in(&self, text: &str) -> bool {
        let mut folded = String::new();
        terms(text).any(|term| {
            let Some(written) = text.get(term.clone()) else {
                return false;
            };
            let ascii = written.is_ascii();
            if ascii && self.lengths & length_bit(written.len()) == 0 {
                return false;
            }
            folded.clear();
            if ascii {
                folded.push_str(written);
                folded.make_ascii_lowercase();
            } else {
                folded.extend(written.chars().map(fold));
            }
            self.whole.contains(folded.as_str())
                || self
                    .partial
                    .get(folded.as_str())
                    .is_some_and(|needles| needles.iter().any(|around| around.fits(text, &term)))
        })
    }
}

/// The bit of a key's length. Only ASCII terms are tested, and an ASCII key has their length.
fn length_bit(length: usize) -> u64 {
    1 << length.min(63)
}

/// Needles of which any may match.
#[derive(Debug, Default)]
pub(crate) struct AnyTerm {
    /// An empty needle occurs in every text.
    empty: bool,
    searches: Vec<Search>,
    filed: Filed,
    /// Needles without a letter or digit: they are found as they stand.
    symbols: Vec<Finder<'static>>,
}

impl Matcher for AnyTerm {
    fn compile(values: &[Option<&str>]) -> Self {
        let mut compiled = Self::default();
        // A NULL needle matches nothing.
        let needles: Vec<String> = values.iter().flatten().map(|needle| fold_text(needle)).collect();
        let one_by_one = needles.len() <= SEARCHED_ONE_BY_ONE;
        for needle in needles {
            if needle.is_empty() {
                compiled.empty = true;
            } else if !needle.contains(char::is_alphanumeric) {
                compiled.symbols.push(Finder::new(&needle).into_owned());
            } else {
                match one_by_one.then(|| Search::new(&needle)).flatten() {
                    Some(search) => compiled.searches.push(search),
                    None => compiled.filed.add(needle),
                }
            }
        }
        compiled
    }

    fn matches(&self, text: &str) -> Option<bool> {
        Some(
            self.empty
                || self.searches.iter().any(|search| search.is_in(text))
                || self.symbols.iter().any(|symbol| symbol.find(text.as_bytes()).is_some())
                || (self.filed.lengths != 0 && self.filed.any_in(text)),
        )
    }
}

/// Needles that must all match.
#[derive(Debug)]
pub(crate) struct AllTerms(Vec<AnyTerm>);

impl Matcher for AllTerms {
    fn compile(values: &[Option<&str>]) -> Self {
        Self(values.iter().map(|value| AnyTerm::compile(&[*value])).collect())
    }

    fn matches(&self, text: &str) -> Option<bool> {
        Some(self.0.iter().all(|needle| needle.matches(text) == Some(true)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, spelled out: every position, character by character.
    fn slow_has(text: &str, needle: &str) -> bool {
        let original: Vec<char> = text.chars().collect();
        let text: Vec<char> = original.iter().copied().map(fold).collect();
        let needle: Vec<char> = needle.chars().map(fold).collect();
        let in_term = |index: Option<usize>| index.and_then(|i| original.get(i)).is_some_and(|c| c.is_alphanumeric());
        (0..=text.len()).any(|start| {
            let end = start + needle.len();
            text.get(start..end) == Some(&needle[..])
                && !(needle.first().is_some_and(|c| c.is_alphanumeric()) && in_term(start.checked_sub(1)))
                && !(needle.last().is_some_and(|c| c.is_alphanumeric()) && in_term(Some(end)))
        })
    }

    fn has(text: &str, needle: &str) -> bool {
        AnyTerm::compile(&[Some(needle)]).matches(text) == Some(true)
    }

    #[test]
    fn terms_end_at_everything_but_letters_and_digits() {
        assert!(has("C:\\Windows\\svchost.exe", "SVCHOST"));
        assert!(has("a.exe.b", ".exe."));
        assert!(has("svchost.exe", ".exe"));
        assert!(!has("svchost.exes", ".exe"));
        assert!(has("Moved to Deleted Items", "deleted items"));
        assert!(!has("Undeleted Items", "deleted items"));
        assert!(has("snake_case_word", "case"));
        assert!(has("ÄRGER, Straße", "ärger"));
        assert!(!has("Straßen", "straße"));
        assert!(has("a[b", "["));
        assert!(has("anything", ""));
        assert!(has("", ""));
        assert!(!has("", "a"));
        assert!(!has("300 \u{212a}", "k"));
    }

    /// Few letters, so that random needles are often found, with separators and non-ASCII of both kinds.
    const TEXT: &str = "[aAbBé0Éß\u{130}\u{212a}kK .\\-_€]{0,14}";
    const NEEDLE: &str = "[aAbBé0Éß\u{130}kK .\\-€]{0,4}";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn any_number_of_needles_gives_what_the_definition_gives(
            text in TEXT,
            needles in prop::collection::vec(NEEDLE, 0..9),
            cut in any::<(prop::sample::Index, prop::sample::Index)>(),
        ) {
            // A piece of the text itself, so that long needles are found too.
            let characters: Vec<char> = text.chars().collect();
            let (start, end) = (cut.0.index(characters.len() + 1), cut.1.index(characters.len() + 1));
            let piece: String = characters[start.min(end)..start.max(end)].iter().collect();
            let mut needles = needles;
            needles.push(piece);
            let values: Vec<Option<&str>> = needles.iter().map(|needle| Some(needle.as_str())).collect();

            let expected: Vec<bool> = needles.iter().map(|needle| slow_has(&text, needle)).collect();
            for (needle, expected) in needles.iter().zip(&expected) {
                prop_assert_eq!(has(&text, needle), *expected, "{:?} has {:?}", text, needle);
                // Alone among many, so that it is looked up and not searched for.
                let mut crowd = vec![Some("zzzz"); SEARCHED_ONE_BY_ONE];
                crowd.push(Some(needle));
                prop_assert_eq!(AnyTerm::compile(&crowd).matches(&text), Some(*expected), "{:?} has {:?}", text, needle);
            }
            prop_assert_eq!(AnyTerm::compile(&values).matches(&text), Some(expected.iter().any(|found| *found)));
            prop_assert_eq!(AllTerms::compile(&values).matches(&text), Some(expected.iter().all(|found| *found)));
        }
    }
}
