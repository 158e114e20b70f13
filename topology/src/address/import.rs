//! Importing the address plan from a file that people keep in a spreadsheet.
//!
//! The file is CSV with the columns `prefix,site` and, if wanted, `space`, `vlan`, `purpose`, `dark`, `from` and `until`:
//!
//! | column | holds |
//! |---|---|
//! | `prefix` | such as `10.13.1.0/24`, without host bits |
//! | `site` | the code of the site that it belongs to |
//! | `space` | `national` (also when empty), or `site`: the site's own range, which other sites may use too |
//! | `vlan` | 1 to 4094 |
//! | `purpose` | in words |
//! | `dark` | `yes` or `no` (also when empty): whether nothing may live here |
//! | `from`, `until` | a date such as `2026-01-31` (midnight in China) or a time after RFC 3339; `until` is the first day on which it no longer belongs to the site |
//!
//! Invariant: a plan of changes can be applied to the address plan that it was made for, completely. Prefixes that the
//! file does not name are left alone.

use std::collections::{BTreeMap, BTreeSet};

use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};

use super::{AddressPlan, AddressSpace, Assignment, NATIONAL, PlanChange, PlanError, SpaceExtent, plan::check_prefix};
use crate::{
    SiteId, SpaceId, Timestamp,
    csv::{CsvProblem, ImportError, MAX_ERRORS, Table},
    dated::Period,
    site::SiteTree,
    time::InvalidDay,
};

/// The columns of the file; the first two must be there.
pub const PLAN_COLUMNS: [&str; 8] = ["prefix", "site", "space", "vlan", "purpose", "dark", "from", "until"];

