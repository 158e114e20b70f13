//! What is sent to the centre, cut into pieces that its buffers have room for.
//!
//! HTTP/2 (h2) begins with 8 KiB to read into for each connection, makes it larger for a larger frame, and leaves it so. Frames of 16 KiB, which a
//! receiver has to allow (RFC 9113, section 6.5.2), come in the hour in which an agent tells everything: of three thousand agents that is
//! 22 MB which nobody uses again.
//!
//! Invariant: the bytes and their order are what was to be sent.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http_body::Frame;
use tonic::{
    Status,
    body::Body,
    codegen::{Bytes, Service, http::Request},
};

/// Bytes of a frame at most: two have room in a buffer.
const PIECE_BYTES: usize = 4_000;

/// A channel on which no frame is long.
#[derive(Debug, Clone)]
pub struct Pieces<S>(pub S);

impl<S: Service<Request<Body>>> Service<Request<Body>> for Pieces<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> S::Future {
        self.0.call(request.map(|body| Body::new(Cut { body, rest: Bytes::new() })))
    }
}

/// A body whose frames are short.
#[derive(Debug)]
struct Cut {
    body: Body,
    /// What is to be sent and was not handed on.
    rest: Bytes,
}

impl http_body::Body for Cut {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                end => return Poll::Ready(end),
            }
        }
        let length = self.rest.len().min(PIECE_BYTES);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures_util::{FutureExt as _, stream};
    use http_body::Body as _;
    use http_body_util::StreamBody;

    use super::*;

    #[test]
    fn frames_are_short_and_their_bytes_what_was_to_be_sent() {
        let lengths = [1, PIECE_BYTES, 0, PIECE_BYTES + 1, 3 * PIECE_BYTES, 17];
        let sent: Vec<Bytes> = lengths.iter().map(|length| (0..=u8::MAX).cycle().take(*length).collect()).collect();
        let frames = sent.clone().into_iter().map(|bytes| Ok::<_, Status>(Frame::data(bytes)));
        let mut cut = Cut { body: Body::new(StreamBody::new(stream::iter(frames))), rest: Bytes::new() };
        let mut came = Vec::new();
        while let Some(frame) = poll_fn(|context| Pin::new(&mut cut).poll_frame(context)).now_or_never().unwrap() {
            came.push(frame.unwrap().into_data().unwrap());
        }
        assert!(came.iter().all(|piece| piece.len() <= PIECE_BYTES));
        assert_eq!(came.concat(), sent.concat());
        assert_eq!(came.len(), 9);
    }
}
