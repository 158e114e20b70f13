//! What a device is asked with: a v2c community, or a v3 user (RFC 3414).
//!
//! Invariant: secrets stay in [`Secret`]; a user name is not a secret and appears in messages.

use std::{fmt, str::FromStr, sync::Arc};

use crate::{engine::PreparedKeys, secret::Secret};

/// The shortest pass phrase that v3 allows (RFC 3414, section 11.2).
pub(crate) const PASS_PHRASE_MIN: usize = 8;

/// The longest v3 user name, in bytes (RFC 3414, section 2.4).
pub(crate) const USER_NAME_MAX: usize = 32;

/// What a device is asked with. Cheap to clone; clones share the keys derived from the pass phrases.
#[derive(Clone)]
pub struct Credentials {
    pub(crate) kind: Kind,
    /// Keys take thousands of hash blocks to derive: once for all devices that share the credentials.
    pub(crate) prepared: Arc<PreparedKeys>,
}

#[derive(Clone)]
pub(crate) enum Kind {
    Community(Secret),
    User(V3User),
}

/// A v3 user and what secures its messages.
#[derive(Clone)]
pub struct V3User {
    /// The user name. Not a secret.
    pub name: String,
    /// How messages are secured.
    pub security: V3Security,
    /// The context, empty for the default one.
    pub context: String,
}

/// The security level of a v3 user with its protocols and pass phrases.
#[derive(Clone, Debug)]
pub enum V3Security {
    /// noAuthNoPriv.
    None,
    /// authNoPriv.
    Authenticated {
        /// The authentication protocol.
        auth: AuthProtocol,
        /// Its pass phrase, at least eight bytes.
        auth_key: Secret,
    },
    /// authPriv.
    Encrypted {
        /// The authentication protocol.
        auth: AuthProtocol,
        /// Its pass phrase, at least eight bytes.
        auth_key: Secret,
        /// The privacy protocol.
        privacy: PrivacyProtocol,
        /// Its pass phrase, at least eight bytes.
        privacy_key: Secret,
    },
}

/// A v3 authentication protocol (RFC 3414, RFC 7860).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthProtocol {
    /// HMAC-MD5-96.
    Md5,
    /// HMAC-SHA-96.
    Sha1,
    /// HMAC-128-SHA-224.
    Sha224,
    /// HMAC-192-SHA-256.
    Sha256,
    /// HMAC-256-SHA-384.
    Sha384,
    /// HMAC-384-SHA-512.
    Sha512,
}

/// A v3 privacy protocol (RFC 3414, RFC 3826, and the vendors' longer AES).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivacyProtocol {
    /// CBC-DES.
    Des,
    /// 3DES-EDE.
    TripleDes,
    /// CFB128-AES-128.
    Aes128,
    /// AES-192 with the key extension of draft-blumenthal-aes-usm-04, as net-snmp and Huawei have it.
    Aes192,
    /// AES-256 with the key extension of draft-blumenthal-aes-usm-04.
    Aes256,
    /// AES-192 with the key extension of draft-reeder-snmpv3-usm-3desede-00, as Cisco has it.
    Aes192Cisco,
    /// AES-256 with the key extension of draft-reeder-snmpv3-usm-3desede-00.
    Aes256Cisco,
}

/// Credentials that cannot be used, or the name of a protocol that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCredentials {
    /// The community is empty.
    #[error("the SNMP community is empty: give the read community that the device is configured with")]
    EmptyCommunity,
    /// The user name is empty or too long.
    #[error("the SNMPv3 user name {name:?} has {length} bytes: it must have 1 to 32")]
    UserName {
        /// The refused name.
        name: String,
        /// Its length in bytes.
        length: usize,
    },
    /// A pass phrase is too short.
    #[error("the SNMPv3 {which} pass phrase of user {user:?} has {length} bytes: it must have at least 8")]
    PassPhrase {
        /// The user.
        user: String,
        /// `authentication` or `privacy`.
        which: &'static str,
        /// The length in bytes.
        length: usize,
    },
    /// The authentication protocol is not known.
    #[error("{0:?} is not an SNMPv3 authentication protocol: use MD5, SHA, SHA-224, SHA-256, SHA-384 or SHA-512")]
    AuthProtocol(String),
    /// The privacy protocol is not known.
    #[error(
        "{0:?} is not an SNMPv3 privacy protocol: use DES, 3DES, AES, AES-192, AES-256, AES-192-Cisco or AES-256-Cisco"
    )]
    PrivacyProtocol(String),
}

impl Credentials {
    /// Returns the credentials of a v2c community.
    ///
    /// # Errors
    ///
    /// The community is empty.
    pub fn community(community: impl Into<Secret>) -> Result<Self, InvalidCredentials> {
        let community = community.into();
        if community.length() == 0 {
            return Err(InvalidCredentials::EmptyCommunity);
        }
        Ok(Self { kind: Kind::Community(community), prepared: Arc::default() })
    }

    /// Returns the credentials of a v3 user.
    ///
    /// # Errors
    ///
    /// The user name or a pass phrase has a length that RFC 3414 does not allow.
    pub fn user(user: V3User) -> Result<Self, InvalidCredentials> {
        let length = user.name.len();
        if !(1..=USER_NAME_MAX).contains(&length) {
            return Err(InvalidCredentials::UserName { name: user.name, length });
        }
        for (which, key) in user.security.keys() {
            if key.length() < PASS_PHRASE_MIN {
                return Err(InvalidCredentials::PassPhrase { user: user.name, which, length: key.length() });
            }
        }
        Ok(Self { kind: Kind::User(user), prepared: Arc::default() })
    }

