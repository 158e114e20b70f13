//! Acceptance tests of a site: the list, and one as a page to print and sign.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use onenet_topology::acceptance::{Acceptance, Check, CheckGroup, CheckKind, Reason, Thresholds, Unit, Verdict};

use super::{
    Language, Reader, layout, parts,
    text::{self, Text},
};
use crate::{
    access::{Action, View},
    api::{Problem, check_subject},
};

/// Tests that the list shows.
const LISTED_MAX: usize = 100;

/// The tests of a site.
pub(super) async fn list(reader: Reader, Path(site): Path<String>) -> Response {
    reader.answer(listed(&reader, &site))
}

fn listed(reader: &Reader, site: &str) -> Result<Markup, Problem> {
    let (view, id) = reader.gate.site(Action::ReadInventory, site)?;
    let title = reader.say(text::ACCEPTANCE);
    let tests: Vec<&Acceptance> = view.acceptances(id).take(LISTED_MAX).collect();
    let columns =
        [text::AT_TIME, text::VERDICT, text::CHECKS_FAILED, text::CHECKS_NOT_MEASURED, text::RUN_BY, text::SIGNED_BY];
    let content = html! {
        (parts::trail(reader, &view, id, Some(title)))
        h1 { (title) }
        p.hint { (reader.say(text::ACCEPTANCE_HINT)) }
        @if tests.is_empty() {
            p.calm { (reader.say(text::NO_ACCEPTANCE)) }
        } @else {
            div.scroll {
                table {
                    (parts::head(reader, &columns, 0))
                    tbody {
                        @for it in tests {
                            tr {
                                th scope="row" {
                                    a href=(format!("/sites/{id}/acceptances/{}", it.id)) { (parts::moment(it.time)) }
                                }
                                td { (verdict(reader.language, it.tested.verdict())) }
                                td.number { (it.tested.count(Verdict::Failed)) }
                                td.number { (it.tested.count(Verdict::NotMeasured)) }
                                td { (it.by) }
                                td { (parts::or_dash(it.signed.as_ref().map(|signed| signed.person.as_str()))) }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(layout::page(reader, &view, title, "", &content))
}

/// One test.
pub(super) async fn page(reader: Reader, Path((site, acceptance)): Path<(String, String)>) -> Response {
    reader.answer(made(&reader, &site, &acceptance))
}

fn made(reader: &Reader, site: &str, acceptance: &str) -> Result<Markup, Problem> {
    let (view, id) = reader.gate.site(Action::ReadInventory, site)?;
    let known = acceptance.parse().ok().and_then(|acceptance| view.acceptance(id, acceptance));
    let known = known.ok_or_else(Problem::not_found)?;
    let title = reader.say(text::ACCEPTANCE);
    let content = html! {
        (parts::trail(reader, &view, id, Some(title)))
        (report(reader.language, &view, known))
    };
    Ok(layout::page(reader, &view, title, "", &content))
}

/// A test as a document of its own.
pub(super) fn document(language: Language, view: &View, acceptance: &Acceptance) -> Markup {
    layout::sheet(language, language.of(text::ACCEPTANCE), &report(language, view, acceptance))
}

fn report(language: Language, view: &View, it: &Acceptance) -> Markup {
    let name = view.site(it.tested.site).map(|site| parts::site_name(language, site.name(view.now())).into_owned());
    let code = view.site(it.tested.site).map(|site| site.code(view.now()).to_owned());
    let columns = [text::CHECK, text::WHAT_IT_IS_OF, text::VERDICT, text::VALUE, text::THRESHOLD, text::REASON];
    let mut group = None;
    html! {
        h1 {
            (language.of(text::ACCEPTANCE)) " " (name.unwrap_or_default())
            span.sub { (code.unwrap_or_default()) }
        }
        p {
            strong { (verdict(language, it.tested.verdict())) } " · "
            (language.of(text::RUN_BY)) " " (it.by) ", " (parts::moment(it.time)) " · " span.mono { (it.id) }
        }
        p.hint { (language.of(text::ACCEPTANCE_HINT)) " " (over(language, &it.tested.thresholds)) }
        div.scroll {
            table {
                thead { tr { @for column in columns { th scope="col" { (language.of(column)) } } } }
                tbody {
                    @for check in &it.tested.checks {
                        @if group.replace(check.kind.group()) != Some(check.kind.group()) {
                            tr { th scope="rowgroup" colspan="6" { (language.of(group_name(check.kind.group()))) } }
                        }
                        (row(language, view, check))
                    }
                }
            }
        }
        (signature(language, it))
    }
}

fn over(language: Language, thresholds: &Thresholds) -> String {
    text::fill(language.of(text::MEASURED_OVER), thresholds.minutes)
}

fn row(language: Language, view: &View, check: &Check) -> Markup {
    let unit = check.kind.unit();
    let sign = if check.kind.is_at_least() { "≥ " } else { "≤ " };
    let subject = check.subject.parse().ok().and_then(|site| view.site(site));
    let subject = match subject {
        Some(site) => parts::site_name(language, site.name(view.now())).into_owned(),
        None => check_subject(view, check).unwrap_or_default(),
    };
    let reason = check.reason.map(|reason| language.of(reason_name(reason)));
    let words = [reason.unwrap_or_default(), check.detail.as_str()];
    html! {
        tr {
            td { (language.of(check_name(check.kind))) }
            td { (subject) }
            td { (verdict(language, check.verdict)) }
            td.number { (parts::or_dash(check.value.map(|value| number(value, unit)).as_deref())) }
            td.number { (parts::or_dash(check.threshold.map(|value| format!("{sign}{}", number(value, unit))).as_deref())) }
            td { (words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(": ")) }
        }
    }
}

fn signature(language: Language, it: &Acceptance) -> Markup {
    html! {
        h2 { (language.of(text::SIGNED_BY)) }
        @match &it.signed {
            Some(signed) => {
                p { strong { (signed.person) } ", " (parts::moment(signed.time)) " (" (signed.by) ")" }
                p { (signed.note) }
            }
            None => p { "________________________  " (language.of(text::NOT_SIGNED)) },
        }
    }
}

fn number(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Percent => format!("{value:.2} %"),
        Unit::Milliseconds => format!("{value:.1} ms"),
        Unit::Score => format!("{value:.2}"),
        Unit::Count | Unit::None => format!("{value:.0}"),
    }
}

fn verdict(language: Language, verdict: Verdict) -> Markup {
    let (class, shape, word) = match verdict {
        Verdict::Passed => ("mark good", "✓", text::CHECK_PASSED),
        Verdict::Failed => ("mark bad", "×", text::CHECK_FAILED),
        Verdict::NotMeasured => ("mark unknown", "?", text::CHECK_NOT_MEASURED),
    };
    html! { span class=(class) { span.shape aria-hidden="true" { (shape) } (language.of(word)) } }
}

const fn group_name(group: CheckGroup) -> Text {
    match group {
        CheckGroup::Connectivity => text::GROUP_CONNECTIVITY,
        CheckGroup::Quality => text::GROUP_QUALITY,
        CheckGroup::Media => text::GROUP_MEDIA,
        CheckGroup::NameService => text::GROUP_NAME_SERVICE,
        CheckGroup::AddressPlan => text::GROUP_ADDRESS_PLAN,
        CheckGroup::Agent => text::GROUP_AGENT,
    }
}

const fn check_name(kind: CheckKind) -> Text {
    match kind {
        CheckKind::AgentConnected => text::CHECK_AGENT_CONNECTED,
        CheckKind::WayFromBelow => text::CHECK_WAY_FROM_BELOW,
        CheckKind::WayFromAbove => text::CHECK_WAY_FROM_ABOVE,
        CheckKind::Loss => text::CHECK_LOSS,
        CheckKind::RoundTrip => text::CHECK_ROUND_TRIP,
        CheckKind::Jitter => text::CHECK_JITTER,
        CheckKind::MediaScore => text::CHECK_MEDIA_SCORE,
        CheckKind::NameService => text::CHECK_NAME_SERVICE,
        CheckKind::Prefixes => text::CHECK_PREFIXES,
        CheckKind::TerminalsInPlan => text::CHECK_TERMINALS_IN_PLAN,
        CheckKind::AgentVersion => text::CHECK_AGENT_VERSION,
        CheckKind::ClockOffset => text::CHECK_CLOCK_OFFSET,
        CheckKind::HistoryWaiting => text::CHECK_HISTORY_WAITING,
        CheckKind::LastHeard => text::CHECK_LAST_HEARD,
        CheckKind::Configuration => text::CHECK_CONFIGURATION,
        CheckKind::CaptureLoss => text::CHECK_CAPTURE_LOSS,
        CheckKind::DevicesAnswer => text::CHECK_DEVICES_ANSWER,
    }
}

const fn reason_name(reason: Reason) -> Text {
    match reason {
        Reason::NoAgent => text::REASON_NO_AGENT,
        Reason::NotConnected => text::REASON_NOT_CONNECTED,
        Reason::NoUplink => text::REASON_NO_UPLINK,
        Reason::NoProbe => text::REASON_NO_PROBE,
        Reason::NotJudged => text::REASON_NOT_JUDGED,
        Reason::TooFewWindows => text::REASON_TOO_FEW_WINDOWS,
        Reason::NoMediaTest => text::REASON_NO_MEDIA_TEST,
        Reason::NoNameProbe => text::REASON_NO_NAME_PROBE,
        Reason::NoPrefixes => text::REASON_NO_PREFIXES,
        Reason::NoTerminals => text::REASON_NO_TERMINALS,
        Reason::NoClock => text::REASON_NO_CLOCK,
        Reason::NoConfiguration => text::REASON_NO_CONFIGURATION,
        Reason::NotApplied => text::REASON_NOT_APPLIED,
        Reason::Rejected => text::REASON_REJECTED,
        Reason::NoCapture => text::REASON_NO_CAPTURE,
        Reason::NoDevices => text::REASON_NO_DEVICES,
        Reason::NoAnswer => text::REASON_NO_ANSWER,
        Reason::AnswersBadly => text::REASON_ANSWERS_BADLY,
    }
}
