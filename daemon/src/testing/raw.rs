//! What a test needs below the texts of requests and answers: bytes, and the data directory.

use super::*;

impl World {
    /// Where its data lies.
    pub(crate) fn data(&self) -> &std::path::Path {
        self.data.path()
    }

    /// One request as it is, and what comes back byte for byte.
    pub(crate) async fn answer(&self, mut request: Request<HttpBody>) -> (http::response::Parts, Vec<u8>) {
        request.extensions_mut().insert(Peer::Remote("192.0.2.7".into()));
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        (head, body.collect().await.unwrap().to_bytes().to_vec())
    }

    /// One request as it is, from 192.0.2.7.
    pub(crate) async fn raw(&self, mut request: Request<HttpBody>) -> Answer {
        request.extensions_mut().insert(Peer::Remote("192.0.2.7".into()));
        Answer::of(self.router.clone().oneshot(request).await.unwrap()).await
    }
}
