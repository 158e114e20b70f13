//! Recognises what a flow carries, from the first payloads of each direction.
//!
//! A [`Recogniser`] lives beside each flow. While [`Recogniser::is_done`] says no, it is given the payloads in the order in
//! which they came; retransmissions may be left out, bytes that were not seen are told by [`Recogniser::gap`]. What it
//! concludes is read at any time: an application that was read from payload, or else one that a port suggests, marked as
//! a guess, and withdrawn when payload contradicts it. Payload decides; a port only says what is tried first.
//!
//! Invariants: 24 bytes a flow; details only where there is something to tell, at most [`DETAIL_OCTETS_MAX`] a flow; what
//! spans segments is put together in [`Assemblies`], which all flows of a table share and which is bounded in itself. After
//! [`PAYLOADS_MAX`] payloads at most it is done. No bytes make it panic, and no secret has a place among the details.
//!
//! Formats that are small, or of which only the first bytes count, are read here by hand over borrowed bytes: the parsers
//! to be had (tls-parser, httparse, hickory-proto, simple-dns …) want whole messages, allocate, or bring a tree of
//! dependencies for a hundred lines. Certificates are read by `x509-parser`, hashes and QUIC's keys are `ring`'s, both of
//! which the product has anyway.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::as_conversions)]

use onenet_topology::application::Application;

mod assembly;
mod calls;
mod database;
mod details;
mod directory;
mod discovery;
mod dns;
mod files;
mod headers;
mod hj212;
mod industrial;
mod ja4;
mod mail;
mod management;
mod media;
mod ntlm;
mod peers;
mod quic;
mod reader;
mod registry;
mod remote;
mod tls;
mod tunnel;
mod web;

pub use assembly::Assemblies;
pub use details::{Detail, Details, OCTETS_MAX as DETAIL_OCTETS_MAX};

use self::{
    assembly::Ticket,
    media::{Rtp, STREAM_PACKETS},
    registry::{Choice, Doubt},
};

/// How many payloads are looked at to find a name for the flow.
const SEARCH_MAX: u8 = 10;
/// How many payloads are looked at in all.
pub const PAYLOADS_MAX: u8 = 24;

const TCP: u8 = 6;
const UDP: u8 = 17;

/// Looks into the first payloads of a flow.
#[derive(Debug)]
pub struct Recogniser {
    details: Option<Box<Details>>,
    work: Work,
    /// Of the originator and of the responder.
    ports: [u16; 2],
    application: Option<Application>,
    heard: u8,
    state: State,
    /// How many packets of one source followed each other.
    stream: u8,
}

/// What a recogniser concluded so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Conclusion {
    /// What the flow carries, where that is known.
    pub application: Option<Application>,
    /// Whether that was read from payload; suggested by a port otherwise.
    pub by_payload: bool,
}

/// What is kept between two payloads.
#[derive(Debug, Clone, Copy)]
enum Work {
    Nothing,
    /// A payload from this side looked like an application's, as one in some thousands does by chance: an answer with
    /// this mark will tell.
    Suspicion {
        from_originator: bool,
        mark: u32,
    },
    /// Packets from this side look like one source's media.
    Media {
        from_originator: bool,
        sequence: u16,
        source: u32,
    },
    /// A beginning from this side is being put together.
    Assembly {
        from_originator: bool,
        ticket: Ticket,
    },
}

/// What is known of the flow, a bit each.
#[derive(Debug, Clone, Copy)]
struct State(u8);

impl State {
    const TCP: u8 = 1;
    const DONE: u8 = 1 << 1;
    /// Payload told that the port's suggestion is wrong.
    const CONTRADICTED: u8 = 1 << 2;
    /// Bytes are missing: payload that does not fit may be the middle of something that does.
    const GAP: u8 = 1 << 3;
    /// What follows is TLS inside of the application.
    const UPGRADED: u8 = 1 << 4;

    #[inline]
    const fn is(self, bit: u8) -> bool {
        self.0 & bit != 0
    }

    fn set(&mut self, bit: u8, when: bool) {
        self.0 |= if when { bit } else { 0 };
    }
}

/// One payload, and where it was seen.
#[derive(Debug, Clone, Copy)]
struct Look<'a> {
    payload: &'a [u8],
    tcp: bool,
    from_originator: bool,
    ports: [u16; 2],
}

