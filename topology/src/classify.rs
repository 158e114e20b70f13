//! What an endpoint is: its class, its operating system, its names and model, concluded from the signs that it gives.
//!
//! Invariants: pure and deterministic; the order of the signs does not matter. A conclusion says how sure it is, between 1
//! and 99 in a hundred, and names the signs that it stands on and those that speak against it. Signs of one
//! [`Family`] count once, and what contradicts the conclusion lowers its score. One message in another's name never
//! displaces what the other says of himself.
//!
//! It does not know how signs are heard, nor where conclusions are kept.

mod class;
mod conclude;
mod merge;
mod name;
mod os;
mod packed;
mod rules;
mod sign;
mod tcp;

use serde::{Deserialize, Serialize};

pub use class::DeviceClass;
pub use conclude::conclude;
pub use merge::merge;
pub use name::standing;
pub use os::OsFamily;
pub use packed::Packed;
pub(crate) use packed::{name, unpack};
pub use rules::tells;
pub use sign::{Family, Plurality, Sign, SignKind};
pub use tcp::{OPTIONS_MAX as TCP_OPTIONS_MAX, TcpTraits};

/// The most grounds that a conclusion keeps.
pub const GROUNDS_MAX: usize = 12;
/// The most names that a conclusion keeps.
pub const NAMES_MAX: usize = 6;
/// The longest value of a ground, in bytes.
pub const GROUND_BYTES: usize = 96;

/// What follows from the signs of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Conclusion {
    /// What kind of machine it is.
    pub class: Option<Concluded<DeviceClass>>,
    /// Its operating system.
    pub os: Option<Concluded<OsFamily>>,
    /// The version of that, where something tells.
    pub os_version: String,
    /// Its model, where something tells.
    pub model: String,
    /// Whether several machines share its addresses, and how sure that is; `None` where nothing speaks for it.
    pub shared: Option<u8>,
    /// Its names, the one to call it by first.
    pub names: Vec<Name>,
    /// What that stands on, and what speaks against it.
    pub grounds: Vec<Ground>,
}

/// A conclusion and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Concluded<T> {
    /// What was concluded.
    pub is: T,
    /// How sure that is, 1 to 99 in a hundred.
    pub score: u8,
}

/// A name of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Name {
    /// The name, without the domain `local`.
    pub name: String,
    /// How sure it is that this is what it is called, 1 to 99 in a hundred.
    pub score: u8,
    /// By which protocols it was told, in order.
    pub kinds: Vec<SignKind>,
}

/// A sign, and what it speaks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ground {
    /// What the sign is.
    pub kind: SignKind,
    /// What was said, cut at [`GROUND_BYTES`].
    pub value: String,
    /// What it speaks for.
    pub claim: Claim,
    /// How strongly, 1 to 100.
    pub points: u8,
}

/// What a sign can speak for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// That it is a machine of this kind.
    Class(DeviceClass),
    /// That it runs this system.
    Os(OsFamily),
    /// That several machines share its addresses.
    Shared,
}

impl Conclusion {
    /// Returns whether anything follows at all.
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }

    /// Returns the name to call it by.
    pub fn name(&self) -> Option<&str> {
        self.names.first().map(|name| name.name.as_str())
    }

    /// Returns the operating system with its version, as people write it.
    pub fn os_text(&self) -> Option<String> {
        let family = self.os?.is.text();
        Some(if self.os_version.is_empty() { family.to_owned() } else { format!("{family} {}", self.os_version) })
    }

    /// Returns whether a ground speaks against what was concluded.
    pub fn is_against(&self, ground: &Ground) -> bool {
        match ground.claim {
            Claim::Class(class) => self.class.is_some_and(|concluded| concluded.is != class),
            Claim::Os(family) => self.os.is_some_and(|concluded| !concluded.is.agrees_with(family)),
            Claim::Shared => false,
        }
    }
}

#[cfg(test)]
mod tests;
