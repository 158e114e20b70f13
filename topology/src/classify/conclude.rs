//! From signs to a conclusion: points by claim and by breath, the best claim, and what contradicts it.
//!
//! Points of one [`Family`] for one claim count once, at their highest; those of different families add up. Twenty points
//! leave half of the doubt, forty a quarter. The score is what doubt is left, times the part of all points that speak for
//! the claim: a sign that speaks for another claim alone counts in full against it, one that fits both counts half.

use std::collections::BTreeMap;

use super::{
    Claim, Concluded, Conclusion, DeviceClass, Family, GROUND_BYTES, Ground, OsFamily, Sign, SignKind,
    name::{Standing, names, standings},
    rules::{self, Says},
};
use crate::{MacAddr, Timestamp, vendor};

/// Points below which nothing is concluded.
const POINTS_MIN: u32 = 20;
/// Points at which a branch of a family of systems takes over what speaks for the family.
const BRANCH_POINTS: u32 = 20;
/// How often two systems have to be heard through one address before they are two.
const SYSTEMS_COUNT: u32 = 3;
/// What two systems behind one address count for its being shared.
const SYSTEMS_POINTS: u8 = 20;

/// Grounds that are kept: for and against the class, for and against the system, for sharing.
const KEPT: [usize; 5] = [4, 2, 3, 1, 2];

/// One thing that one sign says.
#[derive(Debug, Clone, Copy)]
struct Reading<'a> {
    kind: SignKind,
    value: &'a str,
    claim: Claim,
    points: u8,
}

/// Versions of systems that signs speak for, with their points.
type Versions = BTreeMap<(OsFamily, &'static str), u32>;

/// Returns what follows from the signs of the endpoint with this address. Their order does not matter.
pub fn conclude(mac: MacAddr, signs: &[Sign<'_>]) -> Conclusion {
    let vendor = vendor::of(mac).map(|vendor| derived(SignKind::Vendor, vendor));
    if signs.is_empty() && vendor.is_none() {
        return Conclusion::default();
    }
    let standings = standings(signs);
    let mut readings = Vec::new();
    let mut versions = Versions::new();
    for (sign, standing) in &standings {
        read(sign, *standing, &mut readings, &mut versions);
    }
    if let Some(vendor) = &vendor {
        read(vendor, Standing::First, &mut readings, &mut versions);
    }
    let os = best(&readings, OsFamily::ALL, Claim::Os, OsFamily::agrees_with);
    if let Some(os) = os {
        let from = readings.len();
        read(&derived(SignKind::System, os.is.name()), Standing::First, &mut readings, &mut versions);
        // What was concluded says as much as it is sure.
        for reading in readings.iter_mut().skip(from) {
            reading.points = scaled(reading.points, os.score);
        }
        readings.retain(|reading| reading.points > 0);
    }
    let class = best(&readings, DeviceClass::ALL, Claim::Class, |one, other| one == other);
    let sharing = several_systems(&standings, &readings);
    readings.extend(sharing);
    let mut conclusion = Conclusion {
        class,
        os,
        os_version: os.map(|os| version(&versions, os.is)).unwrap_or_default(),
        model: model(&standings),
        shared: shared(&readings),
        names: names(&standings),
        grounds: Vec::new(),
    };
    conclusion.grounds = grounds(&conclusion, &readings);
    conclusion
}

const fn derived(kind: SignKind, value: &str) -> Sign<'_> {
    Sign { kind, value, first: Timestamp::EPOCH, last: Timestamp::EPOCH, count: 1 }
}

fn read<'a>(sign: &Sign<'a>, standing: Standing, readings: &mut Vec<Reading<'a>>, versions: &mut Versions) {
    let weight = match standing {
        Standing::First => 100,
        Standing::Rival => 25,
        Standing::Past => return,
    };
    rules::read(sign, |says| {
        let (claim, points) = match says {
            Says::Class(class, points) => (Claim::Class(class), points),
            Says::Os(family, points) => (Claim::Os(family), points),
            Says::Shared(points) => (Claim::Shared, points),
            Says::Version(family, text, points) => {
                *versions.entry((family, text)).or_default() += u32::from(scaled(points, weight));
                return;
            }
        };
        let points = scaled(points, weight).max(1);
        readings.push(Reading { kind: sign.kind, value: sign.value, claim, points });
    });
}

