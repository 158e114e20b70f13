//! Prints everything one device tells, as the JSON of `inspect`: `inspect HOST[:PORT] --community public`.

use anyhow::{Context, bail};
use clap::Parser;
use onenet_snmp::{Budget, Credentials, Profiles, Sockets, Target, V3Security, V3User, inspect};

/// Prints everything one device tells over SNMP.
#[derive(Parser)]
struct Arguments {
    /// The device: HOST or HOST:PORT.
    target: String,
    /// The v2c read community.
    #[arg(long, default_value = "public")]
    community: String,
    /// The v3 user; its keys are read from ONENET_SNMP_AUTH_KEY and ONENET_SNMP_PRIVACY_KEY.
    #[arg(long)]
    user: Option<String>,
    /// The v3 authentication protocol.
    #[arg(long, default_value = "SHA")]
    auth: String,
    /// The v3 privacy protocol.
    #[arg(long, default_value = "AES")]
    privacy: String,
    /// Ignored: JSON is the only form.
    #[arg(long)]
    json: bool,
}

fn credentials(arguments: &Arguments) -> anyhow::Result<Credentials> {
    let Some(name) = arguments.user.clone() else {
        return Ok(Credentials::community(arguments.community.as_str())?);
    };
    let key = |name: &str| std::env::var(name).ok();
    let security = match (key("ONENET_SNMP_AUTH_KEY"), key("ONENET_SNMP_PRIVACY_KEY")) {
        (None, None) => V3Security::None,
        (Some(auth_key), None) => {
            V3Security::Authenticated { auth: arguments.auth.parse()?, auth_key: auth_key.into() }
        }
        (Some(auth_key), Some(privacy_key)) => V3Security::Encrypted {
            auth: arguments.auth.parse()?,
            auth_key: auth_key.into(),
            privacy: arguments.privacy.parse()?,
            privacy_key: privacy_key.into(),
        },
        (None, Some(_)) => bail!("ONENET_SNMP_PRIVACY_KEY is set without ONENET_SNMP_AUTH_KEY: set both"),
    };
    Ok(Credentials::user(V3User { name, security, context: String::new() })?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let credentials = credentials(&arguments)?;
    let target = Target::resolve(&arguments.target).await?;
    let sockets = Sockets::open(std::process::id()).await?;
    let inspection = inspect(&sockets, target, &credentials, Budget::default(), &Profiles::built_in())
        .await
        .context("cannot inspect the device")?;
    serde_json::to_writer(std::io::stdout().lock(), &inspection).context("cannot write the result")
}
