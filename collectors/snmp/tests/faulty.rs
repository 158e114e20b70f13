//! Agents that misbehave: what is read through the fault is what a faultless agent tells, or the fault is named; nothing
//! hangs, panics or grows; and a device's fault is that device's alone.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use onenet_snmp::{
    AddressRow, Budget, Caps, Credentials, ForwardingRow, InterfaceCounters, InterfaceIndex, RequestError, Session,
    Sockets, Spent, TableError, TableProblem, poll_addresses, poll_counters, poll_forwarding, poll_interfaces,
    poll_system,
};
use simulated::{Question, Switch, pair, response, tlv};
use tokio::{net::UdpSocket, task::JoinHandle, time::timeout};

#[path = "../examples/simulated/mod.rs"]
#[expect(dead_code, reason = "the simulator of the benchmark uses all of it")]
mod simulated;

/// No test takes longer, whatever its agent does.
const ENDS_WITHIN: Duration = Duration::from_secs(120);

/// What an agent does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Every ninth question is not answered.
    Loss,
    /// Answers come 30 ms late.
    Delay,
    /// Every ninth answer comes after the answer to the same question asked again.
    Reordering,
    /// Each answer comes three times.
    Duplication,
    /// Every third answer is cut in half.
    Truncation,
    /// Garbage of several kinds comes before each answer.
    Garbage,
    /// An answer with another number, and one with another community, come before each answer.
    WrongNumber,
    /// Answers come from another port.
    Elsewhere,
    /// Answers come from another address.
    OtherAddress,
    /// One value of each answer is not what its type is.
    BadValue,
    /// The successors of anything are always the same.
    Loop,
    /// There is always one more row.
    Endless,
    /// Four times as many rows come as were asked for, in answers longer than any device may send.
    Excess,
    /// Whatever is asked for by GETBULK does not fit.
    TooBig,
    /// Nothing but garbage comes.
    OnlyGarbage,
    /// Nothing comes.
    Dead,
}

/// An agent and what it did.
struct Agent {
    address: SocketAddr,
    task: JoinHandle<()>,
    misdeeds: Arc<AtomicUsize>,
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Agent {
    async fn start(fault: Fault) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let elsewhere =
            UdpSocket::bind(if fault == Fault::OtherAddress { "127.0.0.2:0" } else { "127.0.0.1:0" }).await.unwrap();
        let misdeeds = Arc::new(AtomicUsize::new(0));
        let address = socket.local_addr().unwrap();
        let misbehaving = Misbehaving {
            fault,
            switch: Switch::at(7, 0),
            socket: Arc::new(socket),
            elsewhere,
            misdeeds: Arc::clone(&misdeeds),
        };
        Self { address, task: tokio::spawn(misbehaving.run()), misdeeds }
    }
}

struct Misbehaving {
    fault: Fault,
    switch: Switch,
    socket: Arc<UdpSocket>,
    elsewhere: UdpSocket,
    misdeeds: Arc<AtomicUsize>,
}

impl Misbehaving {
    async fn run(self) {
        let mut buffer = vec![0; 2_000];
        let mut held: Option<Vec<u8>> = None;
        for number in 1_usize.. {
            let (length, from) = self.socket.recv_from(&mut buffer).await.unwrap();
            let question = &buffer[..length];
            let Some(answer) = self.switch.answer(question) else { continue };
            if self.fault != Fault::Reordering {
                self.misbehave(number, question, answer, from).await;
            } else if let Some(older) = held.take() {
                // The question was asked again meanwhile: the newer answer comes first.
                self.misdeed();
                self.socket.send_to(&answer, from).await.unwrap();
                self.socket.send_to(&older, from).await.unwrap();
            } else if number.is_multiple_of(9) {
                held = Some(answer);
            } else {
                self.socket.send_to(&answer, from).await.unwrap();
            }
        }
    }

    fn misdeed(&self) {
        self.misdeeds.fetch_add(1, Ordering::Relaxed);
    }

