//! Figures of cases, as the API tells of them.

use onenet_topology::case::{CaseFigures, CaseMonth, NoticeFigures};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Group;

/// Figures of cases, in groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CaseStatisticsBody {
    /// By what they are grouped.
    pub by: &'static str,
    /// Since when cases were opened, and notices sent, that are counted.
    pub from: Option<String>,
    /// Until when.
    pub to: Option<String>,
    /// Each group that has a case.
    pub rows: Vec<CaseFiguresBody>,
    /// All of them; by area the groups may overlap.
    pub total: CaseFiguresBody,
}

/// Figures of some cases. Drills, and what rules silence, are in none of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CaseFiguresBody {
    /// Of what: the word of a grade, a kind or a month; the id of a site or an area, by `unit_month` with the month behind it; empty of all.
    pub key: String,
    /// What a site or an area is called; else as the key.
    pub name: String,
    /// Cases that were opened.
    pub opened: u32,
    /// Those of them that are open.
    pub open: u32,
    /// Those of them of which something is overdue.
    pub overdue: u32,
    /// Those that went up at least once since nobody did what was due.
    pub escalated: u32,
    /// Those of which a site was notified.
    pub notified: u32,
    /// Those that were closed as true.
    pub closed_true: u32,
    /// Those that were closed as benign.
    pub closed_benign: u32,
    /// Those that were closed as false.
    pub closed_false: u32,
    /// Within how many seconds half of those that somebody took up were taken up.
    pub acknowledged_median_s: Option<i64>,
    /// Within how many seconds nine in ten of them were.
    pub acknowledged_p90_s: Option<i64>,
    /// Within how many seconds half of those that are closed were closed.
    pub closed_median_s: Option<i64>,
    /// Within how many seconds nine in ten of them were.
    pub closed_p90_s: Option<i64>,
    /// What became of notices.
    #[serde(flatten)]
    pub notices: NoticeFiguresBody,
}

/// What became of some notices: each was answered in time, or late, or is unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct NoticeFiguresBody {
    /// Notices that were sent.
    pub notices_sent: u32,
    /// Those that were answered, each time in time.
    pub notices_in_time: u32,
    /// Those that were answered, and late.
    pub notices_late: u32,
    /// Those without an answer that stands.
    pub notices_unanswered: u32,
    /// Those of the unanswered ones whose time was over, before their case was closed.
    pub notices_overdue: u32,
}

impl From<NoticeFigures> for NoticeFiguresBody {
    fn from(it: NoticeFigures) -> Self {
        Self {
            notices_sent: it.sent,
            notices_in_time: it.in_time,
            notices_late: it.late,
            notices_unanswered: it.unanswered,
            notices_overdue: it.overdue,
        }
    }
}

/// The cases of a month. Drills, and what rules silence, are in none of the figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct CaseMonthBody {
    /// Cases that were opened in it.
    pub opened: u32,
    /// Cases that were closed in it as true.
    pub closed_true: u32,
    /// Cases that were closed in it as benign.
    pub closed_benign: u32,
    /// Cases that were closed in it as false.
    pub closed_false: u32,
    /// Cases of which something became overdue in it.
    pub overdue: u32,
    /// What became of the notices that were sent in it.
    #[serde(flatten)]
    pub notices: NoticeFiguresBody,
}

impl From<CaseMonth> for CaseMonthBody {
    fn from(it: CaseMonth) -> Self {
        let [closed_true, closed_benign, closed_false] = it.closed;
        let (opened, overdue, notices) = (it.opened, it.overdue, it.notices.into());
        Self { opened, closed_true, closed_benign, closed_false, overdue, notices }
    }
}

impl CaseFiguresBody {
    pub(crate) fn of(group: &Group, figures: &CaseFigures) -> Self {
        let [closed_true, closed_benign, closed_false] = figures.closed;
        let seconds = |ms: Option<i64>| ms.map(|ms| ms / 1_000);
        Self {
            key: group.key.clone(),
            name: group.name.clone(),
            opened: figures.opened,
            open: figures.open,
            overdue: figures.overdue,
            escalated: figures.escalated,
            notified: figures.notified,
            closed_true,
            closed_benign,
            closed_false,
            acknowledged_median_s: seconds(figures.acknowledged_after_ms(50)),
            acknowledged_p90_s: seconds(figures.acknowledged_after_ms(90)),
            closed_median_s: seconds(figures.closed_after_ms(50)),
            closed_p90_s: seconds(figures.closed_after_ms(90)),
            notices: figures.notices.into(),
        }
    }
}
