//! The console's words for what the domain's types name.

use onenet_topology::{
    device::Standing,
    division::Tier,
    fact::{ConditionKind, InterfaceStatus, Method},
};

use super::text::{self, Text};
use crate::findings::FindingKind;

/// What is wrong, what to do about it, and how it is called in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// The name in the API.
    pub id: &'static str,
    /// What is wrong.
    pub what: Text,
    /// What to do about it.
    pub remedy: Text,
}

macro_rules! trouble {
    ($id:literal, $what:ident, $remedy:ident) => {
        Trouble { id: $id, what: text::$what, remedy: text::$remedy }
    };
}

/// Returns the words for a condition.
pub const fn condition(kind: ConditionKind) -> Trouble {
    match kind {
        ConditionKind::CaptureFailed => trouble!("capture_failed", CAPTURE_FAILED, CAPTURE_FAILED_REMEDY),
        ConditionKind::CaptureLoss => trouble!("capture_loss", CAPTURE_LOSS, CAPTURE_LOSS_REMEDY),
        ConditionKind::SpoolLoss => trouble!("spool_loss", SPOOL_LOSS, SPOOL_LOSS_REMEDY),
        ConditionKind::DiskFull => trouble!("disk_full", DISK_FULL, DISK_FULL_REMEDY),
        ConditionKind::ConfigurationRefused => {
            trouble!("configuration_refused", CONFIGURATION_REFUSED, CONFIGURATION_REFUSED_REMEDY)
        }
        ConditionKind::CycleLate => trouble!("cycle_late", CYCLE_LATE, CYCLE_LATE_REMEDY),
        ConditionKind::TableFull => trouble!("table_full", TABLE_FULL, TABLE_FULL_REMEDY),
        ConditionKind::TableUnreadable => trouble!("table_unreadable", TABLE_UNREADABLE, TABLE_UNREADABLE_REMEDY),
        ConditionKind::BatchRejected => trouble!("batch_rejected", BATCH_REJECTED, BATCH_REJECTED_REMEDY),
    }
}

/// Returns the words for a finding.
pub const fn finding(kind: FindingKind) -> Trouble {
    match kind {
        FindingKind::ClockWrong => trouble!("clock_wrong", CLOCK_WRONG, CLOCK_WRONG_REMEDY),
    }
}

/// Returns the word for a method.
pub const fn method(method: Method) -> Text {
    match method {
        Method::SnmpReach => text::SNMP_REACH,
        Method::SnmpSystem => text::SNMP_SYSTEM,
        Method::SnmpInterfaces => text::SNMP_INTERFACES,
        Method::SnmpForwarding => text::SNMP_FORWARDING,
        Method::SnmpAddresses => text::SNMP_ADDRESSES,
        Method::SnmpNeighbours => text::SNMP_NEIGHBOURS,
        Method::SnmpEntities => text::SNMP_ENTITIES,
        Method::PassiveFrames => text::PASSIVE_FRAMES,
        Method::PassiveArp => text::PASSIVE_ARP,
        Method::PassiveNd => text::PASSIVE_ND,
        Method::PassiveDhcp => text::PASSIVE_DHCP,
        Method::PassiveLldp => text::PASSIVE_LLDP,
        Method::Agent => text::AGENT_ITSELF,
    }
}

/// Returns the word for a standing.
pub const fn standing(standing: Standing) -> Text {
    match standing {
        Standing::Up => text::UP,
        Standing::Degraded => text::DEGRADED,
        Standing::Down => text::DOWN,
        Standing::Unknown => text::UNKNOWN,
    }
}

/// Returns the word for a status of an interface.
pub const fn status(status: InterfaceStatus) -> Text {
    match status {
        InterfaceStatus::Up => text::UP,
        InterfaceStatus::Down => text::DOWN,
        InterfaceStatus::Testing => text::TESTING,
        InterfaceStatus::Unknown => text::UNKNOWN,
        InterfaceStatus::Dormant => text::DORMANT,
        InterfaceStatus::NotPresent => text::NOT_PRESENT,
        InterfaceStatus::LowerLayerDown => text::LOWER_LAYER_DOWN,
    }
}

/// Returns the word for a tier.
pub const fn tier(tier: Tier) -> Text {
    match tier {
        Tier::Ministry => text::MINISTRY,
        Tier::Province => text::PROVINCE,
        Tier::City => text::CITY,
        Tier::County => text::COUNTY,
    }
}
