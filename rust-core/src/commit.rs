//! Room commit.
