//! The asset register, and how far what is on it is seen.

use onenet_topology::{
    asset::Asset,
    classify::DeviceClass,
    coverage::{Coverage, Month, ratio},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{MonthFiguresBody, given, time};
use crate::{
    access::View,
    availability::MonthFigures,
    coverage::{Held, Part, Report},
};

/// An asset, and what is seen of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AssetBody {
    /// The asset.
    #[serde(flatten)]
    pub asset: AssetEntryBody,
    /// `seen` within the days asked for, `silent` (seen before), or `never_seen`.
    pub standing: &'static str,
    /// When it was last seen.
    pub last_seen: Option<String>,
    /// The site where that was; `null` where it was never seen, or at a site that may not be seen.
    pub last_seen_site: Option<String>,
}

/// A machine on the books of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AssetEntryBody {
    /// Its identity.
    #[schema(example = "asset-2b00003")]
    pub id: String,
    /// The site that answers for it.
    pub site: String,
    /// Its number there.
    pub number: String,
    /// The MAC addresses of its cards.
    pub macs: Vec<String>,
    /// Its IP address, by which it is recognised where no MAC address is known.
    pub ip: Option<String>,
    /// What kind of machine it is; `null` is taken for a computer.
    pub asset_class: Option<&'static str>,
    /// What it is called.
    pub name: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Where it stands.
    pub location: Option<String>,
    /// Since when it is on the books.
    pub from: String,
    /// When it is written off.
    pub until: Option<String>,
}

/// How far an area is covered.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CoverageBody {
    /// Sites that there are to be.
    pub sites_planned: u32,
    /// Of these, sites of which an agent was ever heard.
    pub sites_attached: u32,
    /// Of these, sites of which an agent is heard now.
    pub sites_reachable: u32,
    /// Computers on the books.
    pub terminals_registered: u32,
    /// Of these, seen within the days asked for.
    pub terminals_seen: u32,
    /// Of these, seen before, and not within these days.
    pub terminals_silent: u32,
    /// Of these, never seen.
    pub terminals_never_seen: u32,
    /// Of the seen ones, those last seen at a site that does not answer for them.
    pub terminals_strayed: u32,
    /// Computers seen within these days that are on nobody's books.
    pub terminals_unregistered: u32,
    /// Machines of an unknown kind seen within these days that are on nobody's books.
    pub terminals_unregistered_unclassified: u32,
    /// Attached of planned sites, 0 to 1.
    pub attached_ratio: Option<f64>,
    /// Reachable of planned sites, 0 to 1.
    pub reachable_ratio: Option<f64>,
    /// Seen of registered computers, 0 to 1; `null` where nothing is registered.
    pub seen_ratio: Option<f64>,
}

/// A part of an area: a site, with everything below it that belongs to the area.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CoveragePartBody {
    /// The site.
    pub site: String,
    /// Its code.
    pub code: String,
    /// Its name, in Chinese.
    pub name: String,
    /// How far it is covered.
    #[serde(flatten)]
    pub coverage: CoverageBody,
}

/// How far an area is covered, by its parts.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CoverageReportBody {
    /// As of when.
    pub time: String,
    /// Days within which a terminal is to be seen.
    pub days: u16,
    /// The sum.
    pub whole: CoverageBody,
    /// The site at the top alone, where the area is a site and those below it.
    pub own: Option<CoveragePartBody>,
    /// The sites directly below it with everything below them, or the provinces of an area.
    pub parts: Vec<CoveragePartBody>,
}

/// How coverage stood on a day.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CoverageDayBody {
    /// The day, in China.
    #[schema(example = "2026-01-31")]
    pub day: String,
    /// Sites of which figures are known by then.
    pub sites_counted: u32,
    /// How far they were covered.
    #[serde(flatten)]
    pub coverage: CoverageBody,
}

