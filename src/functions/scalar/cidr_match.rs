//! `cidr_match`: an IP address in IP ranges.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use crate::functions::SECTION;
use crate::functions::ip::{IpRanges, parse_range};
use crate::functions::matching::{Constants, match_rows};
use crate::functions::text::{Accepts, check_types, for_each_text, literal};

const NAME: &str = "cidr_match";

pub(super) fn udf() -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    ScalarUDF::from(CidrMatch {
        signature,
        documentation: documentation(),
        constants: Constants::default(),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CidrMatch {
    signature: Signature,
    documentation: Documentation,
    constants: Constants<IpRanges>,
}

impl ScalarUDFImpl for CidrMatch {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        check_types(NAME, Accepts::TextOrList, Accepts::TextOrList, 2, types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    /// Refuses a range written into the query as soon as the query is planned.
    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        args.scalar_arguments
            .iter()
            .skip(1)
            .flatten()
            .try_for_each(|range| check_range(range))?;
        Ok(Arc::new(Field::new(NAME, DataType::Boolean, true)))
    }

    /// Refuses a range in a list or an expression, once the optimiser has made a constant of it.
    fn simplify(&self, args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        check_call(&args)?;
        Ok(ExprSimplifyResult::Original(args))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match_rows(&args, &self.constants)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// Refuses the constants among the ranges of a call that are not ranges, those in a list written out too.
pub(in crate::functions) fn check_call(args: &[Expr]) -> Result<()> {
    args.iter().skip(1).try_for_each(check_argument)
}

fn check_argument(range: &Expr) -> Result<()> {
    match range {
        Expr::ScalarFunction(list) if list.func.name() == "make_array" => list.args.iter().try_for_each(check_argument),
        other => literal(other).map_or(Ok(()), check_range),
    }
}

fn check_range(constant: &ScalarValue) -> Result<()> {
    for_each_text(constant, |text| match parse_range(text) {
        Ok(_) => Ok(()),
        Err(reason) => plan_err!("{NAME}: '{text}' is not an IP range: {reason}"),
    })
}

fn documentation() -> Documentation {
    Documentation::builder(
        SECTION,
        "True if the address, or any address of the list, is in any of the ranges. IPv4 and IPv6; an IPv4-mapped IPv6 \
         address is its IPv4 address, and a range inside `::ffff:0:0/96` is its IPv4 range; otherwise no IPv4 address \
         is in an IPv6 range. A range is an address with a prefix length (bits after the prefix may be set) or an \
         address alone. A constant that is not a range is an error when the query is planned. NULL where the address \
         is NULL or not an address, and where it is in no range but a range is NULL or, in a column, not a range.",
        "cidr_match(address, range[, ..., range_n])",
    )
    .with_argument("address", "An IP address as text, or a list of them.")
    .with_argument("range", "An IP range as text, or a list of them.")
    .with_sql_example(
        "\
> SELECT cidr_match('10.1.2.3', '192.168.0.0/16', '10.0.0.0/8') AS in_second, cidr_match('::ffff:10.1.2.3', ['10.0.0.0/8']) AS mapped, cidr_match('not an address', '10.0.0.0/8') AS bad;
+-----------+--------+-----+
| in_second | mapped | bad |
+-----------+--------+-----+
| true      | true   |     |
+-----------+--------+-----+",
    )
    .with_related_udf("to_ip")
    .build()
}
