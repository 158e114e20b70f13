//! Asks by packets: when each is due, what came, what is said of it.
//!
//! Invariant: an answer counts for the probe that it carries the number of, and only when it comes from that probe's address.

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use onenet_topology::{ProbeKind, ProbeState};
use tokio::{sync::mpsc, time::sleep};

use super::{
    LOOKED_UP_MAX, Said,
    lines::{Lines, Refused, Through, family},
    sizer::Sized,
    start_after, state,
};
use crate::{
    Plan, Target, clock,
    clock::{Now, ntp_difference_us},
    closer::CLOSER,
    echo::{self, Carried, Token},
    gateway,
    judge::Verdict,
    net::{Datagram, Inbox},
    path::PathMtu,
    plan::micros,
    stamp::{Answer, Question},
    track::{Reflected, Track},
};

/// What is due within this time is done at once.
const TOGETHER_US: u64 = 10_000;

/// How often a name or the gateway is looked up again, and how often while there is none.
const LOOK_UP_US: u64 = 300_000_000;
const LOOK_UP_SOON_US: u64 = 10_000_000;

/// How often it is looked how large packets may be on a way, and how soon again when it came up.
const PATH_US: u64 = 900_000_000;
const PATH_SOON_US: u64 = 60_000_000;

/// A probe that is asked.
struct Probing {
    plan: Arc<Plan>,
    track: Track,
    next_us: u64,
    /// When it is looked closer, where that may be wanted.
    between_us: Option<u64>,
    address: Option<SocketAddr>,
    look_up_us: u64,
    /// Why there is no address.
    nowhere: String,
    /// Why nothing can be judged, as it was said last.
    unjudged: Option<String>,
    /// When it is looked how large packets may be, when that was done last, what was found, and what is wrong with it.
    path_us: u64,
    path_looked_us: u64,
    path: Option<PathMtu>,
    path_problem: Option<String>,
}

/// What a question is sent by, for which probe, and when.
#[derive(Clone, Copy)]
struct Sending<'a> {
    lines: &'a Lines,
    token: Token,
    place: usize,
    now: Now,
}

/// A name that was looked up.
struct LookedUp {
    place: usize,
    address: Result<SocketAddr, String>,
}

/// Asks by packets.
pub(super) struct Asker {
    probes: Vec<Probing>,
    /// When each has something to do.
    due: BTreeSet<(u64, usize)>,
    token: Token,
    said: mpsc::Sender<Said>,
    /// What is to be said, in order.
    saying: Vec<Said>,
    looked_up: mpsc::Receiver<LookedUp>,
    look_up: mpsc::Sender<LookedUp>,
    size: mpsc::Sender<(usize, IpAddr)>,
    sized: mpsc::Receiver<Sized>,
}

impl Asker {
    /// Returns what asks these.
    pub(super) fn new(
        plans: Vec<Arc<Plan>>,
        token: Token,
        said: mpsc::Sender<Said>,
        size: mpsc::Sender<(usize, IpAddr)>,
        sized: mpsc::Receiver<Sized>,
    ) -> Self {
        let now_us = clock::now().us;
        let (look_up, looked_up) = mpsc::channel(LOOKED_UP_MAX);
        let probe = |(number, plan): (usize, Arc<Plan>)| Probing {
            track: Track::new(plan.thresholds.rules(), micros(plan.timeout), now_us)
                .with_window_us(micros(plan.window)),
            next_us: now_us.saturating_add(micros(start_after(token, number, plan.interval))),
            between_us: None,
            address: None,
            look_up_us: now_us,
            nowhere: String::new(),
            unjudged: None,
            path_us: now_us,
            path_looked_us: 0,
            path: None,
            path_problem: None,
            plan,
        };
        let probes: Vec<Probing> = plans.into_iter().enumerate().map(probe).collect();
        let due = probes.iter().enumerate().map(|(place, probe)| (probe.next_us, place)).collect();
        Self { probes, due, token, said, saying: Vec::new(), looked_up, look_up, size, sized }
    }

