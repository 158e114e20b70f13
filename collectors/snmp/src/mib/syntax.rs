//! The syntax of the columns that are read, to tell values that are of another type, and texts in another encoding.
//!
//! Invariant: a column that is not named here, as those of vendor profiles, is not judged. Lenient where the decoders are:
//! any integer type is a number, and an IPv4 address may be a string of its four bytes.

use crate::{text::is_gbk, value::Value};

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    Number,
    /// Bytes: an address, a set of bits, an identifier.
    Octets,
    /// Bytes that a person reads.
    Text,
    ObjectId,
    Ipv4,
}

/// How many values of a column are not what they should be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// Of another type, or undecodable.
    pub(crate) malformed: usize,
    /// Texts in GBK.
    pub(crate) gbk: usize,
}

impl Syntax {
    /// Returns the syntax of a column by its name.
    pub(crate) fn of(column: &str) -> Option<Self> {
        Some(match column {
            "ifDescr"
            | "ifName"
            | "ifAlias"
            | "lldpLocPortDesc"
            | "lldpRemPortDesc"
            | "lldpRemSysName"
            | "lldpRemSysDesc"
            | "lldpV2RemPortDesc"
            | "lldpV2RemSysName"
            | "lldpV2RemSysDesc"
            | "cdpCacheVersion"
            | "cdpCachePlatform"
            | "cdpCacheSysName"
            | "entPhysicalDescr"
            | "entPhysicalName"
            | "entPhysicalHardwareRev"
            | "entPhysicalFirmwareRev"
            | "entPhysicalSoftwareRev"
            | "entPhysicalSerialNum"
            | "entPhysicalMfgName"
            | "entPhysicalModelName"
            | "dot1qVlanStaticName"
            | "vtpVlanName" => Self::Text,
            "ifPhysAddress"
            | "dot1dStpPortDesignatedRoot"
            | "dot1dStpPortDesignatedBridge"
            | "dot1dStpPortDesignatedPort"
            | "ipNetToMediaPhysAddress"
            | "ipNetToPhysicalPhysAddress"
            | "lldpLocPortId"
            | "lldpRemChassisId"
            | "lldpRemPortId"
            | "lldpRemSysCapEnabled"
            | "lldpV2RemChassisId"
            | "lldpV2RemPortId"
            | "lldpV2RemSysCapEnabled"
            | "cdpCacheAddress"
            | "cdpCacheDeviceId"
            | "cdpCacheDevicePort"
            | "cdpCacheCapabilities"
            | "dot1qVlanCurrentEgressPorts"
            | "dot1qVlanCurrentUntaggedPorts"
            | "dot1qVlanStaticEgressPorts"
            | "dot1qVlanStaticUntaggedPorts"
            | "vlanTrunkPortVlansEnabled"
            | "vlanTrunkPortVlansEnabled2k"
            | "vlanTrunkPortVlansEnabled3k"
            | "vlanTrunkPortVlansEnabled4k"
            | "dot3adAggPortPartnerOperSystemID" => Self::Octets,
            "ipAddressPrefix" => Self::ObjectId,
            "ipAdEntNetMask" | "ipRouteNextHop" | "ipRouteMask" => Self::Ipv4,
            _ if is_number(column) => Self::Number,
            _ => return None,
        })
    }

    fn is(self, value: &Value) -> bool {
        match self {
            Self::Number => matches!(
                value,
                Value::Integer(_) | Value::Counter32(_) | Value::Gauge32(_) | Value::TimeTicks(_) | Value::Counter64(_)
            ),
            Self::Octets | Self::Text => matches!(value, Value::Octets(_)),
            Self::ObjectId => value.object_id().is_some(),
            Self::Ipv4 => value.ipv4().is_some(),
        }
    }

    /// Returns how many of the values are not what the syntax says.
    pub(crate) fn faults<'a>(self, values: impl Iterator<Item = &'a Value>) -> Faults {
        let mut faults = Faults::default();
        for value in values.filter(|value| !value.is_exception() && !matches!(value, Value::Null)) {
            faults.malformed += usize::from(!self.is(value));
            faults.gbk += usize::from(self == Self::Text && value.octets().is_some_and(is_gbk));
        }
        faults
    }
}

