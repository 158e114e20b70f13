//! `onenet-agent inspect`.

use std::path::{Path, PathBuf};

use onenet_snmp::{
    AuthProtocol, Budget, Credentials, PrivacyProtocol, Profiles, Secret, Sockets, Target, V3Security, V3User, inspect,
};

use super::{
    output,
    secret::{Hidden, SecretError, Ways, standard_input},
};
use crate::{clock::Clock, config::ProcessEnvironment, render};

/// The community that devices have from the factory.
const COMMUNITY_DEFAULT: &str = "public";

const COMMUNITY: Ways = Ways { what: "SNMPv2c", option: "--community-file", variable: "ONENET_COMMUNITY" };
const AUTH_KEY: Ways = Ways { what: "SNMPv3 authentication", option: "--auth-key-file", variable: "ONENET_AUTH_KEY" };
const PRIVACY_KEY: Ways = Ways { what: "SNMPv3 privacy", option: "--privacy-key-file", variable: "ONENET_PRIVACY_KEY" };

/// What the help says of secrets.
const SECRETS: &str = "Every user of this machine can read a secret on the command line (ps). Better ways, in this order: the \
    options that end in -file read the first line of a file (- is standard input); without them, the environment variables \
    ONENET_COMMUNITY, ONENET_AUTH_KEY and ONENET_PRIVACY_KEY are used.";

#[derive(Debug, clap::Args)]
#[command(after_help = SECRETS)]
pub(super) struct Arguments {
    /// The device: an address or a name, with a port where it is not 161 (IPv6 with a port in brackets).
    #[arg(value_name = "HOST[:PORT]")]
    device: String,
    /// SNMPv2c with this community ["public" where none is given in any way].
    #[arg(long, value_name = "COMMUNITY", conflicts_with = "v3")]
    community: Option<Hidden>,
    /// SNMPv2c with the community in this file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["v3", "community"])]
    community_file: Option<PathBuf>,
    /// SNMPv3 as this user.
    #[arg(long, value_name = "USER")]
    v3: Option<String>,
    /// Authentication protocol: MD5, SHA, SHA-224, SHA-256, SHA-384 or SHA-512.
    #[arg(long, value_name = "PROTOCOL", requires = "v3")]
    auth: Option<AuthProtocol>,
    /// Authentication pass phrase.
    #[arg(long, value_name = "PHRASE", requires = "auth")]
    auth_key: Option<Hidden>,
    /// The file with the authentication pass phrase.
    #[arg(long, value_name = "FILE", requires = "auth", conflicts_with = "auth_key")]
    auth_key_file: Option<PathBuf>,
    /// Privacy protocol: DES, 3DES, AES, AES-192, AES-256, AES-192-Cisco or AES-256-Cisco.
    #[arg(long, value_name = "PROTOCOL", requires = "auth")]
    privacy: Option<PrivacyProtocol>,
    /// Privacy pass phrase.
    #[arg(long, value_name = "PHRASE", requires = "privacy")]
    privacy_key: Option<Hidden>,
    /// The file with the privacy pass phrase.
    #[arg(long, value_name = "FILE", requires = "privacy", conflicts_with = "privacy_key")]
    privacy_key_file: Option<PathBuf>,
    /// SNMPv3 context.
    #[arg(long, value_name = "NAME", default_value = "", requires = "v3")]
    context: String,
    /// A directory with profiles of vendors, which come before those that are built in.
    #[arg(long, value_name = "DIR")]
    profiles: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(arguments: Arguments) -> anyhow::Result<()> {
    let json = arguments.json;
    let device = arguments.device.clone();
    let profiles = arguments.profiles.as_deref().map_or_else(|| Ok(Profiles::built_in()), Profiles::load)?;
    let credentials = credentials(arguments)?;
    // It makes the salts of DES differ between runs.
    let epoch_s = u32::try_from(Clock::start([0; 16]).timestamp().unix_ms() / 1_000).unwrap_or(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime.block_on(async {
        let target = Target::resolve(&device).await?;
        let sockets = Sockets::open(epoch_s).await?;
        anyhow::Ok(inspect(&sockets, target, &credentials, Budget::default(), &profiles).await?)
    })?;
    if json {
        output::json(&found)?;
    } else {
        output::text(&render::inspection(&found))?;
    }
    Ok(())
}

fn credentials(arguments: Arguments) -> anyhow::Result<Credentials> {
    let Some(name) = arguments.v3 else {
        let found = secret(&COMMUNITY, arguments.community, arguments.community_file.as_deref())?;
        return Ok(Credentials::community(found.unwrap_or_else(|| Secret::from(COMMUNITY_DEFAULT)))?);
    };
    let auth = keyed(arguments.auth, &AUTH_KEY, arguments.auth_key, arguments.auth_key_file.as_deref())?;
    let privacy = keyed(arguments.privacy, &PRIVACY_KEY, arguments.privacy_key, arguments.privacy_key_file.as_deref())?;
    let security = match (auth, privacy) {
        (None, _) => V3Security::None,
        (Some((auth, auth_key)), None) => V3Security::Authenticated { auth, auth_key },
        (Some((auth, auth_key)), Some((privacy, privacy_key))) => {
            V3Security::Encrypted { auth, auth_key, privacy, privacy_key }
        }
    };
    Ok(Credentials::user(V3User { name, security, context: arguments.context })?)
}

/// Returns a protocol with its pass phrase; `None` where the protocol is not asked for.
fn keyed<P>(
    protocol: Option<P>,
    ways: &Ways,
    given: Option<Hidden>,
    file: Option<&Path>,
) -> Result<Option<(P, Secret)>, SecretError> {
    let Some(protocol) = protocol else { return Ok(None) };
    let key = secret(ways, given, file)?.ok_or_else(|| ways.missing())?;
    Ok(Some((protocol, key)))
}

fn secret(ways: &Ways, given: Option<Hidden>, file: Option<&Path>) -> Result<Option<Secret>, SecretError> {
    ways.find(given, file, &ProcessEnvironment, standard_input)
}
