//! What the centre should hold, and what its export says that it holds: two multisets of lines that have to be equal.
//!
//! Invariant: the lines leave out what only the centre knows, times and ids of things; site, agent's sequence and every value of every
//! fact and sample are in them. A multiset's hash is the sum of its lines' hashes, so that order does not matter and a line that is
//! there twice shows.

use std::io::{BufRead, Write};

use anyhow::{Context, Result};
use onenet_topology::SiteId;
use serde::Serialize;
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_128;

use crate::agent::Truth;

/// Count and sum of the hashes of lines.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    count: u64,
    sum: u128,
}

/// What is held, by kind.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    facts: Tally,
    samples: Tally,
    past: Past,
}

/// How much of the past the centre keeps beside: counted, and not compared.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
struct Past {
    endpoints: u64,
    /// Of them, those that nobody sees any more, and those of them that are kept for their history only.
    silent: u64,
    retired: u64,
    alterations: u64,
    /// Days of which the coverage of a site is known.
    covered: u64,
}

impl Tally {
    fn add(&mut self, line: &str) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(xxh3_128(line.as_bytes()));
    }

    fn told(self) -> Value {
        json!({"count": self.count, "hash": format!("{:032x}", self.sum)})
    }
}

impl Held {
    /// Adds what a simulated agent holds, and writes the line.
    pub(crate) fn add(&mut self, site: SiteId, truth: Truth<'_>, to: &mut impl Write) -> Result<()> {
        let line = match truth {
            Truth::Fact(group, body) => fact(&json!(site), &json!(group), &json!(body)),
            Truth::Sample(sequence, item) => sample(&json!(site), &json!(sequence), &json!(item)),
        };
        match truth {
            Truth::Fact(..) => self.facts.add(&line),
            Truth::Sample(..) => self.samples.add(&line),
        }
        writeln!(to, "{line}").context("the truth cannot be written")
    }

    /// Reads an export of the daemon.
    pub(crate) fn read(export: impl BufRead) -> Result<Self> {
        let mut held = Self::default();
        for line in export.lines() {
            let line: Value = serde_json::from_str(&line?)?;
            held.past.add(&line);
            let fact_line = &line["fact"];
            if !fact_line["held"].is_null() {
                let body = &fact_line["held"]["fact"]["body"];
                held.facts.add(&fact(&fact_line["site"], &fact_line["group"], body));
            }
            let block = &line["samples"];
            for item in block["items"].as_array().into_iter().flatten() {
                held.samples.add(&sample(&block["site"], &block["sequence"], item));
            }
        }
        Ok(held)
    }

    /// Returns counts and hashes.
    pub(crate) fn told(self) -> Value {
        json!({"facts": self.facts.told(), "samples": self.samples.told(), "past": self.past})
    }
}

impl Past {
    fn add(&mut self, line: &Value) {
        let count = |list: &Value| u64::try_from(list.as_array().map_or(0, Vec::len)).unwrap_or_default();
        let endpoint = &line["endpoint"]["endpoint"];
        self.endpoints += u64::from(!endpoint.is_null());
        self.silent += u64::from(!endpoint["silent_since"].is_null());
        self.retired += u64::from(!endpoint["retired_since"].is_null());
        self.alterations += count(&line["altered"]["alterations"]);
        self.covered += count(&line["covered"]["trend"]["days"]);
    }
}

fn fact(site: &Value, group: &Value, body: &Value) -> String {
    json!(["fact", site, group["method"], group["scope"], body]).to_string()
}

/// The centre corrects an item's time by its own clock, so it is not compared: the sequence says of which minute it is.
fn sample(site: &Value, sequence: &Value, item: &Value) -> String {
    let mut item = item.clone();
    if let Some(item) = item.as_object_mut() {
        item.remove("time");
    }
    json!(["sample", site, sequence, item]).to_string()
}

/// Prints a line for whoever drives the program.
#[expect(clippy::print_stdout, reason = "answers go to standard output")]
pub(crate) fn say(value: &impl Serialize) {
    if let Ok(text) = serde_json::to_string(value) {
        println!("{text}");
    }
}
