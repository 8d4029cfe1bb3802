//! The SQL function around a [`Matcher`]: `name(text_or_list, value, ...)`, never NULL.

use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::matching::{Constants, Matcher, false_when_null, match_rows};
use super::text::{Accepts, check_types};

/// What the values after the first argument may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    /// Exactly one text.
    One,
    /// One or more, each a text or a list of texts.
    Many,
}

/// A function that is true where the text, or any element of the list, matches the values.
///
/// It is false, not NULL, where the text is NULL, so that `NOT` of it is true there: rule
/// languages say that what is missing does not match.
#[derive(Debug)]
pub(crate) struct MatchFunction<M> {
    name: &'static str,
    values: Values,
    signature: Signature,
    documentation: Documentation,
    constants: Constants<M>,
}

impl<M: Matcher> MatchFunction<M> {
    pub(crate) fn new(name: &'static str, values: Values, documentation: Documentation) -> Self {
        let signature = Signature::user_defined(Volatility::Immutable);
        Self {
            name,
            values,
            signature,
            documentation,
            constants: Constants::default(),
        }
    }
}

impl<M> PartialEq for MatchFunction<M> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl<M> Eq for MatchFunction<M> {}

impl<M> Hash for MatchFunction<M> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl<M: Matcher + Debug + Send + Sync + 'static> ScalarUDFImpl for MatchFunction<M> {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let rest = match self.values {
            Values::One if types.len() > 2 => {
                return plan_err!("{} needs 2 arguments, not {}", self.name, types.len());
            }
            Values::One => Accepts::Text,
            Values::Many => Accepts::TextOrList,
        };
        check_types(self.name, Accepts::TextOrList, rest, 2, types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.name, DataType::Boolean, false)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match_rows(&args, &self.constants).map(false_when_null)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}
