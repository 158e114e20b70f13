//! Contacts: whom to reach at sites, imported from a spreadsheet, listed, put and removed.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    http::header,
    response::IntoResponse,
};
use onenet_topology::{
    SiteId,
    contact::{Contact, ContactChange, parse_contacts_csv, plan_import},
    site::Site,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, JsonBody, TextBody, coverage::quoted, listed, read_body, read_text, site_filter, submit};
use crate::{
    access::{Action, Gate, View},
    api::{
        App, Params, Problem,
        body::{ContactBody, Page},
    },
    record::Command,
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_contacts))
        .routes(routes!(contacts_csv))
        .routes(routes!(import_contacts))
        .routes(routes!(contacts_of_site, put_contact))
        .routes(routes!(remove_contact))
}

/// A contact of a site.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewContactBody {
    /// The person; one of this name is replaced.
    pub name: String,
    /// What he is there.
    #[serde(default)]
    pub role: String,
    /// His number. It or `email` is needed.
    #[serde(default)]
    pub telephone: String,
    /// His address of mail: notices to the site, and what is overdue at a site below it, are mailed there.
    #[serde(default)]
    pub email: String,
}

/// What came of an import of contacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct ContactImportBody {
    /// Contacts of the file.
    pub contacts: usize,
    /// Sites whose contacts changed.
    pub changed: usize,
    /// Sites whose contacts were as the file has them.
    pub unchanged: usize,
}

/// Returns the sites with contacts, in the order of their ids.
fn sites(view: &View, root: Option<SiteId>) -> Vec<&Site> {
    let mut sites: Vec<&Site> =
        view.subtree(root).into_iter().filter(|site| !view.contacts(site.id).is_empty()).collect();
    sites.sort_unstable_by_key(|site| site.id);
    sites
}

/// Lists contacts, by site.
#[utoipa::path(
    get, path = "/api/v1/contacts", tag = "sites",
    params(
        ("site" = Option<String>, Query, description = "Only those of this site and of those below it: an id or a division code"),
        ("limit" = Option<usize>, Query, description = "Entries of a page, 1 to 1000; 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = Page<ContactBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_contacts(gate: Gate, mut params: Params) -> Answer<Page<ContactBody>> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let root = site_filter(&view, &mut params)?;
    let limit = params.limit()?;
    let after = params.text("cursor").map(parse_cursor).transpose()?;
    params.finish()?;
    let bodies = sites(&view, root).into_iter().flat_map(|site| {
        let contacts = view.contacts(site.id);
        let seen = match &after {
            Some((last, _)) if site.id < *last => contacts.len(),
            Some((last, name)) if site.id == *last => {
                contacts.iter().position(|it| it.name == *name).map_or(0, |at| at + 1)
            }
            _ => 0,
        };
        contacts.iter().skip(seen).map(|it| ContactBody::of(&view, site, it)).collect::<Vec<_>>()
    });
    Ok(Json(Page::take(bodies, limit, |body| format!("{}.{}", body.site, body.name))))
}

fn parse_cursor(text: &str) -> Result<(SiteId, String), Problem> {
    let parsed = text.split_once('.').and_then(|(site, name)| Some((site.parse().ok()?, name.to_owned())));
    parsed.ok_or_else(|| Problem::parameter("cursor", format!("{text:?} is none: give `next` of the page before")))
}

/// Contacts as the table (CSV, RFC 4180) that can be imported again.
#[utoipa::path(
    get, path = "/api/v1/contacts.csv", tag = "sites",
    params(("site" = Option<String>, Query, description = "Only those of this site and of those below it: an id or a division code")),
    responses((status = 200, body = String, content_type = "text/csv"), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn contacts_csv(gate: Gate, mut params: Params) -> Result<impl IntoResponse, Problem> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let root = site_filter(&view, &mut params)?;
    params.finish()?;
    // A byte order mark: without it, spreadsheets in China read the file as GBK.
    let mut csv = String::from("\u{feff}site,name,role,telephone,email\r\n");
    for site in sites(&view, root) {
        for it in view.contacts(site.id) {
            let said = [&it.name, &it.role, &it.telephone, &it.email].map(|text| quoted(text)).join(",");
            let _ = write!(csv, "{},{said}\r\n", site.code(view.now()));
        }
    }
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv))
}

