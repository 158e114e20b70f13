//! The ways that lead away from a site, as its agents measure them: uplinks and children first, with state, loss and delay.

use maud::{Markup, html};
use onenet_topology::{ProbeRole, ProbeState, Timestamp, site::Site};

use super::{
    Reader,
    parts::{self, Mark},
    text::{self, Text},
};
use crate::{
    access::View,
    api::body::{Shown, probe_loss_ratio, probes},
};

/// Columns of the table.
const COLUMNS: usize = 9;

/// From which part on loss is shown as a warning.
const LOSS_MAX: f64 = 0.01;

/// Returns the table; nothing where nothing is probed.
pub(super) fn table(reader: &Reader, view: &View, site: &Site) -> Markup {
    let mut all = probes(view, site.id);
    all.sort_by_key(|shown| (shown.probe.role, parts::natural(&shown.probe.name)));
    html! {
        @if !all.is_empty() {
            h2 { (reader.say(text::PROBES)) " " span.sub { (all.len()) } }
            div.scroll {
                table {
                    thead {
                        tr {
                            th scope="col" { (reader.say(text::NAME)) }
                            th scope="col" { (reader.say(text::STATE)) }
                            th scope="col" { (reader.say(text::PROBE_LEADS)) }
                            th.wide scope="col" { (reader.say(text::PROBE_TARGET)) }
                            th scope="col" { (reader.say(text::SINCE)) }
                            th.number scope="col" { (reader.say(text::PROBE_LOSS)) }
                            th.number scope="col" { (reader.say(text::PROBE_ROUND_TRIP)) }
                            th.number.wide scope="col" { (reader.say(text::PROBE_JITTER)) }
                            th scope="col" { (reader.say(text::PROBE_SHOWN)) }
                        }
                    }
                    tbody { @for shown in &all { (row(reader, view, shown)) } }
                }
            }
        }
    }
}

fn row(reader: &Reader, view: &View, shown: &Shown<'_>) -> Markup {
    let probe = &shown.probe;
    let sample = shown.measured.map(|taken| &taken.sample);
    let loss = sample.and_then(probe_loss_ratio);
    let round_trip = sample.and_then(|it| Some((it.round_trip_median_us?, it.round_trip_p95_us?)));
    let mtu = sample.and_then(|it| it.path_mtu).map(|bytes| format!("{bytes} B"));
    let ends_ms = sample.and_then(|it| it.certificate_ends_ms);
    let why = Some(probe.detail.as_str()).filter(|detail| !detail.is_empty());
    html! {
        tr {
            th scope="row" { (probe.name) }
            td { (state(reader, shown.state)) }
            @let far = view.find_site(&probe.site);
            // Of a named target the site says all, where there is one.
            td { @if probe.role != ProbeRole::Named || far.is_none() { (reader.say(role(probe.role))) " " } @if let Some(far) = far {
                a href=(format!("/sites/{}", far.id)) { (parts::site_name(reader.language, far.name(view.now()))) }
            } }
            td.mono.wide { (probe.target) " " span.sub { (probe.kind.name()) } }
            td { (parts::ago(reader, view, Some(shown.since))) }
            td.number {
                @match loss {
                    Some(loss) if loss >= LOSS_MAX => strong { (format!("{:.1} %", loss * 100.0)) },
                    Some(loss) => (format!("{:.1} %", loss * 100.0)),
                    None => (parts::or_dash(None)),
                }
            }
            td.number {
                @match round_trip {
                    Some((median, p95)) => { (ms(median)) " " span.sub { "p95 " (ms(p95)) } },
                    None => (parts::or_dash(None)),
                }
            }
            td.number.wide { (parts::or_dash(sample.and_then(|it| it.jitter_us).map(ms).as_deref())) }
            td {
                @match ends_ms {
                    Some(ends_ms) => (certificate(reader, view, ends_ms)),
                    None => (parts::or_dash(mtu.as_deref())),
                }
            }
        }
        // Below, so that it is read on a narrow screen too.
        @if let Some(why) = why {
            tr { td.long colspan=(COLUMNS) { span.sub { (probe.name) " · " (reader.say(text::PROBE_WHY)) } " " (why) } }
        }
    }
}

/// When a certificate ends: the day, and how far off that is.
fn certificate(reader: &Reader, view: &View, ends_ms: i64) -> Markup {
    let ends = Timestamp::from_unix_ms(ends_ms);
    let day = parts::local(ends).map(|text| text.chars().take(10).collect::<String>());
    let left_ms = ends.ms_since(view.now());
    html! {
        time title=(parts::moment(ends)) { (parts::or_dash(day.as_deref())) }
        " " @if left_ms > 0 { span.sub { (parts::span(reader.language, left_ms)) } } @else { strong { (reader.say(text::PROBE_ENDED)) } }
    }
}

/// The state of a probe.
pub(super) fn state(reader: &Reader, state: ProbeState) -> Markup {
    let (mark, word) = match state {
        ProbeState::Up => (Mark::Good, text::UP),
        ProbeState::Degraded => (Mark::Warn, text::DEGRADED),
        ProbeState::Down => (Mark::Bad, text::DOWN),
        ProbeState::Unknown => (Mark::Unknown, text::UNKNOWN),
    };
    parts::mark(reader, mark, word)
}

const fn role(role: ProbeRole) -> Text {
    match role {
        ProbeRole::Parent => text::PROBE_PARENT,
        ProbeRole::Gateway => text::PROBE_GATEWAY,
        ProbeRole::Child => text::PROBE_CHILD,
        ProbeRole::Named => text::PROBE_NAMED,
    }
}

fn ms(us: u64) -> String {
    format!("{}.{} ms", us / 1_000, us % 1_000 / 100)
}
