//! The form that asks for flows: what was filled in, and the question that it makes.
//!
//! Invariant: the form works without JavaScript. Times are those of the country's one clock; what is exact goes before a day, a
//! day before the choice of a period.

use maud::{Markup, html};
use onenet_topology::{SiteId, Timestamp, application::Application, time::CHINA_AHEAD_MS};

use super::super::{
    Reader, parameter,
    text::{self, Text},
    traffic,
};
use crate::{
    api::{Params, Problem, encode},
    flows::REASON_CHARS,
};

/// Flows on a page.
const PAGE: u32 = 100;
/// How far Beijing time is ahead of UTC.
const ZONE: &str = "+08:00";
const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

/// Periods to choose from, by the word in the address.
const PERIODS: [(&str, Text); 5] = [
    ("hour", text::LAST_HOUR),
    ("day", text::LAST_DAY),
    ("today", text::TODAY),
    ("yesterday", text::YESTERDAY),
    ("week", text::LAST_WEEK),
];
/// Protocols to choose from.
const PROTOCOLS: [&str; 5] = ["tcp", "udp", "icmp", "icmpv6", "sctp"];
/// What the form has, in the order of the address.
const FIELDS: [&str; 10] =
    ["reason", "endpoint", "peer", "port", "protocol", "application", "period", "on", "from", "until"];

/// What was filled in.
#[derive(Debug, Clone, Default)]
pub(super) struct Filled {
    given: Vec<(&'static str, String)>,
    cursor: Option<String>,
}

impl Filled {
    /// Reads the query of an address.
    pub(super) fn read(query: Option<&str>) -> Self {
        let of =
            |name: &'static str| Some((name, parameter(query, name)?)).filter(|(_, value)| !value.trim().is_empty());
        Self { given: FIELDS.into_iter().filter_map(of).collect(), cursor: parameter(query, "cursor") }
    }

    /// Returns whether the form was sent: with a reason, or at least with something else.
    pub(super) fn is_asked(&self) -> bool {
        self.given.iter().any(|(name, _)| *name != "endpoint")
    }

    fn get(&self, name: &str) -> &str {
        self.given.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value.trim())
    }

    /// Returns the parameters of the question, as the API has them.
    pub(super) fn params(&self, now: Timestamp) -> Result<Params, Problem> {
        let (from, until) = self.period(now)?;
        let mut query = format!("limit={PAGE}&from={}&until={}", encode(&from), encode(&until));
        for name in ["reason", "endpoint", "peer", "port", "protocol", "application"] {
            query.extend(["&", name, "=", &encode(self.get(name))]);
        }
        if let Some(cursor) = &self.cursor {
            query.extend(["&cursor=", &encode(cursor)]);
        }
        Params::parse(&query)
    }

    /// Returns the time that is asked for.
    fn period(&self, now: Timestamp) -> Result<(String, String), Problem> {
        let exact = |name: &str| local(self.get(name)).ok_or_else(|| Problem::parameter(name, "is no time"));
        if !self.get("from").is_empty() || !self.get("until").is_empty() {
            let until = if self.get("until").is_empty() { now.to_string() } else { exact("until")? };
            return Ok((exact("from")?, until));
        }
        if !self.get("on").is_empty() {
            let day = Timestamp::from_day_or_time(self.get("on"));
            let day = day.map_err(|error| Problem::parameter("on", error.to_string()))?;
            return Ok((day.to_string(), day.plus_ms(DAY_MS).to_string()));
        }
        let today = midnight(now);
        let (from, until) = match self.get("period") {
            "day" => (now.plus_ms(-DAY_MS), now),
            "today" => (today, now),
            "yesterday" => (today.plus_ms(-DAY_MS), today),
            "week" => (now.plus_ms(-7 * DAY_MS), now),
            _ => (now.plus_ms(-HOUR_MS), now),
        };
        Ok((from.to_string(), until.to_string()))
    }

    /// Returns the address of another page of the answer.
    pub(super) fn address(&self, site: SiteId, cursor: &str) -> String {
        let given = self.given.iter().map(|(name, value)| format!("{name}={}&", encode(value)));
        format!("/sites/{site}/flows?{}cursor={}", given.collect::<String>(), encode(cursor))
    }
}

/// Returns a time as a form gives it, in the one clock of the country.
fn local(text: &str) -> Option<String> {
    let seconds = match text.len() {
        16 => ":00",
        19 => "",
        _ => return None,
    };
    let time: Timestamp = format!("{text}{seconds}{ZONE}").parse().ok()?;
    Some(time.to_string())
}

/// Returns when the day of the country's clock began.
fn midnight(now: Timestamp) -> Timestamp {
    let local_ms = now.china_ms();
    Timestamp::from_unix_ms(local_ms.div_euclid(DAY_MS) * DAY_MS - CHINA_AHEAD_MS)
}

