//! `to_ip`: the canonical text of an IP address.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, StringViewBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::functions::SECTION;
use crate::functions::ip::{parse_address, parse_v4, write_address};
use crate::functions::text::{Accepts, TextArgument, check_types};

const NAME: &str = "to_ip";

pub(super) fn udf() -> ScalarUDF {
    ScalarUDF::from(ToIp {
        signature: Signature::user_defined(Volatility::Immutable),
        documentation: documentation(),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ToIp {
    signature: Signature,
    documentation: Documentation,
}

impl ScalarUDFImpl for ToIp {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if types.len() != 1 {
            return plan_err!("{NAME} needs 1 argument, not {}", types.len());
        }
        check_types(NAME, Accepts::Text, Accepts::Text, 1, types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [argument] = take_function_args(NAME, &args.args)?;
        if let ColumnarValue::Array(array) = argument
            && all_canonical(array)
        {
            return Ok(ColumnarValue::Array(Arc::clone(array)));
        }
        let texts = TextArgument::try_new(argument)?;
        let rows = if texts.is_constant() { 1 } else { args.number_rows };
        let mut addresses = StringViewBuilder::with_capacity(rows);
        let mut buffer = String::new();
        for row in 0..rows {
            let text = texts.row(row).and_then(|mut texts| texts.next().flatten());
            if let Some(canonical) = text.filter(|text| parse_v4(text).is_some()) {
                addresses.append_value(canonical);
            } else if let Some(address) = text.and_then(parse_address) {
                write_address(address, &mut buffer);
                addresses.append_value(&buffer);
            } else {
                addresses.append_null();
            }
        }
        let addresses: ArrayRef = Arc::new(addresses.finish());
        if texts.is_constant() {
            return ScalarValue::try_from_array(&addresses, 0).map(ColumnarValue::Scalar);
        }
        Ok(ColumnarValue::Array(addresses))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// Whether nothing has to be written anew, as where all addresses are IPv4.
fn all_canonical(array: &ArrayRef) -> bool {
    let texts = array.as_string_view_opt();
    texts.is_some_and(|texts| texts.iter().flatten().all(|text| parse_v4(text).is_some()))
}

fn documentation() -> Documentation {
    Documentation::builder(
        SECTION,
        "The address in its canonical text: an IPv4-mapped IPv6 address as its IPv4 address, IPv6 in lower case with \
         the longest run of zeros left out. NULL if the text is not an address: no brackets, ports, zones, spaces or \
         leading zeros in IPv4.",
        "to_ip(text)",
    )
    .with_argument("text", "A text.")
    .with_sql_example(
        "\
> SELECT to_ip('2001:DB8:0:0:0:0:0:1') AS ipv6, to_ip('::ffff:192.0.2.1') AS mapped, to_ip('010.0.0.1') AS bad;
+-------------+-----------+-----+
| ipv6        | mapped    | bad |
+-------------+-----------+-----+
| 2001:db8::1 | 192.0.2.1 |     |
+-------------+-----------+-----+",
    )
    .with_related_udf("cidr_match")
    .build()
}
