//! Flows, as the agents of a site tell them, and who told what.

use onenet_topology::{
    AgentId, Application, MacAddr,
    flow::{Flow, FlowEnd, FlowPageEnd, FlowsMissing, FlowsMissingReason, TcpFlow},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{given, time};
use crate::{
    access::View,
    asking::NoAnswer,
    estate::SiteState,
    flows::{Answer, Asked},
};

/// A page of flows of a site, latest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FlowsBody {
    /// The site.
    pub site: String,
    /// The time asked for: flows that were going on at this time or later …
    pub from: String,
    /// … and before this.
    pub until: String,
    /// The flows.
    pub items: Vec<FlowBody>,
    /// What to give as `cursor` for the next page; `null` on the last one. A page may be shorter than `limit`, or empty, and
    /// have a next one: agents look through their logs for some seconds at a time.
    pub next: Option<String>,
    /// The agents that were asked. Those that did not answer are among them: what they saw is missing from the page.
    pub agents: Vec<FlowAgentBody>,
}

/// An agent that was asked for flows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FlowAgentBody {
    /// Which.
    pub agent: String,
    /// `answered`, or why not: `silent`, `never_heard`, `cut`, `timed_out`, `busy` or `failed`.
    pub state: &'static str,
    /// Why it did not answer and what to do about it, in words.
    pub reason: Option<String>,
    /// Since when nothing was heard of it, where that is why.
    pub since: Option<String>,
    /// The end of the oldest flow that it keeps.
    pub kept_from: Option<String>,
    /// How many days its flow log holds.
    pub days: Option<u32>,
    /// Why its page ended: `all` (everything was looked through), `limit`, `size`, or `time` (looking took as long as it may).
    pub ended: Option<&'static str>,
    /// Flows of the time asked for that it did not keep, or keeps no more.
    pub missing: Vec<FlowsMissingBody>,
}

/// Flows that were asked for and are not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FlowsMissingBody {
    /// `before_the_log` (the log reaches less far back), `writer_busy`, `disk` or `damaged`.
    pub reason: &'static str,
    /// When they ended, about: from this time …
    pub from: String,
    /// … to this.
    pub until: String,
    /// How many, of all and not only of those asked for; `null` where nobody counted.
    pub flows: Option<u64>,
}

/// A finished flow, or the part of a long one that a record covers, told from its originator's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FlowBody {
    /// The agent that saw it.
    pub agent: String,
    /// The capture interface that it was heard on.
    pub interface: Option<String>,
    /// Time of the first packet.
    pub start: String,
    /// Time of the last packet.
    pub end: String,
    /// Who sent the first packet.
    pub originator: FlowEndBody,
    /// Whom it was sent to.
    pub responder: FlowEndBody,
    /// IP protocol number.
    #[schema(example = 6)]
    pub protocol: u8,
    /// Id of the outermost VLAN.
    pub vlan: Option<u16>,
    /// What it carries; `null` where that is not known.
    #[schema(example = "tls")]
    pub application: Option<&'static str>,
    /// How the application is known: `payload`, or `port`, which is a guess.
    pub application_by: Option<&'static str>,
    /// Whom or what it asked for: the server's name, the name looked up.
    pub name: Option<String>,
    /// Packets from the originator.
    pub packets_out: u64,
    /// Packets from the responder.
    pub packets_in: u64,
    /// Bytes from the originator, lengths of frames on the wire.
    pub bytes_out: u64,
    /// Bytes from the responder.
    pub bytes_in: u64,
    /// What was measured of a TCP connection.
    pub tcp: Option<TcpBody>,
}

/// One end of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FlowEndBody {
    /// Its address.
    pub ip: String,
    /// Its port; of an ICMP flow the originator's is the identifier and the responder's type × 256 + code.
    pub port: u16,
    /// The link address of its first packet where it was captured: its own, or that of the router before it.
    pub mac: Option<String>,
    /// The endpoint of the site that has this link address.
    pub endpoint: Option<String>,
}

