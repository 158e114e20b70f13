//! A session with one device: questions with retries, time-outs that follow the device, a budget, and walks.
//!
//! Invariant: between [`Session::begin_round`] and the next, no more questions are sent and no more time is waited
//! than the [`Budget`] allows; once the device is found silent, nothing more is sent in the round. It knows no MIB.
//! It spawns nothing; dropping one of its futures leaves it usable.

use std::{net::SocketAddr, time::Duration};

use crate::{
    clock,
    credentials::{Credentials, Kind},
    drift::EngineClock,
    dropped::{TableError, TableProblem},
    engine::Sockets,
    error::{Budgeted, RequestError, Silence},
    exchange::{Answer, Diagnosis, Engine, ErrorStatus, ExchangeError, Request, V3Refusal},
    mib::system::SYS_UPTIME,
    oid::Oid,
    quirks::DEVICE,
    repetitions::Repetitions,
    rtt::RttEstimator,
    value::{Value, VarBind, VarBinds},
    walk::{Caps, Cells, Column, Plan, Shapes, Walk},
};

/// How many names one GET carries at most: their values fit one message on every device.
const GET_NAMES_MAX: usize = 16;

/// How many columns one GETBULK asks for at most: those of an interface fit.
const COLUMNS_MAX: usize = 12;

/// How often a question is asked before the device counts as silent.
pub(crate) const TRIES: u32 = 3;

/// How often a device is asked whether it is there at all: a dead device shall cost next to nothing.
pub(crate) const PROBE_TRIES: u32 = 2;

/// What one round may use.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Questions, repeated ones included.
    pub requests: u32,
    /// Time spent waiting for answers.
    pub time: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self { requests: 20_000, time: Duration::from_secs(600) }
    }
}

/// What a session has used since its round began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Questions sent, repeated ones included.
    pub requests: u32,
    /// Questions that stayed unanswered.
    pub timeouts: u32,
    /// Values received.
    pub varbinds: u64,
    /// Time spent waiting.
    pub waited: Duration,
}

/// A session with one device. Keep it between rounds: it remembers the device's round trip and what fits in an
/// answer.
pub struct Session {
    engine: Box<dyn Engine>,
    target: SocketAddr,
    user: Option<String>,
    rtt: RttEstimator,
    repetitions: Repetitions,
    columns_max: usize,
    /// What the device's columns were like when they were last read.
    shapes: Shapes,
    caps: Caps,
    budget: Budget,
    spent: Spent,
    gone: bool,
    engine_clock: EngineClock,
}

/// What was read of a table, and why some of it could not be.
#[derive(Debug, Default)]
pub struct Table {
    /// The cells and how each column ended.
    pub cells: Cells,
    /// What went wrong, by column.
    pub failures: Vec<(Column, RequestError)>,
}

impl Session {
    /// Returns a session with the device at `target`. Sends nothing.
    ///
    /// # Errors
    ///
    /// The credentials cannot be used, or this machine has no sockets of the address's family.
    pub async fn open(sockets: &Sockets, target: SocketAddr, credentials: &Credentials) -> Result<Self, RequestError> {
        let engine = sockets.engine(target, credentials).await;
        let engine = engine.map_err(|reason| RequestError::Unsendable { target, reason })?;
        let user = match &credentials.kind {
            Kind::Community(_) => None,
            Kind::User(user) => Some(user.name.clone()),
        };
        Ok(Self::with_engine(engine, target, user))
    }

    /// Returns a session over an engine of the caller's; `user` is the v3 user that messages name.
    pub fn with_engine(engine: Box<dyn Engine>, target: SocketAddr, user: Option<String>) -> Self {
        Self {
            engine,
            target,
            user,
            rtt: RttEstimator::default(),
            repetitions: Repetitions::default(),
            columns_max: COLUMNS_MAX,
            shapes: Shapes::default(),
            caps: Caps::default(),
            budget: Budget::default(),
            spent: Spent::default(),
            gone: false,
            engine_clock: EngineClock::default(),
        }
    }

    /// Begins a round with a fresh budget.
    pub fn begin_round(&mut self, budget: Budget) {
        self.budget = budget;
        self.spent = Spent::default();
        self.gone = false;
        // How long to pause after a silent round is the schedule's matter; a question is asked as patiently as ever.
        self.rtt.answered();
    }

