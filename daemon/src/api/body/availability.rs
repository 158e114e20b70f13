//! Availability.

use std::collections::BTreeMap;

use onenet_topology::{
    AreaId, SiteId,
    availability::{Figures, Layer, Quality, Spent},
    coverage::Day,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{CaseMonthBody, time};
use crate::{
    access::View,
    availability::{Lost, MonthFigures, Part, PartFigures, Period, Report, SiteFigures, Span, WayFigures, sum},
};

/// Sites that a report lists as the worst.
const WORST_MAX: usize = 20;

/// How something was over some time. Every second is in one of the five sums.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FiguresBody {
    /// `up` and `degraded` as a part of the known time, maintenance aside; `null` where nothing is known.
    pub availability_ratio: Option<f64>,
    /// `unknown` as a part of all time but maintenance.
    pub unknown_ratio: Option<f64>,
    /// It worked.
    pub up_seconds: f64,
    /// It worked badly, on one side only, or came and went.
    pub degraded_seconds: f64,
    /// It did not work.
    pub down_seconds: f64,
    /// Nobody who was heard could tell: neither up nor down.
    pub unknown_seconds: f64,
    /// It was planned to be out of order.
    pub maintenance_seconds: f64,
    /// What was lost of what was sent; `null` where nothing was measured.
    pub loss_ratio: Option<f64>,
    /// The greatest loss of a window, a minute as a rule.
    pub loss_worst_ratio: Option<f64>,
    /// The mean of the windows' median round trips, weighted by answers, in milliseconds.
    pub round_trip_ms: Option<f64>,
    /// The greatest 95th percentile of a window.
    pub round_trip_worst_ms: Option<f64>,
    /// The mean jitter, weighted by answers, in milliseconds.
    pub jitter_ms: Option<f64>,
    /// The greatest jitter of a window.
    pub jitter_worst_ms: Option<f64>,
}

/// Some sites or ways together.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FiguresPartBody {
    /// How many of which anything is known.
    pub count: u32,
    /// The sum.
    #[serde(flatten)]
    pub figures: FiguresBody,
}

/// The ways of a layer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LayerFiguresBody {
    /// `ministry_province`, `province_city` or `city_county`.
    pub layer: &'static str,
    /// The sum of its ways; how many in a report, absent in a period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// The sum.
    #[serde(flatten)]
    pub figures: FiguresBody,
}

/// A day or a month of an area.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PeriodBody {
    /// The day or the month, in China.
    #[schema(example = "2026-01-31")]
    pub period: String,
    /// The sites themselves.
    pub sites: FiguresBody,
    /// Their ways up, by layer.
    pub layers: Vec<LayerFiguresBody>,
}

/// A site with everything below it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PartFiguresBody {
    /// The site at the top.
    pub site: String,
    /// Its code.
    pub code: String,
    /// Its name, in Chinese.
    pub name: String,
    /// The sites themselves.
    pub sites: FiguresPartBody,
    /// Their ways up, of any layer.
    pub ways: FiguresPartBody,
}

/// How far an area was available.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AvailabilityReportBody {
    /// As of when: late evidence may still change the last nine days.
    pub time: String,
    /// The first day.
    pub from: String,
    /// The last day.
    pub to: String,
    /// The sites themselves.
    pub sites: FiguresPartBody,
    /// Their ways up, by layer.
    pub layers: Vec<LayerFiguresBody>,
    /// By day or month.
    pub periods: Vec<PeriodBody>,
    /// The sites directly below with everything below them.
    pub parts: Vec<PartFiguresBody>,
    /// The sites that were available least, twenty at most, the worst first.
    pub worst: Vec<SiteAvailabilityBody>,
}

/// A way up of a site.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct WayAvailabilityBody {
    /// The upper site; `null` where it may not be seen.
    pub parent: Option<String>,
    /// The layer.
    pub layer: &'static str,
    /// The sum.
    #[serde(flatten)]
    pub figures: FiguresBody,
    /// By day or month, where that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub periods: Vec<FiguresPeriodBody>,
}

/// A day or a month of a site or a way.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FiguresPeriodBody {
    /// The day or the month, in China.
    #[schema(example = "2026-01")]
    pub period: String,
    /// How it was.
    #[serde(flatten)]
    pub figures: FiguresBody,
}

