//! Where a device is.

use std::{fmt, net::SocketAddr};

use crate::error::ResolveError;

/// The port of SNMP agents (RFC 3417).
pub(crate) const PORT: u16 = 161;

/// Where a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target(pub SocketAddr);

impl Target {
    /// Returns the target that `HOST` or `HOST:PORT` means: an IPv4 address, an IPv6 address (in brackets with a
    /// port), or a name, which is looked up; of several addresses an IPv4 one.
    ///
    /// # Errors
    ///
    /// The name cannot be found.
    pub async fn resolve(text: &str) -> Result<Self, ResolveError> {
        if let Ok(address) = text.parse() {
            return Ok(Self(address));
        }
        if let Ok(ip) = text.trim_start_matches('[').trim_end_matches(']').parse() {
            return Ok(Self(SocketAddr::new(ip, PORT)));
        }
        let with_port = match text.rsplit_once(':') {
            Some((_, port)) if port.parse::<u16>().is_ok() => text.to_owned(),
            _ => format!("{text}:{PORT}"),
        };
        let host = || text.to_owned();
        let found = tokio::net::lookup_host(with_port).await;
        let addresses = found.map_err(|source| ResolveError::Lookup { host: host(), source })?;
        // Agents listen on IPv4 everywhere and on IPv6 only where somebody thought of it.
        let first = addresses.min_by_key(SocketAddr::is_ipv6);
        first.map(Self).ok_or_else(|| ResolveError::NoAddress { host: host() })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_read_with_and_without_port() {
        for (text, address) in [
            ("127.0.0.1", "127.0.0.1:161"),
            ("127.0.0.1:1161", "127.0.0.1:1161"),
            ("::1", "[::1]:161"),
            ("[::1]", "[::1]:161"),
            ("[::1]:1161", "[::1]:1161"),
        ] {
            assert_eq!(Target::resolve(text).await.unwrap().to_string(), address, "{text}");
        }
    }
}
