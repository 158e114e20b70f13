//! What became of what was injected, and the table that shows it: of both judges, that of sites and that of the centre.

/// Times the threshold, in hundredths: below it, the documented strength, and far above.
pub const STRENGTHS: [u32; 3] = [60, 200, 600];
/// Which of them is the documented one.
pub const DOCUMENTED: usize = 1;
/// What share is to be found of it.
pub const RECALL: f64 = 0.95;
/// So many false cases a site-week are borne.
pub const FALSE_A_WEEK: f64 = 0.01;

/// What became of the attacks of a row.
#[derive(Debug, Default, Clone)]
pub struct Score {
    pub tried: [u32; STRENGTHS.len()],
    pub found: [u32; STRENGTHS.len()],
}

/// What a row says of itself.
pub struct Told<'a> {
    /// What it belongs to; empty where the row before says so.
    pub group: &'a str,
    pub what: &'a str,
    pub detector: &'a str,
    /// Whether it has a threshold: what has none is found at any strength.
    pub threshold: bool,
    /// False cases of the detector, where this is its first row.
    pub false_cases: Option<u32>,
}

impl Score {
    /// Notes an attack at one of the strengths.
    pub fn note(&mut self, at: usize, found: bool) {
        self.tried[at] += 1;
        self.found[at] += u32::from(found);
    }

    pub fn add(&mut self, other: &Self) {
        for at in 0..STRENGTHS.len() {
            self.tried[at] += other.tried[at];
            self.found[at] += other.found[at];
        }
    }

    /// Returns which share was found.
    fn share(&self, at: usize) -> f64 {
        f64::from(self.found[at]) / f64::from(self.tried[at].max(1))
    }

    fn cell(&self, at: usize) -> String {
        format!("{}/{} {:.0} %", self.found[at], self.tried[at], 100.0 * self.share(at))
    }

    /// Prints the row, and returns whether enough was found.
    pub fn print(&self, told: &Told<'_>) -> bool {
        let missed = self.share(DOCUMENTED) < RECALL;
        println!(
            "{:16} {:27} {:21} {:>12} {:>12} {:>14} {:>5}{}",
            told.group,
            told.what,
            told.detector,
            if told.threshold { self.cell(0) } else { format!("{} *", self.cell(0)) },
            self.cell(DOCUMENTED),
            self.cell(2),
            told.false_cases.map_or_else(String::new, |it| it.to_string()),
            if missed { " MISSED" } else { "" },
        );
        !missed
    }
}

/// Prints what stands above the rows.
pub fn head() {
    let head = ["what is injected", "detector", "0.6", "documented", "3 x documented", "false"];
    println!("{:16} {:27} {:21} {:>12} {:>12} {:>14} {:>5}", "", head[0], head[1], head[2], head[3], head[4], head[5]);
}

/// Prints what stands below them, and returns whether few enough were false.
pub fn foot(false_cases: u32, weeks: u32, examples: &[String], verbose: bool) -> bool {
    println!("* without a threshold: found at any strength");
    let rate = f64::from(false_cases) / f64::from(weeks.max(1));
    let mark = if rate > FALSE_A_WEEK { " MISSED" } else { "" };
    println!("false cases a site-week: {rate:.4} (at most {FALSE_A_WEEK}){mark}");
    for example in examples.iter().take(if verbose { usize::MAX } else { 8 }) {
        println!("{example}");
    }
    rate <= FALSE_A_WEEK
}
