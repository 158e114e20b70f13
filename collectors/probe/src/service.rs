//! Services: whether they answer as their protocol says, how fast, and what is wrong with the answer.
//!
//! | module | asks |
//! |---|---|
//! | [`http`] | for a page |
//! | [`dns`] | for the addresses of a name |
//! | [`smtp`], [`imap`] | for a greeting, and the certificate behind STARTTLS |
//! | [`ldap`] | for the root of a directory |
//! | [`ntp`] | for the time |
//! | [`sip`] | what a server can do |
//! | [`certificate`] | what is wrong with what TLS shows |
//!
//! Invariant: a check sends what any client sends first, and nothing that changes anything or that names a user. Whoever answers in
//! its protocol is there; that the answer is an error is what is wrong with it. What is read is bounded, and how long it may
//! take is the plan's. Readers of answers are pure: [`talk`] and `datagram` have the sockets.

pub mod certificate;
pub mod dns;
pub mod http;
pub mod imap;
pub mod ldap;
pub mod ntp;
pub mod sip;
pub mod smtp;
pub mod talk;

mod datagram;
mod tls;

use onenet_topology::ProbeKind;
use tokio::time::timeout;

use self::talk::{Stage, connect};
use crate::Plan;

/// A service answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Found {
    /// What is wrong with the answer.
    pub(crate) problem: Option<String>,
    /// When the certificate that it showed ends.
    pub(crate) certificate_ends_ms: Option<i64>,
}

/// What is wrong with an answer, one thing after the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Problems(Vec<String>);

impl Problems {
    /// Notes a problem, where there is one. Returns whether there is.
    pub(crate) fn note(&mut self, problem: Option<String>) -> bool {
        let is_one = problem.is_some();
        self.0.extend(problem);
        is_one
    }

    /// Returns all of them in words.
    pub(crate) fn told(self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join("; "))
    }
}

/// Asks a service once.
///
/// # Errors
/// It does not answer, or not as its protocol says; in words.
pub(crate) async fn ask(plan: &Plan) -> Result<Found, String> {
    let stage = Stage::default();
    let asked = timeout(plan.timeout, asked(plan, &stage)).await;
    asked.unwrap_or_else(|_| Err(stage.overdue(plan.timeout)))
}

async fn asked(plan: &Plan, stage: &Stage) -> Result<Found, String> {
    let Some(to) = plan.host_and_port() else { return Err("the gateway is no service".to_owned()) };
    match plan.kind {
        ProbeKind::Tcp => connect(stage, to.0, to.1).await.map(|_| Found::default()),
        ProbeKind::Http => http::ask(plan, stage, to, false).await,
        ProbeKind::Https => http::ask(plan, stage, to, true).await,
        ProbeKind::Dns => dns::ask(plan, stage, to).await,
        ProbeKind::Smtp => smtp::ask(plan, stage, to).await,
        ProbeKind::Imap => imap::ask(plan, stage, to).await,
        ProbeKind::Ldap => ldap::ask(plan, stage, to).await,
        ProbeKind::Ntp => ntp::ask(stage, to).await,
        ProbeKind::Sip => sip::ask(plan, stage, to).await,
        kind @ (ProbeKind::Icmp | ProbeKind::Stamp) => Err(format!("{} is not a service", kind.name())),
    }
}
