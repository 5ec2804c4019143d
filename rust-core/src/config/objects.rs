//! `s3.sse` to `s3.storage.class`: in go their texts, out comes what objects are written with.

use super::S3Objects;
use super::reader::Reader;

/// S3's own limits.
const TAGS_MAX: usize = 10;
const TAG_NAME_MAX: usize = 128;
const TAG_VALUE_MAX: usize = 256;

/// Reads what objects are written with; `None` = a mistake was noted.
pub(super) fn read(r: &mut Reader<'_>) -> Option<S3Objects> {
    let sse = optional(r, "s3.sse", |v| one_of(v, &["AES256", "aws:kms", "aws:kms:dsse"]));
    let kms_key_id = optional(r, "s3.sse.kms.key.id", header);
    let checksum = optional(r, "s3.checksum", |v| one_of(v, &["sha256", "crc64nvme"]));
    let tags = optional(r, "s3.tags", tags);
    let storage_class = optional(r, "s3.storage.class", storage_class);
    let (sse, kms_key_id) = (sse?, kms_key_id?);
    if kms_key_id.is_some() && !sse.as_ref().is_some_and(|sse| sse.starts_with("aws:kms")) {
        return r.wrong("s3.sse.kms.key.id", "needs s3.sse=aws:kms or aws:kms:dsse");
    }
    Some(S3Objects {
        sse,
        kms_key_id,
        checksum: checksum?,
        tags: tags?.unwrap_or_default(),
        storage_class: storage_class?,
    })
}

/// Outer `None` = a mistake, inner `None` = not given.
fn optional<T>(
    r: &mut Reader<'_>,
    key: &'static str,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Option<Option<T>> {
    match r.text(key) {
        None => Some(None),
        Some(_) => r.with(key, read).map(Some),
    }
}

fn one_of(value: &str, values: &[&str]) -> Result<String, String> {
    match values.contains(&value) {
        true => Ok(value.to_owned()),
        false => Err(format!("must be one of {}", values.join(", "))),
    }
}

/// Text that can stand in a header.
fn header(value: &str) -> Result<String, String> {
    match value.bytes().all(|b| b.is_ascii_graphic()) {
        true => Ok(value.to_owned()),
        false => Err("must be an id or ARN of printable ASCII characters".to_owned()),
    }
}

/// Files in a class that must be restored before they are read are none.
fn storage_class(value: &str) -> Result<String, String> {
    if matches!(value, "GLACIER" | "DEEP_ARCHIVE") {
        return Err("must be a class whose objects can be read at once".to_owned());
    }
    match value.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_') {
        true => Ok(value.to_owned()),
        false => {
            Err("must be a storage class such as STANDARD_IA or INTELLIGENT_TIERING".to_owned())
        }
    }
}

/// `name=value,…`, within S3's limits.
fn tags(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for entry in text.split(',') {
        let wanted = || format!("must be name=value,…; {entry:?} is not of that form");
        let (name, value) = entry.split_once('=').ok_or_else(wanted)?;
        let (name, value) = (name.trim(), value.trim());
        let allowed = |c: char| c.is_alphanumeric() || " +-=._:/@".contains(c);
        if name.is_empty() || !name.chars().chain(value.chars()).all(allowed) {
            return Err(wanted());
        }
        if name.chars().count() > TAG_NAME_MAX || value.chars().count() > TAG_VALUE_MAX {
            return Err(format!(
                "must have names of at most {TAG_NAME_MAX} and values of at most {TAG_VALUE_MAX} \
                 characters"
            ));
        }
        if tags.iter().any(|(known, _)| known == name) {
            return Err(format!("names the tag {name} twice"));
        }
        tags.push((name.to_owned(), value.to_owned()));
    }
    if tags.len() > TAGS_MAX {
        return Err(format!("must be at most {TAGS_MAX} tags: S3 takes no more"));
    }
    Ok(tags)
}
