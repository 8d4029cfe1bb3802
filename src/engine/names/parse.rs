//! From SQL text to one statement that only reads.

use super::error::NameError;
use datafusion::sql::sqlparser::ast::{Expr, Query, Select, SetExpr, Statement, Visit, Visitor};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer, Word};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// First words of statements that change something. They are refused before parsing:
/// the parser does not know DataFusion's own (`CREATE EXTERNAL TABLE`).
const WRITING: &[&str] = &[
    "ALTER", "ANALYZE", "ATTACH", "CALL", "COMMIT", "COPY", "CREATE", "DELETE", "DETACH", "DROP", "EXECUTE", "GRANT",
    "IMPORT", "INSERT", "INSTALL", "LOAD", "MERGE", "OPTIMIZE", "PREPARE", "REPLACE", "RESET", "REVOKE", "ROLLBACK",
    "SET", "TRUNCATE", "UNLOAD", "UPDATE", "USE", "VACUUM",
];

/// Parses one statement that only reads: a query, `EXPLAIN` of one, `SHOW TABLES`,
/// `SHOW COLUMNS`, or `DESCRIBE` of a table.
pub fn parse_query(sql: &str) -> Result<Statement, NameError> {
    let tokens = tokens(sql)?;
    refuse_writing(&tokens)?;
    let mut statements = Parser::new(&GenericDialect)
        .with_tokens_with_locations(tokens)
        .parse_statements()
        .map_err(syntax)?;
    let statement = match statements.len() {
        1 => statements.remove(0),
        0 => return Err(syntax_error("there is no statement; write a SELECT")),
        several => return Err(NameError::NotOne(several)),
    };
    check_read_only(&statement)?;
    Ok(statement)
}

/// Parses one expression, with names as [`parse_query`] reads them. It has no places: it
/// goes into a statement, whose lines are counted.
pub fn parse_expression(sql: &str) -> Result<Expr, NameError> {
    let without_place = |token: TokenWithSpan| TokenWithSpan::new(token.token, Span::empty());
    let tokens = tokens(sql)?.into_iter().map(without_place).collect();
    let mut parser = Parser::new(&GenericDialect).with_tokens_with_locations(tokens);
    let expr = parser.parse_expr().map_err(syntax)?;
    match parser.next_token().token {
        Token::EOF => Ok(expr),
        more => Err(syntax_error(&format!("Expected: one expression, found: {more}"))),
    }
}

/// All words in a statement, without their quotes: names, and keywords too. `None` if it has
/// `table.*`, or cannot be read.
pub(crate) fn words(sql: &str) -> Option<HashSet<String>> {
    let mut words = HashSet::new();
    let mut after_period = false;
    for token in tokens(sql).ok()? {
        match token.token {
            Token::Mul if after_period => return None,
            Token::Word(word) => {
                words.insert(word.value);
                after_period = false;
            }
            Token::Whitespace(_) => {}
            token => after_period = token == Token::Period,
        }
    }
    Some(words)
}

fn tokens(sql: &str) -> Result<Vec<TokenWithSpan>, NameError> {
    let tokens = Tokenizer::new(&GenericDialect, sql)
        .tokenize_with_location()
        .map_err(|error| syntax(error.into()))?;
    Ok(keywords_in_names(numbers_in_names(tokens)))
}

fn syntax(error: ParserError) -> NameError {
    match error {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => syntax_error(&message),
        ParserError::RecursionLimitExceeded => syntax_error("the statement is nested too deeply"),
    }
}

/// The parser's message, which ends with the place where there is one.
fn syntax_error(message: &str) -> NameError {
    let (message, location) = match message.rsplit_once(" at Line: ") {
        Some((message, place)) => {
            let mut numbers = place.split(", Column: ").map_while(|number| number.trim().parse().ok());
            let (line, column) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
            (message, Location { line, column })
        }
        None => (message, Location::empty()),
    };
    let message = message
        .replace("Expected: ", "expected ")
        .replace("found: EOF", "found the end of the text")
        .replace("found: ", "found ");
    NameError::Syntax { message, location }
}

/// Quotes numeric segments of a name: `target_resources.0.display_name`.
///
/// The tokenizer reads `.0` or `0.` after a word as a number; between the parts of a name,
/// with no space, it is a segment.
fn numbers_in_names(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut fixed: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let touches = |before: &TokenWithSpan| before.span.end == token.span.start;
        if let Token::Number(digits, false) = &token.token
            && fixed
                .last()
                .is_some_and(|before| touches(before) && continues_name(&fixed))
        {
            let place = token.span;
            let mut segments = digits.split('.').peekable();
            while let Some(segment) = segments.next() {
                if !segment.is_empty() {
                    let word = Word {
                        value: segment.to_owned(),
                        quote_style: Some('"'),
                        keyword: NO_KEYWORD,
                    };
                    fixed.push(TokenWithSpan::new(Token::Word(word), place));
                }
                if segments.peek().is_some() {
                    fixed.push(TokenWithSpan::new(Token::Period, place));
                }
            }
        } else {
            fixed.push(token);
        }
    }
    fixed
}

