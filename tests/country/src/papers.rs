//! How an agent gets its certificate: a token of the API, a key of its own, a request to the centre, as `onenet-agent enrol` does.
//!
//! Invariant: each agent has its own key and certificate. Nothing is written to disk: a run ends with its papers.

use anyhow::{Context, Result, bail, ensure};
use http_body_util::{BodyExt as _, Empty};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use onenet_wire::{
    EnrolRequest, EnrolResponse,
    tls::{self, Identity},
    token::Token,
    v1,
};
use rustls::ClientConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use tokio::net::TcpStream;

use crate::line;

/// Who an agent is, and how it proves it.
#[derive(Debug)]
pub(crate) struct Papers {
    /// Site and agent.
    pub(crate) identity: Identity,
    authority: CertificateDer<'static>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivatePkcs8KeyDer<'static>,
}

/// The centre's API.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    /// HOST:PORT, without TLS.
    pub(crate) address: String,
    /// A token that may issue enrolment tokens.
    pub(crate) token: String,
}

impl Papers {
    /// Returns how the agent connects: each time anew, as agents do, so that no session is resumed.
    pub(crate) fn client_config(&self) -> Result<ClientConfig> {
        let key = PrivateKeyDer::Pkcs8(self.key.clone_key());
        Ok(tls::mutual_client(self.authority.clone(), self.chain.clone(), key)?)
    }
}

impl Api {
    /// Posts nothing to a path. Returns the JSON answered.
    async fn post(&self, path: &str) -> Result<Value> {
        Ok(serde_json::from_slice(&self.ask("POST", path).await?)?)
    }

    /// Returns what a path answers.
    pub(crate) async fn get(&self, path: &str) -> Result<Bytes> {
        self.ask("GET", path).await
    }

    async fn ask(&self, method: &str, path: &str) -> Result<Bytes> {
        let tcp = TcpStream::connect(&self.address).await.with_context(|| format!("reach {}", self.address))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(tcp)).await?;
        let connection = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.address)
            .header("authorization", format!("Bearer {}", self.token))
            .body(Empty::<Bytes>::new())?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        connection.abort();
        ensure!(status.is_success(), "{method} {path}: {status}: {}", String::from_utf8_lossy(&body));
        Ok(body)
    }
}

/// Enrols the agent of a site.
pub(crate) async fn enrol(api: &Api, collectors: &str, code: &str) -> Result<Papers> {
    let issued = api.post(&format!("/api/v1/sites/{code}/enrolment-tokens")).await?;
    let token: Token = issued["token"].as_str().context("an answer without token")?.parse()?;
    let key = rcgen::KeyPair::generate()?;
    let request = EnrolRequest {
        token: token.reveal(),
        certificate_request: rcgen::CertificateParams::new(Vec::new())?.serialize_request(&key)?.der().to_vec(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let channel = line::connect(collectors, tls::enrolment_client(token.authority())?).await?;
    let answer = v1::enrolment_client::EnrolmentClient::new(channel).enrol(v1::EnrolRequest::from(request)).await;
    let response = match answer {
        Ok(response) => EnrolResponse::try_from(response.into_inner())?,
        Err(status) => bail!("{code} was not enrolled: {status}"),
    };
    Ok(Papers {
        identity: Identity { site: response.site, agent: response.agent },
        authority: response.ca_certificate.into(),
        chain: response.certificate_chain.into_iter().map(CertificateDer::from).collect(),
        key: PrivatePkcs8KeyDer::from(key.serialize_der()),
    })
}
