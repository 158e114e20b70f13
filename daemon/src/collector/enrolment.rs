//! Enrolment: a one-time token becomes a certificate.
//!
//! Invariant: the token is spent by a record before the certificate is signed, so that it serves once even through a
//! crash; whoever lost the answer asks again with the same key and gets a certificate for the same agent.

use std::sync::Arc;

use onenet_wire::{EnrolRequest, EnrolResponse, tls::Identity, token::Token, v1};
use tonic::{Request, Response, Status, transport::server::TlsConnectInfo};

use super::{Shared, door::Standing};
use crate::{
    access::audit::Author,
    ingest::{Intake, IntakeError, Outcome},
    pki::CheckedRequest,
    record::{Body, Command, TokenHash},
};

/// Serves enrolment.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) shared: Arc<Shared>,
    pub(super) intake: Intake,
}

#[tonic::async_trait]
impl v1::enrolment_server::Enrolment for Service {
    async fn enrol(&self, request: Request<v1::EnrolRequest>) -> Result<Response<v1::EnrolResponse>, Status> {
        let connection = request.extensions().get::<TlsConnectInfo<Arc<Standing>>>();
        let peer = connection.map(|connection| connection.get_ref().peer);
        let request = EnrolRequest::try_from(request.into_inner())
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let token: Token = request
            .token
            .parse()
            .map_err(|error: onenet_wire::token::InvalidToken| Status::invalid_argument(error.to_string()))?;
        let checked = CheckedRequest::new(&request.certificate_request)
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let command = Command::EnrolAgent { token: TokenHash::new(token.secret_hash()), key: checked.key() };
        let source = peer.map_or_else(|| "unknown".into(), |peer| peer.ip().to_canonical().to_string().into());
        let by = Author { name: "enrolment".into(), token: None, source };
        let body = Body::Command { by, command: Arc::new(command) };
        let outcome = self.intake.submit(body).await.map_err(refused)?;
        let Outcome::Enrolled { agent, site } = outcome else {
            return Err(Status::internal("the enrolment came to something else; see the centre's log"));
        };
        let now = self.shared.clock.now();
        let signed = self.shared.pki.sign(checked, Identity { site, agent }, now).map_err(|error| {
            tracing::warn!(%agent, %site, error = %error, "an agent's certificate was not signed");
            Status::invalid_argument(error.to_string())
        })?;
        tracing::info!(%agent, %site, version = %request.version, "an agent was enrolled");
        let response = EnrolResponse {
            certificate_chain: signed.chain,
            ca_certificate: signed.authority,
            agent,
            site,
            site_name: self.shared.site_name(site),
        };
        Ok(Response::new(response.into()))
    }
}

fn refused(error: IntakeError) -> Status {
    match error {
        IntakeError::Refused(refusal) => {
            tracing::warn!(error = %refusal, "an enrolment was refused");
            Status::permission_denied(refusal.to_string())
        }
        IntakeError::Store(_) | IntakeError::Stopped => Status::unavailable(error.to_string()),
    }
}
