//! Any sequence of what can happen to a log, against a list.

use proptest::{collection::vec, prelude::*};

use super::*;

/// Something that happens.
#[derive(Debug, Clone)]
enum Step {
    /// So many flows finish.
    Append(u64),
    /// Time passes, so that what waits is flushed.
    Tick,
    /// The agent is stopped and started.
    Restart,
    /// It is killed and started.
    Kill,
    /// It is killed, and the disk loses the end of the file that was written last: so many thousandths.
    LosePower(u64),
    /// Somebody asks.
    Ask { host: Option<u8>, from: u64, page: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..60_u64).prop_map(Step::Append),
        4 => Just(Step::Tick),
        1 => Just(Step::Restart),
        2 => Just(Step::Kill),
        2 => (0..1_000_u64).prop_map(Step::LosePower),
        4 => (proptest::option::of(0..40_u8), 0..2_000_u64, 1..40_usize)
            .prop_map(|(host, from, page)| Step::Ask { host, from, page }),
    ]
}

struct World {
    folder: TempDir,
    writer: Option<Writer>,
    run: u64,
    now_ms: i64,
    /// What must be found, in the order in which it was logged.
    logged: Vec<Flow>,
    /// What may be found: it is not flushed yet.
    fresh: Vec<Flow>,
    next: u64,
}

impl World {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let writer = Some(open(&folder, 1, 0));
        Self { folder, writer, run: 1, now_ms: 0, logged: Vec::new(), fresh: Vec::new(), next: 0 }
    }

    fn go(&mut self, step: &Step) {
        match *step {
            Step::Append(count) => {
                let flows = flows(self.next..self.next + count);
                self.next += count;
                self.writer.as_mut().unwrap().append(flows.clone()).unwrap();
                self.fresh.extend(flows);
            }
            Step::Tick => {
                self.now_ms += 11_000;
                self.writer.as_mut().unwrap().tick(at(self.now_ms)).unwrap();
                self.logged.append(&mut self.fresh);
            }
            Step::Restart => {
                self.writer.take().unwrap().close().unwrap();
                self.logged.append(&mut self.fresh);
                self.start();
            }
            Step::Kill => {
                self.writer = None;
                self.start();
                self.settle(self.logged.len());
            }
            Step::LosePower(thousandths) => {
                self.writer = None;
                let kept = self.lose(thousandths);
                self.start();
                self.settle(kept);
            }
            Step::Ask { host, from, page } => self.ask(host, from, page),
        }
    }

    fn start(&mut self) {
        self.run += 1;
        self.writer = Some(open(&self.folder, self.run, self.now_ms));
    }

    /// Cuts off the end of the file that was written last. Returns how many flows are surely left.
    fn lose(&self, thousandths: u64) -> usize {
        let tails = files(&self.folder, "tail");
        let Some(file) = tails.last().cloned().or_else(|| files(&self.folder, "flows").pop()) else {
            return 0;
        };
        let before: Vec<Flow> = found(&self.folder, &all(), 10_000);
        let length = file.metadata().unwrap().len();
        let cut = length * thousandths / 1_000;
        std::fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(cut).unwrap();
        let first = u64::from_str_radix(file.file_stem().unwrap().to_str().unwrap(), 16).unwrap();
        // What is in other files, and what is in whole frames of this one, is there as it was.
        let after: Vec<Flow> = found(&self.folder, &all(), 10_000);
        assert!(after.iter().all(|flow| before.contains(flow)));
        let left = after.len();
        assert!(left >= usize::try_from(first - 1).unwrap().min(before.len()), "{left} of {}", before.len());
        left
    }

    /// Takes over what a killed process left: at least the first `kept`, perhaps more, and nothing else.
    fn settle(&mut self, kept: usize) {
        let left = found(&self.folder, &all(), 10_000);
        self.logged.append(&mut self.fresh);
        assert!(left.len() >= kept && left.len() <= self.logged.len(), "{} of {}", left.len(), self.logged.len());
        self.logged.truncate(left.len());
        assert_eq!(left, latest_first(&self.logged, &all()));
    }

    fn ask(&mut self, host: Option<u8>, from: u64, a_page: usize) {
        let endpoint = host.map(|host| FlowParty::Mac(MacAddr([2, 0, 0, 0, 0, host])));
        let query = FlowQuery { endpoint, from: at(i64::try_from(from * 10).unwrap()), ..all() };
        let found = found(&self.folder, &query, a_page);
        let mut known = self.logged.clone();
        known.extend(self.fresh.iter().cloned());
        let expected: Vec<Flow> = latest_first(&known, &query);
        // Of what is not flushed some may be there already: full blocks.
        let must = latest_first(&self.logged, &query);
        assert!(must.iter().all(|flow| found.contains(flow)), "something is not found");
        let mut rest = expected.iter();
        assert!(found.iter().all(|flow| rest.any(|it| it == flow)), "something is found twice, or in another order");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_a_log_finds_what_was_flushed_and_nothing_twice(steps in vec(step(), 1..40)) {
        let mut world = World::new();
        for step in &steps {
            world.go(step);
        }
        world.go(&Step::Tick);
        let found = found(&world.folder, &all(), 33);
        prop_assert_eq!(found, latest_first(&world.logged, &all()));
    }
}