fn is_number(column: &str) -> bool {
    let counters = ["ifIn", "ifOut", "ifHCIn", "ifHCOut"];
    let counter = counters.iter().any(|prefix| column.starts_with(prefix));
    counter
        || matches!(
            column,
            "ifType"
                | "ifMtu"
                | "ifSpeed"
                | "ifLastChange"
                | "ifHighSpeed"
                | "ifAdminStatus"
                | "ifOperStatus"
                | "dot3StatsDuplexStatus"
                | "dot1dBasePortIfIndex"
                | "dot1dStpPortState"
                | "dot1dStpPortPathCost"
                | "dot1dTpFdbPort"
                | "dot1dTpFdbStatus"
                | "dot1qTpFdbPort"
                | "dot1qTpFdbStatus"
                | "dot1qVlanFdbId"
                | "dot1qPvid"
                | "ipNetToMediaType"
                | "ipNetToPhysicalType"
                | "ipNetToPhysicalState"
                | "lldpLocPortIdSubtype"
                | "lldpRemChassisIdSubtype"
                | "lldpRemPortIdSubtype"
                | "lldpV2RemChassisIdSubtype"
                | "lldpV2RemPortIdSubtype"
                | "cdpCacheAddressType"
                | "entPhysicalContainedIn"
                | "entPhysicalClass"
                | "vtpVlanState"
                | "vtpVlanType"
                | "vmVlan"
                | "vlanTrunkPortNativeVlan"
                | "vlanTrunkPortDynamicStatus"
                | "dot3adAggPortPartnerOperKey"
                | "dot3adAggPortSelectedAggID"
                | "dot3adAggPortAttachedAggID"
                | "dot3adAggPortPartnerOperPort"
                | "ifStackStatus"
                | "ipAddressIfIndex"
                | "ipAddressType"
                | "ipAdEntIfIndex"
                | "inetCidrRouteIfIndex"
                | "inetCidrRouteType"
                | "ipCidrRouteIfIndex"
                | "ipCidrRouteType"
                | "ipRouteIfIndex"
                | "ipRouteType"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_type_is_counted_and_a_missing_one_is_not() {
        let values =
            [Value::Counter32(1), Value::Octets(b"1".as_slice().into()), Value::Malformed, Value::NoSuchInstance];
        let faults = Syntax::Number.faults(values.iter());
        assert_eq!(faults, Faults { malformed: 2, gbk: 0 });
    }

    #[test]
    fn a_text_in_gbk_is_counted_and_one_in_utf_8_is_not() {
        let texts = ["上联".as_bytes(), b"uplink", &[0xc9, 0xcf, 0xc1, 0xaa], &[b'a', 0xff, b'b']];
        let values = texts.map(|text| Value::Octets(text.into()));
        assert_eq!(Syntax::Text.faults(values.iter()), Faults { malformed: 0, gbk: 1 });
        assert_eq!(Syntax::Octets.faults(values.iter()), Faults::default(), "bytes are in no encoding");
    }

    #[test]
    fn every_column_that_is_read_has_a_syntax_and_those_of_profiles_have_none() {
        use crate::mib::{
            addresses, aggregation, bridge, cdp, cisco_vlans, entity, interfaces, lldp, lldp_v2, own_addresses,
            q_bridge, routes, vlans,
        };
        let read = [
            &interfaces::IF_NAMES[..],
            &interfaces::IF_X_NAMES,
            &interfaces::IF_COUNTERS,
            &interfaces::IF_X_COUNTERS,
            &interfaces::IF_X_NARROW,
            &interfaces::DOT3_STATS,
            &bridge::BASE_PORTS,
            &bridge::STP_PORTS,
            &bridge::FDB,
            &q_bridge::Q_FDB,
            &q_bridge::VLANS,
            &vlans::CURRENT,
            &vlans::STATIC,
            &vlans::PORTS,
            &cisco_vlans::VTP,
            &cisco_vlans::MEMBERS,
            &cisco_vlans::TRUNKS,
            &aggregation::AGGREGATION,
            &aggregation::STACK,
            &addresses::MEDIA,
            &addresses::PHYSICAL,
            &own_addresses::ADDRESSES,
            &own_addresses::OLD,
            &routes::INET,
            &routes::CIDR,
            &routes::OLD,
            &lldp::LOCAL,
            &lldp::REMOTE,
            &lldp_v2::REMOTE,
            &cdp::CACHE,
            &entity::ENTITIES,
        ];
        let unknown: Vec<_> =
            read.concat().iter().map(|column| column.name).filter(|name| Syntax::of(name).is_none()).collect();
        assert_eq!(unknown, Vec::<&str>::new());
        assert_eq!(Syntax::of("hwEntityTemperature"), None);
    }
}