    async fn misbehave(&self, number: usize, question: &[u8], answer: Vec<u8>, to: SocketAddr) {
        let bad = match self.fault {
            Fault::None => false,
            Fault::Loss => number.is_multiple_of(9),
            Fault::Truncation => number.is_multiple_of(3),
            _ => true,
        };
        let messages = if bad {
            self.misdeed();
            self.instead(question, answer)
        } else {
            vec![answer]
        };
        if self.fault == Fault::Delay {
            let socket = Arc::clone(&self.socket);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(30)).await;
                for message in messages {
                    let _ = socket.send_to(&message, to).await;
                }
            });
            return;
        }
        let from = match self.fault {
            Fault::Elsewhere | Fault::OtherAddress => &self.elsewhere,
            _ => &self.socket,
        };
        for message in messages {
            from.send_to(&message, to).await.unwrap();
        }
    }

    /// Returns what is sent instead of an answer.
    fn instead(&self, question: &[u8], answer: Vec<u8>) -> Vec<Vec<u8>> {
        let read = Question::read(question).unwrap();
        match self.fault {
            Fault::Loss | Fault::Dead => Vec::new(),
            Fault::Duplication => vec![answer.clone(), answer.clone(), answer],
            Fault::Truncation => vec![answer[..answer.len() / 2].to_vec()],
            Fault::Garbage => [vec![vec![], vec![0x30], vec![0xff; 900], question.to_vec()], vec![answer]].concat(),
            Fault::OnlyGarbage => vec![vec![], vec![0xff; 900], vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff]],
            Fault::WrongNumber => {
                let other_number = Question { id: &[0x11, 0x22, 0x33], ..copy(&read) };
                let other_community = Question { community: b"somebody else's", ..copy(&read) };
                let lie = pair(&[1, 3, 6, 1, 2, 1, 1, 5, 0], &tlv(4, b"a lie"));
                vec![response(&other_number, &lie), response(&other_community, &lie), answer]
            }
            Fault::BadValue => vec![with_bad_value(&read, answer)],
            Fault::Loop => {
                if read.rows.is_none() {
                    return vec![answer];
                }
                let row = |port| pair(&[1, 3, 6, 1, 2, 1, 2, 2, 1, 7, port], &tlv(2, &[1]));
                vec![response(&read, &(1..=20).flat_map(row).collect::<Vec<u8>>())]
            }
            Fault::Endless => {
                read.rows.map_or_else(|| vec![answer], |rows| vec![response(&read, &invented(&read, rows))])
            }
            Fault::Excess => {
                let Some(rows) = read.rows else { return vec![answer] };
                vec![response(&read, &invented(&read, rows * 4))]
            }
            Fault::TooBig => match read.rows {
                Some(_) => vec![too_big(answer)],
                None => vec![answer],
            },
            Fault::None | Fault::Delay | Fault::Reordering | Fault::Elsewhere | Fault::OtherAddress => vec![answer],
        }
    }
}

/// Returns rows of successors that are made up as they are asked for: after any name there is another.
fn invented(question: &Question<'_>, rows: u32) -> Vec<u8> {
    const FIRST: u32 = 1_000_000;
    let mut names = question.names.clone();
    let mut pairs = Vec::new();
    for _ in 0..rows {
        for name in &mut names {
            match name.last_mut().filter(|last| **last >= FIRST) {
                Some(last) => *last += 1,
                None => name.push(FIRST),
            }
            pairs.extend(pair(name, &tlv(2, &[1])));
        }
    }
    pairs
}

/// Changes the error status of an answer, the second of the numbers before the list, to tooBig.
fn too_big(mut answer: Vec<u8>) -> Vec<u8> {
    let zeros = answer.windows(6).position(|bytes| bytes == [2, 1, 0, 2, 1, 0]).unwrap();
    answer[zeros + 2] = 1;
    answer
}

fn copy<'a>(question: &Question<'a>) -> Question<'a> {
    Question { community: question.community, id: question.id, rows: question.rows, names: question.names.clone() }
}

