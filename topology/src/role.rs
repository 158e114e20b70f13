//! What a device is for.
//!
//! Invariant: a role is a conclusion from what the device says of itself, never what makes two devices one. It does not
//! know how a device is recognised.

use serde::{Deserialize, Serialize};

/// What a device is for. The names are a contract: added to, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Forwards frames, and perhaps packets too.
    Switch,
    /// Forwards packets between networks.
    Router,
    /// Decides what may pass: firewalls, gateways, intrusion prevention.
    Firewall,
    /// Controls access points.
    WirelessController,
    /// Serves wireless stations.
    AccessPoint,
    /// Spreads load over servers.
    LoadBalancer,
    /// Looks into traffic without being passed by it, or manages who may do what: audit, detection, bastion hosts.
    SecurityAppliance,
    /// A video camera or its recorder.
    Camera,
    /// An uninterruptible power supply.
    Ups,
    /// Distributes power.
    PowerDistribution,
    /// A machine with a general-purpose operating system.
    Server,
    /// Watches or manages the machine that it is built into.
    ManagementController,
    /// Keeps data for others.
    Storage,
    /// A printer.
    Printer,
    /// Measures the room or the world outside.
    Sensor,
}

impl Role {
    /// Every role, in order.
    pub const ALL: [Self; 15] = [
        Self::Switch,
        Self::Router,
        Self::Firewall,
        Self::WirelessController,
        Self::AccessPoint,
        Self::LoadBalancer,
        Self::SecurityAppliance,
        Self::Camera,
        Self::Ups,
        Self::PowerDistribution,
        Self::Server,
        Self::ManagementController,
        Self::Storage,
        Self::Printer,
        Self::Sensor,
    ];

    /// Returns the name used in profiles, the API, metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Switch => "switch",
            Self::Router => "router",
            Self::Firewall => "firewall",
            Self::WirelessController => "wireless_controller",
            Self::AccessPoint => "access_point",
            Self::LoadBalancer => "load_balancer",
            Self::SecurityAppliance => "security_appliance",
            Self::Camera => "camera",
            Self::Ups => "ups",
            Self::PowerDistribution => "power_distribution",
            Self::Server => "server",
            Self::ManagementController => "management_controller",
            Self::Storage => "storage",
            Self::Printer => "printer",
            Self::Sensor => "sensor",
        }
    }

    /// Returns the role of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_found_by_its_name_and_serialised_as_it() {
        for role in Role::ALL {
            assert_eq!(Role::of(role.name()), Some(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
        }
        assert_eq!(Role::of("toaster"), None);
    }
}
