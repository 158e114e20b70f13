//! The daemon's HTTP API as a user sees it: curl, run in a namespace that reaches the daemon.
//!
//! Invariant: the client is a foreign program, so nothing of the product's own HTTP code is trusted. It does not check
//! certificates: quickstart makes its own, and scenarios about certificates call curl themselves.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::netns::Node;

/// Longest time for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Asks one daemon, with one principal's token.
#[derive(Debug, Clone)]
pub struct Api {
    node: Node,
    base: String,
    token: Option<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Body as text.
    pub body: String,
}

impl Api {
    /// Returns a client that asks from `node`; `base` is like `http://10.0.0.1:8080`.
    pub fn new(node: &Node, base: impl Into<String>, token: Option<&str>) -> Self {
        Self { node: node.clone(), base: base.into(), token: token.map(str::to_owned) }
    }

    /// Returns the same client with another principal's token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// Sends a GET and returns whatever is answered.
    ///
    /// # Errors
    ///
    /// Nothing answers.
    pub fn get(&self, path: &str) -> Result<Answer> {
        self.request("GET", path, None)
    }

    /// Sends a GET and returns the JSON answered with status 200.
    ///
    /// # Errors
    ///
    /// Nothing answers, another status, or no JSON.
    pub fn json(&self, path: &str) -> Result<Value> {
        let answer = self.get(path)?;
        ensure!(answer.status == 200, "GET {path}: status {}: {}", answer.status, answer.body);
        serde_json::from_str(&answer.body).with_context(|| format!("GET {path} is no JSON: {}", answer.body))
    }

    /// Sends a request with an optional JSON body.
    ///
    /// # Errors
    ///
    /// Nothing answers.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        let mut args: Vec<String> =
            ["-sS", "-g", "-k", "-X", method, "-w", "\n%{http_code}", "--max-time"].map(String::from).into();
        args.push(ANSWER_WITHIN.as_secs().to_string());
        if let Some(token) = &self.token {
            args.extend(["-H".to_owned(), format!("Authorization: Bearer {token}")]);
        }
        if let Some(body) = body {
            args.extend(["-H".to_owned(), "Content-Type: application/json".to_owned()]);
            args.extend(["--data-binary".to_owned(), body.to_string()]);
        }
        args.push(format!("{}{path}", self.base));
        let text = self.node.run("curl", args)?;
        let (body, status) = text.rsplit_once('\n').context("curl told no status")?;
        Ok(Answer { status: status.trim().parse().context("status is no number")?, body: body.to_owned() })
    }
}
