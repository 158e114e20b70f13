//! The site of this machine, the token that lets people in, and the agent's identity: made once, found again later.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
};

use onenet_agent::enrol::{Credentials, enrol};
use onenet_topology::{
    SiteId,
    division::Tier,
    site::{SiteKind, SiteName},
};

use super::{ENROLMENT_TTL, QuickstartError, machine};
use onenetd::{
    access::{Change, Grant, Reach, Role, Secret, random_secret},
    api::{App, local_caller},
    cli::Running,
    demo, ingest,
    record::{Command, NewSite},
};

/// The name of the principal that quickstart makes a token for.
const PRINCIPAL: &str = "quickstart";
/// The file in the data directory that keeps that token, for its owner alone.
const TOKEN_FILE: &str = "token";

/// Hands a command over as a local administrator.
pub(super) async fn command(app: &Arc<App>, role: Role, command: Command) -> Result<ingest::Outcome, QuickstartError> {
    app.centre.submit(command, local_caller(role, None).author()).await.map_err(QuickstartError::Intake)
}

/// Returns the site of this machine's network, made when it is not there.
pub(super) async fn ensure_site(app: &Arc<App>) -> Result<SiteId, QuickstartError> {
    let now = app.clock.now();
    if let Some(site) = app.centre.estate().tree.by_code(demo::LOCAL_CODE, now) {
        return Ok(site.id);
    }
    let host = machine::host_name();
    let site = NewSite {
        // Only the division of a ministry stands alone; people are shown that it is this machine's network instead.
        tier: Tier::Ministry,
        kind: SiteKind::Division,
        code: demo::LOCAL_CODE.to_owned(),
        name: SiteName::new(format!("本机网络（{host}）"), format!("This network ({host})")),
        parents: Vec::new(),
        from: now,
    };
    command(app, Role::SystemAdministrator, Command::AddSite(site)).await?;
    let estate = app.centre.estate();
    // It was just committed, and nobody else is here to remove it.
    Ok(estate.tree.by_code(demo::LOCAL_CODE, app.clock.now()).map_or(SiteId::from_raw(0), |site| site.id))
}

/// Returns a token that lets people in: the one of the last start, or a new one.
pub(super) async fn ensure_token(app: &Arc<App>, data: &Path) -> Result<Secret, QuickstartError> {
    let file = data.join(TOKEN_FILE);
    let now = app.clock.now();
    let estate = app.centre.estate();
    if let Ok(text) = fs::read_to_string(&file) {
        let secret = Secret::presented(&text);
        if estate.register.by_secret(secret.hash(), now).is_some() {
            return Ok(secret);
        }
    }
    let old = estate.register.tokens().find(|token| token.principal.name == PRINCIPAL).map(|token| token.id);
    if let Some(id) = old {
        access(app, Change::TokenRevoked { id }).await?;
    }
    let secret = random_secret().map_err(QuickstartError::Random)?;
    let grants = [Role::Viewer, Role::Operator, Role::SecurityReviewer];
    let grants = grants.map(|role| Grant { role, reach: Reach::Everywhere }).to_vec();
    access(app, Change::TokenCreated { name: PRINCIPAL.to_owned(), grants, hash: secret.hash(), expires: None })
        .await?;
    let failed = |source| QuickstartError::Data { path: file.clone(), source };
    let _ = fs::remove_file(&file);
    let mut written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file).map_err(failed)?;
    writeln!(written, "{}", secret.expose()).map_err(failed)?;
    Ok(secret)
}

async fn access(app: &Arc<App>, change: Change) -> Result<(), QuickstartError> {
    command(app, Role::SecurityAdministrator, Command::Access(change)).await.map(drop)
}

/// Sees to it that there is an agent's identity in `data` that the centre knows; enrols as everybody does.
pub(super) async fn ensure_identity(running: &Running, site: SiteId, data: &Path) -> Result<(), QuickstartError> {
    let app = &running.app;
    if let Ok(credentials) = Credentials::load(data) {
        let known = app.centre.estate().agent(credentials.identity.agent).is_some_and(|it| it.revoked.is_none());
        if known && credentials.identity.site == site {
            return Ok(());
        }
    }
    // An identity of another centre, or half of one, is set aside; a token serves once, so nothing is lost by it.
    let identity = data.join("identity");
    if identity.exists() {
        let aside = data.join(format!("identity.{}", app.clock.now().unix_ms()));
        fs::rename(&identity, aside).map_err(|source| QuickstartError::Data { path: identity, source })?;
    }
    let by = local_caller(Role::SystemAdministrator, None).author();
    let token = app.centre.enrol_token(site, ENROLMENT_TTL, by).await.map_err(QuickstartError::Token)?;
    enrol(&running.collectors.to_string(), &token, data).await.map_err(QuickstartError::Enrol)?;
    Ok(())
}
