//! The native methods of `dev.alluvium.connect.NativeSink`, as `docs/boundary.md` tells them: in
//! go Java's arguments, out come arrays. Copies between the two; all else is done elsewhere.

use crate::create;
use crate::handle::HANDLES;
use crate::lent::direct_bytes;
use crate::ring::RING;
use crate::throw::{Failure, ThrowConnectException};
use crate::wire;
use alluvium_core::frame::{self, Cursor, Frame};
use bytes::Bytes;
use jni::objects::{JByteArray, JByteBuffer, JClass, JLongArray, JString};
use jni::sys::{jint, jlong};
use jni::{Env, NativeMethod, native_method};
use std::time::Duration;

/// No `close` waits longer in one call, whatever Java asks for.
const CLOSE_WAIT_MAX: Duration = Duration::from_secs(30);

macro_rules! native {
    ($($signature:tt)*) => {
        native_method! { error_policy = ThrowConnectException, static fn $($signature)* }
    };
}

/// Every native method; the macro checks the Rust functions against the signatures.
pub(crate) const NATIVES: &[NativeMethod<'_>] = &[
    native! { create(json: jbyte[]) -> jlong },
    native! { open(handle: jlong, json: jbyte[]) -> jlong[] },
    native! {
        put(handle: jlong, frame: JByteBuffer, length: jint, count: jint, frame_id: jlong)
            -> jlong[]
    },
    native! { pre_commit(handle: jlong, current: jlong[]) -> jlong[] },
    native! { close(handle: jlong, ids: jlong[], wait_ms: jlong) -> jlong[] },
    native! { destroy(handle: jlong) },
    native! { take_errants(handle: jlong) -> jbyte[] },
    native! { errants_done(handle: jlong, ids: jlong[]) },
    native! { facts(handle: jlong, json: jbyte[]) },
    native! { validate(json: jbyte[]) -> jbyte[] },
    native! { alter_offsets(json: jbyte[]) },
    native! { metrics(handle: jlong) -> jbyte[] },
    native! { drain_log() -> jbyte[] },
    native! { version() -> JString },
    native! { echo(frame: JByteBuffer, length: jint, count: jint) -> jbyte[] },
];

type Answer<T> = Result<T, Failure>;

fn create<'local>(
    env: &mut Env<'local>,
    _class: JClass<'local>,
    json: JByteArray<'local>,
) -> Answer<jlong> {
    let task = create::task(&env.convert_byte_array(json)?)?;
    Ok(HANDLES.insert(task))
}

fn open<'local>(
    env: &mut Env<'local>,
    _class: JClass<'local>,
    handle: jlong,
    json: JByteArray<'local>,
) -> Answer<JLongArray<'local>> {
    let tps = wire::assigned(&env.convert_byte_array(json)?)?;
    let actions = HANDLES.call(handle, |task| {
        let actions = task.pipeline.open(tps);
        Ok(wire::actions(actions, &mut task.lender, RING.is_waiting(), false))
    })?;
    to_longs(env, &actions)
}

fn put<'local>(
    env: &mut Env<'local>,
    _class: JClass<'local>,
    handle: jlong,
    buffer: JByteBuffer<'local>,
    length: jint,
    count: jint,
    frame_id: jlong,
) -> Answer<JLongArray<'local>> {
    let actions = HANDLES.call(handle, |task| {
        let frame = if buffer.is_null() {
            None
        } else {
            Some(task.lender.lend(env, &buffer, (length, count), frame_id as u64)?)
        };
        let actions = task.pipeline.put(frame)?;
        Ok(wire::actions(actions, &mut task.lender, RING.is_waiting(), false))
    })?;
    to_longs(env, &actions)
}

/// Never throws for the pipeline: Connect would seek back and keep a stale batch.
fn pre_commit<'local>(
    env: &mut Env<'local>,
    _class: JClass<'local>,
    handle: jlong,
    current: JLongArray<'local>,
) -> Answer<JLongArray<'local>> {
    let current = from_longs(env, &current)?;
    let offsets = HANDLES.call(handle, |task| {
        let current = wire::positions(&current)?;
        Ok(wire::safe_offsets(&task.pipeline.pre_commit(&current)))
    });
    to_longs(env, &offsets.unwrap_or_else(|failure| quietly("preCommit", &failure, Vec::new())))
}