/// What a test says of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It is not this application's.
    No,
    /// Too little is there to tell.
    Short,
    /// It may be: enough on the application's port, or with an answer of the same mark.
    Weak(u32),
    /// It is.
    Yes,
}

/// Marks that connect a server's greeting with the client's first command, which tells FTP from SMTP.
const GREETING: u32 = mark(Application::Smtp, 220);

/// Returns a mark for what has few bits of its own to connect a question and its answer.
const fn mark(application: Application, value: u16) -> u32 {
    let [high, low] = value.to_be_bytes();
    u32::from_be_bytes([application.number(), 0xa5, high, low])
}

/// What follows from reading a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Later payloads may tell more.
    More,
    /// What it says is not complete: to be read again with what follows from the same side.
    Partial,
    /// There is nothing more to tell.
    Done,
    /// It is a more special application; later payloads may tell more.
    Is(Application),
}

/// Where details are noted: they take room from the first one on.
struct Notes<'a>(&'a mut Option<Box<Details>>);

impl Recogniser {
    /// Returns a recogniser for a flow of an IP protocol between two ports, 0 where the protocol has none.
    #[inline]
    pub fn new(protocol: u8, originator_port: u16, responder_port: u16) -> Self {
        let state = State(match protocol {
            TCP => State::TCP,
            UDP => 0,
            _ => State::DONE,
        });
        let application = registry::by_protocol(protocol);
        Self {
            details: None,
            work: Work::Nothing,
            ports: [originator_port, responder_port],
            application,
            heard: 0,
            state,
            stream: 0,
        }
    }

    /// Returns whether nothing more will be learnt: payloads need not be given any more.
    #[inline]
    pub const fn is_done(&self) -> bool {
        self.state.is(State::DONE)
    }

    /// Returns what is known.
    pub fn conclusion(&self) -> Conclusion {
        match self.application {
            Some(_) => Conclusion { application: self.application, by_payload: true },
            None if self.state.is(State::CONTRADICTED) => Conclusion::default(),
            None => {
                Conclusion { application: registry::by_ports(self.state.is(State::TCP), self.ports), by_payload: false }
            }
        }
    }

    /// Returns what else the payloads said.
    pub fn details(&self) -> Option<&Details> {
        self.details.as_deref()
    }

    /// Returns what else the payloads said, and keeps it no longer.
    pub fn take_details(&mut self) -> Option<Box<Details>> {
        self.details.take()
    }

    /// Tells that bytes are missing before the next payload: its beginning, or segments of it, were not captured or a
    /// payload was cut short. What is seen then need not be the beginning of anything.
    pub fn gap(&mut self, assemblies: &mut Assemblies) {
        self.state.set(State::GAP, true);
        // A beginning with a hole will not be read.
        self.give_up(assemblies);
    }

    /// Looks at the next payload.
    pub fn payload(&mut self, assemblies: &mut Assemblies, from_originator: bool, payload: &[u8]) {
        // A keep-alive's single byte, and nothing, tell nothing.
        if self.is_done() || payload.len() < 2 {
            return;
        }
        self.heard = self.heard.saturating_add(1);
        let mut look = Look { payload, tcp: self.state.is(State::TCP), from_originator, ports: self.ports };
        let ticket = match self.work {
            Work::Assembly { from_originator: side, ticket } if side == from_originator => {
                match assemblies.add(ticket, payload) {
                    Some(whole) => look.payload = whole,
                    None => self.work = Work::Nothing,
                }
                Some(ticket)
            }
            _ => None,
        };
        let progress = if self.application.is_some() { self.read(&look) } else { self.search(&look) };
        self.go_on(assemblies, (from_originator, payload), ticket, progress);
    }

