//! Why a HEAD was refused: in goes a key whose HEAD the store refused without a word (answers to
//! HEAD have no body, so no code), out comes a refusal that has one, or what a HEAD says now.
//!
//! A clock that jumped and a token that has expired mend themselves while we wait, a missing right
//! does not: by the status alone, 403, they cannot be told apart.

use super::answer::refusal;
use super::found;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt, Result};

/// Asks for the key's first byte; a refusal of the same status says why HEAD was refused.
pub(super) async fn head(
    client: &AmazonS3,
    path: &Path,
    status: u16,
) -> Result<Option<ObjectMeta>> {
    match client.get_range(path, 0..1).await {
        Err(error) if refusal(&error).is_some_and(|refusal| refusal.status == status) => Err(error),
        // Another answer than a moment ago: what made the store refuse may have passed.
        _ => found(client.head(path).await),
    }
}