/// Changes the type of the last value, a number of one byte at least, to one that it cannot be: an address.
fn with_bad_value(question: &Question<'_>, mut answer: Vec<u8>) -> Vec<u8> {
    if question.rows.is_some()
        && let [.., 0x02, 1, _] = answer.as_slice()
    {
        let place = answer.len() - 3;
        answer[place] = 0x40;
    }
    answer
}

/// What one poll brings.
#[derive(Debug, Default, PartialEq)]
struct Told {
    counters: Vec<InterfaceCounters>,
    forwarding: Vec<ForwardingRow>,
    addresses: Vec<AddressRow>,
}

async fn poll(sockets: &Sockets, at: SocketAddr) -> Result<(Told, Vec<TableError>, Spent), RequestError> {
    let credentials = Credentials::community("public").unwrap();
    let mut session = Session::open(sockets, at, &credentials).await?;
    session.begin_round(Budget::default());
    poll_system(&mut session).await?;
    let names = InterfaceIndex::new(poll_interfaces(&mut session).await.rows);
    let counters = poll_counters(&mut session).await;
    let forwarding = poll_forwarding(&mut session).await.resolve(&names);
    let addresses = poll_addresses(&mut session).await.resolve(&names);
    let errors = [counters.errors, forwarding.errors, addresses.errors].concat();
    let told = Told { counters: counters.rows, forwarding: forwarding.rows, addresses: addresses.rows };
    Ok((told, errors, session.spent()))
}

async fn faultless() -> (Told, Vec<TableError>) {
    let agent = Agent::start(Fault::None).await;
    let sockets = Sockets::open(1).await.unwrap();
    let (told, errors, spent) = poll(&sockets, agent.address).await.unwrap();
    assert_eq!((told.counters.len(), told.forwarding.len(), told.addresses.len()), (52, 300, 200));
    assert!(spent.requests < 100, "{spent:?}");
    (told, errors)
}

#[tokio::test]
async fn what_is_read_through_a_fault_is_what_a_faultless_agent_tells() {
    let expected = Arc::new(faultless().await);
    let faults = [
        Fault::Loss,
        Fault::Delay,
        Fault::Reordering,
        Fault::Duplication,
        Fault::Truncation,
        Fault::Garbage,
        Fault::WrongNumber,
        Fault::Elsewhere,
        Fault::OtherAddress,
    ];
    let polls = faults.map(|fault| tokio::spawn(told_through(fault, Arc::clone(&expected))));
    for polling in polls {
        polling.await.unwrap();
    }
}

async fn told_through(fault: Fault, expected: Arc<(Told, Vec<TableError>)>) {
    let agent = Agent::start(fault).await;
    let sockets = Sockets::open(1).await.unwrap();
    let polled = timeout(ENDS_WITHIN, poll(&sockets, agent.address)).await;
    let (told, found, spent) = polled.unwrap_or_else(|_| panic!("{fault:?} hangs")).unwrap();
    let counts = sockets.counts();
    assert!(told == expected.0 && found == expected.1, "{fault:?} changes what is told: {found:?}");
    assert_eq!(sockets.waiting(), 0, "{fault:?} leaves questions behind");
    assert!(agent.misdeeds.load(Ordering::Relaxed) >= 4, "{fault:?} did not happen");
    assert!(spent.requests < 80, "{fault:?} makes a poll of 40 questions {} long", spent.requests);
    match fault {
        Fault::Loss | Fault::Reordering => assert!(spent.timeouts >= 4),
        Fault::Duplication => assert!(counts.unasked > 20),
        Fault::Garbage => assert!(counts.unreadable > 50),
        Fault::WrongNumber => assert!(counts.unasked > 40),
        Fault::Elsewhere | Fault::OtherAddress => assert_eq!(counts.from_elsewhere, counts.answers),
        _ => {}
    }
}

#[tokio::test]
async fn a_bad_value_costs_that_value_alone() {
    let (expected, _) = faultless().await;
    let agent = Agent::start(Fault::BadValue).await;
    let sockets = Sockets::open(1).await.unwrap();
    let (told, errors, spent) = poll(&sockets, agent.address).await.unwrap();
    assert_eq!((told.counters.len(), told.addresses.len()), (52, 200));
    assert!(errors.iter().any(|error| error.error == TableProblem::Malformed), "{errors:?}");
    let lost = expected.forwarding.len() - told.forwarding.len();
    assert!(lost > 0 && lost <= usize::try_from(spent.requests).unwrap(), "{lost} rows lost in {spent:?}");
}

