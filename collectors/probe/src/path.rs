//! How large packets may be on a way, found by asking with ever other sizes (after RFC 8899, section 5.3).
//!
//! Invariant: pure. Each size is asked for at most [`TRIES`] times; a size that passed is never doubted, and one that vanished counts
//! only while a small packet still passes, so that an outage in between says nothing. What is found is a size that passed.

/// The largest packet that is asked for, heads of IP included: more does not cross an Ethernet.
pub const LARGEST: u32 = 1_500;
/// What passes everywhere that counts, and is asked for to see whether anything passes.
pub const SMALL: u32 = 256;
/// How often a size is asked for before it has vanished.
pub const TRIES: u32 = 3;
/// Usual sizes, which are asked for first: Ethernet, PPPoE, tunnels of several sorts.
const USUAL: [u32; 6] = [LARGEST, 1_492, 1_476, 1_450, 1_400, 1_280];

/// What came of a question of a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It was answered.
    Answer,
    /// A router, or the own machine, says that it is too large.
    TooLarge,
    /// Nothing.
    Nothing,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathMtu {
    /// The largest packet that passes, heads of IP included.
    pub bytes: u32,
    /// Whether larger ones vanish without a message, so that whoever sends them never learns why nothing comes.
    pub is_black_hole: bool,
}

/// A search.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// The largest that passed.
    passed: Option<u32>,
    /// The smallest that did not.
    stopped: Option<u32>,
    /// The smallest that vanished.
    vanished: Option<u32>,
    /// A size that vanished, while it is seen whether anything passes.
    doubted: Option<u32>,
    tries: u32,
    over: bool,
}

impl Search {
    /// Returns the size to ask with next; `None` when the search is over.
    pub fn next(&self) -> Option<u32> {
        if self.over {
            return None;
        }
        let Some(passed) = self.passed.filter(|_| self.doubted.is_none()) else { return Some(SMALL) };
        let Some(stopped) = self.stopped else { return (passed < LARGEST).then_some(LARGEST) };
        let between = |size: &u32| (passed.saturating_add(1)..stopped).contains(size);
        // Most ways have one of the usual sizes: the largest that may pass, then whether one byte more does.
        let usual = USUAL.into_iter().filter(between).max();
        let more = passed.saturating_add(1);
        let just_over = Some(more).filter(|size| USUAL.contains(&passed) && between(size));
        let middle = passed.midpoint(stopped);
        usual.or(just_over).or((middle > passed).then_some(middle))
    }

    /// Takes what came of the last question.
    pub fn take(&mut self, came: Came) {
        let Some(size) = self.next() else { return };
        match came {
            Came::Answer => {
                self.tries = 0;
                match self.doubted.take() {
                    Some(doubted) => {
                        self.stopped = Some(doubted);
                        self.vanished = Some(self.vanished.map_or(doubted, |least| least.min(doubted)));
                    }
                    None => self.passed = Some(size),
                }
            }
            Came::TooLarge if size > SMALL => {
                self.tries = 0;
                self.stopped = Some(size);
            }
            Came::TooLarge => self.over = true,
            Came::Nothing => {
                self.tries = self.tries.saturating_add(1);
                if self.tries < TRIES {
                    return;
                }
                self.tries = 0;
                if size == SMALL {
                    // Nothing passes at all.
                    (self.over, self.passed) = (true, None);
                } else {
                    self.doubted = Some(size);
                }
            }
        }
    }

    /// Returns what was found; `None` where nothing passed.
    pub fn found(&self) -> Option<PathMtu> {
        let bytes = self.passed.filter(|_| self.next().is_none())?;
        // One that says so of the smallest that does not pass explains the others.
        let is_black_hole = self.vanished.is_some() && self.vanished == self.stopped;
        Some(PathMtu { bytes, is_black_hole })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Plays a way on which so much passes. Returns what was found, and how many questions it took.
    fn search(passes: u32, above: impl Fn(u32) -> Came) -> (Option<PathMtu>, u32) {
        let (mut search, mut asked) = (Search::default(), 0);
        while let Some(size) = search.next() {
            asked += 1;
            assert!(asked < 100, "it does not end: {search:?}");
            search.take(if size <= passes { Came::Answer } else { above(size) });
        }
        (search.found(), asked)
    }

    const fn mtu(bytes: u32, is_black_hole: bool) -> PathMtu {
        PathMtu { bytes, is_black_hole }
    }

    #[test]
    fn usual_ways_take_few_questions_and_what_vanishes_without_a_message_is_told() {
        assert_eq!(search(1_500, |_| Came::TooLarge), (Some(mtu(1_500, false)), 2));
        for bytes in [1_492, 1_400, 1_280] {
            let (found, asked) = search(bytes, |_| Came::TooLarge);
            assert!(found == Some(mtu(bytes, false)) && asked <= 14, "{bytes}: {found:?} after {asked}");
        }
        assert_eq!(search(1_400, |_| Came::Nothing).0, Some(mtu(1_400, true)));
        assert_eq!(search(0, |_| Came::Nothing), (None, TRIES));
    }

    #[test]
    fn an_outage_in_between_finds_nothing() {
        let mut search = Search::default();
        search.take(Came::Answer);
        for _ in 0..2 * TRIES {
            assert!(search.next().is_some());
            search.take(Came::Nothing);
        }
        assert_eq!((search.next(), search.found()), (None, None));
    }

    #[test]
    fn a_lost_packet_now_and_then_changes_nothing() {
        let mut lost = 0_u32;
        let (mut search, mut last) = (Search::default(), 0);
        while let Some(size) = search.next() {
            lost += 1;
            let answer = if size <= 1_372 { Came::Answer } else { Came::TooLarge };
            search.take(if lost.is_multiple_of(2) && last == size { answer } else { Came::Nothing });
            last = size;
        }
        assert_eq!(search.found(), Some(mtu(1_372, false)));
    }

    proptest! {
        #[test]
        fn the_size_is_found_exactly_whatever_it_is(bytes in SMALL..=LARGEST, says in any::<bool>()) {
            let (found, asked) = search(bytes, |_| if says { Came::TooLarge } else { Came::Nothing });
            prop_assert_eq!(found, Some(mtu(bytes, !says && bytes < LARGEST)));
            prop_assert!(asked <= 70, "{}", asked);
        }
    }
}
