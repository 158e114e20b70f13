//! Importing the asset register from a file that people keep in a spreadsheet.
//!
//! The file is CSV with the columns `number,site` and, if wanted, the others:
//!
//! | column | holds |
//! |---|---|
//! | `number` | the asset's number, which no other asset of the site has |
//! | `site` | the code of the site that answers for it |
//! | `mac` | the addresses of its cards, in any usual form, several with blanks or semicolons between them |
//! | `ip` | its IP address, for machines whose MAC address the books do not have |
//! | `class` | a device class such as `pc`, `server`, `camera`; a computer when empty |
//! | `name`, `owner`, `location` | in words |
//! | `from`, `until` | a date such as `2026-01-31` (midnight in China) or a time after RFC 3339; `until` is the first day on which it is written off |
//!
//! A row is the asset that has its number at its site, or else the one that has its MAC address: a machine that went to
//! another unit keeps its identity.
//!
//! Invariant: planned changes can be applied to the register that they were planned for, completely. Assets that the file
//! does not name are left alone, unless the file is said to be complete for the sites that it names.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use serde::{Deserialize, Serialize};

use super::{Asset, AssetChange, AssetRegister, MACS_MAX, TEXT_CHARS_MAX};
use crate::{
    AssetId, MacAddr, SiteId, Timestamp,
    classify::DeviceClass,
    csv::{CsvProblem, ImportError, MAX_ERRORS, Table},
    dated::Period,
    mac::InvalidMac,
    site::SiteTree,
    time::InvalidDay,
};

/// The columns of the file; the first two must be there.
pub const ASSET_COLUMNS: [&str; 10] =
    ["number", "site", "mac", "ip", "class", "name", "owner", "location", "from", "until"];

/// One asset as the file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetRow {
    /// The line in the file, counted from 1.
    pub line: usize,
    /// The number.
    pub number: String,
    /// The code of its site.
    pub site: String,
    /// The addresses of its cards, in order.
    pub macs: Vec<MacAddr>,
    /// Its IP address.
    pub ip: Option<IpAddr>,
    /// What kind of machine it is.
    pub class: Option<DeviceClass>,
    /// What it is called.
    pub name: String,
    /// Who answers for it.
    pub owner: String,
    /// Where it stands.
    pub location: String,
    /// Since when, if the file says.
    pub from: Option<Timestamp>,
    /// Until when, if the file says.
    pub until: Option<Timestamp>,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssetImportProblem {
    /// The file is not the table it should be.
    #[error(transparent)]
    Csv(#[from] CsvProblem),
    /// A field that must not be empty is.
    #[error("the field is empty: fill it in")]
    Empty,
    /// Neither a MAC nor an IP address.
    #[error("neither a MAC nor an IP address is given: without one the machine cannot be recognised on the network")]
    NoAddress,
    /// Not a MAC address.
    #[error(transparent)]
    Mac(#[from] InvalidMac),
    /// A MAC address that no card has.
    #[error("{0} is the address of a group or of none, not of a card: read it from the machine again")]
    NoCard(MacAddr),
    /// Too many cards.
    #[error("one asset has at most {MACS_MAX} MAC addresses: write a row for each machine")]
    TooManyMacs,
    /// Not an IP address.
    #[error("{0:?} is not an IP address: write one such as 10.13.1.7, or leave it empty")]
    Ip(String),
    /// Not a class.
    #[error("{0:?} is not a device class: write one of {classes}, or leave it empty", classes = class_names())]
    Class(String),
    /// Too long.
    #[error("the text is longer than {TEXT_CHARS_MAX} characters: shorten it")]
    TooLong,
    /// Not a date.
    #[error(transparent)]
    Date(InvalidDay),
    /// The end is not after the start.
    #[error("the asset is written off at {until}, before it is on the books at {from}: exchange or correct the dates")]
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
    /// Two rows have one number.
    #[error("line {first} has the number {number} at the same site: keep one row, or correct the number")]
    RepeatedNumber {
        /// The number.
        number: String,
        /// The earlier line.
        first: usize,
    },
    /// Two rows have one card.
    #[error("line {first} has the MAC address {mac} too: a card is in one machine; keep it in one row")]
    RepeatedMac {
        /// The address.
        mac: MacAddr,
        /// The earlier line.
        first: usize,
    },
    /// The card is another asset's.
    #[error(
        "the MAC address {mac} is registered as number {number} of {site}: give that row another address, or write it off \
         by a date in its column until"
    )]
    Taken {
        /// The address.
        mac: MacAddr,
        /// The number of the asset that has it.
        number: String,
        /// The site of that asset.
        site: SiteId,
    },
}

