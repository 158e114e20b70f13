//! Beginnings of streams that span segments, put together until they can be read.
//!
//! Invariants: at most [`SLOTS`] beginnings of at most [`OCTETS_MAX`] bytes each, whatever the number of flows, so that a
//! flood of half-said messages costs 4 MiB and no more. When all slots are taken the one that was taken longest ago
//! changes hands; its flow is told nothing and finds it gone. A flow that ends without giving back its slot loses nothing.
//! It knows no protocol.

/// The most beginnings that are put together at a time. One takes a round trip; a busy gigabit opens some 3,000 TLS
/// connections a second, of which some 300 are at this point at a time.
pub(super) const SLOTS: usize = 512;
/// The most of one beginning that is kept, in bytes: a client's hello with a post-quantum key takes 2 KiB, a server's
/// first certificate ends within 4 KiB.
pub(super) const OCTETS_MAX: usize = 8 << 10;

/// The beginnings that are being put together for all flows of a table.
#[derive(Debug, Default)]
pub struct Assemblies {
    slots: Vec<Slot>,
    /// Slots that were given back.
    free: Vec<u16>,
    /// The slot that changes hands next.
    next: u16,
    /// How many slots changed hands before they were given back.
    taken_away: u64,
}

#[derive(Debug, Default)]
struct Slot {
    /// How often the slot was taken: a ticket is good for one time.
    turn: u32,
    held: bool,
    octets: Vec<u8>,
}

/// A flow's claim to a slot: its number in the low bits, its turn above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u32);

const SLOT_BITS: u32 = SLOTS.trailing_zeros();

impl Assemblies {
    /// Returns how many beginnings had to make room for others before they were read.
    pub fn taken_away(&self) -> u64 {
        self.taken_away
    }

    /// Returns how many bytes are kept now.
    pub fn octets(&self) -> usize {
        self.slots.iter().map(|slot| slot.octets.capacity()).sum()
    }

    /// Takes a slot for a beginning.
    pub(super) fn begin(&mut self, octets: &[u8]) -> Option<Ticket> {
        let at = self.free_slot()?;
        let slot = self.slots.get_mut(usize::from(at))?;
        self.taken_away = self.taken_away.wrapping_add(u64::from(slot.held));
        slot.turn = slot.turn.wrapping_add(1);
        slot.held = true;
        slot.octets.clear();
        slot.extend(octets);
        Some(Ticket::new(at, slot.turn))
    }

    /// Adds to a beginning and returns all of it, `None` when its slot changed hands, or is full and thereby given back.
    pub(super) fn add(&mut self, ticket: Ticket, octets: &[u8]) -> Option<&[u8]> {
        if self.held(ticket)?.octets.len() >= OCTETS_MAX {
            self.end(ticket);
            return None;
        }
        let slot = self.held(ticket)?;
        slot.extend(octets);
        Some(&slot.octets)
    }

    /// Gives a slot back.
    pub(super) fn end(&mut self, ticket: Ticket) {
        if let Some(slot) = self.held(ticket) {
            slot.held = false;
            slot.octets = Vec::new();
            self.free.push(ticket.slot());
        }
    }

    fn held(&mut self, ticket: Ticket) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(usize::from(ticket.slot()));
        slot.filter(|slot| slot.held && Ticket::new(ticket.slot(), slot.turn) == ticket)
    }

    fn free_slot(&mut self) -> Option<u16> {
        if let Some(at) = self.free.pop() {
            return Some(at);
        }
        if self.slots.len() < SLOTS {
            self.slots.push(Slot::default());
            return u16::try_from(self.slots.len().saturating_sub(1)).ok();
        }
        let at = self.next;
        self.next = at.wrapping_add(1).checked_rem(u16::try_from(SLOTS).ok()?)?;
        Some(at)
    }
}

impl Ticket {
    fn new(slot: u16, turn: u32) -> Self {
        Self(turn.wrapping_shl(SLOT_BITS) | u32::from(slot))
    }

    #[expect(clippy::as_conversions, reason = "the number of a slot, below SLOTS")]
    const fn slot(self) -> u16 {
        (self.0 & ((1 << SLOT_BITS) - 1)) as u16
    }
}

impl Slot {
    fn extend(&mut self, octets: &[u8]) {
        let room = OCTETS_MAX.saturating_sub(self.octets.len());
        let octets = octets.get(..room).unwrap_or(octets);
        self.octets.reserve_exact(octets.len());
        self.octets.extend_from_slice(octets);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_grows_up_to_its_bound() {
        let mut assemblies = Assemblies::default();
        let ticket = assemblies.begin(b"abc").unwrap();
        assert_eq!(assemblies.add(ticket, b"def"), Some(&b"abcdef"[..]));
        assert_eq!(assemblies.add(ticket, &[0; 10_000]).unwrap().len(), OCTETS_MAX);
        assert_eq!(assemblies.add(ticket, b"g"), None, "it is full");
        assert_eq!(assemblies.octets(), 0, "and gives back its slot");
        let next = assemblies.begin(b"abc").unwrap();
        assemblies.end(next);
        assert_eq!(assemblies.add(next, b"h"), None);
        assert_eq!(assemblies.octets(), 0);
    }

    #[test]
    fn a_flood_of_beginnings_takes_no_more_than_the_slots() {
        let mut assemblies = Assemblies::default();
        let first = assemblies.begin(&[1; OCTETS_MAX]).unwrap();
        for _ in 0..10 * SLOTS {
            assemblies.begin(&[2; OCTETS_MAX]).unwrap();
        }
        assert_eq!(assemblies.octets(), SLOTS * OCTETS_MAX);
        assert_eq!(assemblies.add(first, b"x"), None, "its slot changed hands");
        assert_eq!(assemblies.taken_away(), u64::try_from(9 * SLOTS + 1).unwrap());
    }
}
