//! Planning and owning, from the outside: records in, estate out.

mod anomalies;
mod attaching;
mod availability;
mod bounds;
mod campaigns;
mod concluded;
mod coverage;
mod duplicates;
mod expiring;
mod forged;
mod incidents;
mod interleaving;
mod merging;
mod owning;
mod rules;
mod streams;

use std::{collections::BTreeMap, sync::Arc};

use onenet_topology::{
    AgentId, MacAddr, SiteId, Timestamp,
    division::Tier,
    endpoint::Endpoint,
    fact::{self, Fact, FactBody, FactChange, Group, HistoryBody, HistoryItem, Method, Scope},
    site::{SiteKind, SiteName},
};
use onenet_wire::{Batch, Clocks, Content, GroupChanges, KeyRange, Lane, Position};

use super::{Outcome, Planned, Policy, Refusal, plan};
use crate::{
    estate::{Change, Estate},
    record::{Body, Command, EnrolmentToken, Greeting, NewSite, Record, Report, TokenHash},
};

/// The centre's clock in these tests, unless a test moves it.
pub(super) const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);
/// By how much the agents' wall clocks are wrong in these tests: the centre has to put that right.
pub(super) const WRONG_MS: i64 = 3 * 3_600_000;

/// A centre without a store: an estate, and what was changed on the way to it.
pub(super) struct World {
    pub(super) estate: Estate,
    pub(super) changes: Vec<Change>,
    pub(super) now: Timestamp,
    pub(super) policy: Policy,
}

impl World {
    pub(super) fn new() -> Self {
        Self { estate: Estate::default(), changes: Vec::new(), now: NOW, policy: Policy::default() }
    }

    pub(super) fn submit(&mut self, body: Body) -> Result<Outcome, Refusal> {
        let record = Record { position: self.estate.position + 1, time: self.now, body };
        let Planned { next, changes, outcome } = plan(&self.estate, &record, self.policy)?;
        self.estate = next;
        self.changes.extend(changes);
        Ok(outcome)
    }

    pub(super) fn command(&mut self, command: Command) -> Result<Outcome, Refusal> {
        self.submit(Body::Command { by: "test".into(), command: Arc::new(command) })
    }

