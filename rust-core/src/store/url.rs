//! Lake URLs taken apart: `s3://bucket/path`, `file:///path`. The configuration's rules have more
//! words for what is wrong; what is refused here would break a promise, whoever made the URL.

use crate::error::{Error, Kind, Result};
use std::path::PathBuf;

/// Where a folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LakeUrl {
    /// The bucket; `None` = the local file system.
    pub(super) bucket: Option<String>,
    /// The folder's full key, neither beginning nor ending with `/`; empty = a bucket's root.
    pub(super) folder: String,
}

impl LakeUrl {
    /// The folder on the local file system.
    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from("/").join(&self.folder)
    }
}

/// The table's and the log's place, which never lie in one another.
pub(super) fn parse(lake_url: &str, meta_url: &str) -> Result<(LakeUrl, LakeUrl)> {
    let (table, meta) = (one("lake.url", lake_url)?, one("lake.meta.url", meta_url)?);
    if table.bucket.is_some() != meta.bucket.is_some() {
        return Err(wrong("lake.meta.url", meta_url, "must be of the same kind as lake.url"));
    }
    let below = |inner: &str, outer: &str| {
        outer.is_empty()
            || inner.strip_prefix(outer).is_some_and(|r| r.is_empty() || r.starts_with('/'))
    };
    if table.bucket == meta.bucket && below(&meta.folder, &table.folder) {
        let message = "must not lie in lake.url's folder: readers of the table would list the \
                       commit log; a table that is a whole bucket needs another bucket for it";
        return Err(wrong("lake.meta.url", meta_url, message));
    }
    Ok((table, meta))
}

fn one(key: &'static str, url: &str) -> Result<LakeUrl> {
    let (bucket, folder) = match url.split_once("://") {
        Some(("s3", rest)) => {
            let (bucket, folder) = rest.split_once('/').unwrap_or((rest, ""));
            (Some(bucket.to_owned()), folder)
        }
        Some(("file", rest)) if rest.starts_with('/') => (None, rest),
        _ => return Err(wrong(key, url, "must be s3://bucket/path or file:///path")),
    };
    let folder = folder.trim_matches('/');
    let odd = |part: &str| matches!(part, "" | "." | "..") || part.chars().any(char::is_control);
    if bucket.as_deref().is_some_and(str::is_empty) || (bucket.is_none() && folder.is_empty()) {
        return Err(wrong(key, url, "must name a bucket, or a folder below /"));
    }
    if !folder.is_empty() && folder.split('/').any(odd) {
        return Err(wrong(key, url, "must not contain empty, . or .. folders"));
    }
    Ok(LakeUrl { bucket, folder: folder.to_owned() })
}

fn wrong(key: &'static str, url: &str, message: &str) -> Error {
    Error::new(Kind::Config, message).with("key", key).with("value", url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> (Option<String>, String) {
        let url = one("lake.url", url).unwrap();
        (url.bucket, url.folder)
    }

    #[test]
    fn urls_come_apart() {
        let s3 = |folder: &str| (Some("b".to_owned()), folder.to_owned());
        assert_eq!(parts("s3://b/a/c/"), s3("a/c"));
        assert_eq!(parts("s3://b"), s3(""));
        assert_eq!(parts("file:///data/lake"), (None, "data/lake".to_owned()));
        assert_eq!(one("lake.url", "file:///data").unwrap().path(), PathBuf::from("/data"));
        for bad in
            ["", "b/a", "gs://b/a", "s3:///a", "file://a", "file:///", "s3://b/a//c", "s3://b/../c"]
        {
            let error = one("lake.url", bad).unwrap_err();
            assert_eq!(
                (error.context("key"), error.context("value")),
                (Some("lake.url"), Some(bad))
            );
        }
    }

    #[test]
    fn the_log_never_lies_below_the_table() {
        assert!(parse("s3://b/t", "s3://b/t.alluvium").is_ok());
        assert!(parse("s3://b/t", "s3://c/t/log").is_ok());
        for (table, meta) in [
            ("s3://b/t", "s3://b/t/log"),
            ("s3://b/t", "s3://b/t"),
            ("s3://b", "s3://b/log"),
            ("s3://b/t", "file:///log"),
        ] {
            let error = parse(table, meta).unwrap_err();
            assert_eq!(error.context("key"), Some("lake.meta.url"), "{table} {meta}");
        }
    }
}
