//! What would isolate the endpoints of a case.

use serde::Serialize;
use utoipa::ToSchema;

use super::EndpointBody;
use crate::{
    access::View,
    console::{Language, containment_caution},
    containment::Proposal,
};

/// What would isolate one endpoint. It is a proposal: nothing is carried out by onenet.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ContainmentBody {
    /// The endpoint, with the port that it is at.
    pub endpoint: EndpointBody,
    /// In which language the device is spoken to, such as `Huawei VRP`; `null` where that is not known.
    pub syntax: Option<&'static str>,
    /// Commands that isolate it, to be reviewed and typed by a person; empty where none can be proposed.
    pub commands: Vec<String>,
    /// Commands that undo that.
    pub undo: Vec<String>,
    /// What speaks against it, or keeps it from having commands.
    pub cautions: Vec<CautionBody>,
}

/// What speaks against a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CautionBody {
    /// `drill`, `no_place`, `no_port`, `last_known`, `unsure`, `wireless`, `uplink`, `shared_port` or `no_syntax`.
    pub is: &'static str,
    /// In words.
    pub words: String,
}

impl ContainmentBody {
    /// Returns a proposal as the view shows it.
    pub fn of(view: &View, proposal: &Proposal<'_>) -> Self {
        let steps = proposal.steps.clone();
        let caution = |it: &_| CautionBody {
            is: crate::containment::Caution::name(*it),
            words: containment_caution(Language::En, *it),
        };
        Self {
            endpoint: EndpointBody::of(view, proposal.state, proposal.endpoint),
            syntax: proposal.syntax.map(onenet_topology::containment::Syntax::name),
            commands: steps.as_ref().map(|it| it.commands.clone()).unwrap_or_default(),
            undo: steps.map(|it| it.undo).unwrap_or_default(),
            cautions: proposal.cautions.iter().map(caution).collect(),
        }
    }
}
