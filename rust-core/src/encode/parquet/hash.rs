//! A hash of a value's bytes: for counting distinct values and for dictionaries, both of which
//! live in memory only.

const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

/// Mixes eight bytes at a time; the upper bits are the good ones.
#[inline]
pub(super) fn hash(value: &[u8]) -> u64 {
    let mut hash = value.len() as u64;
    let (words, rest) = value.as_chunks::<8>();
    for word in words {
        hash = (hash.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(MIX);
    }
    let rest = rest.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
    hash = (hash.rotate_left(5) ^ rest).wrapping_mul(MIX);
    (hash ^ hash >> 32).wrapping_mul(MIX)
}
