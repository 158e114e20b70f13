//! Which sites are simulated, and how each of them is doing.

use onenet_topology::{
    division::{self, Tier},
    site::{SiteRow, parse_sites_csv},
};

use onenetd::demo::CODE_PREFIX;

/// The province whose names are borrowed: five cities and 22 counties are enough to look at.
pub(super) const PROVINCE: &str = "640000";

/// How a simulated site is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// All is well.
    Well,
    /// Its agent fell silent: the site is unknown.
    Silent,
    /// A switch does not answer.
    SwitchDown,
    /// Its agent may not capture.
    NoCapture,
    /// Its agent's clock is three hours ahead.
    WrongClock,
}

/// A simulated site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SimulatedSite {
    /// Its code.
    pub(super) code: String,
    /// Its name in Chinese.
    pub(super) name: String,
    /// Its name in Latin letters.
    pub(super) pinyin: String,
    /// Its tier.
    pub(super) tier: Tier,
    /// The code of the site above.
    pub(super) parent: Option<String>,
    /// How it is doing.
    pub(super) mood: Mood,
}

/// Returns the simulated sites, each after the one above it.
pub(super) fn sites() -> Vec<SimulatedSite> {
    let root = division::by_code("000000").into_iter();
    let province = division::by_code(PROVINCE).into_iter();
    let cities: Vec<_> = division::children(PROVINCE).collect();
    let counties = cities.iter().flat_map(|city| division::children(city.code));
    let all = root.chain(province).chain(cities.iter().copied()).chain(counties);
    all.enumerate()
        .map(|(at, division)| SimulatedSite {
            code: format!("{CODE_PREFIX}{}", division.code),
            name: format!("{}（演示）", division.name),
            pinyin: format!("{} (demo)", division.pinyin),
            tier: division.tier,
            parent: division.parent.map(|parent| format!("{CODE_PREFIX}{parent}")),
            mood: match at {
                10 => Mood::Silent,
                13 => Mood::SwitchDown,
                17 => Mood::NoCapture,
                22 => Mood::WrongClock,
                _ => Mood::Well,
            },
        })
        .collect()
}

/// Returns the sites as rows of an import.
pub(super) fn rows(sites: &[SimulatedSite]) -> Vec<SiteRow> {
    let mut text = String::from("code,name,pinyin,tier,parent\n");
    for site in sites {
        let parent = site.parent.as_deref().unwrap_or_default();
        text.push_str(&[&site.code, &site.name, &site.pinyin, site.tier.as_str(), parent].map(str::to_owned).join(","));
        text.push('\n');
    }
    // The table of divisions has neither commas nor quotes in it; the test proves that the rows are read.
    parse_sites_csv(&text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_province_is_small_and_whole_and_marked() {
        let sites = sites();
        assert!((20..60).contains(&sites.len()), "{}", sites.len());
        assert_eq!(rows(&sites).len(), sites.len());
        for site in &sites {
            assert!(onenetd::demo::is_demo(&site.code) && site.name.contains("演示") && site.pinyin.contains("demo"));
            assert!(site.parent.is_none() || sites.iter().any(|above| Some(&above.code) == site.parent.as_ref()));
        }
        for mood in [Mood::Silent, Mood::SwitchDown, Mood::NoCapture, Mood::WrongClock] {
            let site = sites.iter().find(|site| site.mood == mood).unwrap();
            assert_eq!(site.tier, Tier::County, "{mood:?}");
        }
    }
}
