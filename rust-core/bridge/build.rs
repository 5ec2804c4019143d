//! Keeps the library mapped for the life of the process.
//!
//! The JVM unmaps a library when the class loader that loaded it is collected (a plugin that was
//! reloaded). A thread that has not ended by then - name resolution cannot be interrupted - would
//! run on unmapped code and take the worker down.

fn main() {
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo::rerun-if-changed=build.rs");
}