    /// Settles what becomes of the beginning that was read, and whether there is more to come.
    #[inline]
    fn go_on(
        &mut self,
        assemblies: &mut Assemblies,
        (from_originator, payload): (bool, &[u8]),
        ticket: Option<Ticket>,
        progress: Progress,
    ) {
        match (progress, ticket) {
            (Progress::Partial, None) if !matches!(self.work, Work::Assembly { .. }) => {
                if let Some(ticket) = assemblies.begin(payload) {
                    self.work = Work::Assembly { from_originator, ticket };
                }
            }
            (Progress::Partial, _) | (_, None) => {}
            (_, Some(ticket)) => {
                assemblies.end(ticket);
                self.work = Work::Nothing;
            }
        }
        let most = if self.application.is_some() { PAYLOADS_MAX } else { SEARCH_MAX };
        self.state.set(State::DONE, progress == Progress::Done || self.heard >= most);
        if self.is_done() {
            self.give_up(assemblies);
        }
    }

    /// Keeps nothing of what was begun, and gives back the slot that it took.
    fn give_up(&mut self, assemblies: &mut Assemblies) {
        if let Work::Assembly { ticket, .. } = self.work {
            assemblies.end(ticket);
        }
        self.work = Work::Nothing;
    }

    /// Looks for the application, and reads the payload when it is found.
    fn search(&mut self, look: &Look<'_>) -> Progress {
        let expected = match self.work {
            Work::Suspicion { from_originator, mark } if from_originator != look.from_originator => Some(mark),
            _ => None,
        };
        let doubt = match registry::choose(look, expected) {
            Choice::Named(application) => return self.name(application, look),
            Choice::Unknown(doubt) => doubt,
        };
        self.state.set(State::CONTRADICTED, doubt.contradicts && !self.state.is(State::GAP));
        match doubt {
            Doubt { suspicion: Some(mark), .. } => {
                self.suspect(Work::Suspicion { from_originator: look.from_originator, mark });
            }
            Doubt { short: true, .. } if look.tcp => return Progress::Partial,
            _ if !look.tcp && self.is_stream(look) => return self.name(Application::Rtp, look),
            _ => {}
        }
        Progress::More
    }

    fn name(&mut self, application: Application, look: &Look<'_>) -> Progress {
        self.application = Some(application);
        self.suspect(Work::Nothing);
        self.read(look)
    }

    /// Keeps what is suspected, unless a beginning is being put together.
    fn suspect(&mut self, work: Work) {
        if !matches!(self.work, Work::Assembly { .. }) {
            self.work = work;
        }
    }

    /// Returns whether the payload is one of several packets of one source, one after the other.
    fn is_stream(&mut self, look: &Look<'_>) -> bool {
        let Some(packet) = Rtp::parse(look.payload) else { return false };
        match self.work {
            Work::Media { from_originator, .. } if from_originator != look.from_originator => return false,
            Work::Media { sequence, source, .. } if source == packet.source && packet.follows(sequence) => {
                self.stream = self.stream.saturating_add(1);
            }
            _ => self.stream = 1,
        }
        let Rtp { sequence, source } = packet;
        self.suspect(Work::Media { from_originator: look.from_originator, sequence, source });
        self.stream >= STREAM_PACKETS
    }

    /// Reads a payload of the application that is known.
    fn read(&mut self, look: &Look<'_>) -> Progress {
        let Some(application) = self.application else { return Progress::More };
        let mut notes = Notes(&mut self.details);
        let upgraded = self.state.is(State::UPGRADED);
        if !upgraded && look.tcp && registry::upgrades(application) && tls::is_client_hello(look.payload) {
            self.state.set(State::UPGRADED, true);
            notes.note(Detail::Upgrade, b"tls");
        }
        let progress = if self.state.is(State::UPGRADED) {
            tls::read(look, &mut notes)
        } else {
            registry::read(application, look, &mut notes)
        };
        if let Progress::Is(special) = progress {
            self.application = Some(special);
        }
        progress
    }
}

impl Notes<'_> {
    /// Keeps a detail.
    fn note(&mut self, kind: Detail, value: &[u8]) {
        if !value.is_empty() {
            self.0.get_or_insert_default().note(kind, value);
        }
    }

    /// Returns whether a detail says this.
    fn is(&self, kind: Detail, text: &str) -> bool {
        self.0.as_ref().and_then(|details| details.get(kind)) == Some(text)
    }

    /// Returns whether such a detail is known.
    fn has(&self, kind: Detail) -> bool {
        self.0.as_ref().is_some_and(|details| details.get(kind).is_some())
    }
}

#[cfg(test)]
mod tests;