/// How far a site and its ways up were available.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SiteAvailabilityBody {
    /// The site.
    pub site: String,
    /// Its code.
    pub code: String,
    /// Its name, in Chinese.
    pub name: String,
    /// The site itself: whether it was reached, whichever way.
    #[serde(flatten)]
    pub figures: FiguresBody,
    /// By day or month, where that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub periods: Vec<FiguresPeriodBody>,
    /// Its ways up.
    pub ways: Vec<WayAvailabilityBody>,
}

/// A month: how far sites, layers and areas were available, and the incidents.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MonthFiguresBody {
    /// The sites themselves.
    pub sites: FiguresPartBody,
    /// Their ways up, by layer.
    pub layers: Vec<LayerFiguresBody>,
    /// The sites of each area, where everything was asked for.
    pub areas: Vec<AreaFiguresBody>,
    /// Incidents that fell into the month, planned maintenance aside.
    pub incidents: LostBody,
    /// Those that fell into a planned maintenance.
    pub incidents_planned: LostBody,
    /// By what happened.
    pub incidents_by_kind: Vec<LostKindBody>,
    /// The incident with the longest time in the month.
    pub incident_longest: Option<String>,
    /// Its time in the month.
    pub incident_longest_seconds: Option<f64>,
    /// The cases.
    pub cases: CaseMonthBody,
}

/// The sites of an area.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AreaFiguresBody {
    /// The area.
    pub area: String,
    /// Its name, in Chinese.
    pub name: String,
    /// The sum.
    #[serde(flatten)]
    pub part: FiguresPartBody,
}

/// Some incidents together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct LostBody {
    /// How many.
    pub number: u32,
    /// Their time in the month, in sum.
    pub lost_seconds: f64,
}

/// Incidents of a kind.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LostKindBody {
    /// What happened.
    pub kind: &'static str,
    /// How often, and how long.
    #[serde(flatten)]
    pub lost: LostBody,
}

/// How figures are put together over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// Day by day.
    Day,
    /// Month by month.
    Month,
}

impl By {
    fn name(self, day: Day) -> String {
        match self {
            Self::Day => day.to_string(),
            Self::Month => day.month().to_string(),
        }
    }

    fn together(self, days: &BTreeMap<Day, Figures>) -> BTreeMap<Day, Figures> {
        let mut periods: BTreeMap<Day, Figures> = BTreeMap::new();
        for (day, figures) in days {
            let period = if self == Self::Day { *day } else { day.end_of_month() };
            *periods.entry(period).or_default() += *figures;
        }
        periods
    }

    fn periods(self, days: &BTreeMap<Day, Figures>) -> Vec<FiguresPeriodBody> {
        let body =
            |(day, figures): (Day, Figures)| FiguresPeriodBody { period: self.name(day), figures: figures.into() };
        self.together(days).into_iter().map(body).collect()
    }
}

