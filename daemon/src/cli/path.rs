//! `onenetd path FROM TO`: over which devices the way leads.

use clap::Args;
use hyper::Method;
use serde_json::Value;

use super::{
    DataArgs,
    commands::{CommandError, administer, empty, say, text},
};
use crate::api::encode;

/// From where to where. Each is a site (id or division code), a device (id), or an endpoint (id, MAC or IP address).
#[derive(Debug, Clone, Args)]
pub struct PathArgs {
    /// Where the way begins.
    pub from: String,
    /// Where it ends.
    pub to: String,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// Prints the way.
pub(super) async fn run(args: PathArgs) -> Result<(), CommandError> {
    let path = format!("/api/v1/path?from={}&to={}", encode(&args.from), encode(&args.to));
    let answer = administer(&args.data, Method::GET, &path, empty()).await?;
    let hops = answer.get("hops").and_then(Value::as_array).into_iter().flatten();
    for (at, hop) in hops.enumerate() {
        let [kind, name, into, out, state] = ["/kind", "/name", "/into", "/out", "/state"].map(|key| text(hop, key));
        let ports = match [into, out] {
            ["", ""] => String::new(),
            ["", out] => format!("out by {out}"),
            [into, ""] => format!("in by {into}"),
            [into, out] => format!("in by {into}, out by {out}"),
        };
        let known = match [text(hop, "/known_by"), text(hop, "/subnet")] {
            [by, ""] => by.to_owned(),
            [by, subnet] => format!("{by} {subnet}"),
        };
        let name = if kind == "gap" { "(not known)" } else { name };
        say(&format!("{:>3} {kind:<9} {name:<24} {state:<9} {known:<28} {ports}", at + 1))?;
    }
    if answer.get("complete") == Some(&Value::Bool(false)) {
        say("parts of the way are not known: poll the devices between, with their addresses")?;
    }
    Ok(())
}
