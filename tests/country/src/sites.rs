//! Which sites there are, and how many terminals each has (`DOMAIN.md`: three layers, four levels).
//!
//! Invariant: numbers of terminals and devices are counted through the nation, so that no address is given twice.

use std::fmt::Write as _;

use onenet_topology::division::{self, Tier};

use super::{
    chance,
    network::{Kind, Network},
};

/// The code of the ministry in the table of divisions.
const MINISTRY: &str = "000000";

/// Terminals of an access switch.
pub(crate) const PORTS: usize = 24;
/// Access switches above which there is aggregation.
const FLAT_MAX: usize = 4;

/// What chance is asked for.
const ON_THE_BOOKS: u64 = 31;

/// What is not in the table of divisions: code, name, name in Latin letters. The Corps, then the directly affiliated units.
const BEYOND: [(&str, &str, &str); 15] = [
    ("660000", "新疆生产建设兵团", "Corps"),
    ("unit-01", "中国环境监测总站", "Monitoring Centre"),
    ("unit-02", "华北督察局", "North China Bureau"),
    ("unit-03", "华东督察局", "East China Bureau"),
    ("unit-04", "华南督察局", "South China Bureau"),
    ("unit-05", "西北督察局", "North-west Bureau"),
    ("unit-06", "西南督察局", "South-west Bureau"),
    ("unit-07", "东北督察局", "North-east Bureau"),
    ("unit-08", "长江流域局", "Yangtze Bureau"),
    ("unit-09", "黄河流域局", "Yellow River Bureau"),
    ("unit-10", "淮河流域局", "Huai River Bureau"),
    ("unit-11", "海河流域局", "Hai River Bureau"),
    ("unit-12", "珠江流域局", "Pearl River Bureau"),
    ("unit-13", "松辽流域局", "Songliao Bureau"),
    ("unit-14", "太湖流域局", "Lake Tai Bureau"),
];

/// A site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    /// Its code.
    pub(crate) code: String,
    /// Its name.
    pub(crate) name: String,
    /// Its name in Latin letters.
    pub(crate) pinyin: String,
    /// Its level.
    pub(crate) tier: Tier,
    /// `division` or `affiliated`.
    pub(crate) kind: &'static str,
    /// The code of the site above.
    pub(crate) parent: Option<String>,
    /// How many terminals belong there.
    pub(crate) terminals: usize,
    /// The number of its first terminal, through the nation.
    pub(crate) first_terminal: u64,
    /// The number of its first device, through the nation.
    pub(crate) first_device: u64,
    /// What its chance follows from.
    pub(crate) seed: u64,
}

impl Site {
    /// Returns the number of access switches.
    pub(crate) const fn access(&self) -> usize {
        self.terminals.div_ceil(PORTS)
    }

    /// Returns the number of aggregation switches.
    pub(crate) const fn aggregation(&self) -> usize {
        if self.access() > FLAT_MAX { self.access().div_ceil(PORTS) } else { 0 }
    }

    /// Returns the number of managed devices: a router and the switches.
    pub(crate) const fn devices(&self) -> usize {
        1 + self.access() + self.aggregation()
    }
}

/// Returns the whole country with `scale_percent` of its terminals.
pub(crate) fn all(seed: u64, scale_percent: u64) -> Vec<Site> {
    let table = division::all().iter().map(|it| (it.code, it.name, it.pinyin, it.tier, it.parent, "division"));
    let beyond = BEYOND.iter().map(|(code, name, pinyin)| {
        let kind = if code.starts_with("unit-") { "affiliated" } else { "division" };
        (*code, *name, *pinyin, Tier::Province, Some(MINISTRY), kind)
    });
    let (mut first_terminal, mut first_device) = (0, 0);
    let mut sites = Vec::new();
    for (index, (code, name, pinyin, tier, parent, kind)) in table.chain(beyond).enumerate() {
        let number = u64::try_from(index).unwrap_or_default();
        let own = chance::of(seed, &[number]);
        let (least, span) = match (tier, kind) {
            (Tier::Ministry, _) => (3_000, 1),
            (Tier::Province, "affiliated") => (80, 71),
            (Tier::Province, _) => (500, 301),
            (Tier::City, _) => (60, 41),
            (Tier::County, _) => (15, 11),
        };
        let usual = least + chance::below(span, own, &[1]);
        let terminals = usize::try_from((usual * scale_percent / 100).max(2)).unwrap_or(2);
        let site = Site {
            code: code.to_owned(),
            name: name.to_owned(),
            pinyin: pinyin.to_owned(),
            tier,
            kind,
            parent: parent.map(str::to_owned),
            terminals,
            first_terminal,
            first_device,
            seed: own,
        };
        first_terminal += u64::try_from(site.terminals).unwrap_or_default();
        first_device += u64::try_from(site.devices()).unwrap_or_default();
        sites.push(site);
    }
    sites
}

/// Returns the sites at and below those of these codes, joined by commas, and those above them.
pub(crate) fn within(sites: Vec<Site>, codes: &str) -> Vec<Site> {
    let mut kept = vec![false; sites.len()];
    for code in codes.split(',') {
        let inside = below(&sites, code);
        kept.iter_mut().zip(inside).for_each(|(kept, inside)| *kept |= inside);
    }
    // Parents stand before their children.
    for at in (0..sites.len()).rev().filter(|at| kept[*at]).collect::<Vec<_>>() {
        let mut above = sites[at].parent.clone();
        while let Some(parent) = above.as_ref().and_then(|code| sites.iter().position(|it| it.code == *code)) {
            kept[parent] = true;
            above.clone_from(&sites[parent].parent);
        }
    }
    sites.into_iter().zip(kept).filter_map(|(site, kept)| kept.then_some(site)).collect()
}

/// Returns the sites as a file that `onenetd sites import` takes.
pub(crate) fn csv(sites: &[Site]) -> String {
    let mut text = String::from("code,name,pinyin,tier,parent,kind\n");
    for site in sites {
        let parent = site.parent.as_deref().unwrap_or_default();
        // Writing to a text does not fail.
        let _ = writeln!(text, "{},{},{},{},{parent},{}", site.code, site.name, site.pinyin, site.tier, site.kind);
    }
    text
}

/// Returns the books as a file that `onenetd assets import` takes: most computers are on them, and some that nobody ever sees.
pub(crate) fn assets(sites: &[Site]) -> String {
    let mut text = String::from("number,site,mac,class\n");
    for site in sites {
        let network = Network::new(site.clone(), 0);
        for at in (0..site.terminals).filter(|at| network.kind(*at) == Kind::Computer) {
            let chance = chance::below(100, site.seed, &[ON_THE_BOOKS, at as u64]);
            // A machine of a generation that never comes was bought, and is in no network.
            let generation = if chance < 4 { 13 } else { 0 };
            if chance < 96 {
                let mac = network.mac(at, generation);
                let _ = writeln!(text, "A-{}-{at:04},{},{mac},pc", site.code, site.code);
            }
        }
    }
    text
}

/// Returns which sites lie below the site of this code, itself included; by their places in the list.
pub(crate) fn below(sites: &[Site], code: &str) -> Vec<bool> {
    let mut inside = vec![false; sites.len()];
    // Parents stand before their children in the table.
    for (at, site) in sites.iter().enumerate() {
        let parent = site.parent.as_ref().and_then(|parent| sites.iter().position(|it| it.code == *parent));
        inside[at] = site.code == code || parent.is_some_and(|parent| inside[parent]);
    }
    inside
}
