//! What detectors do: those of the centre, and those of a site's agents as each told last.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use onenet_topology::{AgentId, SiteId};

use super::{
    Reader, layout, parts,
    text::{self, means},
    words,
};
use crate::{
    access::{Action, View},
    api::{App, CentreDetectorBody, Params, Problem},
    estate::Running,
};

/// The page.
pub(super) async fn page(State(app): State<Arc<App>>, reader: Reader) -> Response {
    reader.answer(made(&app, &reader))
}

fn made(app: &App, reader: &Reader) -> Result<Markup, Problem> {
    let mut params = Params::parse(reader.query().unwrap_or_default())?;
    let site = params.text("site").filter(|it| !it.is_empty()).map(str::to_owned);
    params.finish()?;
    let view = reader.gate.anywhere(Action::ReadInventory)?;
    let site = site.map(|site| reader.gate.site(Action::ReadInventory, &site)).transpose()?;
    let centre = CentreDetectorBody::all(&view, &app.centre.concluding());
    let content = html! {
        h1 { (reader.say(text::DETECTORS)) }
        @if let Some((view, site)) = &site { (of_site(reader, view, *site)) }
        h2 { (reader.say(text::DETECTORS_AT_CENTRE)) }
        p.hint { (reader.say(text::DETECTORS_AT_CENTRE_HINT)) }
        (at_centre(reader, &view, &centre))
    };
    Ok(layout::page(reader, &view, reader.say(text::DETECTORS), "", &content))
}

fn at_centre(reader: &Reader, view: &View, detectors: &[CentreDetectorBody]) -> Markup {
    let columns = [
        text::CASE_KIND,
        text::DETECTOR_MEANS,
        text::DETECTOR_THRESHOLDS,
        text::DETECTOR_INPUTS,
        text::DETECTOR_FOUND,
        text::DETECTOR_LAST_RUN,
    ];
    html! {
        div.scroll {
            table {
                (parts::head(reader, &columns, 0))
                tbody {
                    @for it in detectors {
                        tr {
                            th scope="row" title=(it.kind) { (words::case_kind(reader.language, it.kind)) }
                            td.words { @if let Some(means) = means(it.kind) { (reader.say(means)) } }
                            td {
                                @for threshold in &it.thresholds { code { (threshold.key) " = " (threshold.value) } " " }
                                @if it.thresholds.is_empty() { span.none { "–" } }
                            }
                            td { (it.inputs) }
                            td { (it.found) }
                            td { (parts::moment(view.now())) }
                        }
                    }
                }
            }
        }
    }
}

fn of_site(reader: &Reader, view: &View, site: SiteId) -> Markup {
    let running: Vec<(AgentId, &Running)> =
        view.inventory(site).into_iter().flat_map(|state| state.detectors.get().running(view.now())).collect();
    let columns =
        [text::CASE_KIND, text::CASE_STATE, text::DETECTOR_INPUTS, text::DETECTOR_FOUND, text::DETECTOR_LAST_RUN];
    html! {
        h2 { (reader.say(text::DETECTORS_AT_SITE)) span.sub { (parts::site_link_of(reader, view, site)) } }
        p.hint { (reader.say(text::DETECTORS_AT_SITE_HINT)) }
        @if running.is_empty() { p.calm { (reader.say(text::DETECTORS_NONE)) } }
        @for (agent, it) in running {
            h3 { (agent) span.sub { (reader.say(text::DETECTOR_AS_OF)) " " (parts::moment(it.time)) } }
            div.scroll {
                table {
                    (parts::head(reader, &columns, 0))
                    tbody { @for detector in &it.sample.detectors { (row(reader, it, detector)) } }
                }
            }
        }
    }
}

fn row(reader: &Reader, running: &Running, it: &onenet_topology::anomaly::DetectorSample) -> Markup {
    let last_run = it.last_run_age_ms.and_then(|age| i64::try_from(age).ok()).map(|age| running.time.plus_ms(-age));
    html! {
        tr {
            th scope="row" title=(it.kind) { (words::case_kind(reader.language, &it.kind)) }
            td title=(it.off) { (reader.say(if it.off.is_empty() { text::DETECTOR_ON } else { text::DETECTOR_OFF })) }
            td { (it.inputs) }
            td { (it.found) }
            td { @if let Some(at) = last_run { (parts::moment(at)) } @else { span.none { "–" } } }
        }
    }
}