impl From<Figures> for FiguresBody {
    fn from(Figures { spent, quality }: Figures) -> Self {
        let Spent { up_ms, degraded_ms, down_ms, unknown_ms, maintenance_ms } = spent;
        let measured = (quality != Quality::default()).then_some(quality);
        let timed = measured.filter(|it| it.timed > 0);
        let jittered = measured.filter(|it| it.jittered > 0);
        Self {
            availability_ratio: spent.availability(),
            unknown_ratio: spent.unknown(),
            up_seconds: thousandths(up_ms),
            degraded_seconds: thousandths(degraded_ms),
            down_seconds: thousandths(down_ms),
            unknown_seconds: thousandths(unknown_ms),
            maintenance_seconds: thousandths(maintenance_ms),
            loss_ratio: quality.loss(),
            loss_worst_ratio: measured.map(|it| thousandths(it.loss_worst_milli)),
            round_trip_ms: quality.round_trip_us().map(thousandths),
            round_trip_worst_ms: timed.map(|it| thousandths(it.round_trip_worst_us)),
            jitter_ms: quality.jitter_us().map(thousandths),
            jitter_worst_ms: jittered.map(|it| thousandths(it.jitter_worst_us)),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sums of time and round trips are far below 2^53")]
fn thousandths(value: u64) -> f64 {
    value as f64 / 1_000.0
}

impl From<Part> for FiguresPartBody {
    fn from(part: Part) -> Self {
        Self { count: part.count, figures: part.figures.into() }
    }
}

impl PeriodBody {
    fn of(period: String, it: &Period) -> Self {
        let layer = |(layer, figures): (&Layer, &Figures)| LayerFiguresBody {
            layer: layer.name(),
            count: None,
            figures: (*figures).into(),
        };
        Self { period, sites: it.sites.into(), layers: it.layers.iter().map(layer).collect() }
    }
}

impl AvailabilityReportBody {
    /// Returns figures of an area.
    pub(crate) fn of(view: &View, report: &Report, span: Span, by: By, top: Option<SiteId>) -> Self {
        let periods = match by {
            By::Day => report.periods.iter().map(|(day, it)| PeriodBody::of(by.name(*day), it)).collect(),
            By::Month => report.months().iter().map(|(day, it)| PeriodBody::of(by.name(*day), it)).collect(),
        };
        let known = report.worst().into_iter().filter(|site| !site.days.is_empty());
        Self {
            time: time(view.now()),
            from: span.from.to_string(),
            to: span.to.to_string(),
            sites: report.sites.into(),
            layers: report.layers.iter().map(LayerFiguresBody::of).collect(),
            periods,
            parts: report.parts(view, top).iter().map(|part| PartFiguresBody::of(view, part)).collect(),
            worst: known.take(WORST_MAX).map(|site| SiteAvailabilityBody::of(view, site, None)).collect(),
        }
    }
}

impl MonthFiguresBody {
    /// Returns a month.
    pub fn of(view: &View, it: &MonthFigures) -> Self {
        let area = |(area, part): &(AreaId, Part)| AreaFiguresBody {
            area: area.to_string(),
            name: view.area(*area).map(|area| area.name(view.now()).zh.clone()).unwrap_or_default(),
            part: (*part).into(),
        };
        let kinds = it.incidents.kinds.iter();
        Self {
            sites: it.sites.into(),
            layers: it.layers.iter().map(LayerFiguresBody::of).collect(),
            areas: it.areas.iter().map(area).collect(),
            incidents: it.incidents.whole.into(),
            incidents_planned: it.incidents.planned.into(),
            incidents_by_kind: kinds
                .map(|(kind, lost)| LostKindBody { kind: kind.name(), lost: (*lost).into() })
                .collect(),
            incident_longest: it.incidents.longest.map(|(id, _)| id.to_string()),
            incident_longest_seconds: it.incidents.longest.map(|(_, ms)| thousandths(ms)),
            cases: it.cases.into(),
        }
    }
}

impl From<Lost> for LostBody {
    fn from(lost: Lost) -> Self {
        Self { number: lost.number, lost_seconds: thousandths(lost.lost_ms) }
    }
}

impl LayerFiguresBody {
    fn of((layer, part): (&Layer, &Part)) -> Self {
        Self { layer: layer.name(), count: Some(part.count), figures: part.figures.into() }
    }
}

impl PartFiguresBody {
    fn of(view: &View, part: &PartFigures) -> Self {
        let (code, name) = named(view, part.site);
        Self { site: part.site.to_string(), code, name, sites: part.sites.into(), ways: part.ways.into() }
    }
}

impl SiteAvailabilityBody {
    /// Returns a site's figures, period by period where `by` is given.
    pub(crate) fn of(view: &View, it: &SiteFigures, by: Option<By>) -> Self {
        let (code, name) = named(view, it.site);
        let periods = |days: &BTreeMap<Day, Figures>| by.map(|by| by.periods(days)).unwrap_or_default();
        let way = |way: &WayFigures| WayAvailabilityBody {
            parent: way.parent.map(|parent| parent.to_string()),
            layer: way.layer.name(),
            figures: sum(&way.days).into(),
            periods: periods(&way.days),
        };
        Self {
            site: it.site.to_string(),
            code,
            name,
            figures: sum(&it.days).into(),
            periods: periods(&it.days),
            ways: it.ways.iter().map(way).collect(),
        }
    }
}

fn named(view: &View, site: SiteId) -> (String, String) {
    let site = view.site(site);
    let code = site.map(|site| site.code(view.now()).to_owned()).unwrap_or_default();
    (code, site.map(|site| site.name(view.now()).zh.clone()).unwrap_or_default())
}

/// Returns the rows of a table: a site, or one of its ways up, in a period.
pub(crate) fn rows(it: &SiteFigures, by: By) -> Vec<(String, Option<&WayFigures>, Figures)> {
    let own = by.together(&it.days).into_iter().map(|(day, figures)| (by.name(day), None, figures));
    let ways = it.ways.iter().flat_map(|way| {
        by.together(&way.days).into_iter().map(move |(day, figures)| (by.name(day), Some(way), figures))
    });
    own.chain(ways).collect()
}
