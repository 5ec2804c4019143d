//! Running a search: what was found, how far it went, how long it took.

use stateright::{Checker, HasDiscoveries, Model};
use std::collections::BTreeSet;
use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a search found already. `stateright` goes on after a discovery and overwrites it by a
/// longer one; each is told once here, so that a breadth-first search keeps the shortest.
#[derive(Debug, Clone, Default)]
pub struct Found {
    told: Arc<AtomicU32>,
    good: Arc<Mutex<HashSet<u64>>>,
}

impl Found {
    /// For an always-property: whether it holds; a violation is told the first time only.
    pub fn first_time(&self, bit: u32, holds: bool) -> bool {
        holds || self.told.fetch_or(1 << bit, Ordering::Relaxed) & (1 << bit) != 0
    }

    /// For a sometimes-property: the first example only.
    pub fn example(&self, bit: u32, is: bool) -> bool {
        is && self.told.fetch_or(1 << bit, Ordering::Relaxed) & (1 << bit) == 0
    }

    /// Whether the state is known to heal; if not, it is noted as on the way.
    pub fn is_known_good(&self, state: &impl Hash, way: &mut Vec<u64>) -> bool {
        let mut hasher = DefaultHasher::new();
        state.hash(&mut hasher);
        way.push(hasher.finish());
        let good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        way.last().is_some_and(|state| good.contains(state))
    }

    /// Everything on the way heals.
    pub fn know_good(&self, way: &[u64]) {
        self.good.lock().unwrap_or_else(PoisonError::into_inner).extend(way);
    }
}

/// What a search saw.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Different states.
    pub states: usize,
    /// Steps of the longest shortest way to a state.
    pub depth: usize,
    /// How long it took.
    pub took: Duration,
    /// Violations: the property, and the steps of a shortest trace.
    pub violations: Vec<(&'static str, Vec<String>)>,
    /// Sometimes-properties nothing was found for.
    pub unreached: Vec<&'static str>,
}

/// Searches breadth first: everything, or until the property named `until` is violated.
pub fn search<M>(model: M, until: Option<&'static str>) -> Seen
where
    M: Model + Clone + Send + Sync + 'static,
    M::State: Hash + Clone + Debug + PartialEq + Send + Sync,
    M::Action: Clone + Debug + PartialEq,
{
    let began = Instant::now();
    let when =
        until.map_or(HasDiscoveries::All, |name| HasDiscoveries::AnyOf(BTreeSet::from([name])));
    let checker = model.clone().checker().finish_when(when).spawn_bfs().join();
    let mut violations = Vec::new();
    let mut unreached = Vec::new();
    let mut found = checker.discoveries();
    for property in model.properties() {
        let path = found.remove(property.name);
        match (property.expectation.discovery_is_failure(), path) {
            (true, Some(path)) => {
                let actions = path.into_actions();
                let steps = actions.iter().map(|action| format!("{action:?}")).collect();
                violations.push((property.name, steps));
            }
            (false, None) => unreached.push(property.name),
            _ => {}
        }
    }
    violations.sort_by_key(|(_, steps): &(_, Vec<String>)| steps.len());
    Seen {
        states: checker.unique_state_count(),
        // stateright counts states on the way, not steps.
        depth: checker.max_depth().saturating_sub(1),
        took: began.elapsed(),
        violations,
        unreached,
    }
}

impl Seen {
    /// Says on standard error what was seen, and counts it for the lane; past the test harness,
    /// which would keep it to itself.
    pub fn say(&self, name: &str) {
        let (states, depth, secs) = (self.states, self.depth, self.took.as_secs_f64());
        let mut text = format!("model: {name}: {states} states, depth {depth}, {secs:.1} s");
        for (property, steps) in &self.violations {
            text += &format!("\n  violated in {} steps: {property}", steps.len());
        }
        if !self.unreached.is_empty() && self.violations.is_empty() {
            text += &format!("\n  never reached: {:?}", self.unreached);
        }
        // Nobody reads it: then nobody has to.
        _ = writeln!(std::io::stderr().lock(), "{text}\ncounted: states={states}");
    }
}