    /// Sets how much of a table is read.
    pub fn set_caps(&mut self, caps: Caps) {
        self.caps = caps;
    }

    /// Returns how much of a table is read.
    pub fn caps(&self) -> Caps {
        self.caps
    }

    /// Returns a session with the same device in another context: it knows what this one has learned of the device, and may
    /// use what is left of its budget. Sends nothing.
    pub(crate) async fn beside(&self, sockets: &Sockets, credentials: &Credentials) -> Result<Self, RequestError> {
        self.afford()?;
        let mut beside = Self::open(sockets, self.target, credentials).await?;
        beside.rtt = self.rtt;
        beside.repetitions = self.repetitions;
        beside.columns_max = self.columns_max;
        beside.caps = self.caps;
        beside.budget = Budget {
            requests: self.budget.requests.saturating_sub(self.spent.requests),
            time: self.budget.time.saturating_sub(self.spent.waited),
        };
        Ok(beside)
    }

    /// Counts what a session [beside](Self::beside) this one has used.
    pub(crate) fn charge(&mut self, other: Spent) {
        self.spent.requests = self.spent.requests.saturating_add(other.requests);
        self.spent.timeouts = self.spent.timeouts.saturating_add(other.timeouts);
        self.spent.varbinds = self.spent.varbinds.saturating_add(other.varbinds);
        self.spent.waited = self.spent.waited.saturating_add(other.waited);
    }

    /// Returns the device's address.
    pub fn target(&self) -> SocketAddr {
        self.target
    }

    /// Returns what the round has used so far.
    pub fn spent(&self) -> Spent {
        self.spent
    }

    /// Returns the smoothed round trip, `None` before the first answer.
    pub fn round_trip(&self) -> Option<Duration> {
        self.rtt.round_trip()
    }

    /// Returns the v3 engine id with which answers were verified; `None` before the first, and where v3 is not spoken.
    pub fn engine_id(&self) -> Option<Vec<u8>> {
        self.engine.engine_id()
    }

    /// Returns what is peculiar about how the device answers.
    pub fn quirks(&self) -> Vec<TableError> {
        let noted = |error, detail| TableError { table: DEVICE, column: None, error, rows: None, detail };
        let small = self.repetitions.has_shrunk().then(|| noted(TableProblem::SmallAnswers, None));
        let drift = self.engine_clock.drift().map(|detail| noted(TableProblem::EngineTimeDrift, Some(detail)));
        small.into_iter().chain(drift).collect()
    }

    /// Asks once for the values of `names`, and finds out nothing about a silence.
    ///
    /// # Errors
    ///
    /// No answer came, or the device refuses the credentials.
    pub async fn attempt(&mut self, names: &[Oid]) -> Result<Vec<VarBind>, RequestError> {
        self.ask(&Request::Get(names.to_vec()), 1).await.map(VarBinds::into_vec)
    }

    /// Asks with few tries whether the device is there: the values of `names`. When nothing comes, finds out what the
    /// silence may mean, which takes up to three more questions.
    ///
    /// # Errors
    ///
    /// The device is silent, or refuses the credentials.
    pub async fn probe(&mut self, names: &[Oid]) -> Result<Vec<VarBind>, RequestError> {
        match self.ask(&Request::Get(names.to_vec()), PROBE_TRIES).await {
            Err(RequestError::NoAnswer { tries, waited, .. }) => {
                self.gone = true;
                let diagnosis = self.engine.diagnose(self.rtt.plain_timeout()).await;
                if diagnosis == Diagnosis::Renewed {
                    self.gone = false;
                    return self.ask(&Request::Get(names.to_vec()), PROBE_TRIES).await.map(VarBinds::into_vec);
                }
                Err(self.diagnosed(diagnosis, tries, waited))
            }
            other => {
                if let Some(time) = self.engine.engine_time() {
                    self.engine_clock.read(time, clock::monotonic_now());
                }
                other.map(VarBinds::into_vec)
            }
        }
    }

    /// Asks with few tries, and does not find out what a silence may mean.
    pub(crate) async fn ask_briefly(&mut self, names: &[Oid]) -> Result<Vec<VarBind>, RequestError> {
        self.ask(&Request::Get(names.to_vec()), PROBE_TRIES).await.map(VarBinds::into_vec)
    }

