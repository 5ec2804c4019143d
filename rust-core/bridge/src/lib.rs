//! The JNI boundary of the Alluvium sink; `docs/boundary.md` is its contract.
//!
//! Only downcalls: Java threads come in through [`JNI_OnLoad`] and the native methods that it
//! registers, and nothing here attaches a thread of ours to the JVM. Panics end at this crate.

#![allow(unsafe_code, reason = "the one crate that touches the JVM and Java's memory")]

// The way of a call.
mod entry;
mod wire;
mod handle;
mod lent;

// What a handle stands for.
mod create;
mod pipeline;
mod runtime;

// How things end.
mod panics;
mod ring;
mod throw;

use jni::errors::Error;
use jni::strings::JNIString;
use jni::sys::{JNI_ERR, JNI_VERSION_1_8, jint};
use jni::{Env, JavaVM, jni_str};
use std::ffi::c_void;

/// Called by the JVM in `System.load`: registers the native methods.
///
/// Here `FindClass` asks the loader of the class that called `System.load`, so each class loader
/// that loads the plugin gets its own class registered with its own copy of the library. A failure
/// is thrown out of `System.load`.
///
/// # Safety
/// For the JVM to call, with its own pointer.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn JNI_OnLoad(
    vm: *mut jni::sys::JavaVM,
    _reserved: *mut c_void,
) -> jint {
    let loaded = panics::caught(|| {
        ring::install();
        panics::install();
        // SAFETY: the JVM calls this with its own pointer, valid as long as it lives.
        let vm = unsafe { JavaVM::from_raw(vm) };
        vm.with_top_local_frame(register)
    });
    if matches!(loaded, Ok(Ok(()))) { JNI_VERSION_1_8 } else { JNI_ERR }
}

fn register(env: &mut Env<'_>) -> Result<(), Error> {
    let class = env.find_class(jni_str!("dev/alluvium/connect/NativeSink"));
    let registered = class.and_then(|class| {
        // SAFETY: `native_method!` made the functions of the table from the signatures in it. That
        // the class declares each of them `static native` is checked by the JVM here (the name and
        // the signature) and by the macro at the first call (static or not).
        unsafe { env.register_native_methods(class, entry::NATIVES) }
    });
    if let Err(error) = &registered
        && !env.exception_check()
    {
        let text = format!("the native library does not fit this plugin: {error}");
        env.throw_new(jni_str!("java/lang/UnsatisfiedLinkError"), JNIString::from(text))?;
    }
    registered
}
