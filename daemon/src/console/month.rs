//! What the monthly report says of availability, incidents and cases, each held against the month before.

use maud::{Markup, html};
use onenet_topology::{case::CaseMonth, incident::IncidentKind};

use super::{
    Reader,
    availability::{available, known, layer_name, share},
    monthly::difference,
    parts,
    text::{self, Text},
    words,
};
use crate::{
    access::View,
    availability::{Lost, MonthFigures, Part},
};

/// How far sites, layers and areas were available.
pub(super) fn availability(reader: &Reader, view: &View, this: &MonthFigures, before: &MonthFigures) -> Markup {
    let columns = [
        text::NAME,
        text::HOW_MANY,
        text::MONTH_BEFORE,
        text::THIS_MONTH,
        text::CHANGE,
        text::DOWN_TIME,
        text::UNKNOWN_SHARE,
        text::IN_MAINTENANCE,
    ];
    let language = reader.language;
    html! {
        h2 { (reader.say(text::AVAILABILITY)) }
        @if this.sites.count == 0 {
            p.calm { (reader.say(text::NO_AVAILABILITY)) }
        } @else {
            p.hint { (reader.say(text::AVAILABILITY_HINT)) }
            div.scroll {
                table {
                    (parts::head(reader, &columns, 1))
                    tbody {
                        (row(reader, reader.say(text::SITES), &this.sites, Some(&before.sites)))
                        @for (layer, part) in &this.layers {
                            (row(reader, reader.say(layer_name(*layer)), part, before.layers.get(layer)))
                        }
                        @for (area, part) in &this.areas {
                            @let name = view.area(*area).map(|area| parts::site_name(language, area.name(view.now())));
                            @let then = before.areas.iter().find(|(id, _)| id == area).map(|(_, part)| part);
                            (row(reader, &name.unwrap_or_default(), part, then))
                        }
                    }
                }
            }
        }
    }
}

fn row(reader: &Reader, name: &str, this: &Part, before: Option<&Part>) -> Markup {
    let spent = this.figures.spent;
    let then = before.map(|part| part.figures.spent);
    // Months of which too little is known are not compared.
    let change =
        known(&spent).zip(then.as_ref().and_then(known)).map(|(now, then)| format!("{:+.3}", (now - then) * 100.0));
    html! {
        tr {
            th scope="row" { (name) }
            td.number { (this.count) }
            td.number { (parts::or_dash(then.map(|then| available(reader, &then)).as_deref())) }
            td.number { (available(reader, &spent)) }
            td.number { (parts::or_dash(change.as_deref())) }
            td.number { (time(reader, spent.down_ms)) }
            td.number { (share(spent.unknown())) }
            td.number { (time(reader, spent.maintenance_ms)) }
        }
    }
}

/// The incidents: how many, how much time, the longest, and by what happened.
pub(super) fn incidents(reader: &Reader, view: &View, this: &MonthFigures, before: &MonthFigures) -> Markup {
    let (now, then) = (&this.incidents, &before.incidents);
    let columns = [text::NAME, text::MONTH_BEFORE, text::THIS_MONTH, text::CHANGE, text::TIME_BEFORE, text::TIME_LOST];
    let line = |name: Text, now: Lost, then: Lost| {
        html! {
            tr {
                th scope="row" { (reader.say(name)) }
                td.number { (then.number) }
                td.number { (now.number) }
                td.number { (difference(now.number, then.number)) }
                td.number { (time(reader, then.lost_ms)) }
                td.number { (time(reader, now.lost_ms)) }
            }
        }
    };
    let of =
        |kinds: &std::collections::BTreeMap<IncidentKind, Lost>, kind| kinds.get(&kind).copied().unwrap_or_default();
    let known = |kind: &IncidentKind| now.kinds.contains_key(kind) || then.kinds.contains_key(kind);
    html! {
        h2 { (reader.say(text::INCIDENTS)) }
        p.hint { (reader.say(text::MONTH_INCIDENTS_HINT)) }
        div.scroll {
            table {
                (parts::head(reader, &columns, 1))
                tbody {
                    (line(text::ALL_INCIDENTS, now.whole, then.whole))
                    @for kind in IncidentKind::ALL.into_iter().filter(known) {
                        (line(words::incident(kind), of(&now.kinds, kind), of(&then.kinds, kind)))
                    }
                    (line(text::PLANNED_INCIDENTS, now.planned, then.planned))
                }
            }
        }
        @if let Some((id, ms)) = now.longest {
            @if let Some(incident) = view.incident(id) {
                p {
                    (reader.say(text::LONGEST_INCIDENT)) ": "
                    a href=(format!("/incidents/{id}")) { (reader.say(words::incident(incident.kind))) }
                    ", " (parts::site_link_of(reader, view, incident.site)) ", " (time(reader, ms))
                }
            }
        }
    }
}

/// A figure of cases under its name.
type CaseRow = (Text, fn(&CaseMonth) -> u32);

/// The cases: opened, closed as what, overdue, and what became of notices.
pub(super) fn cases(reader: &Reader, this: &MonthFigures, before: &MonthFigures) -> Markup {
    let columns = [text::NAME, text::MONTH_BEFORE, text::THIS_MONTH, text::CHANGE];
    let rows: [CaseRow; 9] = [
        (text::CASES_OPENED, |it| it.opened),
        (text::MONTH_CLOSED_TRUE, |it| it.closed[0]),
        (text::MONTH_CLOSED_BENIGN, |it| it.closed[1]),
        (text::MONTH_CLOSED_FALSE, |it| it.closed[2]),
        (text::MONTH_CASES_OVERDUE, |it| it.overdue),
        (text::NOTICES_SENT, |it| it.notices.sent),
        (text::NOTICES_IN_TIME, |it| it.notices.in_time),
        (text::NOTICES_LATE, |it| it.notices.late),
        (text::NOTICES_UNANSWERED, |it| it.notices.unanswered),
    ];
    html! {
        h2 { (reader.say(text::CASES)) }
        p.hint { (reader.say(text::MONTH_CASES_HINT)) }
        div.scroll {
            table {
                (parts::head(reader, &columns, 1))
                tbody {
                    @for (name, of) in rows {
                        @let (now, then) = (of(&this.cases), of(&before.cases));
                        tr {
                            th scope="row" { (reader.say(name)) }
                            td.number { (then) }
                            td.number { (now) }
                            td.number { (difference(now, then)) }
                        }
                    }
                }
            }
        }
    }
}

fn time(reader: &Reader, ms: u64) -> Markup {
    if ms == 0 {
        return parts::or_dash(None);
    }
    html! { (parts::duration(reader.language, i64::try_from(ms).unwrap_or(i64::MAX))) }
}
