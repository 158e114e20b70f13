//! The three layers of links.

use serde::{Deserialize, Serialize};

use crate::division::Tier;

/// A layer of links. A way belongs to the layer of its upper site: one that skips a level joins what that site joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Between ministry and provinces.
    MinistryProvince,
    /// Between provinces and cities.
    ProvinceCity,
    /// Between cities and counties.
    CityCounty,
}

impl Layer {
    /// Every layer, from the top.
    pub const ALL: [Self; 3] = [Self::MinistryProvince, Self::ProvinceCity, Self::CityCounty];

    /// Returns the layer of the ways down from a site of this level.
    pub const fn below(upper: Tier) -> Self {
        match upper {
            Tier::Ministry => Self::MinistryProvince,
            Tier::Province => Self::ProvinceCity,
            Tier::City | Tier::County => Self::CityCounty,
        }
    }

    /// Returns the name used in the API and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MinistryProvince => "ministry_province",
            Self::ProvinceCity => "province_city",
            Self::CityCounty => "city_county",
        }
    }

    /// Returns the layer of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layer| layer.name() == name)
    }
}
