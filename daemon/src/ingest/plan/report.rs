//! A batch of an agent.

use std::sync::Arc;

use onenet_topology::{AgentId, Timestamp};
use onenet_wire::{Batch, Content, Position};

use super::{
    Draft, Outcome, Refusal, anomalies, availability,
    contact::member,
    facts,
    lane::{Place, advance, place},
    time::{Bounds, Correction, correct},
};
use crate::{
    estate::{Agent, Change, SampleBlock},
    record::Report,
};

/// Plans a batch: once, in order, with corrected times.
pub(super) fn report(draft: &mut Draft<'_>, report: &Report) -> Result<Outcome, Refusal> {
    let mut agent = member(draft, report.agent)?;
    if agent.site != report.site {
        return Err(Refusal::OtherSite { agent: agent.id, own: agent.site, asked: report.site });
    }
    let batch = &report.batch;
    match place(agent.lane(batch.position.lane), batch.position)? {
        Place::Committed(outcome) => return Ok(outcome),
        Place::Next => {}
    }
    let correction = accept(&mut agent, batch, draft.record.time);
    match &batch.content {
        Content::State(groups) => facts::fold(draft, &agent, groups, correction)?,
        Content::History(items) => {
            let mut items = items.clone();
            for item in &mut items {
                item.time = item.time.plus_ms(correction.shift_ms);
            }
            // A time that was guessed tells of no minute.
            if !correction.uncertain {
                availability::measured(draft, &agent, &items);
            }
            anomalies::told(draft, agent.site, agent.id, &items);
            draft.put(Change::Samples(SampleBlock {
                position: draft.record.position,
                site: agent.site,
                agent: agent.id,
                sequence: batch.position.sequence,
                items,
                shift_ms: correction.shift_ms,
                uncertain: correction.uncertain,
            }));
        }
    }
    draft.put(Change::Agent(Arc::new(agent)));
    Ok(Outcome::Committed(batch.position))
}

/// Plans a batch that can never be accepted: when it is the next, its lane moves past it, so that the agent goes on.
pub(super) fn unacceptable(draft: &mut Draft<'_>, agent: AgentId, position: Position) -> Result<Outcome, Refusal> {
    let mut agent = member(draft, agent)?;
    if place(agent.lane(position.lane), position)? == Place::Next {
        advance(agent.lane_mut(position.lane), position);
        agent.contact.last_heard = Some(draft.record.time);
        agent.contact.silent_since = None;
        draft.put(Change::Agent(Arc::new(agent)));
    }
    Ok(Outcome::Committed(position))
}

/// Moves the agent's lane and contact to the batch, and returns the correction of its times.
fn accept(agent: &mut Agent, batch: &Batch, now: Timestamp) -> Correction {
    let lane = batch.position.lane;
    let bounds = Bounds { earliest: agent.lane(lane).closed.unwrap_or(agent.enrolled), latest: now };
    let correction = correct(&mut agent.clock, &batch.clocks, bounds);
    let mark = agent.lane_mut(lane);
    advance(mark, batch.position);
    mark.closed = Some(correction.closed);
    agent.contact.last_heard = Some(now);
    agent.contact.silent_since = None;
    correction
}
