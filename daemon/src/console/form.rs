//! Signing in and out.

use std::sync::Arc;

use axum::{
    Form,
    extract::{FromRequest as _, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Language, SESSION_COOKIE, language_of, layout, parameter, session_cookie, text};
use crate::{
    access::Secret,
    api::{App, Peer, Problem},
};

/// The form to sign in.
#[derive(Deserialize)]
pub(super) struct SignIn {
    token: String,
    #[serde(default)]
    next: String,
}

/// The form to sign out.
#[derive(Deserialize)]
pub(super) struct SignOut {
    form: String,
}

/// The page to sign in on.
pub(super) async fn sign_in_page(request: Request) -> Markup {
    let query = request.uri().query();
    let next = parameter(query, "next").unwrap_or_default();
    let why = if parameter(query, "ended").is_some() { Why::Ended } else { Why::Asked };
    sign_in_form(language_of(request.headers(), query), &next, why)
}

/// Why somebody is to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// Nobody was signed in.
    Asked,
    /// The session that was there is over.
    Ended,
    /// The token was not taken.
    Refused,
}

fn sign_in_form(language: Language, next: &str, why: Why) -> Markup {
    let say = |text| language.of(text);
    layout::bare(
        language,
        say(text::SIGN_IN),
        &html! {
            h1 { (say(text::SIGN_IN)) }
            @match why {
                Why::Asked => {}
                Why::Ended => { p.told role="status" { (say(text::SESSION_ENDED)) } }
                Why::Refused => { p.alert role="alert" { (say(text::TOKEN_REFUSED)) } }
            }
            form.sign-in method="post" action="/login" {
                input type="hidden" name="next" value=(next);
                // Password keepers want a name to file the token under; nobody reads it here.
                input type="text" name="username" value="onenet" autocomplete="username" hidden readonly;
                label for="token" { (say(text::TOKEN)) }
                input #token type="password" name="token" autocomplete="current-password" required autofocus
                    aria-describedby="token-hint";
                p #token-hint .hint { (say(text::TOKEN_HINT)) }
                button type="submit" { (say(text::SIGN_IN)) }
            }
        },
    )
}

/// Takes a token and begins a session.
pub(super) async fn sign_in(State(app): State<Arc<App>>, request: Request) -> Response {
    let (headers, query) = (request.headers().clone(), request.uri().query().map(str::to_owned));
    let source = match request.extensions().get::<Peer>() {
        Some(Peer::Remote(address)) => Arc::clone(address),
        Some(Peer::Local) | None => "local socket".into(),
    };
    let language = language_of(&headers, query.as_deref());
    // Another site's form must not sign its own account in here.
    if !is_same_origin(&headers) {
        return super::trouble(language, &Problem::forbidden(language.of(text::FORM_STALE)));
    }
    let form = Form::<SignIn>::from_request(request, &app).await;
    let Ok(Form(SignIn { token, next })) = form else {
        return (StatusCode::BAD_REQUEST, sign_in_form(language, "", Why::Refused)).into_response();
    };
    let known = app.caller(&Secret::presented(&token), &source).and_then(|caller| caller.token);
    let Some(token) = known else {
        return (StatusCode::UNAUTHORIZED, sign_in_form(language, &next, Why::Refused)).into_response();
    };
    match app.sessions.begin(token, app.clock.now()) {
        Ok(secret) => with_cookie(&app, Redirect::to(home(&next)), secret.expose(), ""),
        Err(error) => super::trouble(language, &Problem::unavailable(error.to_string())),
    }
}

/// Ends the session.
pub(super) async fn sign_out(State(app): State<Arc<App>>, headers: HeaderMap, Form(form): Form<SignOut>) -> Response {
    let ended = session_cookie(&headers).is_some_and(|secret| app.sessions.end(&secret, &form.form));
    if ended {
        with_cookie(&app, Redirect::to("/login"), "", "; Max-Age=0")
    } else {
        let language = language_of(&headers, None);
        super::trouble(language, &Problem::forbidden(language.of(text::FORM_STALE)))
    }
}

/// Returns where to go after signing in: a path of our own and nothing else.
fn home(next: &str) -> &str {
    // Browsers drop tabs and line ends from addresses, so that what stands after them would move up to the first slash.
    let ours =
        next.starts_with('/') && !next.starts_with("//") && !next.contains(|c: char| c == '\\' || c.is_control());
    if ours && !next.starts_with("/login") { next } else { "/" }
}

/// Returns whether the browser says that the request comes from a page of ours (Fetch Metadata), or at least from our
/// host; what says nothing is no browser and has no session to steal.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = text(header::ORIGIN) else { return true };
    let host = origin.split_once("://").map(|(_, host)| host);
    host.is_some() && host == text(header::HOST)
}

fn with_cookie(app: &App, redirect: Redirect, value: &str, more: &str) -> Response {
    let secure = if app.secure_cookies { "; Secure" } else { "" };
    let cookie = format!("{SESSION_COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{more}");
    let mut response = redirect.into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_one_stays_here() {
        for (next, to) in [
            ("/sites/site-1?lang=en", "/sites/site-1?lang=en"),
            ("//evil.example/", "/"),
            ("https://evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("/\t/evil.example", "/"),
            ("/\r\n/evil.example", "/"),
            ("/\u{85}/evil.example", "/"),
            ("/login?next=/", "/"),
            ("", "/"),
        ] {
            assert_eq!(home(next), to, "{next}");
        }
    }

    #[test]
    fn a_form_of_another_site_is_told_apart() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
        };
        for (pairs, ours) in [
            (&[][..], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("origin", "https://a.example"), ("host", "a.example")], true),
            (&[("origin", "https://b.example"), ("host", "a.example")], false),
            (&[("origin", "null"), ("host", "a.example")], false),
        ] {
            let headers: HeaderMap = headers(pairs);
            assert_eq!(is_same_origin(&headers), ours, "{pairs:?}");
        }
    }
}
