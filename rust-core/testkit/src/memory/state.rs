//! What a store in memory holds, and what it makes of an upload's parts.

use alluvium_core::store::ObjectInfo;
use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) objects: BTreeMap<String, Object>,
    pub(super) uploads: BTreeMap<String, Upload>,
    /// Ids of completed uploads with the key they became.
    pub(super) completed: BTreeMap<String, String>,
    pub(super) uploads_begun: u64,
    pub(super) parts_stored: u64,
    /// What listings show instead of `objects`, while frozen.
    pub(super) frozen: Option<BTreeMap<String, Object>>,
}

#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) body: Bytes,
    pub(super) etag: String,
}

#[derive(Debug)]
pub(super) struct Upload {
    pub(super) key: String,
    /// Bytes and id.
    pub(super) parts: BTreeMap<usize, (Bytes, String)>,
}

impl Object {
    pub(super) fn plain(body: Bytes) -> Self {
        let etag = hex(&Md5::digest(&body));
        Self { body, etag }
    }

    pub(super) fn info(&self, key: &str) -> ObjectInfo {
        let etag = Some(self.etag.clone());
        ObjectInfo { key: key.to_owned(), size: self.body.len() as u64, etag }
    }
}

impl Upload {
    pub(super) fn body(&self) -> Bytes {
        let mut body = BytesMut::new();
        self.parts.values().for_each(|(p, _)| body.extend_from_slice(p));
        body.freeze()
    }

    /// The object these parts make, or why a store refuses to make it.
    pub(super) fn assemble(
        &self,
        ids: &[String],
        equal_parts: bool,
    ) -> Result<Object, &'static str> {
        if ids.is_empty() {
            return Err("MalformedXML: a completion names at least one part");
        }
        let (mut body, mut digests) = (BytesMut::new(), Md5::new());
        for (index, id) in ids.iter().enumerate() {
            let (part, stored) = self.parts.get(&index).ok_or("InvalidPart: no such part")?;
            if id != stored {
                return Err("InvalidPart: the part's ETag differs");
            }
            let last = index + 1 == ids.len();
            let first_len = self.parts.get(&0).map_or(0, |(first, _)| first.len());
            if equal_parts && (part.len() > first_len || !last && part.len() != first_len) {
                return Err("InvalidPart: all parts but the last must have the same length");
            }
            digests.update(Md5::digest(part));
            body.extend_from_slice(part);
        }
        let etag = format!("{}-{}", hex(&digests.finalize()), ids.len());
        Ok(Object { body: body.freeze(), etag })
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
