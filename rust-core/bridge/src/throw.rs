//! Errors: in goes whatever ended a native method, out comes a ConnectException. The one policy of
//! every entry. Never a RetriableException: Connect would seek back and keep a stale batch
//! (`docs/delivery.md`).

use crate::panics;
use alluvium_core::error::{Error, Kind};
use jni::errors::ErrorPolicy;
use jni::strings::JNIString;
use jni::{Env, jni_str};
use std::any::Any;
use std::fmt;

/// Why a native method gives no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The core said so: kind, status and context are in its message.
    Core(Error),
    /// The JVM said so; mostly with an exception pending, which then wins.
    Jni(jni::errors::Error),
    /// A panic, its text and place. The backtrace is in the log ring.
    Panic(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl From<jni::errors::Error> for Failure {
    fn from(error: jni::errors::Error) -> Self {
        Self::Jni(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Core(error) => write!(f, "{error}"),
            Self::Jni(error) => {
                write!(f, "the call between Java and Rust failed, please report this bug: {error}")
            }
            Self::Panic(text) => write!(
                f,
                "the native core panicked, please report this bug with the backtrace in the \
                 worker's log: {text}"
            ),
        }
    }
}

/// An answer to a call that could only come from a bug in the shim.
pub(crate) fn misuse(message: impl Into<String>) -> Failure {
    Failure::Core(Error::new(Kind::Corrupt, message.into()))
}

/// The policy: throws, and gives Java the default value it will not look at.
#[derive(Debug)]
pub(crate) struct ThrowConnectException;

impl<T: Default> ErrorPolicy<T, Failure> for ThrowConnectException {
    type Captures<'unowned_env_local: 'native_method, 'native_method> = ();

    fn on_error<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        _captures: &mut Self::Captures<'unowned_env_local, 'native_method>,
        failure: Failure,
    ) -> jni::errors::Result<T> {
        throw(env, &failure);
        Ok(T::default())
    }

    fn on_panic<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        _captures: &mut Self::Captures<'unowned_env_local, 'native_method>,
        payload: Box<dyn Any + Send + 'static>,
    ) -> jni::errors::Result<T> {
        throw(env, &Failure::Panic(panics::describe(payload)));
        Ok(T::default())
    }
}

/// Throws a ConnectException, unless an exception is pending: that one came first.
fn throw(env: &mut Env<'_>, failure: &Failure) {
    if env.exception_check() {
        return;
    }
    let message = JNIString::from(failure.to_string());
    // Not the lookup by name of `throw_new`: it asks the thread's context class loader first, and
    // in a native method FindClass asks the plugin's own.
    let thrown = env
        .find_class(jni_str!("org/apache/kafka/connect/errors/ConnectException"))
        .and_then(|class| env.throw_new(class, &message));
    // `throw_new` says "an exception is pending" when it has done its work.
    if !matches!(thrown, Err(jni::errors::Error::JavaException)) {
        tracing::error!("a ConnectException could not be thrown ({thrown:?}): {failure}");
    }
}
