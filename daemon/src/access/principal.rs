//! Who asks: a name with grants.

use std::fmt;

use onenet_topology::{SiteId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Action, Role};

/// Grants a principal may hold: enough for a person responsible for every province, few enough to check each time.
pub const MAX_GRANTS: usize = 64;

/// What stands between the name of a local caller and his role.
const LOCAL: &str = " (local ";

/// Which sites a grant reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// All sites, those that will come included.
    Everywhere,
    /// A site and everything below it.
    Below(SiteId),
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere => f.write_str("everywhere"),
            Self::Below(site) => site.fmt(f),
        }
    }
}

/// A role over a subtree of sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// The sites it reaches.
    pub reach: Reach,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The name in the audit trail.
    pub name: String,
    /// What he may do, and where.
    pub grants: Vec<Grant>,
    /// When the right to ask ends; `None` for never.
    pub expires: Option<Timestamp>,
}

impl Principal {
    /// Returns the principal of this role that stands for whoever may open the daemon's local socket or its data directory. He
    /// reaches everywhere and holds no other role, so that they stay apart there too. He has the name that he gives, with how he came behind it:
    /// nobody proved it.
    pub fn local(role: Role, person: Option<&str>) -> Self {
        let name = person.map_or_else(|| format!("local {role}"), |person| format!("{person}{LOCAL}{role})"));
        Self { name, grants: vec![Grant { role, reach: Reach::Everywhere }], expires: None }
    }

    /// Returns the name of the person, without how he came.
    pub fn person(&self) -> &str {
        self.name.split_once(LOCAL).map_or(&self.name, |(person, _)| person)
    }

    /// Returns the reaches of the grants that allow `action`.
    pub fn reaches(&self, action: Action) -> impl Iterator<Item = Reach> + '_ {
        self.grants.iter().filter(move |grant| grant.role.allows(action)).map(|grant| grant.reach)
    }
}

/// The grants cannot be held by one principal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGrants {
    /// There are none.
    #[error("a principal needs at least one role: give --role")]
    None,
    /// There are more than [`MAX_GRANTS`].
    #[error("{0} grants are more than {MAX_GRANTS}: grant a site further up instead of each below it")]
    TooMany(usize),
    /// Two administrators that exclude each other (三员).
    #[error("{0} and {1} exclude each other: give them to two principals")]
    Exclusive(Role, Role),
}

/// Checks that one principal may hold `grants`.
///
/// # Errors
/// Returns why not; the three administrators exclude each other whatever their sites.
pub fn check_grants(grants: &[Grant]) -> Result<(), InvalidGrants> {
    if grants.is_empty() {
        return Err(InvalidGrants::None);
    }
    if grants.len() > MAX_GRANTS {
        return Err(InvalidGrants::TooMany(grants.len()));
    }
    let mut administrators = grants.iter().map(|grant| grant.role).filter(|role| role.is_administrator());
    if let Some(first) = administrators.next()
        && let Some(other) = administrators.find(|role| *role != first)
    {
        return Err(InvalidGrants::Exclusive(first, other));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(role: Role) -> Grant {
        Grant { role, reach: Reach::Everywhere }
    }

    #[test]
    fn no_principal_holds_two_administrators() {
        for a in Role::ALL {
            for b in Role::ALL {
                let outcome = check_grants(&[grant(a), grant(b)]);
                let exclusive = a != b && a.is_administrator() && b.is_administrator();
                assert_eq!(outcome.is_err(), exclusive, "{a} with {b}: {outcome:?}");
            }
        }
    }

    #[test]
    fn grants_are_at_least_one_and_bounded() {
        assert_eq!(check_grants(&[]), Err(InvalidGrants::None));
        let many = vec![grant(Role::Viewer); MAX_GRANTS + 1];
        assert_eq!(check_grants(&many), Err(InvalidGrants::TooMany(MAX_GRANTS + 1)));
    }
}
