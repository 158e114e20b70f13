//! Typed, opaque identities (invariant 7: what identifies is evidence, identity itself says nothing).
//!
//! Invariant: an id derives from the record that created the thing, so that every replica of the log gives the same
//! id without agreeing on a clock or a random number. Ids are never used again.

use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Serialize, de};

/// Number of low bits that tell apart the things which one record created.
const ORDINAL_BITS: u32 = 20;

/// What kind of thing an [`Id`] names.
pub trait Kind {
    /// Word in front of the number when the id is written, such as `site` in `site-2a00001`.
    const PREFIX: &'static str;
}

/// The opaque identity of one thing of kind `K`.
pub struct Id<K> {
    raw: u64,
    kind: PhantomData<fn() -> K>,
}

/// The text is not an id of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not an id of this kind: write {prefix}- and up to 16 hexadecimal digits, such as {prefix}-2a00001"
)]
pub struct InvalidId {
    /// The refused text.
    pub text: String,
    /// The expected prefix.
    pub prefix: &'static str,
}

impl<K> Id<K> {
    /// Returns the id of the `ordinal`-th thing that the record at `position` of the log created.
    ///
    /// Returns `None` when the position needs more than 44 bits or the ordinal more than 20.
    pub const fn from_record(position: u64, ordinal: u32) -> Option<Self> {
        if position >> (u64::BITS - ORDINAL_BITS) != 0 || ordinal >> ORDINAL_BITS != 0 {
            return None;
        }
        Some(Self::from_raw((position << ORDINAL_BITS) | ordinal as u64))
    }

    /// Returns the id whose number is `raw`, as read from a store or the wire.
    pub const fn from_raw(raw: u64) -> Self {
        Self { raw, kind: PhantomData }
    }

    /// Returns the number, to be stored or sent.
    pub const fn raw(self) -> u64 {
        self.raw
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.raw.cmp(&other.raw)
    }
}

impl<K> hash::Hash for Id<K> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.raw.hash(state);
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:x}", K::PREFIX, self.raw)
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('-'))
            .filter(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .map(Self::from_raw)
            .ok_or_else(|| InvalidId { text: text.to_owned(), prefix: K::PREFIX })
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $alias:ident, $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $kind {}

        impl Kind for $kind {
            const PREFIX: &'static str = $prefix;
        }

        $(#[$doc])*
        pub type $alias = Id<$kind>;
    )*};
}

kinds! {
    /// A place with a network: the unit of the tree.
    SiteKind, SiteId, "site";
    /// A collector process at a site.
    AgentKind, AgentId, "agent";
    /// Managed equipment.
    DeviceKind, DeviceId, "device";
    /// A port of a device.
    InterfaceKind, InterfaceId, "interface";
    /// A network presence with a MAC address.
    EndpointKind, EndpointId, "endpoint";
    /// A machine of one or several endpoints.
    TerminalKind, TerminalId, "terminal";
    /// Two joined ends.
    LinkKind, LinkId, "link";
    /// A named set of sites.
    AreaKind, AreaId, "area";
    /// A space in which an IP address means one thing.
    SpaceKind, SpaceId, "space";
    /// Something that is broken.
    IncidentKind, IncidentId, "incident";
    /// A planned maintenance.
    MaintenanceKind, MaintenanceId, "maintenance";
    /// An acceptance test that was run.
    AcceptanceKind, AcceptanceId, "acceptance";
    /// A machine in the asset register.
    AssetKind, AssetId, "asset";
    /// Something that deserves a person's time, and how people close it.
    CaseKind, CaseId, "case";
    /// A rule that silences what nobody need look at.
    SuppressionKind, SuppressionId, "suppression";
    /// An inspection campaign.
    CampaignKind, CampaignId, "inspection";
    /// Something that was put in as a drill.
    DrillKind, DrillId, "drill";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_own_text() {
        let id = SiteId::from_record(42, 7).unwrap();
        assert_eq!(id.to_string(), "site-2a00007");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn an_id_of_another_kind_is_refused_with_the_form_to_write() {
        let error = "device-2a00007".parse::<SiteId>().unwrap_err();
        assert!(error.to_string().contains("site-2a00001"), "{error}");
        assert!("site-".parse::<SiteId>().is_err());
        assert!("site-+1".parse::<SiteId>().is_err());
        assert!("site-11112222333344445".parse::<SiteId>().is_err());
    }

    #[test]
    fn an_ordinal_or_position_that_would_overlap_another_id_is_refused() {
        assert_eq!(SiteId::from_record(0, 1 << ORDINAL_BITS), None);
        assert_eq!(SiteId::from_record(1 << 44, 0), None);
    }
}
