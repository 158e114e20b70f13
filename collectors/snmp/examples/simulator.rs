//! Simulated 48-port switches for `./tests/bench snmp`, fast enough not to be what is measured, and the floor under what
//! asks them.
//!
//! `simulator serve COUNT PORT [DEAD]` answers at COUNT addresses from 127.1.0.1 on, one switch each, but for every DEADth,
//! which is silent; `serve-plain` gives the switches no forwarding and no address table. Each line on standard input is
//! answered with what was served so far, as JSON; it ends with standard input. Time and counters go on, and every ten seconds a
//! few rows of the tables change.
//! `simulator floor QUESTIONS PORT` asks that many questions whose answers are full, 64 at a time, reads no answer, and prints
//! the CPU seconds it took.

#![expect(clippy::print_stdout, reason = "a program for the command line")]

use std::{
    io::{BufRead as _, Write as _},
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, bail};
use simulated::{Question, Switch, pair, tlv};
use tokio::sync::oneshot;

mod simulated;

/// How many questions of the floor are under way.
const AT_A_TIME: usize = 64;

/// What was served.
#[derive(Default)]
struct Served {
    questions: AtomicU64,
    /// Questions that begin a poll: a GET that names sysDescr and more.
    polls: AtomicU64,
    bytes: AtomicU64,
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let whole = |seconds| Switch::at(1, seconds);
    match arguments.as_slice() {
        ["serve", count, port] => serve(whole, count.parse()?, port.parse()?, None),
        ["serve", count, port, dead] => serve(whole, count.parse()?, port.parse()?, Some(dead.parse()?)),
        ["serve-plain", count, port] => serve(Switch::plain_at, count.parse()?, port.parse()?, None),
        ["floor", questions, port] => floor(questions.parse()?, port.parse()?),
        _ => bail!("usage: simulator serve|serve-plain COUNT PORT [DEAD] | simulator floor QUESTIONS PORT"),
    }
}

fn address(number: u32, port: u16) -> SocketAddr {
    let [_, _, high, low] = (number + 1).to_be_bytes();
    (Ipv4Addr::new(127, 1, high, low), port).into()
}

/// All answer alike, but for the addresses of what is plugged in; what is asked does not show it.
fn serve(
    switch_at: impl Fn(u32) -> Switch + Send + 'static,
    count: u32,
    port: u16,
    dead: Option<u32>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = Arc::new(Served::default());
    let is_dead = |number: u32| dead.is_some_and(|dead| number.is_multiple_of(dead.max(1)));
    let switch = switch_at(0);
    let objects = switch.len();
    let switch = Arc::new(RwLock::new(switch));
    let (stop, stopped) = oneshot::channel();
    let going_on = Arc::clone(&switch);
    std::thread::spawn(move || {
        for seconds in 1.. {
            std::thread::sleep(Duration::from_secs(1));
            let next = switch_at(seconds);
            *going_on.write().unwrap_or_else(PoisonError::into_inner) = next;
        }
    });
    runtime.block_on(async {
        let mut silent = Vec::new();
        for number in 0..count {
            let at = address(number, port);
            let socket = tokio::net::UdpSocket::bind(at).await.with_context(|| format!("cannot open {at}"))?;
            if is_dead(number) {
                // Open and silent: a closed port would refuse at once.
                silent.push(socket);
            } else {
                tokio::spawn(answer(socket, Arc::clone(&switch), Arc::clone(&served)));
            }
        }
        println!("{{\"devices\": {count}, \"objects\": {objects}}}");
        std::thread::spawn(move || {
            tell(&served);
            let _ = stop.send(());
        });
        let _ = stopped.await;
        Ok(())
    })
}

async fn answer(socket: tokio::net::UdpSocket, switch: Arc<RwLock<Switch>>, served: Arc<Served>) {
    let mut buffer = [0; 2_048];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        let datagram = buffer.get(..length).unwrap_or_default();
        let Some(question) = Question::read(datagram) else { continue };
        let begins = question.rows.is_none() && question.names.len() > 1 && question.names.iter().any(is_description);
        let answer = switch.read().unwrap_or_else(PoisonError::into_inner).answer(datagram);
        let Some(answer) = answer else { continue };
        served.questions.fetch_add(1, Ordering::Relaxed);
        served.polls.fetch_add(u64::from(begins), Ordering::Relaxed);
        served.bytes.fetch_add(answer.len() as u64, Ordering::Relaxed);
        let _ = socket.send_to(&answer, from).await;
    }
}

fn is_description(name: &Vec<u32>) -> bool {
    *name == [1, 3, 6, 1, 2, 1, 1, 1, 0]
}

fn tell(served: &Served) {
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    for line in std::io::stdin().lock().lines() {
        if line.is_err() {
            return;
        }
        let (questions, polls, bytes) = (read(&served.questions), read(&served.polls), read(&served.bytes));
        println!("{{\"questions\": {questions}, \"polls\": {polls}, \"bytes\": {bytes}}}");
        let _ = std::io::stdout().flush();
    }
}

/// Asks for five columns of twelve rows, as a poll does, and throws the answers away.
fn floor(questions: u32, port: u16) -> anyhow::Result<()> {
    let columns = [6, 7, 9, 10, 11].map(|column| pair(&[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, column], &tlv(5, &[])));
    let pdu = [tlv(2, &[1]), tlv(2, &[0]), tlv(2, &[12]), tlv(0x30, &columns.concat())].concat();
    let message = tlv(0x30, &[tlv(2, &[1]), tlv(4, b"public"), tlv(0xa5, &pdu)].concat());
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.set_read_timeout(Some(Duration::from_millis(200)))?;
    let mut buffer = vec![0; 65_536];
    let (mut sent, mut received, mut open) = (0, 0, 0);
    while received < questions {
        while open < AT_A_TIME && sent < questions {
            socket.send_to(&message, address(0, port))?;
            (sent, open) = (sent + 1, open + 1);
        }
        if socket.recv_from(&mut buffer).is_ok() {
            (received, open) = (received + 1, open.saturating_sub(1));
        } else {
            // What was lost is asked again.
            (sent, open) = (received, 0);
        }
    }
    println!("{}", cpu_seconds()?);
    Ok(())
}

/// Returns the CPU time of this process, from /proc/self/schedstat of its only thread.
fn cpu_seconds() -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/self/schedstat").context("cannot read /proc/self/schedstat")?;
    let nanoseconds: u64 = text.split_whitespace().next().context("it is empty")?.parse()?;
    Ok(Duration::from_nanos(nanoseconds).as_secs_f64())
}