/// Never throws for the pipeline: Connect would go on as if it had been closed.
fn close<'local>(
    env: &mut Env<'local>,
    _class: JClass<'local>,
    handle: jlong,
    ids: JLongArray<'local>,
    wait_ms: jlong,
) -> Answer<JLongArray<'local>> {
    let ids = from_longs(env, &ids)?;
    let wait = Duration::from_millis(wait_ms.max(0) as u64).min(CLOSE_WAIT_MAX);
    let actions = HANDLES.call(handle, |task| {
        let (actions, closed) = task.pipeline.close(&wire::tp_ids(&ids)?, wait);
        Ok(wire::actions(actions, &mut task.lender, RING.is_waiting(), closed))
    });
    let closed = wire::ONLY_CLOSED.to_vec();
    to_longs(env, &actions.unwrap_or_else(|failure| quietly("close", &failure, closed)))
}

fn destroy<'local>(_env: &mut Env<'local>, _class: JClass<'local>, handle: jlong) -> Answer<()> {
    HANDLES.destroy(handle)
}

fn take_errants<'local>(
    env: &mut Env<'local>,
    _class: JClass<'local>,
    handle: jlong,
) -> Answer<JByteArray<'local>> {
    let errants = HANDLES.call(handle, |task| Ok(wire::errants(&task.pipeline.take_errants())))?;
    Ok(env.byte_array_from_slice(&errants)?)
}

fn errants_done<'local>(
    env: &mut Env<'local>,
    _class: JClass<'local>,
    handle: jlong,
    ids: JLongArray<'local>,
) -> Answer<()> {
    let ids: Vec<u64> = from_longs(env, &ids)?.into_iter().map(|id| id as u64).collect();
    HANDLES.call(handle, |task| {
        task.pipeline.errants_done(&ids);
        Ok(())
    })
}

fn facts<'local>(
    env: &mut Env<'local>,
    _class: JClass<'local>,
    handle: jlong,
    json: JByteArray<'local>,
) -> Answer<()> {
    let answers = wire::answers(&env.convert_byte_array(json)?)?;
    HANDLES.call(handle, |task| {
        task.pipeline.facts(answers);
        Ok(())
    })
}

fn validate<'local>(
    env: &mut Env<'local>,
    _class: JClass<'local>,
    json: JByteArray<'local>,
) -> Answer<JByteArray<'local>> {
    let mistakes = create::mistakes(&env.convert_byte_array(json)?)?;
    Ok(env.byte_array_from_slice(&wire::mistakes(&mistakes))?)
}

fn alter_offsets<'local>(
    env: &mut Env<'local>,
    _class: JClass<'local>,
    json: JByteArray<'local>,
) -> Answer<()> {
    create::alter_offsets(&env.convert_byte_array(json)?)
}

fn metrics<'local>(
    env: &mut Env<'local>,
    _class: JClass<'local>,
    handle: jlong,
) -> Answer<JByteArray<'local>> {
    let json = HANDLES.call(handle, |task| Ok(task.pipeline.metrics().to_string()))?;
    Ok(env.byte_array_from_slice(json.as_bytes())?)
}

fn drain_log<'local>(env: &mut Env<'local>, _class: JClass<'local>) -> Answer<JByteArray<'local>> {
    Ok(env.byte_array_from_slice(&wire::log_lines(&RING.drain()))?)
}

fn version<'local>(env: &mut Env<'local>, _class: JClass<'local>) -> Answer<JString<'local>> {
    Ok(JString::from_str(env, env!("CARGO_PKG_VERSION"))?)
}

fn echo<'local>(
    env: &mut Env<'local>,
    _class: JClass<'local>,
    buffer: JByteBuffer<'local>,
    length: jint,
    count: jint,
) -> Answer<JByteArray<'local>> {
    let (start, length) = direct_bytes(env, &buffer, length)?;
    // SAFETY: `direct_bytes` checked address and capacity. Java's duty: the buffer, an argument of
    // this very call, is not written to while it runs.
    let bytes = unsafe { std::slice::from_raw_parts(start.as_ptr(), length) };
    let frame = Frame { id: 0, bytes: Bytes::copy_from_slice(bytes), count: count as u32 };
    let (mut cursor, mut again) = (Cursor::default(), Vec::with_capacity(length));
    while let Some(record) = frame.next(&mut cursor)? {
        frame::append(&mut again, &record);
    }
    Ok(env.byte_array_from_slice(&again)?)
}

/// The answer of a method that must not throw; the failure goes to the log.
fn quietly(method: &str, failure: &Failure, answer: Vec<i64>) -> Vec<i64> {
    tracing::error!("{method} could not be carried out: {failure}");
    answer
}

fn from_longs(env: &Env<'_>, array: &JLongArray<'_>) -> Answer<Vec<i64>> {
    let mut longs = vec![0; array.len(env)?];
    array.get_region(env, 0, &mut longs)?;
    Ok(longs)
}

fn to_longs<'local>(env: &mut Env<'local>, longs: &[i64]) -> Answer<JLongArray<'local>> {
    let array = env.new_long_array(longs.len())?;
    array.set_region(env, 0, longs)?;
    Ok(array)
}
