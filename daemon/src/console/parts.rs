//! Pieces that several pages are made of.

use maud::{Markup, PreEscaped, html};
use onenet_topology::{
    SiteId, Timestamp,
    device::Standing,
    fact::{InterfaceStatus, Method},
    site::{Site, SiteName},
};

use super::{
    Language, Reader,
    text::{self, Text, fill},
    words,
};
use crate::{
    access::View,
    api::body::Counts,
    estate::{Agent, SiteState},
};

/// How a site or a thing stands, from bad to good; each has a colour and a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Something does not work.
    Bad,
    /// Something should be looked at.
    Warn,
    /// All is well.
    Good,
    /// Nobody can tell.
    Unknown,
}

impl Mark {
    const fn class(self) -> &'static str {
        match self {
            Self::Bad => "mark bad",
            Self::Warn => "mark warn",
            Self::Good => "mark good",
            Self::Unknown => "mark unknown",
        }
    }

    /// A shape, so that the state does not hang on colour alone.
    const fn shape(self) -> &'static str {
        match self {
            Self::Bad => "✕",
            Self::Warn => "!",
            Self::Good => "✓",
            Self::Unknown => "?",
        }
    }

    pub(super) const fn of_standing(standing: Standing) -> Self {
        match standing {
            Standing::Up => Self::Good,
            Standing::Degraded => Self::Warn,
            Standing::Down => Self::Bad,
            Standing::Unknown => Self::Unknown,
        }
    }

    const fn of_status(status: InterfaceStatus) -> Self {
        match status {
            InterfaceStatus::Up => Self::Good,
            InterfaceStatus::Down | InterfaceStatus::LowerLayerDown => Self::Bad,
            InterfaceStatus::Testing | InterfaceStatus::Dormant => Self::Warn,
            InterfaceStatus::Unknown | InterfaceStatus::NotPresent => Self::Unknown,
        }
    }

    /// How a site stands, from its counts and those below it.
    pub(super) const fn of_counts(counts: &Counts) -> Self {
        if counts.agents_connected == 0 {
            Self::Unknown
        } else if counts.devices_down > 0 {
            Self::Bad
        } else if counts.agents_silent > 0 || counts.devices_degraded > 0 || counts.conditions + counts.findings > 0 {
            Self::Warn
        } else {
            Self::Good
        }
    }
}

/// A mark with its word.
pub(super) fn mark(reader: &Reader, mark: Mark, word: Text) -> Markup {
    html! { span class=(mark.class()) { span.shape aria-hidden="true" { (mark.shape()) } (reader.say(word)) } }
}

/// A mark whose word is for readers of the screen only.
pub(super) fn dot(reader: &Reader, mark: Mark) -> Markup {
    let word = match mark {
        Mark::Bad => text::DOWN,
        Mark::Warn => text::NEEDS_ATTENTION,
        Mark::Good => text::UP,
        Mark::Unknown => text::UNKNOWN,
    };
    html! {
        span class=(mark.class()) title=(reader.say(word)) {
            span.shape aria-hidden="true" { (mark.shape()) }
            span.hidden { (reader.say(word)) }
        }
    }
}

/// The standing of a device.
pub(super) fn standing(reader: &Reader, standing: Standing) -> Markup {
    mark(reader, Mark::of_standing(standing), words::standing(standing))
}

/// The status of an interface.
pub(super) fn status(reader: &Reader, status: InterfaceStatus) -> Markup {
    mark(reader, Mark::of_status(status), words::status(status))
}

/// How an agent stands.
pub(super) fn agent_state(reader: &Reader, agent: &Agent) -> Markup {
    match crate::api::body::agent_state(agent) {
        "connected" => mark(reader, Mark::Good, text::CONNECTED),
        "silent" => mark(reader, Mark::Unknown, text::SILENT),
        "revoked" => mark(reader, Mark::Bad, text::REVOKED),
        _ => mark(reader, Mark::Unknown, text::NEVER_HEARD),
    }
}

/// The name of a site in the reader's language.
pub(super) fn site_name(language: Language, name: &SiteName) -> &str {
    match language {
        Language::Zh => &name.zh,
        Language::En => name.latin_or_zh(),
    }
}

/// A link to a site.
pub(super) fn site_link(reader: &Reader, view: &View, site: &Site) -> Markup {
    let name = site_name(reader.language, site.name(view.now()));
    html! { a href=(format!("/sites/{}", site.id)) { (name) } }
}

/// A link to the site of this id.
pub(super) fn site_link_of(reader: &Reader, view: &View, site: SiteId) -> Markup {
    view.site(site).map_or_else(|| html! { (site) }, |site| site_link(reader, view, site))
}

/// Says that something is simulated.
pub(super) fn demo_tag(reader: &Reader) -> Markup {
    html! { span.tag.demo { (reader.say(text::DEMO)) } }
}

/// The way down to a site.
pub(super) fn trail(reader: &Reader, view: &View, site: SiteId, last: Option<&str>) -> Markup {
    let path = view.path(site);
    html! {
        nav.trail aria-label=(reader.say(text::SITES)) {
            ol {
                li { a href="/" { (reader.say(text::OVERVIEW)) } }
                @for site in path { li { (site_link(reader, view, site)) } }
                @if let Some(last) = last { li aria-current="page" { (last) } }
            }
        }
    }
}

