//! Rebalances without end, under each of Kafka's three ways to assign partitions: workers and tasks
//! come and go while `commit.interval.ms` is longer than any assignment lasts.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use alluvium_tests::{Connector, Exchange, Server as _, Stack, StackBuilder};

use super::requests::{Request as _, commits, record_of};
use super::row::Proof;
use super::{Arena, CONNECTS_OWN, LIMIT, PARTITIONS, visible_partitions};

/// Between two changes of the number of tasks, each of which moves partitions.
const STEP: Duration = Duration::from_secs(5);
/// So many steps after each other a worker leaves, and as many later it is back.
const WORKER_STEPS: usize = 6;
const TASKS: [&str; 4] = ["1", "3", "2", "3"];
const STRATEGY: &str = "consumer.override.partition.assignment.strategy";

/// A stack whose workers leave the consumers' timeouts to the connectors: `group.protocol=consumer`
/// refuses them, since they are the broker's there.
pub fn stack() -> StackBuilder {
    let stack = Stack::builder().workers(2);
    stack
        .without_worker_property("consumer.session.timeout.ms")
        .without_worker_property("consumer.heartbeat.interval.ms")
}

/// The shipped sink under each protocol, each with a table of its own.
pub fn sinks(sink: &Connector) -> Vec<Connector> {
    let of = |name: &str| {
        let table = format!("s3://lake/{name}");
        sink.clone().named(name).with("lake.url", &table)
    };
    let classic = |sink: Connector| {
        sink.with("consumer.override.session.timeout.ms", "6000")
            .with("consumer.override.heartbeat.interval.ms", "1000")
    };
    vec![
        classic(of("eager").with(STRATEGY, "org.apache.kafka.clients.consumer.RangeAssignor")),
        classic(of("cooperative")),
        consumer(of("consumer")),
    ]
}

/// `group.protocol=consumer`: the broker assigns.
pub fn consumer(sink: Connector) -> Connector {
    sink.without(STRATEGY)
        .without("consumer.override.session.timeout.ms")
        .without("consumer.override.heartbeat.interval.ms")
        .with("consumer.override.group.protocol", "consumer")
}

/// The number of tasks changes every 5 s, a worker leaves and comes every 30 s, for so long; all
/// the while `commit.interval.ms` is this, before and after it is what the sinks have.
pub fn rebalances(
    arena: &mut Arena,
    name: &str,
    sinks: &[&Connector],
    interval_ms: &str,
    lasts: Duration,
) {
    arena.attack(name, sinks, |arena| {
        arena.proxy.release();
        let began = Instant::now();
        let (mut steps, mut workers) = (0, 0);
        while began.elapsed() < lasts {
            let step = Instant::now();
            steps += 1;
            let tasks = TASKS[steps % TASKS.len()];
            for sink in sinks {
                let other = Connector::clone(sink).with("tasks.max", tasks);
                let other = other.with("commit.interval.ms", interval_ms);
                arena.stack.rest().unwrap().put_config(&sink.name, &other.config()).unwrap();
            }
            if steps % WORKER_STEPS == 0 {
                workers += usize::from(toggle(arena));
            }
            sleep(STEP.saturating_sub(step.elapsed()));
        }
        let (stormy, ended) = (arena.proxy.seen(), Instant::now());
        let worker = arena.stack.worker(1).unwrap();
        if !worker.process().is_running() {
            worker.process().start_again().unwrap();
        }
        worker.wait_ready().unwrap();
        let mut again = Duration::ZERO;
        for sink in sinks {
            let rest = arena.stack.rest().unwrap();
            rest.put_config(&sink.name, &sink.config()).unwrap();
            again = again.max(arena.again(sink, ended));
        }
        let died = arena.said(CONNECTS_OWN);
        let each: Vec<_> = sinks.iter().map(|sink| progress(&stormy, sink, began, ended)).collect();
        let what = format!(
            "{steps} times other tasks.max, {workers} times a worker left, {died} times a task \
             died in Connect's clearOffsets; {}",
            each.join("; ")
        );
        Proof { what, times: steps + workers, again }
    });
}

/// The second worker leaves in order, or comes back; whether it left.
fn toggle(arena: &Arena) -> bool {
    let process = arena.stack.worker(1).unwrap().process();
    if process.is_running() {
        process.terminate(LIMIT).unwrap();
        return true;
    }
    process.start_again().unwrap();
    false
}

/// What became visible during the storm: each partition must have had a whole commit.
fn progress(seen: &[Arc<Exchange>], sink: &Connector, began: Instant, ended: Instant) -> String {
    let log = format!("/v1/logs/{}/", sink.name);
    let claims = seen.iter().filter(|one| {
        record_of(one).is_some_and(|(folder, _)| folder.contains(&log) && one.claims(&folder))
    });
    let partitions = visible_partitions(seen, sink);
    assert_eq!(partitions, PARTITIONS, "{}: partitions with visible rows in the storm", sink.name);
    let done = commits(seen).into_iter().filter(|commit| commit.folder.contains(&log));
    let mut times: Vec<Instant> = done
        .filter_map(|commit| {
            seen.iter().filter(|one| commit.completes(one)).map(|one| one.at).max()
        })
        .collect();
    times.extend([began, ended]);
    times.sort();
    let gap = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default();
    format!(
        "{}: {} claims, {} commits visible, longest time without one {:.1} s",
        sink.name,
        claims.count(),
        times.len() - 2,
        gap.as_secs_f32()
    )
}
