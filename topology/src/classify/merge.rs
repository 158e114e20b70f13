//! What several agents concluded of one endpoint, as one conclusion.
//!
//! Invariant: the order of the conclusions does not matter, and one alone stays as it is. Who agrees makes surer, who
//! contradicts less sure, and what he stands on is shown.

use super::{Concluded, Conclusion, DeviceClass, GROUNDS_MAX, Ground, NAMES_MAX, Name, OsFamily};

/// Returns what follows from all of `conclusions`.
pub fn merge(conclusions: &[&Conclusion]) -> Conclusion {
    if let [one] = conclusions {
        return Conclusion::clone(one);
    }
    let class = agreed(conclusions.iter().filter_map(|it| it.class), |one: DeviceClass, other| one == other);
    let os = agreed(conclusions.iter().filter_map(|it| it.os), OsFamily::agrees_with);
    let surest = |text: fn(&Conclusion) -> (u8, &String)| {
        let told = conclusions.iter().map(|it| text(it)).filter(|(_, text)| !text.is_empty());
        told.max_by_key(|(score, text)| (*score, std::cmp::Reverse(*text))).map(|(_, text)| text.clone())
    };
    let mut merged = Conclusion {
        class,
        os,
        os_version: surest(|it| (it.os.map_or(0, |os| os.score), &it.os_version)).unwrap_or_default(),
        model: surest(|it| (it.class.map_or(0, |class| class.score), &it.model)).unwrap_or_default(),
        shared: conclusions.iter().filter_map(|it| it.shared).max(),
        names: names(conclusions),
        grounds: grounds(conclusions),
    };
    let (against, mut kept): (Vec<Ground>, Vec<Ground>) =
        std::mem::take(&mut merged.grounds).into_iter().partition(|ground| merged.is_against(ground));
    // What contradicts keeps its places.
    let room = GROUNDS_MAX.saturating_sub(against.len().min(GROUNDS_MAX / 4));
    kept.truncate(room);
    kept.extend(against);
    kept.truncate(GROUNDS_MAX);
    merged.grounds = kept;
    merged
}

/// Returns the surest of what was concluded; who agrees takes a quarter of the doubt, who does not half of his own score.
fn agreed<T: Copy + Ord>(
    told: impl Iterator<Item = Concluded<T>>,
    agree: impl Fn(T, T) -> bool,
) -> Option<Concluded<T>> {
    let mut told: Vec<Concluded<T>> = told.collect();
    told.sort_by_key(|it| (std::cmp::Reverse(it.score), it.is));
    let (first, others) = told.split_first()?;
    let mut score = u32::from(first.score);
    for other in others {
        score = if agree(first.is, other.is) {
            score + 100_u32.saturating_sub(score) / 4
        } else {
            score * score / (score + u32::from(other.score) / 2).max(1)
        };
    }
    Some(Concluded { is: first.is, score: u8::try_from(score).unwrap_or(99).clamp(1, 99) })
}

fn names(conclusions: &[&Conclusion]) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    for name in conclusions.iter().flat_map(|it| &it.names) {
        match names.iter_mut().find(|known| known.name == name.name) {
            Some(known) => {
                known.score = known.score.max(name.score);
                known.kinds.extend(&name.kinds);
                known.kinds.sort_unstable();
                known.kinds.dedup();
            }
            None => names.push(name.clone()),
        }
    }
    names.sort_by(|one, other| other.score.cmp(&one.score).then_with(|| one.name.cmp(&other.name)));
    names.truncate(NAMES_MAX);
    names
}

fn grounds(conclusions: &[&Conclusion]) -> Vec<Ground> {
    let mut grounds: Vec<Ground> = conclusions.iter().flat_map(|it| &it.grounds).cloned().collect();
    let order = |ground: &Ground| (std::cmp::Reverse(ground.points), ground.kind, ground.claim);
    grounds.sort_by(|one, other| order(one).cmp(&order(other)).then_with(|| one.value.cmp(&other.value)));
    let mut kept: Vec<Ground> = Vec::new();
    for ground in grounds {
        let same = |it: &Ground| (it.kind, it.claim, &it.value) == (ground.kind, ground.claim, &ground.value);
        if !kept.iter().any(same) {
            kept.push(ground);
        }
    }
    kept
}
