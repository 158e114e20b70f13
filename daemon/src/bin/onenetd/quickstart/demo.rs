//! A small province of simulated sites, for a look at the console without a country at hand.
//!
//! Invariant: simulated sites enter by the same records as real ones: sites are imported, agents enrolled, and their hellos,
//! reports and signs of life go through intake, planning and store. Each site's code begins with `demo-`, by which whatever
//! shows it says that it is simulated. What a site holds follows from its code alone, so that every start shows the same.
//!
//! # Tasks
//!
//! One, owned by the tracker that [`start`] is given: it speaks for all simulated agents in turn and ends by `shutdown`.

mod books;
mod chance;
mod lines;
mod machine;
mod network;
mod probes;
mod province;

use std::{sync::Arc, time::Duration};

use onenet_topology::{AgentId, SiteId, Timestamp, fact::HistoryItem};
use onenet_wire::{Batch, Clocks, Content, GroupChanges, KeyRange, Lane, Position};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    network::Network,
    province::{Mood, SimulatedSite},
};
use super::{QuickstartError, site::command};
use onenetd::{
    access::{Role, random_secret},
    api::App,
    ingest::Intake,
    record::{Body, Command, EnrolmentToken, Greeting, Report, TokenHash},
};

/// How often a simulated agent gives a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// How many signs of life lie between two samples.
const BEATS_PER_SAMPLE: u64 = 3;
/// How many signs of life lie before it says again what stays.
const BEATS_PER_RENEWAL: u64 = 30;
/// How long ago the simulated machines were started, in milliseconds.
const UPTIME_MS: u64 = 40 * 86_400_000;
/// By how much the wrong clock is ahead, in milliseconds.
const WRONG_MS: i64 = 3 * 3_600_000;
/// How long an enrolment token is valid, in milliseconds.
const TOKEN_MS: i64 = 60_000;

/// A simulated agent.
struct Speaker {
    agent: AgentId,
    site: SiteId,
    simulated: SimulatedSite,
    network: Network,
    boot_id: [u8; 16],
    epoch: u64,
    state_sequence: u64,
    history_sequence: u64,
}

/// Imports the simulated province, enrols its agents and lets them speak. Returns the number of sites.
///
/// # Errors
/// The centre does not take it in.
pub(super) async fn start(
    app: &Arc<App>,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
) -> Result<usize, QuickstartError> {
    let sites = province::sites();
    let now = app.clock.now();
    let import = Command::ImportSites { rows: province::rows(&sites), from: now };
    command(app, Role::SystemAdministrator, import).await?;
    let count = sites.len();
    let mut speakers = Vec::new();
    for simulated in sites {
        let estate = app.centre.estate();
        let Some(site) = estate.tree.by_code(&simulated.code, app.clock.now()).map(|site| site.id) else { continue };
        let known = estate.agents_of(site).next().map(|agent| agent.id);
        let agent = match known {
            Some(agent) => agent,
            None => enrol(app, site).await?,
        };
        speakers.push(Speaker::new(agent, site, simulated)?);
    }
    let rows = speakers.iter().flat_map(|speaker| speaker.network.books()).collect();
    let books = Command::ImportAssets { rows, from: now, complete: false };
    command(app, Role::SystemAdministrator, books).await?;
    let (intake, app, shutdown) = (app.centre.intake(), Arc::clone(app), shutdown.clone());
    tasks.spawn(async move {
        tokio::select! {
            () = speak(&mut speakers, &intake, &app) => {}
            () = shutdown.cancelled() => {}
        }
    });
    Ok(count)
}

async fn enrol(app: &Arc<App>, site: SiteId) -> Result<AgentId, QuickstartError> {
    let random = || random_secret().map(|secret| TokenHash::of(secret.expose().as_bytes()));
    let hash = random().map_err(QuickstartError::Random)?;
    let key = random().map_err(QuickstartError::Random)?;
    let token = EnrolmentToken { site, expires: app.clock.now().plus_ms(TOKEN_MS), spent: None };
    let issue = Command::IssueEnrolmentToken { hash, token };
    command(app, Role::SystemAdministrator, issue).await?;
    match app.centre.submit(Command::EnrolAgent { token: hash, key }, "simulated agent").await {
        Ok(onenetd::ingest::Outcome::Enrolled { agent, .. }) => Ok(agent),
        Ok(_) => Err(QuickstartError::Intake(onenetd::ingest::IntakeError::Stopped)),
        Err(error) => Err(QuickstartError::Intake(error)),
    }
}

