//! Which packets of open cases are still to be fetched, and whom to ask for what next.
//!
//! Invariant: one question at a time to an agent, and after each so long a pause that its line carries [`PART_BYTES`] in
//! [`PAUSE_MS`] on average: 3 kbit/s, half of what a county's line may carry for us, and within any second no more than a tenth of
//! 2 Mbit/s. Of one agent what was never asked for comes first, so that the agent lets it go last; then what is the oldest. Nobody waits
//! for another's agent. Pure: times are handed in, in milliseconds of any clock that goes on.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use onenet_topology::{AgentId, CaseId};

/// Bytes that are asked for at once. An older agent answers with 64 KiB, and is then left alone four times as long.
pub(super) const PART_BYTES: usize = 16 << 10;
/// The pause of an agent's line after a part, in milliseconds.
const PAUSE_MS: u64 = 45_000;
/// The pause after an agent that did not answer, in milliseconds.
const SILENT_MS: u64 = 60_000;
/// How long the agent may write a file anew, in milliseconds: ten minutes and what it takes. Then it stays as it is.
const SETTLED_MS: u64 = 11 * 60_000;
/// How often an agent may say that it cannot before that is believed.
const REFUSALS_MAX: u32 = 5;
/// Questions under way at once.
const AT_ONCE: usize = 32;
/// Files of one agent that wait: as many as it keeps.
const WAITING_PER_AGENT_MAX: usize = 64;

/// A file that a case is to have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted {
    /// For which case.
    pub(super) case: CaseId,
    /// Who has it.
    pub(super) agent: AgentId,
    /// Its name there.
    pub(super) name: String,
}

/// What to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    /// Which file.
    pub(super) wanted: Wanted,
    /// From which byte on; `None` where it is asked for only so that the agent keeps it.
    pub(super) offset: Option<u64>,
}

/// What an agent said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// So many bytes, and whether the file ends with them.
    Part(usize, bool),
    /// It cannot.
    Refused,
    /// Nothing: it is silent, or its line is.
    Nothing,
}

/// What becomes of a file then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It goes on.
    Goes,
    /// It is whole.
    Whole,
    /// It is lost.
    Lost,
}

#[derive(Debug, Clone, Copy)]
struct Job {
    since: u64,
    /// Whether the agent was asked for it.
    marked: bool,
    /// How much is here.
    have: u64,
    refusals: u32,
}

/// All that is wanted.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    all: BTreeMap<Wanted, Job>,
    /// How many of them each agent has.
    waiting: HashMap<AgentId, usize>,
    /// Until when an agent's line is left alone.
    resting: HashMap<AgentId, u64>,
    /// Whether files are only to be kept by their agents, and not fetched.
    only_mark: bool,
}

impl Jobs {
    /// Returns jobs of which files are fetched, or only marked where nothing can be kept here.
    pub(super) fn new(only_mark: bool) -> Self {
        Self { only_mark, ..Self::default() }
    }

    /// Wants a file of which so many bytes are here. Returns whether there is room for it.
    pub(super) fn want(&mut self, wanted: Wanted, have: u64, now: u64) -> bool {
        if self.all.contains_key(&wanted) {
            return true;
        }
        let waiting = self.waiting.entry(wanted.agent).or_default();
        if *waiting >= WAITING_PER_AGENT_MAX {
            return false;
        }
        *waiting += 1;
        // What was begun had settled before.
        self.all.insert(wanted, Job { since: now, marked: have > 0, have, refusals: 0 });
        true
    }

    /// Returns how many files of a case are wanted.
    pub(super) fn of_case(&self, case: CaseId) -> usize {
        let first = Wanted { case, agent: AgentId::from_raw(0), name: String::new() };
        self.all.range(first..).take_while(|(it, _)| it.case == case).count()
    }

    /// Returns whether a file is wanted.
    pub(super) fn has(&self, wanted: &Wanted) -> bool {
        self.all.contains_key(wanted)
    }

    /// Keeps those of which that is true, and returns the others.
    pub(super) fn drop_unless(&mut self, is_wanted: impl Fn(&Wanted) -> bool) -> Vec<Wanted> {
        let gone: Vec<Wanted> = self.all.keys().filter(|it| !is_wanted(it)).cloned().collect();
        for it in &gone {
            self.forget(it);
        }
        gone
    }

