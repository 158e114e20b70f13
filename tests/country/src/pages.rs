//! A past of the pages: what the centre tells now, written into Prometheus as if it had been scraped for hours.
//!
//! A daemon that started a minute ago has no yesterday, and what queries cost depends on how much of it there is. So each series of each
//! page is written with earlier times: counters as if they had always grown as fast as until now, also before the daemon was started (a
//! counter that began again), numbers of endpoints with the rhythm of a day, everything else as it is now. It is a load, and nothing
//! may be concluded from its values.
//!
//! Invariant: labels are those that a scrape by `/sd` gives. Hour after hour is written, of all series, so that nothing is out of order.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use prost::Message as _;
use serde::Deserialize;
use tokio::net::TcpStream;

use crate::{PagesArgs, clock::Clock, more::busy, papers::Api};

/// Series of a request.
const SERIES: usize = 2_000;
const MINUTE_MS: i64 = 60_000;
/// What agents count themselves since they started, which was the day before at midnight.
const OF_AGENTS: [&str; 2] = ["onenet_capture_", "onenet_detection_"];
const DAY: u64 = 1_440;

/// `prometheus.WriteRequest` (remote write 1.0).
#[derive(Clone, PartialEq, prost::Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

/// `prometheus.TimeSeries`.
#[derive(Clone, PartialEq, prost::Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

/// `prometheus.Label`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, prost::Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

/// `prometheus.Sample`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

/// A target of `/sd`.
#[derive(Debug, Deserialize)]
struct Target {
    labels: BTreeMap<String, String>,
}

/// What a series does with time.
#[derive(Debug, Clone, Copy)]
enum Course {
    /// It came to be as much as it is within so many minutes.
    Grows(u64),
    Day,
    Stays,
}

struct Series {
    labels: Vec<Label>,
    course: Course,
    now: f64,
}

/// Reads all pages, writes their past, and returns how many series and samples that was.
pub(crate) async fn write(args: &PagesArgs) -> Result<(usize, u64)> {
    let token = std::fs::read_to_string(&args.token).with_context(|| args.token.display().to_string())?;
    let api = Api { address: args.api.clone(), token: token.trim().to_owned() };
    let mut all = Vec::new();
    for (path, target) in targets(&api).await? {
        let text = String::from_utf8(api.get(&path).await?.to_vec())?;
        all.extend(series(&text, &target, args)?);
    }
    let mut receiver = Receiver::new(&args.write).await?;
    let now_ms = Clock::start().at(crate::clock::boot_ms()).unix_ms();
    let each_ms = i64::try_from(args.each)? * MINUTE_MS;
    let steps = i64::try_from(args.minutes / args.each)?;
    let an_hour = 60 * MINUTE_MS / each_ms;
    let (mut step, mut samples) = (steps, 0);
    while step > 0 {
        let until = (step - an_hour.max(1)).max(0);
        let times: Vec<i64> = (until + 1..=step).rev().map(|back| now_ms - back * each_ms).collect();
        for part in all.chunks(SERIES) {
            let of = |it: &Series| TimeSeries {
                labels: it.labels.clone(),
                samples: times.iter().map(|at| Sample { value: it.at(now_ms - at, args), timestamp: *at }).collect(),
            };
            receiver.send(&WriteRequest { timeseries: part.iter().map(of).collect() }).await?;
            samples += u64::try_from(part.len() * times.len())?;
        }
        step = until;
    }
    Ok((all.len(), samples))
}

/// Returns every page's path with the labels of its target.
async fn targets(api: &Api) -> Result<Vec<(String, BTreeMap<String, String>)>> {
    let listed: Vec<Target> = serde_json::from_slice(&api.get("/sd").await?)?;
    let own = BTreeMap::from([("job".to_owned(), "onenet".to_owned()), ("instance".to_owned(), api.address.clone())]);
    let mut all = vec![("/metrics?sites=false".to_owned(), own)];
    for mut target in listed {
        let path = target.labels.remove("__metrics_path__").context("a target without a path")?;
        target.labels.insert("job".to_owned(), "onenet-sites".to_owned());
        all.push((path, target.labels));
    }
    Ok(all)
}

/// Reads a page in Prometheus' text format.
fn series(text: &str, target: &BTreeMap<String, String>, args: &PagesArgs) -> Result<Vec<Series>> {
    let (mut found, mut counter) = (Vec::new(), false);
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            counter = kind.ends_with(" counter");
        }
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        let name_ends = line.find(['{', ' ']).context("a line without a value")?;
        let (name, rest) = line.split_at(name_ends);
        let (own, value) = match rest.strip_prefix('{') {
            Some(inside) => inside.rsplit_once("} ").context("labels without an end")?,
            None => ("", rest.trim()),
        };
        let mut labels = target.clone();
        for (name, value) in pairs(own) {
            // What a page says itself gives way to what its target is labelled with, as a scrape has it.
            let name = if target.contains_key(&name) { format!("exported_{name}") } else { name };
            labels.insert(name, value);
        }
        labels.insert("__name__".to_owned(), name.to_owned());
        let labels = labels.into_iter().filter(|(_, value)| !value.is_empty());
        let course = match counter {
            true if OF_AGENTS.iter().any(|it| name.starts_with(it)) => Course::Grows(DAY + args.minute),
            true => Course::Grows(args.grew),
            false if name.ends_with("_endpoints") => Course::Day,
            false => Course::Stays,
        };
        let labels = labels.map(|(name, value)| Label { name, value }).collect();
        let now = value.split(' ').next().unwrap_or_default().parse().with_context(|| line.to_owned())?;
        found.push(Series { labels, course, now });
    }
    Ok(found)
}

