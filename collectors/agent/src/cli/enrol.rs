//! `onenet-agent enrol`.

use std::path::PathBuf;

use anyhow::Context as _;

use super::{
    output,
    secret::{STANDARD_INPUT, standard_input},
};
use crate::{
    config::{DATA_DIR_DEFAULT, is_host_and_port},
    enrol::{Credentials, enrol},
    run::remember_centre,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Host and port of the centre, as `onenetd enrol` prints them.
    #[arg(value_name = "SERVER", value_parser = server)]
    server: String,
    /// The one-time token that `onenetd enrol` printed for this site; `-` reads it from standard input, so that it is in no
    /// shell's history.
    #[arg(value_name = "TOKEN")]
    token: String,
    /// Where the agent keeps its data.
    #[arg(long, value_name = "DIR", default_value = DATA_DIR_DEFAULT)]
    data: PathBuf,
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { server, token, data } = arguments;
    let token = match token.as_str() {
        STANDARD_INPUT => &standard_input().context("the token cannot be read from standard input")?,
        token => token,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let identity = runtime.block_on(enrol(server, token, data))?;
    remember_centre(data, server).with_context(|| {
        format!(
            "enrolled, but the centre's address cannot be kept in {}: write it into [centre] address",
            data.display()
        )
    })?;
    let site_name = Credentials::load(data).map(|credentials| credentials.site_name).unwrap_or_default();
    output::text(&format!(
        "Enrolled as {} of {site_name} ({}). The identity is in {}.\nStart the agent: onenet-agent run, or systemctl start onenet-agent\n",
        identity.agent,
        identity.site,
        data.display()
    ))?;
    Ok(())
}

fn server(text: &str) -> Result<String, String> {
    if is_host_and_port(text) {
        return Ok(text.to_owned());
    }
    Err("write host and port, such as centre.example:7443 or [2001:db8::1]:7443".to_owned())
}
