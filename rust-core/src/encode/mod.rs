//! Room 7, encode.
