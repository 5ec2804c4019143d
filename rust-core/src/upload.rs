//! Room upload.
