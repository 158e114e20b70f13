//! Which of several things are one, by scored pairs of them and by what operators ruled.
//!
//! Invariant: the groups follow from the set of things, pairs and rulings; neither order nor repetition of the pairs shows. Things
//! that contradict each other are never of one group, whatever a third one says; only an operator's ruling goes before evidence, and
//! it can be taken back.
//!
//! It does not know what the things are, nor what speaks for or against their being one.

use std::{cmp::Reverse, collections::BTreeMap};

/// What operators ruled of two things, the lower id first: whether they are one, whatever evidence says.
pub type Rulings<I> = BTreeMap<(I, I), bool>;

/// Two things, by their places in the list, that evidence takes for one, and how surely, 0 to 100.
pub type Match = (u8, usize, usize);

/// Returns two things in the order in which a ruling names them.
pub fn pair<I: Ord + Copy>(one: I, two: I) -> (I, I) {
    (one.min(two), one.max(two))
}

/// Things, with what speaks against their being one.
struct Things<'a, I, C> {
    ids: &'a [I],
    contradicts: C,
    rulings: &'a Rulings<I>,
    most: usize,
    members: Vec<Vec<usize>>,
    group_of: Vec<usize>,
}

/// Returns which of the things are one: the ids of each group, in order; nobody has more than `most` members. Of two pairs that
/// score alike the one that stands first in the list goes first.
pub fn groups<I: Copy + Ord>(
    ids: &[I],
    matches: impl IntoIterator<Item = Match>,
    contradicts: impl Fn(usize, usize) -> bool,
    rulings: &Rulings<I>,
    most: usize,
) -> Vec<Vec<I>> {
    let places: BTreeMap<I, usize> = ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    let place = |id: &I| places.get(id).copied();
    // Rulings go before whatever evidence scores.
    let ruled = rulings.iter().filter(|(_, same)| **same);
    let ruled = ruled.filter_map(|((one, two), _)| Some((Reverse(true), Reverse(0), place(one)?, place(two)?)));
    let mut matches: Vec<_> =
        matches.into_iter().map(|(score, one, two)| (Reverse(false), Reverse(score), one, two)).chain(ruled).collect();
    matches.sort_unstable();
    let members = (0..ids.len()).map(|index| vec![index]).collect();
    let mut things = Things { ids, contradicts, rulings, most, members, group_of: (0..ids.len()).collect() };
    for (Reverse(is_ruled), _, one, two) in matches {
        things.join(one, two, is_ruled);
    }
    let named = |group: Vec<usize>| {
        let mut group: Vec<I> = group.into_iter().filter_map(|index| ids.get(index).copied()).collect();
        group.sort_unstable();
        group
    };
    let mut groups: Vec<_> = things.members.into_iter().filter(|group| !group.is_empty()).map(named).collect();
    groups.sort_unstable();
    groups
}

impl<I: Copy + Ord, C: Fn(usize, usize) -> bool> Things<'_, I, C> {
    fn ruling(&self, one: usize, two: usize) -> Option<bool> {
        self.rulings.get(&pair(*self.ids.get(one)?, *self.ids.get(two)?)).copied()
    }

    /// Joins the groups of two things that match, unless any of the one contradicts any of the other; where somebody ruled
    /// that they are one, only another ruling contradicts.
    fn join(&mut self, one: usize, two: usize, is_ruled: bool) {
        let (Some(&one), Some(&two)) = (self.group_of.get(one), self.group_of.get(two)) else { return };
        let (into, from) = (one.min(two), one.max(two));
        if into == from || self.of(into).len() + self.of(from).len() > self.most || self.differ(into, from, is_ruled) {
            return;
        }
        let moved = self.members.get_mut(from).map(std::mem::take).unwrap_or_default();
        for index in &moved {
            if let Some(group) = self.group_of.get_mut(*index) {
                *group = into;
            }
        }
        if let Some(into) = self.members.get_mut(into) {
            into.extend(moved);
        }
    }

    fn of(&self, group: usize) -> &[usize] {
        self.members.get(group).map(Vec::as_slice).unwrap_or_default()
    }

    fn differ(&self, into: usize, from: usize, is_ruled: bool) -> bool {
        // Whoever is one with another by a ruling is known by that one's names too.
        let stands_for = |group: usize, one: usize, against: usize| {
            let mut others = self.of(group).iter().filter(|it| self.ruling(**it, one) == Some(true));
            others.any(|it| !(self.contradicts)(*it, against))
        };
        self.of(into).iter().any(|a| {
            self.of(from).iter().any(|b| match self.ruling(*a, *b) {
                Some(same) => !same,
                None if is_ruled || !(self.contradicts)(*a, *b) => false,
                None => !stands_for(from, *b, *a) && !stands_for(into, *a, *b),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never(_: usize, _: usize) -> bool {
        false
    }

    #[test]
    fn a_ruling_goes_before_evidence_and_a_contradiction_before_a_third_one() {
        let ids = [10, 20, 30];
        let both = [(60, 0, 1), (90, 1, 2)];
        assert_eq!(groups(&ids, both, never, &Rulings::new(), 8), [vec![10, 20, 30]]);
        let first_and_last = |one: usize, two: usize| one.min(two) == 0 && one.max(two) == 2;
        assert_eq!(groups(&ids, both, first_and_last, &Rulings::new(), 8), [vec![10], vec![20, 30]]);
        let apart = Rulings::from([(pair(20, 30), false)]);
        assert_eq!(groups(&ids, both, never, &apart, 8), [vec![10, 20], vec![30]]);
        let joined = Rulings::from([(pair(30, 10), true)]);
        assert_eq!(groups(&ids, [], first_and_last, &joined, 8), [vec![10, 30], vec![20]]);
    }

    #[test]
    fn a_group_has_room_for_so_many() {
        let ids = [1, 2, 3];
        assert_eq!(groups(&ids, [(70, 0, 1), (60, 1, 2)], never, &Rulings::new(), 2), [vec![1, 2], vec![3]]);
    }
}
