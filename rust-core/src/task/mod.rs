//! Room 12, task.