/// The contacts of a site.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/contacts", tag = "sites",
    params(("site" = String, Path, description = "Its id or its division code")),
    responses((status = 200, body = Vec<ContactBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn contacts_of_site(gate: Gate, Path(site): Path<String>, params: Params) -> Answer<Vec<ContactBody>> {
    let (view, id) = gate.site(Action::ReadInventory, &site)?;
    params.finish()?;
    shown(&view, id)
}

fn shown(view: &View, id: SiteId) -> Answer<Vec<ContactBody>> {
    let site = view.site(id).ok_or_else(Problem::not_found)?;
    Ok(Json(view.contacts(id).iter().map(|it| ContactBody::of(view, site, it)).collect()))
}

/// Puts a contact of a site, in the place of the one of that name. Returns all contacts of the site.
#[utoipa::path(
    post, path = "/api/v1/sites/{site}/contacts", tag = "sites",
    params(("site" = String, Path, description = "Its id or its division code")),
    request_body = NewContactBody,
    responses((status = 200, body = Vec<ContactBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn put_contact(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(site): Path<String>,
    params: Params,
    body: JsonBody<NewContactBody>,
) -> Answer<Vec<ContactBody>> {
    let gate = gate.for_change();
    let body = read_body(&app, body)?;
    params.finish()?;
    let id = put(&app, &gate, &site, body).await?;
    shown(&gate.view_after(app.centre.estate()), id)
}

/// Puts a contact in the caller's name. Returns the site.
pub(crate) async fn put(app: &App, gate: &Gate, site: &str, body: NewContactBody) -> Result<SiteId, Problem> {
    let (_, site) = gate.site(Action::ManageContacts, site)?;
    let [name, role, telephone, email] =
        [body.name, body.role, body.telephone, body.email].map(|text| text.trim().to_owned());
    let contact = Contact { name, role, telephone, email };
    contact.check().map_err(|(column, problem)| Problem::parameter(column, problem.to_string()))?;
    let changes = vec![ContactChange::Put { site, contact }];
    submit(app, gate, Command::ChangeContacts { changes }).await?;
    Ok(site)
}

/// Removes a contact of a site. Returns those that are left.
#[utoipa::path(
    delete, path = "/api/v1/sites/{site}/contacts/{name}", tag = "sites",
    params(
        ("site" = String, Path, description = "Its id or its division code"),
        ("name" = String, Path, description = "The person"),
    ),
    responses((status = 200, body = Vec<ContactBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn remove_contact(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path((site, name)): Path<(String, String)>,
    params: Params,
) -> Answer<Vec<ContactBody>> {
    let gate = gate.for_change();
    params.finish()?;
    let id = remove(&app, &gate, &site, name).await?;
    shown(&gate.view_after(app.centre.estate()), id)
}

/// Removes a contact in the caller's name. Returns the site.
pub(crate) async fn remove(app: &App, gate: &Gate, site: &str, name: String) -> Result<SiteId, Problem> {
    let (_, site) = gate.site(Action::ManageContacts, site)?;
    let changes = vec![ContactChange::Remove { site, name }];
    submit(app, gate, Command::ChangeContacts { changes }).await?;
    Ok(site)
}

/// Brings the contacts of sites in line with a CSV file. It names all contacts of each site in it; other sites are left alone.
///
/// The columns are `site,name` and, if wanted, `role`, `telephone` and `email`; each row needs a number or an address of mail. Takes the
/// right to manage contacts at each site that the file names. All rows are taken, or none.
#[utoipa::path(
    post, path = "/api/v1/contacts/import", tag = "sites",
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = ContactImportBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn import_contacts(
    State(app): State<Arc<App>>,
    gate: Gate,
    params: Params,
    body: TextBody,
) -> Answer<ContactImportBody> {
    gate.anywhere(Action::ManageContacts)?;
    params.finish()?;
    let text = read_text(&app, body)?;
    let rows = parse_contacts_csv(&text).map_err(|problems| Problem::body(listed(&problems)))?;
    let estate = app.centre.estate();
    let mut named = BTreeSet::new();
    let mut hidden = Vec::new();
    for row in &rows {
        match estate.tree.by_code(&row.site, gate.now()).filter(|site| gate.shows(site.id)) {
            Some(site) => named.extend([site.id]),
            None => hidden.push(format!(
                "line {}, column site: no site has the code {}: import the site first, or correct the code",
                row.line, row.site
            )),
        }
    }
    if !hidden.is_empty() {
        return Err(Problem::body(listed(&hidden)));
    }
    gate.at_each(Action::ManageContacts, named)?;
    let import = plan_import(&estate.contacts, &estate.tree, &rows, gate.now())
        .map_err(|problems| Problem::body(listed(&problems)))?;
    let (changed, contacts, unchanged) = (import.changes.len(), import.contacts, import.unchanged);
    if changed > 0 {
        submit(&app, &gate, Command::ChangeContacts { changes: import.changes }).await?;
    }
    Ok(Json(ContactImportBody { contacts, changed, unchanged }))
}
