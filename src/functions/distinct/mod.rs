//! `count(DISTINCT x)` and `array_agg(DISTINCT x)` for very many groups.
//!
//! DataFusion keeps both, for most types, as one hash map per group. A detection over months
//! has a group for each key at each tick, and the maps of a million groups take gigabytes.
//! These are internal: a plan gets them in the place of DataFusion's, nobody writes them.

mod accumulators;
mod pairs;
#[cfg(test)]
mod tests;
mod types;

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, internal_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};

use accumulators::{ManyGroups, OneGroup};

/// The name of [`count`].
pub(crate) const COUNT: &str = "__count_distinct";
/// The name of [`list`].
pub(crate) const LIST: &str = "__distinct_list";

/// What is given of the distinct values of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    Count,
    List,
}

/// `__count_distinct(x)`: what `count(DISTINCT x)` gives.
pub(crate) fn count() -> AggregateUDF {
    AggregateUDF::from(Distinct::new(What::Count))
}

/// `__distinct_list(x)`: what `array_agg(DISTINCT x)` gives, its elements ascending and null first.
pub(crate) fn list() -> AggregateUDF {
    AggregateUDF::from(Distinct::new(What::List))
}

/// Whether both can take values of this type.
pub(crate) fn supports(value_type: &DataType) -> bool {
    types::supports(value_type)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Distinct {
    what: What,
    signature: Signature,
}

impl Distinct {
    fn new(what: What) -> Self {
        Self {
            what,
            signature: Signature::any(1, Volatility::Immutable),
        }
    }

    /// The type of the values, and whether nulls are none of them.
    fn settings(&self, args: &AccumulatorArgs<'_>) -> Result<(DataType, bool)> {
        match args.expr_fields {
            [value] => Ok((value.data_type().clone(), self.what == What::Count || args.ignore_nulls)),
            fields => internal_err!("{} has one argument, not {}", self.name(), fields.len()),
        }
    }
}

impl AggregateUDFImpl for Distinct {
    fn name(&self) -> &str {
        match self.what {
            What::Count => COUNT,
            What::List => LIST,
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match (self.what, types) {
            (What::Count, [_]) => Ok(DataType::Int64),
            (What::List, [value]) => Ok(DataType::List(types::element(value))),
            _ => plan_err!("{} has one argument, not {}", self.name(), types.len()),
        }
    }

    fn is_nullable(&self) -> bool {
        self.what == What::List
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        match self.what {
            What::Count => Ok(ScalarValue::Int64(Some(0))),
            What::List => ScalarValue::try_from(data_type),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let [value] = args.input_fields else {
            return internal_err!("{} has one argument, not {}", self.name(), args.input_fields.len());
        };
        let list = DataType::List(types::element(value.data_type()));
        let name = format_state_name(args.name, "values");
        Ok(vec![Arc::new(Field::new(name, list, true))])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let (value_type, skip_nulls) = self.settings(&args)?;
        Ok(Box::new(OneGroup::new(self.what, &value_type, skip_nulls)?))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let (value_type, skip_nulls) = self.settings(&args)?;
        Ok(Box::new(ManyGroups::new(self.what, &value_type, skip_nulls)?))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.what == What::List
    }
}
