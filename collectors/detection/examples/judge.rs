//! Judges the detectors on generated weeks whose truth is known; `./tests/bench detection` runs it.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::indexing_slicing
)]

pub mod generated;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use generated::{
    Attack, Dice, ROWS, Site, moment,
    score::{self, DOCUMENTED, STRENGTHS, Score, Told},
};
use onenet_detection::{Detection, Finding, Kind, Subject};

const WEEKS: i64 = 10;

/// Attacks of a week: of a county, and of a province.
const ATTACKS_A_WEEK: [u32; 2] = [6, 18];
/// From this week on somebody can have left a service alone for a month.
const GONE_FROM: i64 = 5;

/// What was judged: of what recurs, in which week.
type Judged = BTreeSet<(Kind, Subject, Option<i64>)>;

/// Returns whether a kind is found about the same few subjects each time.
const fn recurs(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::TrafficShift
            | Kind::FlowShift
            | Kind::TerminalShift
            | Kind::ErrorShift
            | Kind::RoundTripShift
            | Kind::UplinkShift
            | Kind::SilentFeed
    )
}

/// An attack, the weeks in which it is under way, the last of which is its own, and whether it was found by now.
#[derive(Debug)]
struct Planned {
    attack: Attack,
    weeks: RangeInclusive<i64>,
    found: bool,
}

#[derive(Debug, Default)]
struct Tally {
    /// By the numbers of the rows.
    scores: BTreeMap<usize, Score>,
    /// What was found falsely.
    false_cases: BTreeMap<Kind, u32>,
    weeks: u32,
    flows: u64,
    examples: Vec<String>,
}

impl Tally {
    /// Lives through the weeks of a site; attacks are numbered from `next` on.
    fn site(&mut self, mut site: Site, next: u32, attacks: u32) {
        let mut dice = Dice::new(site.seed + 1_000_003);
        let mut detection = Detection::new(site.settings());
        let mut judged: Judged = BTreeSet::new();
        let mut plan = planned(next, attacks, &mut dice);
        for week in 0..WEEKS {
            let mut injected: Vec<&mut Planned> = plan.iter_mut().filter(|it| it.weeks.contains(&week)).collect();
            site.upsets.clear();
            site.services.clear();
            site.routers.clear();
            for it in &injected {
                it.attack.upset(week, &mut site);
            }
            detection.configure(site.settings());
            site.week(week, &mut detection);
            for it in injected.iter().filter(|it| *it.weeks.end() == week) {
                it.attack.run(week, &mut dice, &mut detection);
            }
            self.weeks += 1;
            let changed = detection.take_changed();
            self.judge((site.seed, week), &mut injected, &changed, &mut judged);
        }
        self.flows += detection.detectors().first().map_or(0, |state| state.inputs);
    }

    fn judge(
        &mut self,
        (site, week): (u64, i64),
        injected: &mut [&mut Planned],
        changed: &[Finding],
        judged: &mut Judged,
    ) {
        let is = |finding: &Finding, of: (Kind, Subject)| (finding.kind, finding.subject) == of;
        for Planned { attack, weeks, found } in injected.iter_mut().map(|it| &mut **it) {
            let begin = if weeks.start() == weeks.end() { moment(week, attack.begins_s - 3_600) } else { moment(0, 0) };
            *found |= changed.iter().any(|finding| is(finding, attack.expected) && finding.last >= begin);
            if week < *weeks.end() {
                continue;
            }
            let at = STRENGTHS.iter().position(|strength| *strength == attack.strength).expect("one of them");
            let score = self.scores.entry(attack.row).or_default();
            score.note(at, *found);
            if !*found && at >= DOCUMENTED {
                let what = ROWS[attack.row].what;
                let example = format!(
                    "missed: site {site} week {week} {what}, {} {} at {}",
                    attack.kind, attack.expected.1, attack.strength
                );
                self.examples.push(example);
            }
        }
        for finding in changed {
            let right =
                |attack: &Attack| is(finding, attack.expected) || attack.also.iter().any(|also| is(finding, *also));
            // What has the same subject again and again is judged week by week.
            let known = !judged.insert((finding.kind, finding.subject, recurs(finding.kind).then_some(week)));
            if !injected.iter().any(|it| right(&it.attack)) && !known {
                *self.false_cases.entry(finding.kind).or_default() += 1;
                let (kind, subject, evidence) = (finding.kind, finding.subject, &finding.evidence);
                let example = format!("false: site {site} week {week} {kind} {subject} {evidence:?}");
                self.examples.push(example);
            }
        }
    }

