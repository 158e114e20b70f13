//! The table of flows.

use maud::{Markup, html};
use onenet_topology::{
    SiteId,
    fact::Scope,
    flow::{Flow, FlowEnd, TcpState},
};

use super::super::{
    Reader, parts,
    text::{self, Text},
    traffic,
};
use crate::{access::View, api::flows::protocol_name, estate::SiteState, flows::Answer};

/// Protocols whose ends have ports (IANA protocol numbers): TCP, UDP, SCTP.
const WITH_PORTS: [u8; 3] = [6, 17, 132];

/// The flows of a page, latest first.
pub(super) fn flows(reader: &Reader, view: &View, site: SiteId, answer: &Answer) -> Markup {
    let state = view.inventory(site);
    let several = answer.agents.len() > 1;
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::ENDED)) }
                        th.number scope="col" { (reader.say(text::LASTED)) }
                        th scope="col" { (reader.say(text::ORIGINATOR)) }
                        th scope="col" { (reader.say(text::RESPONDER)) }
                        th scope="col" { (reader.say(text::APPLICATION)) }
                        th scope="col" { (reader.say(text::ASKED_NAME)) }
                        th.number scope="col" { (reader.say(text::BYTES_OUT)) }
                        th.number scope="col" { (reader.say(text::BYTES_IN)) }
                        th scope="col" { (reader.say(text::OUTCOME)) }
                        th scope="col" { (reader.say(text::SCOPE)) }
                    }
                }
                tbody {
                    @for (agent, flow) in &answer.flows {
                        tr {
                            th scope="row" { time datetime=(flow.end.to_string()) { (parts::or_dash(parts::local(flow.end).as_deref())) } }
                            td.number { (parts::duration(reader.language, flow.end.ms_since(flow.start))) }
                            td.mono { (end(state, flow, &flow.originator)) }
                            td.mono { (end(state, flow, &flow.responder)) }
                            td { (application(reader, flow)) }
                            td.long title=(flow.name) { (parts::or_dash(Some(&flow.name))) }
                            td.number title=(packets(reader, flow.packets_out)) { (parts::bytes(flow.bytes_out)) }
                            td.number title=(packets(reader, flow.packets_in)) { (parts::bytes(flow.bytes_in)) }
                            td { (outcome(reader, flow)) }
                            td {
                                (parts::or_dash(flow.interface.as_ref().map(Scope::as_str)))
                                @if several { " " span.note { (agent) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn packets(reader: &Reader, packets: u64) -> String {
    text::fill(reader.say(text::PACKETS), packets)
}

/// Address and port, with a link to the endpoint where the site has one of that link address.
fn end(state: Option<&SiteState>, flow: &Flow, end: &FlowEnd) -> Markup {
    let endpoint = end.mac.and_then(|mac| {
        let state = state.filter(|state| !state.is_device_mac(mac))?;
        // The router's address stands for everybody behind it: only whose own address it is has a page.
        let endpoint = state.endpoint_by_mac(mac)?;
        endpoint.evidence.bindings().any(|address| address.ip == end.ip).then_some(endpoint.id)
    });
    let mac = end.mac.map(|mac| mac.to_string());
    let ip = match end.ip {
        std::net::IpAddr::V6(ip) if WITH_PORTS.contains(&flow.protocol) => format!("[{ip}]"),
        ip => ip.to_string(),
    };
    html! {
        @match endpoint {
            Some(id) => a href=(format!("/endpoints/{id}")) title=[mac] { (ip) },
            None => span title=[mac] { (ip) },
        }
        @if WITH_PORTS.contains(&flow.protocol) { ":" (end.port) }
    }
}

fn application(reader: &Reader, flow: &Flow) -> Markup {
    let protocol = protocol_name(flow.protocol).to_ascii_uppercase();
    html! {
        @match flow.application {
            Some(application) if flow.by_payload => { (traffic::label(application)) },
            // What only a port says is a guess.
            Some(application) => span title=(reader.say(text::BY_PORT)) { (traffic::label(application)) span.none { " ?" } },
            None => span.none { (reader.say(text::NOT_RECOGNISED)) },
        }
        " " span.note { (protocol) }
    }
}

fn outcome(reader: &Reader, flow: &Flow) -> Markup {
    let Some(tcp) = &flow.tcp else { return parts::or_dash(None) };
    html! { span title=(tcp.history) { (reader.say(state(tcp.state))) } }
}

/// Returns the words for what became of a connection.
const fn state(state: TcpState) -> Text {
    match state {
        TcpState::Attempted => text::TCP_ATTEMPTED,
        TcpState::Established => text::TCP_ESTABLISHED,
        TcpState::Finished => text::TCP_FINISHED,
        TcpState::Refused => text::TCP_REFUSED,
        TcpState::OriginatorClosed => text::TCP_ORIGINATOR_CLOSED,
        TcpState::ResponderClosed => text::TCP_RESPONDER_CLOSED,
        TcpState::OriginatorReset => text::TCP_ORIGINATOR_RESET,
        TcpState::ResponderReset => text::TCP_RESPONDER_RESET,
        TcpState::AttemptReset => text::TCP_ATTEMPT_RESET,
        TcpState::AnswerReset => text::TCP_ANSWER_RESET,
        TcpState::HalfOpenOriginator => text::TCP_HALF_OPEN_ORIGINATOR,
        TcpState::HalfOpenResponder => text::TCP_HALF_OPEN_RESPONDER,
        TcpState::Midstream => text::TCP_MIDSTREAM,
    }
}