/// What an import would change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AssetImport {
    /// The changes, in the order in which they can be applied.
    pub changes: Vec<AssetChange>,
    /// Assets that come on the books.
    pub added: usize,
    /// Assets that change.
    pub changed: usize,
    /// Assets that the file has as the register has them.
    pub unchanged: usize,
    /// Assets that are written off because a complete file does not name them.
    pub written_off: usize,
    /// Assets of the sites that the file names, on the books and not in the file: left alone.
    pub absent: usize,
}

type RowError = ImportError<AssetImportProblem>;
type Problem = (&'static str, AssetImportProblem);

fn class_names() -> String {
    DeviceClass::ALL.iter().map(|class| class.name()).collect::<Vec<_>>().join(", ")
}

/// Reads the file.
///
/// # Errors
/// Everything that is wrong with single rows, up to [`MAX_ERRORS`], with lines and columns.
pub fn parse_assets_csv(text: &str) -> Result<Vec<AssetRow>, Vec<RowError>> {
    let (required, optional) = ASSET_COLUMNS.split_at(2);
    let table = Table::parse(text, required, optional)?;
    table.read_rows(|row| AssetRow::read(row.line, |column| table.field(row, column)))
}

impl AssetRow {
    /// Reads one asset: `field` returns what stands in a column of [`ASSET_COLUMNS`], empty for nothing.
    ///
    /// # Errors
    /// The first column that is wrong, and what is.
    pub fn read<'f>(line: usize, field: impl Fn(&'static str) -> &'f str) -> Result<Self, Problem> {
        let text = |column| Some(field(column)).filter(|field| !field.is_empty());
        let words = |column: &'static str| {
            let words = field(column).to_owned();
            if words.chars().count() > TEXT_CHARS_MAX { Err((column, AssetImportProblem::TooLong)) } else { Ok(words) }
        };
        let required = |column: &'static str| {
            words(column).and_then(|it| if it.is_empty() { Err((column, AssetImportProblem::Empty)) } else { Ok(it) })
        };
        let date = |column: &'static str| {
            let parsed = text(column).map(Timestamp::from_day_or_time).transpose();
            parsed.map_err(|error| (column, AssetImportProblem::Date(error)))
        };
        let macs = macs(field("mac")).map_err(|problem| ("mac", problem))?;
        let ip = text("ip").map(|ip| ip.parse().map_err(|_| ("ip", AssetImportProblem::Ip(ip.to_owned()))));
        let ip = ip.transpose()?;
        let (number, site) = (required("number")?, required("site")?);
        if macs.is_empty() && ip.is_none() {
            return Err(("mac", AssetImportProblem::NoAddress));
        }
        let class = text("class")
            .map(|class| DeviceClass::of(class).ok_or_else(|| ("class", AssetImportProblem::Class(class.to_owned()))));
        Ok(Self {
            line,
            number,
            site,
            macs,
            ip,
            class: class.transpose()?,
            name: words("name")?,
            owner: words("owner")?,
            location: words("location")?,
            from: date("from")?,
            until: date("until")?,
        })
    }
}

fn macs(text: &str) -> Result<Vec<MacAddr>, AssetImportProblem> {
    let mut macs = BTreeSet::new();
    for written in text.split([' ', ';', ',', '；', '\n', '\t']).filter(|part| !part.is_empty()) {
        let mac: MacAddr = written.parse()?;
        if !mac.is_unicast() {
            return Err(AssetImportProblem::NoCard(mac));
        }
        macs.insert(mac);
        if macs.len() > MACS_MAX {
            return Err(AssetImportProblem::TooManyMacs);
        }
    }
    Ok(macs.into_iter().collect())
}

/// Plans what has to change so that the register has the assets of the file as the file has them. A row without a date holds
/// from `default_from` on, where it is new; `complete` says that the file names every asset of each site in it; `allocate`
/// gives the identity of a new asset at each call.
///
/// # Errors
/// Every row that the register would refuse, up to [`MAX_ERRORS`].
pub fn plan_import(
    register: &AssetRegister,
    tree: &SiteTree,
    rows: &[AssetRow],
    default_from: Timestamp,
    complete: bool,
    mut allocate: impl FnMut() -> AssetId,
) -> Result<AssetImport, Vec<RowError>> {
    let mut planner = Planner::new(register, tree, default_from);
    let mut errors = Vec::new();
    for row in rows {
        let planned = planner.row(row, &mut allocate);
        errors.extend(planned.err().map(|(column, problem)| RowError { line: row.line, column, problem }));
        if errors.len() >= MAX_ERRORS {
            break;
        }
    }
    if errors.is_empty() {
        // Whose card it is can be judged only when it is known which assets the file takes it from.
        let taken = rows.iter().zip(&planner.assets).filter_map(|(row, asset)| planner.taken(row, *asset));
        errors.extend(taken.take(MAX_ERRORS));
    }
    if errors.is_empty() { Ok(planner.finish(complete)) } else { Err(errors) }
}

