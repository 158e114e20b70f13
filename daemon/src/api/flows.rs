//! Questions for flows as people and programs write them: parameters in, a checked question out; and the problem where nobody
//! answered.

use axum::http::StatusCode;
use ipnetwork::IpNetwork;
use onenet_topology::{
    AgentId, EndpointId, SiteId, Timestamp, application::Application, flow::FlowParty, flow::FlowQuery,
};

use super::{Params, Problem};
use crate::{
    access::View,
    asking::NoAnswer,
    flows::{Asked, Place, Question, REASON_CHARS, Unanswered, is_reason, too_many, unanswered},
};

/// How long before `until` a question begins when it does not say, in milliseconds.
const SPAN_MS: i64 = 3_600_000;

/// Protocols that may be written by name.
const PROTOCOLS: [(&str, u8); 9] = [
    ("icmp", 1),
    ("igmp", 2),
    ("tcp", 6),
    ("udp", 17),
    ("gre", 47),
    ("esp", 50),
    ("icmpv6", 58),
    ("ospf", 89),
    ("sctp", 132),
];

/// Reads a question about a site. `view` is who asks.
///
/// # Errors
/// A parameter cannot be used; the problem says which and what to write.
pub(crate) fn question(view: &View, site: SiteId, mut params: Params) -> Result<Question, Problem> {
    let place = params.text("cursor").map(str::parse::<Place>).transpose().map_err(|_| no_cursor())?;
    let until = params.day("until")?.unwrap_or(view.now());
    let from = params.day("from")?.unwrap_or(until.plus_ms(-SPAN_MS));
    // From page to page the time asked for stays, also where it was not given.
    let (from, until) = place.as_ref().map_or((from, until), |place| (place.from, place.until));
    if from >= until {
        let detail = format!("{from} is not before {until}: give an earlier time, or a later `until`");
        return Err(Problem::parameter("from", detail));
    }
    let endpoint = params.text("endpoint").map(|text| party(view, site, "endpoint", text)).transpose()?;
    let peer = params.text("peer").map(|text| party(view, site, "peer", text)).transpose()?;
    let port = params.number("port", 0..=65_535)?.and_then(|port| u16::try_from(port).ok());
    let protocol = params.text("protocol").map(protocol).transpose()?;
    let application = params.text("application").map(application).transpose()?;
    let limit = u32::try_from(params.limit()?).unwrap_or(u32::MAX);
    let reason = reason(&mut params);
    params.finish()?;
    let reason = reason?;
    let query = FlowQuery { from, until, endpoint, peer, port, protocol, application, limit };
    Ok(Question { site, query, reason, place })
}

/// Reads why somebody asks.
///
/// # Errors
/// It says nothing.
pub(crate) fn reason(params: &mut Params) -> Result<String, Problem> {
    let reason = params.text("reason").unwrap_or_default().trim().to_owned();
    if is_reason(&reason) {
        return Ok(reason);
    }
    let (least, most) = REASON_CHARS.into_inner();
    let detail = format!(
        "cannot be used: write on one line why you ask, in {least} to {most} characters; the site that is asked reads it, and so \
         does whoever reads the audit trail"
    );
    Err(Problem::parameter("reason", detail))
}

fn no_cursor() -> Problem {
    Problem::parameter("cursor", "is none: give `next` of the page before, as it is")
}

/// Reads one end: a MAC address, an IP address, a prefix, or an endpoint of the site.
fn party(view: &View, site: SiteId, name: &str, text: &str) -> Result<FlowParty, Problem> {
    if let Ok(ip) = text.parse::<IpNetwork>() {
        return Ok(FlowParty::Ip(ip));
    }
    if let Ok(mac) = text.parse() {
        return Ok(FlowParty::Mac(mac));
    }
    let endpoint = text.parse::<EndpointId>().ok().and_then(|id| view.endpoint(id));
    let of_site = endpoint.filter(|(state, _)| state.id == site);
    of_site.map(|(_, endpoint)| FlowParty::Mac(endpoint.mac)).ok_or_else(|| {
        let detail =
            format!("{text:?} cannot be used: write a MAC address, an IP address, a prefix, or the id of an endpoint of the site");
        Problem::parameter(name, detail)
    })
}