/// Makes every segment of a dotted name a plain word.
///
/// The parser takes `user` for a function and `interval`, `case` or `end` for syntax, also
/// inside a name such as `related.user`. Beside a dot, without a space, nothing is a keyword.
fn keywords_in_names(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let dot = |token: Option<&TokenWithSpan>| token.is_some_and(|token| token.token == Token::Period);
    for at in 0..tokens.len() {
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        let segment = dot(before) || dot(tokens.get(at + 1));
        if let Some(TokenWithSpan {
            token: Token::Word(word),
            ..
        }) = tokens.get_mut(at)
            && segment
        {
            word.keyword = NO_KEYWORD;
        }
    }
    tokens
}

const NO_KEYWORD: datafusion::sql::sqlparser::keywords::Keyword =
    datafusion::sql::sqlparser::keywords::Keyword::NoKeyword;

/// True where a number that follows directly belongs to a name: after `word` or `word.`.
fn continues_name(tokens: &[TokenWithSpan]) -> bool {
    match tokens {
        [
            ..,
            TokenWithSpan {
                token: Token::Word(_), ..
            },
        ] => true,
        [.., word, period] => {
            matches!((&word.token, &period.token), (Token::Word(_), Token::Period))
                && (word.span.end == period.span.start || word.span == period.span)
        }
        _ => false,
    }
}

fn refuse_writing(tokens: &[TokenWithSpan]) -> Result<(), NameError> {
    let mut words = tokens
        .iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(_)))
        .map_while(|token| match &token.token {
            Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_ascii_uppercase()),
            _ => None,
        });
    let Some(first) = words.next().filter(|first| WRITING.contains(&first.as_str())) else {
        return Ok(());
    };
    let kind = match words.next() {
        Some(second) if matches!(first.as_str(), "CREATE" | "DROP" | "ALTER" | "INSERT") => format!("{first} {second}"),
        _ => first,
    };
    Err(NameError::NotReadOnly { kind })
}

fn check_read_only(statement: &Statement) -> Result<(), NameError> {
    match statement {
        Statement::Query(_) => {}
        Statement::Explain { statement, .. } => {
            return match statement.as_ref() {
                query @ Statement::Query(_) => check_read_only(query),
                other => Err(NameError::NotReadOnly {
                    kind: format!("EXPLAIN {}", leading_keywords(other)),
                }),
            };
        }
        Statement::ExplainTable { .. } | Statement::ShowTables { .. } | Statement::ShowColumns { .. } => return Ok(()),
        other => {
            return Err(NameError::NotReadOnly {
                kind: leading_keywords(other),
            });
        }
    }
    match statement.visit(&mut Writes) {
        ControlFlow::Break(kind) => Err(NameError::NotReadOnly { kind: kind.into() }),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn leading_keywords(statement: &Statement) -> String {
    let text = statement.to_string();
    let words: Vec<&str> = text
        .split_whitespace()
        .take_while(|word| word.chars().all(|character| character.is_ascii_uppercase()))
        .take(2)
        .collect();
    if words.is_empty() {
        "this statement".into()
    } else {
        words.join(" ")
    }
}

/// Finds what writes or locks inside a query.
struct Writes;

impl Visitor for Writes {
    type Break = &'static str;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        if query.locks.is_empty() {
            writing_body(&query.body)
        } else {
            ControlFlow::Break("SELECT FOR UPDATE")
        }
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Self::Break> {
        if select.into.is_some() {
            ControlFlow::Break("SELECT INTO")
        } else {
            ControlFlow::Continue(())
        }
    }
}

fn writing_body(body: &SetExpr) -> ControlFlow<&'static str> {
    match body {
        SetExpr::Insert(_) => ControlFlow::Break("INSERT"),
        SetExpr::Update(_) => ControlFlow::Break("UPDATE"),
        SetExpr::Delete(_) => ControlFlow::Break("DELETE"),
        SetExpr::Merge(_) => ControlFlow::Break("MERGE"),
        SetExpr::SetOperation { left, right, .. } => {
            writing_body(left)?;
            writing_body(right)
        }
        SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) | SetExpr::Table(_) => ControlFlow::Continue(()),
    }
}