/// A point in time, to the second, in UTC; what is exact stands in the title.
pub(super) fn moment(time: Timestamp) -> String {
    let text = time.to_string();
    match text.split_once('.') {
        Some((whole, _)) => whole.replacen('T', " ", 1) + "Z",
        None => text,
    }
}

/// How long ago something was, with the exact time in the title.
pub(super) fn ago(reader: &Reader, view: &View, time: Option<Timestamp>) -> Markup {
    let Some(time) = time else { return html! { span.none { "–" } } };
    let text = fill(reader.say(text::AGO), span(reader.language, view.now().ms_since(time).max(0)));
    html! { time datetime=(time.to_string()) title=(moment(time)) { (text) } }
}

/// A span of time in words, in its greatest unit.
pub(super) fn span(language: Language, ms: i64) -> String {
    let seconds = ms / 1000;
    let (unit, count) = match seconds {
        0..120 => (text::SECONDS, seconds),
        120..7_200 => (text::MINUTES, seconds / 60),
        7_200..172_800 => (text::HOURS, seconds / 3_600),
        _ => (text::DAYS, seconds / 86_400),
    };
    fill(language.of(unit), count)
}

/// A method by its word.
pub(super) fn method(reader: &Reader, method: Method) -> &'static str {
    reader.say(words::method(method))
}

/// A text, or a dash where there is none.
pub(super) fn or_dash(text: Option<&str>) -> Markup {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        html! { (text) }
    } else {
        html! { span.none { "–" } }
    }
}

/// A speed in the greatest unit that keeps it whole.
pub(super) fn speed(bps: Option<u64>) -> Option<String> {
    let bps = bps.filter(|bps| *bps > 0)?;
    let units = [("Gbit/s", 1_000_000_000), ("Mbit/s", 1_000_000), ("kbit/s", 1_000)];
    let fits = units.into_iter().find(|(_, size)| bps.is_multiple_of(*size));
    Some(fits.map_or_else(|| format!("{bps} bit/s"), |(unit, size)| format!("{} {unit}", bps / size)))
}

/// A number of all.
pub(super) fn of_all(part: u32, all: u32) -> Markup {
    if all == 0 {
        html! { span.none { "–" } }
    } else {
        html! { (part) span.of { "/" (all) } }
    }
}

/// What is wrong at a site, in words, with what to do about it.
pub(super) fn troubles(reader: &Reader, view: &View, state: &SiteState) -> Markup {
    let conditions: Vec<_> = state.conditions().collect();
    if conditions.is_empty() && state.findings.is_empty() {
        return html! { p.calm { (reader.say(text::NOTHING_WRONG)) } };
    }
    html! {
        ul.troubles {
            @for finding in state.findings.values() {
                @let words = words::finding(finding.key.kind);
                @let subject = match finding.key.subject { crate::findings::Subject::Agent(agent) => agent.to_string() };
                (trouble(reader, words, &subject, &finding.remedy(), &ago(reader, view, Some(finding.since))))
            }
            @for (agent, observed, condition) in conditions {
                @let words = words::condition(condition.kind);
                @let subject = if condition.subject.is_empty() { agent.to_string() } else { condition.subject.clone() };
                (trouble(reader, words, &subject, &condition.detail, &ago(reader, view, Some(observed))))
            }
        }
    }
}

fn trouble(reader: &Reader, words: words::Trouble, subject: &str, detail: &str, since: &Markup) -> Markup {
    html! {
        li {
            p { (dot(reader, Mark::Warn)) strong { (reader.say(words.what)) } " " code { (subject) } " · " (since) }
            @if !detail.is_empty() && reader.language == Language::En || detail != words.remedy.en && !detail.is_empty() {
                p.detail { (detail) }
            }
            p.remedy { span.label { (reader.say(text::REMEDY)) } (reader.say(words.remedy)) }
        }
    }
}

/// Two columns of a name and a value.
pub(super) fn facts(rows: &[(&str, Markup)]) -> Markup {
    html! { dl.facts { @for (name, value) in rows { div { dt { (name) } dd { (value) } } } } }
}

/// Nothing, where a piece may be missing.
pub(super) const fn nothing() -> Markup {
    PreEscaped(String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_speeds_are_said_in_their_greatest_unit() {
        assert_eq!(span(Language::En, 119_000), "119 s");
        assert_eq!(span(Language::Zh, 7_199_000), "119 分钟");
        assert_eq!(span(Language::En, 3 * 86_400_000), "3 days");
        assert_eq!(speed(Some(1_000_000_000)).as_deref(), Some("1 Gbit/s"));
        assert_eq!(speed(Some(2_500_000_000)).as_deref(), Some("2500 Mbit/s"));
        assert_eq!(speed(Some(0)), None);
    }

    #[test]
    fn a_site_without_a_connected_agent_is_unknown_and_not_well() {
        let silent = Counts { agents_silent: 1, devices_unknown: 3, ..Counts::default() };
        assert_eq!(Mark::of_counts(&silent), Mark::Unknown);
        let down = Counts { agents_connected: 1, devices_down: 1, ..Counts::default() };
        assert_eq!(Mark::of_counts(&down), Mark::Bad);
    }
}