/// What was measured of a TCP connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TcpBody {
    /// What became of it: `attempted`, `established`, `finished`, `refused`, `originator_closed`, `responder_closed`,
    /// `originator_reset`, `responder_reset`, `attempt_reset`, `answer_reset`, `half_open_originator`, `half_open_responder` or
    /// `midstream`.
    pub state: &'static str,
    /// What happened, a letter each, capitals from the originator: s SYN, h SYN with ACK, a ACK, d payload, f FIN, r reset, t sent
    /// again, g gap, w window closed.
    pub history: String,
    /// Segments that the originator sent again.
    pub retransmissions_out: u64,
    /// Segments that the responder sent again.
    pub retransmissions_in: u64,
    /// How long the handshake took, in microseconds.
    pub handshake_us: Option<u64>,
}

impl FlowsBody {
    /// Returns the answer to a question about a site, with the endpoints that the view shows.
    pub(crate) fn of(
        view: &View,
        site: onenet_topology::SiteId,
        period: [onenet_topology::Timestamp; 2],
        it: &Answer,
    ) -> Self {
        let state = view.inventory(site);
        Self {
            site: site.to_string(),
            from: time(period[0]),
            until: time(period[1]),
            items: it.flows.iter().map(|(agent, flow)| FlowBody::of(state, *agent, flow)).collect(),
            next: it.next.as_ref().map(ToString::to_string),
            agents: it.agents.iter().map(FlowAgentBody::of).collect(),
        }
    }
}

impl FlowAgentBody {
    fn of(it: &Asked) -> Self {
        let (kept, why) = (it.outcome.as_ref().ok(), it.outcome.as_ref().err());
        Self {
            agent: it.agent.to_string(),
            state: why.map_or("answered", |why| why.name()),
            reason: why.map(|why| format!("{} {}", it.agent, why.told())),
            since: why.and_then(NoAnswer::since).map(time),
            kept_from: kept.and_then(|kept| kept.kept_from).map(time),
            days: kept.map(|kept| kept.days),
            ended: kept.map(|kept| ended(kept.ended)),
            missing: kept.iter().flat_map(|kept| &kept.missing).map(FlowsMissingBody::of).collect(),
        }
    }
}

impl FlowsMissingBody {
    fn of(it: &FlowsMissing) -> Self {
        let reason = match it.reason {
            FlowsMissingReason::BeforeTheLog => "before_the_log",
            FlowsMissingReason::WriterBusy => "writer_busy",
            FlowsMissingReason::Disk => "disk",
            FlowsMissingReason::Damaged => "damaged",
        };
        Self { reason, from: time(it.from), until: time(it.until), flows: it.flows }
    }
}

impl FlowBody {
    fn of(state: Option<&SiteState>, agent: AgentId, it: &Flow) -> Self {
        let by = if it.by_payload { "payload" } else { "port" };
        Self {
            agent: agent.to_string(),
            interface: it.interface.as_ref().map(ToString::to_string),
            start: time(it.start),
            end: time(it.end),
            originator: FlowEndBody::of(state, &it.originator),
            responder: FlowEndBody::of(state, &it.responder),
            protocol: it.protocol,
            vlan: it.vlan,
            application: it.application.map(Application::name),
            application_by: it.application.map(|_| by),
            name: given(&it.name),
            packets_out: it.packets_out,
            packets_in: it.packets_in,
            bytes_out: it.bytes_out,
            bytes_in: it.bytes_in,
            tcp: it.tcp.as_ref().map(TcpBody::of),
        }
    }
}

impl FlowEndBody {
    fn of(state: Option<&SiteState>, it: &FlowEnd) -> Self {
        let endpoint = |mac: MacAddr| state.filter(|state| !state.is_device_mac(mac))?.macs.get(&mac);
        Self {
            ip: it.ip.to_string(),
            port: it.port,
            mac: it.mac.map(|mac| mac.to_string()),
            endpoint: it.mac.and_then(endpoint).map(ToString::to_string),
        }
    }
}

impl TcpBody {
    fn of(it: &TcpFlow) -> Self {
        Self {
            state: it.state.name(),
            history: it.history.clone(),
            retransmissions_out: it.retransmissions_out,
            retransmissions_in: it.retransmissions_in,
            handshake_us: it.handshake_us,
        }
    }
}

const fn ended(end: FlowPageEnd) -> &'static str {
    match end {
        FlowPageEnd::All => "all",
        FlowPageEnd::Limit => "limit",
        FlowPageEnd::Size => "size",
        FlowPageEnd::Time => "time",
    }
}
