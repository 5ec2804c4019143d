//! Lent buffers: in goes a direct ByteBuffer of Java's pool, out comes a [`Frame`] over the same
//! bytes, and later the word that Java may fill the buffer again. No byte is copied.
//!
//! A buffer is told free only when the last `Bytes` over it is gone, whatever the core believes:
//! the soundness of the bytes rests on this file and on Java leaving a lent buffer alone.

use crate::throw::{Failure, misuse};
use alluvium_core::frame::Frame;
use bytes::Bytes;
use jni::Env;
use jni::objects::JByteBuffer;
use jni::refs::Global;
use std::collections::HashMap;
use std::ptr::NonNull;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// The buffers one task has lent to the core. Used under the handle's lock, by Java threads only:
/// a [`Global`] dropped on a thread of ours would attach it to the JVM.
#[derive(Debug, Default)]
pub(crate) struct Lender {
    loans: HashMap<u64, Loan>,
    /// Frames the core has done with whose bytes it still held when last looked at.
    owed: Vec<u64>,
}

#[derive(Debug)]
struct Loan {
    /// Keeps the buffer's memory from the garbage collector, should the shim lose sight of it.
    /// Only ever dropped, and then on a Java thread.
    _buffer: Global<JByteBuffer<'static>>,
    /// Dead as soon as the last `Bytes` over the buffer is gone.
    in_use: Weak<()>,
}

/// The owner of a frame's bytes.
struct Lent {
    start: NonNull<u8>,
    length: usize,
    _in_use: Arc<()>,
}

// SAFETY: a direct buffer's memory belongs to no thread. Java's duty: not to write to it and not to
// free it until RELEASE names the frame or `destroy` returns; so all threads only read.
unsafe impl Send for Lent {}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: `direct_bytes` checked address and capacity. Java's duty: the buffer stays alive
        // (the loan's Global sees to that) and unchanged until RELEASE names the frame or `destroy`
        // returns, and both wait for this owner to be dropped.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl Lender {
    /// Lends a buffer to the core as frame `id`; the first `length` bytes hold `count` records.
    pub(crate) fn lend(
        &mut self,
        env: &Env<'_>,
        buffer: &JByteBuffer<'_>,
        (length, count): (i32, i32),
        id: u64,
    ) -> Result<Frame, Failure> {
        if self.loans.contains_key(&id) {
            return Err(misuse(format!("frame {id} was handed over twice")));
        }
        let (start, length) = direct_bytes(env, buffer, length)?;
        let count = u32::try_from(count).map_err(|_| misuse(format!("{count} records")))?;
        let global = env.new_global_ref(buffer)?;
        let bytes = self.loan(id, global, start, length);
        Ok(Frame { id, bytes, count })
    }

    fn loan(
        &mut self,
        id: u64,
        buffer: Global<JByteBuffer<'static>>,
        start: NonNull<u8>,
        length: usize,
    ) -> Bytes {
        let in_use = Arc::new(());
        let loan = Loan { _buffer: buffer, in_use: Arc::downgrade(&in_use) };
        self.loans.insert(id, loan);
        Bytes::from_owner(Lent { start, length, _in_use: in_use })
    }

    /// The core is done with a frame; `free` will tell when that is true of its bytes, too.
    pub(crate) fn done(&mut self, id: u64) {
        self.owed.push(id);
    }

    /// The frames whose buffers Java may fill again, in the order they were done with.
    pub(crate) fn free(&mut self) -> Vec<u64> {
        let (owed, loans) = (&mut self.owed, &mut self.loans);
        let is_used = |id: &u64| loans.get(id).is_some_and(|loan| loan.in_use.strong_count() > 0);
        let (used, free): (Vec<u64>, Vec<u64>) = owed.drain(..).partition(is_used);
        *owed = used;
        free.iter().for_each(|id| drop(loans.remove(id)));
        free
    }

    /// Waits until no byte of any buffer is in use. Past the limit the buffers are leaked: better
    /// lost memory than memory that is read after it was freed.
    pub(crate) fn settle(mut self, limit: Duration) -> Result<(), usize> {
        let deadline = Instant::now() + limit;
        loop {
            self.loans.retain(|_, loan| loan.in_use.strong_count() > 0);
            if self.loans.is_empty() {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let held = self.loans.len();
                std::mem::forget(self.loans);
                return Err(held);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The first `length` bytes of a direct buffer.
pub(crate) fn direct_bytes(
    env: &Env<'_>,
    buffer: &JByteBuffer<'_>,
    length: i32,
) -> Result<(NonNull<u8>, usize), Failure> {
    let address = env.get_direct_buffer_address(buffer).ok().and_then(NonNull::new);
    let address = address.ok_or_else(|| misuse("a frame must be a direct ByteBuffer"))?;
    let capacity = env.get_direct_buffer_capacity(buffer)?;
    match usize::try_from(length) {
        Ok(length) if length <= capacity => Ok((address, length)),
        _ => Err(misuse(format!("a frame of {length} bytes in a buffer of {capacity}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lends a Rust buffer; a null Global needs no JVM.
    fn lend(lender: &mut Lender, id: u64, buffer: &[u8]) -> Bytes {
        lender.loan(id, Global::null(), NonNull::from(buffer).cast(), buffer.len())
    }

    #[test]
    fn a_buffer_is_free_only_when_done_and_its_last_bytes_are_gone() {
        let (mut lender, memory) = (Lender::default(), [1u8, 2, 3]);
        let bytes = lend(&mut lender, 7, &memory);
        assert_eq!(&bytes[..], [1, 2, 3]);
        let slice = bytes.slice(1..);
        drop(bytes);
        assert!(lender.free().is_empty(), "not done with");
        lender.done(7);
        assert!(lender.free().is_empty(), "a slice is alive");
        drop(slice);
        assert_eq!(lender.free(), [7]);
        assert!(lender.free().is_empty(), "told once");
    }

    #[test]
    fn one_buffer_in_use_does_not_hold_the_others() {
        let (mut lender, memory) = (Lender::default(), [0u8; 4]);
        let held = lend(&mut lender, 1, &memory);
        drop(lend(&mut lender, 2, &memory));
        drop(lend(&mut lender, 3, &memory));
        [1, 2, 3].into_iter().for_each(|id| lender.done(id));
        assert_eq!(lender.free(), [2, 3]);
        drop(held);
        assert_eq!(lender.free(), [1]);
    }

    #[test]
    fn settling_waits_for_threads_that_still_read_and_gives_up_at_the_limit() {
        static MEMORY: [u8; 2] = [5, 6];
        let mut lender = Lender::default();
        let bytes = lend(&mut lender, 1, &MEMORY);
        let reader = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            drop(bytes);
        });
        assert_eq!(lender.settle(Duration::from_secs(10)), Ok(()));
        reader.join().unwrap();

        let mut lender = Lender::default();
        let _held = lend(&mut lender, 1, &MEMORY);
        assert_eq!(lender.settle(Duration::from_millis(5)), Err(1));
    }
}
