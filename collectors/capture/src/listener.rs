//! Who takes frames, whether from a ring or from a file.
//!
//! Most of the time that a packet takes goes by in waiting for memory. Frames come many at a time: a [`Listener`] is told of
//! [`AHEAD`] of them before it takes the first, so that it can wait for all at once.

use crate::{FrameMeta, FrameTime, LinkType};

/// How many frames are foreseen together: more waiting at a time than a processor does at once gains nothing. With 8, packets took four
/// in a hundred longer.
pub(crate) const AHEAD: usize = 16;

/// Takes frames.
pub trait Listener {
    /// Tells of a frame that may come soon.
    #[inline]
    fn foresee(&mut self, link_type: LinkType, meta: FrameMeta, bytes: &[u8]) {
        let _ = (link_type, meta, bytes);
    }

    /// Called when it was told of a few.
    #[inline]
    fn prepare(&mut self) {}

    /// Takes a frame.
    fn frame(&mut self, time: FrameTime, link_type: LinkType, meta: FrameMeta, bytes: &[u8]);
}

/// A closure that takes frames, and foresees none.
pub(crate) struct Each<F>(pub(crate) F);

impl<F: FnMut(FrameTime, LinkType, FrameMeta, &[u8])> Listener for Each<F> {
    #[inline]
    fn frame(&mut self, time: FrameTime, link_type: LinkType, meta: FrameMeta, bytes: &[u8]) {
        (self.0)(time, link_type, meta, bytes);
    }
}
