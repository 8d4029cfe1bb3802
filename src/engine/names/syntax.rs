//! Making and recognising pieces of SQL syntax.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, ObjectName,
    ObjectNamePart, Query, SetExpr, UnaryOperator, Value, Values,
};
use datafusion::sql::sqlparser::tokenizer::Span;

/// A name, quoted unless it is plain.
pub(super) fn ident(name: &str) -> Ident {
    let plain = name
        .chars()
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_');
    if plain {
        Ident::new(name)
    } else {
        Ident::with_quote('"', name)
    }
}

/// `column`, or `qualifier.column`.
pub(super) fn column(qualifier: Option<&str>, name: &str) -> Expr {
    match qualifier {
        Some(qualifier) => Expr::CompoundIdentifier(vec![ident(qualifier), ident(name)]),
        None => Expr::Identifier(ident(name)),
    }
}

/// `'text'`
pub(super) fn text(text: &str) -> Expr {
    Expr::value(Value::SingleQuotedString(text.to_owned()))
}

/// `name(arguments)`
pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let args = arguments
        .into_iter()
        .map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)))
        .collect();
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args,
            clauses: vec![],
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: vec![],
    })
}

/// `NOT condition`, where it is negated.
pub(super) fn negate_if(negated: bool, condition: Expr) -> Expr {
    if negated {
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr: Box::new(condition),
        }
    } else {
        condition
    }
}

/// The name and arguments of a plain function call.
pub(super) fn as_call(expr: &Expr) -> Option<(String, &[FunctionArg])> {
    let Expr::Function(function) = expr else {
        return None;
    };
    let [ObjectNamePart::Identifier(name)] = function.name.0.as_slice() else {
        return None;
    };
    let args = match &function.args {
        FunctionArguments::None => &[][..],
        FunctionArguments::List(list) => &list.args,
        FunctionArguments::Subquery(_) => return None,
    };
    Some((name.value.to_ascii_lowercase(), args))
}

/// A placeholder query, while the one in its place is worked on.
pub(super) fn empty_query() -> Query {
    Query {
        with: None,
        body: Box::new(SetExpr::Values(Values {
            explicit_row: false,
            value_keyword: false,
            rows: vec![],
        })),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: vec![],
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: vec![],
    }
}

/// The text of a string literal.
pub(super) fn as_text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Some(text),
            _ => None,
        },
        Expr::Nested(inner) => as_text(inner),
        _ => None,
    }
}

/// The dotted parts as one name.
pub(super) fn dotted(parts: &[Ident]) -> String {
    parts
        .iter()
        .map(|part| part.value.as_str())
        .collect::<Vec<_>>()
        .join(".")
}

/// Where an identifier is written.
pub(super) fn start(parts: &[Ident]) -> datafusion::sql::sqlparser::tokenizer::Location {
    parts.first().map_or(Span::empty(), |part| part.span).start
}
