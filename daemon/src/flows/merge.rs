//! Puts the pages of several agents together, and knows where to read on. Pure.
//!
//! Invariant: flows come latest first over all agents. An agent whose page ran out while it has more holds back what is older
//! than the place where its page ended, so that page after page shows each flow once. Where a page was told in part, it is
//! named by the end of the last flow that was told and by how many of just that end were.

use std::{cmp::Reverse, collections::VecDeque, fmt, str::FromStr};

use onenet_topology::{
    AgentId, Timestamp,
    flow::{Flow, FlowCursor, FlowPage},
};

/// The most agents of a place: nobody has so many at one site.
const AGENTS_MAX: usize = 64;

/// Where to read on in the flows of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The time that is asked for, so that it does not move from page to page.
    pub(crate) from: Timestamp,
    /// See `from`.
    pub(crate) until: Timestamp,
    agents: Vec<At>,
}

/// Where to read on in the flows of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    pub(super) agent: AgentId,
    /// A place of its log; `None` for the beginning.
    pub(super) after: Option<FlowCursor>,
    /// What was told beyond that place: everything that ended later than this, and so many that ended just then.
    told: Option<(Timestamp, u32)>,
}

/// A page, and where it was asked for.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) at: At,
    pub(super) page: FlowPage,
}

/// A page as it is told.
struct Stream {
    at: At,
    left: VecDeque<Flow>,
    next: Option<FlowCursor>,
    /// What was told before and the page did not get to, where it has nothing else.
    untold: Option<(Timestamp, u32)>,
}

/// The text is no place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvalidPlace;

impl At {
    /// The latest flows of an agent.
    pub(super) const fn beginning(agent: AgentId) -> Self {
        Self { agent, after: None, told: None }
    }
}

impl Place {
    pub(super) fn new(from: Timestamp, until: Timestamp, agents: Vec<At>) -> Self {
        Self { from, until, agents }
    }

    /// Returns where to read on in the flows of an agent, `None` where there is nothing more.
    pub(super) fn of(&self, agent: AgentId) -> Option<At> {
        self.agents.iter().find(|at| at.agent == agent).copied()
    }
}

/// Returns the latest flows of all pages, `limit` at most, and where to read on.
pub(super) fn merged(pages: Vec<Page>, limit: usize) -> (Vec<(AgentId, Flow)>, Vec<At>) {
    let mut streams: Vec<Stream> = pages.into_iter().map(Stream::new).collect();
    let mut flows = Vec::new();
    while flows.len() < limit {
        // Of those that end alike a flow goes before a page that ran out, and the first agent before the others.
        let heads = streams.iter().enumerate().filter_map(|(at, stream)| Some((stream.head()?, Reverse(at))));
        let Some(((_, is_flow), Reverse(at))) = heads.max() else { break };
        let told = streams.get_mut(at).filter(|_| is_flow).and_then(|stream| Some((stream.at.agent, stream.tell()?)));
        let Some(told) = told else { break };
        flows.push(told);
    }
    (flows, streams.iter().filter_map(Stream::rest).collect())
}

impl Stream {
    fn new(page: Page) -> Self {
        let mut left: VecDeque<Flow> = page.page.flows.into();
        let untold = page.at.told.map(|(end, count)| {
            let mut just_then: u32 = 0;
            left.retain(|flow| {
                just_then = just_then.saturating_add(u32::from(flow.end == end));
                flow.end < end || (flow.end == end && just_then > count)
            });
            (end, count.saturating_sub(just_then))
        });
        Self { at: page.at, left, next: page.page.next, untold }
    }

    /// Returns when the next flow ended, or that there may be more that ended then or before; `None` at the very end.
    fn head(&self) -> Option<(Timestamp, bool)> {
        let flow = self.left.front().map(|flow| (flow.end, true));
        flow.or_else(|| self.next.map(|next| (next.end, false)))
    }

    fn tell(&mut self) -> Option<Flow> {
        let flow = self.left.pop_front()?;
        let before = self.at.told.filter(|(end, _)| *end == flow.end).map_or(0, |(_, count)| count);
        // From its end on, where the log's name is known; else from where it was asked. The same where that was just then: flows
        // of that end were told before that place.
        let log = self.at.after.or(self.next).map(|cursor| cursor.log);
        if self.at.after.is_none_or(|after| after.end != flow.end) {
            self.at.after = log.map(|log| FlowCursor { log, end: flow.end, number: u64::MAX });
        }
        self.at.told = Some((flow.end, before.saturating_add(1)));
        self.untold = None;
        Some(flow)
    }

    /// Returns where to read on, `None` when nothing is left.
    fn rest(&self) -> Option<At> {
        if self.left.is_empty() {
            return self.next.map(|next| At { agent: self.at.agent, after: Some(next), told: self.untold });
        }
        Some(self.at)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.from.unix_ms(), self.until.unix_ms())?;
        for At { agent, after, told } in &self.agents {
            write!(f, ".{agent}.")?;
            match after {
                Some(cursor) => write!(f, "{cursor}.")?,
                None => f.write_str("~.")?,
            }
            match told {
                Some((end, count)) => write!(f, "{}.{count}", end.unix_ms())?,
                None => f.write_str("~.0")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Place {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let parts: Vec<&str> = text.split('.').take(2 + 4 * AGENTS_MAX + 1).collect();
        let time = |text: &str| text.parse().ok().map(Timestamp::from_unix_ms);
        let at = |part: &[&str]| {
            let [agent, after, end, count] = part else { return None };
            let after = if *after == "~" { None } else { Some(after.parse().ok()?) };
            let told = if *end == "~" { None } else { Some((time(end)?, count.parse().ok()?)) };
            Some(At { agent: agent.parse().ok()?, after, told })
        };
        let parsed = match parts.split_at_checked(2) {
            Some(([from, until], agents)) if !agents.is_empty() && agents.len() <= 4 * AGENTS_MAX => (|| {
                let agents = agents.chunks(4).map(at).collect::<Option<Vec<_>>>()?;
                Some(Self { from: time(from)?, until: time(until)?, agents })
            })(),
            _ => None,
        };
        parsed.ok_or(InvalidPlace)
    }
}

#[cfg(test)]
mod tests;
