//! Which devices lie between two places of the network.

use onenet_topology::path::Ground;
use serde::Serialize;
use utoipa::ToSchema;

use crate::path::{Hop, HopThing, Known};

/// The way from one place to another.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PathBody {
    /// The places on the way, both ends included.
    pub hops: Vec<HopBody>,
    /// Whether the whole way is known: no gap, and no site of which no device on the way is known.
    pub complete: bool,
}

/// A place on the way.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HopBody {
    /// `endpoint`, `device`, `site` (no device on the way is known there), or `gap` (nobody knows what is here).
    pub kind: &'static str,
    /// Its identity; `null` for a gap.
    pub id: Option<String>,
    /// The site that it is at.
    pub site: String,
    /// Its name.
    pub name: String,
    /// The port by which the way comes in; `null` where it cannot be told.
    pub into: Option<String>,
    /// The port by which it goes out; `null` where it cannot be told.
    pub out: Option<String>,
    /// Why it is believed to be on the way: `end` (it was asked for), `attachment`, `link`, `subnet`,
    /// `next_hop` (of the routes of the hop before), or `tree` (of sites).
    pub known_by: &'static str,
    /// The subnet that it shares with the hop before, or its address that is the next hop there.
    pub subnet: Option<String>,
    /// How sure that is, between 0 and 1, where it is not certain by itself.
    pub confidence: Option<f64>,
    /// `up`, `degraded`, `down`, `flapping` or `unknown`; `null` where nothing is said of it.
    pub state: Option<&'static str>,
}

impl PathBody {
    /// Returns a path.
    pub(crate) fn of(hops: &[Hop]) -> Self {
        let told = |hop: &Hop| matches!(hop.thing, HopThing::Endpoint(_) | HopThing::Device(_));
        let complete = hops.iter().all(|hop| told(hop) && hop.known != Known::Tree);
        Self { complete, hops: hops.iter().map(HopBody::of).collect() }
    }
}

impl HopBody {
    fn of(hop: &Hop) -> Self {
        let (kind, id) = match hop.thing {
            HopThing::Endpoint(id) => ("endpoint", Some(id.to_string())),
            HopThing::Device(id) => ("device", Some(id.to_string())),
            HopThing::Site => ("site", Some(hop.site.to_string())),
            HopThing::Gap => ("gap", None),
        };
        let percent = |percent: u8| f64::from(percent) / 100.0;
        let (known_by, subnet, confidence) = match hop.known {
            Known::End => ("end", None, None),
            Known::Attachment(confidence) => ("attachment", None, confidence.map(percent)),
            Known::Step(Ground::Link(confidence)) => ("link", None, Some(percent(confidence))),
            Known::Step(Ground::Subnet(subnet)) => ("subnet", Some(subnet.to_string()), None),
            Known::Step(Ground::NextHop(ip)) => ("next_hop", Some(ip.to_string()), None),
            Known::Tree => ("tree", None, None),
        };
        Self {
            kind,
            id,
            site: hop.site.to_string(),
            name: hop.name.clone(),
            into: hop.into.clone(),
            out: hop.out.clone(),
            known_by,
            subnet,
            confidence,
            state: hop.state,
        }
    }
}
