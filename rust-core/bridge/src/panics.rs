//! Panics: in goes whatever a thread of ours panicked with, out come one line for the caller's
//! exception and, in the log ring, the same with its backtrace. Nothing here panics or aborts: the
//! JVM belongs to others, too.

use crate::ring::RING;
use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use tracing::Level;

thread_local! {
    /// What the hook saw last on this thread: text and place. The payload that `catch_unwind`
    /// gives has no place.
    static LAST: Cell<Option<String>> = const { Cell::new(None) };
}

/// Makes panics of this library go to the log ring instead of the worker's stderr. Another copy of
/// the library, in another class loader, has its own standard library and so its own hook.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(on_panic));
}

fn on_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map(|l| format!(" at {l}")).unwrap_or_default();
    let text = format!("{}{place}", text_of(info.payload()));
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("without a name");
    let backtrace = Backtrace::force_capture();
    RING.push(Level::ERROR, format!("panic on thread {name}: {text}\n{backtrace}"));
    LAST.set(Some(text));
}

/// Runs `work`; a panic becomes its text and place.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(describe)
}

/// Text and place of a panic that was caught on this thread just now.
pub(crate) fn describe(payload: Box<dyn Any + Send>) -> String {
    let text = LAST.take().unwrap_or_else(|| text_of(&*payload).to_owned());
    // A payload may panic when dropped; leaking it is the lesser evil.
    if let Err(worse) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(worse);
        LAST.take();
    }
    text
}

fn text_of(payload: &(dyn Any + Send)) -> &str {
    let formatted = payload.downcast_ref::<String>().map(String::as_str);
    formatted.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("(no text)")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("and again");
        }
    }

    #[test]
    fn a_caught_panic_keeps_its_text_and_place_and_logs_its_backtrace() {
        install();
        let number = 7;
        let text = caught(|| panic!("wrong by {number}")).unwrap_err();
        assert!(text.starts_with("wrong by 7 at rust-core/bridge/src/panics.rs:"), "{text}");
        let lines = RING.drain();
        let line = lines.iter().find(|l| l.text.contains("wrong by 7")).expect("logged");
        assert_eq!(line.level, Level::ERROR);
        assert!(line.text.contains("a_caught_panic_keeps"), "names the function: {}", line.text);
    }

    #[test]
    fn a_payload_without_text_or_with_a_panicking_drop_is_survived() {
        assert_eq!(caught(|| std::panic::resume_unwind(Box::new(7))).unwrap_err(), "(no text)");
        assert_eq!(caught(|| std::panic::panic_any(Bomb)).map_err(|_| ()), Err(()));
        assert_eq!(caught(|| 3), Ok(3));
    }
}
