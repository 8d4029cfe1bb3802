//! Mailboxes that may have been meant.

/// How many are suggested.
const SUGGESTED: usize = 5;

/// From here on, two names differ by little more than a slip of the finger.
const NEAR: f64 = 0.8;

/// The mailboxes whose name begins with the wanted one, then those whose name is near it,
/// best first. Both are lower case.
pub(super) fn similar(wanted: &str, mailboxes: &[String]) -> Vec<String> {
    // The part before the @: the domain, which most mailboxes share, makes all of them alike.
    let name = |mailbox: &str| mailbox.split('@').next().unwrap_or_default().to_owned();
    let wanted_name = name(wanted);
    let mut scored: Vec<(f64, &String)> = mailboxes
        .iter()
        .filter(|mailbox| *mailbox != wanted)
        .map(|mailbox| {
            let begins = !wanted_name.is_empty() && mailbox.starts_with(&wanted_name);
            let score = near(&wanted_name, &name(mailbox));
            (if begins { 1.0 + score } else { score }, mailbox)
        })
        .filter(|(score, _)| *score >= NEAR)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored
        .into_iter()
        .take(SUGGESTED)
        .map(|(_, mailbox)| mailbox.clone())
        .collect()
}

/// How alike two names are, at most 1. One slip in a short name weighs too much otherwise.
fn near(wanted: &str, name: &str) -> f64 {
    let alike = strsim::jaro_winkler(wanted, name);
    if wanted.chars().count() > 2 && strsim::osa_distance(wanted, name) == 1 {
        alike.max(NEAR)
    } else {
        alike
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_then_slips() {
        let mailboxes = [
            "jonis@a.example",
            "joey@a.example",
            "joeyb@a.example",
            "lynner@a.example",
        ]
        .map(String::from);
        assert_eq!(similar("joey", &mailboxes), ["joey@a.example", "joeyb@a.example"]);
        assert_eq!(similar("jo", &mailboxes).len(), 3);
        assert_eq!(similar("lyner@a.example", &mailboxes), ["lynner@a.example"]);
        assert_eq!(
            similar("yoje@a.example", &["yjoe@a.example".to_owned()]),
            ["yjoe@a.example"]
        );
        // The right name with another domain.
        assert_eq!(similar("jonis@b.example", &mailboxes), ["jonis@a.example"]);
        // The same domain alone is nothing.
        assert!(similar("zoe@a.example", &mailboxes).is_empty());
        assert!(similar("@a.example", &mailboxes).is_empty());
    }

    #[test]
    fn a_few() {
        let mailboxes: Vec<String> = (0..20).map(|number| format!("user{number:02}@a.example")).collect();
        assert_eq!(similar("user", &mailboxes), mailboxes[..5]);
    }
}
