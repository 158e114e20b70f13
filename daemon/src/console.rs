//! The console: pages for people, made on the server, in Chinese and English.
//!
//! Invariant: pages work without JavaScript and load nothing from elsewhere; a page shows what its reader's view shows
//! and nothing else; a form changes something only when it carries its session's own secret.

mod acceptance;
mod anomalies;
mod assets;
mod availability;
mod capture;
mod cases;
mod changes;
mod class;
mod contacts;
mod coverage;
mod detectors;
mod device;
mod endpoint;
mod fields;
mod find;
mod flows;
mod form;
mod impact;
mod incidents;
mod inspection;
mod inspections;
mod language;
mod layout;
mod links;
mod month;
mod monthly;
mod multipart;
mod names;
mod overview;
mod parts;
mod past;
mod path;
mod probes;
mod search;
mod sessions;
mod site;
mod suppressions;
mod terminal;
pub mod text;
mod timeline;
mod traffic;
mod troubles;
pub mod words;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Router,
    extract::{FromRequestParts, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use maud::{Markup, html};
use onenet_topology::acceptance::Acceptance;

pub(crate) use cases::caution as containment_caution;
pub use language::{Language, negotiate};
pub(crate) use names::latin;
pub(crate) use parts::moment;
pub use sessions::Sessions;
use text::Text;

use crate::{
    access::{Gate, Secret, View},
    api::{self, App, Peer, Problem, encode},
};

/// The cookie that holds a session's secret.
const SESSION_COOKIE: &str = "onenet_session";
/// The cookie that holds the language.
const LANGUAGE_COOKIE: &str = "onenet_lang";
/// Nothing is loaded from elsewhere, nothing runs, nothing frames us, forms go home.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What a page knows of its reader.
pub(crate) struct Reader {
    /// The gate in front of what he asks for.
    pub(crate) gate: Gate,
    /// His language.
    pub(crate) language: Language,
    /// What a form of his session carries.
    form: String,
    /// The address of the page, to change the language in place.
    address: String,
}

/// Returns the language of a word such as `en`; Chinese where it is none.
pub(crate) fn language(tag: Option<&str>) -> Language {
    tag.and_then(Language::from_tag).unwrap_or(Language::Zh)
}

/// Returns an acceptance test as a page of its own.
pub(crate) fn acceptance_report(language: Language, view: &View, acceptance: &Acceptance) -> String {
    acceptance::document(language, view, acceptance).into_string()
}

/// Returns the routes of the console.
pub(crate) fn router(_: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/", get(overview::page))
        .route("/endpoints", get(search::page))
        .route("/search", get(search::moved))
        .route("/find", get(find::page))
        .route("/sites", get(|| async { Redirect::permanent("/") }))
        .route("/sites/{site}", get(site::page))
        .route("/sites/{site}/contacts", post(contacts::put))
        .route("/sites/{site}/contacts/remove", post(contacts::remove))
        .route("/sites/{site}/acceptances", get(acceptance::list))
        .route("/sites/{site}/acceptances/{acceptance}", get(acceptance::page))
        .route("/sites/{site}/past", get(past::page))
        .route("/changes", get(changes::page))
        .route("/path", get(path::page))
        .route("/sites/{site}/flows", get(flows::page))
        .route("/sites/{site}/timeline", get(timeline::page))
        .route("/incidents", get(incidents::list))
        .route("/incidents/{incident}", get(incidents::page))
        .route("/incidents/{incident}/case", post(cases::open))
        .route("/cases", get(cases::list))
        .route("/cases/statistics", get(cases::statistics))
        .route("/cases/drills", post(cases::open_drill))
        .route("/cases/rules", get(suppressions::page).post(suppressions::make))
        .route("/cases/rules/{rule}/end", post(suppressions::end))
        .route("/anomalies", get(anomalies::page))
        .route("/detectors", get(detectors::page))
        .route("/cases/{case}", get(cases::page))
        .route("/cases/{case}/act", post(cases::act))
        .route("/cases/{case}/evidence", post(cases::attach))
        .route("/cases/{case}/notify", get(cases::notifying))
        .route("/cases/{case}/notice", get(cases::notice))
        .route("/cases/{case}/notices/{number}", get(cases::numbered_notice))
        .route("/devices/{device}", get(device::page))
        .route("/endpoints/{endpoint}", get(endpoint::page))
        .route("/coverage", get(coverage::page))
        .route("/availability", get(availability::page))
        .route("/assets", get(assets::page))
        .route("/reports/monthly", get(monthly::page))
        .route("/reports/inspection", get(inspection::page))
        .route("/inspections", get(inspections::list))
        .route("/inspections/open", post(inspections::open))
        .route("/inspections/{inspection}", get(inspections::page))
        .route("/inspections/{inspection}/close", post(inspections::close))
        .route("/inspections/{inspection}/units/{site}", get(inspections::unit))
        .route("/inspections/{inspection}/units/{site}/act", post(inspections::act))
        .route("/login", get(form::sign_in_page).post(form::sign_in))
        .route("/logout", post(form::sign_out))
        .route("/static/console.css", get(style))
        .layer(middleware::from_fn(harden))
}

async fn style() -> impl IntoResponse {
    let kind = (header::CONTENT_TYPE, "text/css; charset=utf-8");
    // The address carries the version, so a new one is fetched at once.
    ([kind, (header::CACHE_CONTROL, "public, max-age=86400")], include_str!("console/console.css"))
}

/// Adds what protects a page, and remembers a language that the address asks for.
async fn harden(request: Request, next: Next) -> Response {
    let asked = parameter(request.uri().query(), "lang").and_then(|tag| Language::from_tag(&tag));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    if let Some(language) = asked {
        let cookie = format!("{LANGUAGE_COOKIE}={}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly", language.word());
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
    response
}

impl FromRequestParts<Arc<App>> for Reader {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let address = parts.uri.path_and_query().map_or("/", |it| it.as_str()).to_owned();
        let language = language_of(&parts.headers, parts.uri.query());
        let Ok(caller) = api::identify(app, parts.extensions.get::<Peer>(), &parts.headers) else {
            // Whoever was signed in is told that he no longer is.
            let ended = if session_cookie(&parts.headers).is_some() { "&ended=1" } else { "" };
            return Err(Redirect::to(&format!("/login?next={}{ended}", encode(&address))).into_response());
        };
        let form = session_cookie(&parts.headers).and_then(|secret| app.sessions.form(&secret)).unwrap_or_default();
        let gate = app.gate(caller, &format!("{} {address}", parts.method));
        Ok(Self { gate, language, form, address })
    }
}

impl Reader {
    /// Returns a text in the reader's language.
    pub(crate) const fn say(&self, text: Text) -> &'static str {
        self.language.of(text)
    }

    /// Returns the query of the address.
    fn query(&self) -> Option<&str> {
        self.address.split_once('?').map(|(_, query)| query)
    }

    /// Returns the page, or the page that says why there is none.
    fn answer(&self, made: Result<Markup, Problem>) -> Response {
        match made {
            Ok(page) => page.into_response(),
            // Whoever is known can go on from it.
            Err(problem) => told(&problem, self.language, |title, content| layout::apology(self, title, content)),
        }
    }
}

