//! Importing sites from a file that people keep in a spreadsheet.
//!
//! The file is CSV with the columns `code,name,tier,parent` and, if wanted, `second_parent`, `pinyin` and `kind`:
//!
//! | column | holds |
//! |---|---|
//! | `code` | the code of the site (GB/T 2260, or the ministry's own for affiliated units), which identifies the row |
//! | `name` | the Chinese name |
//! | `tier` | `ministry`, `province`, `city` or `county` (部, 省, 市, 县) |
//! | `parent` | the code of the site above; empty only for the division of a ministry |
//! | `second_parent` | the code of a second site above |
//! | `pinyin` | the name in Latin letters |
//! | `kind` | `division` (also when empty) or `affiliated` (部属单位) |
//!
//! The table of divisions is such a file as it is. A parent may come later in the file, or be a site already known.
//!
//! Invariant: a plan can be applied to the tree that it was made for, completely. A site that the file does not name is
//! left alone; what the file has no column for stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Site, SiteChange, SiteError, SiteKind, SiteName, SiteTree, Uplink};
use crate::{
    SiteId, Timestamp,
    csv::{CsvProblem, ImportError, MAX_ERRORS, Table},
    division::{InvalidTier, Tier},
};

/// One site as the file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteRow {
    /// The line in the file, counted from 1.
    pub line: usize,
    /// The code.
    pub code: String,
    /// The Chinese name.
    pub name: String,
    /// The name in Latin letters; `None` when the file has no such column.
    pub pinyin: Option<String>,
    /// The level.
    pub tier: Tier,
    /// What sort of unit.
    pub kind: SiteKind,
    /// The code of the first site above; `None` for a root.
    pub parent: Option<String>,
    /// The other ways up.
    pub others: OtherParents,
}

/// What a row says of the ways up after the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OtherParents {
    /// The file has no column for them: they stay as they are.
    Unsaid,
    /// There is none.
    None,
    /// The code of the second site above.
    Second(String),
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SiteImportProblem {
    /// The file is not the table it should be.
    #[error(transparent)]
    Csv(#[from] CsvProblem),
    /// A field that must not be empty is.
    #[error("the field is empty: fill it in")]
    Empty,
    /// The tier is none.
    #[error(transparent)]
    Tier(#[from] InvalidTier),
    /// The kind is none.
    #[error("{0:?} is not a kind of site: write division or affiliated, or leave it empty")]
    Kind(String),
    /// Two rows have one code.
    #[error("line {first} has the code {code} too: keep one of the rows")]
    RepeatedCode {
        /// The code.
        code: String,
        /// The earlier line.
        first: usize,
    },
    /// No site has the code of the parent.
    #[error("no site in the file or in the tree has the code {0}: add a row for it, or correct the code")]
    UnknownParent(String),
    /// The parents in the file lead back to the site.
    #[error("the parents of {0} lead back to itself: correct the parent of one of the sites on that way")]
    Circle(String),
    /// The site is in the tree, but on another tier or of another kind.
    #[error(
        "{code} is a {known} in the tree and a {found} in the file: correct it, or close that site and add another"
    )]
    Different {
        /// The code.
        code: String,
        /// What the tree has.
        known: String,
        /// What the file has.
        found: String,
    },
    /// The tree refuses the change.
    #[error(transparent)]
    Refused(#[from] SiteError),
}

/// What an import would change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportPlan {
    /// The changes, in the order in which they can be applied.
    pub changes: Vec<SiteChange>,
    /// Sites that the file has as the tree has them.
    pub unchanged: usize,
    /// Sites that exist but that the file does not name: left alone.
    pub absent: Vec<SiteId>,
}

type RowError = ImportError<SiteImportProblem>;