    /// Asks for ever.
    pub(super) async fn run(mut self, lines: Lines) {
        let mut inboxes = (Inbox::new(true), Inbox::new(false));
        loop {
            let wait = self.due.first().map_or(LOOK_UP_US, |(due, _)| due.saturating_sub(clock::now().us));
            // A timer has a resolution of a millisecond: what is due at the same hundredth goes together.
            let wait = Duration::from_micros(wait.next_multiple_of(1_000).max(1_000));
            tokio::select! {
                through = lines.readable() => self.receive(&lines, through, &mut inboxes),
                Some(found) = self.looked_up.recv() => self.found(found),
                Some(sized) = self.sized.recv() => self.sized(sized),
                () = sleep(wait) => self.act(&lines),
            }
            for said in std::mem::take(&mut self.saying) {
                if self.said.send(said).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Does what is due.
    fn act(&mut self, lines: &Lines) {
        let now = clock::now();
        let until = now.us.saturating_add(TOGETHER_US);
        // Each once: what is due again within that time, when a question's time is over, is waited for and not asked about on and on.
        let later = self.due.split_off(&(until.saturating_add(1), 0));
        for (_, place) in std::mem::replace(&mut self.due, later) {
            self.attend(lines, place);
        }
    }

    /// Does what is due for one probe.
    fn attend(&mut self, lines: &Lines, place: usize) {
        let now = clock::now();
        self.look_up_if_due(place, now.us);
        let with = Sending { lines, token: self.token, place, now };
        let Some(probe) = self.probes.get_mut(place) else { return };
        let mut changed = probe.track.expire(now.us);
        if probe.next_us <= now.us.saturating_add(TOGETHER_US) {
            changed |= probe.ask(with, &mut self.saying);
            let interval_us = micros(probe.plan.interval).max(TOGETHER_US);
            probe.next_us = probe.next_us.saturating_add(interval_us);
            if probe.next_us <= now.us {
                // The machine slept, or is overloaded: what was missed is not made up for.
                probe.next_us = now.us.saturating_add(interval_us);
            }
            // STAMP counts by numbers what was lost on either way: it keeps its pace.
            let may_look = probe.plan.kind == ProbeKind::Icmp;
            probe.between_us = may_look.then(|| now.us.saturating_add(interval_us / CLOSER));
        } else if probe.between_us.is_some_and(|due| due <= now.us.saturating_add(TOGETHER_US)) {
            changed |= probe.look_closer(with, &mut self.saying);
        }
        probe.size_if_due(&self.size, place, now.us);
        if let Some(mut closed) = probe.track.close(&probe.plan.name, now.us) {
            changed |= closed.changed;
            closed.sample.path_mtu = probe.path.map(|path| path.bytes);
            let age_ms = now.us.saturating_sub(closed.ended_us) / 1_000;
            let (plan, sample) = (Arc::clone(&probe.plan), Box::new(closed.sample));
            self.saying.push(Said::Sample { plan, sample, age_ms });
        }
        if changed {
            self.saying.push(state(&probe.plan, probe.track.verdict(), now.us));
        }
        let next = [probe.track.next_us(), probe.between_us].into_iter().flatten().min();
        let due = next.map_or(probe.next_us, |next| next.min(probe.next_us));
        self.due.insert((due.max(now.us.saturating_add(1_000)), place));
    }

    fn receive(&mut self, lines: &Lines, through: Through, (v4, v6): &mut (Inbox, Inbox)) {
        let family = match through {
            Through::Echo(family) | Through::Udp(family) => family,
        };
        let inbox = if family == echo::Family::V4 { v4 } else { v6 };
        lines.receive(through, inbox, |datagram| match through {
            Through::Echo(family) => {
                if let Some(carried) = echo::answer(family, self.token, datagram.bytes) {
                    self.echoed(carried, &datagram);
                }
            }
            Through::Udp(_) => self.reflected(&datagram),
        });
    }

    fn echoed(&mut self, carried: Carried, datagram: &Datagram<'_>) {
        let Ok(place) = usize::try_from(carried.probe) else { return };
        let Some(probe) = self.probes.get_mut(place) else { return };
        if probe.address.is_some_and(|address| address.ip() == datagram.from.ip())
            && probe.answer(carried.sequence, datagram.at.us, None)
        {
            self.saying.push(state(&probe.plan, probe.track.verdict(), datagram.at.us));
        }
    }

    fn reflected(&mut self, datagram: &Datagram<'_>) {
        let from = |address: SocketAddr| (address.ip(), address.port()) == (datagram.from.ip(), datagram.from.port());
        for (place, probe) in self.probes.iter_mut().enumerate() {
            if probe.plan.kind != ProbeKind::Stamp || !probe.address.is_some_and(from) {
                continue;
            }
            let Some(answer) = Answer::read(datagram.bytes, probe.plan.key.as_ref()) else { continue };
            if answer.question.session != session(place) {
                continue;
            }
            if probe.answer(answer.question.sequence, datagram.at.us, Some(said(&answer, datagram.at))) {
                self.saying.push(state(&probe.plan, probe.track.verdict(), datagram.at.us));
            }
            return;
        }
    }

    /// Takes how large packets may be.
    fn sized(&mut self, Sized { place, found }: Sized) {
        let Some(probe) = self.probes.get_mut(place) else { return };
        // What could not be found out now is as it was.
        let Some(path) = found else { return };
        probe.path = Some(path);
        probe.path_problem = path
            .is_black_hole
            .then(|| format!("packets over {} bytes vanish on the way, and nothing says so", path.bytes));
    }

    fn look_up_if_due(&mut self, place: usize, now_us: u64) {
        let Some(probe) = self.probes.get_mut(place) else { return };
        if probe.look_up_us > now_us {
            return;
        }
        probe.look_up_us = now_us.saturating_add(LOOK_UP_SOON_US);
        match (&probe.plan.target, probe.plan.host_and_port()) {
            (Target::Gateway, _) => {
                let found = gateway::find().map(|address| SocketAddr::new(address, 0));
                self.found(LookedUp { place, address: found.ok_or_else(|| "there is no default route".to_owned()) });
            }
            (Target::Host { .. }, Some((host, port))) => {
                if let Ok(address) = host.parse::<IpAddr>() {
                    self.found(LookedUp { place, address: Ok(SocketAddr::new(address, port)) });
                } else {
                    let (host, answer) = (host.to_owned(), self.look_up.clone());
                    tokio::spawn(async move {
                        let address = look_up(&host, port).await;
                        let _ = answer.send(LookedUp { place, address }).await;
                    });
                }
            }
            _ => {}
        }
    }

    fn found(&mut self, LookedUp { place, address }: LookedUp) {
        let Some(probe) = self.probes.get_mut(place) else { return };
        match address {
            Ok(address) => {
                probe.address = Some(address);
                // The gateway changes with the network; names seldom.
                if probe.plan.target != Target::Gateway {
                    probe.look_up_us = clock::now().us.saturating_add(LOOK_UP_US);
                }
            }
            // Whoever was found before is asked on: names are not known either when a line is cut.
            Err(why) => probe.nowhere = why,
        }
    }
}

impl Probing {
    /// Takes an answer. Returns whether the verdict changed.
    fn answer(&mut self, sequence: u32, came_us: u64, said: Option<Reflected>) -> bool {
        let was_up = self.is_up();
        let changed = self.track.answer(sequence, came_us, said, self.path_problem.as_deref());
        if !was_up && self.is_up() {
            // Another way may lead there now.
            self.path_us = self.path_looked_us.saturating_add(PATH_SOON_US).min(self.path_us);
        }
        changed
    }

    fn is_up(&self) -> bool {
        matches!(self.track.verdict().state, ProbeState::Up | ProbeState::Degraded)
    }

    /// Has it looked how large packets may be, when it is time.
    fn size_if_due(&mut self, size: &mpsc::Sender<(usize, IpAddr)>, place: usize, now_us: u64) {
        let Some(to) = self.address.filter(|_| self.path_us <= now_us && self.is_up()) else { return };
        // Where too many wait, another time.
        if size.try_send((place, to.ip())).is_ok() {
            (self.path_looked_us, self.path_us) = (now_us, now_us.saturating_add(PATH_US));
        }
    }

    /// Asks once. Returns whether the verdict changed.
    fn ask(&mut self, with: Sending<'_>, saying: &mut Vec<Said>) -> bool {
        let Some(to) = self.address else {
            return match self.plan.target {
                Target::Gateway => {
                    self.unjudged("there is no default route", with.now.us, saying);
                    false
                }
                // The first look is under way.
                Target::Host { .. } if self.nowhere.is_empty() => false,
                Target::Host { .. } => {
                    let (sequence, why) = (self.track.ask(with.now.us), self.nowhere.clone());
                    self.track.fail(sequence, &why)
                }
            };
        };
        let sequence = self.track.ask(with.now.us);
        self.send(sequence, to, with, saying)
    }

    /// Asks between two questions, if a closer look is wanted. Returns whether the verdict changed.
    fn look_closer(&mut self, with: Sending<'_>, saying: &mut Vec<Said>) -> bool {
        let wait_us = micros(self.plan.interval) / CLOSER;
        let asked = self.address.and_then(|to| Some((self.track.ask_between(with.now.us, wait_us)?, to)));
        let again_us = with.now.us.saturating_add(wait_us);
        self.between_us = asked.map(|_| again_us).filter(|again| again.saturating_add(wait_us / 2) < self.next_us);
        asked.is_some_and(|(sequence, to)| self.send(sequence, to, with, saying))
    }

    /// Sends a question. Returns whether the verdict changed.
    fn send(&mut self, sequence: u32, to: SocketAddr, with: Sending<'_>, saying: &mut Vec<Said>) -> bool {
        let Sending { lines, token, place, now } = with;
        let sent = if self.plan.kind == ProbeKind::Stamp {
            let question = Question { sequence, sent: now.ntp(), session: session(place) };
            let packet = question.packet(self.plan.key.as_ref(), 0);
            lines.send(Through::Udp(family(to.ip())), &packet, to)
        } else {
            let probe = u32::try_from(place).unwrap_or(u32::MAX);
            let packet = echo::question(family(to.ip()), token, Carried { probe, sequence });
            lines.send(Through::Echo(family(to.ip())), &packet, SocketAddr::new(to.ip(), 0))
        };
        match sent {
            Ok(()) => {
                self.unjudged = None;
                false
            }
            Err(Refused::System(error)) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(Refused::System(error)) => self.track.fail(sequence, &format!("cannot be sent: {error}")),
            Err(Refused::NoSocket(why)) => {
                self.track.forget(sequence);
                self.unjudged(&why, now.us, saying);
                false
            }
        }
    }

    /// Says, once, why nothing can be judged.
    fn unjudged(&mut self, why: &str, now_us: u64, saying: &mut Vec<Said>) {
        if self.unjudged.as_deref() == Some(why) {
            return;
        }
        self.unjudged = Some(why.to_owned());
        let verdict = Verdict { state: ProbeState::Unknown, since_us: now_us, detail: why.to_owned() };
        saying.push(state(&self.plan, &verdict, now_us));
    }
}

/// Returns the session of a probe (RFC 8972, section 3): 0 is none.
fn session(place: usize) -> u16 {
    u16::try_from(place % usize::from(u16::MAX)).unwrap_or(0).saturating_add(1)
}

/// Returns what an answer that came at this time says of the exchange.
pub(crate) fn said(answer: &Answer, at: Now) -> Reflected {
    Reflected {
        sequence: answer.sequence,
        out_us: ntp_difference_us(answer.question.sent, answer.received),
        back_us: ntp_difference_us(answer.sent, at.ntp()),
        kept_us: u64::try_from(ntp_difference_us(answer.received, answer.sent)).unwrap_or(0),
    }
}

/// Looks a name up.
async fn look_up(host: &str, port: u16) -> Result<SocketAddr, String> {
    let cannot = |why: &dyn std::fmt::Display| format!("{host} cannot be looked up: {why}");
    let mut found = tokio::net::lookup_host((host, port)).await.map_err(|error| cannot(&error))?;
    found.next().ok_or_else(|| cannot(&"it has no address"))
}
