//! The message of Prometheus' remote write, version 1.0: protobuf, packed by snappy's block format.
//!
//! Invariant: labels are sorted by name, and the samples of a series by time, as the specification demands; the caller sees to both.

use bytes::Bytes;
use prost::Message as _;

/// `prometheus.WriteRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub(super) timeseries: Vec<TimeSeries>,
}

/// `prometheus.TimeSeries`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    pub(super) labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub(super) samples: Vec<Sample>,
}

/// `prometheus.Label`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, prost::Message)]
pub(super) struct Label {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

/// `prometheus.Sample`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct Sample {
    #[prost(double, tag = "1")]
    pub(super) value: f64,
    /// Milliseconds since 1970.
    #[prost(int64, tag = "2")]
    pub(super) timestamp: i64,
}

impl WriteRequest {
    /// Returns the body of a request.
    pub(super) fn packed(&self) -> Bytes {
        let plain = self.encode_to_vec();
        // It fails only for more than 4 GiB; a request has some hundred KiB.
        let packed = snap::raw::Encoder::new().compress_vec(&plain);
        packed.unwrap_or_default().into()
    }
}
