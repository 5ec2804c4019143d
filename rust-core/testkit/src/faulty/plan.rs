//! Which request meets which fault: scripts first, then the seed.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Read an object.
    Get,
    /// Ask for an object's size.
    Head,
    /// One page of keys.
    List,
    /// Create-if-absent.
    Create,
    /// Delete.
    Delete,
    /// Write whatever is there.
    Put,
    /// Copy within the store; its key is where to.
    Copy,
    /// Begin an upload.
    StartUpload,
    /// Store a part.
    PutPart,
    /// Make an upload visible.
    Complete,
    /// Give an upload up.
    Abort,
}

/// What becomes of one request. For `create` an error is `Created::Unknown`, for `complete` it is
/// `Completed::Failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Not applied; a temporary error comes back.
    FailBefore,
    /// Applied; a temporary error comes back all the same.
    FailAfter,
    /// Not applied; a permanent error comes back.
    Deny,
    /// Applied and answered after this pause.
    Delay(Duration),
    /// A temporary error comes back at once, and it is applied after this pause, whether or not
    /// anybody still waits.
    Late(Duration),
    /// Applied twice; the second answer comes back, as when a proxy repeats a request.
    Twice,
    /// Neither applied nor answered.
    Hang,
}

/// How often a request without a script meets a fault, in percent; the rest passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// [`Fault::FailBefore`].
    pub fail_before: u8,
    /// [`Fault::FailAfter`].
    pub fail_after: u8,
    /// [`Fault::Delay`], up to `pause_max`.
    pub delay: u8,
    /// [`Fault::Late`], up to `pause_max`.
    pub late: u8,
    /// [`Fault::Twice`].
    pub twice: u8,
    /// The longest pause.
    pub pause_max: Duration,
}

impl Rates {
    /// A bad day: one request in five meets something.
    pub const ROUGH: Self = Self {
        fail_before: 5,
        fail_after: 5,
        delay: 5,
        late: 3,
        twice: 2,
        pause_max: Duration::from_secs(2),
    };
}

/// A request that stands still until it is released.
#[derive(Debug)]
pub struct Hold(Arc<Gate>);

impl Hold {
    /// Waits until the request has come to the gate.
    pub async fn reached(&self) {
        self.0.reached.notified().await;
    }

    /// Lets the request go on; a later one is not held.
    pub fn release(&self) {
        self.0.released.notify_one();
    }
}

#[derive(Debug, Default)]
pub(super) struct Gate {
    reached: Notify,
    released: Notify,
}

impl Gate {
    pub(super) async fn pass(gate: &Arc<Self>) {
        gate.reached.notify_one();
        gate.released.notified().await;
    }
}

#[derive(Debug, Default)]
pub(super) struct Plan {
    rules: Vec<Rule>,
    holds: Vec<(Op, String, Arc<Gate>)>,
    seeded: Option<(fastrand::Rng, Rates)>,
}

#[derive(Debug)]
struct Rule {
    op: Op,
    part: String,
    fault: Fault,
    once: bool,
}

impl Plan {
    pub(super) fn add(&mut self, op: Op, part: &str, fault: Fault, once: bool) {
        self.rules.push(Rule { op, part: part.to_owned(), fault, once });
    }

    pub(super) fn hold(&mut self, op: Op, part: &str) -> Hold {
        let gate = Arc::new(Gate::default());
        self.holds.push((op, part.to_owned(), Arc::clone(&gate)));
        Hold(gate)
    }

    pub(super) fn seed(&mut self, seed: u64, rates: Rates) {
        self.seeded = Some((fastrand::Rng::with_seed(seed), rates));
    }

    pub(super) fn heal(&mut self) {
        self.rules.clear();
        self.seeded = None;
    }

    /// The fault of the request that is being sent now, and the gate it stops at.
    pub(super) fn take(&mut self, op: Op, key: &str) -> (Fault, Option<Arc<Gate>>) {
        let held = self.holds.iter().position(|(o, part, _)| *o == op && key.contains(part));
        let gate = held.map(|at| self.holds.remove(at).2);
        let hit = |r: &Rule, once| r.once == once && r.op == op && key.contains(&r.part);
        let fault = if let Some(at) = self.rules.iter().position(|r| hit(r, true)) {
            self.rules.remove(at).fault
        } else if let Some(rule) = self.rules.iter().find(|r| hit(r, false)) {
            rule.fault
        } else {
            self.draw()
        };
        (fault, gate)
    }

    fn draw(&mut self) -> Fault {
        let Some((random, rates)) = &mut self.seeded else { return Fault::None };
        // Both draws always happen: the fault of request n depends on n and the seed alone.
        let (point, share) = (random.u8(..100), random.f64());
        let pause = rates.pause_max.mul_f64(share);
        let table = [
            (rates.fail_before, Fault::FailBefore),
            (rates.fail_after, Fault::FailAfter),
            (rates.delay, Fault::Delay(pause)),
            (rates.late, Fault::Late(pause)),
            (rates.twice, Fault::Twice),
        ];
        let mut edge = 0;
        for (rate, fault) in table {
            edge += rate;
            if point < edge {
                return fault;
            }
        }
        Fault::None
    }
}
