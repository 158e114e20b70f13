//! Tokens, the audit trail, and who the caller is.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use onenet_topology::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Answer;
use crate::{
    access::{
        Action, Change, Denied, Gate, Grant, Principal, Reach, Role, Token, TokenId, View,
        audit::{Entry, Outcome},
        random_secret,
    },
    api::{
        App, Params, Problem,
        body::{Page, time},
    },
    record::Command,
    store::AuditQuery,
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(who_am_i))
        .routes(routes!(list_tokens, create_token))
        .routes(routes!(revoke_token))
        .routes(routes!(read_audit))
}

/// A role over a subtree of sites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantBody {
    /// `viewer`, `operator`, `security-reviewer`, `system-administrator`, `security-administrator` or
    /// `audit-administrator`. The three administrators exclude each other.
    pub role: String,
    /// The site, by id or division code, that it reaches with everything below; without it, everywhere.
    #[serde(default)]
    pub site: Option<String>,
}

/// Who the caller is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct PrincipalBody {
    /// His name in the audit trail.
    pub name: String,
    /// What he may do, and where.
    pub grants: Vec<GrantBody>,
    /// When his right to ask ends.
    pub expires: Option<String>,
}

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct TokenBody {
    /// Its identity.
    #[schema(example = "token-2d00000")]
    pub id: String,
    /// The principal it speaks for.
    #[serde(flatten)]
    pub principal: PrincipalBody,
    /// When it was created.
    pub created: String,
    /// Whether it is over.
    pub expired: bool,
}

/// A token to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTokenBody {
    /// The name of the principal, unique among living tokens.
    pub name: String,
    /// What he may do, and where; at least one.
    pub grants: Vec<GrantBody>,
    /// When it is to end, RFC 3339; without it, never.
    #[serde(default)]
    pub expires: Option<String>,
}

/// A token that was just created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct CreatedTokenBody {
    /// Its identity.
    pub id: String,
    /// The secret: shown this once, never again.
    pub token: String,
}

/// An entry of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct AuditBody {
    /// When, the first time.
    pub time: String,
    /// When, the last time.
    pub until: String,
    /// How many times.
    pub count: u32,
    /// Who; `null` for a stranger.
    pub principal: Option<String>,
    /// By which token.
    pub token: Option<String>,
    /// From which address.
    pub source: String,
    /// What was asked for.
    pub action: &'static str,
    /// At which site.
    pub site: Option<String>,
    /// What in particular.
    pub subject: String,
    /// `done`, `allowed` (what came of it has an entry of its own), `forbidden`, `hidden`, `refused`, `failed` or `stranger`.
    pub outcome: &'static str,
    /// Why, in the principal's own words, where he has to say so: a question for flows.
    pub reason: Option<String>,
}

