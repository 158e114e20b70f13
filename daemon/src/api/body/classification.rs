//! What endpoints are taken to be, and why.

use onenet_topology::{
    classify::{Claim, Conclusion, Ground, Name, SignKind},
    endpoint::{Endpoint, Recognition},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{given, time};

/// What an endpoint is taken to be. Confidences are between 0 and 1; under 0.5 it is a guess.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ClassBody {
    /// `pc`, `server`, `printer`, `phone`, `mobile`, `camera`, `recorder`, `video_terminal`, `network_device`,
    /// `environmental_monitor`, `storage`, `controller`, `media`, `power`; `null` where nothing tells.
    pub class: Option<&'static str>,
    /// How sure that is.
    pub class_confidence: Option<f64>,
    /// The operating system with its version, as people write it.
    #[schema(example = "Windows 10 or later")]
    pub os: Option<String>,
    /// The family of the operating system: `windows`, `linux`, `android`, `kylin` …
    pub os_family: Option<&'static str>,
    /// How sure that is.
    pub os_confidence: Option<f64>,
    /// Its model, where something tells.
    pub model: Option<String>,
    /// How sure it is that several machines share its addresses (NAT); `null` where nothing speaks for it.
    pub shared_confidence: Option<f64>,
}

/// Why an endpoint is taken to be what it is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ClassificationBody {
    /// Its names, the one to use first. Several mean that it is told by several, or was renamed, or that somebody speaks in
    /// its name.
    pub names: Vec<NameBody>,
    /// What it was heard saying, and what that speaks for.
    pub grounds: Vec<GroundBody>,
    /// What it was taken to be before, in order; the last is what it is now.
    pub history: Vec<RecognitionBody>,
}

/// A name of an endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NameBody {
    /// The name.
    pub name: String,
    /// How sure it is that it is called so.
    pub confidence: f64,
    /// Signs that tell it, such as `dhcp_name`, `mdns_name`, `netbios_name`.
    pub told_by: Vec<&'static str>,
}

/// A sign, and what it speaks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct GroundBody {
    /// What the sign is, such as `dhcp_vendor_class`, `mdns_service`, `tcp_opening`, `vendor`.
    pub sign: &'static str,
    /// What was said.
    pub value: String,
    /// The class that it speaks for.
    pub class: Option<&'static str>,
    /// The family of operating systems that it speaks for.
    pub os_family: Option<&'static str>,
    /// Whether it speaks for several machines sharing the endpoint's addresses.
    pub shared: bool,
    /// Whether it contradicts what was concluded.
    pub against: bool,
    /// How strongly it speaks, 1 to 100: 60 and more say it outright, 10 is a hint.
    pub points: u8,
}

/// What an endpoint was taken to be from a time on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RecognitionBody {
    /// Since when.
    pub since: String,
    /// The class.
    pub class: Option<&'static str>,
    /// The family of the operating system.
    pub os_family: Option<&'static str>,
}

impl ClassBody {
    /// Returns what a conclusion says.
    pub fn of(it: &Conclusion) -> Self {
        Self {
            class: it.class.map(|class| class.is.name()),
            class_confidence: it.class.map(|class| confidence(class.score)),
            os: it.os_text(),
            os_family: it.os.map(|os| os.is.name()),
            os_confidence: it.os.map(|os| confidence(os.score)),
            model: given(&it.model),
            shared_confidence: it.shared.map(confidence),
        }
    }
}

impl ClassificationBody {
    /// Returns why an endpoint is taken to be what it is.
    pub fn of(endpoint: &Endpoint) -> Self {
        let conclusion = endpoint.conclusion();
        Self {
            names: conclusion.names.iter().map(NameBody::of).collect(),
            grounds: conclusion.grounds.iter().map(|ground| GroundBody::of(&conclusion, ground)).collect(),
            history: endpoint.recognitions().iter().map(RecognitionBody::of).collect(),
        }
    }
}

impl NameBody {
    fn of(it: &Name) -> Self {
        let told_by = it.kinds.iter().copied().map(SignKind::name).collect();
        Self { name: it.name.clone(), confidence: confidence(it.score), told_by }
    }
}

impl GroundBody {
    fn of(conclusion: &Conclusion, it: &Ground) -> Self {
        let (class, os_family) = match it.claim {
            Claim::Class(class) => (Some(class.name()), None),
            Claim::Os(family) => (None, Some(family.name())),
            Claim::Shared => (None, None),
        };
        Self {
            sign: it.kind.name(),
            value: it.value.clone(),
            class,
            os_family,
            shared: it.claim == Claim::Shared,
            against: conclusion.is_against(it),
            points: it.points,
        }
    }
}

impl RecognitionBody {
    fn of(it: &Recognition) -> Self {
        Self {
            since: time(it.since),
            class: it.class.map(onenet_topology::classify::DeviceClass::name),
            os_family: it.os.map(onenet_topology::classify::OsFamily::name),
        }
    }
}

fn confidence(score: u8) -> f64 {
    f64::from(score) / 100.0
}
