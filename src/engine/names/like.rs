//! `LIKE` over the elements of a list.

use super::error::NameError;
use super::syntax::{as_text, call, text};
use datafusion::sql::sqlparser::ast::{Expr, Value};

/// Between the elements when they are searched as one text; no log has it in a value.
const SEPARATOR: char = '\u{1f}';

enum Token {
    Literal(char),
    Run,
    One,
}

/// True where an element of `list` fits the pattern; false, not NULL, for a missing list.
pub(super) fn any_like(list: Expr, pattern: &Expr, escape: Option<char>, ignore_case: bool) -> Result<Expr, NameError> {
    let Some(pattern) = as_text(pattern) else {
        return Err(NameError::List(format!(
            "{list} is a list, and LIKE on its elements needs a pattern written out, not {pattern}; \
             use any_match({list}, pattern) with `*` for any run of characters"
        )));
    };
    let tokens = tokens(pattern, escape.unwrap_or('\\'));
    let starred: Option<String> = tokens
        .iter()
        .map(|token| match token {
            Token::Run => Some('*'),
            // any_match has neither an escape for its star nor a sign for one character.
            Token::One | Token::Literal('*') => None,
            Token::Literal(character) => Some(*character),
        })
        .collect();
    Ok(match starred {
        Some(starred) if !ignore_case => call("any_match", vec![list, text(&starred)]),
        _ => {
            let joined = call("array_to_string", vec![list, text(&SEPARATOR.to_string())]);
            let found = call("regexp_like", vec![joined, text(&regex(&tokens, ignore_case))]);
            call("coalesce", vec![found, Expr::value(Value::Boolean(false))])
        }
    })
}

fn tokens(pattern: &str, escape: char) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        tokens.push(match character {
            _ if character == escape => Token::Literal(characters.next().unwrap_or(character)),
            '%' => Token::Run,
            '_' => Token::One,
            _ => Token::Literal(character),
        });
    }
    tokens
}

fn regex(tokens: &[Token], ignore_case: bool) -> String {
    let mut regex = String::from(if ignore_case { "(?i)" } else { "" });
    regex.push_str(&format!("(?:^|{SEPARATOR})"));
    for token in tokens {
        match token {
            Token::Run => regex.push_str(&format!("[^{SEPARATOR}]*")),
            Token::One => regex.push_str(&format!("[^{SEPARATOR}]")),
            Token::Literal(character) if character.is_alphanumeric() || *character == ' ' => regex.push(*character),
            Token::Literal(character) if character.is_ascii_punctuation() => {
                regex.push('\\');
                regex.push(*character);
            }
            Token::Literal(character) => regex.push(*character),
        }
    }
    regex.push_str(&format!("(?:{SEPARATOR}|$)"));
    regex
}
