//! What a store in memory holds, and what it makes of an upload's parts.

use super::Change;
use alluvium_core::store::ObjectInfo;
use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

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
    pub(super) journal: Vec<Change>,
    /// Listings lag behind by up to this long.
    pub(super) weak: Option<(fastrand::Rng, Duration)>,
    /// What was removed, and when: a listing that lags may show it.
    pub(super) removed: Vec<(String, Object, Instant)>,
}

impl State {
    pub(super) fn put(&mut self, key: &str, object: Object) {
        self.journal.push(Change::Put(key.to_owned(), object.etag.clone()));
        self.objects.insert(key.to_owned(), object);
    }

    pub(super) fn remove(&mut self, key: &str) {
        if let Some(object) = self.objects.remove(key) {
            self.journal.push(Change::Removed(key.to_owned()));
            self.removed.push((key.to_owned(), object, Instant::now()));
        }
    }

    /// The objects as they were a while ago, where listings are weak.
    pub(super) fn weak_listing(&mut self) -> Option<BTreeMap<String, Object>> {
        let (random, lag) = self.weak.as_mut()?;
        // Mostly true: a listing that always lagged would only be slow.
        let lag = if random.bool() { Duration::ZERO } else { lag.mul_f64(random.f64()) };
        let seen = |object: &Object| object.written.elapsed() >= lag;
        let there = self.objects.iter().filter(|(_, object)| seen(object));
        let there = there.map(|(key, object)| (key.clone(), object.clone()));
        let gone = self.removed.iter().filter(|(_, o, at)| seen(o) && at.elapsed() < lag);
        Some(gone.map(|(key, object, _)| (key.clone(), object.clone())).chain(there).collect())
    }
}

#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) body: Bytes,
    pub(super) etag: String,
    pub(super) written: Instant,
}

#[derive(Debug)]
pub(super) struct Upload {
    pub(super) key: String,
    /// Bytes and id.
    pub(super) parts: BTreeMap<usize, (Bytes, String)>,
    pub(super) begun: Instant,
}

impl Object {
    pub(super) fn plain(body: Bytes) -> Self {
        let etag = hex(&Md5::digest(&body));
        Self { body, etag, written: Instant::now() }
    }

    pub(super) fn info(&self, key: &str) -> ObjectInfo {
        let etag = Some(self.etag.clone());
        ObjectInfo { key: key.to_owned(), size: self.body.len() as u64, etag }
    }
}

impl Upload {
    pub(super) fn begin(key: &str) -> Self {
        Self { key: key.to_owned(), parts: BTreeMap::new(), begun: Instant::now() }
    }

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
        Ok(Object { body: body.freeze(), etag, written: Instant::now() })
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
