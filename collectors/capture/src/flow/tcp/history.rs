//! What happened in a connection, a letter each, in 24 bytes.
//!
//! Invariant: at most [`History::LETTERS`] letters; one that follows itself on its side is told once.

use std::fmt;

/// What happened, with its letter: lower case from the responder, upper case from the originator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Event {
    /// SYN without ACK.
    Syn = 1,
    /// SYN with ACK.
    SynAck = 2,
    /// ACK and nothing else.
    Ack = 3,
    /// Payload.
    Data = 4,
    /// FIN.
    Fin = 5,
    /// Reset.
    Reset = 6,
    /// Payload that was sent before.
    Retransmission = 7,
    /// Payload that was acknowledged and never captured.
    Gap = 8,
    /// A receive window of 0.
    WindowClosed = 9,
}

/// What happened in a connection, in order.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct History {
    /// Four bits each, the first lowest, 16 of them in each half.
    events: [u64; 2],
    /// A bit each: whether it was the originator's.
    originator: u32,
    len: u8,
    /// The last event of each side, the responder's first.
    last: [u8; 2],
}

impl History {
    /// The most letters.
    pub const LETTERS: u8 = 32;

    /// Returns whether either side did this, as far as there was room to note it.
    pub fn has(&self, event: Event) -> bool {
        let at = |at: u8| self.events.get(usize::from(at >= 16)).map(|half| half >> (4 * u32::from(at % 16)) & 0x0f);
        (0..self.len).any(|place| at(place) == Some(u64::from(event as u8)))
    }

    /// Notes what one side did.
    #[inline]
    pub(crate) fn note(&mut self, event: Event, by_originator: bool) {
        let Some(last) = self.last.get_mut(usize::from(by_originator)) else { return };
        if *last == event as u8 {
            return;
        }
        *last = event as u8;
        if self.len < Self::LETTERS {
            let [first, second] = &mut self.events;
            let half = if self.len < 16 { first } else { second };
            *half |= u64::from(event as u8) << (4 * u32::from(self.len % 16));
            self.originator |= u32::from(by_originator) << self.len;
            self.len += 1;
        }
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LETTERS: &[u8; 16] = b"?shadfrtgw??????";
        for at in 0..self.len {
            let half = self.events[usize::from(at >= 16)];
            let event = usize::try_from(half >> (4 * u32::from(at % 16)) & 0x0f).unwrap_or(0);
            let letter = LETTERS.get(event).copied().map_or('?', char::from);
            let shown = if self.originator >> at & 1 == 1 { letter.to_ascii_uppercase() } else { letter };
            fmt::Write::write_char(f, shown)?;
        }
        Ok(())
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_that_follows_itself_on_its_side_is_told_once() {
        let mut history = History::default();
        for (event, by_originator) in [
            (Event::Syn, true),
            (Event::SynAck, false),
            (Event::Ack, true),
            (Event::Data, true),
            (Event::Ack, false),
            (Event::Data, true),
            (Event::Ack, false),
            (Event::WindowClosed, false),
            (Event::Data, true),
            (Event::Ack, false),
            (Event::Fin, false),
        ] {
            history.note(event, by_originator);
        }
        assert_eq!(history.to_string(), "ShADawaf");
    }

    #[test]
    fn a_history_has_at_most_32_letters() {
        let mut history = History::default();
        for turn in 0..100_u8 {
            history.note(if turn % 2 == 0 { Event::Data } else { Event::Ack }, turn % 3 == 0);
        }
        assert_eq!(history.to_string().len(), 32);
    }
}
