//! The agents, driven by commands on standard input, each answered by one line of JSON on standard output.
//!
//! ```text
//! enrol            gives each site a certificate
//! connect          lets all agents connect, with new state lanes where they told of the past before
//! connect MS       lets them connect when it is this time of the past, in milliseconds since 1970, one in the afternoon at all sites
//! pass DAYS MS     lets days of the past pass at once, until it is this time; no line may be up meanwhile
//! status           what is counted
//! cut CODE         takes the line from every site at and below this one, mend CODE gives it back
//! freeze, thaw     lets no further minute begin, and lets time go on
//! truth FILE       writes what a centre should hold, and prints its hash; the world has to be frozen and idle
//! quit
//! ```
//!
//! Invariant: a command is answered when it is done, except `connect`, `cut` and `mend`, which begin something that `status` shows.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    sync::{Arc, atomic::Ordering},
};

use anyhow::{Context, Result, bail};
use onenet_topology::Timestamp;
use onenet_wire::tls;
use serde_json::{Value, json};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
};

use crate::{
    RunArgs,
    agent::Agent,
    line,
    network::Network,
    papers::{self, Api, Papers},
    sites::{self, Site},
    truth::{Held, say},
    world::{Past, World},
};

/// Enrolments under way at once.
const ENROLMENTS: usize = 32;
/// Minutes of a day. Some Monday's midnight is the first minute; the day after it is a working day.
const DAY: u64 = 1_440;
/// The minute of each day of the past at which agents tell of it.
const AFTERNOON: u64 = 780;

struct Run {
    args: RunArgs,
    api: Api,
    sites: Vec<Site>,
    world: Arc<World>,
    papers: Vec<Arc<Papers>>,
    /// The day that it is, counted from the Monday.
    day: u64,
    agents: Vec<Arc<Agent>>,
    lines: Vec<watch::Sender<bool>>,
}

/// Runs until standard input ends.
pub(crate) fn run(args: &RunArgs) -> Result<()> {
    tls::install();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(drive(args.clone()))
}

async fn drive(args: RunArgs) -> Result<()> {
    let token = std::fs::read_to_string(&args.token).with_context(|| args.token.display().to_string())?;
    let mut run = Run {
        api: Api { address: args.api.clone(), token: token.trim().to_owned() },
        sites: args.country.sites(),
        world: args.world(1),
        papers: Vec::new(),
        day: 1,
        agents: Vec::new(),
        lines: Vec::new(),
        args,
    };
    let mut commands = commands()?;
    while let Some(line) = commands.recv().await {
        let (command, rest) = line.split_once(' ').unwrap_or((line.as_str(), ""));
        let answer = match command {
            "quit" => break,
            "enrol" => run.enrol().await,
            "connect" => run.connect(rest),
            "pass" => run.pass(rest),
            "status" => Ok(run.status()),
            "cut" => run.reach(rest, false),
            "mend" => run.reach(rest, true),
            "freeze" | "thaw" => {
                run.world.freeze(command == "freeze");
                Ok(json!({}))
            }
            "truth" => run.truth(rest),
            _ => bail!("{command} is no command"),
        };
        say(&answer?);
    }
    Ok(())
}

/// Returns the lines of standard input, read by a thread of their own that ends with it.
fn commands() -> Result<mpsc::Receiver<String>> {
    let (sender, receiver) = mpsc::channel(1);
    let read = move || {
        for line in std::io::stdin().lines().map_while(std::result::Result::ok) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    };
    std::thread::Builder::new().name("commands".into()).spawn(read)?;
    Ok(receiver)
}

impl RunArgs {
    fn world(&self, day: u64) -> Arc<World> {
        let past = Past { steps: self.past / self.past_each, each: self.past_each };
        Arc::new(World::new(self.collectors.clone(), day * DAY + self.minute, past))
    }
}

impl Run {
    async fn enrol(&mut self) -> Result<Value> {
        let room = Arc::new(Semaphore::new(ENROLMENTS));
        let mut tasks = JoinSet::new();
        for (at, site) in self.sites.iter().enumerate() {
            let (api, collectors, code) = (self.api.clone(), self.args.collectors.clone(), site.code.clone());
            let room = Arc::clone(&room);
            tasks.spawn(async move {
                let _permit = room.acquire().await?;
                anyhow::Ok((at, papers::enrol(&api, &collectors, &code).await?))
            });
        }
        let mut enrolled = Vec::with_capacity(self.sites.len());
        while let Some(done) = tasks.join_next().await {
            enrolled.push(done??);
        }
        enrolled.sort_by_key(|(at, _)| *at);
        self.papers = enrolled.into_iter().map(|(_, papers)| Arc::new(papers)).collect();
        Ok(json!({"enrolled": self.papers.len()}))
    }