    /// Returns the credentials for the context in which Cisco's switches keep a VLAN's bridge: `community@VLAN`, and the
    /// context `vlan-VLAN` of a v3 user. The keys of a user stay the same.
    pub(crate) fn in_vlan(&self, vlan: u16) -> Self {
        let kind = match &self.kind {
            Kind::Community(community) => Kind::Community(community.with_suffix(&format!("@{vlan}"))),
            Kind::User(user) => Kind::User(V3User { context: format!("vlan-{vlan}"), ..user.clone() }),
        };
        Self { kind, prepared: Arc::clone(&self.prepared) }
    }

    /// Returns whether both are clones of one set of credentials.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.prepared, &other.prepared)
    }

    /// Returns `v2c` or `v3`.
    pub const fn version(&self) -> &'static str {
        match self.kind {
            Kind::Community(_) => "v2c",
            Kind::User(_) => "v3",
        }
    }
}

impl V3Security {
    fn keys(&self) -> Vec<(&'static str, &Secret)> {
        match self {
            Self::None => Vec::new(),
            Self::Authenticated { auth_key, .. } => vec![("authentication", auth_key)],
            Self::Encrypted { auth_key, privacy_key, .. } => {
                vec![("authentication", auth_key), ("privacy", privacy_key)]
            }
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Community(community) => f.debug_tuple("Community").field(community).finish(),
            Kind::User(user) => user.fmt(f),
        }
    }
}

impl fmt::Debug for V3User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, security, context } = self;
        f.debug_struct("V3User").field("name", name).field("security", security).field("context", context).finish()
    }
}

impl FromStr for AuthProtocol {
    type Err = InvalidCredentials;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_uppercase().replace(['-', '_'], "").as_str() {
            "MD5" => Ok(Self::Md5),
            "SHA" | "SHA1" => Ok(Self::Sha1),
            "SHA224" => Ok(Self::Sha224),
            "SHA256" => Ok(Self::Sha256),
            "SHA384" => Ok(Self::Sha384),
            "SHA512" => Ok(Self::Sha512),
            _ => Err(InvalidCredentials::AuthProtocol(text.to_owned())),
        }
    }
}

impl FromStr for PrivacyProtocol {
    type Err = InvalidCredentials;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_uppercase().replace(['-', '_'], "").as_str() {
            "DES" => Ok(Self::Des),
            "3DES" | "DES3" => Ok(Self::TripleDes),
            "AES" | "AES128" => Ok(Self::Aes128),
            "AES192" => Ok(Self::Aes192),
            "AES256" => Ok(Self::Aes256),
            "AES192CISCO" | "AES192C" => Ok(Self::Aes192Cisco),
            "AES256CISCO" | "AES256C" => Ok(Self::Aes256Cisco),
            _ => Err(InvalidCredentials::PrivacyProtocol(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::assert_not_implemented;

    fn user(auth_key: &str, privacy_key: &str) -> V3User {
        let security = V3Security::Encrypted {
            auth: AuthProtocol::Sha256,
            auth_key: auth_key.into(),
            privacy: PrivacyProtocol::Aes128,
            privacy_key: privacy_key.into(),
        };
        V3User { name: "reader".to_owned(), security, context: String::new() }
    }

    #[test]
    fn credentials_are_printed_without_their_secrets() {
        assert_not_implemented!(Credentials: std::fmt::Display, PartialEq, std::hash::Hash, serde::Serialize);
        assert_not_implemented!(V3User: std::fmt::Display, PartialEq, std::hash::Hash, serde::Serialize);
        let printed = format!(
            "{:?} {:?}",
            Credentials::community("s3cret-word").unwrap(),
            Credentials::user(user("s3cret-word", "s3cret-word-2")).unwrap()
        );
        assert!(!printed.contains("s3cret"), "{printed}");
        assert!(printed.contains("reader") && printed.contains("[redacted]"), "{printed}");
    }

    #[test]
    fn a_vlan_has_a_community_or_a_context_of_its_own_and_a_user_keeps_his_keys() {
        let community = Credentials::community("public").unwrap().in_vlan(10);
        let Kind::Community(secret) = &community.kind else { panic!("{community:?}") };
        assert_eq!(secret.reveal(), b"public@10");
        let plain = Credentials::user(user("longenough", "longenough")).unwrap();
        let vlan = plain.in_vlan(10);
        let Kind::User(asked) = &vlan.kind else { panic!("{vlan:?}") };
        assert_eq!((asked.name.as_str(), asked.context.as_str()), ("reader", "vlan-10"));
        assert!(Arc::ptr_eq(&plain.prepared, &vlan.prepared), "keys are derived once");
    }

    #[test]
    fn what_rfc_3414_forbids_is_refused_with_the_rule() {
        assert_eq!(Credentials::community("").unwrap_err(), InvalidCredentials::EmptyCommunity);
        let short = Credentials::user(user("longenough", "short")).unwrap_err().to_string();
        assert!(short.contains("privacy") && short.contains("at least 8"), "{short}");
        let mut nameless = user("longenough", "longenough");
        nameless.name.clear();
        assert!(Credentials::user(nameless).unwrap_err().to_string().contains("1 to 32"));
    }

    #[test]
    fn protocol_names_are_read_in_every_usual_spelling() {
        for (text, protocol) in
            [("sha", AuthProtocol::Sha1), ("SHA-256", AuthProtocol::Sha256), ("md5", AuthProtocol::Md5)]
        {
            assert_eq!(text.parse(), Ok(protocol));
        }
        assert_eq!("aes-128".parse(), Ok(PrivacyProtocol::Aes128));
        assert_eq!("AES256-Cisco".parse(), Ok(PrivacyProtocol::Aes256Cisco));
        assert!("rot13".parse::<PrivacyProtocol>().unwrap_err().to_string().contains("AES"));
    }
}
