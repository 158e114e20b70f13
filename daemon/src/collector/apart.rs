//! The bytes that agents send, message by message, so that what holds a message has the room of that message alone.
//!
//! tonic puts what comes into a buffer, and makes room in it for a message once it has read how long it is. Where the message came with its
//! length there is twice the room then, and what is over is used up by the messages of the next quarter of an hour: of three thousand
//! agents that told everything at once, 60 MB. Where the length comes first, alone, there is as much room as the message takes.
//!
//! Invariant: the bytes and their order are what came.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::Request;
use hyper::body::Frame;
use tonic::{Status, body::Body};

/// Bytes before each message: whether it is compressed, and its length.
const HEAD_BYTES: usize = 5;

/// A body whose frames hold no more than the head of one message, or than what follows one.
#[derive(Debug)]
struct Apart {
    body: Body,
    /// What came and was not handed on.
    rest: Bytes,
    place: Place,
}

/// Where in the messages the next byte is.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// In a head, of which so many bytes were before it.
    Head([u8; HEAD_BYTES], usize),
    /// In a message, of which so many bytes follow.
    Message(usize),
}

/// Returns the request with its messages apart.
pub(super) fn messages(request: Request<Body>) -> Request<Body> {
    request.map(|body| Body::new(Apart { body, rest: Bytes::new(), place: Place::BEGIN }))
}

impl Place {
    const BEGIN: Self = Self::Head([0; HEAD_BYTES], 0);

    /// Splits off what belongs together, and goes on behind it.
    fn split(&mut self, bytes: &mut Bytes) -> Bytes {
        match *self {
            Self::Head(mut head, before) => {
                let piece = bytes.split_to(bytes.len().min(HEAD_BYTES - before));
                head[before..before + piece.len()].copy_from_slice(&piece);
                let [_, length @ ..] = head;
                *self = match before + piece.len() {
                    HEAD_BYTES => Self::Message(usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX)),
                    some => Self::Head(head, some),
                };
                piece
            }
            Self::Message(left) => {
                let piece = bytes.split_to(bytes.len().min(left));
                *self = Self::Message(left - piece.len());
                piece
            }
        }
    }

    /// Begins with the next head where a message is over.
    fn turn(&mut self) {
        if matches!(self, Self::Message(0)) {
            *self = Self::BEGIN;
        }
    }
}

impl hyper::body::Body for Apart {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        if this.rest.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                end => return Poll::Ready(end),
            }
        }
        this.place.turn();
        Poll::Ready(Some(Ok(Frame::data(this.place.split(&mut this.rest)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(length: usize) -> Vec<u8> {
        let head = u32::try_from(length).unwrap().to_be_bytes();
        [0].into_iter().chain(head).chain((0..=u8::MAX).cycle().take(length)).collect()
    }

    /// Returns the frames that come of bytes that came in pieces of this size.
    fn apart(bytes: &[u8], size: usize) -> Vec<Bytes> {
        let (mut place, mut frames) = (Place::BEGIN, Vec::new());
        for piece in bytes.chunks(size) {
            let mut rest = Bytes::copy_from_slice(piece);
            while !rest.is_empty() {
                place.turn();
                frames.push(place.split(&mut rest));
            }
        }
        frames
    }

    #[test]
    fn the_length_of_a_message_comes_before_it_however_the_bytes_came() {
        let lengths = [7, 0, 1, 300, 0, 5];
        let bytes: Vec<u8> = lengths.iter().flat_map(|length| message(*length)).collect();
        for size in 1..=bytes.len() {
            let frames = apart(&bytes, size);
            assert_eq!(frames.concat(), bytes, "{size}");
            assert!(frames.iter().all(|frame| !frame.is_empty()));
        }
        let whole: Vec<usize> = apart(&bytes, bytes.len()).iter().map(Bytes::len).collect();
        assert_eq!(whole, [5, 7, 5, 5, 1, 5, 300, 5, 5, 5]);
    }
}
