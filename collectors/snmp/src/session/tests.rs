//! An agent that misbehaves on purpose, and what a session makes of it.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
    sync::{Arc, Mutex},
};

use super::*;
use crate::{drift::EngineTime, exchange::Pending, walk::ColumnEnd};

const NAME: Column = Column { name: "name", oid: &[1, 3, 1] };
const SPEED: Column = Column { name: "speed", oid: &[1, 3, 2] };
const ALIAS: Column = Column { name: "alias", oid: &[1, 3, 3] };

/// What the agent does with a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    Silence,
    TooBig,
    General,
    UnknownUser,
}

#[derive(Default)]
struct Script {
    instances: BTreeMap<Oid, Value>,
    /// Faults for the next questions, in order.
    next: VecDeque<Option<Fault>>,
    /// A fault for every question that names something below.
    below: Option<(Oid, Fault)>,
    /// A fault for every GETBULK of more rows or columns.
    rows_max: Option<(u32, Fault)>,
    columns_max: Option<(usize, Fault)>,
    /// An object that the agent fails on: no answer that would hold it is given.
    broken: Option<Oid>,
    dead: bool,
    /// The clock of a v3 engine: what it shows, and by how much it runs on with every answer.
    engine_time: Option<(EngineTime, u32)>,
    asked: Vec<Request>,
    timeouts: Vec<Duration>,
}

#[derive(Clone, Default)]
struct FakeAgent(Arc<Mutex<Script>>);

impl FakeAgent {
    fn with(instances: &[(&[u32], u64)]) -> Self {
        let agent = Self::default();
        let uptime = (Oid::from_arcs(&SYS_UPTIME), Value::TimeTicks(4_200));
        let rows = instances.iter().map(|(arcs, number)| (Oid::from_arcs(arcs), Value::Gauge32(*number)));
        agent.0.lock().unwrap().instances = rows.chain([uptime]).collect();
        agent
    }

    fn table(rows: u32) -> Self {
        let agent = Self::with(&[]);
        for index in 1..=rows {
            for column in 1..=3 {
                let oid = Oid::from_arcs(&[1, 3, column, index]);
                agent.0.lock().unwrap().instances.insert(oid, Value::Gauge32(u64::from(column * 1_000 + index)));
            }
        }
        agent
    }

    fn session(&self) -> Session {
        Session::with_engine(Box::new(self.clone()), "192.0.2.1:161".parse().unwrap(), None)
    }

    fn set(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.0.lock().unwrap());
    }

    fn asked(&self) -> Vec<Request> {
        self.0.lock().unwrap().asked.clone()
    }
}

impl Script {
    fn fault(&mut self, request: &Request) -> Option<Fault> {
        if self.dead {
            return Some(Fault::Silence);
        }
        if let Some(Some(fault)) = self.next.pop_front() {
            return Some(fault);
        }
        let names = match request {
            Request::Get(names) | Request::GetBulk { after: names, .. } => names,
        };
        let below = self.below.as_ref().filter(|(oid, _)| names.iter().any(|name| name.below(oid.arcs()).is_some()));
        let rows = self.rows_max.filter(|(max, _)| request.rows() > *max);
        let columns = self.columns_max.filter(|(max, _)| names.len() > *max);
        below.map(|(_, fault)| *fault).or(rows.map(|(_, fault)| fault)).or(columns.map(|(_, fault)| fault))
    }

    fn answered(&self, request: &Request) -> Result<Answer, ExchangeError> {
        let varbinds = self.answer(request);
        if varbinds.iter().any(|varbind| Some(&varbind.oid) == self.broken.as_ref()) {
            return Err(ExchangeError::Status { status: ErrorStatus::GeneralError, oid: None });
        }
        Ok(Answer { varbinds: varbinds.into_iter().collect(), round_trip: Some(Duration::from_millis(3)) })
    }