    /// Returns what to ask now: one question an agent at most.
    pub(super) fn due(&self, now: u64) -> Vec<Ask> {
        let is_due =
            |job: &Job| !job.marked || !self.only_mark && (job.have > 0 || now.saturating_sub(job.since) >= SETTLED_MS);
        let rests = |agent: &AgentId| self.resting.get(agent).is_some_and(|until| *until > now);
        let mut due: Vec<(&Wanted, &Job)> =
            self.all.iter().filter(|(wanted, job)| is_due(job) && !rests(&wanted.agent)).collect();
        // Begun before new, so that what is half here is whole soon.
        due.sort_by_key(|(wanted, job)| (job.marked, job.have == 0, job.since, wanted.case));
        let mut agents = BTreeSet::new();
        due.retain(|(wanted, _)| agents.insert(wanted.agent));
        let ask =
            |(wanted, job): (&Wanted, &Job)| Ask { wanted: wanted.clone(), offset: job.marked.then_some(job.have) };
        // Whoever was left alone longest comes first.
        due.sort_by_key(|(wanted, _)| self.resting.get(&wanted.agent).copied().unwrap_or_default());
        due.into_iter().take(AT_ONCE).map(ask).collect()
    }

    /// Takes in what an agent said. Returns what becomes of the file; what is whole or lost is wanted no more.
    pub(super) fn said(&mut self, ask: &Ask, said: &Said, now: u64) -> Next {
        let pause = match said {
            Said::Part(bytes, _) => PAUSE_MS * u64::try_from(bytes.div_ceil(PART_BYTES).max(1)).unwrap_or(u64::MAX),
            Said::Refused => PAUSE_MS,
            Said::Nothing => SILENT_MS,
        };
        // A mark brings one byte: what follows may come at once, but for an older agent that brought more.
        let is_mark = ask.offset.is_none() && matches!(said, Said::Part(1, _));
        self.resting.insert(ask.wanted.agent, if is_mark { now } else { now.saturating_add(pause) });
        let Some(job) = self.all.get_mut(&ask.wanted) else { return Next::Goes };
        let next = match (said, ask.offset) {
            (Said::Part(..), None) => {
                job.marked = true;
                Next::Goes
            }
            (Said::Part(bytes, is_last), Some(_)) => {
                job.refusals = 0;
                job.have = job.have.saturating_add(u64::try_from(*bytes).unwrap_or(u64::MAX));
                if *is_last { Next::Whole } else { Next::Goes }
            }
            (Said::Refused, _) => {
                job.refusals += 1;
                if job.refusals >= REFUSALS_MAX { Next::Lost } else { Next::Goes }
            }
            (Said::Nothing, _) => Next::Goes,
        };
        if next != Next::Goes {
            self.forget(&ask.wanted);
        }
        next
    }

    /// Forgets a file.
    pub(super) fn forget(&mut self, wanted: &Wanted) {
        if self.all.remove(wanted).is_some()
            && let Some(waiting) = self.waiting.get_mut(&wanted.agent)
        {
            *waiting = waiting.saturating_sub(1);
        }
    }

