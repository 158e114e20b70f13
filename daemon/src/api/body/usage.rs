//! What flows add up to: by application, and by endpoint.

use onenet_topology::{MacAddr, application::Application, endpoint::Endpoint, fact::FlowTotals};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    access::View,
    estate::SiteState,
    usage::{self, ByApplication, Usage},
};

/// Applications that are named of a talker.
const NAMED_MAX: usize = 3;

/// What an endpoint did, by application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EndpointApplicationsBody {
    /// The first moment.
    pub from: String,
    /// The first moment after the last.
    pub to: String,
    /// By application, that of most bytes first.
    pub items: Vec<EndpointApplicationBody>,
    /// All of them.
    pub total: TotalsBody,
}

/// What an endpoint did with one application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EndpointApplicationBody {
    /// The application; `null` for flows that were not recognised.
    #[schema(example = "tls")]
    pub application: Option<&'static str>,
    /// How much.
    #[serde(flatten)]
    pub totals: TotalsBody,
}

/// What flows of an endpoint add up to; it is counted when a flow ends, or every few minutes of a long one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct TotalsBody {
    /// Flows that it began.
    pub flows_out: u64,
    /// Flows that others began with it.
    pub flows_in: u64,
    /// Packets that it sent.
    pub packets_out: u64,
    /// Packets that were sent to it.
    pub packets_in: u64,
    /// Bytes that it sent, lengths of frames on the wire.
    pub bytes_out: u64,
    /// Bytes that were sent to it.
    pub bytes_in: u64,
}

/// What crossed the segments of a site, by application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SiteApplicationsBody {
    /// The first moment.
    pub from: String,
    /// The first moment after the last.
    pub to: String,
    /// By application, that of most bytes first.
    pub items: Vec<SiteApplicationBody>,
}

/// What crossed the segments of a site with one application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SiteApplicationBody {
    /// The application; `null` for flows that were not recognised.
    #[schema(example = "tls")]
    pub application: Option<&'static str>,
    /// Flows.
    pub flows: u64,
    /// Packets of both directions.
    pub packets: u64,
    /// Bytes of both directions.
    pub bytes: u64,
}

/// The endpoints of a site that sent and received most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TalkersBody {
    /// The first moment.
    pub from: String,
    /// The first moment after the last.
    pub to: String,
    /// That of most bytes first.
    pub items: Vec<TalkerBody>,
    /// All others together.
    pub others: TotalsBody,
}

/// An endpoint that sent or received much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TalkerBody {
    /// Its link address.
    pub mac: String,
    /// The endpoint; `null` where the address is a device's own, or belongs to none that is known.
    pub endpoint: Option<String>,
    /// Its host name.
    pub hostname: Option<String>,
    /// Its present addresses.
    pub ips: Vec<String>,
    /// The applications of most bytes, three at most.
    pub applications: Vec<&'static str>,
    /// How much.
    #[serde(flatten)]
    pub totals: TotalsBody,
}

impl From<FlowTotals> for TotalsBody {
    fn from(it: FlowTotals) -> Self {
        let FlowTotals { flows_out, flows_in, packets_out, packets_in, bytes_out, bytes_in } = it;
        Self { flows_out, flows_in, packets_out, packets_in, bytes_out, bytes_in }
    }
}

impl EndpointApplicationsBody {
    /// Returns what one endpoint did.
    pub(crate) fn of(usage: &Usage, mac: MacAddr, [from, to]: [String; 2]) -> Self {
        let none = ByApplication::new();
        let sums = usage.endpoints.get(&mac).unwrap_or(&none);
        let item = |(application, totals): (Option<Application>, FlowTotals)| EndpointApplicationBody {
            application: application.map(Application::name),
            totals: totals.into(),
        };
        let items = usage::greatest(sums).into_iter().map(item).collect();
        Self { from, to, items, total: usage::whole(sums).into() }
    }
}

impl SiteApplicationsBody {
    /// Returns what crossed a site.
    pub(crate) fn of(usage: &Usage, [from, to]: [String; 2]) -> Self {
        // What was sent: each packet has one sender.
        let item = |(application, totals): (Option<Application>, FlowTotals)| SiteApplicationBody {
            application: application.map(Application::name),
            flows: totals.flows_out,
            packets: totals.packets_out,
            bytes: totals.bytes_out,
        };
        let mut items: Vec<_> = usage::greatest(&usage.applications()).into_iter().map(item).collect();
        items.sort_by_key(|item| std::cmp::Reverse(item.bytes));
        Self { from, to, items }
    }
}

impl TalkersBody {
    /// Returns the `limit` greatest talkers of a site.
    pub(crate) fn of(view: &View, state: &SiteState, usage: &Usage, limit: usize, [from, to]: [String; 2]) -> Self {
        let talkers = usage.talkers();
        let (shown, rest) = talkers.split_at(limit.min(talkers.len()));
        let mut others = usage::whole(&usage.others);
        for (_, totals) in rest {
            others += *totals;
        }
        let item = |(mac, totals): &(MacAddr, FlowTotals)| {
            let id = state.macs.get(mac).copied();
            let endpoint = id.and_then(|id| view.endpoint(id)).map(|(_, endpoint)| endpoint);
            let greatest = usage.endpoints.get(mac).map(usage::greatest).unwrap_or_default();
            TalkerBody {
                mac: mac.to_string(),
                endpoint: endpoint.map(|endpoint| endpoint.id.to_string()),
                hostname: endpoint.and_then(Endpoint::hostname).map(String::from),
                ips: endpoint.iter().flat_map(|it| it.current_addresses()).map(|it| it.ip.to_string()).collect(),
                applications: greatest
                    .into_iter()
                    .filter_map(|(it, _)| it.map(Application::name))
                    .take(NAMED_MAX)
                    .collect(),
                totals: (*totals).into(),
            }
        };
        Self { from, to, items: shown.iter().map(item).collect(), others: others.into() }
    }
}
