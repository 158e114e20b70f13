//! What the estate keeps of samples and alterations, which live in the store alone: the last of each, and sums.
//!
//! Invariant: all of it follows from what was told since the start, and adds nothing to what the estate says.

use onenet_topology::{SiteId, coverage::Day, division::Tier, fact::HistoryBody, picture::Alteration};

use super::{Estate, SampleBlock};

impl Estate {
    /// Remembers what sensors measured last and how capture goes, and counts what crossed the site; the samples themselves live in the store alone.
    pub(super) fn take_samples(&mut self, block: &SampleBlock) {
        if !self.sites.contains_key(&block.site) {
            return;
        }
        if block.items.iter().any(|item| matches!(item.body, HistoryBody::Application(_))) {
            let now = self.time;
            let bytes = self.site_mut(block.site).crossed.get_mut().take(block, now);
            self.count_crossed(block.site, bytes);
        }
        if block.items.iter().any(|item| matches!(item.body, HistoryBody::Capture(_))) {
            self.site_mut(block.site).captures.get_mut().take(block);
        }
        if block.items.iter().any(|item| matches!(item.body, HistoryBody::Detection(_))) {
            self.site_mut(block.site).detectors.get_mut().take(block);
        }
        if block.items.iter().any(|item| matches!(item.body, HistoryBody::Probe(_))) {
            self.site_mut(block.site).measured.get_mut().take(block);
        }
        if block.items.iter().any(|item| matches!(item.body, HistoryBody::Sensor(_))) {
            let state = self.site_mut(block.site);
            let handles = &state.handles;
            state.readings.get_mut().take(block, |handle| handles.contains_key(handle));
        }
    }

    /// Counts bytes for every site above the counties at and above this one. Summed up here and not when somebody asks, so that the sum
    /// only grows when a site leaves.
    fn count_crossed(&mut self, site: SiteId, bytes: u64) {
        let path = self.tree.path(site, self.time).into_iter().filter(|it| it.tier != Tier::County);
        let above: Vec<SiteId> = path.map(|it| it.id).collect();
        for site in above {
            let crossed = self.crossed_below.get_mut().entry(site).or_default();
            *crossed = crossed.saturating_add(bytes);
        }
    }

    /// Returns how many alterations of a site were kept on a day so far.
    pub fn altered_on(&self, site: SiteId, day: Day) -> usize {
        self.altered.get().get(&site).filter(|(of, _)| *of == day).map_or(0, |(_, count)| *count)
    }

    pub(super) fn count_altered(&mut self, site: SiteId, alterations: &[Alteration]) {
        let Some(day) = alterations.last().map(|last| Day::of(last.time)) else { return };
        let count = self.altered_on(site, day).saturating_add(alterations.len());
        self.altered.get_mut().insert(site, (day, count));
    }
}
