//! One name in an expression: which column it is, and how to say so to the planner.

use super::error::NameError;
use super::fields::{self, Meaning};
use super::resolver::{Resolver, Result};
use super::scope::{Columns, Relation, Scope};
use super::syntax::{call, column, dotted, ident, start, text};
use datafusion::sql::sqlparser::ast::{AccessExpr, Expr, FunctionArguments, Ident, ObjectNamePart};

/// A resolved name.
pub(super) struct Reference {
    pub(super) expr: Expr,
    /// The name that a SELECT list without an alias gives it.
    pub(super) output: String,
}

impl Reference {
    fn column(qualifier: Option<&str>, name: &str, output: &str) -> Self {
        Self {
            expr: column(qualifier, name),
            output: output.to_owned(),
        }
    }
}

/// Something a relation has under a dotted name.
enum Member {
    Is(Box<Expr>),
    /// The field is known, but not there.
    Absent,
    Unknown(Vec<String>),
}

impl Member {
    fn is(expr: Expr) -> Self {
        Self::Is(Box::new(expr))
    }
}

impl Resolver<'_> {
    /// What a name stands for. `None`: nothing to change, the planner knows or complains.
    pub(super) fn reference(&mut self, parts: &[Ident]) -> Result<Option<Reference>> {
        match parts {
            [] => Ok(None),
            [one] if !one.value.contains('.') && !one.value.starts_with('@') => self.undotted(one),
            [one] => {
                let name = one.value.clone();
                self.unqualified(&name, parts)
            }
            [qualifier, rest @ ..] => {
                if let Some(reference) = self.qualified(qualifier, rest, parts)? {
                    return Ok(Some(reference));
                }
                self.unqualified(&dotted(parts), parts)
            }
        }
    }

    /// `action`, `ActionType`: a column, an alias, or the same in another case.
    fn undotted(&self, name: &Ident) -> Result<Option<Reference>> {
        for scope in self.scopes.iter().rev() {
            let output = scope.output(&name.value, false);
            if scope.outputs_first && output.is_some() || scope.exact(&name.value).is_some() || output.is_some() {
                return Ok(None);
            }
        }
        if name.quote_style.is_some() {
            return self.quoted(name);
        }
        for scope in self.scopes.iter().rev() {
            let column = scope.similar(&name.value);
            let output = scope.output(&name.value, true);
            let first = if scope.outputs_first {
                output.or(column)
            } else {
                column.or(output)
            };
            if let Some(column) = first {
                return Ok(Some(Reference::column(None, &column.name, &column.name)));
            }
        }
        Ok(None)
    }

    /// A quoted name that nothing here has: `"UserLoginFailed"`, where a text was meant.
    fn quoted(&self, name: &Ident) -> Result<Option<Reference>> {
        if name.quote_style != Some('"') || self.scopes.iter().any(Scope::is_open) {
            return Ok(None);
        }
        let similar = self.scopes.iter().rev().find_map(|scope| scope.similar(&name.value));
        Err(Box::new(NameError::Quoted {
            name: name.value.clone(),
            nearest: similar.map(|column| column.name.clone()).into_iter().collect(),
            location: start(std::slice::from_ref(name)),
        }))
    }

    /// `e.event_action`, `e.event.action`: a name of one relation.
    fn qualified(&mut self, qualifier: &Ident, rest: &[Ident], parts: &[Ident]) -> Result<Option<Reference>> {
        let unquoted = qualifier.quote_style.is_none();
        let Some(relation) = self
            .scopes
            .iter()
            .rev()
            .find_map(|scope| scope.relation(&qualifier.value, unquoted))
            .cloned()
        else {
            return Ok(None);
        };
        let name = dotted(rest);
        let owner = relation.qualifier.as_deref();
        if rest.len() == 1
            && let Some(column) = relation
                .columns
                .exact(&name)
                .or_else(|| relation.columns.similar(&name))
        {
            return Ok(Some(Reference::column(owner, &column.name, &column.name)));
        }
        match self.member(&relation, owner, &name) {
            Member::Is(expr) => Ok(Some(Reference {
                expr: *expr,
                output: name,
            })),
            Member::Absent | Member::Unknown(_) if relation.columns.is_open() => {
                let mut fixed: Vec<Ident> = parts.to_vec();
                if let (Some(first), Some(owner)) = (fixed.first_mut(), owner) {
                    *first = ident(owner);
                }
                Ok(Some(Reference {
                    expr: Expr::CompoundIdentifier(fixed),
                    output: name,
                }))
            }
            // An alias that is also the first word of a field: `FROM events AS event`.
            _ if self.means_a_field(&dotted(parts)) => Ok(None),
            _ if rest.len() == 1 && !name.contains('.') => Ok(Some(Reference::column(owner, &name, &name))),
            Member::Absent => Err(Box::new(NameError::NotInScope {
                name: dotted(parts),
                relations: qualifier.value.clone(),
                location: start(parts),
            })),
            Member::Unknown(nearest) => Err(Box::new(NameError::UnknownField {
                name: dotted(parts),
                nearest,
                location: start(parts),
            })),
        }
    }

    fn means_a_field(&self, name: &str) -> bool {
        !matches!(fields::meaning(name), Meaning::Unknown(_) | Meaning::Raw)
    }

    /// A dotted name without a qualifier: the innermost scope that has it.
    fn unqualified(&mut self, name: &str, parts: &[Ident]) -> Result<Option<Reference>> {
        if let Some(column) = self.last_output(name) {
            return Ok(Some(Reference::column(None, &column, name)));
        }
        let mut absent = false;
        let mut unknown = None;
        for depth in (0..self.scopes.len()).rev() {
            let Some(scope) = self.scopes.get(depth) else { continue };
            let relations = scope.relations.clone();
            let several = relations.len() > 1;
            for relation in &relations {
                // Only `raw` needs saying whose it is: two relations with the same field
                // are as ambiguous as in any SQL.
                match self.member_of(relation, several, name) {
                    Member::Is(expr) => {
                        return Ok(Some(Reference {
                            expr: *expr,
                            output: name.to_owned(),
                        }));
                    }
                    Member::Absent => absent = true,
                    Member::Unknown(nearest) => unknown = Some(nearest),
                }
            }
            if let Some(column) = self.scopes.get(depth).and_then(|scope| scope.output(name, true)) {
                let column = column.name.clone();
                return Ok(Some(Reference::column(None, &column, name)));
            }
        }
        self.not_found(name, parts, absent, unknown)
    }

    fn last_output(&self, name: &str) -> Option<String> {
        let scope = self.scopes.last().filter(|scope| scope.outputs_first)?;
        scope.output(name, true).map(|column| column.name.clone())
    }

    fn member_of(&mut self, relation: &Relation, several: bool, name: &str) -> Member {
        let owner = relation.qualifier.clone().filter(|_| several);
        if let Meaning::Raw = fields::meaning(name)
            && relation.columns.exact(name).is_none()
            && relation.columns.similar(name).is_none()
        {
            return self.member(relation, owner.as_deref(), name);
        }
        self.member(relation, None, name)
    }

    fn not_found(
        &self,
        name: &str,
        parts: &[Ident],
        absent: bool,
        unknown: Option<Vec<String>>,
    ) -> Result<Option<Reference>> {
        let location = start(parts);
        // The first part may be a column with fields of its own.
        let first = parts
            .first()
            .filter(|_| parts.len() > 1)
            .map(|part| part.value.as_str());
        if first.is_some_and(|first| self.scopes.iter().any(|scope| scope.exact(first).is_some())) {
            return Ok(None);
        }
        if self.scopes.iter().any(Scope::is_open) {
            // A relation whose columns only the planner knows may have it.
            return Ok(match fields::meaning(name) {
                Meaning::Column(field) => Some(Reference::column(None, &field.column, name)),
                _ => None,
            });
        }
        if let [quoted] = parts
            && quoted.quote_style == Some('"')
            && let Meaning::Unknown(nearest) = fields::meaning(name)
        {
            return Err(Box::new(NameError::Quoted {
                name: name.to_owned(),
                nearest,
                location,
            }));
        }
        match unknown {
            Some(nearest) => Err(Box::new(NameError::UnknownField {
                name: name.to_owned(),
                nearest,
                location,
            })),
            None if absent => {
                let relations = self.scopes.iter().rev().find(|scope| !scope.relations.is_empty());
                let relations = relations.map_or_else(|| Scope::default().describe(), Scope::describe);
                Err(Box::new(NameError::NotInScope {
                    name: name.to_owned(),
                    relations,
                    location,
                }))
            }
            None => match fields::meaning(name) {
                Meaning::Unknown(nearest) => Err(Box::new(NameError::UnknownField {
                    name: name.to_owned(),
                    nearest,
                    location,
                })),
                _ => Err(Box::new(NameError::NotInScope {
                    name: name.to_owned(),
                    relations: Scope::default().describe(),
                    location,
                })),
            },
        }
    }

    /// What a relation has under a dotted name.
    fn member(&mut self, relation: &Relation, owner: Option<&str>, name: &str) -> Member {
        let columns = &relation.columns;
        if let Some(found) = columns.exact(name) {
            return Member::is(column(owner, &found.name));
        }
        let has = |field: &crate::schema::Field| columns.exact(&field.column).is_some();
        match fields::meaning(name) {
            Meaning::Column(field) if has(field) => Member::is(column(owner, &field.column)),
            Meaning::PairNames(field) if has(field) => {
                Member::is(call("pair_names", vec![column(owner, &field.column)]))
            }
            Meaning::PairValues(field) if has(field) => {
                Member::is(call("pair_values", vec![column(owner, &field.column)]))
            }
            Meaning::PairValue(field, property) if has(field) => {
                Member::is(call("property", vec![column(owner, &field.column), text(&property)]))
            }
            meaning => match (columns.similar(name), meaning) {
                (Some(found), _) => Member::is(column(owner, &found.name)),
                (None, Meaning::Raw) if columns.exact("raw").is_some() => {
                    if !self.resolution.raw_fields.iter().any(|field| field == name) {
                        self.resolution.raw_fields.push(name.to_owned());
                        let nearest = fields::doubtful(name);
                        if !nearest.is_empty() {
                            self.resolution.doubtful.push((name.to_owned(), nearest));
                        }
                    }
                    Member::is(call("raw_field", vec![column(owner, "raw"), text(name)]))
                }
                (None, Meaning::Unknown(nearest)) => Member::Unknown(nearest),
                (None, _) => Member::Absent,
            },
        }
    }
}

