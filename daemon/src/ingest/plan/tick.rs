//! Time passing: which agents and endpoints have fallen silent, and what follows.

use std::sync::Arc;

use super::{Draft, Outcome, attach, expire};
use crate::estate::{Agent, Change};

/// Plans a tick. Silence makes what only the agent watches unknown, never down (invariant 5).
pub(super) fn tick(draft: &mut Draft<'_>) -> Outcome {
    let now = draft.record.time;
    let started = draft.next.started;
    let limit = draft.policy.silence_ms;
    let silent: Vec<Arc<Agent>> = draft
        .next
        .agents
        .values()
        .filter(|agent| agent.is_heard())
        .filter(|agent| agent.contact.last_heard.is_some_and(|last| now.ms_since(last.max(started)) > limit))
        .cloned()
        .collect();
    for mut agent in silent {
        let it = Arc::make_mut(&mut agent);
        it.contact.silent_since = it.contact.last_heard;
        draft.put(Change::Agent(agent));
    }
    attach::settle(draft);
    expire::sweep(draft);
    Outcome::Accepted
}