    fn connect(&mut self, then: &str) -> Result<Value> {
        if self.papers.len() != self.sites.len() || !(self.agents.is_empty() || self.world.is_long_ago()) {
            bail!("enrol first, and connect once, or once more after the past");
        }
        self.is_cut()?;
        let networks: Vec<Network> = self.agents.drain(..).map(|agent| agent.network()).collect();
        self.lines.clear();
        // Time begins when the agents do; after the past it is the next day.
        self.day += u64::from(!networks.is_empty());
        self.world = if then.is_empty() {
            self.args.world(self.day)
        } else {
            let first_minute = self.day * DAY + AFTERNOON;
            Arc::new(World::long_ago(self.args.collectors.clone(), first_minute, time(then)?))
        };
        let new = |site: &Site| Network::new(site.clone(), self.world.first_minute).told_in_full(self.args.full);
        let networks = if networks.is_empty() { self.sites.iter().map(new).collect() } else { networks };
        for (network, papers) in networks.into_iter().zip(&self.papers) {
            let agent = Arc::new(Agent::new(Arc::clone(papers), network));
            let (line, reachable) = watch::channel(true);
            tokio::spawn(line::keep(Arc::clone(&agent), Arc::clone(&self.world), reachable));
            self.agents.push(agent);
            self.lines.push(line);
        }
        Ok(json!({"agents": self.agents.len()}))
    }

    fn pass(&mut self, rest: &str) -> Result<Value> {
        let (days, then) = rest.split_once(' ').context("pass DAYS MS")?;
        if !self.world.is_long_ago() {
            bail!("days pass at once in the past only: connect MS first");
        }
        self.is_cut()?;
        self.world.turn_to(time(then)?);
        self.day += days.parse::<u64>().context("pass DAYS MS")?;
        let until = self.day * DAY + AFTERNOON;
        let changes: usize = self.agents.iter().map(|agent| agent.live_through(until, &self.world)).sum();
        Ok(json!({"changes": changes}))
    }

    /// Checks that no line is up.
    fn is_cut(&self) -> Result<()> {
        if self.lines.iter().any(|line| *line.borrow()) || self.world.counters.connected.load(Ordering::Relaxed) != 0 {
            bail!("cut all lines first, and wait until nobody is connected");
        }
        Ok(())
    }

    fn reach(&self, code: &str, reachable: bool) -> Result<Value> {
        let inside = sites::below(&self.sites, code);
        let lines: Vec<_> = self.lines.iter().zip(inside).filter_map(|(line, inside)| inside.then_some(line)).collect();
        if lines.is_empty() {
            bail!("{code} is no site");
        }
        for line in &lines {
            line.send_replace(reachable);
        }
        Ok(json!({"sites": lines.len()}))
    }

    fn status(&self) -> Value {
        let it = &self.world.counters;
        let terminals: usize = self.sites.iter().map(|site| site.terminals).sum();
        let devices: usize = self.sites.iter().map(Site::devices).sum();
        json!({
            "sites": self.sites.len(), "terminals": terminals, "devices": devices,
            "connected": it.connected.load(Ordering::Relaxed), "idle": it.idle.load(Ordering::Relaxed),
            "known": it.known.load(Ordering::Relaxed), "streams": it.streams.load(Ordering::Relaxed),
            "facts": it.facts.load(Ordering::Relaxed), "history": it.history.load(Ordering::Relaxed),
            "samples": it.samples.load(Ordering::Relaxed), "bytes": it.bytes.load(Ordering::Relaxed),
            "rejected": it.rejected.load(Ordering::Relaxed), "resynced": it.resynced.load(Ordering::Relaxed),
            "renewed": it.renewed.load(Ordering::Relaxed),
        })
    }

    fn truth(&self, path: &str) -> Result<Value> {
        let mut file = BufWriter::new(File::create(path).with_context(|| path.to_owned())?);
        let mut held = Held::default();
        for agent in &self.agents {
            let site = agent.papers().identity.site;
            let mut written = Ok(());
            agent.truth(&self.world, &mut |truth| {
                if written.is_ok() {
                    written = held.add(site, truth, &mut file);
                }
            });
            written?;
        }
        file.flush()?;
        Ok(held.told())
    }
}

/// Reads a time as commands have it: milliseconds since 1970.
fn time(text: &str) -> Result<Timestamp> {
    Ok(Timestamp::from_unix_ms(text.parse().with_context(|| format!("{text:?} is no time"))?))
}
