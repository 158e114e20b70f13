//! The decision itself: pure, total, and the only one.

use onenet_topology::{SiteId, Timestamp};

use super::{Action, Principal, Reach};

/// The answer to "may he?".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Yes.
    Allowed,
    /// No, and to him the site does not exist: answer as for a site that never was.
    Hidden,
    /// No, but he may know of the site: say which role is missing.
    Forbidden,
}

/// Tells which sites lie below which. Implemented by the estate; a site lies below each of its parents, below itself,
/// and an unknown site lies below nothing.
pub trait Subtrees {
    /// Returns whether `site` is `root` or lies below it.
    fn is_within(&self, site: SiteId, root: SiteId) -> bool;
}

/// Decides whether `principal` may do `action` at `site` (`None`: at the system as a whole) at `now`.
///
/// What concerns the system as a whole needs a grant that reaches everywhere, and is never hidden: that there is a
/// system is no secret to somebody who was let in.
pub fn decide(
    principal: &Principal,
    action: Action,
    site: Option<SiteId>,
    tree: &dyn Subtrees,
    now: Timestamp,
) -> Decision {
    if principal.expires.is_some_and(|expires| expires <= now) {
        return Decision::Hidden;
    }
    let reaches = |action| {
        principal.reaches(action).any(|reach| match (reach, site) {
            (Reach::Everywhere, _) => true,
            (Reach::Below(root), Some(site)) => tree.is_within(site, root),
            (Reach::Below(_), None) => false,
        })
    };
    if reaches(action) {
        Decision::Allowed
    } else if site.is_none() || reaches(Action::ReadSites) {
        Decision::Forbidden
    } else {
        Decision::Hidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Grant, Role};

    const MINISTRY: SiteId = SiteId::from_raw(1);
    const PROVINCE: SiteId = SiteId::from_raw(10);
    const OTHER_PROVINCE: SiteId = SiteId::from_raw(20);
    const CITY: SiteId = SiteId::from_raw(100);
    /// Below CITY, and dual-homed below OTHER_PROVINCE.
    const COUNTY: SiteId = SiteId::from_raw(1000);
    const UNKNOWN: SiteId = SiteId::from_raw(999);
    const NOW: Timestamp = Timestamp::from_unix_ms(1_000_000);

    struct Tree;

    impl Subtrees for Tree {
        fn is_within(&self, site: SiteId, root: SiteId) -> bool {
            let parents: [(SiteId, &[SiteId]); 5] = [
                (MINISTRY, &[]),
                (PROVINCE, &[MINISTRY]),
                (OTHER_PROVINCE, &[MINISTRY]),
                (CITY, &[PROVINCE]),
                (COUNTY, &[CITY, OTHER_PROVINCE]),
            ];
            let Some((_, parents)) = parents.into_iter().find(|(id, _)| *id == site) else { return false };
            site == root || parents.iter().any(|parent| self.is_within(*parent, root))
        }
    }

    fn principal(role: Role, reach: Reach) -> Principal {
        Principal { name: "test".to_owned(), grants: vec![Grant { role, reach }], expires: None }
    }

    /// The whole matrix of roles and actions, written out as people would agree on it.
    const MATRIX: [(Role, &[Action]); 6] = [
        (Role::Viewer, &[Action::ReadSites, Action::ReadInventory, Action::ReadMetrics]),
        (
            Role::Operator,
            &[
                Action::ReadSites,
                Action::ReadInventory,
                Action::ReadMetrics,
                Action::ManageAssets,
                Action::ManageContacts,
                Action::EnrolAgent,
                Action::RevokeAgent,
                Action::ConfigureAgents,
                Action::MeasureLines,
                Action::PlanMaintenance,
                Action::AcceptSites,
                Action::AnswerCases,
            ],
        ),
        (
            Role::SecurityReviewer,
            &[
                Action::ReadSites,
                Action::ReadInventory,
                Action::ReadMetrics,
                Action::ReadFlows,
                Action::ReadCases,
                Action::ReviewCases,
            ],
        ),
        (
            Role::SystemAdministrator,
            &[
                Action::ReadSites,
                Action::ReadInventory,
                Action::ReadMetrics,
                Action::ManageSites,
                Action::ManageAreas,
                Action::ManageAddressPlan,
                Action::ManageAssets,
                Action::ManageContacts,
                Action::EnrolAgent,
                Action::RevokeAgent,
                Action::ConfigureAgents,
                Action::MeasureLines,
                Action::PlanMaintenance,
                Action::AcceptSites,
                Action::Backup,
            ],
        ),
        (Role::SecurityAdministrator, &[Action::ReadSites, Action::ManageAccess]),
        (Role::AuditAdministrator, &[Action::ReadSites, Action::ReadAudit]),
    ];

    #[test]
    fn each_role_may_do_what_the_matrix_says_and_nothing_else() {
        for (role, allows) in MATRIX {
            for action in Action::ALL {
                let allowed = allows.contains(&action);
                for (reach, site, expected) in [
                    (Reach::Everywhere, None, Decision::Allowed),
                    (Reach::Everywhere, Some(COUNTY), Decision::Allowed),
                    (Reach::Below(PROVINCE), Some(PROVINCE), Decision::Allowed),
                    (Reach::Below(PROVINCE), Some(COUNTY), Decision::Allowed),
                    (Reach::Below(OTHER_PROVINCE), Some(COUNTY), Decision::Allowed),
                    (Reach::Below(PROVINCE), Some(MINISTRY), Decision::Hidden),
                    (Reach::Below(PROVINCE), Some(OTHER_PROVINCE), Decision::Hidden),
                    (Reach::Below(COUNTY), Some(CITY), Decision::Hidden),
                    (Reach::Below(PROVINCE), Some(UNKNOWN), Decision::Hidden),
                    (Reach::Below(PROVINCE), None, Decision::Forbidden),
                ] {
                    let expected = match expected {
                        Decision::Allowed if !allowed => Decision::Forbidden,
                        other => other,
                    };
                    let got = decide(&principal(role, reach), action, site, &Tree, NOW);
                    assert_eq!(got, expected, "{role} at {reach} asks {action} of {site:?}");
                }
            }
        }
    }

    #[test]
    fn an_expired_principal_is_a_stranger() {
        let mut viewer = principal(Role::Viewer, Reach::Everywhere);
        viewer.expires = Some(NOW);
        assert_eq!(decide(&viewer, Action::ReadSites, Some(CITY), &Tree, NOW), Decision::Hidden);
        viewer.expires = Some(NOW.plus_ms(1));
        assert_eq!(decide(&viewer, Action::ReadSites, Some(CITY), &Tree, NOW), Decision::Allowed);
    }

    #[test]
    fn a_role_at_one_site_and_another_role_elsewhere_do_not_mix() {
        let mut mixed = principal(Role::Viewer, Reach::Below(PROVINCE));
        mixed.grants.push(Grant { role: Role::Operator, reach: Reach::Below(OTHER_PROVINCE) });
        let ask = |action, site| decide(&mixed, action, Some(site), &Tree, NOW);
        assert_eq!(ask(Action::EnrolAgent, CITY), Decision::Forbidden);
        assert_eq!(ask(Action::EnrolAgent, OTHER_PROVINCE), Decision::Allowed);
        assert_eq!(ask(Action::ReadInventory, CITY), Decision::Allowed);
    }
}
