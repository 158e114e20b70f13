//! Who may be connected at once: places in total and by address, and the descriptors that are kept for the store.
//!
//! Invariant: connections never use up the process's file descriptors, and strangers of one address never use up the places.
//! Whoever finds no place is hung up on at once, so that the queue of the system does not fill with those who wait.
//!
//! This module does not know what is spoken on a connection, nor who is at its other end.

mod stall;

use std::{
    collections::HashMap,
    fs, io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub(crate) use stall::Unstalled;
use tokio::net::{TcpListener, TcpSocket};

/// Descriptors that no connection gets. The store opens files while it writes, and what it cannot open then ends it.
const RESERVED: usize = 128;
/// Descriptors where the system does not tell their number: what a shell gives.
const USUAL: usize = 1_024;
/// The least that each side gets, however few descriptors there are: enough to look what is wrong.
const LEAST: usize = 16;
/// Connections of people and programs: a console's browser keeps six, so this serves well over a hundred people.
const PEOPLE_MAX: usize = 1_024;
/// Connections of agents: several times the sites of the nation.
const AGENTS_MAX: usize = 16_384;

/// Connections that may wait to be taken: behind a line that was cut all agents of the nation come back at once. The system has the last
/// word (`net.core.somaxconn`).
const WAITING: u32 = 4_096;

/// Listens on an address.
///
/// # Errors
/// Fails where the address is not this machine's, or taken.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A centre that starts again finds its port free, though connections of the one before still close.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

/// How the process's file descriptors are shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shares {
    /// Connections of people and programs.
    pub(crate) people: usize,
    /// Connections of agents, and of who may become one.
    pub(crate) agents: usize,
}

impl Shares {
    /// Shares out what this process may open.
    pub(crate) fn here() -> Self {
        Self::of(fs::read_to_string("/proc/self/limits").ok().and_then(|limits| descriptors(&limits)).unwrap_or(USUAL))
    }

    fn of(descriptors: usize) -> Self {
        let free = descriptors.saturating_sub(RESERVED);
        let people = (free / 4).clamp(LEAST, PEOPLE_MAX);
        Self { people, agents: free.saturating_sub(people).clamp(LEAST, AGENTS_MAX) }
    }
}

/// Reads the soft limit of open files from what the kernel says of a process.
fn descriptors(limits: &str) -> Option<usize> {
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?;
    if soft == "unlimited" { Some(usize::MAX) } else { soft.parse().ok() }
}

/// Places for connections. Cheap to clone; all clones are the same places.
#[derive(Debug, Clone)]
pub(crate) struct Places(Arc<Room>);

#[derive(Debug)]
struct Room {
    total: usize,
    by_address: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    count: usize,
    /// As many entries as there are places taken, at most.
    by_address: HashMap<IpAddr, usize>,
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    room: Arc<Room>,
    from: IpAddr,
}

impl Places {
    /// Returns `total` places, of which one address gets `by_address` at most; this machine itself is no stranger and may have all.
    pub(crate) fn new(total: usize, by_address: usize) -> Self {
        Self(Arc::new(Room { total, by_address, taken: Mutex::default() }))
    }

    /// Takes a place for a peer, if there is one.
    pub(crate) fn take(&self, peer: IpAddr) -> Option<Place> {
        let from = neighbourhood(peer);
        let mut taken = self.0.taken();
        let own = taken.by_address.get(&from).copied().unwrap_or_default();
        let most = if from.is_loopback() { self.0.total } else { self.0.by_address };
        if taken.count >= self.0.total || own >= most {
            return None;
        }
        taken.count += 1;
        taken.by_address.insert(from, own + 1);
        Some(Place { room: Arc::clone(&self.0), from })
    }
}

impl Room {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.room.taken();
        taken.count = taken.count.saturating_sub(1);
        let left = taken.by_address.get(&self.from).map_or(0, |own| own.saturating_sub(1));
        if left == 0 {
            taken.by_address.remove(&self.from);
        } else {
            taken.by_address.insert(self.from, left);
        }
    }
}

/// Returns whom an address counts with: an IPv4 address for itself, in whatever clothes; an IPv6 address with its network of
/// 64 bits, in which one machine has as many addresses as it likes.
fn neighbourhood(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_does_not_take_the_places_of_the_others() {
        let places = Places::new(4, 2);
        let held: Vec<_> = (0..9).filter_map(|_| places.take(ip("192.0.2.1"))).collect();
        assert_eq!(held.len(), 2);
        // The same address in other clothes is the same address.
        assert!(places.take(ip("::ffff:192.0.2.1")).is_none());
        let others: Vec<_> = (0..9).filter_map(|_| places.take(ip("192.0.2.2"))).collect();
        assert_eq!(others.len(), 2);
        assert!(places.take(ip("192.0.2.3")).is_none(), "all are taken");
        drop(held);
        assert!(places.take(ip("192.0.2.3")).is_some(), "a place that is left is there again");
    }

    #[test]
    fn a_network_of_64_bits_counts_as_one_address_and_this_machine_is_no_stranger() {
        let places = Places::new(8, 1);
        let _first = places.take(ip("2001:db8::1")).unwrap();
        assert!(places.take(ip("2001:db8::2")).is_none());
        assert!(places.take(ip("2001:db8:0:1::2")).is_some());
        let here: Vec<_> = (0..9).filter_map(|_| places.take(ip("127.0.0.1"))).collect();
        assert_eq!(here.len(), 7);
    }

    #[test]
    fn the_store_keeps_descriptors_whatever_the_limit_is() {
        for descriptors in [300, 1_024, 65_536, usize::MAX] {
            let shares = Shares::of(descriptors);
            assert!(shares.people + shares.agents + RESERVED <= descriptors, "{descriptors}: {shares:?}");
        }
        assert_eq!(Shares::of(65_536), Shares { people: PEOPLE_MAX, agents: AGENTS_MAX });
        assert_eq!(Shares::of(0), Shares { people: LEAST, agents: LEAST });
    }

    #[test]
    fn the_limit_is_read_as_the_kernel_writes_it() {
        let text = "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 524288               files\n";
        assert_eq!(descriptors(text), Some(1_024));
        assert_eq!(descriptors("Max open files   unlimited unlimited files"), Some(usize::MAX));
        assert_eq!(descriptors(""), None);
        assert!(fs::read_to_string("/proc/self/limits").ok().and_then(|limits| descriptors(&limits)).is_some());
    }
}