    /// Lets go of what is known of agents that rest no longer and of which nothing is wanted.
    pub(super) fn tidy(&mut self, now: u64) {
        self.waiting.retain(|_, waiting| *waiting > 0);
        self.resting.retain(|agent, until| *until > now || self.waiting.contains_key(agent));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;

    fn wanted(case: u64, agent: u64) -> Wanted {
        Wanted { case: CaseId::from_raw(case), agent: AgentId::from_raw(agent), name: format!("{case}.pcapng") }
    }

    /// When which case was whole.
    type Whole = Vec<(u64, CaseId)>;
    /// How many bytes which agent sent in which second.
    type Sent = BTreeMap<(AgentId, u64), usize>;

    /// Lives through some hours with files of a MiB, and agents that answer with parts of this size. Returns when which case was whole,
    /// and how much each agent sent in which second.
    fn live(jobs: &mut Jobs, part: usize, hours: u64) -> (Whole, Sent) {
        let (mut whole, mut sent) = (Vec::new(), BTreeMap::new());
        for now in (0..hours * HOUR_MS).step_by(5_000) {
            for ask in jobs.due(now) {
                let size = match ask.offset {
                    None if part == PART_BYTES => 1,
                    None => part,
                    Some(offset) => part.min((1 << 20) - usize::try_from(offset).unwrap()),
                };
                *sent.entry((ask.wanted.agent, now / 1_000)).or_default() += size;
                if jobs.said(&ask, &Said::Part(size, size < part.min(PART_BYTES)), now) == Next::Whole {
                    whole.push((now, ask.wanted.case));
                }
            }
        }
        (whole, sent)
    }

    #[test]
    fn a_line_carries_no_more_than_its_budget_whatever_is_found() {
        for (part, second_max) in [(PART_BYTES, PART_BYTES), (64 << 10, 64 << 10)] {
            let mut jobs = Jobs::default();
            for case in 1..=40 {
                assert!(jobs.want(wanted(case, 1), 0, 0));
            }
            let (whole, sent) = live(&mut jobs, part, 12);
            assert!(sent.values().all(|bytes| *bytes <= second_max), "{part}");
            let all: usize = sent.values().sum();
            let bits_per_s = all * 8 / (12 * 3_600);
            assert!((2_500..3_100).contains(&bits_per_s), "{part}: {bits_per_s} bit/s");
            assert!(whole.len() >= 12, "{part}: {}", whole.len());
        }
    }

    #[test]
    fn what_was_never_asked_for_comes_first_and_a_flood_at_one_site_holds_no_other_up() {
        let mut jobs = Jobs::default();
        for case in 1..=64 {
            assert!(jobs.want(wanted(case, 1), 0, 0));
        }
        assert!(!jobs.want(wanted(65, 1), 0, 0), "an agent keeps no more");
        for agent in 2..=80 {
            assert!(jobs.want(wanted(100 + agent, agent), 0, 0));
        }
        let mut now = 0;
        let mut marked = BTreeSet::new();
        while marked.len() < 64 + 79 {
            let due = jobs.due(now);
            assert!(due.len() <= AT_ONCE && now < 30 * 60_000, "{} marked", marked.len());
            for ask in due {
                assert_eq!(ask.offset, None, "nothing is fetched as long as something can still be lost");
                jobs.said(&ask, &Said::Part(1, false), now);
                marked.insert(ask.wanted);
            }
            now += 5_000;
        }
        assert!(now <= 64 * 5_000 * 2, "{now}");
    }

    #[test]
    fn what_was_begun_goes_on_where_it_was_and_a_silent_agent_is_asked_when_it_is_back() {
        let mut jobs = Jobs::default();
        assert!(jobs.want(wanted(1, 1), 32_768, 0));
        let [ask] = &jobs.due(0)[..] else { panic!("{:?}", jobs.due(0)) };
        assert_eq!(ask.offset, Some(32_768), "it had settled before it was begun");
        for now in (0..24 * HOUR_MS).step_by(60_000) {
            for ask in jobs.due(now) {
                assert_eq!(jobs.said(&ask, &Said::Nothing, now), Next::Goes);
            }
        }
        let back = 24 * HOUR_MS;
        assert_eq!(jobs.said(ask, &Said::Part(10, true), back), Next::Whole);
        assert_eq!(jobs.due(back + HOUR_MS), []);
    }

    #[test]
    fn what_an_agent_says_five_times_that_it_has_no_more_is_lost() {
        let mut jobs = Jobs::default();
        assert!(jobs.want(wanted(1, 1), 0, 0));
        let mut now = 0;
        let refused =
            |jobs: &mut Jobs, now: u64| jobs.due(now).iter().map(|ask| jobs.said(ask, &Said::Refused, now)).next();
        for _ in 1..REFUSALS_MAX {
            assert_eq!(refused(&mut jobs, now), Some(Next::Goes));
            now += PAUSE_MS;
        }
        assert_eq!((refused(&mut jobs, now), jobs.due(now + HOUR_MS)), (Some(Next::Lost), vec![]));
    }

    #[test]
    fn where_nothing_can_be_kept_files_are_marked_and_no_more() {
        let mut jobs = Jobs::new(true);
        assert!(jobs.want(wanted(1, 1), 0, 0));
        let due = jobs.due(0);
        jobs.said(&due[0], &Said::Part(1, false), 0);
        assert_eq!(jobs.due(24 * HOUR_MS), []);
    }
}