struct Planner<'a> {
    register: &'a AssetRegister,
    tree: &'a SiteTree,
    default_from: Timestamp,
    numbers: BTreeMap<(SiteId, &'a str), usize>,
    macs: BTreeMap<MacAddr, usize>,
    sites: BTreeSet<SiteId>,
    /// The asset of each row.
    assets: Vec<AssetId>,
    /// The same, in order.
    named: BTreeSet<AssetId>,
    import: AssetImport,
}

impl<'a> Planner<'a> {
    fn new(register: &'a AssetRegister, tree: &'a SiteTree, default_from: Timestamp) -> Self {
        Self {
            register,
            tree,
            default_from,
            numbers: BTreeMap::new(),
            macs: BTreeMap::new(),
            sites: BTreeSet::new(),
            assets: Vec::new(),
            named: BTreeSet::new(),
            import: AssetImport::default(),
        }
    }

    fn row(&mut self, row: &'a AssetRow, allocate: &mut impl FnMut() -> AssetId) -> Result<(), Problem> {
        let at = row.from.unwrap_or(self.default_from);
        let Some(site) = self.tree.by_code(&row.site, at).map(|site| site.id) else {
            return Err(("site", AssetImportProblem::UnknownSite { code: row.site.clone(), at }));
        };
        if let Some(first) = self.numbers.insert((site, &row.number), row.line) {
            return Err(("number", AssetImportProblem::RepeatedNumber { number: row.number.clone(), first }));
        }
        for mac in &row.macs {
            if let Some(first) = self.macs.insert(*mac, row.line) {
                return Err(("mac", AssetImportProblem::RepeatedMac { mac: *mac, first }));
            }
        }
        let known = self.known(site, row);
        let from = row.from.or(known.map(|known| known.from)).unwrap_or(self.default_from);
        if let Some(until) = row.until.filter(|until| *until <= from) {
            return Err(("until", AssetImportProblem::EndsBeforeItStarts { from, until }));
        }
        let asset = as_asset(row, known.map_or_else(allocate, |known| known.id), site, from);
        self.sites.insert(site);
        self.assets.push(asset.id);
        self.named.insert(asset.id);
        match known {
            Some(known) if *known == asset => self.import.unchanged += 1,
            known => {
                *if known.is_some() { &mut self.import.changed } else { &mut self.import.added } += 1;
                self.import.changes.push(AssetChange::Put(asset));
            }
        }
        Ok(())
    }

    /// Returns the asset that a row speaks of: the one with its number, or else one that has a card of it, which another
    /// row does not speak of.
    fn known(&self, site: SiteId, row: &AssetRow) -> Option<&'a Asset> {
        let at = row.from.unwrap_or(self.default_from);
        let numbered = self.register.numbered(site, &row.number);
        let carded = || row.macs.iter().find_map(|mac| self.register.by_mac(*mac, at));
        numbered.or_else(carded).filter(|known| !self.named.contains(&known.id))
    }

    /// Returns why a row cannot have one of its cards: another asset has it, at the same time, and keeps it.
    fn taken(&self, row: &AssetRow, asset: AssetId) -> Option<RowError> {
        let period = Period { from: row.from.unwrap_or(self.default_from), until: row.until };
        row.macs.iter().find_map(|mac| {
            let holder = self.register.holder(*mac)?;
            let keeps = holder.id != asset && !self.named.contains(&holder.id);
            let problem = AssetImportProblem::Taken { mac: *mac, number: holder.number.clone(), site: holder.site };
            let error = RowError { line: row.line, column: "mac", problem };
            (keeps && holder.period().overlaps(period)).then_some(error)
        })
    }

    fn finish(self, complete: bool) -> AssetImport {
        let Self { register, default_from, sites, named, mut import, .. } = self;
        let on_the_books = sites.iter().flat_map(|site| register.of_site(*site, default_from));
        for asset in on_the_books.filter(|asset| !named.contains(&asset.id)) {
            if complete && asset.from < default_from {
                import.written_off += 1;
                import.changes.push(AssetChange::WriteOff { asset: asset.id, from: default_from });
            } else {
                import.absent += 1;
            }
        }
        import
    }
}

fn as_asset(row: &AssetRow, id: AssetId, site: SiteId, from: Timestamp) -> Asset {
    Asset {
        id,
        site,
        number: row.number.clone(),
        macs: row.macs.clone(),
        ip: row.ip,
        class: row.class,
        name: row.name.clone(),
        owner: row.owner.clone(),
        location: row.location.clone(),
        from,
        until: row.until,
    }
}
