//! Membership in a set of texts.

use datafusion::common::HashSet;

use super::matching::Matcher;

/// Texts of which any may be equal.
#[derive(Debug)]
pub(crate) struct AnyEqual(HashSet<Box<str>>);

impl Matcher for AnyEqual {
    fn compile(values: &[Option<&str>]) -> Self {
        // A NULL equals nothing.
        Self(values.iter().flatten().map(|value| Box::from(*value)).collect())
    }

    fn matches(&self, text: &str) -> Option<bool> {
        Some(self.0.contains(text))
    }
}