    pub(super) fn add_site(&mut self, code: &str) -> SiteId {
        let site = NewSite {
            tier: Tier::Ministry,
            kind: SiteKind::Division,
            code: code.into(),
            name: SiteName::new(code, code),
            parents: Vec::new(),
            from: Timestamp::EPOCH,
        };
        match self.command(Command::AddSite(site)).unwrap() {
            Outcome::SiteAdded(id) => id,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn enrol(&mut self, site: SiteId, secret: &[u8]) -> AgentId {
        let token = EnrolmentToken { site, expires: self.now.plus_ms(1_000), spent: None };
        self.command(Command::IssueEnrolmentToken { hash: TokenHash::of(secret), token }).unwrap();
        let command = Command::EnrolAgent { token: TokenHash::of(secret), key: TokenHash::of(b"key") };
        match self.command(command).unwrap() {
            Outcome::Enrolled { agent, .. } => agent,
            other => panic!("{other:?}"),
        }
    }

    /// A site with an agent that said hello `boot_ms` after its start.
    pub(super) fn with_agent(boot_ms: u64) -> (Self, SiteId, AgentId) {
        let mut world = Self::new();
        let site = world.add_site("000000");
        let agent = world.enrol(site, b"secret");
        world.hello(agent, boot_ms);
        (world, site, agent)
    }

    pub(super) fn hello(&mut self, agent: AgentId, boot_ms: u64) {
        let clocks = clocks(1, boot_ms, self.now.unix_ms() + WRONG_MS);
        let greeting = Greeting {
            agent,
            version: "1".into(),
            clocks,
            received: self.now,
            configuration_revision: 0,
            certificate: None,
        };
        self.submit(Body::Hello(greeting)).unwrap();
    }

    pub(super) fn report(&mut self, agent: AgentId, site: SiteId, batch: Batch) -> Result<Outcome, Refusal> {
        self.submit(Body::Report(Report { agent, site, batch: Arc::new(batch) }))
    }

    pub(super) fn endpoint(&self, site: SiteId, last: u8) -> Option<&Endpoint> {
        self.estate.site(site)?.endpoint_by_mac(mac(last)).map(|endpoint| &**endpoint)
    }
}

pub(super) fn clocks(boot: u8, boot_ms: u64, wall_ms: i64) -> Clocks {
    Clocks { boot_id: [boot; 16], boot_ms, wall_ms }
}

pub(super) fn part(member: &str, aggregate: &str) -> fact::Aggregation {
    fact::Aggregation { member: member.into(), aggregate: aggregate.into(), partner_system: None, partner_key: None }
}

fn mac(last: u8) -> MacAddr {
    MacAddr([0x00, 0x1b, 0x21, 0, 0, last])
}

pub(super) fn group(method: Method, scope: &str) -> Group {
    Group { method, scope: Scope::new(scope) }
}

/// A batch closed `boot_ms` after the start, in an agent whose wall clock is [`WRONG_MS`] ahead and who said hello at
/// [`NOW`] when 1,000 s had passed.
pub(super) fn batch(lane: Lane, sequence: u64, boot_ms: u64, content: Content) -> Batch {
    Batch { position: Position { lane, epoch: 7, sequence }, clocks: clocks(1, boot_ms, wall_at(boot_ms)), content }
}

/// What the wrong wall clock shows `boot_ms` after the start.
pub(super) fn wall_at(boot_ms: u64) -> i64 {
    true_at(boot_ms).unix_ms() + WRONG_MS
}

/// What the right clock shows then.
pub(super) fn true_at(boot_ms: u64) -> Timestamp {
    NOW.plus_ms(i64::try_from(boot_ms).unwrap() - 1_000_000)
}

pub(super) fn present(boot_ms: u64, body: FactBody) -> FactChange {
    FactChange::Present(Fact { observed: Timestamp::from_unix_ms(wall_at(boot_ms)), body })
}

pub(super) fn gone(boot_ms: u64, body: &FactBody) -> FactChange {
    FactChange::Gone { key: body.key(), observed: Timestamp::from_unix_ms(wall_at(boot_ms)) }
}

pub(super) fn binding(last: u8, ip: u8) -> FactBody {
    FactBody::Binding(fact::Binding { mac: mac(last), ip: [10, 0, 0, ip].into() })
}

pub(super) fn state(sequence: u64, boot_ms: u64, changes: Vec<FactChange>) -> Batch {
    let group = group(Method::PassiveArp, "eth0");
    let content = Content::State(vec![GroupChanges { group, changes, complete: None }]);
    batch(Lane::State, sequence, boot_ms, content)
}

pub(super) fn complete(sequence: u64, boot_ms: u64, range: KeyRange, changes: Vec<FactChange>) -> Batch {
    let group = group(Method::PassiveArp, "eth0");
    let content = Content::State(vec![GroupChanges { group, changes, complete: Some(range) }]);
    batch(Lane::State, sequence, boot_ms, content)
}

pub(super) fn sample(boot_ms: u64, octets: u64) -> HistoryItem {
    let body = HistoryBody::Interface(fact::InterfaceSample {
        name: "ge0".into(),
        in_octets: Some(octets),
        ..fact::InterfaceSample::default()
    });
    HistoryItem { time: Timestamp::from_unix_ms(wall_at(boot_ms)), scope: Scope::new("core"), body }
}

/// What an estate says, without the identities, which depend on the order of records.
pub(super) fn without_ids(estate: &Estate) -> BTreeMap<String, String> {
    let mut said = BTreeMap::new();
    for site in estate.sites.values() {
        for ((agent, group), held) in &site.facts {
            for (hash, held) in held.iter() {
                said.insert(format!("{} fact {agent} {group:?} {hash:x}", site.id), format!("{held:?}"));
            }
            said.insert(format!("{} digest {agent} {group:?}", site.id), format!("{:?}", held.digest()));
        }
        for endpoint in site.endpoints.values() {
            let same = Endpoint { id: onenet_topology::EndpointId::from_raw(0), ..Endpoint::clone(endpoint) };
            said.insert(format!("{} endpoint {}", site.id, endpoint.mac), format!("{same:?}"));
        }
        for device in site.devices.values() {
            let interfaces: Vec<_> =
                device.interfaces.iter().map(|it| (it.current, it.observed, it.said.clone())).collect();
            let about = (&device.handles, &device.answering, &device.system, interfaces);
            said.insert(format!("{} device {:?}", site.id, device.handles), format!("{about:?}"));
        }
    }
    said.insert("macs".into(), format!("{:?}", estate.indexes.macs.keys().map(|it| it.0).collect::<Vec<_>>()));
    said.insert(
        "addresses".into(),
        format!("{:?}", estate.indexes.addresses.keys().map(|it| (it.0, it.1)).collect::<Vec<_>>()),
    );
    said
}
