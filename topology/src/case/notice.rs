//! Notices (通报): what a responsible unit is told of a case, by whom, and what it says.
//!
//! Invariant: a notice keeps whom it went to as they were when it left.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    SiteId, Timestamp,
    contact::{Contact, is_telephone},
};

use super::{ActError, NAME_CHARS_MAX};

/// What the responsible unit is told (通报), and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Its number.
    pub number: NoticeNumber,
    /// The site that is responsible.
    pub to: SiteId,
    /// What it is told.
    pub text: String,
    /// When.
    pub sent: Timestamp,
    /// Who tells it; notices of older versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Issuer>,
    /// The contacts of the site when it left: whom it went to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
    /// By when it is to answer.
    pub due: Timestamp,
    /// When the site said that it has it, and who did.
    pub received: Option<(Timestamp, String)>,
    /// Its last answer: when, who, and what.
    pub answered: Option<(Timestamp, String, String)>,
}

/// Who issues a notice, and where he is to be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuer {
    /// The site of the unit; `None` where the issuer's rights are of several without one above them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<SiteId>,
    /// The person.
    pub person: String,
    /// The number, empty where none was given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub telephone: String,
}

/// The number of a notice: they are counted by year, drills apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NoticeNumber {
    /// The year, in China.
    pub year: i16,
    /// From 1.
    pub serial: u32,
    /// Whether it is one of a drill.
    pub drill: bool,
}

impl Issuer {
    /// Checks what is said of an issuer.
    pub(super) fn check(&self) -> Result<(), ActError> {
        if !(1..=NAME_CHARS_MAX).contains(&self.person.trim().chars().count()) {
            return Err(ActError::Name);
        }
        if self.telephone.is_empty() || is_telephone(&self.telephone) { Ok(()) } else { Err(ActError::Telephone) }
    }
}

impl fmt::Display for NoticeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let drill = if self.drill { "D" } else { "" };
        write!(f, "{}-{drill}{:04}", self.year, self.serial)
    }
}