fn scaled(points: u8, percent: u8) -> u8 {
    u8::try_from(u16::from(points) * u16::from(percent) / 100).unwrap_or(u8::MAX)
}

/// Returns the claim with the most points among `all`; the first of equals. `agree` says which do not contradict each other.
fn best<T: Copy + PartialEq>(
    readings: &[Reading<'_>],
    all: &[T],
    claim: impl Fn(T) -> Claim,
    agree: impl Fn(T, T) -> bool,
) -> Option<Concluded<T>> {
    if !readings.iter().any(|reading| all.iter().any(|is| reading.claim == claim(*is))) {
        return None;
    }
    let own: Vec<u32> = all.iter().map(|is| points(readings, |it| it == claim(*is))).collect();
    let total = |at: usize| -> u32 {
        let (Some(is), Some(&own)) = (all.get(at), own.get(at)) else { return 0 };
        // Whatever speaks for the family speaks for a branch that something speaks for itself.
        let branch = own >= BRANCH_POINTS;
        if branch {
            points(readings, |it| it == claim(*is) || parent(claim(*is)).is_some_and(|up| it == up))
        } else {
            own
        }
    };
    let totals: Vec<u32> = (0..all.len()).map(total).collect();
    let most = *totals.iter().max()?;
    let &is = all.get(totals.iter().position(|total| *total == most)?)?;
    if most < POINTS_MIN {
        return None;
    }
    let rivals = all.iter().zip(&totals).filter(|(other, _)| !agree(is, **other));
    let rival = rivals.map(|(_, total)| *total).max().unwrap_or_default();
    let supports = |it: Claim| all.iter().any(|other| it == claim(*other) && agree(is, *other));
    let contradicts = |it: Claim| all.iter().any(|other| it == claim(*other) && !agree(is, *other));
    let alone = |it: &Reading<'_>| !readings.iter().any(|other| same_sign(it, other) && supports(other.claim));
    let against: Vec<Reading<'_>> = readings.iter().filter(|it| contradicts(it.claim) && alone(it)).copied().collect();
    let against = points(&against, |_| true).max(rival / 2);
    Some(Concluded { is, score: score(most, against) })
}

fn parent(claim: Claim) -> Option<Claim> {
    match claim {
        Claim::Os(family) => family.parent().map(Claim::Os),
        Claim::Class(_) | Claim::Shared => None,
    }
}

fn same_sign(one: &Reading<'_>, other: &Reading<'_>) -> bool {
    (one.kind, one.value) == (other.kind, other.value)
}

/// Returns the points of all families for the claims that are `wanted`, each family at its highest.
fn points(readings: &[Reading<'_>], wanted: impl Fn(Claim) -> bool) -> u32 {
    let mut highest = [0_u8; Family::COUNT];
    for reading in readings.iter().filter(|reading| wanted(reading.claim)) {
        if let Some(most) = highest.get_mut(reading.kind.breath() as usize) {
            *most = reading.points.max(*most);
        }
    }
    highest.iter().map(|points| u32::from(*points)).sum()
}

/// Returns how sure a claim with so many points is, against which so many speak: 1 to 99 in a hundred.
pub(super) fn score(points: u32, against: u32) -> u8 {
    let sure = 1_000 - doubt(points);
    let score = sure * points / (points + against).max(1) / 10;
    u8::try_from(score).unwrap_or(u8::MAX).clamp(1, 99)
}

/// Returns the doubt that points leave, in thousandths: each twenty halve it.
fn doubt(points: u32) -> u32 {
    let (halvings, rest) = (points / 20, points % 20);
    let whole = 1_000_u32.checked_shr(halvings).unwrap_or_default();
    whole - whole / 2 * rest / 20
}

fn version(versions: &Versions, family: OsFamily) -> String {
    let of_family = versions.iter().filter(|((of, _), _)| *of == family);
    let best = of_family.max_by_key(|((_, text), points)| (**points, std::cmp::Reverse(*text)));
    best.map(|((_, text), _)| (*text).to_owned()).unwrap_or_default()
}

/// Returns the model, by whoever should know it best.
fn model(standings: &[(Sign<'_>, Standing)]) -> String {
    const SOURCES: [SignKind; 5] =
        [SignKind::MakerModel, SignKind::LldpModel, SignKind::WsdModel, SignKind::MdnsModel, SignKind::CdpPlatform];
    let told = |kind: SignKind| {
        let first = |(sign, standing): &&(Sign<'_>, Standing)| sign.kind == kind && *standing == Standing::First;
        standings.iter().filter(first).map(|(sign, _)| (std::cmp::Reverse(sign.count), sign.value)).min()
    };
    SOURCES.into_iter().find_map(told).map(|(_, value)| cut(value)).unwrap_or_default()
}

/// Returns what two systems, heard through one address again and again, say of its being shared.
fn several_systems<'a>(standings: &[(Sign<'a>, Standing)], readings: &[Reading<'a>]) -> Vec<Reading<'a>> {
    let mut found = Vec::new();
    for kind in [SignKind::TcpOpening, SignKind::HttpAgent] {
        let often = |reading: &&Reading<'a>| {
            let is = |(sign, _): &(Sign<'a>, Standing)| sign.kind == kind && sign.value == reading.value;
            reading.kind == kind && standings.iter().any(|it| is(it) && it.0.count >= SYSTEMS_COUNT)
        };
        let mut systems: Vec<(&str, Vec<OsFamily>)> = Vec::new();
        for reading in readings.iter().filter(often) {
            let Claim::Os(family) = reading.claim else { continue };
            match systems.iter_mut().find(|(value, _)| *value == reading.value) {
                Some((_, families)) => families.push(family),
                None => systems.push((reading.value, vec![family])),
            }
        }
        let apart = |one: &[OsFamily], other: &[OsFamily]| {
            !one.iter().any(|family| other.iter().any(|second| family.agrees_with(*second)))
        };
        let differs = |(_, families): &&(&str, Vec<OsFamily>)| systems.iter().any(|(_, other)| apart(families, other));
        let first = systems.iter().filter(differs).map(|(value, _)| *value).min();
        found.extend(first.map(|value| Reading { kind, value, claim: Claim::Shared, points: SYSTEMS_POINTS }));
    }
    found
}

fn shared(readings: &[Reading<'_>]) -> Option<u8> {
    let points = points(readings, |claim| claim == Claim::Shared);
    (points >= POINTS_MIN).then(|| score(points, 0))
}

/// Returns the grounds that are worth showing: the strongest, and never only those that agree.
fn grounds(conclusion: &Conclusion, readings: &[Reading<'_>]) -> Vec<Ground> {
    let class = |claim: Claim| matches!(claim, Claim::Class(_));
    let os = |claim: Claim| matches!(claim, Claim::Os(_));
    let for_class = |claim: Claim| conclusion.class.is_some_and(|it| claim == Claim::Class(it.is));
    let for_os = |claim: Claim| match (claim, conclusion.os) {
        (Claim::Os(family), Some(os)) => family.agrees_with(os.is),
        _ => false,
    };
    let sharing = |claim: Claim| claim == Claim::Shared;
    let [class_for, class_against, os_for, os_against, shared] = KEPT;
    let mut kept = strongest(readings, for_class, |_| false, class_for);
    kept.extend(strongest(readings, |claim| class(claim) && !for_class(claim), for_class, class_against));
    kept.extend(strongest(readings, for_os, |_| false, os_for));
    kept.extend(strongest(readings, |claim| os(claim) && !for_os(claim), for_os, os_against));
    kept.extend(strongest(readings, sharing, |_| false, shared));
    kept
}

/// Returns the strongest grounds for claims that are `wanted`, one a sign; signs that also say something `spared` are none.
fn strongest(
    readings: &[Reading<'_>],
    wanted: impl Fn(Claim) -> bool,
    spared: impl Fn(Claim) -> bool,
    most: usize,
) -> Vec<Ground> {
    let spares = |it: &Reading<'_>| readings.iter().any(|other| same_sign(it, other) && spared(other.claim));
    let mut found: Vec<&Reading<'_>> = readings.iter().filter(|it| wanted(it.claim) && !spares(it)).collect();
    found.sort_by_key(|it| (std::cmp::Reverse(it.points), it.kind, it.value, it.claim));
    let mut grounds: Vec<Ground> = Vec::new();
    for it in found {
        let value = cut(it.value);
        if grounds.len() < most && !grounds.iter().any(|known| known.kind == it.kind && known.value == value) {
            grounds.push(Ground { kind: it.kind, value, claim: it.claim, points: it.points });
        }
    }
    grounds
}

/// Returns the text, cut between characters at [`GROUND_BYTES`].
fn cut(text: &str) -> String {
    let end = (0..=GROUND_BYTES.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    text.get(..end).unwrap_or_default().to_owned()
}
