//! What devices measure of themselves: heat, load, light, power.
//!
//! Invariant: a kind has one unit. Values are whole thousandths of it, so that they compare, hash and travel exactly: RFC
//! 3433 has values in the same form. What a device measures in another unit is converted where it is read.

use serde::{Deserialize, Serialize};

/// What a sensor measures. The names are a contract: added to, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SensorKind {
    /// How busy a processor is.
    CpuLoad,
    /// How much of the working memory is used.
    MemoryUsed,
    /// How much of a disk or flash memory is used.
    StorageUsed,
    /// Temperature.
    Temperature,
    /// Speed of a fan.
    FanSpeed,
    /// Whether a fan works; it has a state and no value.
    Fan,
    /// Whether a power supply works; it has a state and no value.
    PowerSupply,
    /// Electrical power.
    Power,
    /// Voltage.
    Voltage,
    /// Electrical current.
    Current,
    /// Frequency of a mains voltage.
    Frequency,
    /// Light received by a transceiver.
    OpticalReceive,
    /// Light sent by a transceiver.
    OpticalTransmit,
    /// Bias current of a transceiver's laser.
    OpticalBias,
    /// Power given to terminals over Ethernet (RFC 3621).
    PoePower,
    /// Relative humidity of the air.
    Humidity,
    /// How full a battery is.
    BatteryCharge,
    /// How long the battery lasts.
    BatteryRunTime,
    /// How much of a supply's capacity is used.
    OutputLoad,
    /// How many sessions, users or stations there are.
    Count,
}

/// What a device says of a sensor's health. The names are a contract: added to, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SensorState {
    /// In order.
    Normal,
    /// Noticeable, and working.
    Warning,
    /// Failed or about to.
    Critical,
    /// There is nothing at this place.
    Absent,
}

impl SensorKind {
    /// Every kind, in order.
    pub const ALL: [Self; 20] = [
        Self::CpuLoad,
        Self::MemoryUsed,
        Self::StorageUsed,
        Self::Temperature,
        Self::FanSpeed,
        Self::Fan,
        Self::PowerSupply,
        Self::Power,
        Self::Voltage,
        Self::Current,
        Self::Frequency,
        Self::OpticalReceive,
        Self::OpticalTransmit,
        Self::OpticalBias,
        Self::PoePower,
        Self::Humidity,
        Self::BatteryCharge,
        Self::BatteryRunTime,
        Self::OutputLoad,
        Self::Count,
    ];

    /// Returns the name used in profiles, the API, metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CpuLoad => "cpu_load",
            Self::MemoryUsed => "memory_used",
            Self::StorageUsed => "storage_used",
            Self::Temperature => "temperature",
            Self::FanSpeed => "fan_speed",
            Self::Fan => "fan",
            Self::PowerSupply => "power_supply",
            Self::Power => "power",
            Self::Voltage => "voltage",
            Self::Current => "current",
            Self::Frequency => "frequency",
            Self::OpticalReceive => "optical_receive",
            Self::OpticalTransmit => "optical_transmit",
            Self::OpticalBias => "optical_bias",
            Self::PoePower => "poe_power",
            Self::Humidity => "humidity",
            Self::BatteryCharge => "battery_charge",
            Self::BatteryRunTime => "battery_run_time",
            Self::OutputLoad => "output_load",
            Self::Count => "count",
        }
    }

    /// Returns the unit of the values, as it is written behind them; empty where there is none.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::CpuLoad
            | Self::MemoryUsed
            | Self::StorageUsed
            | Self::Humidity
            | Self::BatteryCharge
            | Self::OutputLoad => "%",
            Self::Temperature => "°C",
            Self::FanSpeed => "rpm",
            Self::Power | Self::PoePower => "W",
            Self::Voltage => "V",
            Self::Current => "A",
            Self::OpticalBias => "mA",
            Self::Frequency => "Hz",
            Self::OpticalReceive | Self::OpticalTransmit => "dBm",
            Self::BatteryRunTime => "s",
            Self::Fan | Self::PowerSupply | Self::Count => "",
        }
    }

    /// Returns the kind of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl SensorState {
    /// Every state, in order.
    pub const ALL: [Self; 4] = [Self::Normal, Self::Warning, Self::Critical, Self::Absent];

    /// Returns the name used in profiles, the API, metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Absent => "absent",
        }
    }

    /// Returns the state of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_states_are_found_by_their_names_and_serialised_as_them() {
        for kind in SensorKind::ALL {
            assert_eq!(SensorKind::of(kind.name()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        for state in SensorState::ALL {
            assert_eq!(SensorState::of(state.name()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
        assert_eq!(SensorKind::of("taste"), None);
    }
}
