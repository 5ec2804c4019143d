//! Room offsets.
