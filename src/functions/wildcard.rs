//! Patterns in which `*` stands for any run of characters, line ends too, and
//! everything else stands for itself.

use memchr::memmem::Finder;

use super::matching::Matcher;

/// One pattern, taken apart at its stars.
#[derive(Debug)]
enum Pattern {
    /// Without a star: the whole text.
    Exact(Box<str>),
    Starred {
        start: Box<str>,
        middle: Vec<Finder<'static>>,
        end: Box<str>,
    },
}

impl Pattern {
    fn new(pattern: &str) -> Self {
        let (Some((start, rest)), Some((_, end))) = (pattern.split_once('*'), pattern.rsplit_once('*')) else {
            return Self::Exact(pattern.into());
        };
        let middle = rest
            .strip_suffix(end)
            .unwrap_or(rest)
            .split('*')
            .filter(|part| !part.is_empty());
        Self::Starred {
            start: start.into(),
            middle: middle.map(|part| Finder::new(part).into_owned()).collect(),
            end: end.into(),
        }
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *text,
            Self::Starred { start, middle, end } => {
                let Some(inner) = text.strip_prefix(&**start).and_then(|rest| rest.strip_suffix(&**end)) else {
                    return false;
                };
                // Taking the first place for each part leaves the most room for the next.
                let mut rest = inner.as_bytes();
                middle.iter().all(|part| match part.find(rest) {
                    Some(position) => {
                        rest = &rest[position + part.needle().len()..];
                        true
                    }
                    None => false,
                })
            }
        }
    }
}

/// Patterns of which any may match.
#[derive(Debug)]
pub(crate) struct AnyPattern(Vec<Pattern>);

impl Matcher for AnyPattern {
    fn compile(values: &[Option<&str>]) -> Self {
        // A NULL pattern matches nothing.
        Self(values.iter().flatten().map(|pattern| Pattern::new(pattern)).collect())
    }

    fn matches(&self, text: &str) -> Option<bool> {
        Some(self.0.iter().any(|pattern| pattern.matches(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(text: &str, pattern: &str) -> bool {
        Pattern::new(pattern).matches(text)
    }

    #[test]
    fn only_the_star_is_special() {
        assert!(matches("a\nb", "a*b"));
        assert!(matches("anything", "*"));
        assert!(matches("", "*"));
        assert!(matches("", ""));
        assert!(!matches("", "*a*"));
        assert!(matches("aXXbYYc", "a*b*c"));
        assert!(!matches("ab", "ab*b"));
        assert!(!matches("a", "a*a"));
        assert!(matches("50%_off?", "50%_*?"));
        assert!(!matches("50x_offx", "50%_*?"));
        assert!(!matches("Abc", "a*"));
    }

    fn slow(text: &[char], pattern: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|skipped| slow(&text[skipped..], rest)),
            Some((character, rest)) => text.first() == Some(character) && slow(&text[1..], rest),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn agrees_with_the_definition(text in "[abé]{0,8}", pattern in "[abé*]{0,6}") {
            let characters: Vec<char> = text.chars().collect();
            let expected = slow(&characters, &pattern.chars().collect::<Vec<_>>());
            prop_assert_eq!(matches(&text, &pattern), expected, "{:?} {:?}", text, pattern);
        }
    }
}
