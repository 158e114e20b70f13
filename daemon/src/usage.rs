//! What flows add up to: by endpoint and application, from the samples that agents send unasked.
//!
//! An agent sums its finished flows up by endpoint and application, tells the greatest sums apart and the rest as one by
//! application. Two capture interfaces may see the same endpoint: what the one saw that saw more counts, and never both.
//!
//! Invariant: each byte has one sender, so what all endpoints sent is what crossed the site's segments; nothing is counted twice.
//! What is held is bounded: of more endpoints than [`SUMS_MAX`] sums allow for, the later ones go to the rest.

use std::collections::{BTreeMap, BTreeSet};

use onenet_topology::{
    AgentId, MacAddr, SiteId, Timestamp,
    application::Application,
    fact::{FlowTotals, HistoryBody, Method, Scope},
};

use crate::{
    access::View,
    centre::Centre,
    estate::SiteState,
    store::{SampleKind, SampleQuery, StoreError},
};

/// Sums of one capture interface, endpoint and application that are held at once: three thousand terminals of sixty each.
const SUMS_MAX: usize = 200_000;
/// The longest time that is added up, in milliseconds: what samples are kept for.
pub(crate) const SPAN_MAX_MS: i64 = 31 * 86_400_000;
/// The longest interval of a sample, in milliseconds. A sample is of the time before it.
const INTERVAL_MAX_MS: i64 = 3_600_000;

/// Who saw something: an agent, on an interface.
type Source = (AgentId, Scope);
/// Sums by application; `None` is what was not recognised.
pub(crate) type ByApplication = BTreeMap<Option<Application>, FlowTotals>;

/// What flows of a site add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// By endpoint, as the interface has it that saw most of it.
    pub(crate) endpoints: BTreeMap<MacAddr, ByApplication>,
    /// All others.
    pub(crate) others: ByApplication,
}

/// Sums in the making.
#[derive(Debug, Default)]
struct Sums {
    by: BTreeMap<Option<MacAddr>, BTreeMap<Source, ByApplication>>,
    held: usize,
}

/// Returns where samples of a site come from: the interfaces that its agents listen on, and the agents themselves.
pub(crate) fn sources(view: &View, state: &SiteState) -> BTreeSet<Source> {
    let heard = state.facts.keys().filter(|(_, group)| is_passive(group.method));
    let interfaces = heard.map(|(agent, group)| (*agent, group.scope.clone()));
    let agents = view.agents_of(state.id).map(|agent| (agent.id, Scope::new("")));
    interfaces.chain(agents).collect()
}

const fn is_passive(method: Method) -> bool {
    matches!(
        method,
        Method::PassiveFrames | Method::PassiveArp | Method::PassiveNd | Method::PassiveDhcp | Method::PassiveLldp
    )
}

/// Adds up what was told of a time, of one endpoint or of all. Reads the disk.
pub(crate) fn add_up(
    centre: &Centre,
    site: SiteId,
    sources: &BTreeSet<Source>,
    of: Option<MacAddr>,
    [from, until]: [Timestamp; 2],
) -> Result<Usage, StoreError> {
    let mut sums = Sums::default();
    for (agent, scope) in sources {
        let query = SampleQuery {
            site,
            agent: Some(*agent),
            scope: scope.clone(),
            kind: SampleKind::Application,
            item: of.map(|mac| mac.to_string()),
            from,
            until: until.plus_ms(INTERVAL_MAX_MS),
            limit: usize::MAX,
        };
        centre.each_sample(&query, &mut |sample| {
            if let HistoryBody::Application(it) = sample.item.body {
                // What was going on mostly before the end.
                let middle = i64::try_from(it.interval_ms / 2).unwrap_or(i64::MAX);
                if sample.item.time.plus_ms(-middle) < until {
                    sums.add((*agent, scope.clone()), it.mac, it.application, it.totals);
                }
            }
        })?;
    }
    Ok(sums.judged())
}

impl Sums {
    fn add(&mut self, source: Source, mac: Option<MacAddr>, application: Option<Application>, totals: FlowTotals) {
        let known = |mac: &Option<MacAddr>| self.by.contains_key(mac);
        let mac = if self.held < SUMS_MAX || known(&mac) { mac } else { None };
        let by_application = self.by.entry(mac).or_default().entry(source).or_default();
        let before = by_application.len();
        *by_application.entry(application).or_default() += totals;
        self.held += by_application.len() - before;
    }