/// Who the caller is, and what he may do.
#[utoipa::path(
    get, path = "/api/v1/me", tag = "access",
    responses((status = 200, body = PrincipalBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn who_am_i(gate: Gate, params: Params) -> Answer<PrincipalBody> {
    params.finish()?;
    // Everybody let in may know himself; the use is noted like any other.
    gate.note(Action::ReadSites, None, "GET /api/v1/me", Outcome::Done)?;
    Ok(Json(PrincipalBody::of(&gate.caller().principal)))
}

/// Lists the tokens that reach no further than the caller may manage.
#[utoipa::path(
    get, path = "/api/v1/tokens", tag = "access",
    responses((status = 200, body = Page<TokenBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_tokens(gate: Gate, params: Params) -> Answer<Page<TokenBody>> {
    let view = gate.anywhere(Action::ManageAccess)?;
    params.finish()?;
    let tokens = view.tokens().map(|token| TokenBody::of(token, view.now()));
    Ok(Json(Page::whole(tokens.collect())))
}

/// Creates a token. Its secret is in the answer, this once.
#[utoipa::path(
    post, path = "/api/v1/tokens", tag = "access",
    request_body = NewTokenBody,
    responses((status = 200, body = CreatedTokenBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn create_token(
    State(app): State<Arc<App>>,
    gate: Gate,
    params: Params,
    body: super::JsonBody<NewTokenBody>,
) -> Answer<CreatedTokenBody> {
    let view = gate.anywhere(Action::ManageAccess)?;
    params.finish()?;
    let body = super::read_body(&app, body)?;
    let grants = body.grants.iter().map(|grant| grant.checked(&view)).collect::<Result<Vec<_>, _>>()?;
    for grant in &grants {
        // Nobody gives what he could not manage afterwards.
        match grant.reach {
            Reach::Everywhere => gate.system(Action::ManageAccess)?,
            Reach::Below(site) => gate.at(Action::ManageAccess, site)?,
        };
    }
    let expires = body.expires.as_deref().map(str::parse::<Timestamp>).transpose();
    let expires = expires.map_err(|error| Problem::parameter("expires", error.to_string()))?;
    let secret = random_secret().map_err(|error| Problem::unavailable(error.to_string()))?;
    let change = Change::TokenCreated { name: body.name.clone(), grants, hash: secret.hash(), expires };
    super::submit(&app, &gate, Command::Access(change)).await?;
    let estate = app.centre.estate();
    let created = estate.register.by_secret(secret.hash(), gate.now()).ok_or_else(Problem::internal)?;
    Ok(Json(CreatedTokenBody { id: created.id.to_string(), token: secret.expose().to_owned() }))
}

/// Revokes a token.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{token}", tag = "access",
    params(("token" = String, Path, description = "Its id, or the name of its principal")),
    responses((status = 200, body = TokenBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn revoke_token(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(wanted): Path<String>,
    params: Params,
) -> Answer<TokenBody> {
    let view = gate.anywhere(Action::ManageAccess)?;
    params.finish()?;
    let id: Option<TokenId> = wanted.parse().ok();
    let token = view.tokens().find(|token| id.map_or(token.principal.name == wanted, |id| token.id == id));
    let Some(token) = token else {
        gate.note(Action::ManageAccess, None, &format!("revoke {wanted}"), Outcome::Hidden)?;
        return Err(Denied::Hidden.into());
    };
    let body = TokenBody::of(token, view.now());
    super::submit(&app, &gate, Command::Access(Change::TokenRevoked { id: token.id })).await?;
    Ok(Json(body))
}

/// The audit trail, in the order of time.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "access",
    params(
        ("from" = Option<String>, Query, description = "The first moment, RFC 3339; a day ago by default"),
        ("to" = Option<String>, Query, description = "The first moment after the last, RFC 3339; now by default"),
        ("principal" = Option<String>, Query, description = "Only this principal"),
        ("limit" = Option<usize>, Query, description = "Entries of a page, 1 to 1000; 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = Page<AuditBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn read_audit(State(app): State<Arc<App>>, gate: Gate, mut params: Params) -> Answer<Page<AuditBody>> {
    let view = gate.anywhere(Action::ReadAudit)?;
    let until = params.time("to")?.unwrap_or(view.now().plus_ms(1));
    let from = params.time("from")?.unwrap_or(until.plus_ms(-86_400_000));
    let principal = params.short_text("principal", 100)?;
    let limit = params.limit()?;
    let cursor = params.text("cursor").map(parse_cursor).transpose()?;
    params.finish()?;
    // What was just done is part of the answer.
    app.write_audit(false).await;
    let mut query = AuditQuery { from, until, after: cursor, limit: limit + 1 };
    let mut found = Vec::new();
    let next = loop {
        let read = app.centre.audit_entries(query.clone()).await;
        let entries = read.map_err(|error| Problem::unavailable(error.to_string()))?;
        let exhausted = entries.len() < query.limit;
        query.after = entries.last().map(|(key, _)| *key).or(query.after);
        found.extend(entries.into_iter().filter(|(_, entry)| {
            principal.as_deref().is_none_or(|name| entry.usage.principal == name) && view.shows_audit(entry)
        }));
        if found.len() > limit {
            found.truncate(limit);
            break found.last().map(|(key, _)| *key);
        }
        if exhausted {
            break None;
        }
    };
    let items = found.iter().map(|(_, entry)| AuditBody::of(entry)).collect();
    Ok(Json(Page {
        items,
        next: next.map(|(time, position, ordinal)| format!("{}.{position}.{ordinal}", time.unix_ms())),
    }))
}

fn parse_cursor(text: &str) -> Result<(Timestamp, u64, u32), Problem> {
    let mut parts = text.split('.');
    let parsed = (|| {
        let time = Timestamp::from_unix_ms(parts.next()?.parse().ok()?);
        let key = (time, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        parts.next().is_none().then_some(key)
    })();
    parsed.ok_or_else(|| Problem::parameter("cursor", format!("{text:?} is none: give `next` of the page before")))
}

impl GrantBody {
    fn of(grant: &Grant) -> Self {
        let site = match grant.reach {
            Reach::Everywhere => None,
            Reach::Below(site) => Some(site.to_string()),
        };
        Self { role: grant.role.to_string(), site }
    }

    fn checked(&self, view: &View) -> Result<Grant, Problem> {
        let role: Role = self
            .role
            .parse()
            .map_err(|error: crate::access::InvalidRole| Problem::parameter("role", error.to_string()))?;
        let reach = match &self.site {
            None => Reach::Everywhere,
            Some(text) => Reach::Below(super::named_site(view, "site", text)?),
        };
        Ok(Grant { role, reach })
    }
}

impl PrincipalBody {
    fn of(principal: &Principal) -> Self {
        Self {
            name: principal.name.clone(),
            grants: principal.grants.iter().map(GrantBody::of).collect(),
            expires: principal.expires.map(time),
        }
    }
}

impl TokenBody {
    fn of(token: &Token, now: Timestamp) -> Self {
        Self {
            id: token.id.to_string(),
            principal: PrincipalBody::of(&token.principal),
            created: time(token.created),
            expired: token.is_expired(now),
        }
    }
}

impl AuditBody {
    fn of(entry: &Entry) -> Self {
        let usage = &entry.usage;
        Self {
            time: time(entry.time),
            until: time(entry.until),
            count: entry.count,
            principal: (!usage.principal.is_empty()).then(|| usage.principal.clone()),
            token: usage.token.map(|token| token.to_string()),
            source: usage.source.clone(),
            action: usage.action.name(),
            site: usage.site.map(|site| site.to_string()),
            subject: usage.subject.clone(),
            outcome: usage.outcome.name(),
            reason: usage.reason.clone(),
        }
    }
}
