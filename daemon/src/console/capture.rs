//! How capture goes on the interfaces that a site's agents listen on: what was seen, and what was lost where.

use maud::{Markup, html};
use onenet_topology::{fact::CaptureSample, site::Site};

use super::{Reader, parts, text};
use crate::{
    access::View,
    api::body::{captures, loss_ratio},
    estate::{Agent, Captured},
};

/// How many reasons why frames could not be decoded are shown of an interface.
const REASONS_MAX: usize = 5;

/// From which part of the payload on what was missed is a warning: as the agent judges it.
const MISSED_MAX: f64 = 0.01;

/// Returns the table of all interfaces; nothing where nobody listens.
pub(super) fn table(reader: &Reader, view: &View, site: &Site) -> Markup {
    let rows: Vec<(&Agent, &Captured)> =
        view.agents_of(site.id).flat_map(|agent| captures(view, agent).map(move |it| (agent, it))).collect();
    html! {
        @if !rows.is_empty() {
            h2 { (reader.say(text::CAPTURE)) }
            div.scroll {
                table {
                    thead {
                        tr {
                            th scope="col" { (reader.say(text::AGENT)) }
                            th scope="col" { (reader.say(text::LISTENED_ON)) }
                            th scope="col" { (reader.say(text::CAPTURE_COUNTED)) }
                            th.number scope="col" { (reader.say(text::CAPTURE_FRAMES)) }
                            th.number scope="col" { (reader.say(text::CAPTURE_BYTES)) }
                            th.number scope="col" { (reader.say(text::CAPTURE_DROPPED)) }
                            th.number scope="col" { (reader.say(text::CAPTURE_MISSED)) }
                            th.number scope="col" { (reader.say(text::CAPTURE_FLOWS_LOST)) }
                            th scope="col" { (reader.say(text::CAPTURE_UNDECODED)) }
                        }
                    }
                    tbody { @for (agent, captured) in rows { (row(reader, view, agent, captured)) } }
                }
            }
        }
    }
}

fn row(reader: &Reader, view: &View, agent: &Agent, captured: &Captured) -> Markup {
    let it = &captured.sample;
    html! {
        tr {
            th.code scope="row" { (agent.id) }
            td.code { (captured.interface.as_str()) }
            td { (parts::ago(reader, view, Some(captured.time))) }
            td.number { (it.frames_seen) }
            td.number { (parts::bytes(it.octets_seen)) }
            td.number { (warned(it.frames_dropped_by_kernel > 0, &it.frames_dropped_by_kernel.to_string())) }
            td.number { (missed(it)) }
            td.number { (warned(it.flows_lost > 0, &it.flows_lost.to_string())) }
            td { (undecoded(it)) }
        }
    }
}

fn warned(is_bad: bool, text: &str) -> Markup {
    html! { @if is_bad { strong { (text) } } @else { (text) } }
}

/// Returns which part of the payload of TCP connections never came to the agent.
fn missed(sample: &CaptureSample) -> Markup {
    match loss_ratio(sample) {
        Some(ratio) => warned(ratio >= MISSED_MAX, &format!("{:.2} %", ratio * 100.0)),
        None => parts::or_dash(None),
    }
}

/// Returns how many frames could not be decoded, and why: the most frequent reasons first.
fn undecoded(sample: &CaptureSample) -> Markup {
    let mut reasons: Vec<_> = sample.undecoded.iter().collect();
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), *reason));
    html! {
        (sample.frames_undecoded)
        @if !reasons.is_empty() {
            " " span.sub {
                @for (at, (reason, count)) in reasons.iter().take(REASONS_MAX).enumerate() {
                    @if at > 0 { ", " }
                    (reason) " " (count)
                }
            }
        }
    }
}