#[tokio::test]
async fn an_endless_walk_ends_and_is_named() {
    let agent = Agent::start(Fault::Loop).await;
    let sockets = Sockets::open(1).await.unwrap();
    let (_, errors, spent) = timeout(ENDS_WITHIN, poll(&sockets, agent.address)).await.unwrap().unwrap();
    assert!(errors.iter().any(|error| error.error == TableProblem::Loop), "{errors:?}");
    assert!(spent.requests < 100, "{spent:?}");
}

#[tokio::test]
async fn a_table_without_an_end_is_read_up_to_its_cap_and_named() {
    const ROWS: usize = 500;
    for fault in [Fault::Endless, Fault::Excess] {
        let agent = Agent::start(fault).await;
        let sockets = Sockets::open(1).await.unwrap();
        let mut session =
            Session::open(&sockets, agent.address, &Credentials::community("public").unwrap()).await.unwrap();
        session.set_caps(Caps { rows: ROWS, ..Caps::default() });
        let polled = timeout(ENDS_WITHIN, poll_counters(&mut session)).await.unwrap();
        assert_eq!(polled.rows.len(), ROWS, "{fault:?}");
        assert!(polled.errors.iter().any(|error| error.error == TableProblem::TooManyRows), "{fault:?}");
        assert!(polled.is_partial() && !polled.quirks().is_empty(), "{fault:?}");
        assert!(session.spent().requests < 2_000, "{fault:?}: {:?}", session.spent());
        assert_eq!(sockets.waiting(), 0, "{fault:?} leaves questions behind");
    }
}

#[tokio::test]
async fn an_agent_whose_answers_never_fit_ends_with_its_status_and_costs_few_questions() {
    let agent = Agent::start(Fault::TooBig).await;
    let sockets = Sockets::open(1).await.unwrap();
    let (told, errors, spent) = timeout(ENDS_WITHIN, poll(&sockets, agent.address)).await.unwrap().unwrap();
    assert_eq!(told, Told::default());
    assert!(errors.iter().any(|error| error.error == TableProblem::ErrorStatus), "{errors:?}");
    assert!(spent.requests < 200 && spent.timeouts == 0, "{spent:?}");
}

#[tokio::test]
async fn an_agent_that_sends_nothing_but_garbage_is_silent_and_costs_few_questions() {
    let agent = Agent::start(Fault::OnlyGarbage).await;
    let sockets = Sockets::open(1).await.unwrap();
    let error = timeout(ENDS_WITHIN, poll(&sockets, agent.address)).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), "no_answer", "{error}");
    assert!(sockets.counts().unreadable >= 4);
    assert_eq!(sockets.waiting(), 0);
}

/// One socket asks them all at once, as the agent does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_dead_devices_change_nothing_for_the_living() {
    const LIVING: usize = 100;
    const DEAD: usize = 100;
    let (expected, _) = faultless().await;
    let sockets = Sockets::open(1).await.unwrap();
    let mut agents = Vec::new();
    for place in 0..LIVING + DEAD {
        agents.push(Agent::start(if place % 2 == 0 { Fault::None } else { Fault::Dead }).await);
    }
    let polls: Vec<_> = agents
        .iter()
        .map(|agent| {
            let (sockets, at) = (sockets.clone(), agent.address);
            tokio::spawn(async move { poll(&sockets, at).await })
        })
        .collect();
    let (mut living, mut dead) = (0, 0);
    for polling in polls {
        match timeout(ENDS_WITHIN, polling).await.unwrap().unwrap() {
            Ok((told, _, _)) => {
                assert!(told == expected);
                living += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), "no_answer", "{error}");
                dead += 1;
            }
        }
    }
    assert_eq!((living, dead, sockets.waiting()), (LIVING, DEAD, 0));
}