    /// Returns what counts, where several saw the same.
    fn judged(self) -> Usage {
        let mut usage = Usage::default();
        for (mac, mut by_source) in self.by {
            match mac {
                // Others differ from interface to interface.
                None => by_source.into_values().for_each(|sums| merge(&mut usage.others, sums)),
                Some(mac) => {
                    let most =
                        by_source.iter().max_by_key(|(_, sums)| whole(sums).bytes()).map(|(source, _)| source.clone());
                    if let Some(sums) = most.and_then(|source| by_source.remove(&source)) {
                        usage.endpoints.insert(mac, sums);
                    }
                }
            }
        }
        usage
    }
}

impl Usage {
    /// Returns the sums of all endpoints by application.
    pub(crate) fn applications(&self) -> ByApplication {
        let mut all = self.others.clone();
        self.endpoints.values().for_each(|sums| merge(&mut all, sums.clone()));
        all
    }

    /// Returns the endpoints, those that sent and received most first.
    pub(crate) fn talkers(&self) -> Vec<(MacAddr, FlowTotals)> {
        let mut talkers: Vec<_> = self.endpoints.iter().map(|(mac, sums)| (*mac, whole(sums))).collect();
        talkers.sort_by_key(|(mac, totals)| (std::cmp::Reverse(totals.bytes()), *mac));
        talkers
    }
}

/// Returns the sum over all applications.
pub(crate) fn whole(sums: &ByApplication) -> FlowTotals {
    sums.values().fold(FlowTotals::default(), |mut whole, totals| {
        whole += *totals;
        whole
    })
}

/// Returns sums by application, the greatest first.
pub(crate) fn greatest(sums: &ByApplication) -> Vec<(Option<Application>, FlowTotals)> {
    let mut sums: Vec<_> = sums.iter().map(|(application, totals)| (*application, *totals)).collect();
    sums.sort_by_key(|(application, totals)| (std::cmp::Reverse(totals.bytes()), application.is_none(), *application));
    sums
}

fn merge(into: &mut ByApplication, sums: ByApplication) {
    for (application, totals) in sums {
        *into.entry(application).or_default() += totals;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(bytes_out: u64, bytes_in: u64) -> FlowTotals {
        FlowTotals { bytes_out, bytes_in, ..FlowTotals::default() }
    }

    fn mac(last: u8) -> MacAddr {
        MacAddr([0, 27, 33, 0, 0, last])
    }

    fn source(interface: &str) -> Source {
        (AgentId::from_raw(1), Scope::new(interface))
    }

    #[test]
    fn an_endpoint_that_two_interfaces_see_counts_once_and_the_others_of_both_count() {
        let mut sums = Sums::default();
        let tls = Some(Application::Tls);
        sums.add(source("eth1"), Some(mac(1)), tls, bytes(10, 20));
        sums.add(source("eth1"), Some(mac(1)), None, bytes(1, 1));
        sums.add(source("eth2"), Some(mac(1)), tls, bytes(10, 30));
        sums.add(source("eth1"), None, tls, bytes(5, 0));
        sums.add(source("eth2"), None, tls, bytes(7, 0));
        let usage = sums.judged();
        assert_eq!(usage.endpoints[&mac(1)], ByApplication::from([(tls, bytes(10, 30))]));
        assert_eq!(usage.others, ByApplication::from([(tls, bytes(12, 0))]));
        assert_eq!(usage.applications(), ByApplication::from([(tls, bytes(22, 30))]));
        assert_eq!(usage.talkers(), [(mac(1), bytes(10, 30))]);
    }

    #[test]
    fn endpoints_without_end_go_to_the_rest() {
        let mut sums = Sums::default();
        for number in 0..SUMS_MAX + 10 {
            let [_, _, _, _, _, a, b, c] = (number as u64).to_be_bytes();
            sums.add(source("eth1"), Some(MacAddr([2, 0, 0, a, b, c])), None, bytes(1, 0));
        }
        let usage = sums.judged();
        assert_eq!(usage.endpoints.len(), SUMS_MAX);
        assert_eq!(usage.others[&None], bytes(10, 0));
    }
}
