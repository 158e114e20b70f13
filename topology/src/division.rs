//! The administrative divisions of the country (GB/T 2260) in four tiers, as an embedded table.
//!
//! Invariant: the table is complete and closed: every division but the root names a parent of a higher tier that is
//! in the table too, and a code stands once. It is read once, on first use. `data/divisions.csv` is the table; it can
//! be given to the import of sites as it is.
//!
//! It does not know sites: a site has an identity of its own, and a division code only as an attribute with dates.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::OnceLock};

use serde::{Deserialize, Serialize};

const CSV: &str = include_str!("../data/divisions.csv");

/// A level (级) of the network. The order is from the top down: `Ministry < County`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Level 1, 部: the ministry and its directly affiliated units.
    Ministry,
    /// Level 2, 省.
    Province,
    /// Level 3, 市.
    City,
    /// Level 4, 县.
    County,
}

/// A layer (层) of links, named after the two tiers that it joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Layer 1.
    MinistryProvince,
    /// Layer 2.
    ProvinceCity,
    /// Layer 3.
    CityCounty,
}

/// The text names no tier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a tier: write ministry, province, city or county (部, 省, 市, 县)")]
pub struct InvalidTier(pub String);

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Division {
    /// The six digits of GB/T 2260; `000000` is the ministry itself.
    pub code: &'static str,
    /// The name in Chinese.
    pub name: &'static str,
    /// The name in Latin letters.
    pub pinyin: &'static str,
    /// The level.
    pub tier: Tier,
    /// The code of the division above, `None` for the root.
    pub parent: Option<&'static str>,
}

impl Tier {
    /// Every tier, from the top down.
    pub const ALL: [Self; 4] = [Self::Ministry, Self::Province, Self::City, Self::County];

    /// Returns the word for the tier in files and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ministry => "ministry",
            Self::Province => "province",
            Self::City => "city",
            Self::County => "county",
        }
    }

    /// Returns whether this tier is strictly above `other`.
    pub fn is_above(self, other: Self) -> bool {
        self < other
    }

    /// Returns the layer of the links by which a site of this tier reaches upwards.
    ///
    /// A link that skips a tier (a county directly under its province) belongs to the layer of its lower end.
    pub const fn uplink_layer(self) -> Option<Layer> {
        match self {
            Self::Ministry => None,
            Self::Province => Some(Layer::MinistryProvince),
            Self::City => Some(Layer::ProvinceCity),
            Self::County => Some(Layer::CityCounty),
        }
    }
}

impl Layer {
    /// Returns the number of the layer, 1 to 3.
    pub const fn number(self) -> u8 {
        match self {
            Self::MinistryProvince => 1,
            Self::ProvinceCity => 2,
            Self::CityCounty => 3,
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Tier {
    type Err = InvalidTier;

    /// Reads the English word or the Chinese character.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ministry" | "部" => Ok(Self::Ministry),
            "province" | "省" => Ok(Self::Province),
            "city" | "市" => Ok(Self::City),
            "county" | "县" => Ok(Self::County),
            _ => Err(InvalidTier(text.to_owned())),
        }
    }
}

/// Returns every division, in the order of the table: parents before their children.
pub fn all() -> &'static [Division] {
    &table().rows
}

/// Returns the division with this code.
pub fn by_code(code: &str) -> Option<&'static Division> {
    table().rows.get(*table().by_code.get(code)?)
}

/// Returns the divisions directly below `code`; none when the code is unknown or a leaf.
pub fn children(code: &str) -> impl Iterator<Item = &'static Division> {
    table().children.get(code).into_iter().flatten().filter_map(|row| table().rows.get(*row))
}

/// Returns the file behind the table: `code,name,pinyin,tier,parent`, with a header, in UTF-8.
pub fn csv() -> &'static str {
    CSV
}

struct Table {
    rows: Vec<Division>,
    by_code: BTreeMap<&'static str, usize>,
    children: BTreeMap<&'static str, Vec<usize>>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        // A row that does not parse would be lost here; the tests prove that none is.
        let rows: Vec<Division> = CSV.lines().skip(1).filter_map(parse).collect();
        let by_code = rows.iter().enumerate().map(|(row, division)| (division.code, row)).collect();
        let mut children: BTreeMap<&'static str, Vec<usize>> = BTreeMap::new();
        for (row, division) in rows.iter().enumerate() {
            if let Some(parent) = division.parent {
                children.entry(parent).or_default().push(row);
            }
        }
        Table { rows, by_code, children }
    })
}

/// The table has no quoted field: the tests prove that too.
fn parse(line: &'static str) -> Option<Division> {
    let mut fields = line.split(',');
    let (code, name, pinyin) = (fields.next()?, fields.next()?, fields.next()?);
    let tier = fields.next()?.parse().ok()?;
    let parent = fields.next().filter(|parent| !parent.is_empty());
    Some(Division { code, name, pinyin, tier, parent })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(tier: Tier) -> usize {
        all().iter().filter(|division| division.tier == tier).count()
    }

    #[test]
    fn the_table_is_the_whole_country() {
        assert_eq!(all().len(), 3340);
        assert_eq!(all().len(), CSV.lines().count() - 1, "every line was read");
        assert_eq!(Tier::ALL.map(count), [1, 31, 333, 2975]);
        let direct = all().iter().filter(|division| {
            division.tier == Tier::County
                && division.parent.and_then(by_code).is_some_and(|parent| parent.tier == Tier::Province)
        });
        assert_eq!(direct.count(), 118, "counties directly under a province");
    }

    #[test]
    fn every_division_hangs_under_one_of_a_higher_tier() {
        for division in all() {
            let well_formed = division.code.len() == 6 && division.code.bytes().all(|b| b.is_ascii_digit());
            assert!(well_formed && !division.name.is_empty() && !division.pinyin.is_empty(), "{division:?}");
            match division.parent {
                None => assert_eq!((division.code, division.tier), ("000000", Tier::Ministry)),
                Some(parent) => {
                    let parent = by_code(parent).expect("the parent is in the table");
                    assert!(parent.tier.is_above(division.tier), "{division:?}");
                    assert!(children(parent.code).any(|child| child == division));
                }
            }
        }
        assert_eq!(table().by_code.len(), all().len(), "each code once");
        assert!(all().is_sorted_by_key(|division| division.tier), "parents before their children");
        assert!(!CSV.contains('"'), "no quoted field");
    }

    #[test]
    fn a_division_is_found_by_its_code() {
        let county = by_code("130102").expect("长安区");
        assert_eq!((county.name, county.tier, county.parent), ("长安区", Tier::County, Some("130100")));
        assert_eq!(by_code("999999"), None);
        assert_eq!(children("000000").count(), 31);
        assert_eq!(children("130102").count(), 0);
    }

    #[test]
    fn a_tier_is_written_and_read_in_both_languages() {
        for (tier, chinese) in Tier::ALL.into_iter().zip(["部", "省", "市", "县"]) {
            assert_eq!(tier.as_str().parse(), Ok(tier));
            assert_eq!(chinese.parse(), Ok(tier));
            assert_eq!(serde_json::to_string(&tier).expect("a tier is text"), format!("\"{tier}\""));
        }
        assert!("town".parse::<Tier>().unwrap_err().to_string().contains("county"));
        assert_eq!(Tier::County.uplink_layer().map(Layer::number), Some(3));
    }
}
