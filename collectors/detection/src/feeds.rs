//! Feeds that fall silent: sources of HJ 212 messages, and of what the site lists.
//!
//! Invariant: a feed is silent only by the time of a segment that goes on; one that came for less than a day is none. What all
//! sources of a service have in common is told of the service.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use onenet_topology::{Timestamp, application::Application};

use crate::{
    book::{Book, Report},
    catalogue::Kind,
    finding::{Evidence, Subject},
    observation::FlowSeen,
    settings::Settings,
    table::{Table, Worth},
    threshold::Threshold,
};

const DAY_MS: i64 = 24 * 3_600_000;
const KEPT_MS: i64 = 60 * DAY_MS;
/// How often it is looked for who is silent, in milliseconds.
const LOOK_MS: i64 = 60_000;
/// How often a feed has to have been heard.
const HEARD_MIN: u32 = 12;
/// After so many usual intervals it is silent.
const INTERVALS: i64 = 4;

type Key = (SocketAddr, IpAddr);

#[derive(Debug)]
struct Feed {
    first: Timestamp,
    last: Timestamp,
    heard: u32,
    /// From one time to the next, usually: it follows slowly.
    interval_ms: i64,
    told: bool,
}

/// The detector.
#[derive(Debug)]
pub(crate) struct Feeds {
    feeds: Table<Key, Feed>,
    looked: Timestamp,
}

impl Worth for Feed {
    fn worth(&self) -> u64 {
        self.heard.into()
    }
}

impl Feeds {
    pub(crate) fn new() -> Self {
        Self { feeds: Table::new(1_024, KEPT_MS), looked: Timestamp::EPOCH }
    }

    pub(crate) const fn evicted(&self) -> u64 {
        self.feeds.evicted()
    }

    /// Takes a flow that may be a part of a feed.
    pub(crate) fn flow(&mut self, flow: &FlowSeen<'_>, settings: &Settings) {
        let service = SocketAddr::new(flow.to, flow.to_port);
        let feeds = flow.application == Some(Application::Hj212) || settings.feeds.contains(&service);
        let carries = match flow.protocol {
            6 => flow.data && flow.packets_out != 0,
            _ => flow.packets_out != 0,
        };
        if !feeds || !carries {
            return;
        }
        let fresh = || Feed { first: flow.start, last: flow.end, heard: 0, interval_ms: 0, told: false };
        let Some(feed) = self.feeds.touch((service, flow.from), flow.end, fresh) else { return };
        let interval_ms = flow.end.ms_since(feed.last);
        if interval_ms > 0 {
            feed.interval_ms += (interval_ms - feed.interval_ms) / if feed.heard < 8 { 2 } else { 8 };
        }
        feed.heard = feed.heard.saturating_add(1);
        feed.last = feed.last.max(flow.end);
        feed.told = false;
    }

    /// Looks for who is silent, now that the segment was heard.
    pub(crate) fn look(&mut self, now: Timestamp, settings: &Settings, book: &mut Book) {
        if now.ms_since(self.looked) < LOOK_MS {
            return;
        }
        self.looked = now;
        // Of each service: how many sources it has, and how many of them were not heard for a while.
        let mut services: BTreeMap<SocketAddr, (u32, u32)> = BTreeMap::new();
        for ((service, _), feed) in self.feeds.iter_mut().filter(|(_, feed)| feed.is_one(now)) {
            let (all, quiet) = services.entry(*service).or_default();
            *all += 1;
            *quiet += u32::from(now.ms_since(feed.last) * 2 > feed.patience_ms(*service, settings));
        }
        let silent = |service: SocketAddr, feed: &Feed| {
            feed.is_one(now) && !feed.told && now.ms_since(feed.last) > feed.patience_ms(service, settings)
        };
        for ((service, from), feed) in self.feeds.iter_mut().filter(|((service, _), feed)| silent(*service, feed)) {
            feed.told = true;
            let (all, quiet) = services.get(service).copied().unwrap_or_default();
            let together = all > 1 && all == quiet;
            let subject = if together {
                Subject::Service { host: service.ip(), port: service.port() }
            } else {
                Subject::Host(*from)
            };
            let report = Report::new(Kind::SilentFeed, subject, 80, now).since(feed.last);
            book.report(&report, || {
                vec![
                    if together { Evidence::new("sources", all) } else { Evidence::new("source", from) },
                    Evidence::new("service", service),
                    Evidence::new("last_data", feed.last),
                    Evidence::new("usual_interval", format_args!("{} s", feed.interval_ms / 1_000)),
                ]
            });
        }
    }
}

impl Feed {
    /// Returns whether it came for long enough, and not too long ago, to be missed.
    fn is_one(&self, now: Timestamp) -> bool {
        let lasted = self.last.ms_since(self.first) >= DAY_MS;
        lasted && self.heard >= HEARD_MIN && now.ms_since(self.last) < KEPT_MS
    }

    fn patience_ms(&self, service: SocketAddr, settings: &Settings) -> i64 {
        let least_s = i64::try_from(settings.at(Threshold::FeedSilent, service.ip())).unwrap_or(i64::MAX);
        least_s.saturating_mul(1_000).max(self.interval_ms.saturating_mul(INTERVALS))
    }
}
