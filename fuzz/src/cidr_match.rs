//! `cidr_match` against a slow twin.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::ScalarValue;
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use std::net::IpAddr;
use std::sync::Arc;

/// Any lines: the first is the address, the others are ranges. As constants and as columns, the
/// function says what bits say.
pub fn cidr_match(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split('\n');
    let address = lines.next().unwrap_or_default();
    let ranges: Vec<&str> = lines.take(8).collect();
    if ranges.is_empty() {
        return;
    }
    let expected = twin(address, &ranges);
    let scalar = |text: &str| ColumnarValue::Scalar(ScalarValue::Utf8(Some(text.to_owned())));
    let column = |text: &str| ColumnarValue::Array(Arc::new(StringArray::from(vec![text, text])) as ArrayRef);
    for as_address in [&scalar as &dyn Fn(&str) -> _, &column] {
        for as_range in [&scalar as &dyn Fn(&str) -> _, &column] {
            let mut args = vec![as_address(address)];
            args.extend(ranges.iter().map(|range| as_range(range)));
            assert_eq!(answer(args), expected, "{address:?} in {ranges:?}");
        }
    }
}

fn answer(args: Vec<ColumnarValue>) -> Option<bool> {
    let functions = retrohunt::functions::scalar();
    let function = functions
        .iter()
        .find(|function| function.name() == "cidr_match")
        .unwrap();
    let field = |name: &str, data_type| Arc::new(Field::new(name, data_type, true));
    let arg_fields = args.iter().map(|_| field("a", DataType::Utf8)).collect();
    let result = function.invoke_with_args(ScalarFunctionArgs {
        args,
        arg_fields,
        number_rows: 2,
        return_field: field("r", DataType::Boolean),
        config_options: Arc::new(ConfigOptions::default()),
    });
    match result.unwrap() {
        ColumnarValue::Scalar(ScalarValue::Boolean(answer)) => answer,
        ColumnarValue::Array(answers) => {
            let answers = answers.as_boolean();
            let of = |row| answers.is_valid(row).then(|| answers.value(row));
            assert_eq!((answers.len(), of(0)), (2, of(1)), "rows are alike");
            of(0)
        }
        other => panic!("{other:?}"),
    }
}

fn twin(address: &str, ranges: &[&str]) -> Option<bool> {
    let address: Bits = address.parse::<IpAddr>().ok()?.into();
    let ranges: Vec<Option<(Bits, usize)>> = ranges.iter().map(|range| network(range)).collect();
    let inside = |(network, prefix): &(Bits, usize)| {
        network.0.len() == address.0.len() && network.0[..*prefix] == address.0[..*prefix]
    };
    if ranges.iter().flatten().any(inside) {
        return Some(true);
    }
    ranges.iter().all(Option::is_some).then_some(false)
}

/// An address, bit by bit; one of IPv4 that is written as IPv6 is the IPv4 one.
struct Bits(Vec<bool>);

impl From<IpAddr> for Bits {
    fn from(address: IpAddr) -> Self {
        let bytes = match address.to_canonical() {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        };
        let bits = bytes
            .iter()
            .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1));
        Self(bits.collect())
    }
}

fn network(text: &str) -> Option<(Bits, usize)> {
    let (address, prefix) = match text.split_once('/') {
        None => (text.parse().ok()?, None),
        Some((address, prefix)) => (address.parse::<IpAddr>().ok()?, Some(prefix)),
    };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let Some(prefix) = prefix else {
        let bits = Bits::from(address);
        let all = bits.0.len();
        return Some((bits, all));
    };
    let prefix = (0..=longest).find(|length: &usize| length.to_string() == prefix)?;
    match address {
        // Less than the 96 bits that mark a mapped address: the IPv6 network it is written as.
        IpAddr::V6(v6) if prefix < 96 => {
            let bits = v6
                .octets()
                .iter()
                .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1))
                .collect();
            Some((Bits(bits), prefix))
        }
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => Some((address.into(), prefix - 96)),
        _ => Some((address.into(), prefix)),
    }
}
