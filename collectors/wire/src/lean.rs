//! The codec of both services: protobuf, as tonic has it, with buffers of the size of what is said most.
//!
//! A centre holds thousands of streams open on which little is said: an acknowledgement, a sign of life, a minute's samples. tonic's own
//! codec holds 8 KiB for each direction of each, and as much as the largest message ever took: that of the hour in which the agent told
//! all that it knows.
//!
//! Invariant: what goes over the line is what tonic's own codec says.

use std::marker::PhantomData;

use prost::{
    Message,
    bytes::{Buf as _, Bytes},
};
use tonic::{
    Status,
    codec::{BufferSettings, Codec, DecodeBuf, Decoder},
};
use tonic_prost::ProstCodec;

/// Bytes that a buffer begins with. It grows as a message needs it.
const BUFFER_BYTES: usize = 512;
/// Bytes of messages that are ready after which they are sent, before more are looked for.
const SENT_TOGETHER_BYTES: usize = 32 << 10;

fn settings() -> BufferSettings {
    BufferSettings::new(BUFFER_BYTES, SENT_TOGETHER_BYTES)
}

/// Protobuf, with small buffers.
#[derive(Debug)]
pub struct LeanCodec<T, U>(PhantomData<(T, U)>);

/// Reads messages, and does not keep the room of the largest.
#[derive(Debug)]
pub struct LeanDecoder<U> {
    /// The last message. The buffer it lies in is tonic's, which would go on with it for ever if it had it for itself: as it has not, it
    /// begins another where its room ends, and this one goes with the next message.
    last: Bytes,
    message: PhantomData<U>,
}

impl<T, U> Default for LeanCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for LeanCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = <ProstCodec<T, U> as Codec>::Encoder;
    type Decoder = LeanDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::raw_encoder(settings())
    }

    fn decoder(&mut self) -> Self::Decoder {
        LeanDecoder { last: Bytes::new(), message: PhantomData }
    }
}

impl<U: Message + Default> Decoder for LeanDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        self.last = from.copy_to_bytes(from.remaining());
        let message = U::decode(self.last.as_ref());
        message.map(Some).map_err(|error| Status::internal(error.to_string()))
    }

    fn buffer_settings(&self) -> BufferSettings {
        settings()
    }
}