    fn answer(&self, request: &Request) -> Vec<VarBind> {
        let instance = |oid: &Oid| VarBind {
            oid: oid.clone(),
            value: self.instances.get(oid).cloned().unwrap_or(Value::NoSuchInstance),
        };
        let successor = |oid: &Oid| {
            let next = self.instances.range((Bound::Excluded(oid.clone()), Bound::Unbounded)).next();
            let end = || VarBind { oid: oid.clone(), value: Value::EndOfMibView };
            next.map_or_else(end, |(oid, value)| VarBind { oid: oid.clone(), value: value.clone() })
        };
        match request {
            Request::Get(names) => names.iter().map(instance).collect(),
            Request::GetBulk { after, rows } => {
                let mut cursors = after.clone();
                let mut varbinds = Vec::new();
                for _ in 0..*rows {
                    for cursor in &mut cursors {
                        let varbind = successor(cursor);
                        cursor.clone_from(&varbind.oid);
                        varbinds.push(varbind);
                    }
                }
                varbinds
            }
        }
    }
}

impl Engine for FakeAgent {
    fn exchange<'a>(&'a self, request: &'a Request, timeout: Duration) -> Pending<'a, Result<Answer, ExchangeError>> {
        let mut script = self.0.lock().unwrap();
        script.asked.push(request.clone());
        script.timeouts.push(timeout);
        let outcome = match script.fault(request) {
            None => script.answered(request),
            Some(Fault::Silence) => Err(ExchangeError::TimedOut),
            Some(Fault::TooBig) => Err(ExchangeError::Status { status: ErrorStatus::TooBig, oid: None }),
            Some(Fault::General) => Err(ExchangeError::Status { status: ErrorStatus::GeneralError, oid: None }),
            Some(Fault::UnknownUser) => Err(ExchangeError::Refused(V3Refusal::UnknownUser)),
        };
        Box::pin(async move { outcome })
    }

    fn diagnose(&self, _timeout: Duration) -> Pending<'_, Diagnosis> {
        Box::pin(async { Diagnosis::Silent })
    }

    fn engine_time(&self) -> Option<EngineTime> {
        let mut script = self.0.lock().unwrap();
        let (time, step) = script.engine_time.as_mut()?;
        time.seconds += *step;
        Some(*time)
    }
}

fn uptime() -> Vec<Oid> {
    vec![Oid::from_arcs(&SYS_UPTIME)]
}

