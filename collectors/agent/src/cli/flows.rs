//! `onenet-agent flows`.
//!
//! Invariant: the log is only read; an agent that writes it is not disturbed.

use anyhow::Context as _;
use onenet_capture::flow::protocol_name;
use onenet_topology::{
    MacAddr, Timestamp,
    application::Application,
    flow::{FlowCursor, FlowPage, FlowParty, FlowQuery},
};

use super::folder;
use crate::{
    flow_log::{self, Go, PageLimits},
    render,
};

/// The most flows that one call shows: they are held in memory. `--after` reads on.
const LIMIT_MAX: u32 = 100_000;

// Its name would be that of the arguments it takes in as a group.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct Arguments {
    /// Flows of this endpoint: a MAC address, an IP address, or a prefix.
    #[arg(long, value_name = "MAC|IP|PREFIX", value_parser = party)]
    endpoint: Option<FlowParty>,
    /// And with this one at the other end.
    #[arg(long, value_name = "MAC|IP|PREFIX", value_parser = party)]
    peer: Option<FlowParty>,
    /// With this port at either end.
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Of this application, such as tls or dns.
    #[arg(long, value_name = "NAME", value_parser = application)]
    application: Option<Application>,
    /// Of this IP protocol: a name such as tcp, or a number.
    #[arg(long, value_name = "PROTOCOL", value_parser = protocol)]
    protocol: Option<u8>,
    /// Flows that were going on at this time or later: a time after RFC 3339, or a day, which begins at midnight in China.
    #[arg(long, value_name = "TIME", value_parser = Timestamp::from_day_or_time)]
    from: Option<Timestamp>,
    /// And before this.
    #[arg(long, value_name = "TIME", value_parser = Timestamp::from_day_or_time)]
    until: Option<Timestamp>,
    /// The most flows to show.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=i64::from(LIMIT_MAX)))]
    limit: u32,
    /// Read on behind a page, as its `next` says.
    #[arg(long, value_name = "CURSOR")]
    after: Option<FlowCursor>,
    #[command(flatten)]
    folder: folder::Arguments,
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<()> {
    let query = FlowQuery {
        from: arguments.from.unwrap_or(Timestamp::EPOCH),
        until: arguments.until.unwrap_or(Timestamp::from_unix_ms(i64::MAX)),
        endpoint: arguments.endpoint,
        peer: arguments.peer,
        port: arguments.port,
        protocol: arguments.protocol,
        application: arguments.application,
        limit: arguments.limit,
    };
    anyhow::ensure!(query.from < query.until, "--from must be before --until");
    let folder = arguments.folder.data().join(flow_log::FOLDER);
    let flows = usize::try_from(query.limit).context("the limit is too large")?;
    let limits = PageLimits { flows, fits: &|_: &FlowPage| true, go: &|| Go::On };
    let mut page = flow_log::page(&folder, &query, arguments.after, &limits)?;
    if arguments.from.is_none() {
        // Nobody asked for what was before the log.
        page.missing.retain(|missing| missing.flows.is_some());
    }
    arguments.folder.print(&page, |language| render::flows(&page, language))?;
    Ok(())
}

fn party(text: &str) -> Result<FlowParty, String> {
    if let Ok(mac) = text.parse::<MacAddr>() {
        return Ok(FlowParty::Mac(mac));
    }
    text.parse().map(FlowParty::Ip).map_err(|_| {
        "write a MAC address such as 00:1b:21:3c:4d:5e, an IP address, or a prefix such as 10.1.0.0/16".to_owned()
    })
}

fn application(text: &str) -> Result<Application, String> {
    Application::of(text).ok_or_else(|| {
        let names: Vec<&str> = Application::ALL.iter().map(|application| application.name()).collect();
        format!("no application is called so; known are {}", names.join(", "))
    })
}

fn protocol(text: &str) -> Result<u8, String> {
    let named = || (0..=u8::MAX).find(|number| protocol_name(*number) == text.to_lowercase());
    text.parse().ok().or_else(named).ok_or_else(|| "write a name such as tcp, udp, icmp, or a number".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parties_applications_and_protocols_are_read_as_people_write_them() {
        assert_eq!(party("00:1b:21:3c:4d:5e"), Ok(FlowParty::Mac("00:1b:21:3c:4d:5e".parse().unwrap())));
        assert_eq!(party("10.1.2.3"), Ok(FlowParty::Ip("10.1.2.3/32".parse().unwrap())));
        assert_eq!(party("fe80::/64"), Ok(FlowParty::Ip("fe80::/64".parse().unwrap())));
        assert!(party("printer").unwrap_err().contains("10.1.0.0/16"));
        assert_eq!((protocol("TCP"), protocol("17"), application("tls")), (Ok(6), Ok(17), Ok(Application::Tls)));
        assert!(application("toaster").unwrap_err().contains("smb") && protocol("toaster").is_err());
    }
}
