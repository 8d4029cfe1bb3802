//! Numbers of as many bytes as they need, as Parquet's encodings and its footer's Thrift write them.

/// Appends a number, seven bits in each byte.
pub(super) fn unsigned(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a number whose sign is its last bit.
pub(super) fn signed(value: i64, out: &mut Vec<u8>) {
    unsigned(((value << 1) ^ (value >> 63)) as u64, out);
}
