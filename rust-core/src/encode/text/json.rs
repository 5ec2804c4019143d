//! Values as JSON (RFC 8259). Every column is in every object, nulls too: readers that look at
//! some lines only learn all columns.

use super::column::{Column, Values};

/// Appends the value of a row.
pub(super) fn value(column: &Column<'_>, row: usize, out: &mut Vec<u8>) {
    if column.is_null(row) {
        return out.extend_from_slice(b"null");
    }
    match &column.values {
        Values::Text(values) => string(values.value(row).as_bytes(), out),
        Values::Struct(members) => {
            out.push(b'{');
            for (at, (key, member)) in members.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(key);
                value(member, row, out);
            }
            out.push(b'}');
        }
        Values::List(offsets, items) => {
            let (from, to) = (offsets[row], offsets[row + 1]);
            array(items, from as usize..to as usize, out);
        }
        Values::FixedList(length, items) => array(items, row * length..(row + 1) * length, out),
        _ if column.is_literal(row) => _ = column.word(row, out),
        _ => {
            out.push(b'"');
            column.word(row, out);
            out.push(b'"');
        }
    }
}

fn array(items: &Column<'_>, rows: std::ops::Range<usize>, out: &mut Vec<u8>) {
    out.push(b'[');
    for at in rows.clone() {
        if at > rows.start {
            out.push(b',');
        }
        value(items, at, out);
    }
    out.push(b']');
}

/// Bytes that cannot stand in a string as they are.
const ESCAPED: [bool; 256] = {
    let mut escaped = [false; 256];
    let mut at = 0;
    while at < 0x20 {
        escaped[at] = true;
        at += 1;
    }
    escaped[b'"' as usize] = true;
    escaped[b'\\' as usize] = true;
    escaped
};

/// Appends a string between quotes, escaping no more than must be.
pub(super) fn string(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| ESCAPED[usize::from(*byte)]) {
        out.extend_from_slice(&rest[..at]);
        escape(rest[at], out);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

#[cold]
fn escape(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0C => b'f',
        b'\r' => b'r',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
            return;
        }
    };
    out.push(b'\\');
    out.push(short);
}