/// The form on the page of a site, or of an endpoint that it is about: what most people need, the rest folded.
pub(in crate::console) fn ask(reader: &Reader, site: SiteId, endpoint: Option<&str>) -> Markup {
    let given = endpoint.map(|mac| ("endpoint", mac.to_owned())).into_iter().collect();
    form(reader, site, &Filled { given, cursor: None }, false)
}

/// The form with everything that was filled in.
pub(super) fn whole(reader: &Reader, site: SiteId, filled: &Filled) -> Markup {
    form(reader, site, filled, true)
}

fn form(reader: &Reader, site: SiteId, filled: &Filled, open: bool) -> Markup {
    let (least, most) = REASON_CHARS.into_inner();
    html! {
        form.ask action=(format!("/sites/{site}/flows")) method="get" {
            div.row {
                label.grow {
                    (reader.say(text::ASK_REASON))
                    input type="text" name="reason" value=(filled.get("reason")) required minlength=(least) maxlength=(most)
                        placeholder=(reader.say(text::ASK_REASON_HINT)) aria-describedby="why";
                }
                (input(reader, filled, "endpoint", text::ASK_ENDPOINT, text::ASK_ENDPOINT_HINT))
                label {
                    (reader.say(text::ASK_PERIOD))
                    select name="period" {
                        @for (word, name) in PERIODS {
                            option value=(word) selected[filled.get("period") == word] { (reader.say(name)) }
                        }
                    }
                }
                button type="submit" { (reader.say(text::ASK)) }
            }
            details open[open] {
                summary { (reader.say(text::ASK_MORE)) }
                div.row { (more(reader, filled)) }
            }
            p #why .hint { (reader.say(text::ASK_HINT)) }
        }
    }
}

fn more(reader: &Reader, filled: &Filled) -> Markup {
    html! {
        (input(reader, filled, "peer", text::ASK_PEER, text::ASK_PEER_HINT))
        label.short {
            (reader.say(text::PORT))
            input type="number" name="port" min="0" max="65535" value=(filled.get("port"));
        }
        (choice(reader, filled, "protocol", text::PROTOCOL, &PROTOCOLS.map(|name| (name, name.to_ascii_uppercase()))))
        @let applications: Vec<_> = Application::ALL.iter().map(|it| (it.name(), traffic::label(*it).to_owned())).collect();
        (choice(reader, filled, "application", text::APPLICATION, &applications))
        label {
            (reader.say(text::ASK_DAY))
            input type="date" name="on" value=(filled.get("on"));
        }
        label {
            (reader.say(text::ASK_FROM))
            input type="datetime-local" name="from" value=(filled.get("from"));
        }
        label {
            (reader.say(text::ASK_UNTIL))
            input type="datetime-local" name="until" value=(filled.get("until"));
        }
    }
}

fn input(reader: &Reader, filled: &Filled, name: &str, label: Text, hint: Text) -> Markup {
    html! {
        label {
            (reader.say(label))
            input type="text" name=(name) value=(filled.get(name)) maxlength="64" placeholder=(reader.say(hint));
        }
    }
}

fn choice(reader: &Reader, filled: &Filled, name: &str, label: Text, values: &[(&str, String)]) -> Markup {
    html! {
        label {
            (reader.say(label))
            select name=(name) {
                option value="" { (reader.say(text::ANY)) }
                @for (value, shown) in values {
                    option value=(value) selected[filled.get(name) == *value] { (shown) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Friday, four in the afternoon in Beijing.
    const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);

    fn period(query: &str) -> (String, String) {
        Filled::read(Some(query)).period(NOW).unwrap()
    }

    #[test]
    fn periods_are_those_of_the_countrys_clock() {
        for (query, from, until) in [
            ("period=hour", "2027-01-15T07:00:00.000Z", "2027-01-15T08:00:00.000Z"),
            ("period=today", "2027-01-14T16:00:00.000Z", "2027-01-15T08:00:00.000Z"),
            ("period=yesterday", "2027-01-13T16:00:00.000Z", "2027-01-14T16:00:00.000Z"),
            ("period=week&on=2027-01-12", "2027-01-11T16:00:00.000Z", "2027-01-12T16:00:00.000Z"),
            (
                "on=2027-01-12&from=2027-01-01T09%3A30&until=2027-01-01T10%3A00%3A30",
                "2027-01-01T01:30:00.000Z",
                "2027-01-01T02:00:30.000Z",
            ),
            ("from=2027-01-01T09%3A30", "2027-01-01T01:30:00.000Z", "2027-01-15T08:00:00.000Z"),
        ] {
            assert_eq!(period(query), (from.to_owned(), until.to_owned()), "{query}");
        }
        for query in ["from=yesterday", "until=2027-01-01T09%3A30", "on=tuesday"] {
            assert!(Filled::read(Some(query)).period(NOW).is_err(), "{query}");
        }
    }

    #[test]
    fn opening_the_form_for_an_endpoint_asks_nothing() {
        assert!(!Filled::read(None).is_asked());
        assert!(!Filled::read(Some("endpoint=00%3A1b&reason=+&lang=en")).is_asked());
        assert!(Filled::read(Some("reason=case&period=day")).is_asked());
    }
}