    /// Returns the values of `names`, in their order; what the device does not have is an exception value.
    ///
    /// # Errors
    ///
    /// The device is silent, refuses, or the budget is used up; nothing of what was read so far is returned.
    pub async fn get(&mut self, names: &[Oid]) -> Result<Vec<VarBind>, RequestError> {
        let mut values = Vec::with_capacity(names.len());
        let mut at_once = GET_NAMES_MAX;
        while let Some(rest) = names.get(values.len()..).filter(|rest| !rest.is_empty()) {
            let asked = rest.get(..at_once.min(rest.len())).unwrap_or(rest);
            match self.ask(&Request::Get(asked.to_vec()), TRIES).await {
                Ok(answer) => values.extend(aligned(asked, answer.into_vec())),
                Err(RequestError::Status { status: ErrorStatus::NoSuchName, .. }) if asked.len() == 1 => {
                    values.extend(aligned(asked, Vec::new()));
                }
                Err(RequestError::Status { .. }) if asked.len() > 1 => at_once = asked.len() / 2,
                Err(error) => return Err(error),
            }
        }
        Ok(values)
    }

    /// Returns the first object after `name`; `None` where the device has no more.
    ///
    /// # Errors
    ///
    /// The device is silent, or refuses.
    pub(crate) async fn next(&mut self, name: &Oid) -> Result<Option<VarBind>, RequestError> {
        let answer = self.ask(&Request::GetBulk { after: vec![name.clone()], rows: 1 }, TRIES).await?;
        Ok(answer.into_iter().next())
    }

    /// Reads `columns` of a table. What cannot be read is in [`Table::failures`]; the rest is there.
    pub async fn walk(&mut self, columns: &[Column]) -> Table {
        self.walk_tables(&[columns]).await.pop().unwrap_or_default()
    }

    /// Reads the columns of several tables, with as few questions as they take together.
    pub async fn walk_tables(&mut self, tables: &[&[Column]]) -> Vec<Table> {
        let mut walk = Walk::again(tables, self.caps, &self.shapes);
        let failures = self.walk_on(tables, &mut walk).await;
        read(tables, walk, failures)
    }

    /// Reads what [`walk_tables`](Self::walk_tables) does, and behind all of it the instance of a scalar, unless that would take
    /// a question of its own: `None` then.
    pub(crate) async fn walk_tables_and(
        &mut self,
        tables: &[&[Column]],
        last: &'static [u32],
    ) -> (Vec<Table>, Option<Value>) {
        let mut walk = Walk::again(tables, self.caps, &self.shapes);
        walk.read_last(last);
        let failures = self.walk_on(tables, &mut walk).await;
        let value = walk.last();
        (read(tables, walk, failures), value)
    }

    /// Asks until a walk has ended. Returns which columns could not be read, by their places, and why.
    async fn walk_on(&mut self, tables: &[&[Column]], walk: &mut Walk) -> Vec<(usize, RequestError)> {
        let mut failures: Vec<(usize, RequestError)> = Vec::new();
        // Long cells leave room for few columns, here and not in other tables.
        let mut fitting = COLUMNS_MAX;
        // Room that each question has anew is what an allocator is slowest with.
        let mut names = Vec::new();
        while let Some(plan) = walk.plan(fitting.min(self.columns_max)) {
            let places = &plan.places;
            walk.put_names(places, &mut names);
            match self.ask_bulk(&mut names, &plan).await {
                Ok(varbinds) => {
                    let silent_about = walk.accept(places, varbinds);
                    if silent_about > 0 && !plan.is_probe() {
                        fitting = (places.len() - silent_about).max(1);
                    }
                    if silent_about == places.len() {
                        // An answer without values for even one column: the agent has nothing to say on it.
                        walk.complete(places);
                    }
                }
                Err(RequestError::Status { status: ErrorStatus::NoSuchName, .. }) if places.len() == 1 => {
                    walk.complete(places);
                }
                Err(error) if !error.is_fatal() && places.len() > 1 => self.columns_max = 1,
                Err(error) if !error.is_fatal() => {
                    walk.abandon(places);
                    failures.extend(places.first().map(|place| (*place, error)));
                }
                Err(error) => {
                    let open = walk.pending(usize::MAX);
                    walk.abandon(&open);
                    failures.extend(self.unread(tables, &open, error));
                }
            }
        }
        walk.learn(&mut self.shapes);
        failures
    }

