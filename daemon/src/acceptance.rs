//! The acceptance test of a site: what is known of it is gathered, its lines are measured, and the result is kept.
//!
//! Invariant: what was found is in the log as it was found, with its thresholds; running a test and signing it off are
//! commands, with their entries of the audit trail. A media test is asked for where the caller may measure lines there; what
//! cannot be measured is said with its reason.

mod gather;

use std::{collections::BTreeMap, sync::Arc};

use onenet_topology::{
    ProbeKind, ProbeTest, SiteId, Timestamp,
    acceptance::{MediaFound, Tested, Thresholds, evaluate},
    availability::Quality,
    fact::{HistoryBody, Scope},
};

use crate::{
    access::{Action, Gate, View},
    api::{App, Problem},
    measurement::{self, Wanted},
    store::{SampleKind, SampleQuery, StoreError},
};
use gather::{Source, found, sources};

/// Samples of a site that are read for one test: an hour of sixty probes.
const SAMPLES_MAX: usize = 4_000;
const MINUTE_MS: i64 = 60_000;

/// What was measured over a way in the time of the test, in so many windows.
pub(crate) type Measured = BTreeMap<SiteId, (Quality, u32)>;

/// Runs the test of a site.
///
/// # Errors
/// The samples cannot be read.
pub(crate) async fn test(
    app: &Arc<App>,
    gate: &Gate,
    view: &View,
    site: SiteId,
    thresholds: Thresholds,
) -> Result<Tested, Problem> {
    let (estate, now) = (app.centre.estate(), gate.now());
    let sources = sources(&estate, site, now);
    let measured = measured(app, &sources, now, thresholds.minutes).await?;
    let (media, media_missing) = media(app, gate, view, &sources).await;
    // What agents told while the lines were measured counts.
    let estate = app.centre.estate();
    let mut found = found(&estate, site, now, &measured);
    (found.media, found.media_missing) = (media, media_missing);
    let checks = evaluate(&found, &thresholds);
    Ok(Tested { site, thresholds, checks })
}

/// Returns what the windows of the last minutes say of each way.
async fn measured(app: &Arc<App>, sources: &[Source], now: Timestamp, minutes: u16) -> Result<Measured, Problem> {
    let queries: Vec<(SiteId, SampleQuery)> = sources
        .iter()
        .map(|source| {
            let query = SampleQuery {
                site: source.site,
                agent: Some(source.agent),
                scope: Scope::new(""),
                kind: SampleKind::Probe,
                item: Some(source.probe.clone()),
                from: now.plus_ms(-i64::from(minutes) * MINUTE_MS),
                until: now.plus_ms(1),
                limit: SAMPLES_MAX,
            };
            (source.parent, query)
        })
        .collect();
    let centre = app.centre.clone();
    let read = move || {
        let mut measured = Measured::new();
        for (parent, query) in queries {
            for sample in centre.samples(&query)? {
                let HistoryBody::Probe(sample) = sample.item.body else { continue };
                if sample.test == ProbeTest::Regular {
                    let (quality, windows) = measured.entry(parent).or_default();
                    quality.take(&sample);
                    *windows += 1;
                }
            }
        }
        Ok::<_, StoreError>(measured)
    };
    let read = tokio::task::spawn_blocking(read).await.map_err(|_| Problem::internal())?;
    read.map_err(|error| {
        tracing::error!(%error, "samples cannot be read for an acceptance test");
        Problem::internal()
    })
}

/// Asks for a media test over each way that is probed with test packets. Returns what they found, and why one found nothing.
async fn media(app: &Arc<App>, gate: &Gate, view: &View, sources: &[Source]) -> (Vec<MediaFound>, String) {
    let (mut found, mut missing) = (Vec::new(), String::new());
    let mut parents: Vec<SiteId> = sources.iter().map(|source| source.parent).collect();
    parents.dedup();
    for parent in parents {
        let mut of_way = sources.iter().filter(|it| it.parent == parent && it.kind == ProbeKind::Stamp);
        let Some(source) = of_way.find(|source| view.may(Action::MeasureLines, source.site)) else { continue };
        let wanted = Wanted {
            site: source.site,
            agent: Some(source.agent),
            probe: source.probe.clone(),
            test: ProbeTest::Media,
            kbit_per_s: 0,
            seconds: 0,
        };
        match measurement::carry_out(app, gate, wanted).await {
            Ok(taken) => match taken.sample.mos_centi {
                Some(mos_centi) => found.push(MediaFound { name: parent.to_string(), mos_centi }),
                None => {
                    missing =
                        format!("{}: {} of {} packets were lost", source.probe, taken.sample.lost, taken.sample.sent);
                }
            },
            Err(why) => missing = format!("{}: {}", source.probe, why.told()),
        }
    }
    (found, missing)
}
