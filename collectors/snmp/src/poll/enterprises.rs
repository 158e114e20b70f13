//! Whose objects a device has: the numbers below `enterprises` under which it answers at all.
//!
//! Invariant: one question a number, at most [`ENTERPRISES_MAX`] of them, and each number above the last, so that an agent
//! that never ends costs no more. For people: agents built with a library carry the library's number in sysObjectID, and the
//! vendor's own objects tell more.

use serde::Serialize;

use crate::{
    error::RequestError,
    mib,
    mib::Polled,
    oid::Oid,
    session::Session,
    value::Value,
    vendor::{self, ENTERPRISES},
};

/// The most numbers that are looked for: agents have objects of their vendor and of a library or two.
const ENTERPRISES_MAX: usize = 12;

/// What the objects are called in errors.
const GROUP: &str = "enterprises";

/// A number in IANA's list of private enterprise numbers under which a device has objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Enterprise {
    /// The number.
    pub number: u32,
    /// Whose it is, where that is known here.
    pub vendor: Option<&'static str>,
}

/// Finds out under which enterprises' numbers the device has objects. Ask where no profile knows the device.
pub async fn poll_enterprises(session: &mut Session) -> Polled<Enterprise> {
    let mut polled = Polled::default();
    let mut from = 0;
    while polled.rows.len() < ENTERPRISES_MAX {
        let number = match next_from(session, from).await {
            Ok(Some(number)) => number,
            Ok(None) => break,
            Err(error) => {
                polled.errors.push(mib::unread(GROUP, &error));
                break;
            }
        };
        polled.rows.push(Enterprise { number, vendor: vendor::name_of(number) });
        let Some(next) = number.checked_add(1) else { break };
        from = next;
    }
    polled
}

/// Returns the first number from `from` on under which the device has an object.
async fn next_from(session: &mut Session, from: u32) -> Result<Option<u32>, RequestError> {
    let found = session.next(&Oid::joined(&ENTERPRISES, &[from])).await?;
    let number = found.filter(|found| found.value != Value::EndOfMibView).and_then(|found| {
        let [number, _, ..] = *found.oid.below(&ENTERPRISES)? else { return None };
        (number >= from).then_some(number)
    });
    Ok(number)
}