/// One prefix as the file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRow {
    /// The line in the file, counted from 1.
    pub line: usize,
    /// The prefix.
    pub prefix: IpNetwork,
    /// The code of its site.
    pub site: String,
    /// Whether it is in the site's own space.
    pub own_space: bool,
    /// The VLAN.
    pub vlan: Option<u16>,
    /// What for.
    pub purpose: String,
    /// Whether nothing may live here.
    pub dark: bool,
    /// Since when, if the file says.
    pub from: Option<Timestamp>,
    /// Until when, if the file says.
    pub until: Option<Timestamp>,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanImportProblem {
    /// The file is not the table it should be.
    #[error(transparent)]
    Csv(#[from] CsvProblem),
    /// A field that must not be empty is.
    #[error("the field is empty: fill it in")]
    Empty,
    /// Not a prefix.
    #[error("{0:?} is not a prefix: write an address and a length, such as 10.13.1.0/24 or 2001:db8:13::/48")]
    Prefix(String),
    /// Not a space.
    #[error("{0:?} is not an address space: write national or site, or leave it empty")]
    Space(String),
    /// Not a VLAN.
    #[error("{0:?} is not a VLAN: write 1 to 4094, or leave it empty")]
    Vlan(String),
    /// Neither yes nor no.
    #[error("{0:?} is neither yes nor no: write yes, no, 是 or 否, or leave it empty")]
    YesNo(String),
    /// Not a date.
    #[error(transparent)]
    Date(InvalidDay),
    /// The end is not after the start.
    #[error("the prefix ends at {until}, before it starts at {from}: exchange or correct the dates")]
    EndsBeforeItStarts {
        /// The start.
        from: Timestamp,
        /// The end.
        until: Timestamp,
    },
    /// No site has this code.
    #[error("no site has the code {code} at {at}: import the site first, or correct the code")]
    UnknownSite {
        /// The code.
        code: String,
        /// When.
        at: Timestamp,
    },
    /// Two rows speak of one prefix in one space.
    #[error("line {first} has {prefix} in the same address space for {owner}: keep one row, or nest a longer prefix")]
    Repeated {
        /// The prefix.
        prefix: IpNetwork,
        /// The earlier line.
        first: usize,
        /// The code of the site in that line.
        owner: String,
    },
    /// The plan refuses the change.
    #[error(transparent)]
    Refused(#[from] PlanError),
}

/// What an import would change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanImport {
    /// The changes, in the order in which they can be applied.
    pub changes: Vec<PlanChange>,
    /// Prefixes that the file has as the plan has them.
    pub unchanged: usize,
    /// Prefixes that are assigned but that the file does not name: left alone.
    pub absent: Vec<(SpaceId, IpNetwork)>,
}

type RowError = ImportError<PlanImportProblem>;

/// Reads the file.
///
/// # Errors
/// Everything that is wrong with single rows, up to [`MAX_ERRORS`], with lines and columns.
pub fn parse_plan_csv(text: &str) -> Result<Vec<PlanRow>, Vec<RowError>> {
    let (required, optional) = PLAN_COLUMNS.split_at(2);
    let table = Table::parse(text, required, optional)?;
    table.read_rows(|row| PlanRow::read(row.line, |column| table.field(row, column)))
}

impl PlanRow {
    /// Reads one prefix: `field` returns what stands in a column of [`PLAN_COLUMNS`], empty for nothing.
    ///
    /// # Errors
    /// The first column that is wrong, and what is.
    pub fn read<'f>(
        line: usize,
        field: impl Fn(&'static str) -> &'f str,
    ) -> Result<Self, (&'static str, PlanImportProblem)> {
        let text = |column| Some(field(column)).filter(|field| !field.is_empty());
        let required = |column: &'static str| text(column).ok_or((column, PlanImportProblem::Empty));
        let date = |column: &'static str| {
            let parsed = text(column).map(Timestamp::from_day_or_time).transpose();
            parsed.map_err(|error| (column, PlanImportProblem::Date(error)))
        };
        let written = required("prefix")?;
        let prefix = written.parse().ok().filter(|_| written.contains('/'));
        let prefix = prefix.ok_or_else(|| ("prefix", PlanImportProblem::Prefix(written.to_owned())))?;
        check_prefix(prefix).map_err(|error| ("prefix", error.into()))?;
        let own_space = match field("space") {
            "" | "national" => false,
            "site" => true,
            other => return Err(("space", PlanImportProblem::Space(other.to_owned()))),
        };
        let vlan = match text("vlan").map(|text| (text, text.parse().ok().filter(|vlan| (1..=4094).contains(vlan)))) {
            Some((text, None)) => return Err(("vlan", PlanImportProblem::Vlan(text.to_owned()))),
            Some((_, vlan)) => vlan,
            None => None,
        };
        let dark = match field("dark").to_ascii_lowercase().as_str() {
            "" | "no" | "false" | "0" | "否" => false,
            "yes" | "true" | "1" | "是" => true,
            _ => return Err(("dark", PlanImportProblem::YesNo(field("dark").to_owned()))),
        };
        let (from, until) = (date("from")?, date("until")?);
        let (site, purpose) = (required("site")?.to_owned(), field("purpose").to_owned());
        Ok(Self { line, prefix, site, own_space, vlan, purpose, dark, from, until })
    }
}

