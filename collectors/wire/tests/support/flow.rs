//! Strategies for flows, pages of them, and the question for them.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use onenet_topology::{
    application::Application,
    fact::Scope,
    flow::{
        Flow, FlowCursor, FlowEnd, FlowPage, FlowPageEnd, FlowParty, FlowQuery, FlowsMissing, FlowsMissingReason,
        TcpFlow, TcpState,
    },
};
use onenet_wire::{Asker, FlowsQuery};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{ip, mac, text, time, vlan};

/// Any application, or none.
pub(super) fn application() -> impl Strategy<Value = Option<Application>> {
    option::of(select(Application::ALL.to_vec()))
}

fn flow_end() -> impl Strategy<Value = FlowEnd> {
    // Few ends, so that they repeat.
    let ip = prop_oneof![Just(IpAddr::from([10, 0, 0, 7])), ip()];
    (ip, any::<u16>(), option::of(mac())).prop_map(|(ip, port, mac)| FlowEnd { ip, port, mac })
}

fn tcp_flow() -> impl Strategy<Value = TcpFlow> {
    let counts = any::<[u64; 2]>();
    (select(TcpState::ALL.to_vec()), "[a-zA-Z]{0,32}", counts, option::of(0..u64::MAX)).prop_map(
        |(state, history, [retransmissions_out, retransmissions_in], handshake_us)| TcpFlow {
            state,
            history,
            retransmissions_out,
            retransmissions_in,
            handshake_us,
        },
    )
}

/// Any flow.
pub(crate) fn flow() -> impl Strategy<Value = Flow> {
    let ends = (flow_end(), flow_end(), any::<u8>(), vlan());
    let times = (time(), 0..86_400_000_i64);
    let said = (application(), any::<bool>(), text(), option::of(tcp_flow()), option::of("\\PC{1,12}"));
    (ends, any::<[u64; 4]>(), times, said).prop_map(
        |(
            (originator, responder, protocol, vlan),
            counts,
            (end, duration),
            (application, by_payload, name, tcp, on),
        )| {
            let [packets_out, packets_in, bytes_out, bytes_in] = counts;
            let (start, interface) = (end.plus_ms(-duration), on.map(|name| Scope::new(&name)));
            Flow {
                protocol,
                originator,
                responder,
                vlan,
                packets_out,
                packets_in,
                bytes_out,
                bytes_in,
                start,
                end,
                application,
                by_payload,
                name,
                tcp,
                interface,
            }
        },
    )
}

fn flow_cursor() -> impl Strategy<Value = FlowCursor> {
    (any::<u64>(), time(), any::<u64>()).prop_map(|(log, end, number)| FlowCursor { log, end, number })
}

/// Any page of flows.
pub(crate) fn flow_page() -> impl Strategy<Value = FlowPage> {
    let missing = (select(FlowsMissingReason::ALL.to_vec()), time(), time(), any::<Option<u64>>())
        .prop_map(|(reason, from, until, flows)| FlowsMissing { reason, from, until, flows });
    let ended = select(FlowPageEnd::ALL.to_vec());
    (vec(flow(), 0..8), option::of(flow_cursor()), ended, option::of(time()), any::<u32>(), vec(missing, 0..3))
        .prop_map(|(flows, next, ended, kept_from, days, missing)| FlowPage {
            flows,
            next,
            ended,
            kept_from,
            days,
            missing,
        })
}

/// Any question for flows.
pub(super) fn flows_query() -> impl Strategy<Value = FlowsQuery> {
    let party = || {
        let prefix = (ip(), 0..=32_u8).prop_filter_map("no prefix", |(ip, bits)| IpNetwork::new(ip, bits).ok());
        option::of(prop_oneof![mac().prop_map(FlowParty::Mac), prefix.prop_map(FlowParty::Ip)])
    };
    let asker = (text(), text()).prop_map(|(principal, reason)| Asker { principal, reason });
    let what = (party(), party(), any::<Option<u16>>(), any::<Option<u8>>(), application());
    let query = (time(), time(), what, 1..1_001_u32).prop_map(
        |(from, until, (endpoint, peer, port, protocol, application), limit)| FlowQuery {
            from,
            until,
            endpoint,
            peer,
            port,
            protocol,
            application,
            limit,
        },
    );
    (asker, query, option::of(flow_cursor())).prop_map(|(asker, query, after)| FlowsQuery { asker, query, after })
}
