//! Conditions that rules of the library are kept from drawing conclusions from.
//!
//! A condition below a function that nothing is known of is evaluated as it is. Where the function
//! may give another result each time, the condition also stays at its place in a plan.

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr, conjunction, split_conjunction};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use std::sync::Arc;

/// The plan, which if it is a filter has those conditions hidden from rules that are to be.
pub(super) fn with_hidden(
    plan: Arc<dyn ExecutionPlan>,
    volatility: Volatility,
    options: &Arc<ConfigOptions>,
    hides: impl Fn(&Arc<dyn PhysicalExpr>, &FilterExec) -> Result<bool>,
) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let Some(filter) = plan.downcast_ref::<FilterExec>() else {
        return Ok(Transformed::no(plan));
    };
    let schema = filter.input().schema();
    let mut changed = false;
    let conditions = split_conjunction(filter.predicate()).into_iter().map(|condition| {
        if !hides(condition, filter)? {
            return Ok(Arc::clone(condition));
        }
        changed = true;
        hidden(condition, volatility, &schema, options)
    });
    let conditions = conditions.collect::<Result<Vec<_>>>()?;
    if !changed {
        return Ok(Transformed::no(plan));
    }
    let filter = FilterExecBuilder::from(filter)
        .with_predicate(conjunction(conditions))
        .build()?;
    Ok(Transformed::yes(Arc::new(filter)))
}

fn hidden(
    condition: &Arc<dyn PhysicalExpr>,
    volatility: Volatility,
    schema: &Schema,
    options: &Arc<ConfigOptions>,
) -> Result<Arc<dyn PhysicalExpr>> {
    let function = ScalarUDF::from(AsItIs {
        signature: Signature::any(1, volatility),
    });
    let args = vec![Arc::clone(condition)];
    let call = ScalarFunctionExpr::try_new(Arc::new(function), args, schema, Arc::clone(options))?;
    Ok(Arc::new(call))
}

/// `__as_it_is(condition)`: the condition.
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

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [condition] = take_function_args(self.name(), args.args)?;
        Ok(condition)
    }
}
