//! `pair_names`: the names of a list of pairs.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::functions::SECTION;
use crate::functions::pairs::{Half, half_of_lists, half_type};

const NAME: &str = "pair_names";

pub(super) fn udf() -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    ScalarUDF::from(PairNames {
        signature,
        documentation: documentation(),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct PairNames {
    signature: Signature,
    documentation: Documentation,
}

impl ScalarUDFImpl for PairNames {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [list] = types else {
            return plan_err!("{NAME} needs 1 argument, not {}", types.len());
        };
        half_type(NAME, list, Half::Name)?;
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let [list] = take_function_args(NAME, types)?;
        let item = half_type(NAME, list, Half::Name)?;
        Ok(DataType::List(Arc::new(Field::new_list_field(item, true))))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [list] = take_function_args(NAME, &args.args)?;
        half_of_lists(list, Half::Name)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

fn documentation() -> Documentation {
    Documentation::builder(
        SECTION,
        "The names of a list of name and value pairs, in order. With `any_in` and `any_match` it asks what Elastic asks \
         of such a list, where any name counts, whatever stands beside it; `property` asks pair by pair.",
        "pair_names(list)",
    )
    .with_argument("list", "A list of structs with the fields `name` and `value`.")
    .with_sql_example(
        "\
> SELECT pair_names([named_struct('name', 'ClientIP', 'value', '192.0.2.1'), named_struct('name', 'Via', 'value', 'web')]) AS names;
+-----------------+
| names           |
+-----------------+
| [ClientIP, Via] |
+-----------------+",
    )
    .with_related_udf("pair_values")
    .with_related_udf("property")
    .build()
}