/// Returns labels as `name="value",…` has them.
fn pairs(text: &str) -> Vec<(String, String)> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some((name, after)) = rest.split_once("=\"") {
        let (mut value, mut ends, mut escaped) = (String::new(), after.len(), false);
        for (at, letter) in after.char_indices() {
            match (escaped, letter) {
                (true, 'n') => value.push('\n'),
                (false, '\\') => {
                    escaped = true;
                    continue;
                }
                (false, '"') => {
                    ends = at + 1;
                    break;
                }
                (_, other) => value.push(other),
            }
            escaped = false;
        }
        found.push((name.trim_start_matches(',').to_owned(), value));
        rest = after.get(ends..).unwrap_or_default();
    }
    found
}

impl Series {
    /// Returns what it was so long ago.
    fn at(&self, age_ms: i64, args: &PagesArgs) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "days of milliseconds")]
        let minutes = |ms: i64| ms as f64 / MINUTE_MS as f64;
        let whole = |minutes: u64| f64::from(u32::try_from(minutes).unwrap_or(u32::MAX));
        let age = minutes(age_ms);
        match self.course {
            Course::Grows(within) if age < whole(within) => (self.now * (1.0 - age / whole(within))).floor(),
            Course::Grows(within) => (self.now / whole(within) * (whole(args.minutes) - age).max(0.0)).floor(),
            Course::Day => {
                let rhythm = |back: u64| 0.35 + 0.65 * busy((2 * DAY + args.minute).saturating_sub(back));
                let back = u64::try_from(age_ms / MINUTE_MS).unwrap_or_default() % DAY;
                (self.now * rhythm(back) / rhythm(0)).round()
            }
            Course::Stays => self.now,
        }
    }
}

/// Where series are written to, over one connection.
struct Receiver {
    address: String,
    sender: http1::SendRequest<Full<Bytes>>,
    packer: snap::raw::Encoder,
}

impl Receiver {
    async fn new(address: &str) -> Result<Self> {
        let tcp = TcpStream::connect(address).await.with_context(|| format!("reach {address}"))?;
        let (sender, connection) = http1::handshake(TokioIo::new(tcp)).await?;
        tokio::spawn(connection);
        Ok(Self { address: address.to_owned(), sender, packer: snap::raw::Encoder::new() })
    }

    async fn send(&mut self, request: &WriteRequest) -> Result<()> {
        let body = self.packer.compress_vec(&request.encode_to_vec())?;
        let request = Request::post("/api/v1/write")
            .header("host", &self.address)
            .header("content-type", "application/x-protobuf")
            .header("content-encoding", "snappy")
            .header("x-prometheus-remote-write-version", "0.1.0")
            .body(Full::new(Bytes::from(body)))?;
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let said = response.into_body().collect().await?.to_bytes();
        ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&said));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_as_a_scrape_has_it() {
        let page = "# HELP onenet_site_info x\n# TYPE onenet_site_info gauge\n\
                    onenet_site_info{site=\"7\",name=\"a\\\"b,c\\\\\",tier=\"city\",parent=\"\"} 1\n\
                    # TYPE onenet_x_total counter\nonenet_x_total 96 1700000000000\n";
        let target = BTreeMap::from([("tier".to_owned(), "city".to_owned())]);
        let args = |grew| PagesArgs {
            api: String::new(),
            token: "".into(),
            write: String::new(),
            minutes: 1_440,
            each: 1,
            minute: 600,
            grew,
        };
        let found = series(page, &target, &args(2_880)).unwrap();
        let labels =
            |at: usize| -> Vec<_> { found[at].labels.iter().map(|it| format!("{}={}", it.name, it.value)).collect() };
        assert_eq!(
            labels(0),
            ["__name__=onenet_site_info", "exported_tier=city", "name=a\"b,c\\", "site=7", "tier=city"]
        );
        assert_eq!(labels(1), ["__name__=onenet_x_total", "tier=city"]);
        let day_ms = 24 * 60 * MINUTE_MS;
        assert!((found[1].at(day_ms, &args(2_880)) - 48.0).abs() < 1e-9);
        assert!((found[0].at(day_ms, &args(2_880)) - 1.0).abs() < 1e-9);
        // A daemon that has run for an hour, and one that ran before it: both count as fast.
        let young = &series(page, &target, &args(60)).unwrap()[1];
        let minute = |back: i64| young.at(back * MINUTE_MS, &args(60));
        assert!((minute(0) - minute(10) - 16.0).abs() < 1.1 && (minute(100) - minute(110) - 16.0).abs() < 1.1);
        assert!(minute(60) > minute(59));
    }
}
