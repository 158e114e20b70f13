//! What the codec of the services holds while little is said.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::alloc::System;

use futures_util::{FutureExt as _, StreamExt as _, stream};
use http_body_util::StreamBody;
use hyper::body::Frame;
use onenet_wire::{lean::LeanCodec, v1};
use prost::{Message as _, bytes::Bytes};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tonic::{
    Status,
    codec::{Codec as _, Streaming},
};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What an agent tells at its first hello, and with each minute.
const LARGE: usize = 250_000;
const SMALL: usize = 2_000;
/// Of HTTP/2, as a server's settings have it.
const FRAME_BYTES: usize = 16_384;

fn held() -> usize {
    let stats = HEAP.stats();
    stats.bytes_allocated.wrapping_sub(stats.bytes_deallocated)
}

fn message(bytes: usize) -> v1::Rejection {
    v1::Rejection { detail: "x".repeat(bytes), ..v1::Rejection::default() }
}

/// Returns messages as a stream of gRPC brings them, frame by frame, made when they are asked for.
fn told(sizes: impl Iterator<Item = usize> + Send + 'static) -> Streaming<v1::Rejection> {
    let frames = sizes.flat_map(|size| {
        let body = message(size).encode_to_vec();
        let mut bytes = vec![0];
        bytes.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
        bytes.extend(body);
        let frames: Vec<_> = bytes.chunks(FRAME_BYTES).map(Bytes::copy_from_slice).collect();
        frames.into_iter().map(|frame| Ok::<_, Status>(Frame::data(frame)))
    });
    let decoder = LeanCodec::<v1::Rejection, v1::Rejection>::default().decoder();
    Streaming::new_request(decoder, StreamBody::new(stream::iter(frames)), None, None)
}

fn next(stream: &mut Streaming<v1::Rejection>) -> v1::Rejection {
    stream.next().now_or_never().unwrap().unwrap().unwrap()
}

#[test]
fn a_stream_that_told_much_once_holds_little_soon_after() {
    let before = held();
    let mut stream = told([LARGE].into_iter().chain(std::iter::repeat_n(SMALL, 20)));
    assert_eq!(next(&mut stream), message(LARGE));
    assert!(held() - before > LARGE, "what tonic holds of a large message is what this test is about");
    for _ in 0..20 {
        assert_eq!(next(&mut stream), message(SMALL));
    }
    let after = held() - before;
    assert!(after < 4 * SMALL, "{after} bytes");
}

#[test]
fn messages_of_any_size_are_read_as_they_were_told() {
    let sizes = [0, 1, 500, 512, 513, FRAME_BYTES, LARGE, 3, LARGE, 0];
    let mut stream = told(sizes.into_iter());
    for size in sizes {
        assert_eq!(next(&mut stream), message(size));
    }
    assert!(stream.next().now_or_never().unwrap().is_none());
}
