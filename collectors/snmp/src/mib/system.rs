//! The system group (RFC 3418).

use serde::Serialize;

use crate::{
    mib::Reading,
    oid::Oid,
    text::is_gbk,
    value::{Value, VarBind},
    vendor,
};

/// sysUpTime.0, which every agent has.
pub const SYS_UPTIME: [u32; 9] = [1, 3, 6, 1, 2, 1, 1, 3, 0];

/// The system group in the order it is asked for: sysDescr, sysObjectID, sysUpTime, sysContact, sysName, sysLocation.
const OBJECTS: [u32; 6] = [1, 2, 3, 4, 5, 6];

/// What a device says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct System {
    /// sysName.
    pub name: Reading<String>,
    /// sysDescr on one line.
    pub description: Reading<String>,
    /// sysObjectID.
    pub object_id: Reading<String>,
    /// sysUpTime in whole seconds; it wraps after 497 days.
    pub uptime_s: Reading<u64>,
    /// The owner of the enterprise number in sysObjectID, where it is known.
    pub vendor: Option<&'static str>,
    /// The enterprise number in sysObjectID.
    pub enterprise: Option<u32>,
    /// sysContact.
    pub contact: Reading<String>,
    /// sysLocation.
    pub location: Reading<String>,
    /// The encoding of the texts where it is not UTF-8: `gbk`.
    pub text_encoding: Option<&'static str>,
}

/// Returns sysUpTime in whole seconds.
pub(crate) fn uptime_s(cell: Option<&Value>) -> Reading<u64> {
    Reading::number(cell).map(|hundredths| hundredths / 100)
}

/// Returns the names to ask for.
pub(crate) fn names() -> Vec<Oid> {
    OBJECTS.iter().map(|object| Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 1, *object, 0])).collect()
}

/// Returns the system of the answer to [`names`].
pub(crate) fn assemble(varbinds: &[VarBind]) -> System {
    let cell = |object: usize| varbinds.get(object - 1).map(|varbind| &varbind.value);
    let object_id = cell(2).and_then(Value::object_id);
    let enterprise = object_id.and_then(vendor::enterprise_of);
    let gbk = [1, 4, 5, 6].iter().any(|object| cell(*object).and_then(Value::octets).is_some_and(is_gbk));
    System {
        name: Reading::text(cell(5)),
        description: Reading::text(cell(1)),
        object_id: Reading::of(cell(2), |value| value.object_id().map(ToString::to_string)),
        uptime_s: uptime_s(cell(3)),
        vendor: enterprise.and_then(vendor::name_of),
        enterprise,
        contact: Reading::text(cell(4)),
        location: Reading::text(cell(6)),
        text_encoding: gbk.then_some("gbk"),
    }
}
