//! Reading page after page against a model of flow logs that grow meanwhile.

use std::collections::BTreeMap;

use onenet_topology::flow::{FlowEnd, FlowPageEnd};
use proptest::{collection::vec, prelude::*};

use super::*;

const LOG: u64 = 7;

/// The flow log of one agent: ends of flows, by number.
#[derive(Debug, Clone, Default)]
struct Log(Vec<i64>);

fn flow(agent: u64, number: usize, end: i64) -> Flow {
    let side = FlowEnd { ip: [10, 0, 0, 1].into(), port: 0, mac: None };
    Flow {
        protocol: 17,
        originator: side,
        responder: side,
        vlan: None,
        // Which flow it is.
        packets_out: agent,
        packets_in: u64::try_from(number).unwrap(),
        bytes_out: 0,
        bytes_in: 0,
        start: Timestamp::from_unix_ms(end),
        end: Timestamp::from_unix_ms(end),
        application: None,
        by_payload: false,
        name: String::new(),
        tcp: None,
        interface: None,
    }
}

impl Log {
    /// Answers as an agent's flow log does: at most `limit` flows behind the place, latest first.
    fn page(&self, agent: u64, after: Option<FlowCursor>, limit: usize) -> FlowPage {
        let mut all: Vec<(i64, usize)> = self.0.iter().enumerate().map(|(number, end)| (*end, number)).collect();
        all.sort_unstable();
        all.reverse();
        all.retain(|(end, number)| {
            let at = (*end, u64::try_from(*number).unwrap());
            after.is_none_or(|after| at < (after.end.unix_ms(), after.number))
        });
        let more = all.len() > limit;
        let told = &all[..all.len().min(limit)];
        // A page without a flow has looked at nothing, and goes on where it was asked.
        let next = told.last().map(|(end, number)| FlowCursor {
            log: LOG,
            end: Timestamp::from_unix_ms(*end),
            number: u64::try_from(*number).unwrap(),
        });
        let start = || FlowCursor { log: LOG, end: Timestamp::from_unix_ms(1 << 40), number: u64::MAX };
        FlowPage {
            flows: told.iter().map(|(end, number)| flow(agent, *number, *end)).collect(),
            next: more.then(|| next.or(after).unwrap_or_else(start)),
            ended: FlowPageEnd::All,
            ..FlowPage::default()
        }
    }
}

/// Which flow, and when it ended.
fn name(flow: &Flow) -> (u64, u64) {
    (flow.packets_out, flow.packets_in)
}

proptest! {
    #[test]
    fn page_after_page_tells_each_flow_once_whatever_is_logged_meanwhile(
        logs in vec(vec(0..12_i64, 0..20), 1..4),
        // How many flows a page has, how many each agent tells at once, and what is logged before the next page.
        turns in vec((1..7_usize, vec(0..7_usize, 3), vec((0..3_usize, 0..15_i64), 0..2)), 200),
    ) {
        let mut logs: Vec<Log> = logs.into_iter().map(Log).collect();
        let before: Vec<(u64, u64)> = logs.iter().enumerate()
            .flat_map(|(agent, log)| (0..log.0.len()).map(move |number| (agent as u64, number as u64)))
            .collect();
        let mut told: BTreeMap<(u64, u64), usize> = BTreeMap::new();
        let mut place: Option<Place> = None;
        let mut done = false;
        for (turn, (limit, at_once, logged)) in turns.into_iter().enumerate() {
            let asked = (0..logs.len()).filter_map(|agent| {
                let id = AgentId::from_raw(agent as u64 + 1);
                place.as_ref().map_or(Some(At::beginning(id)), |place| place.of(id)).map(|at| (agent, at))
            });
            let pages: Vec<Page> = asked.map(|(agent, at)| {
                // Later on an agent always finds something, else this would never end.
                let at_once = at_once[agent].max(usize::from(turn > 60));
                Page { at, page: logs[agent].page(agent as u64, at.after, limit.min(at_once)) }
            }).collect();
            let (flows, more) = merged(pages, limit);
            prop_assert!(flows.len() <= limit);
            prop_assert!(flows.is_sorted_by_key(|(_, flow)| Reverse(flow.end)));
            for (agent, flow) in &flows {
                prop_assert_eq!(agent.raw(), flow.packets_out + 1);
                *told.entry(name(flow)).or_default() += 1;
            }
            if more.is_empty() {
                done = true;
                break;
            }
            let next = Place::new(Timestamp::EPOCH, Timestamp::from_unix_ms(5), more);
            let read: Place = next.to_string().parse().unwrap();
            prop_assert_eq!(&read, &next);
            place = Some(read);
            // Flows whose end lies further back are logged late; those of the very moment where a page ends are left to the log.
            for (agent, end) in logged {
                let ties = place.iter().flat_map(|place| &place.agents).any(|at| at.told.is_some_and(|(at, _)| at.unix_ms() == end));
                if let Some(log) = logs.get_mut(agent).filter(|_| !ties) {
                    log.0.push(end);
                }
            }
        }
        prop_assert!(done, "it ends");
        for name in before {
            prop_assert_eq!(told.get(&name), Some(&1), "{:?}", name);
        }
        prop_assert!(told.values().all(|count| *count == 1), "{:?}", told);
    }
}

#[test]
fn an_agent_that_has_more_holds_back_what_is_older_than_its_page() {
    let page = |agent: u64, ends: &[i64], next: Option<i64>| {
        let flows = ends.iter().enumerate().map(|(number, end)| flow(agent, number, *end)).collect();
        let next = next.map(|end| FlowCursor { log: LOG, end: Timestamp::from_unix_ms(end), number: 0 });
        Page { at: At::beginning(AgentId::from_raw(agent)), page: FlowPage { flows, next, ..FlowPage::default() } }
    };
    let (flows, more) = merged(vec![page(1, &[90, 80], Some(80)), page(2, &[85, 60], None)], 10);
    let ends: Vec<i64> = flows.iter().map(|(_, flow)| flow.end.unix_ms()).collect();
    assert_eq!(ends, [90, 85, 80], "what ended at 60 waits for what the first agent has before 80");
    assert_eq!(more.len(), 2);
    let (flows, more) = merged(vec![page(1, &[], Some(70)), page(2, &[60], None)], 10);
    assert!(flows.is_empty(), "an empty page is no end");
    assert_eq!(more[0].after.unwrap().end, Timestamp::from_unix_ms(70));
}

#[test]
fn a_text_that_is_no_place_is_refused() {
    let good = "5.9.agent-1.~.~.0";
    assert!(good.parse::<Place>().is_ok());
    let long = good.to_owned() + &".agent-1.~.~.0".repeat(AGENTS_MAX);
    for text in [
        "",
        "5.9",
        "5.9.agent-1",
        "5.9.agent-1.~.~",
        "x.9.agent-1.~.~.0",
        "5.9.site-1.~.~.0",
        "5.9.agent-1.12.~.0",
        &long,
    ] {
        assert_eq!(text.parse::<Place>(), Err(InvalidPlace), "{text}");
    }
}