fn protocol(text: &str) -> Result<u8, Problem> {
    let named = PROTOCOLS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, number)| *number);
    named.or_else(|| text.parse().ok()).ok_or_else(|| {
        let names: Vec<&str> = PROTOCOLS.iter().map(|(name, _)| *name).collect();
        let detail = format!("{text:?} cannot be used: write the protocol's number, or one of {}", names.join(", "));
        Problem::parameter("protocol", detail)
    })
}

/// Returns the name of an IP protocol, or its number.
pub(crate) fn protocol_name(protocol: u8) -> String {
    let named = PROTOCOLS.iter().find(|(_, number)| *number == protocol);
    named.map_or_else(|| protocol.to_string(), |(name, _)| (*name).to_owned())
}

fn application(text: &str) -> Result<Application, Problem> {
    Application::of(&text.to_ascii_lowercase()).ok_or_else(|| {
        let names: Vec<&str> = Application::ALL.iter().map(|application| application.name()).collect();
        Problem::parameter("application", format!("{text:?} is not known: known are {}", names.join(", ")))
    })
}

impl From<Unanswered> for Problem {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::NoAgent => {
                let detail =
                    "no agent is enrolled at this site, so nobody keeps its flows: enrol one (onenetd enrol SITE)";
                Self::agents(StatusCode::CONFLICT, "no-agent", "Nobody can be asked", detail)
            }
            Unanswered::TooMany => {
                Self::agents(StatusCode::TOO_MANY_REQUESTS, "too-many-questions", "Too much at once", too_many())
            }
            Unanswered::Nobody(agents) => nobody(&agents),
            Unanswered::Unaudited(error) => Self::unavailable(error.to_string()),
            Unanswered::Internal => Self::internal(),
        }
    }
}

/// Says why nothing was answered of a site, and names it: the sentence stands for itself wherever it is read.
pub(crate) fn unanswered_of(site: &str, unanswered: Unanswered) -> Problem {
    let is_of_site = matches!(unanswered, Unanswered::NoAgent | Unanswered::Nobody(_));
    let problem = Problem::from(unanswered);
    if is_of_site { Problem { detail: format!("site {site}: {}", problem.detail), ..problem } } else { problem }
}

/// Says why no agent answered: by the first of them, with the words of all.
fn nobody(agents: &[Asked]) -> Problem {
    let first = agents.iter().find_map(|asked| asked.outcome.as_ref().err());
    let (status, kind, title) = sort(first);
    Problem::agents(status, kind, title, unanswered(agents))
}

impl Problem {
    /// An agent did not do what it was asked.
    pub(crate) fn no_answer(agent: AgentId, why: &NoAnswer) -> Self {
        let (status, kind, title) = sort(Some(why));
        Self::agents(status, kind, title, format!("{agent} {}", why.told()))
    }
}

/// Returns what sort of problem it is that an agent does not answer.
const fn sort(why: Option<&NoAnswer>) -> (StatusCode, &'static str, &'static str) {
    match why {
        Some(NoAnswer::Silent { .. } | NoAnswer::NeverHeard) | None => {
            (StatusCode::SERVICE_UNAVAILABLE, "agent-silent", "The site is silent")
        }
        Some(NoAnswer::Cut) => (StatusCode::BAD_GATEWAY, "agent-cut", "The line was cut"),
        Some(NoAnswer::TimedOut { .. }) => (StatusCode::GATEWAY_TIMEOUT, "agent-timed-out", "The site does not answer"),
        Some(NoAnswer::Busy) => (StatusCode::TOO_MANY_REQUESTS, "agent-busy", "The site has enough to answer"),
        Some(NoAnswer::Failed { .. }) => (StatusCode::BAD_GATEWAY, "agent-failed", "The site could not answer"),
    }
}

/// Returns the time that a question asks about.
pub(crate) const fn period(question: &Question) -> [Timestamp; 2] {
    [question.query.from, question.query.until]
}
