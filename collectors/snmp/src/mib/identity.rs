//! What tells one device from another: snmpEngineID (RFC 3411) and lldpLocChassisId (IEEE 802.1AB-2005).
//!
//! Invariant: nothing here is an identity. Engine ids are cloned with configurations and chassis ids left blank; whoever
//! reads them weighs them.

use serde::Serialize;

use crate::{
    mib::{
        Reading,
        lldp::{ChassisIdType, chassis_id},
    },
    oid::Oid,
    value::{Value, VarBind},
};

pub(crate) const GROUP: &str = "identity";

/// snmpEngineID.0, lldpLocChassisIdSubtype.0, lldpLocChassisId.0.
const OBJECTS: [&[u32]; 3] =
    [&[1, 3, 6, 1, 6, 3, 10, 2, 1, 1, 0], &[1, 0, 8802, 1, 1, 2, 1, 3, 1, 0], &[1, 0, 8802, 1, 1, 2, 1, 3, 2, 0]];

/// The most octets of an engine id (RFC 3411, SnmpEngineID).
const ENGINE_ID_OCTETS_MAX: usize = 32;

/// What tells a device from another, as the device says it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Identity {
    /// snmpEngineID in hexadecimal digits: that of the verified v3 engine, else what the device calls its own.
    pub engine_id: Reading<String>,
    /// What kind of identifier `chassis_id` is.
    pub chassis_id_type: Option<ChassisIdType>,
    /// lldpLocChassisId: a MAC address, an IP address or a text, written as neighbours' chassis ids are.
    pub chassis_id: Reading<String>,
}

/// Returns the names to ask for.
pub(crate) fn names() -> Vec<Oid> {
    OBJECTS.iter().map(|arcs| Oid::from_arcs(arcs)).collect()
}

/// Returns the identity of the answer to [`names`]; `engine` is the engine id that v3 messages were verified with.
pub(crate) fn assemble(varbinds: &[VarBind], engine: Option<Vec<u8>>) -> Identity {
    let cell = |place: usize| varbinds.get(place).map(|varbind| &varbind.value);
    let chassis_id_type = cell(1).and_then(Value::unsigned).and_then(ChassisIdType::of);
    let filled = |value: &Value| value.octets().filter(|octets| !octets.is_empty()).map(<[u8]>::to_vec);
    let own = Reading::of(cell(0), |value| filled(value).filter(|octets| octets.len() <= ENGINE_ID_OCTETS_MAX));
    Identity {
        engine_id: engine.map_or(own, Reading::Value).map(|octets| hexadecimal(&octets)),
        chassis_id_type,
        chassis_id: Reading::of(cell(2), |value| {
            Some(chassis_id(&filled(value)?, chassis_id_type)).filter(|text| !text.is_empty())
        }),
    }
}

/// Returns octets as hexadecimal digits.
pub(crate) fn hexadecimal(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        // Writing to a string never fails.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(values: [Value; 3]) -> Vec<VarBind> {
        names().into_iter().zip(values).map(|(oid, value)| VarBind { oid, value }).collect()
    }

    #[test]
    fn a_chassis_id_is_written_as_its_neighbours_write_it() {
        let mac = Value::Octets(vec![0x00, 0xe0, 0xfc, 0x12, 0x34, 0x56].into());
        let engine = Value::Octets(vec![0x80, 0x00, 0x07, 0xdb, 0x03, 0x00, 0xe0, 0xfc, 0x12, 0x34, 0x56].into());
        let it = assemble(&answer([engine, Value::Integer(4), mac]), None);
        assert_eq!(it.chassis_id, Reading::Value("00:e0:fc:12:34:56".into()));
        assert_eq!(it.chassis_id_type, Some(ChassisIdType::MacAddress));
        assert_eq!(it.engine_id, Reading::Value("800007db0300e0fc123456".into()));
    }

    #[test]
    fn what_a_device_does_not_have_is_missing_and_an_engine_that_was_verified_comes_first() {
        let none = || [Value::NoSuchObject, Value::NoSuchObject, Value::NoSuchObject];
        assert_eq!(assemble(&answer(none()), None), Identity::default());
        assert_eq!(assemble(&[], None), Identity::default());
        let claimed = Value::Octets(vec![0x80, 0, 0, 9, 1].into());
        let [_, two, three] = none();
        let it = assemble(&answer([claimed, two, three]), Some(vec![0x80, 0, 0, 9, 7]));
        assert_eq!(it.engine_id, Reading::Value("8000000907".into()));
    }

    #[test]
    fn what_is_too_long_or_empty_is_malformed() {
        let values = [Value::Octets(vec![1; 33].into()), Value::Integer(7), Value::Octets(Vec::new().into())];
        let it = assemble(&answer(values), None);
        assert_eq!((it.engine_id, it.chassis_id), (Reading::Malformed, Reading::Malformed));
    }
}