/// Returns the page for an address that does not exist.
pub(crate) fn not_found(_: &App, headers: &HeaderMap, query: Option<&str>) -> Response {
    let mut response = trouble(language_of(headers, query), &Problem::not_found());
    let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// Returns the page that says to whoever it may be what went wrong.
fn trouble(language: Language, problem: &Problem) -> Response {
    told(problem, language, |title, content| layout::bare(language, title, content))
}

fn told(problem: &Problem, language: Language, frame: impl FnOnce(&str, &Markup) -> Markup) -> Response {
    let (title, hint) = match problem.status() {
        StatusCode::NOT_FOUND => (text::PAGE_NOT_FOUND, Some(text::NOT_FOUND_HINT)),
        StatusCode::FORBIDDEN => (text::FORBIDDEN, Some(text::FORBIDDEN_HINT)),
        _ => (text::WENT_WRONG, None),
    };
    let hint = hint.map_or_else(|| words::problem(language, problem), |hint| language.of(hint).to_owned());
    let page = frame(
        language.of(title),
        &html! {
            h1 { (language.of(title)) }
            p { (hint) }
            p { a href="/" { (language.of(text::BACK_HOME)) } }
        },
    );
    (problem.status(), page).into_response()
}

fn language_of(headers: &HeaderMap, query: Option<&str>) -> Language {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    negotiate(parameter(query, "lang").as_deref(), cookie(headers, LANGUAGE_COOKIE), accepted)
}

/// Returns the secret in the session's cookie.
pub(crate) fn session_cookie(headers: &HeaderMap) -> Option<Secret> {
    cookie(headers, SESSION_COOKIE).map(Secret::presented)
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// Returns a parameter of the address.
fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(known, _)| *known == name).map(|(_, value)| api::decode(value))
}
