//! Room roll.