    /// Adds what was judged beside this.
    fn add(&mut self, other: Self) {
        for (row, score) in other.scores {
            self.scores.entry(row).or_default().add(&score);
        }
        for (kind, count) in other.false_cases {
            *self.false_cases.entry(kind).or_default() += count;
        }
        self.weeks += other.weeks;
        self.flows += other.flows;
        self.examples.extend(other.examples);
    }

    /// Prints the table and returns whether every bound is met.
    fn print(&self, verbose: bool) -> bool {
        println!("{} site-weeks, {} flows", self.weeks, self.flows);
        score::head();
        let mut met = true;
        let mut group = "";
        for (at, row) in ROWS.iter().enumerate() {
            let first = ROWS.iter().position(|it| it.kind == row.kind) == Some(at);
            let false_cases = first.then(|| self.false_cases.get(&row.kind).copied().unwrap_or(0));
            let same = std::mem::replace(&mut group, row.group) == row.group;
            let (group, detector) = (if same { "" } else { row.group }, row.kind.name());
            let told = Told { group, what: row.what, detector, threshold: row.threshold, false_cases };
            met &= self.scores.get(&at).cloned().unwrap_or_default().print(&told);
        }
        score::foot(self.false_cases.values().sum(), self.weeks, &self.examples, verbose) && met
    }
}

/// Returns how many numbers the attacks of a site take: one more than there are for what is skipped. No divisor of the number of rows, so that all
/// get their turn.
const fn numbers_of(attacks: u32) -> u32 {
    attacks * 9 + 1
}

/// Returns the attacks of a site. One that learns whom to trust learns in its first week.
fn planned(mut next: u32, attacks: u32, dice: &mut Dice) -> Vec<Planned> {
    let mut plan = Vec::new();
    for week in 1..WEEKS {
        for _ in 0..attacks {
            // An address that ends in 255 is most networks' broadcast address, and no host.
            next += u32::from(next % 256 == 255);
            let turn = usize::try_from(next).expect("small");
            let row = turn % ROWS.len();
            let strength = STRENGTHS[turn / ROWS.len() % STRENGTHS.len()];
            let attack = Attack::new(row, strength, next, dice);
            // A service is left alone for so many days before its week ends.
            let weeks = if attack.kind == Kind::GoneService {
                let week = week.max(GONE_FROM);
                (week - i64::from(30 * strength / 100 / 7)).max(0)..=week
            } else {
                week..=week
            };
            plan.push(Planned { attack, weeks, found: false });
            next += 1;
        }
    }
    plan
}

/// Lives through all sites, as many at a time as there are processors.
fn lived(work: &[(Site, u32, u32)]) -> Tally {
    let taken = AtomicUsize::new(0);
    let live = || {
        let mut tally = Tally::default();
        while let Some((site, next, attacks)) = work.get(taken.fetch_add(1, Ordering::Relaxed)) {
            tally.site(site.clone(), *next, *attacks);
        }
        tally
    };
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(live)).collect();
        let mut tally = Tally::default();
        for it in running {
            tally.add(it.join().expect("a site was lived through"));
        }
        tally
    })
}

fn main() -> ExitCode {
    assert!(Kind::ALL.iter().all(|kind| ROWS.iter().any(|row| row.kind == *kind)), "every detector is judged");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    let seed = value("--seed").unwrap_or(1);
    let counties = value("--counties").unwrap_or(98);
    let sites = (0..counties).map(|number| Site::county(seed * 10_000 + number));
    let provinces = (0..counties.div_ceil(50)).map(|number| Site::province(seed * 10_000 + 5_000 + number));
    let mut next = 0;
    let mut work = Vec::new();
    // Provinces take longest, and begin first.
    for (site, attacks) in provinces.map(|it| (it, ATTACKS_A_WEEK[1])).chain(sites.map(|it| (it, ATTACKS_A_WEEK[0]))) {
        work.push((site, next, attacks));
        next += numbers_of(attacks);
    }
    // One site alone, as examples name it: its attacks are those that it has among all.
    if let Some(only) = value("--site") {
        work.retain(|(site, ..)| site.seed == only);
    }
    let mut tally = lived(&work);
    tally.examples.sort();
    if tally.print(arguments.iter().any(|argument| argument == "--verbose")) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
