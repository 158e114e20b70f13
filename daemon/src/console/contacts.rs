//! Whom to reach at a site: on its page, changed there by who may.
//!
//! Invariant: what the page offers to do is what the reader may do; whether it is done is decided where the API's requests are, not here.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use onenet_topology::{SiteId, contact::Contact};
use serde::Deserialize;

use super::{
    Reader, cases, parts,
    text::{self, Text},
    trouble,
};
use crate::{
    access::{Action, View},
    api::{App, NewContactBody, Problem, put_contact, remove_contact},
};

/// What the form that puts a contact carries.
#[derive(Deserialize)]
pub(super) struct Put {
    form: String,
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    telephone: String,
    #[serde(default)]
    email: String,
}

/// What the form that removes one carries.
#[derive(Deserialize)]
pub(super) struct Removed {
    form: String,
    name: String,
}

/// The contacts of a site; nothing where there are none and the reader may put none.
pub(super) fn of_site(reader: &Reader, view: &View, site: SiteId) -> Markup {
    let contacts = view.contacts(site);
    let changes = view.may(Action::ManageContacts, site) && !reader.form.is_empty();
    if contacts.is_empty() && !changes {
        return parts::nothing();
    }
    html! {
        h2 #contacts { (reader.say(text::CONTACTS)) " " span.sub { (contacts.len()) } }
        @if contacts.is_empty() {
            p.calm { (reader.say(text::CONTACTS_NONE)) }
        } @else {
            (table(reader, contacts, |it| html! {
                @if changes {
                    td {
                        details.act {
                            summary { (reader.say(text::CONTACT_CHANGE)) }
                            (form(reader, site, Some(it)))
                            form.act method="post" action=(format!("/sites/{site}/contacts/remove")) {
                                input type="hidden" name="form" value=(reader.form);
                                input type="hidden" name="name" value=(it.name);
                                button type="submit" { (reader.say(text::CONTACT_REMOVE)) }
                            }
                        }
                    }
                }
            }, changes))
        }
        @if changes {
            div.sheet.acts {
                details.act { summary { (reader.say(text::CONTACT_ADD)) } (form(reader, site, None)) }
            }
            p.hint { (reader.say(text::CONTACTS_HINT)) }
        }
    }
}

/// Contacts in a table, each with what `last` says.
fn table(reader: &Reader, contacts: &[Contact], last: impl Fn(&Contact) -> Markup, changes: bool) -> Markup {
    let mut columns = vec![text::CONTACT_NAME, text::CONTACT_ROLE, text::CONTACT_TELEPHONE, text::CONTACT_EMAIL];
    columns.extend(changes.then_some(text::CASE_ACTIONS));
    html! {
        div.scroll {
            table {
                (parts::head(reader, &columns, 0))
                tbody {
                    @for it in contacts {
                        tr {
                            th scope="row" { (it.name) }
                            @for said in [&it.role, &it.telephone, &it.email] {
                                td { (parts::or_dash(Some(said.as_str()).filter(|said| !said.is_empty()))) }
                            }
                            (last(it))
                        }
                    }
                }
            }
        }
    }
}

/// Contacts to be read and nothing else: whom a notice goes to, or went to.
pub(super) fn listed(reader: &Reader, contacts: &[Contact]) -> Markup {
    table(reader, contacts, |_| parts::nothing(), false)
}

fn form(reader: &Reader, site: SiteId, known: Option<&Contact>) -> Markup {
    let field = |field: &str, kind: &str, label: Text, value: Option<&str>, most: usize| {
        let id = format!("contact-{field}-{}", known.map_or("", |it| &it.name));
        html! {
            label for=(id) { (reader.say(label)) }
            // Who is called otherwise is another person: a name is changed by removing one and adding the other.
            input id=(id) type=(kind) name=(field) maxlength=(most) value=[value] required[field == "name"]
                readonly[field == "name" && known.is_some()];
        }
    };
    html! {
        form.act method="post" action=(format!("/sites/{site}/contacts")) {
            input type="hidden" name="form" value=(reader.form);
            (field("name", "text", text::CONTACT_NAME, known.map(|it| it.name.as_str()), 100))
            (field("role", "text", text::CONTACT_ROLE, known.map(|it| it.role.as_str()), 100))
            (field("telephone", "tel", text::CONTACT_TELEPHONE, known.map(|it| it.telephone.as_str()), 40))
            (field("email", "email", text::CONTACT_EMAIL, known.map(|it| it.email.as_str()), 100))
            button type="submit" { (reader.say(text::CASE_DO)) }
        }
    }
}

/// Puts a contact, and shows the site again.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(site): Path<String>,
    Form(put): Form<Put>,
) -> Response {
    if let Some(stale) = cases::stale(&reader, &put.form) {
        return stale;
    }
    let Put { name, role, telephone, email, .. } = put;
    let body = NewContactBody { name, role, telephone, email };
    shown(&reader, put_contact(&app, &reader.gate.clone().for_change(), &site, body).await)
}

/// Removes a contact, and shows the site again.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(site): Path<String>,
    Form(removed): Form<Removed>,
) -> Response {
    if let Some(stale) = cases::stale(&reader, &removed.form) {
        return stale;
    }
    shown(&reader, remove_contact(&app, &reader.gate.clone().for_change(), &site, removed.name).await)
}

fn shown(reader: &Reader, done: Result<SiteId, Problem>) -> Response {
    match done {
        Ok(site) => Redirect::to(&format!("/sites/{site}#contacts")).into_response(),
        Err(problem) => trouble(reader.language, &problem),
    }
}
