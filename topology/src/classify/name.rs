//! What an endpoint is called, and what of its sayings holds.
//!
//! Invariant: of what an endpoint says one of at a time, the value that was heard most often stands first; a newer one
//! takes its place once it was heard twice and the older not since (see [`Sign::gave_way_to`]). What stood first before
//! stays among the names, with fewer points.

use std::cmp::Reverse;

use super::{NAMES_MAX, Name, Plurality, Sign, SignKind, conclude::score};

/// How a value stands among the others of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It holds, as far as anybody can tell.
    First,
    /// Another value of its kind is heard as well, and more often.
    Rival,
    /// Another took its place.
    Past,
}

/// Names under this many characters of the first label are the same: what NetBIOS keeps of one.
const SAME_CHARS: usize = 15;

/// Returns the value of `kind` that holds; `None` when there is none.
pub fn standing<'a>(signs: &[Sign<'a>], kind: SignKind) -> Option<&'a str> {
    let of_kind = || signs.iter().filter(|sign| sign.kind == kind);
    let current = of_kind().filter(|sign| !of_kind().any(|other| sign.gave_way_to(other)));
    // All gave way to each other only when their times contradict each other.
    let first = current.min_by_key(|sign| order(sign)).or_else(|| of_kind().min_by_key(|sign| order(sign)))?;
    Some(first.value)
}

/// Returns each sign with how it stands.
pub(super) fn standings<'a>(signs: &[Sign<'a>]) -> Vec<(Sign<'a>, Standing)> {
    let of = |sign: &Sign<'a>| {
        if sign.kind.plurality() == Plurality::Many {
            return Standing::First;
        }
        match standing(signs, sign.kind) {
            Some(first) if first == sign.value => Standing::First,
            _ if signs.iter().any(|other| sign.gave_way_to(other)) => Standing::Past,
            _ => Standing::Rival,
        }
    };
    signs.iter().map(|sign| (*sign, of(sign))).collect()
}

const fn order<'a>(sign: &Sign<'a>) -> (Reverse<u32>, crate::Timestamp, &'a str) {
    (Reverse(sign.count), sign.first, sign.value)
}

/// One name in the making.
struct Candidate<'a> {
    key: String,
    told: Vec<(u32, SignKind, &'a str)>,
}

/// Returns the names that the signs tell, the one to use first.
pub(super) fn names(standings: &[(Sign<'_>, Standing)]) -> Vec<Name> {
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    for (sign, standing) in standings.iter().filter(|(sign, _)| sign.kind.is_name()) {
        let (key, points) = (key(sign.value), points(sign, *standing));
        let told = (points, sign.kind, sign.value);
        match candidates.iter_mut().find(|candidate| candidate.key == key) {
            Some(candidate) => candidate.told.push(told),
            None => candidates.push(Candidate { key, told: vec![told] }),
        }
    }
    let mut ordered: Vec<(u32, &Candidate<'_>)> = candidates.iter().map(|it| (it.points(), it)).collect();
    ordered.sort_by(|(one, a), (other, b)| other.cmp(one).then_with(|| a.key.cmp(&b.key)));
    let rival = |at: usize| ordered.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, (it, _))| *it).max();
    let name = |(at, (points, candidate)): (usize, &(u32, &Candidate<'_>))| Name {
        name: candidate.text(),
        score: score(*points, rival(at).unwrap_or_default() / 2),
        kinds: candidate.kinds(),
    };
    ordered.iter().enumerate().map(name).take(NAMES_MAX).collect()
}

impl Candidate<'_> {
    /// Returns the points of all protocols, each at its highest.
    fn points(&self) -> u32 {
        let mut families: Vec<_> = self.kinds().into_iter().map(SignKind::family).collect();
        families.sort_unstable();
        families.dedup();
        let of = |family| self.told.iter().filter(move |told| told.1.family() == family).map(|told| told.0).max();
        families.into_iter().filter_map(of).sum()
    }

    /// Returns the name as whoever knows it best writes it.
    fn text(&self) -> String {
        let best = self.told.iter().min_by_key(|(points, kind, value)| (Reverse(*points), *kind, *value));
        best.map(|(_, _, value)| (*value).to_owned()).unwrap_or_default()
    }

    fn kinds(&self) -> Vec<SignKind> {
        let mut kinds: Vec<SignKind> = self.told.iter().map(|told| told.1).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }
}

/// Returns what makes two spellings the same name.
fn key(name: &str) -> String {
    let label = name.split('.').next().filter(|label| !label.is_empty()).unwrap_or(name);
    label.chars().take(SAME_CHARS).flat_map(char::to_lowercase).collect()
}

fn points(sign: &Sign<'_>, standing: Standing) -> u32 {
    let full = match sign.kind {
        SignKind::LldpName | SignKind::CdpName => 45,
        SignKind::DhcpName | SignKind::MdnsName => 40,
        SignKind::Dhcpv6Name | SignKind::LlmnrName | SignKind::NetbiosName => 35,
        _ => 20,
    };
    match (standing, sign.count) {
        (Standing::First, 0 | 1) => full * 3 / 4,
        (Standing::First, _) => full,
        (Standing::Rival, 0 | 1) => full / 4,
        (Standing::Rival, _) => full / 2,
        (Standing::Past, _) => full / 8,
    }
}