    /// Returns the failures of an error that ends a walk: one for each table of which columns are open.
    fn unread(&self, tables: &[&[Column]], open: &[usize], error: RequestError) -> Vec<(usize, RequestError)> {
        let mut first = Some(error);
        let mut failed = Vec::new();
        let mut failures = Vec::new();
        for place in open {
            let table = table_at(tables, *place);
            if !failed.contains(&table) {
                failed.push(table);
                let later = || self.afford().err().unwrap_or(RequestError::Gone { target: self.target });
                failures.push((*place, first.take().unwrap_or_else(later)));
            }
        }
        failures
    }

    /// Asks for the successors of names, which stay as they are, as the plan says.
    async fn ask_bulk(&mut self, names: &mut Vec<Oid>, plan: &Plan) -> Result<VarBinds, RequestError> {
        let columns = plan.places.len();
        let fitting = plan
            .cell_bytes
            .map_or_else(|| self.repetitions.rows(columns), |cell_bytes| self.repetitions.rows_of(columns, cell_bytes));
        let rows = plan.rows.and_then(|rows| u32::try_from(rows).ok()).map_or(fitting, |rows| rows.min(fitting));
        let mut request = Request::GetBulk { after: std::mem::take(names), rows };
        let answer = self.ask_for_fewer(&mut request, columns).await;
        let (Request::Get(after) | Request::GetBulk { after, .. }) = request;
        *names = after;
        answer
    }

    /// Asks a GETBULK, for fewer rows after each `tooBig`, each `genErr` (one object behind the end of a column that an agent
    /// fails on costs all that it would have answered with it) and each silence that may mean too many. A device that stays
    /// silent is asked for its uptime, to tell one that is gone from one that cannot cope with the question.
    async fn ask_for_fewer(&mut self, request: &mut Request, columns: usize) -> Result<VarBinds, RequestError> {
        let mut waited = Duration::ZERO;
        let mut tries = 0;
        while tries < TRIES {
            match self.ask(request, 1).await {
                Ok(varbinds) => {
                    self.repetitions.answered(varbinds.len(), varbinds.iter().map(|pair| pair.wire_bytes).sum());
                    return Ok(varbinds);
                }
                Err(RequestError::NoAnswer { waited: now, .. }) => {
                    waited += now;
                    tries += 1;
                    let rows = usize::try_from(request.rows()).unwrap_or(usize::MAX);
                    if self.repetitions.silent(columns.saturating_mul(rows), tries > 1) {
                        request.lower_rows(self.repetitions.rows(columns));
                    }
                    continue;
                }
                Err(error @ RequestError::Status { status: ErrorStatus::TooBig, .. }) if request.rows() > 1 => {
                    drop(error);
                }
                Err(RequestError::Status { status: ErrorStatus::GeneralError, .. }) if request.rows() > 1 => {
                    // The device can cope with as many rows elsewhere: fewer are asked for here only.
                    request.lower_rows(u32::MAX);
                    continue;
                }
                Err(error) => return Err(error),
            }
            self.repetitions.shrink();
            request.lower_rows(self.repetitions.rows(columns));
        }
        let alive = self.ask(&Request::Get(vec![Oid::from_arcs(&SYS_UPTIME)]), PROBE_TRIES).await.is_ok();
        self.gone = !alive;
        let reason = if alive { Silence::ThisQuestion } else { self.plain_silence() };
        Err(RequestError::NoAnswer { target: self.target, tries, waited, reason })
    }

    /// Asks up to `tries` times, waiting longer each time.
    async fn ask(&mut self, request: &Request, tries: u32) -> Result<VarBinds, RequestError> {
        let mut waited = Duration::ZERO;
        for number in 0..tries {
            self.afford()?;
            let timeout = self.rtt.timeout();
            self.spent.requests += 1;
            match self.engine.exchange(request, timeout).await {
                Ok(Answer { varbinds, round_trip }) => {
                    self.spent.waited += round_trip.unwrap_or_default();
                    self.spent.varbinds += u64::try_from(varbinds.len()).unwrap_or(u64::MAX);
                    match round_trip {
                        // Karn's rule: only an answer to a first try tells the round trip.
                        Some(round_trip) if number == 0 => self.rtt.measured(round_trip),
                        _ => self.rtt.answered(),
                    }
                    return Ok(varbinds);
                }
                Err(ExchangeError::TimedOut) => {
                    waited += timeout;
                    self.spent.waited += timeout;
                    self.spent.timeouts += 1;
                    self.rtt.timed_out();
                }
                Err(error) => return Err(self.explained(error)),
            }
        }
        let reason = self.plain_silence();
        Err(RequestError::NoAnswer { target: self.target, tries, waited, reason })
    }

