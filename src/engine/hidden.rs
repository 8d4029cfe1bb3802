//! Values and conditions that rules of the library are kept from drawing conclusions from.
//!
//! What stands below a function that nothing is known of is evaluated as it is. Where the function
//! may give another result each time, a condition also stays at its place in a plan.

use datafusion::arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr, conjunction, split_conjunction};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use std::sync::Arc;

/// A plan whose filters have those of their conditions hidden that are to be.
pub(super) fn hide(
    plan: Arc<dyn ExecutionPlan>,
    volatility: Volatility,
    options: &ConfigOptions,
    hides: impl Fn(&Arc<dyn PhysicalExpr>, &FilterExec) -> Result<bool>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let function = Arc::new(as_it_is(1, volatility));
    let options = Arc::new(options.clone());
    let hidden = |condition: &Arc<dyn PhysicalExpr>, schema: &Schema| -> Result<Arc<dyn PhysicalExpr>> {
        let (function, args) = (Arc::clone(&function), vec![Arc::clone(condition)]);
        let call = ScalarFunctionExpr::try_new(function, args, schema, Arc::clone(&options))?;
        Ok(Arc::new(call))
    };
    plan.transform_up(|node| {
        let Some(filter) = node.downcast_ref::<FilterExec>() else {
            return Ok(Transformed::no(node));
        };
        let schema = filter.input().schema();
        let mut changed = false;
        let conditions = split_conjunction(filter.predicate()).into_iter().map(|condition| {
            if !hides(condition, filter)? {
                return Ok(Arc::clone(condition));
            }
            changed = true;
            hidden(condition, &schema)
        });
        let conditions = conditions.collect::<Result<Vec<_>>>()?;
        if !changed {
            return Ok(Transformed::no(node));
        }
        let filter = FilterExecBuilder::from(filter)
            .with_predicate(conjunction(conditions))
            .build()?;
        Ok(Transformed::yes(Arc::new(filter) as Arc<dyn ExecutionPlan>))
    })
    .data()
}

/// `__as_it_is(value, ...)`, of so many arguments: the value.
pub(super) fn as_it_is(arguments: usize, volatility: Volatility) -> ScalarUDF {
    ScalarUDF::from(AsItIs {
        signature: Signature::any(arguments, volatility),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct AsItIs {
    signature: Signature,
}

impl ScalarUDFImpl for AsItIs {
    fn name(&self) -> &'static str {
        "__as_it_is"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types.first() {
            Some(value) => Ok(value.clone()),
            None => internal_err!("{} has no value", self.name()),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        match args.arg_fields.first() {
            Some(value) => Ok(Arc::clone(value)),
            None => internal_err!("{} has no value", self.name()),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.into_iter().next() {
            Some(value) => Ok(value),
            None => internal_err!("{} has no value", self.name()),
        }
    }
}