/// Reads the file.
///
/// # Errors
/// Everything that is wrong with single rows, up to [`MAX_ERRORS`], with lines and columns.
pub fn parse_sites_csv(text: &str) -> Result<Vec<SiteRow>, Vec<RowError>> {
    let table = Table::parse(text, &["code", "name", "tier", "parent"], &["second_parent", "pinyin", "kind"])?;
    let mut rows = Vec::with_capacity(table.rows.len());
    let mut errors = Vec::new();
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &table.rows {
        let error = |column, problem| RowError { line: row.line, column, problem };
        let code = table.field(row, "code");
        if let Some(first) = lines.insert(code, row.line).filter(|_| !code.is_empty()) {
            errors.push(error("code", SiteImportProblem::RepeatedCode { code: code.to_owned(), first }));
        }
        match site_row(&table, row) {
            Ok(site) => rows.push(site),
            Err((column, problem)) => errors.push(error(column, problem)),
        }
        if errors.len() >= MAX_ERRORS {
            break;
        }
    }
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

fn site_row(table: &Table, row: &crate::csv::Row) -> Result<SiteRow, (&'static str, SiteImportProblem)> {
    let text = |column| Some(table.field(row, column)).filter(|field| !field.is_empty()).map(str::to_owned);
    let required = |column: &'static str| text(column).ok_or((column, SiteImportProblem::Empty));
    let kind = match table.field(row, "kind") {
        "" | "division" => SiteKind::Division,
        "affiliated" | "部属单位" => SiteKind::Affiliated,
        other => return Err(("kind", SiteImportProblem::Kind(other.to_owned()))),
    };
    let others = match text("second_parent") {
        Some(code) => OtherParents::Second(code),
        None if table.has("second_parent") => OtherParents::None,
        None => OtherParents::Unsaid,
    };
    Ok(SiteRow {
        line: row.line,
        code: required("code")?,
        name: required("name")?,
        pinyin: table.has("pinyin").then(|| table.field(row, "pinyin").to_owned()),
        tier: required("tier")?.parse().map_err(|error: InvalidTier| ("tier", error.into()))?,
        kind,
        parent: text("parent"),
        others,
    })
}

/// Plans what has to change from `from` on so that the sites of the file are in the tree as the file has them: new ones
/// added, others renamed and moved. `allocate` gives a new identity at each call.
///
/// # Errors
/// Every row that the tree would refuse, up to [`MAX_ERRORS`]; a row below a refused one is not reported again.
pub fn plan_import(
    tree: &SiteTree,
    rows: &[SiteRow],
    from: Timestamp,
    mut allocate: impl FnMut() -> SiteId,
) -> Result<ImportPlan, Vec<RowError>> {
    let mut planner = Planner { tree: tree.clone(), from, plan: ImportPlan::default(), refused: BTreeSet::new() };
    let mut errors = Vec::new();
    let mut waiting: BTreeSet<&str> = rows.iter().map(|row| row.code.as_str()).collect();
    let mut pending: Vec<&SiteRow> = rows.iter().collect();
    pending.sort_by_key(|row| (row.tier, row.kind));
    while !pending.is_empty() {
        let before = pending.len();
        let mut blocked = Vec::new();
        for row in pending {
            if row.parents().any(|parent| waiting.contains(parent)) {
                blocked.push(row);
                continue;
            }
            waiting.remove(row.code.as_str());
            if let Err(error) = planner.row(row, &mut allocate) {
                planner.refused.insert(row.code.clone());
                errors.extend(error);
            }
        }
        if blocked.len() == before {
            let circle = |row: &&SiteRow| row.error("parent", SiteImportProblem::Circle(row.code.clone()));
            errors.extend(blocked.iter().map(circle));
            break;
        }
        pending = blocked;
    }
    if !errors.is_empty() {
        errors.sort_by_key(|error| error.line);
        errors.truncate(MAX_ERRORS);
        return Err(errors);
    }
    let named: BTreeSet<&str> = rows.iter().map(|row| row.code.as_str()).collect();
    let absent = tree.existing(from).filter(|site| !named.contains(site.code(from)));
    planner.plan.absent = absent.map(|site| site.id).collect();
    Ok(planner.plan)
}

struct Planner {
    /// The tree as it will be after the changes planned so far.
    tree: SiteTree,
    from: Timestamp,
    plan: ImportPlan,
    /// Codes whose rows were refused.
    refused: BTreeSet<String>,
}

impl Planner {
    /// Plans one row whose parents in the file are planned. `Err(None)`: a parent was refused, and has been reported.
    fn row(&mut self, row: &SiteRow, allocate: &mut impl FnMut() -> SiteId) -> Result<(), Option<RowError>> {
        if row.parents().any(|parent| self.refused.contains(parent)) {
            return Err(None);
        }
        let from = self.from;
        let Some(site) = self.tree.by_code(&row.code, from).cloned() else {
            return self.make(
                row,
                SiteChange::Add {
                    id: allocate(),
                    tier: row.tier,
                    kind: row.kind,
                    code: row.code.clone(),
                    name: SiteName::new(row.name.clone(), row.pinyin.clone().unwrap_or_default()),
                    parents: self.uplinks(row, &[])?,
                    from,
                },
            );
        };
        if (site.tier, site.kind) != (row.tier, row.kind) {
            return Err(Some(row.error("tier", row.different(&site))));
        }
        let before = self.plan.changes.len();
        let old = site.name(from);
        let name = SiteName::new(row.name.clone(), row.pinyin.clone().unwrap_or_else(|| old.latin.clone()));
        if name != *old {
            self.make(row, SiteChange::Rename { site: site.id, name, from })?;
        }
        let parents = self.uplinks(row, site.uplinks(from))?;
        if parents != site.uplinks(from) {
            self.make(row, SiteChange::Move { site: site.id, parents, from })?;
        }
        self.plan.unchanged += usize::from(self.plan.changes.len() == before);
        Ok(())
    }

    fn make(&mut self, row: &SiteRow, change: SiteChange) -> Result<(), Option<RowError>> {
        self.tree.apply(&change).map_err(|error| Some(row.error("", error.into())))?;
        self.plan.changes.push(change);
        Ok(())
    }

    /// Returns the ways up that the row asks for, where the site has `old` ones.
    fn uplinks(&self, row: &SiteRow, old: &[Uplink]) -> Result<Vec<Uplink>, Option<RowError>> {
        let find = |column, code: &String| match self.tree.by_code(code, self.from) {
            Some(parent) => Ok(Uplink::to(parent.id)),
            None => Err(Some(row.error(column, SiteImportProblem::UnknownParent(code.clone())))),
        };
        let mut parents: Vec<Uplink> = row.parent.iter().map(|code| find("parent", code)).collect::<Result<_, _>>()?;
        match &row.others {
            OtherParents::None => {}
            OtherParents::Second(code) => parents.push(find("second_parent", code)?),
            OtherParents::Unsaid => {
                let kept: Vec<_> = old.iter().skip(1).copied().filter(|uplink| !parents.contains(uplink)).collect();
                parents.extend(kept);
            }
        }
        Ok(parents)
    }
}

impl SiteRow {
    /// Returns the codes of the sites above.
    fn parents(&self) -> impl Iterator<Item = &str> {
        let second = match &self.others {
            OtherParents::Second(code) => Some(code),
            OtherParents::None | OtherParents::Unsaid => None,
        };
        self.parent.iter().chain(second).map(String::as_str)
    }

    fn error(&self, column: &'static str, problem: SiteImportProblem) -> RowError {
        RowError { line: self.line, column, problem }
    }

    fn different(&self, site: &Site) -> SiteImportProblem {
        SiteImportProblem::Different {
            code: self.code.clone(),
            known: format!("{} ({})", site.tier, site.kind),
            found: format!("{} ({})", self.tier, self.kind),
        }
    }
}
