//! The clock of a plan that answers for many ticks: `now()` stands for the tick of the row.
//!
//! While a statement is planned, the clock is a call of a function without arguments. In the
//! plan it becomes a parameter, which the optimiser moves around like a constant that it
//! does not know; the rewrite puts the tick's column in its place.

use datafusion::arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

/// Name of the function that a statement calls where it asked for the time.
pub(in crate::engine) const TICK_FUNCTION: &str = "__tick";

const PARAMETER: &str = "$__tick";

/// The type of ticks, which is that of event times.
pub(super) fn tick_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The function, to register in a session.
pub(in crate::engine) fn tick_udf() -> ScalarUDF {
    ScalarUDF::from(Tick {
        signature: Signature::nullary(Volatility::Volatile),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Tick {
    signature: Signature,
}

impl ScalarUDFImpl for Tick {
    fn name(&self) -> &str {
        TICK_FUNCTION
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(tick_type())
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        exec_err!("the tick is known only in a lifted plan")
    }
}

fn parameter() -> Expr {
    let field = Field::new(PARAMETER, tick_type(), true);
    Expr::Placeholder(Placeholder::new_with_field(PARAMETER.into(), Some(Arc::new(field))))
}

fn is_parameter(expr: &Expr) -> bool {
    matches!(expr, Expr::Placeholder(placeholder) if placeholder.id == PARAMETER)
}

fn is_call(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarFunction(call) if call.func.name() == TICK_FUNCTION)
}

/// The plan with its calls of the function as parameters, in subqueries too.
pub(super) fn calls_to_parameters(plan: LogicalPlan) -> Result<LogicalPlan> {
    let rewritten = plan.transform_up_with_subqueries(|node| {
        let names = NamePreserver::new(&node);
        node.map_expressions(|expr| {
            let name = names.save(&expr);
            let expr = expr.transform(|inner| {
                Ok(if is_call(&inner) {
                    Transformed::yes(parameter())
                } else {
                    Transformed::no(inner)
                })
            })?;
            Ok(expr.update_data(|expr| name.restore(expr)))
        })?
        .map_data(LogicalPlan::recompute_schema)
    })?;
    Ok(rewritten.data)
}

/// Whether an expression asks for the time, by itself or in a subquery.
pub(super) fn asks_for_time(expr: &Expr) -> Result<bool> {
    expr.exists(|inner| Ok(is_parameter(inner)))
}

/// The expression with the tick in the place of the time.
pub(super) fn at_tick(expr: Expr, tick: &Expr) -> Result<Expr> {
    let replaced = expr.transform(|inner| {
        Ok(if is_parameter(&inner) {
            Transformed::yes(tick.clone())
        } else {
            Transformed::no(inner)
        })
    })?;
    Ok(replaced.data)
}
