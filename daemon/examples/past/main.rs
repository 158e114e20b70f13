//! A centre that is told what time it is, so that a store comes to have a past of months in minutes: `./tests/bench country --days 190` fills it
//! with what the simulator's agents tell.
//!
//! `cargo run --release --example past -- CONFIG MS` is `onenetd serve --config CONFIG` that begins at a time in milliseconds since 1970. It
//! takes commands on standard input, a line each, and answers each with a line:
//!
//! ```text
//! at MS          lets it be this time, from which the clock goes on
//! pass SECONDS   lets this many seconds pass, each with its tick
//! quit HOURS     gives the days between two counts of coverage the figures of the earlier one, writes what was measured in so many hours
//!                before the machine's time, and ends
//! ```
//!
//! All else is the product's own: agents speak to it as to any centre, and what it writes, infers and concludes is what it would. Only what follows
//! from agents being silent is not: between two of the times that it is told nobody speaks.

#![allow(missing_docs, clippy::print_stdout)]

mod measured;

use std::{
    error::Error,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use onenet_topology::{
    Timestamp,
    coverage::{Day, DayFigures, Trend},
};
use onenetd::{
    centre::{Centre, Options},
    cli,
    clock::Clock,
    config::Config,
    estate::{Change, Estate},
    ingest::Policy,
    logging,
    record::Body,
    store::Store,
};
#[global_allocator]
static HEAP: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Longer than any past.
const NEVER_MS: i64 = 4_000 * 86_400_000;

type Failed = Box<dyn Error>;

/// What the clock shows.
#[derive(Clone, Copy)]
enum Shown {
    /// This time, for as long as ticks are counted.
    Standing(Timestamp),
    /// The machine's time, so many milliseconds ahead.
    Going(i64),
}

#[derive(Clone)]
struct Told {
    machine: Clock,
    shown: Arc<Mutex<Shown>>,
}

impl Told {
    fn new(ms: i64) -> Self {
        let told = Self { machine: Clock::system(), shown: Arc::new(Mutex::new(Shown::Going(0))) };
        told.go_on_from(Timestamp::from_unix_ms(ms));
        told
    }

    fn now(&self) -> Timestamp {
        match *self.shown.lock().unwrap_or_else(PoisonError::into_inner) {
            Shown::Standing(time) => time,
            Shown::Going(ahead_ms) => self.machine.now().plus_ms(ahead_ms),
        }
    }

    fn go_on_from(&self, time: Timestamp) {
        self.show(Shown::Going(time.ms_since(self.machine.now())));
    }

    fn show(&self, shown: Shown) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = shown;
    }

    /// Lets seconds pass. Each begins, so that each site has its turn in six hundred of them.
    async fn pass(&self, centre: &Centre, seconds: i64) -> Result<(), Failed> {
        let from = self.now();
        for second in 1..=seconds {
            self.show(Shown::Standing(from.plus_ms(1_000 * second)));
            centre.intake().submit(Body::Tick).await?;
        }
        self.go_on_from(from.plus_ms(1_000 * seconds));
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    onenet_wire::tls::install();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [config, ms] = arguments.as_slice() else { return Err("past CONFIG MS".into()) };
    let config = Config::load(&PathBuf::from(config))?;
    logging::start(&config.log);
    let told = Told::new(ms.parse()?);
    let clock = told.clone();
    let change = |options: Options| Options {
        clock: Clock::from_fn(move || clock.now()),
        ticks: false,
        policy: Policy { silence_ms: NEVER_MS, ..options.policy },
        ..options
    };
    let running = cli::start_with(&config, change).await?;
    // Other threads serve meanwhile.
    let next = || tokio::task::block_in_place(|| std::io::stdin().lines().next());
    let mut hours = 0;
    while let Some(line) = next() {
        let line = line?;
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("at", ms) => told.go_on_from(Timestamp::from_unix_ms(ms.parse()?)),
            ("pass", seconds) => told.pass(&running.app.centre, seconds.parse()?).await?,
            (_, wanted) => {
                hours = wanted.parse().unwrap_or_default();
                break;
            }
        }
        println!("{}", told.now());
    }
    running.stop().await;
    let store = Store::open(&store_path(&config.data_dir))?;
    let estate = store.load()?;
    println!("{}", cover(&store, &estate)?);
    println!("{}", measured::fill(&store, &estate, hours, told.machine.now())?);
    Ok(())
}

fn store_path(data: &Path) -> PathBuf {
    data.join("store")
}

/// Gives the days on which no coverage was counted the figures of the day before. Returns how many those are.
fn cover(store: &Store, estate: &Estate) -> Result<usize, Failed> {
    let mut added = 0;
    for (site, known) in &estate.coverage {
        let mut trend = Trend::default();
        for pair in known.days().windows(2) {
            let [one, next] = pair else { continue };
            for day in one.day.0..next.day.0 {
                trend.add(DayFigures { day: Day(day), coverage: one.coverage });
                added += usize::from(day != one.day.0);
            }
        }
        if let Some(last) = known.days().last() {
            trend.add(*last);
        }
        store.commit(&[Change::Covered { site: *site, trend: Arc::new(trend) }])?;
    }
    Ok(added)
}
