//! Judges what the centre concludes on generated weeks of provinces whose truth is known; `./tests/bench detection` runs it.
//!
//! Each county has an agent that tells of its segment and its switch every ten minutes; what is injected is told by the same facts, and taken in, inferred
//! and concluded by the product's own planning of records.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

pub mod attack;
pub mod centre;
#[path = "../../../collectors/detection/examples/generated/dice.rs"]
pub mod dice;
#[path = "../../../collectors/detection/examples/generated/score.rs"]
pub mod score;
pub mod site;

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
    thread,
};

use onenet_topology::{SiteId, Timestamp, anomaly::Anomaly, division::Tier};

use attack::{Attack, ROWS, What, serial};
use centre::{Centre, ROUND_S};
pub use dice::Dice;
use score::{DOCUMENTED, STRENGTHS, Score, Told};
use site::Site;

/// 2026-11-02, a Monday, at midnight in China.
const MONDAY: Timestamp = Timestamp::from_unix_ms(1_793_548_800_000);
const COUNTIES: usize = 24;
const WEEKS: u32 = 10;
const ROUNDS: i64 = 7 * 144;

#[derive(Default)]
struct Tally {
    scores: BTreeMap<usize, Score>,
    false_cases: BTreeMap<String, u32>,
    weeks: u32,
    told: u64,
    examples: Vec<String>,
}

/// A province, and what was judged of it.
struct Province {
    centre: Centre,
    id: SiteId,
    sites: Vec<Site>,
    dice: Dice,
    judged: BTreeSet<(SiteId, String, String, u32)>,
    tally: Tally,
}

impl Province {
    fn new(seed: u32) -> Self {
        let mut centre = Centre::new(MONDAY);
        let ministry = centre.site(Tier::Ministry, "000000", None);
        let id = centre.site(Tier::Province, "130000", Some(ministry));
        let number = |at: usize| u8::try_from(at + 1).expect("few");
        let sites: Vec<Site> = (0..COUNTIES)
            .map(|at| {
                let code = (130_101 + at).to_string();
                Site::new(centre.site(Tier::County, &code, Some(id)), code, number(at), MONDAY)
            })
            .collect();
        for site in sites.iter().filter(|it| it.has_register) {
            centre.register(&site.code, &site.booked());
        }
        Self { centre, id, sites, dice: Dice::new(seed.into()), judged: BTreeSet::new(), tally: Tally::default() }
    }

    /// Returns the attacks of a week: one at each county with a register, numbered from `next` on.
    fn planned(&mut self, next: &mut u32) -> Vec<Attack> {
        let mut planned = Vec::new();
        for at in 0..self.sites.len() {
            if !self.sites[at].has_register {
                continue;
            }
            let turn = usize::try_from(*next).expect("small");
            let (row, strength) = (turn % ROWS.len(), STRENGTHS[turn / ROWS.len() % STRENGTHS.len()]);
            let begin = i64::from(self.dice.below(5)) * 144 + 50 + i64::from(self.dice.below(40));
            let what = ROWS[row].0;
            let rounds = (begin, begin + Attack::lasts(what, strength));
            let (expected, also) = Default::default();
            let mut attack = Attack { row, strength, number: *next, rounds, sites: vec![at], expected, also };
            let others = match what {
                What::MacClone => 1,
                What::WormSpread => usize::try_from(attack.times(3)).expect("few") - 1,
                _ => 0,
            };
            // Who is looked at anew each time: none twice.
            attack.sites.extend((1..=others).map(|more| (at + more) % self.sites.len()));
            attack.expect(&self.sites, self.id);
            planned.push(attack);
            *next += 1;
        }
        planned
    }

    fn week(&mut self, week: u32, next: &mut u32) {
        let begin = self.centre.now;
        let attacks = self.planned(next);
        for attack in &attacks {
            let code = self.sites[attack.sites[0]].code.clone();
            self.centre.register(&code, &attack.booked());
        }
        self.sites.iter_mut().for_each(Site::begin);
        for round in 0..ROUNDS {
            self.tell(week, round, &attacks);
            self.centre.round();
        }
        self.tally.weeks += u32::try_from(self.sites.len() + 1).expect("few");
        self.judge(week, begin, &attacks);
    }

    /// Lets every agent tell what is there.
    fn tell(&mut self, week: u32, round: i64, attacks: &[Attack]) {
        let now = self.centre.now;
        for at in 0..self.sites.len() {
            for attack in attacks.iter().filter(|it| it.what() == What::Replaced && it.sites[0] == at) {
                if attack.rounds.0 == round {
                    self.sites[at].serials = vec![serial(attack)];
                }
            }
            let mut there = self.sites[at].told(round);
            for attack in attacks.iter().filter(|it| (it.rounds.0..it.rounds.1).contains(&round)) {
                let place = attack.sites.iter().position(|site| *site == at);
                if let Some(place) = place {
                    attack.during(round, place, &self.sites[at], &mut there);
                    // One site after the other sweeps the port.
                    let turn = i64::try_from(place).expect("few") * 2 % 40;
                    if attack.what() == What::WormSpread && round - attack.rounds.0 == turn {
                        let host = attack.host(&self.sites[at]).to_string();
                        self.centre.sweep(self.sites[at].id, &host, &attack.swept());
                    }
                }
            }
            // Now and then somebody sweeps a port of some forty.
            if self.dice.below(4_000) == 0 {
                let port = format!("tcp/{}", 20 + self.dice.below(40));
                let host = self.sites[at].machines[4].ip.to_string();
                self.centre.sweep(self.sites[at].id, &host, &port);
            }
            let facts = self.sites[at].facts(&there, now, week == 0 && round == 0);
            self.tally.told += facts.values().map(|it| u64::try_from(it.len()).expect("few")).sum::<u64>();
            self.centre.tell(self.sites[at].id, facts);
        }
    }