/// Speaks for all of them until dropped. Cancel safe: what was said is whole.
async fn speak(speakers: &mut [Speaker], intake: &Intake, app: &App) {
    for speaker in speakers.iter_mut() {
        speaker.begin(intake, app.clock.now()).await;
    }
    let mut beat: u64 = 0;
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        beat += 1;
        for speaker in speakers.iter_mut().filter(|it| it.simulated.mood != Mood::Silent) {
            let now = app.clock.now();
            let heard =
                Body::Heard { agent: speaker.agent, clocks: speaker.clocks(now), received: now, history_waiting: 0 };
            send(intake, heard).await;
            if beat.is_multiple_of(BEATS_PER_SAMPLE) {
                speaker.sample(intake, now).await;
            }
            if beat.is_multiple_of(BEATS_PER_RENEWAL) {
                speaker.tell(intake, now).await;
            }
        }
    }
}

async fn send(intake: &Intake, body: Body) {
    if let Err(error) = intake.submit(body).await {
        tracing::debug!(%error, "a simulated record was not taken in");
    }
}

impl Speaker {
    fn new(agent: AgentId, site: SiteId, simulated: SimulatedSite) -> Result<Self, QuickstartError> {
        let random = random_secret().map_err(QuickstartError::Random)?;
        let mut digits = random.expose().bytes().rev();
        let boot_id = std::array::from_fn(|_| digits.next().unwrap_or_default());
        let epoch = digits.take(8).fold(0, |epoch, byte| epoch << 8 | u64::from(byte));
        let network = Network::of(&simulated);
        Ok(Self { agent, site, simulated, network, boot_id, epoch, state_sequence: 0, history_sequence: 0 })
    }

    /// What the agent's wall clock shows at `now`; one site's is wrong.
    fn wall(&self, now: Timestamp) -> Timestamp {
        if self.simulated.mood == Mood::WrongClock { now.plus_ms(WRONG_MS) } else { now }
    }

    /// What the agent's clocks show at `now`.
    fn clocks(&self, now: Timestamp) -> Clocks {
        // The boot clock only has to go on evenly within this process.
        let boot_ms = UPTIME_MS.saturating_add(now.unix_ms().cast_unsigned() % (1 << 40));
        Clocks { boot_id: self.boot_id, boot_ms, wall_ms: self.wall(now).unix_ms() }
    }

    /// Opens the stream and tells everything.
    async fn begin(&mut self, intake: &Intake, now: Timestamp) {
        let greeting = Greeting {
            agent: self.agent,
            version: format!("{} (simulated)", env!("CARGO_PKG_VERSION")),
            clocks: self.clocks(now),
            received: now,
            configuration_revision: 0,
            certificate: None,
        };
        send(intake, Body::Hello(greeting)).await;
        self.tell(intake, now).await;
        let past = lines::past(&self.simulated, self.wall(now));
        self.history(intake, now, past).await;
        self.sample(intake, now).await;
        if self.simulated.mood == Mood::Silent {
            send(intake, Body::Disconnected { agent: self.agent }).await;
        }
    }

    /// Tells everything that is there.
    async fn tell(&mut self, intake: &Intake, now: Timestamp) {
        for (group, changes) in self.network.facts(self.wall(now)) {
            self.state_sequence += 1;
            let position = Position { lane: Lane::State, epoch: self.epoch, sequence: self.state_sequence };
            let complete = Some(KeyRange { first: 0, last: u64::MAX });
            let content = Content::State(vec![GroupChanges { group, changes, complete }]);
            self.report(intake, position, now, content).await;
        }
    }

    async fn sample(&mut self, intake: &Intake, now: Timestamp) {
        let mut items: Vec<HistoryItem> = self.network.samples(self.wall(now));
        items.extend(lines::minute(&self.simulated, self.wall(now)));
        self.history(intake, now, items).await;
    }

    async fn history(&mut self, intake: &Intake, now: Timestamp, items: Vec<HistoryItem>) {
        if items.is_empty() {
            return;
        }
        self.history_sequence += 1;
        let position = Position { lane: Lane::History, epoch: self.epoch, sequence: self.history_sequence };
        self.report(intake, position, now, Content::History(items)).await;
    }

    async fn report(&self, intake: &Intake, position: Position, now: Timestamp, content: Content) {
        let batch = Arc::new(Batch { position, clocks: self.clocks(now), content });
        send(intake, Body::Report(Report { agent: self.agent, site: self.site, batch })).await;
    }
}
