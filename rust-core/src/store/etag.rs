//! The ETag a completed multipart upload will have, where it can be known beforehand: the MD5 of
//! the parts' MD5 digests, and their number (docs.aws.amazon.com, "Checking object integrity").
//!
//! Stores that encrypt with a key of their own give part ETags that look like MD5 and are not; so
//! the ids count only when the first part's id is the MD5 of its bytes. With checksums object_store
//! gives ids that hold the ETag in XML.

use md5::{Digest, Md5};

/// MD5 of a part's bytes.
pub(crate) fn digest(part: &[u8]) -> [u8; 16] {
    Md5::digest(part).into()
}

/// The ETag of an object of these parts; `None` when the ids are not the parts' MD5.
pub(crate) fn of_parts(first: [u8; 16], ids: &[String]) -> Option<String> {
    let digests: Vec<[u8; 16]> = ids.iter().map(|id| parse(id)).collect::<Option<_>>()?;
    if digests.first() != Some(&first) {
        return None;
    }
    Some(format!("{}-{}", hex(&Md5::digest(digests.concat())), ids.len()))
}

fn parse(id: &str) -> Option<[u8; 16]> {
    let id = match id.split_once("<e_tag>") {
        Some((_, rest)) => rest.split_once("</e_tag>")?.0.replace("&quot;", "\""),
        None => id.to_owned(),
    };
    let id = id.trim_matches('"');
    if id.len() != 32 || !id.is_ascii() {
        return None;
    }
    let mut digest = [0; 16];
    for (byte, at) in digest.iter_mut().zip((0..32).step_by(2)) {
        *byte = u8::from_str_radix(&id[at..at + 2], 16).ok()?;
    }
    Some(digest)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(part: &[u8]) -> String {
        format!("\"{}\"", hex(&digest(part)))
    }

    #[test]
    fn the_etag_is_the_md5_of_the_digests() {
        // `printf a | md5sum`, `printf b | md5sum`; both as bytes through md5sum again.
        let ids = [id(b"a"), id(b"b")];
        assert_eq!(ids[0], "\"0cc175b9c0f1b6a831c399e269772661\"");
        let etag = of_parts(digest(b"a"), &ids);
        assert_eq!(etag.as_deref(), Some("96e024ba2074fe77e8e965ba43a704be-2"));
    }

    #[test]
    fn an_id_with_a_checksum_holds_the_etag() {
        let of = |id: &str| of_parts(digest(b"a"), &[id.to_owned()]);
        let plain = of(&id(b"a"));
        assert!(plain.is_some());
        for quote in ["\"", "&quot;", ""] {
            let etag = format!("{quote}0cc175b9c0f1b6a831c399e269772661{quote}");
            let xml = format!("<P><e_tag>{etag}</e_tag><checksum_sha256>x</checksum_sha256></P>");
            assert_eq!(of(&xml), plain, "{xml}");
        }
        assert_eq!(of("<P><e_tag>0cc175b9c0f1b6a831c399e269772661"), None);
    }

    #[test]
    fn ids_that_are_not_the_md5_of_the_parts_give_none() {
        let other = of_parts(digest(b"not a"), &[id(b"a")]);
        assert_eq!(other, None, "an encrypting store's ids are of other bytes");
        for id in
            ["", "<Part>…</Part>", "0cc175b9c0f1b6a831c399e26977266g", "é".repeat(16).as_str()]
        {
            assert_eq!(of_parts(digest(b"a"), &[id.to_owned()]), None, "{id}");
        }
        assert_eq!(of_parts(digest(b"a"), &[]), None);
    }
}
