//! Structs that stand for one value: a number with its own scale, a geometry. In: the struct's JSON
//! text. Out: the slot of the value. Never a member left out in silence: one that is not known
//! makes the value bad. Both ways of reading come by here.

use super::exact;
use super::json::{bad, each, string};
use super::leaf::{self, Fit, arena_span};
use super::row::Slot;
use super::wire::Wire;
use serde_json::value::RawValue;

/// Why a struct is no value of its kind.
type Reason = &'static str;

const NO_STRING: Reason = "one of its members should be a string";

/// The slot of a JSON object, for the wires that are spelled as one.
pub(super) fn object(wire: Wire, json: &str, arena: &mut Vec<u8>) -> Fit {
    match wire {
        Wire::VariableScale => {
            let [scale, value] = members(json, ["scale", "value"], &[])?;
            let scale = scale.and_then(|scale| scale.get().parse().ok());
            let scale = scale.ok_or("its `scale` should be an integer of 32 bits")?;
            let value = string(value.ok_or("it has no `value`")?).map_err(|_| NO_STRING)?;
            exact::base64(value.as_bytes(), exact::ANY, scale, arena)
        }
        // The coordinates of a point are in its bytes, too.
        Wire::Geometry => {
            let [wkb, srid] = members(json, ["wkb", "srid"], &["x", "y"])?;
            let wkb = wkb.filter(|wkb| wkb.get() != "null").ok_or("it has no `wkb`")?;
            let wkb = string(wkb).map_err(|_| NO_STRING)?;
            let srid = match srid.map(RawValue::get) {
                None | Some("null") => 0,
                Some(srid) => srid.parse().map_err(|_| "its `srid` should be an integer")?,
            };
            let start = arena.len();
            leaf::base64(wkb.as_bytes(), arena)?;
            put_srid(arena, start, srid)?;
            Ok(Slot::Bytes(arena_span(start, arena.len() - start)))
        }
        _ => Err("it is an object"),
    }
}

/// In extended WKB this bit of a geometry's type says that its SRID follows.
const HAS_SRID: u32 = 0x2000_0000;

/// Makes the WKB that lies behind `start` extended WKB with this SRID; 0 = none.
fn put_srid(arena: &mut Vec<u8>, start: usize, srid: i32) -> Result<(), Reason> {
    let Some(&[order, a, b, c, d]) = arena[start..].first_chunk() else {
        return Err("its `wkb` is shorter than a geometry");
    };
    let little = match order {
        0 => false,
        1 => true,
        _ => return Err("its `wkb` is of no known byte order"),
    };
    let number = |bytes| if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) };
    let bytes = |n: u32| if little { n.to_le_bytes() } else { n.to_be_bytes() };
    let kind = number([a, b, c, d]);
    let at = start + 5;
    if kind & HAS_SRID == 0 {
        if srid != 0 {
            arena[start + 1..at].copy_from_slice(&bytes(kind | HAS_SRID));
            arena.splice(at..at, bytes(srid as u32));
        }
        return Ok(());
    }
    // PostGIS says it twice.
    match arena[at..].first_chunk() {
        Some(own) if srid == 0 || number(*own) == srid as u32 => Ok(()),
        Some(_) => Err("its `wkb` has another SRID than its `srid`"),
        None => Err("its `wkb` is shorter than a geometry"),
    }
}

/// The members of an object by name; those `left_out` are not looked at.
fn members<'a, const N: usize>(
    json: &'a str,
    names: [&str; N],
    left_out: &[&str],
) -> Result<[Option<&'a RawValue>; N], Reason> {
    let mut found = [None; N];
    let mut reason = "it is not a JSON object";
    let outcome = each(json, "it", &mut |key, raw| {
        reason = match names.iter().position(|name| *name == key) {
            Some(at) if found[at].is_none() => {
                found[at] = Some(raw);
                return Ok(());
            }
            Some(_) => "one of its members comes twice",
            None if left_out.contains(&&*key) => return Ok(()),
            None => "it has a member that is not known",
        };
        Err(bad(reason))
    });
    outcome.map(|()| found).map_err(|_| reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(wire: Wire, json: &str) -> Result<Vec<u8>, Reason> {
        let mut arena = b"kept".to_vec();
        match object(wire, json, &mut arena)? {
            Slot::Bytes(span) => {
                assert_eq!(&arena[..4], b"kept");
                Ok(arena[span.start as usize..][..span.len as usize].to_vec())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_number_with_its_own_scale_is_its_text() {
        let number = |json| read(Wire::VariableScale, json).map(|b| String::from_utf8(b).unwrap());
        assert_eq!(number(r#"{"scale":3,"value":"AeJA"}"#).as_deref(), Ok("123.456"));
        assert_eq!(number(r#"{"value":"/w==","scale":-2}"#).as_deref(), Ok("-100"));
        for bad in [
            "{}",
            r#"{"scale":3}"#,
            r#"{"value":"AeJA"}"#,
            r#"{"scale":"3","value":"AeJA"}"#,
            r#"{"scale":3000000000,"value":"AeJA"}"#,
            r#"{"scale":2000000000,"value":"AeJA"}"#,
            r#"{"scale":3,"value":7}"#,
            r#"{"scale":3,"value":"A"}"#,
            r#"{"scale":3,"value":"AeJA","unit":1}"#,
            r#"{"scale":3,"scale":3,"value":"AeJA"}"#,
            "[]",
        ] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_geometry_keeps_its_srid_in_its_bytes() {
        let point = |prefix: &[u8], srid: &str| {
            use ::base64::Engine;
            let wkb = [prefix, &[7; 16]].concat();
            let wkb = ::base64::engine::general_purpose::STANDARD.encode(wkb);
            read(Wire::Geometry, &format!(r#"{{"x":1,"y":2.5,"wkb":"{wkb}","srid":{srid}}}"#))
        };
        let little: &[u8] = &[1, 1, 0, 0, 0];
        let wgs84: &[u8] = &[1, 1, 0, 0, 0x20, 0xe6, 0x10, 0, 0];
        for srid in ["null", "0"] {
            assert_eq!(point(little, srid), Ok([little, &[7; 16]].concat()));
        }
        assert_eq!(point(little, "4326"), Ok([wgs84, &[7; 16]].concat()));
        for srid in ["null", "4326"] {
            assert_eq!(point(wgs84, srid), Ok([wgs84, &[7; 16]].concat()), "PostGIS' own");
        }
        let big = [&[0, 0x20, 0, 0, 1, 0, 0, 0x10, 0xe6][..], &[7; 16]].concat();
        assert_eq!(point(&[0, 0, 0, 0, 1], "4326"), Ok(big));
        assert!(point(wgs84, "3857").is_err());
        assert!(point(&[2, 0, 0, 0, 1], "null").is_err());
        for bad in [r#"{"srid":1}"#, r#"{"wkb":"AQE=","srid":null}"#, r#"{"wkb":null}"#] {
            assert!(read(Wire::Geometry, bad).is_err(), "{bad}");
        }
    }
}