/// How far an area is covered, month against month. Figures are the last that were counted in a month.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MonthlyReportBody {
    /// The month.
    #[schema(example = "2026-01")]
    pub month: String,
    /// The month before.
    pub month_before: String,
    /// The sum; `null` where nothing was counted in the month.
    pub whole: Option<CoverageBody>,
    /// The sum of the month before; `null` where nothing was counted.
    pub whole_before: Option<CoverageBody>,
    /// The site at the top alone, and the parts, of this month.
    pub parts: Vec<CoveragePartBody>,
    /// The same of the month before.
    pub parts_before: Vec<CoveragePartBody>,
    /// How far sites, layers and areas were available, and the incidents.
    pub month_figures: MonthFiguresBody,
    /// The same of the month before.
    pub month_figures_before: MonthFiguresBody,
}

impl MonthlyReportBody {
    /// Returns the figures of a month and of the one before.
    pub fn of(view: &View, month: Month, coverage: [&Report; 2], figures: [&MonthFigures; 2]) -> Self {
        let [this, before] = coverage;
        let whole = |report: &Report| (report.whole != Coverage::default()).then(|| report.whole.into());
        let parts = |report: &Report| {
            let counted = report.own.iter().chain(&report.parts).filter(|part| part.coverage != Coverage::default());
            counted.map(|part| CoveragePartBody::of(view, part)).collect()
        };
        Self {
            month: month.to_string(),
            month_before: month.before().to_string(),
            whole: whole(this),
            whole_before: whole(before),
            parts: parts(this),
            parts_before: parts(before),
            month_figures: MonthFiguresBody::of(view, figures[0]),
            month_figures_before: MonthFiguresBody::of(view, figures[1]),
        }
    }
}

impl CoveragePartBody {
    fn of(view: &View, part: &Part) -> Self {
        let site = view.site(part.site);
        Self {
            site: part.site.to_string(),
            code: site.map(|site| site.code(view.now()).to_owned()).unwrap_or_default(),
            name: site.map(|site| site.name(view.now()).zh.clone()).unwrap_or_default(),
            coverage: part.coverage.into(),
        }
    }
}

impl AssetEntryBody {
    /// Returns an asset.
    pub fn of(asset: &Asset) -> Self {
        Self {
            id: asset.id.to_string(),
            site: asset.site.to_string(),
            number: asset.number.clone(),
            macs: asset.macs.iter().map(ToString::to_string).collect(),
            ip: asset.ip.map(|ip| ip.to_string()),
            asset_class: asset.class.map(DeviceClass::name),
            name: given(&asset.name),
            owner: given(&asset.owner),
            location: given(&asset.location),
            from: time(asset.from),
            until: asset.until.map(time),
        }
    }
}

impl AssetBody {
    /// Returns an asset with what the view shows of its last sight.
    pub fn of(view: &View, held: &Held<'_>) -> Self {
        Self {
            asset: AssetEntryBody::of(held.asset),
            standing: held.standing.name(),
            last_seen: held.last.map(|last| time(last.at)),
            last_seen_site: held.last.and_then(|last| view.site(last.site)).map(|site| site.id.to_string()),
        }
    }
}

impl From<Coverage> for CoverageBody {
    fn from(Coverage { units, terminals }: Coverage) -> Self {
        Self {
            sites_planned: units.planned,
            sites_attached: units.attached,
            sites_reachable: units.reachable,
            terminals_registered: terminals.registered,
            terminals_seen: terminals.seen,
            terminals_silent: terminals.silent,
            terminals_never_seen: terminals.never_seen,
            terminals_strayed: terminals.strayed,
            terminals_unregistered: terminals.unregistered,
            terminals_unregistered_unclassified: terminals.unregistered_unclassified,
            attached_ratio: ratio(units.attached, units.planned),
            reachable_ratio: ratio(units.reachable, units.planned),
            seen_ratio: ratio(terminals.seen, terminals.registered),
        }
    }
}

impl CoverageReportBody {
    /// Returns figures by parts.
    pub fn of(view: &View, report: &Report, days: u16) -> Self {
        let part = |part: &Part| CoveragePartBody::of(view, part);
        Self {
            time: time(view.now()),
            days,
            whole: report.whole.into(),
            own: report.own.as_ref().map(part),
            parts: report.parts.iter().map(part).collect(),
        }
    }
}
