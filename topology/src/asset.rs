//! Assets: the machines that a unit has on its books (资产台账), against which what is seen is held.
//!
//! Invariant: an asset's identity is opaque; its number, its site and its addresses are attributes that a later file may
//! change. No two assets that are on the books at one time share a MAC address, or a number within a site. What is written
//! off stays, with its date, so that the past can still be counted.
//!
//! It does not know what is seen on the network ([`crate::coverage`] does).

mod import;
mod register;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

pub use import::{ASSET_COLUMNS, AssetImport, AssetImportProblem, AssetRow, parse_assets_csv, plan_import};
pub use register::{AssetChange, AssetError, AssetRegister};

use crate::{AssetId, MacAddr, SiteId, Timestamp, classify::DeviceClass, dated::Period};

/// MAC addresses that one asset can have: two cards, a dock and a wireless card are four.
pub const MACS_MAX: usize = 16;
/// The longest number, name, owner or location, in characters.
pub const TEXT_CHARS_MAX: usize = 200;

/// A machine on the books of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Its permanent identity.
    pub id: AssetId,
    /// The site that answers for it.
    pub site: SiteId,
    /// Its number there (资产编号).
    pub number: String,
    /// The addresses of its cards, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub macs: Vec<MacAddr>,
    /// Its IP address, where the books have one: it counts only where no MAC address is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// What kind of machine it is; a computer where the books do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<DeviceClass>,
    /// What it is called.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Who answers for it: a person or a department.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub location: String,
    /// Since when it is on the books.
    pub from: Timestamp,
    /// The first moment at which it is written off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Asset {
    /// Returns the time that it is on the books.
    pub const fn period(&self) -> Period {
        Period { from: self.from, until: self.until }
    }

    /// Returns whether it is on the books at `at`.
    pub fn is_registered(&self, at: Timestamp) -> bool {
        self.period().contains(at)
    }

    /// Returns whether coverage counts it: what is not said to be something else is taken for a computer.
    pub fn is_computer(&self) -> bool {
        self.class.is_none_or(DeviceClass::is_computer)
    }
}

#[cfg(test)]
mod tests;
