//! Fields of forms, and the form that stays folded until it is wanted.
//!
//! Invariant: a form carries its session's own secret, and is made for readers who have a session alone.

use maud::{Markup, html};

use super::{
    Reader, parts,
    text::{self, Text},
    words,
};
use crate::{access::View, api::Problem};

/// A form under its name, folded.
pub(super) fn form(reader: &Reader, address: &str, name: Text, fields: &Markup) -> Markup {
    html! {
        details.act {
            summary { (reader.say(name)) }
            form.act method="post" action=(address) {
                input type="hidden" name="form" value=(reader.form);
                (fields)
                button type="submit" { (reader.say(text::CASE_DO)) }
            }
        }
    }
}

/// Returns what somebody filled in; `None` where that is nothing.
pub(super) fn filled(text: String) -> Option<String> {
    let trimmed = text.trim();
    if trimmed.len() == text.len() { Some(text) } else { Some(trimmed.to_owned()) }.filter(|text| !text.is_empty())
}

/// Returns the port that somebody filled in.
pub(super) fn port(text: String) -> Result<Option<u16>, Problem> {
    let port = filled(text).map(|text| text.parse()).transpose();
    port.map_err(|_| Problem::parameter("port", "is a number from 0 to 65535"))
}

/// A line of text.
pub(super) fn line(reader: &Reader, id: &str, field: &str, label: Text, required: bool) -> Markup {
    html! {
        label for=(id) { (reader.say(label)) }
        input id=(id) type="text" name=(field) maxlength="200" required[required];
    }
}

/// Several lines of text.
pub(super) fn lines(reader: &Reader, id: &str, field: &str, label: Text, required: bool) -> Markup {
    html! {
        label for=(id) { (reader.say(label)) }
        textarea id=(id) name=(field) rows="3" maxlength="2000" required[required] {}
    }
}

/// A choice of one of the areas, or none of them; nothing where there are none.
pub(super) fn areas(reader: &Reader, view: &View, id: &str) -> Markup {
    let mut areas = view.areas().peekable();
    html! {
        @if areas.peek().is_some() {
            label for=(id) { (reader.say(text::AREA)) }
            select id=(id) name="area" {
                option value="" { (reader.say(text::NO_CHOICE)) }
                @for it in areas {
                    option value=(it.id) { (parts::site_name(reader.language, it.name(view.now()))) }
                }
            }
        }
    }
}

/// The kinds of anomalies as options of a choice.
pub(super) fn anomaly_kinds(reader: &Reader, chosen: &str) -> Markup {
    let at_sites = onenet_detection::Kind::ALL.iter().map(|it| it.name());
    kinds(reader, at_sites.chain(onenet_detection::centre::ALL.iter().map(|it| it.name)), chosen)
}

/// Every kind of cases as options of a choice.
pub(super) fn case_kinds(reader: &Reader, chosen: &str) -> Markup {
    kinds(reader, crate::ingest::kinds(), chosen)
}

/// Kinds of cases as options of a choice.
fn kinds(reader: &Reader, names: impl Iterator<Item = &'static str>, chosen: &str) -> Markup {
    html! {
        @for name in names { option value=(name) selected[name == chosen] { (words::case_kind(reader.language, name)) } }
    }
}

/// A day, which has to be given.
pub(super) fn day(reader: &Reader, id: &str, field: &str, label: Text) -> Markup {
    html! {
        label for=(id) { (reader.say(label)) }
        input id=(id) type="date" name=(field) required;
    }
}
