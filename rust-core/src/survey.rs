//! What lies in a table's folders, for those who look at all of it: in go folders, out come the
//! commit logs below them, or every object page by page. Writes nothing, judges nothing.

use crate::error::Result;
use crate::log::LogId;
use crate::store::{Location, ObjectInfo};

/// Every commit log below a table's meta folder, in order. A few requests a log, however long it
/// is: the listing goes on behind the log as soon as one of its keys was seen.
///
/// # Errors
/// The store's.
pub async fn logs(meta: &Location) -> Result<Vec<LogId>> {
    let folder = LogId::folder(&meta.prefix);
    let (mut logs, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = meta.store.list(&folder, after.as_deref()).await?;
        let mut last: Option<LogId> = None;
        for object in &page {
            let Some(log) = LogId::of_key(&meta.prefix, &object.key) else { continue };
            if last.as_ref() != Some(&log) {
                last = Some(log.clone());
                logs.push(log);
            }
        }
        let Some(end) = page.last() else { break };
        // '0' follows '/': the first place behind everything in the last log's folder.
        after = Some(match last.filter(|l| end.key.starts_with(l.keys(&meta.prefix).prefix())) {
            Some(log) => format!("{}0", log.keys(&meta.prefix).prefix().trim_end_matches('/')),
            None => end.key.clone(),
        });
    }
    logs.sort();
    logs.dedup();
    Ok(logs)
}

/// All objects below a folder, a page at a time.
#[derive(Debug)]
pub struct Pages<'a> {
    place: &'a Location,
    prefix: String,
    after: Option<String>,
}

impl<'a> Pages<'a> {
    /// From the first object on.
    pub fn of(place: &'a Location) -> Self {
        let prefix = if place.prefix.is_empty() { String::new() } else { place.key("") };
        Self { place, prefix, after: None }
    }

    /// The next objects; empty at the end.
    ///
    /// # Errors
    /// The store's.
    pub async fn next(&mut self) -> Result<Vec<ObjectInfo>> {
        let page = self.place.store.list(&self.prefix, self.after.as_deref()).await?;
        if let Some(last) = page.last() {
            self.after = Some(last.key.clone());
        }
        Ok(page)
    }
}
