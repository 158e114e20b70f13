//! `onenet-agent inspect`.

use onenet_snmp::{
    AuthProtocol, Budget, Credentials, PrivacyProtocol, Secret, Sockets, Target, V3Security, V3User, inspect,
};

use super::output;
use crate::{clock::Clock, render};

/// The community that devices have from the factory.
const COMMUNITY_DEFAULT: &str = "public";

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The device: an address or a name, with a port where it is not 161 (IPv6 with a port in brackets).
    #[arg(value_name = "HOST[:PORT]")]
    device: String,
    /// SNMPv2c with this community ["public" if neither this nor --v3 is given].
    #[arg(long, value_name = "COMMUNITY", conflicts_with = "v3")]
    community: Option<Hidden>,
    /// SNMPv3 as this user.
    #[arg(long, value_name = "USER")]
    v3: Option<String>,
    /// Authentication protocol: MD5, SHA, SHA-224, SHA-256, SHA-384 or SHA-512.
    #[arg(long, value_name = "PROTOCOL", requires_all = ["v3", "auth_key"])]
    auth: Option<AuthProtocol>,
    /// Authentication pass phrase.
    #[arg(long, value_name = "PHRASE", requires = "auth")]
    auth_key: Option<Hidden>,
    /// Privacy protocol: DES, 3DES, AES, AES-192, AES-256, AES-192-Cisco or AES-256-Cisco.
    #[arg(long, value_name = "PROTOCOL", requires_all = ["auth", "privacy_key"])]
    privacy: Option<PrivacyProtocol>,
    /// Privacy pass phrase.
    #[arg(long, value_name = "PHRASE", requires = "privacy")]
    privacy_key: Option<Hidden>,
    /// SNMPv3 context.
    #[arg(long, value_name = "NAME", default_value = "", requires = "v3")]
    context: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A secret from the command line.
#[derive(Debug, Clone)]
struct Hidden(Secret);

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(Secret::from(text))
    }
}

pub(super) fn execute(arguments: Arguments) -> anyhow::Result<()> {
    let json = arguments.json;
    let device = arguments.device.clone();
    let credentials = credentials(arguments)?;
    // It makes the salts of DES differ between runs.
    let epoch_s = u32::try_from(Clock::start([0; 16]).timestamp().unix_ms() / 1_000).unwrap_or(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime.block_on(async {
        let target = Target::resolve(&device).await?;
        let sockets = Sockets::open(epoch_s).await?;
        anyhow::Ok(inspect(&sockets, target, &credentials, Budget::default()).await?)
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
        let community = arguments.community.map_or_else(|| Secret::from(COMMUNITY_DEFAULT), |hidden| hidden.0);
        return Ok(Credentials::community(community)?);
    };
    let auth = arguments.auth.zip(arguments.auth_key);
    let privacy = arguments.privacy.zip(arguments.privacy_key);
    let security = match (auth, privacy) {
        (None, _) => V3Security::None,
        (Some((auth, key)), None) => V3Security::Authenticated { auth, auth_key: key.0 },
        (Some((auth, key)), Some((privacy, privacy_key))) => {
            V3Security::Encrypted { auth, auth_key: key.0, privacy, privacy_key: privacy_key.0 }
        }
    };
    Ok(Credentials::user(V3User { name, security, context: arguments.context })?)
}
