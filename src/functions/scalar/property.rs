//! `property`: the value under a name in a list of pairs.

use std::sync::Arc;

use datafusion::arrow::array::{Array, UInt32Array, new_null_array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::functions::SECTION;
use crate::functions::pairs::{Half, Pairs, half_type};
use crate::functions::text::{TextArgument, is_text, views};

const NAME: &str = "property";

pub(super) fn udf() -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    ScalarUDF::from(Property {
        signature,
        documentation: documentation(),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Property {
    signature: Signature,
    documentation: Documentation,
}

impl ScalarUDFImpl for Property {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [list, name] = types else {
            return plan_err!("{NAME} needs 2 arguments, not {}", types.len());
        };
        half_type(NAME, list, Half::Value)?;
        if !is_text(name) {
            return plan_err!("{NAME}: argument 2 must be a text, not {name}");
        }
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let [list, _] = take_function_args(NAME, types)?;
        half_type(NAME, list, Half::Value)
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [list, name] = take_function_args(NAME, &args.args)?;
        let wanted = TextArgument::try_new(name)?;
        let (array, constant_list) = match list {
            ColumnarValue::Array(array) => (Arc::clone(array), false),
            ColumnarValue::Scalar(value) => (value.to_array()?, true),
        };
        let rows = if constant_list && wanted.is_constant() {
            1
        } else {
            args.number_rows
        };
        let values = match Pairs::try_new(&array)? {
            None => new_null_array(&DataType::Utf8View, rows),
            Some(pairs) => {
                let names = views(pairs.half(Half::Name))?;
                let lists = pairs.list();
                let found: UInt32Array = (0..rows)
                    .map(|row| {
                        let wanted = wanted.row(row)?.next()??;
                        let row = if constant_list { 0 } else { row };
                        if lists.is_null(row) {
                            return None;
                        }
                        let (start, end) = (lists.value_offsets()[row], lists.value_offsets()[row + 1]);
                        (u32::try_from(start).ok()?..u32::try_from(end).ok()?)
                            .find(|pair| names.is_valid(*pair as usize) && names.value(*pair as usize) == wanted)
                    })
                    .collect();
                take(pairs.half(Half::Value), &found, None)?
            }
        };
        if constant_list && wanted.is_constant() {
            return ScalarValue::try_from_array(&values, 0).map(ColumnarValue::Scalar);
        }
        Ok(ColumnarValue::Array(values))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

fn documentation() -> Documentation {
    Documentation::builder(
        SECTION,
        "The value of the first pair with the name, in the same case. NULL where no pair has it. This asks pair by \
         pair; `any_in(pair_names(...), ...)` asks as Elastic does.",
        "property(list, name)",
    )
    .with_argument("list", "A list of structs with the fields `name` and `value`.")
    .with_argument("name", "The name of the pair.")
    .with_sql_example(
        "\
> SELECT property([named_struct('name', 'IsThrottled', 'value', 'True')], 'IsThrottled') AS throttled, property([named_struct('name', 'IsThrottled', 'value', 'True')], 'isthrottled') AS other_case;
+-----------+------------+
| throttled | other_case |
+-----------+------------+
| True      |            |
+-----------+------------+",
    )
    .with_related_udf("pair_names")
    .with_related_udf("pair_values")
    .build()
}
