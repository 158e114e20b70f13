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

use generated::{ATTACKS, Attack, Dice, Site, moment};
use onenet_detection::{Detection, Finding, Kind, Subject};

/// Times the threshold, in hundredths: below it, the documented strength, and far above.
const STRENGTHS: [u32; 3] = [60, 200, 600];
const DOCUMENTED: usize = 1;
const WEEKS: i64 = 10;
const RECALL: f64 = 0.95;
const FALSE_A_WEEK: f64 = 0.01;

/// Attacks of a week: of a county, and of a province.
const ATTACKS_A_WEEK: [u32; 2] = [4, 12];
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
            | Kind::SilentFeed
    )
}

/// What became of the attacks of a kind, and what was found falsely.
#[derive(Debug, Default, Clone)]
struct Score {
    tried: [u32; STRENGTHS.len()],
    found: [u32; STRENGTHS.len()],
    false_cases: u32,
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
    scores: BTreeMap<Kind, Score>,
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
            for it in &injected {
                it.attack.upset(week, &mut site);
            }
            detection.configure(site.settings());
            site.week(week, &mut detection);
            for it in injected.iter().filter(|it| *it.weeks.end() == week) {
                it.attack.run(week, &mut dice, &mut detection);
            }
            self.weeks += 1;
            self.judge(week, &mut injected, &detection.take_changed(), &mut judged);
        }
        self.flows += detection.detectors().first().map_or(0, |state| state.inputs);
    }

    fn judge(&mut self, week: i64, injected: &mut [&mut Planned], changed: &[Finding], judged: &mut Judged) {
        let is = |finding: &Finding, of: (Kind, Subject)| (finding.kind, finding.subject) == of;
        for Planned { attack, weeks, found } in injected.iter_mut().map(|it| &mut **it) {
            let begin = if weeks.start() == weeks.end() { moment(week, attack.begins_s - 3_600) } else { moment(0, 0) };
            *found |= changed.iter().any(|finding| is(finding, attack.expected) && finding.last >= begin);
            if week < *weeks.end() {
                continue;
            }
            let at = STRENGTHS.iter().position(|strength| *strength == attack.strength).expect("one of them");
            let score = self.scores.entry(attack.kind).or_default();
            score.tried[at] += 1;
            score.found[at] += u32::from(*found);
            if !*found && at >= DOCUMENTED {
                self.examples.push(format!("missed: {} {:?} at {}", attack.kind, attack.expected.1, attack.strength));
            }
        }
        for finding in changed {
            let right =
                |attack: &Attack| is(finding, attack.expected) || attack.also.iter().any(|also| is(finding, *also));
            // What has the same subject again and again is judged week by week.
            let known = !judged.insert((finding.kind, finding.subject, recurs(finding.kind).then_some(week)));
            if !injected.iter().any(|it| right(&it.attack)) && !known {
                self.scores.entry(finding.kind).or_default().false_cases += 1;
                let example = format!("false: week {week} {} {} {:?}", finding.kind, finding.subject, finding.evidence);
                self.examples.push(example);
            }
        }
    }

    /// Adds what was judged beside this.
    fn add(&mut self, other: Self) {
        for (kind, score) in other.scores {
            let sum = self.scores.entry(kind).or_default();
            for at in 0..STRENGTHS.len() {
                sum.tried[at] += score.tried[at];
                sum.found[at] += score.found[at];
            }
            sum.false_cases += score.false_cases;
        }
        self.weeks += other.weeks;
        self.flows += other.flows;
        self.examples.extend(other.examples);
    }

    /// Prints the table and returns whether every bound is met.
    fn print(&self, verbose: bool) -> bool {
        println!("{} site-weeks, {} flows", self.weeks, self.flows);
        println!(
            "{:20} {:>14} {:>14} {:>14} {:>7}",
            "detector", "0.6 threshold", "documented", "3 x documented", "false"
        );
        let share = |score: &Score, at: usize| f64::from(score.found[at]) / f64::from(score.tried[at].max(1));
        let mut met = true;
        let mut false_cases = 0;
        for kind in Kind::ALL {
            let score = self.scores.get(kind).cloned().unwrap_or_default();
            let cell =
                |at: usize| format!("{}/{} {:.0} %", score.found[at], score.tried[at], 100.0 * share(&score, at));
            let missed = score.tried[DOCUMENTED] == 0 || share(&score, DOCUMENTED) < RECALL;
            met &= !missed;
            false_cases += score.false_cases;
            let mark = if missed { " MISSED" } else { "" };
            println!(
                "{:20} {:>14} {:>14} {:>14} {:>7}{mark}",
                kind.name(),
                cell(0),
                cell(1),
                cell(2),
                score.false_cases
            );
        }
        let rate = f64::from(false_cases) / f64::from(self.weeks.max(1));
        let mark = if rate > FALSE_A_WEEK { " MISSED" } else { "" };
        println!("false cases a site-week: {rate:.4} (at most {FALSE_A_WEEK}){mark}");
        for example in self.examples.iter().take(if verbose { usize::MAX } else { 8 }) {
            println!("{example}");
        }
        met && rate <= FALSE_A_WEEK
    }
}

/// Returns how many numbers the attacks of a site take: one more than there are for what is skipped. No divisor of the number of kinds, so that all
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
            let kind = ATTACKS[turn % ATTACKS.len()];
            let strength = STRENGTHS[turn / ATTACKS.len() % STRENGTHS.len()];
            let attack = Attack::new(kind, strength, next, dice);
            // A service is left alone for so many days before its week ends.
            let weeks = if kind == Kind::GoneService {
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
    let mut tally = lived(&work);
    tally.examples.sort();
    if tally.print(arguments.iter().any(|argument| argument == "--verbose")) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
