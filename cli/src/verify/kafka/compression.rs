//! Batches of Kafka as producers compress them: in go compressed bytes, out come records, by the
//! crates that Parquet is read with.

use bytes::Bytes;
use kafka_protocol::records::Compression;
use std::io::{self, Read};

/// What Java's snappy begins with; blocks with a length each follow.
const XERIAL: &[u8] = &[0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
/// Version and lowest compatible version behind it.
const XERIAL_HEADER: usize = 16;

/// Decompresses the records of one batch.
///
/// # Errors
/// They are not what the batch says.
pub(super) fn decompress(bytes: &[u8], compression: Compression) -> io::Result<Bytes> {
    let mut plain = Vec::new();
    match compression {
        Compression::None => plain.extend_from_slice(bytes),
        Compression::Gzip => _ = flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain)?,
        Compression::Lz4 => {
            _ = lz4_flex::frame::FrameDecoder::new(bytes).read_to_end(&mut plain)?;
        }
        Compression::Zstd => plain = zstd::stream::decode_all(bytes)?,
        Compression::Snappy if bytes.starts_with(XERIAL) => {
            let mut rest = bytes.get(XERIAL_HEADER..).unwrap_or_default();
            while let Some((length, behind)) = rest.split_first_chunk::<4>() {
                let length = u32::from_be_bytes(*length) as usize;
                let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "a block is cut short");
                let (block, behind) = behind.split_at_checked(length).ok_or_else(cut)?;
                plain.extend(snappy(block)?);
                rest = behind;
            }
        }
        Compression::Snappy => plain = snappy(bytes)?,
    }
    Ok(plain.into())
}

fn snappy(block: &[u8]) -> io::Result<Vec<u8>> {
    snap::raw::Decoder::new().decompress_vec(block).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn every_codec_comes_back() {
        let plain = b"one record after another, one record after another".repeat(50);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&plain).unwrap();
        let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
        lz4.write_all(&plain).unwrap();
        let raw = snap::raw::Encoder::new().compress_vec(&plain).unwrap();
        let mut xerial = [XERIAL, &[0, 0, 0, 1, 0, 0, 0, 1]].concat();
        for _ in 0..2 {
            xerial.extend(u32::try_from(raw.len()).unwrap().to_be_bytes());
            xerial.extend(&raw);
        }
        let cases = [
            (plain.clone(), Compression::None, 1),
            (gzip.finish().unwrap(), Compression::Gzip, 1),
            (lz4.finish().unwrap(), Compression::Lz4, 1),
            (zstd::stream::encode_all(&*plain, 1).unwrap(), Compression::Zstd, 1),
            (raw, Compression::Snappy, 1),
            (xerial.clone(), Compression::Snappy, 2),
        ];
        for (bytes, compression, times) in cases {
            let back = decompress(&bytes, compression).unwrap();
            assert_eq!(back, plain.repeat(times), "{compression:?}");
        }
        assert!(decompress(&xerial[..xerial.len() - 1], Compression::Snappy).is_err());
    }
}
