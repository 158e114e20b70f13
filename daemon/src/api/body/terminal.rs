//! Terminals: machines, with the endpoints that are their cards, and why these are one.

use onenet_topology::{
    EndpointId,
    terminal::{Bond, Joint, Terminal},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::RulingBody;
use crate::{access::View, estate::SiteState, terminals::Known};

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TerminalBody {
    /// Its identity: that of its oldest endpoint.
    #[schema(example = "terminal-2b00003")]
    pub id: String,
    /// The endpoints that are its cards, the oldest first.
    pub endpoints: Vec<CardBody>,
    /// The assets that its cards are, by the register: none for a stranger.
    pub assets: Vec<String>,
    /// Why its endpoints are one, pair by pair.
    pub joints: Vec<JointBody>,
    /// What operators ruled of its endpoints, and of others that are not its own.
    pub rulings: Vec<RulingBody>,
}

/// A card of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CardBody {
    /// The endpoint.
    pub id: String,
    /// Its MAC address.
    pub mac: String,
    /// Its host name, where it told one.
    pub hostname: Option<String>,
    /// Whether an agent sees it now.
    pub present: bool,
    /// Whether the books have this card, or an operator took it for one of theirs.
    pub registered: bool,
}

/// Two endpoints of a machine, and why they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JointBody {
    /// The one: its id.
    pub one: String,
    /// The other: its id.
    pub other: String,
    /// How surely, 0 to 100.
    pub confidence: u8,
    /// Why: each with its `kind`, and the value that both share.
    #[schema(value_type = Vec<Object>)]
    pub reasons: Vec<Bond>,
}

impl TerminalBody {
    /// Returns what a reader is shown of a terminal.
    pub fn of(view: &View, state: &SiteState, known: &Known, terminal: &Terminal) -> Self {
        let card = |id: &EndpointId| {
            let (_, endpoint) = view.endpoint(*id)?;
            Some(CardBody {
                id: id.to_string(),
                mac: endpoint.mac.to_string(),
                hostname: endpoint.hostname().map(String::from),
                present: endpoint.is_present(),
                registered: known.asset(*id).is_some(),
            })
        };
        let rulings = state.terminal_rulings.iter();
        let own = rulings.filter(|((one, two), _)| [one, two].iter().any(|id| terminal.endpoints.contains(id)));
        Self {
            id: terminal.id.to_string(),
            endpoints: terminal.endpoints.iter().filter_map(card).collect(),
            assets: known.assets_of(terminal).iter().map(ToString::to_string).collect(),
            joints: terminal.joints.iter().map(JointBody::of).collect(),
            rulings: own.map(|((one, two), ruling)| RulingBody::of(*one, *two, ruling)).collect(),
        }
    }
}

impl JointBody {
    fn of(joint: &Joint) -> Self {
        Self {
            one: joint.one.to_string(),
            other: joint.other.to_string(),
            confidence: joint.score,
            reasons: joint.bonds.clone(),
        }
    }
}