/// The parts of an expression that is nothing but a name.
pub(super) fn name_parts(expr: &Expr) -> Option<&[Ident]> {
    match expr {
        Expr::Identifier(name) => Some(std::slice::from_ref(name)),
        Expr::CompoundIdentifier(parts) => Some(parts),
        _ => None,
    }
}

/// Turns what the parser makes of some names into plain ones.
///
/// `user` alone is read as a function, which does not exist here; `event.category[1]` as a
/// chain of accesses, which keeps what follows the name.
pub(super) fn join_name(expr: &mut Expr) {
    if let Expr::Function(_) = expr
        && let Some([name]) = written_name(expr)
        && USERS.iter().any(|user| name.value.eq_ignore_ascii_case(user))
    {
        *expr = Expr::Identifier(name.clone());
        return;
    }
    let Expr::CompoundFieldAccess { root, access_chain } = expr else {
        return;
    };
    let Some(mut parts) = written_name(root).map(<[Ident]>::to_vec) else {
        return;
    };
    let dots = access_chain
        .iter()
        .take_while(|access| dot_name(access).is_some())
        .count();
    let after = access_chain.split_off(dots);
    parts.extend(access_chain.iter().filter_map(dot_name).flatten().cloned());
    let name = match parts.as_slice() {
        [only] => Expr::Identifier(only.clone()),
        _ => Expr::CompoundIdentifier(parts),
    };
    *expr = match after.as_slice() {
        [] => name,
        _ => Expr::CompoundFieldAccess {
            root: Box::new(name),
            access_chain: after,
        },
    };
}

/// Words that are functions without parentheses in other databases, and names here.
const USERS: [&str; 3] = ["user", "current_user", "session_user"];

/// The parts of a name, where it may be a keyword that is read as a function (`user`).
fn written_name(expr: &Expr) -> Option<&[Ident]> {
    match expr {
        Expr::Function(function) if matches!(function.args, FunctionArguments::None) => {
            match function.name.0.as_slice() {
                [ObjectNamePart::Identifier(name)] => Some(std::slice::from_ref(name)),
                _ => None,
            }
        }
        other => name_parts(other),
    }
}

fn dot_name(access: &AccessExpr) -> Option<&[Ident]> {
    match access {
        AccessExpr::Dot(part) => written_name(part),
        AccessExpr::Subscript(_) => None,
    }
}

/// The columns of a relation named before `.*`.
pub(super) fn columns_of<'a>(scopes: &'a [Scope], qualifier: &Ident) -> Option<(&'a str, &'a Columns)> {
    let unquoted = qualifier.quote_style.is_none();
    let relation = scopes.last()?.relation(&qualifier.value, unquoted)?;
    Some((relation.qualifier.as_deref()?, &relation.columns))
}