    fn afford(&self) -> Result<(), RequestError> {
        let target = self.target;
        if self.gone {
            return Err(RequestError::Gone { target });
        }
        if self.spent.requests >= self.budget.requests {
            return Err(RequestError::BudgetSpent { target, what: Budgeted::Requests });
        }
        if self.spent.waited >= self.budget.time {
            return Err(RequestError::BudgetSpent { target, what: Budgeted::Time });
        }
        Ok(())
    }

    fn diagnosed(&self, diagnosis: Diagnosis, tries: u32, waited: Duration) -> RequestError {
        let reason = match diagnosis {
            Diagnosis::Refused(refusal) => return self.explained(ExchangeError::Refused(refusal)),
            Diagnosis::Silent | Diagnosis::Renewed => self.plain_silence(),
            Diagnosis::PortClosed => Silence::PortClosed,
            Diagnosis::AgentAnswers if self.user.is_none() => Silence::CommunityRejected,
            Diagnosis::AgentAnswers => Silence::UserUnanswered,
            Diagnosis::EncryptedUnanswered => Silence::Encrypted,
        };
        RequestError::NoAnswer { target: self.target, tries, waited, reason }
    }

    fn plain_silence(&self) -> Silence {
        if self.user.is_some() { Silence::User } else { Silence::Community }
    }

    fn explained(&self, error: ExchangeError) -> RequestError {
        let target = self.target;
        let user = self.user.clone().unwrap_or_default();
        match error {
            ExchangeError::TimedOut => RequestError::Gone { target },
            ExchangeError::Status { status, oid } => RequestError::Status { target, status, oid },
            ExchangeError::Refused(V3Refusal::UnknownUser) => RequestError::UnknownUser { target, user },
            ExchangeError::Refused(V3Refusal::WrongDigest) => RequestError::WrongAuthKey { target, user },
            ExchangeError::Refused(V3Refusal::Decryption) => RequestError::WrongPrivacyKey { target, user },
            ExchangeError::Refused(refusal) => RequestError::Refused { target, user, refusal },
            ExchangeError::Unverified => RequestError::Unverified { target, user },
            ExchangeError::Network(source) => RequestError::Network { target, source },
            ExchangeError::Unsendable(reason) => RequestError::Unsendable { target, reason },
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("target", &self.target).field("spent", &self.spent).finish_non_exhaustive()
    }
}

/// Returns what a walk of tables read, with what could not be read of them.
fn read(tables: &[&[Column]], walk: Walk, failures: Vec<(usize, RequestError)>) -> Vec<Table> {
    let cells = walk.finish_tables();
    let mut read: Vec<Table> = cells.into_iter().map(|cells| Table { cells, failures: Vec::new() }).collect();
    for (place, error) in failures {
        let table = read.get_mut(table_at(tables, place));
        if let (Some(table), Some(column)) = (table, tables.iter().copied().flatten().nth(place)) {
            table.failures.push((*column, error));
        }
    }
    read
}

/// Returns the number of the table that a column is of, by the column's place among all.
fn table_at(tables: &[&[Column]], place: usize) -> usize {
    let mut before = 0;
    let mut behind = |columns: &&[Column]| {
        before += columns.len();
        before <= place
    };
    tables.iter().take_while(|columns| behind(columns)).count()
}

/// Returns one value a name: agents that leave values out, or answer in another order, are put right by name.
fn aligned(names: &[Oid], mut answer: Vec<VarBind>) -> Vec<VarBind> {
    let value = |name: &Oid, answer: &mut Vec<VarBind>| {
        let place = answer.iter().position(|varbind| varbind.oid == *name);
        place.map_or(Value::NoSuchInstance, |place| answer.swap_remove(place).value)
    };
    names.iter().map(|name| VarBind { oid: name.clone(), value: value(name, &mut answer) }).collect()
}

#[cfg(test)]
mod tests;