    fn judge(&mut self, week: u32, begin: Timestamp, attacks: &[Attack]) {
        let all: Vec<(SiteId, &Anomaly)> = self
            .centre
            .estate
            .sites
            .values()
            .flat_map(|site| site.anomalies.values().map(|it| (site.id, &**it)))
            .filter(|(_, it)| it.agent == Anomaly::CENTRE && it.last >= begin)
            .collect();
        for attack in attacks {
            let from = begin.plus_ms(attack.rounds.0 * ROUND_S * 1_000);
            let is_found = |(site, subject): &(SiteId, String)| {
                let is = |(at, it): &(SiteId, &Anomaly)| {
                    *at == *site && it.key.kind == attack.kind() && it.key.subject == *subject && it.last >= from
                };
                all.iter().any(is)
            };
            let found = attack.expected.iter().all(is_found);
            let at = STRENGTHS.iter().position(|strength| *strength == attack.strength).expect("one of them");
            self.tally.scores.entry(attack.row).or_default().note(at, found);
            if !found && at >= DOCUMENTED {
                let (what, strength) = (ROWS[attack.row].2, attack.strength);
                self.tally.examples.push(format!("missed: {what}, week {week}, {:?} at {strength}", attack.expected));
            }
        }
        for (site, it) in all {
            let right = |attack: &Attack| {
                let expected = it.key.kind == attack.kind()
                    && attack.expected.iter().any(|(at, subject)| *at == site && *subject == it.key.subject);
                expected
                    || attack.also.iter().any(|(kind, at, subject)| {
                        *kind == it.key.kind && *at == site && (subject.is_empty() || *subject == it.key.subject)
                    })
            };
            let known = !self.judged.insert((site, it.key.kind.clone(), it.key.subject.clone(), week));
            if !known && !attacks.iter().any(right) {
                *self.tally.false_cases.entry(it.key.kind.clone()).or_default() += 1;
                self.tally.examples.push(format!("false: week {week} {site} {} {:?}", it.key, it.evidence));
            }
        }
    }
}

/// Lives through the weeks of a province.
fn lived(seed: u32, weeks: u32) -> Tally {
    let mut province = Province::new(seed);
    let mut next = seed * 1_000;
    for week in 0..weeks {
        province.week(week, &mut next);
    }
    province.tally
}

impl Tally {
    fn add(&mut self, other: Self) {
        for (row, score) in other.scores {
            self.scores.entry(row).or_default().add(&score);
        }
        for (kind, count) in other.false_cases {
            *self.false_cases.entry(kind).or_default() += count;
        }
        self.weeks += other.weeks;
        self.told += other.told;
        self.examples.extend(other.examples);
    }

    /// Prints the table and returns whether every bound is met.
    fn print(&self, verbose: bool) -> bool {
        println!("{} site-weeks, {} facts told", self.weeks, self.told);
        score::head();
        let mut met = true;
        let mut before = "";
        for (at, (_, group, what, detector, threshold)) in ROWS.into_iter().enumerate() {
            let first = ROWS.iter().position(|it| it.3 == detector) == Some(at);
            let false_cases = first.then(|| self.false_cases.get(detector).copied().unwrap_or(0));
            let group = if std::mem::replace(&mut before, group) == group { "" } else { group };
            let told = Told { group, what, detector, threshold, false_cases };
            met &= self.scores.get(&at).cloned().unwrap_or_default().print(&told);
        }
        score::foot(self.false_cases.values().sum(), self.weeks, &self.examples, verbose) && met
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<u32>().ok()
    };
    let (seed, provinces) = (value("--seed").unwrap_or(1), value("--provinces").unwrap_or(4));
    let weeks = value("--weeks").unwrap_or(WEEKS);
    let mut tally = Tally::default();
    let seeds: Vec<u32> = (0..provinces).map(|number| seed * 100 + number).collect();
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    for some in seeds.chunks(threads) {
        thread::scope(|scope| {
            let running: Vec<_> = some.iter().map(|seed| scope.spawn(|| lived(*seed, weeks))).collect();
            for it in running {
                tally.add(it.join().expect("a province was lived through"));
            }
        });
    }
    tally.examples.sort();
    if tally.print(arguments.iter().any(|argument| argument == "--verbose")) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
