//! How systems open TCP connections.
//!
//! The order of the options is each system's own; window and scale tell versions apart.

use super::{
    Pattern::{Any, Opens},
    Rule,
    Says::{Class, Os, Shared, Version},
    rule,
};
use crate::classify::{
    DeviceClass::NetworkDevice,
    OsFamily::{Bsd, CiscoIos, Embedded, Ios, Linux, MacOs, Solaris, Windows},
};

pub(super) const OPENING: &[Rule] = &[
    rule(Opens(|it| it.initial_ttl == 64 && it.letters() == "mstnw"), &[Os(Linux, 30)]),
    rule(
        Opens(|it| it.initial_ttl == 128 && matches!(it.letters(), "mnwnns" | "mnwnnts" | "mnwsnns" | "mnwst")),
        &[Os(Windows, 35)],
    ),
    rule(
        Opens(|it| it.initial_ttl == 128 && it.letters() == "mnwnns" && it.scale == Some(8) && it.window >= 64_000),
        &[Version(Windows, "10 or later", 20)],
    ),
    rule(
        Opens(|it| it.initial_ttl == 128 && it.letters() == "mnwnns" && it.window == 8_192),
        &[Version(Windows, "Vista to 8", 20)],
    ),
    rule(
        Opens(|it| it.initial_ttl == 128 && it.letters() == "mnns"),
        &[Os(Windows, 35), Version(Windows, "XP or Server 2003", 25)],
    ),
    rule(
        Opens(|it| it.initial_ttl == 64 && matches!(it.letters(), "mnwnntse" | "mnwnntsee" | "mnwnnts")),
        &[Os(MacOs, 30), Os(Ios, 30)],
    ),
    rule(Opens(|it| it.initial_ttl == 64 && matches!(it.letters(), "mnwst" | "mnwsnnt")), &[Os(Bsd, 30)]),
    rule(Opens(|it| it.initial_ttl == 64 && matches!(it.letters(), "mnnsnwnnt")), &[Os(Bsd, 30)]),
    rule(Opens(|it| it.initial_ttl == 64 && it.letters() == "mwstnn"), &[Os(Bsd, 15)]),
    rule(
        Opens(|it| it.initial_ttl == 255 && it.letters() == "m"),
        &[Os(CiscoIos, 15), Os(Embedded, 20), Class(NetworkDevice, 8)],
    ),
    rule(Opens(|it| it.initial_ttl == 64 && it.letters() == "m"), &[Os(Embedded, 20)]),
    rule(Opens(|it| it.initial_ttl == 64 && matches!(it.letters(), "mnw" | "mnwnnt")), &[Os(Embedded, 20)]),
    rule(Opens(|it| it.initial_ttl == 64 && matches!(it.letters(), "stmnw" | "mstnwe")), &[Os(Solaris, 15)]),
    rule(Opens(|it| it.initial_ttl == 255 && it.letters() == "mnwnnts"), &[Os(Solaris, 15)]),
];

/// What comes from an address that is bound here, and has passed a router, was sent by somebody behind it.
pub(super) const HIDDEN_HOP: &[Rule] = &[rule(Any, &[Shared(45), Class(NetworkDevice, 8)])];

pub(super) const CLOCKS: &[Rule] = &[rule(Any, &[Shared(35)])];
