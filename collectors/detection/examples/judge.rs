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
    process::ExitCode,
};

use generated::{ATTACKS, Attack, Dice, Site, moment};
use onenet_detection::{Detection, Finding, Kind, Subject};

/// Times the threshold, in hundredths: below it, the documented strength, and far above.
const STRENGTHS: [u32; 3] = [60, 200, 600];
const DOCUMENTED: usize = 1;
const WEEKS: i64 = 10;
const RECALL: f64 = 0.95;
const FALSE_A_WEEK: f64 = 0.01;

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

#[derive(Debug, Default)]
struct Tally {
    scores: BTreeMap<Kind, Score>,
    weeks: u32,
    flows: u64,
    examples: Vec<String>,
}

impl Tally {
    /// Lives through the weeks of a site; `attacks` of them a week are injected.
    fn site(&mut self, mut site: Site, next: &mut u32, attacks: usize) {
        let mut dice = Dice::new(site.seed + 1_000_003);
        let mut detection = Detection::new(site.settings());
        let mut judged: Judged = BTreeSet::new();
        for week in 0..WEEKS {
            // A site that learns whom to trust learns in its first week.
            let mut injected = Vec::new();
            for _ in 0..if week == 0 { 0 } else { attacks } {
                // An address that ends in 255 is most networks' broadcast address, and no host.
                *next += u32::from(*next % 256 == 255);
                let turn = usize::try_from(*next).expect("small");
                let kind = ATTACKS[turn % ATTACKS.len()];
                let strength = STRENGTHS[turn / ATTACKS.len() % STRENGTHS.len()];
                injected.push(Attack::new(kind, strength, *next, &mut dice));
                *next += 1;
            }
            site.upsets.clear();
            site.services.clear();
            for attack in &injected {
                attack.upset(week, &mut site);
            }
            detection.configure(site.settings());
            for attack in &injected {
                attack.prepare(week, &mut detection);
            }
            site.week(week, &mut detection);
            for attack in &injected {
                attack.run(week, &mut dice, &mut detection);
            }
            self.weeks += 1;
            self.judge(week, &injected, &detection.take_changed(), &mut judged);
        }
        self.flows += detection.detectors().first().map_or(0, |state| state.inputs);
    }

    fn judge(&mut self, week: i64, injected: &[Attack], changed: &[Finding], judged: &mut Judged) {
        let is = |finding: &Finding, of: (Kind, Subject)| (finding.kind, finding.subject) == of;
        for attack in injected {
            let begin = moment(week, attack.begins_s - 3_600);
            let seen = |finding: &&Finding| is(finding, attack.expected) && finding.last >= begin;
            let at = STRENGTHS.iter().position(|strength| *strength == attack.strength).expect("one of them");
            let score = self.scores.entry(attack.kind).or_default();
            score.tried[at] += 1;
            let found = changed.iter().any(|finding| seen(&finding));
            score.found[at] += u32::from(found);
            if !found && at >= DOCUMENTED {
                self.examples.push(format!("missed: {} {:?} at {}", attack.kind, attack.expected.1, attack.strength));
            }
        }
        for finding in changed {
            let right =
                |attack: &Attack| is(finding, attack.expected) || attack.also.iter().any(|also| is(finding, *also));
            // What has the same subject again and again is judged week by week.
            let known = !judged.insert((finding.kind, finding.subject, recurs(finding.kind).then_some(week)));
            if !injected.iter().any(right) && !known {
                self.scores.entry(finding.kind).or_default().false_cases += 1;
                let example = format!("false: week {week} {} {} {:?}", finding.kind, finding.subject, finding.evidence);
                self.examples.push(example);
            }
        }
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
            // That a service is gone takes a month to be told: its unit test has one.
            let judged = *kind != Kind::GoneService;
            let missed = judged && (score.tried[DOCUMENTED] == 0 || share(&score, DOCUMENTED) < RECALL);
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

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    let seed = value("--seed").unwrap_or(1);
    let counties = value("--counties").unwrap_or(98);
    let mut tally = Tally::default();
    let mut next = 0;
    for number in 0..counties {
        tally.site(Site::county(seed * 10_000 + number), &mut next, 4);
    }
    for number in 0..counties.div_ceil(50) {
        tally.site(Site::province(seed * 10_000 + 5_000 + number), &mut next, 12);
    }
    if tally.print(arguments.iter().any(|argument| argument == "--verbose")) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