fn read_cells(table: &Table) -> usize {
    table.cells.rows().map(|(_, row)| row.iter().flatten().count()).sum()
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_a_longer_timeout() {
    let agent = FakeAgent::with(&[]);
    agent.set(|script| script.next = [Some(Fault::Silence), Some(Fault::Silence)].into());
    let mut session = agent.session();
    let values = session.get(&uptime()).await.unwrap();
    assert_eq!(values.first().map(|varbind| &varbind.value), Some(&Value::TimeTicks(4_200)));
    assert_eq!(session.spent().timeouts, 2);
    agent.set(|script| assert!(script.timeouts.is_sorted() && script.timeouts[2] == script.timeouts[0] * 4));
}

#[tokio::test]
async fn a_dead_device_is_asked_twice_and_then_no_more_in_the_round() {
    let agent = FakeAgent::table(10);
    agent.set(|script| script.dead = true);
    let mut session = agent.session();
    let error = session.probe(&uptime()).await.unwrap_err();
    assert!(matches!(error, RequestError::NoAnswer { tries: 2, reason: Silence::Community, .. }), "{error}");
    for word in ["192.0.2.1:161", "2 questions", "3000 ms", "unreachable", "community", "access list"] {
        assert!(error.to_string().contains(word), "{error} lacks {word}");
    }
    let table = session.walk(&[NAME, SPEED]).await;
    assert!(matches!(table.failures.as_slice(), [(NAME, RequestError::Gone { .. })]), "{:?}", table.failures);
    assert_eq!(agent.asked().len(), 2);

    agent.set(|script| script.dead = false);
    session.begin_round(Budget::default());
    assert_eq!(read_cells(&session.walk(&[NAME, SPEED]).await), 20);
}

#[tokio::test]
async fn a_device_that_dies_in_the_middle_keeps_what_it_told_and_costs_few_questions_more() {
    let agent = FakeAgent::table(200);
    let mut session = agent.session();
    agent.set(|script| {
        script.next = std::iter::repeat_n(None, 5).chain(std::iter::repeat_n(Some(Fault::Silence), 99)).collect();
    });
    let table = session.walk(&[NAME, SPEED, ALIAS]).await;
    assert!(read_cells(&table) > 60, "{}", read_cells(&table));
    assert!(table.cells.ends.iter().all(|(_, end)| *end == ColumnEnd::Abandoned));
    assert!(table.failures.iter().any(|(_, error)| matches!(error, RequestError::NoAnswer { tries: TRIES, .. })));
    assert!(agent.asked().len() <= 5 + 3 + 2, "{}", agent.asked().len());
}

#[tokio::test]
async fn answers_that_are_too_big_lower_the_rows_until_they_fit() {
    for fault in [Fault::TooBig, Fault::Silence] {
        let agent = FakeAgent::table(40);
        agent.set(|script| script.rows_max = Some((2, fault)));
        let table = agent.session().walk(&[NAME, SPEED, ALIAS]).await;
        assert_eq!(read_cells(&table), 120, "{fault:?}");
        assert!(table.failures.is_empty());
    }
}

#[tokio::test]
async fn an_object_behind_a_column_that_the_agent_fails_on_costs_nothing_of_the_column() {
    let agent = FakeAgent::table(40);
    // The second object behind the end of the speeds.
    agent.set(|script| script.broken = Some(Oid::from_arcs(&[1, 3, 3, 2])));
    let mut session = agent.session();
    let table = session.walk(&[NAME, SPEED]).await;
    assert_eq!(table.failures.iter().map(|(_, error)| error.to_string()).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(read_cells(&table), 80);
}

#[tokio::test]
async fn a_device_that_copes_with_one_column_at_a_time_is_read_whole() {
    let agent = FakeAgent::table(20);
    agent.set(|script| script.columns_max = Some((1, Fault::General)));
    let table = agent.session().walk(&[NAME, SPEED, ALIAS]).await;
    assert_eq!(read_cells(&table), 60);
}

#[tokio::test]
async fn a_column_that_kills_its_answers_costs_that_column_only() {
    let agent = FakeAgent::table(20);
    agent.set(|script| script.below = Some((Oid::from_arcs(SPEED.oid), Fault::Silence)));
    let mut session = agent.session();
    let table = session.walk(&[NAME, SPEED, ALIAS]).await;
    let ends: Vec<_> = table.cells.ends.iter().map(|(_, end)| *end).collect();
    assert_eq!(ends, [ColumnEnd::Complete, ColumnEnd::Abandoned, ColumnEnd::Complete]);
    assert_eq!(read_cells(&table), 40);
    assert!(matches!(
        table.failures.as_slice(),
        [(SPEED, RequestError::NoAnswer { reason: Silence::ThisQuestion, .. })]
    ));
}

#[tokio::test]
async fn a_round_ends_at_its_budget() {
    let agent = FakeAgent::table(500);
    let mut session = agent.session();
    session.begin_round(Budget { requests: 7, time: Duration::MAX });
    let table = session.walk(&[NAME, SPEED, ALIAS]).await;
    assert_eq!(agent.asked().len(), 7);
    assert!(matches!(table.failures.as_slice(), [(NAME, RequestError::BudgetSpent { what: Budgeted::Requests, .. })]));
    assert!(read_cells(&table) > 0);

    session.begin_round(Budget { requests: 100, time: Duration::from_millis(8) });
    session.walk(&[NAME, SPEED, ALIAS]).await;
    assert_eq!(session.spent().requests, 3, "three answers of 3 ms use up 8 ms");
}

#[tokio::test]
async fn a_refused_user_is_named_and_ends_the_round() {
    let agent = FakeAgent::table(5);
    agent.set(|script| script.next = [Some(Fault::UnknownUser)].into());
    let mut session =
        Session::with_engine(Box::new(agent.clone()), "192.0.2.1:161".parse().unwrap(), Some("reader".into()));
    let error = session.probe(&uptime()).await.unwrap_err();
    assert!(error.is_fatal());
    assert!(error.to_string().contains("does not know the SNMPv3 user \"reader\""), "{error}");
}

#[tokio::test]
async fn values_are_put_in_the_order_of_their_names() {
    let agent = FakeAgent::with(&[(&[1, 1], 1), (&[1, 2], 2)]);
    let names: Vec<Oid> = (0..40).map(|arc| Oid::from_arcs(&[1, arc])).collect();
    let values = agent.session().get(&names).await.unwrap();
    assert_eq!(values.len(), 40);
    assert_eq!(values[1].value, Value::Gauge32(1));
    assert_eq!(values[2].value, Value::Gauge32(2));
    assert_eq!(values[3].value, Value::NoSuchInstance);
    assert!(agent.asked().len() == 3);
}

#[tokio::test]
async fn a_get_that_is_refused_whole_is_split() {
    let agent = FakeAgent::with(&[(&[1, 1], 1)]);
    agent.set(|script| script.columns_max = Some((1, Fault::TooBig)));
    let names: Vec<Oid> = (0..4).map(|arc| Oid::from_arcs(&[1, arc])).collect();
    let values = agent.session().get(&names).await.unwrap();
    assert_eq!(values[1].value, Value::Gauge32(1));
    assert_eq!(values.len(), 4);
}

#[tokio::test]
async fn an_engine_clock_that_runs_wrong_is_named_and_one_that_runs_as_ours_is_not() {
    for (step, named) in [(0, false), (1_000, true)] {
        let agent = FakeAgent::with(&[]);
        agent.set(|script| script.engine_time = Some((EngineTime { boots: 2, seconds: 50 }, step)));
        let mut session = agent.session();
        for _ in 0..2 {
            session.begin_round(Budget::default());
            session.probe(&uptime()).await.unwrap();
        }
        let words: Vec<_> = session.quirks().iter().map(|quirk| quirk.error).collect();
        assert_eq!(words.contains(&TableProblem::EngineTimeDrift), named, "{words:?}");
    }
}

#[tokio::test]
async fn a_device_that_copes_with_little_at_once_is_named() {
    let agent = FakeAgent::table(40);
    let mut session = agent.session();
    session.walk(&[NAME, SPEED, ALIAS]).await;
    assert_eq!(session.quirks(), []);
    agent.set(|script| script.rows_max = Some((2, Fault::TooBig)));
    session.walk(&[NAME, SPEED, ALIAS]).await;
    assert_eq!(session.quirks().iter().map(|quirk| quirk.error).collect::<Vec<_>>(), [TableProblem::SmallAnswers]);
}

#[tokio::test]
async fn a_scalar_comes_with_the_last_question_unless_something_is_read_behind_it() {
    const NEW: Column = Column { name: "new", oid: &[1, 3, 9] };
    let agent = FakeAgent::table(3);
    let mut session = agent.session();
    let tables: [&[Column]; 1] = [&[NAME, SPEED, NEW]];
    assert_eq!(session.walk_tables_and(&tables, &SYS_UPTIME).await.1, None, "it is not known yet what is absent");
    agent.set(|script| script.asked.clear());
    let (read, uptime) = session.walk_tables_and(&tables, &SYS_UPTIME).await;
    assert_eq!((read[0].cells.len(), uptime), (3, Some(Value::TimeTicks(4_200))));
    let names = [NEW.oid, &[1, 3, 6, 1, 2, 1, 1, 3]].map(Oid::from_arcs).to_vec();
    assert_eq!(agent.asked().last(), Some(&Request::GetBulk { after: names, rows: 1 }));
    assert_eq!(agent.asked().len(), 2);

    agent.set(|script| _ = script.instances.insert(Oid::joined(NEW.oid, &[2]), Value::Gauge32(7)));
    let (read, uptime) = session.walk_tables_and(&tables, &SYS_UPTIME).await;
    assert_eq!(read[0].cells.row(&[2])[2], Some(Value::Gauge32(7)));
    assert_eq!(uptime, None);
}

#[tokio::test]
async fn an_agent_that_copes_with_one_column_alone_is_not_asked_for_a_scalar_besides() {
    let agent = FakeAgent::table(3);
    agent.set(|script| script.columns_max = Some((1, Fault::General)));
    let mut session = agent.session();
    for _ in 0..2 {
        let (read, uptime) = session.walk_tables_and(&[&[NAME, SPEED, ALIAS]], &SYS_UPTIME).await;
        assert_eq!((read[0].cells.len(), read[0].failures.len(), uptime), (3, 0, None));
    }
}