/// Plans what has to change so that the prefixes of the file are in `plan` as the file has them. A row without a date
/// holds from `default_from` on; `allocate` gives the identity of a new space at each call.
///
/// # Errors
/// Every row that the plan would refuse, up to [`MAX_ERRORS`].
pub fn plan_import(
    plan: &AddressPlan,
    tree: &SiteTree,
    rows: &[PlanRow],
    default_from: Timestamp,
    mut allocate: impl FnMut() -> SpaceId,
) -> Result<PlanImport, Vec<RowError>> {
    let mut planner = Planner { plan: plan.clone(), tree, import: PlanImport::default() };
    let mut earlier: BTreeMap<(SpaceId, IpNetwork), Vec<&PlanRow>> = BTreeMap::new();
    let mut errors = Vec::new();
    for row in rows {
        let error = |(column, problem)| RowError { line: row.line, column, problem };
        let from = row.from.unwrap_or(default_from);
        let outcome = planner.space(row, from, &mut allocate).and_then(|(site, space)| {
            let same = earlier.entry((space, row.prefix)).or_default();
            if let Some(first) = same.iter().find(|other| periods_overlap(other, row, default_from)) {
                let (first, owner) = (first.line, first.site.clone());
                return Err(("prefix", PlanImportProblem::Repeated { prefix: row.prefix, first, owner }));
            }
            same.push(row);
            planner.row(row, site, space, from)
        });
        errors.extend(outcome.map_err(error).err());
        if errors.len() >= MAX_ERRORS {
            break;
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let named: BTreeSet<_> = earlier.into_keys().collect();
    let assigned = plan.entries().filter(|entry| entry.assignment(default_from).is_some());
    let absent = assigned.map(|entry| (entry.space, entry.prefix)).filter(|key| !named.contains(key));
    planner.import.absent = absent.collect();
    Ok(planner.import)
}

struct Planner<'a> {
    /// The plan as it will be after the changes planned so far.
    plan: AddressPlan,
    tree: &'a SiteTree,
    import: PlanImport,
}

impl Planner<'_> {
    /// Returns the site and the space that the row means; plans the site's own space when it has none yet.
    fn space(
        &mut self,
        row: &PlanRow,
        at: Timestamp,
        allocate: &mut impl FnMut() -> SpaceId,
    ) -> Result<(SiteId, SpaceId), (&'static str, PlanImportProblem)> {
        let Some(site) = self.tree.by_code(&row.site, at) else {
            return Err(("site", PlanImportProblem::UnknownSite { code: row.site.clone(), at }));
        };
        if !row.own_space {
            return Ok((site.id, NATIONAL));
        }
        if let Some(space) = self.plan.site_space(site.id) {
            return Ok((site.id, space));
        }
        let (id, name) = (allocate(), site.name(at).zh.clone());
        self.make(PlanChange::AddSpace(AddressSpace { id, name, kind: SpaceExtent::Site(site.id) }))?;
        Ok((site.id, id))
    }

    fn row(
        &mut self,
        row: &PlanRow,
        site: SiteId,
        space: SpaceId,
        from: Timestamp,
    ) -> Result<(), (&'static str, PlanImportProblem)> {
        if let Some(until) = row.until.filter(|until| *until <= from) {
            return Err(("until", PlanImportProblem::EndsBeforeItStarts { from, until }));
        }
        let prefix = row.prefix;
        let assignment = Assignment { site, vlan: row.vlan, purpose: row.purpose.clone(), dark: row.dark };
        let before = self.import.changes.len();
        let held = |plan: &AddressPlan, at| plan.entry(space, prefix).and_then(|entry| entry.assignment(at)).cloned();
        if held(&self.plan, from).as_ref() != Some(&assignment) {
            self.make(PlanChange::Assign { space, prefix, assignment: assignment.clone(), from })?;
        }
        // What was withdrawn within the time that the file gives the site is given back.
        for from in self.withdrawn(space, prefix, Period { from, until: row.until }) {
            self.make(PlanChange::Assign { space, prefix, assignment: assignment.clone(), from })?;
        }
        if let Some(until) = row.until.filter(|until| held(&self.plan, *until).is_some_and(|held| held.site == site)) {
            self.make(PlanChange::Withdraw { space, prefix, from: until })?;
        }
        self.import.unchanged += usize::from(self.import.changes.len() == before);
        Ok(())
    }

    /// Returns when in `period` the prefix is withdrawn.
    fn withdrawn(&self, space: SpaceId, prefix: IpNetwork, period: Period) -> Vec<Timestamp> {
        let entry = self.plan.entry(space, prefix);
        let values = entry.into_iter().flat_map(|entry| entry.assignments.iter());
        let nobodys = values.filter(|dated| dated.value.is_none() && !dated.period().is_empty());
        nobodys.map(|dated| dated.from).filter(|from| period.contains(*from)).collect()
    }

    fn make(&mut self, change: PlanChange) -> Result<(), (&'static str, PlanImportProblem)> {
        self.plan.apply(&change).map_err(|error| ("", error.into()))?;
        self.import.changes.push(change);
        Ok(())
    }
}

/// Returns whether both rows mean the same moment. One prefix may pass from one site to another within a file.
fn periods_overlap(one: &PlanRow, two: &PlanRow, default_from: Timestamp) -> bool {
    let period = |row: &PlanRow| Period { from: row.from.unwrap_or(default_from), until: row.until };
    period(one).overlaps(period(two))
}
