//! Availability: what is kept of ways and sites, and the figures that follow.
//!
//! Invariant: what the figures follow from is part of the log: turns that were concluded at a tick, minutes that batches
//! brought, planned maintenances. The last [`LATE_DAYS`] days follow from these at each question, so that late evidence and
//! a maintenance planned afterwards change them; older days are settled, kept as figures, and forgotten after
//! [`KEPT_DAYS`]. It does not ask who may see them ([`crate::access::View`] does).

mod days;
mod kept;
mod month;
mod packed;
mod report;
mod ways;

pub(crate) use days::open_day;
pub use days::{Maintained, Span, days};
pub use kept::{Kept, Piece, SettledDay, Watched};
pub use month::{Lost, MonthFigures, Outages};
pub(crate) use packed::{
    Packed, read_measured, read_settled, read_timeline, write_measured, write_settled, write_timeline,
};
pub use report::{Part, PartFigures, Period, Report, SiteFigures, WayFigures, sum};
pub(crate) use ways::{Way, way_of};

pub use onenet_topology::availability::LATE_DAYS;

/// Days of which figures are kept: the six months that the law asks for, and the month that runs.
pub const KEPT_DAYS: i32 = 220;
