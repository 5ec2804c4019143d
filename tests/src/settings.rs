//! The demo's names and secrets, from the `.env` that docker-compose.yml reads too.
//!
//! In: the file as it was when this crate was built. Out: values by name. Never: a second copy.

const ENV_FILE: &str = include_str!("../../.env");

/// The bucket that is made at start.
pub const BUCKET: &str = "lake";

/// A value of `.env`; empty when it is not there, which the first login then says.
#[must_use]
pub fn demo(name: &str) -> &'static str {
    let value_of = |line: &'static str| line.strip_prefix(name)?.strip_prefix('=');
    ENV_FILE.lines().find_map(value_of).unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secret_of_the_stack_is_in_the_env_file() {
        let names = ["MYSQL_USER", "MYSQL_PASSWORD", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"];
        for name in names {
            assert!(!demo(name).is_empty(), "{name}");
        }
    }
}
