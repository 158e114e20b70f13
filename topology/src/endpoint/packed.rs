//! Evidence packed: a country keeps that of each endpoint that it knows or knew, and lays out little of it between two tellings.
//!
//! Invariant: what was packed is unpacked as it was, and equal evidence is packed to equal bytes. The bytes are of this process alone:
//! stores and lines have formats of their own.

mod reader;
mod writer;

use std::{net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use self::reader::Reader;
use super::{Evidence, Origin, Recognition};
use crate::{SpaceId, Timestamp, varint};

/// Behind the number of its origin a witness tells in the lowest bits whether it is current, has a VLAN, has an interface.
const FLAG_BITS: u32 = 3;
const CURRENT: u64 = 1;
const HAS_VLAN: u64 = 2;
const HAS_INTERFACE: u64 = 4;

/// What is told of an endpoint, in half of the room that it takes laid out.
///
/// All witnesses stand first, so that who sees it and when is read without the rest: those of the MAC address, then those of each
/// address, of each statement, of each conclusion. What they testify follows in the same order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Evidence", into = "Evidence")]
pub struct Packed {
    /// Who told, how and on what, in the order of first mention.
    origins: Box<[Arc<Origin>]>,
    bytes: Box<[u8]>,
}

/// What one fact testifies, read where it lies: see [`super::Witness`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight<'a> {
    /// Who told it, how, and on what.
    pub origin: &'a Arc<Origin>,
    /// The hash of the fact's key, which names it within the group.
    pub fact: u64,
    /// When it was first observed.
    pub first_seen: Timestamp,
    /// When it was last observed.
    pub last_seen: Timestamp,
    /// Whether the agent still holds it.
    pub current: bool,
    /// The VLAN, where the source tells.
    pub vlan: Option<u16>,
    /// The ifName of the port, where the source tells.
    pub interface: Option<&'a str>,
}

/// An address of an endpoint, without each who saw it: see [`super::BoundAddress`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// The space in which the address means one thing.
    pub space: SpaceId,
    /// The address.
    pub ip: IpAddr,
    /// When it was first seen bound.
    pub first_seen: Timestamp,
    /// When it was last seen bound.
    pub last_seen: Timestamp,
    /// Whether some agent still holds the binding.
    pub current: bool,
}

/// A conclusion of one agent, read where it lies: see [`super::Classified`].
pub(super) struct Told<'a> {
    /// Who concluded it.
    pub(super) sight: Sight<'a>,
    /// Class and system, and since when they are so.
    pub(super) since: Recognition,
    /// What they were before, in order.
    pub(super) past: Vec<Recognition>,
    /// What, as [`crate::classify::Packed`] has it.
    pub(super) conclusion: &'a [u8],
}

impl Packed {
    /// Returns all of it laid out.
    pub fn unpack(&self) -> Evidence {
        // What was packed is unpacked; the default stands for nothing, and for a defect.
        Reader::of(self).and_then(Reader::evidence).unwrap_or_default()
    }

    /// Returns what each fact testifies, of whatever kind.
    pub fn sights(&self) -> impl Iterator<Item = Sight<'_>> {
        Reader::of(self).into_iter().flat_map(|it| it.sights)
    }

    /// Returns what the facts testify that saw the MAC address itself.
    pub fn own_sights(&self) -> impl Iterator<Item = Sight<'_>> {
        Reader::of(self).into_iter().flat_map(|it| it.sights.take(it.own))
    }

    /// Returns the IP addresses, past ones included, ordered by space and address.
    pub fn bindings(&self) -> impl Iterator<Item = Bound> {
        let mut reader = Reader::of(self);
        let mut left = reader.as_mut().and_then(Reader::behind_own).unwrap_or_default();
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            reader.as_mut()?.bound()
        })
    }

    /// Returns the host name that it last told itself.
    pub(super) fn told_name(&self) -> Option<&str> {
        let mut best = None;
        let mut reader = Reader::of(self)?;
        reader.behind_addresses()?;
        for _ in 0..varint::take(&mut reader.rest)? {
            let (sight, mut host) = (reader.sights.next()?, varint::take_bytes(&mut reader.rest)?);
            let (name, seen) = (varint::take_text(&mut host)?, (sight.current, sight.last_seen));
            if !name.is_empty() && best.is_none_or(|(before, _)| before <= seen) {
                best = Some((seen, name));
            }
        }
        best.map(|(_, name)| name)
    }

    /// Returns what agents concluded, ordered by source.
    pub(super) fn told(&self) -> Vec<Told<'_>> {
        let told = Reader::of(self).and_then(|mut reader| {
            reader.behind_addresses()?;
            for _ in 0..varint::take(&mut reader.rest)? {
                reader.sights.next()?;
                varint::take_bytes(&mut reader.rest)?;
            }
            reader.all(Reader::told)
        });
        told.unwrap_or_default()
    }
}

impl From<Evidence> for Packed {
    fn from(it: Evidence) -> Self {
        Self::from(&it)
    }
}

impl From<Packed> for Evidence {
    fn from(it: Packed) -> Self {
        it.unpack()
    }
}
