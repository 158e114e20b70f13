//! Pieces that several pages are made of.

use std::borrow::Cow;

use maud::{Markup, PreEscaped, html};
use onenet_topology::{
    SensorState, SiteId, Timestamp,
    device::{Device, Standing},
    fact::{InterfaceStatus, Method},
    incident::State,
    site::{Site, SiteName},
    time::CHINA_AHEAD_MS,
};

use super::{
    Language, Reader, names,
    text::{self, Text, fill},
    troubles::attention,
    words,
};
use crate::{access::View, api::body::Counts, demo, estate::Agent};

/// A clock that is wrong by less, in milliseconds, is in step with ours.
const IN_STEP_MS: i64 = 2_000;
/// What is younger than this, in milliseconds, is now.
const JUST_NOW_MS: i64 = 5_000;

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
    /// Nothing is going on, and nothing need be: a port without a cable.
    Idle,
    /// Nobody watches it yet: a site at which no agent was ever enrolled.
    NotAttached,
}

impl Mark {
    const fn class(self) -> &'static str {
        match self {
            Self::Bad => "mark bad",
            Self::Warn => "mark warn",
            Self::Good => "mark good",
            Self::Unknown => "mark unknown",
            Self::Idle | Self::NotAttached => "mark idle",
        }
    }

    /// A shape, so that the state does not hang on colour alone.
    const fn shape(self) -> &'static str {
        match self {
            Self::Bad => "✕",
            Self::Warn => "!",
            Self::Good => "✓",
            Self::Unknown => "?",
            Self::Idle => "○",
            Self::NotAttached => "–",
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

    const fn of_sensor(state: SensorState) -> Self {
        match state {
            SensorState::Normal => Self::Good,
            SensorState::Warning => Self::Warn,
            SensorState::Critical => Self::Bad,
            SensorState::Absent => Self::Idle,
        }
    }

    const fn of_status(status: InterfaceStatus) -> Self {
        match status {
            InterfaceStatus::Up => Self::Good,
            // Most ports of an access switch that are down have nobody plugged in: that is nothing to shout about.
            InterfaceStatus::Down
            | InterfaceStatus::LowerLayerDown
            | InterfaceStatus::Dormant
            | InterfaceStatus::NotPresent => Self::Idle,
            InterfaceStatus::Testing => Self::Warn,
            InterfaceStatus::Unknown => Self::Unknown,
        }
    }

    /// How a site itself stands, whatever is below it. Bad is the outage of the site and nothing less: a device that does not
    /// answer wants attention.
    pub(super) const fn of_site(state: Option<State>, enrolled: bool, own: &Counts) -> Self {
        match state {
            Some(State::Down | State::Flapping) => Self::Bad,
            _ if !enrolled => Self::NotAttached,
            _ if own.agents_connected == 0 => Self::Unknown,
            Some(State::Degraded) => Self::Warn,
            _ if attention(own) > 0 => Self::Warn,
            _ => Self::Good,
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
        Mark::NotAttached => text::NOT_ATTACHED,
        // Where nothing is wrong and nothing right, what stands beside it says all.
        Mark::Idle => {
            return html! { span class=(mark.class()) { span.shape aria-hidden="true" { (mark.shape()) } } };
        }
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

/// What a device says of a sensor.
pub(super) fn sensor_state(reader: &Reader, state: SensorState) -> Markup {
    mark(reader, Mark::of_sensor(state), words::sensor_state(state))
}

/// How many interfaces of a device are up, of those that it has.
pub(super) fn interfaces_up(device: &Device) -> Markup {
    let current = device.interfaces.iter().filter(|interface| interface.current);
    let (up, all) = current
        .fold((0, 0), |(up, all), interface| (up + u32::from(interface.said.oper == InterfaceStatus::Up), all + 1));
    of_all(up, all)
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
pub(super) fn site_name(language: Language, name: &SiteName) -> Cow<'_, str> {
    match language {
        Language::Zh => Cow::Borrowed(&name.zh),
        Language::En => names::latin(name),
    }
}

/// The tier of a site; quickstart's own site stands for this machine's network and is of none.
pub(super) fn tier(reader: &Reader, view: &View, site: &Site) -> &'static str {
    let local = site.code(view.now()) == demo::LOCAL_CODE;
    reader.say(if local { text::THIS_MACHINE } else { words::tier(site.tier) })
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

/// A point in time, to the second, by the one clock of the country (UTC+8, no summer time); the API speaks UTC.
pub(crate) fn moment(time: Timestamp) -> String {
    match local(time) {
        Some(local) => local + " +08:00",
        None => time.to_string(),
    }
}

/// The same where a heading says whose time it is.
pub(super) fn local(time: Timestamp) -> Option<String> {
    let text = time.plus_ms(CHINA_AHEAD_MS).to_string();
    text.split_once('.').map(|(whole, _)| whole.replacen('T', " ", 1))
}

/// How long ago something was, with the exact time in the title.
pub(super) fn ago(reader: &Reader, view: &View, time: Option<Timestamp>) -> Markup {
    let Some(time) = time else { return html! { span.none { "–" } } };
    let age_ms = view.now().ms_since(time).max(0);
    let text = if age_ms < JUST_NOW_MS {
        reader.say(text::JUST_NOW).to_owned()
    } else {
        fill(reader.say(text::AGO), span(reader.language, age_ms))
    };
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

/// By how much an agent's clock is wrong, in words.
pub(super) fn clock_offset(language: Language, offset_ms: i64) -> String {
    let size_ms = offset_ms.saturating_abs();
    if size_ms < IN_STEP_MS {
        return format!("{offset_ms:+} ms");
    }
    let amount = span(language, size_ms);
    let text = if offset_ms < 0 { text::CLOCK_BEHIND } else { text::CLOCK_AHEAD };
    fill(language.of(text), amount)
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

/// A key by which names with numbers in them stand in the order in which people count.
pub(super) fn natural(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let words = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(words);
        let digits = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        let (number, tail) = tail.split_at(digits);
        parts.push((word.to_lowercase(), number.parse().unwrap_or_default()));
        rest = tail;
    }
    parts
}

/// A speed in the greatest unit that keeps it whole.
pub(super) fn speed(bps: Option<u64>) -> Option<String> {
    let bps = bps.filter(|bps| *bps > 0)?;
    let units = [("Gbit/s", 1_000_000_000), ("Mbit/s", 1_000_000), ("kbit/s", 1_000)];
    let fits = units.into_iter().find(|(_, size)| bps.is_multiple_of(*size));
    Some(fits.map_or_else(|| format!("{bps} bit/s"), |(unit, size)| format!("{} {unit}", bps / size)))
}

/// An amount of data in the greatest unit, with as many digits as mean something.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    let Some((unit, size)) = UNITS.into_iter().find(|(_, size)| bytes >= *size) else { return format!("{bytes} B") };
    let tenths = u128::from(bytes) * 10 / u128::from(size);
    if tenths >= 1_000 { format!("{} {unit}", tenths / 10) } else { format!("{}.{} {unit}", tenths / 10, tenths % 10) }
}

/// How long something lasted, to what matters of it.
pub(super) fn duration(language: Language, ms: i64) -> String {
    match ms.max(0) {
        ms @ 0..1_000 => format!("{ms} ms"),
        ms @ 1_000..60_000 => fill(language.of(text::SECONDS), format_args!("{}.{}", ms / 1_000, ms % 1_000 / 100)),
        ms @ 60_000..3_600_000 => fill(&fill(language.of(text::MINUTES_SECONDS), ms / 60_000), ms % 60_000 / 1_000),
        ms => span(language, ms),
    }
}

/// The version of an agent; that of a simulated one says so in the reader's language.
pub(super) fn version(reader: &Reader, version: &str) -> Markup {
    match version.strip_suffix(" (simulated)") {
        Some(version) => html! { (version) " " (demo_tag(reader)) },
        None => or_dash(Some(version)),
    }
}

/// A number of all.
pub(super) fn of_all(part: u32, all: u32) -> Markup {
    if all == 0 {
        html! { span.none { "–" } }
    } else {
        html! { (part) span.of { "/" (all) } }
    }
}

/// The head of a table; numbers stand in the columns from `numbers` on, when that is not 0.
pub(super) fn head(reader: &Reader, columns: &[Text], numbers: usize) -> Markup {
    html! {
        thead {
            tr {
                @for (at, column) in columns.iter().enumerate() {
                    // What a bar shows needs no name for the eye: the number beside it has one.
                    th.number[numbers > 0 && at >= numbers] scope="col" {
                        span.hidden[*column == text::SHARE] { (reader.say(*column)) }
                    }
                }
            }
        }
    }
}

/// Two columns of a name and a value.
pub(super) fn facts(rows: &[(&str, Markup)]) -> Markup {
    html! { dl.facts { @for (name, value) in rows { div { dt { (name) } dd { (value) } } } } }
}

/// The same, the last of which has a line of its own.
pub(super) fn facts_and_line(rows: &[(&str, Markup)]) -> Markup {
    let last = rows.len().saturating_sub(1);
    html! {
        dl.facts {
            @for (at, (name, value)) in rows.iter().enumerate() {
                div.line[at == last] { dt { (name) } dd { (value) } }
            }
        }
    }
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
        assert_eq!([999, 1_000, 12_345, 123_456_789].map(bytes), ["999 B", "1.0 kB", "12.3 kB", "123 MB"]);
        assert_eq!(bytes(u64::MAX), "18446744 TB");
        let of = |ms| duration(Language::En, ms);
        assert_eq!([of(-1), of(999), of(1_540), of(61_000)], ["0 ms", "999 ms", "1.5 s", "1 min 1 s"]);
        assert_eq!(duration(Language::Zh, 7_200_000), "2 小时");
    }

    #[test]
    fn times_are_those_of_the_country_and_offsets_in_words() {
        assert_eq!(moment(Timestamp::from_unix_ms(1_700_000_000_123)), "2023-11-15 06:13:20 +08:00");
        assert_eq!(clock_offset(Language::En, 3 * 3_600_000), "3 h ahead");
        assert_eq!(clock_offset(Language::En, -12), "-12 ms");
        assert_eq!(clock_offset(Language::Zh, i64::MIN), "慢 106751991167 天");
    }

    #[test]
    fn ports_stand_in_the_order_in_which_they_are_counted() {
        let mut names = ["GigabitEthernet0/0/10", "GigabitEthernet0/0/2", "Eth-Trunk1", "GigabitEthernet0/0/1"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["Eth-Trunk1", "GigabitEthernet0/0/1", "GigabitEthernet0/0/2", "GigabitEthernet0/0/10"]);
    }

    #[test]
    fn a_site_is_bad_by_its_own_outage_alone_and_unknown_only_where_somebody_is_to_tell() {
        let silent = Counts { agents_silent: 1, devices_unknown: 3, ..Counts::default() };
        assert_eq!(Mark::of_site(None, true, &silent), Mark::Unknown);
        assert_eq!(Mark::of_site(Some(State::Down), true, &silent), Mark::Bad);
        assert_eq!(Mark::of_site(Some(State::Unknown), false, &Counts::default()), Mark::NotAttached);
        let down = Counts { agents_connected: 1, devices_down: 1, ..Counts::default() };
        assert_eq!(Mark::of_site(Some(State::Up), true, &down), Mark::Warn);
        let well = Counts { agents_connected: 1, ..Counts::default() };
        assert_eq!(Mark::of_site(Some(State::Up), true, &well), Mark::Good);
    }
}
