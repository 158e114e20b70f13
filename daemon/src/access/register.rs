//! The tokens that let principals in.
//!
//! Invariant: the register changes by [`Change`] only, first checked against the present state, then applied; applying
//! the same changes in the same order gives the same register, ids included. Of a secret it knows the hash.

use std::collections::{BTreeMap, HashMap};

use onenet_topology::{
    Timestamp,
    id::{Id, Kind},
};
use serde::{Deserialize, Serialize};

use super::{Grant, InvalidGrants, Principal, SecretHash, check_grants};

/// Tokens that can live at once: some for each site of a nation, yet a bound on memory.
pub const MAX_TOKENS: usize = 20_000;
/// Longest name of a principal, in characters.
const MAX_NAME_CHARS: usize = 64;

/// A token that lets a principal in.
#[derive(Debug)]
pub enum TokenKind {}

impl Kind for TokenKind {
    const PREFIX: &'static str = "token";
}

/// The identity of a token; not its secret.
pub type TokenId = Id<TokenKind>;

/// A change of who may do what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A token was created.
    TokenCreated {
        /// The principal it speaks for.
        name: String,
        /// What he may do, and where.
        grants: Vec<Grant>,
        /// The secret's hash.
        hash: SecretHash,
        /// When it ends to be valid.
        expires: Option<Timestamp>,
    },
    /// A token was revoked.
    TokenRevoked {
        /// Which.
        id: TokenId,
    },
}

/// A token as the register keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its identity.
    pub id: TokenId,
    /// Who it speaks for.
    pub principal: Principal,
    /// When it was created.
    pub created: Timestamp,
    hash: SecretHash,
}

/// The change cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No name, or too long a name, or control characters in it.
    #[error("the name {0:?} cannot be used: write 1 to {MAX_NAME_CHARS} printable characters")]
    Name(String),
    /// A living token has the name.
    #[error("a token named {0:?} exists: choose another name, or revoke that one first")]
    NameTaken(String),
    /// The grants cannot be held by one principal.
    #[error(transparent)]
    Grants(#[from] InvalidGrants),
    /// Already over.
    #[error("the token would have expired at {0}, before it was made: give a later time")]
    Expired(Timestamp),
    /// The register is full.
    #[error("there are {MAX_TOKENS} tokens, the most there can be: revoke some")]
    Full,
    /// No such token.
    #[error("there is no token {0}: `onenetd token list` shows those that exist")]
    Unknown(TokenId),
}

/// Who may do what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Register {
    tokens: BTreeMap<TokenId, Token>,
    by_hash: HashMap<SecretHash, TokenId>,
}

impl Change {
    /// Returns what it is, for the audit trail.
    pub fn describe(&self) -> String {
        match self {
            Self::TokenCreated { name, grants, expires, .. } => {
                let grants: Vec<_> = grants.iter().map(|grant| format!("{} {}", grant.role, grant.reach)).collect();
                let until = expires.map_or_else(|| "without end".to_owned(), |time| format!("until {time}"));
                format!("token created for {name}: {}, {until}", grants.join(", "))
            }
            Self::TokenRevoked { id } => format!("{id} revoked"),
        }
    }
}

impl Register {
    /// Checks that `change` can be applied at `now`.
    ///
    /// # Errors
    /// Returns why not; the register is as before.
    pub fn check(&self, change: &Change, now: Timestamp) -> Result<(), Refusal> {
        match change {
            Change::TokenCreated { name, grants, expires, .. } => self.check_created(name, grants, *expires, now),
            Change::TokenRevoked { id } if self.tokens.contains_key(id) => Ok(()),
            Change::TokenRevoked { id } => Err(Refusal::Unknown(*id)),
        }
    }

    fn check_created(
        &self,
        name: &str,
        grants: &[Grant],
        expires: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let printable = name.trim() == name && !name.is_empty() && !name.chars().any(char::is_control);
        if !printable || name.chars().count() > MAX_NAME_CHARS {
            return Err(Refusal::Name(name.to_owned()));
        }
        check_grants(grants)?;
        if let Some(expires) = expires.filter(|expires| *expires <= now) {
            return Err(Refusal::Expired(expires));
        }
        if self.tokens.values().any(|token| token.principal.name == name && !token.is_expired(now)) {
            return Err(Refusal::NameTaken(name.to_owned()));
        }
        if self.tokens.len() >= MAX_TOKENS {
            return Err(Refusal::Full);
        }
        Ok(())
    }

    /// Applies a checked `change` that record `id` made at `time`; `id` names the token that it creates.
    pub fn apply(&mut self, id: TokenId, time: Timestamp, change: &Change) {
        match change {
            Change::TokenCreated { name, grants, hash, expires } => {
                let principal = Principal { name: name.clone(), grants: grants.clone(), expires: *expires };
                self.by_hash.insert(*hash, id);
                self.tokens.insert(id, Token { id, principal, created: time, hash: *hash });
            }
            Change::TokenRevoked { id } => {
                if let Some(token) = self.tokens.remove(id) {
                    self.by_hash.remove(&token.hash);
                }
            }
        }
    }

    /// Returns the living token whose secret has this hash.
    pub fn by_secret(&self, hash: SecretHash, now: Timestamp) -> Option<&Token> {
        let token = self.tokens.get(self.by_hash.get(&hash)?)?;
        (!token.is_expired(now)).then_some(token)
    }

    /// Returns the token of this id, living or expired.
    pub fn get(&self, id: TokenId) -> Option<&Token> {
        self.tokens.get(&id)
    }

    /// Returns all tokens, expired ones included, in the order in which they were created.
    pub fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.tokens.values()
    }
}

impl Token {
    /// Returns whether it is over at `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.principal.expires.is_some_and(|expires| expires <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Reach, Role, random_secret};

    const NOW: Timestamp = Timestamp::from_unix_ms(1_000_000);

    fn created(name: &str, hash: SecretHash, expires: Option<Timestamp>) -> Change {
        let grants = vec![Grant { role: Role::Viewer, reach: Reach::Everywhere }];
        Change::TokenCreated { name: name.to_owned(), grants, hash, expires }
    }

    fn id(position: u64) -> TokenId {
        TokenId::from_record(position, 0).unwrap()
    }

    #[test]
    fn a_token_lets_in_until_it_expires_or_is_revoked() {
        let secret = random_secret().unwrap();
        let mut register = Register::default();
        register.apply(id(1), NOW, &created("zhang", secret.hash(), Some(NOW.plus_ms(10))));
        let found = |register: &Register, now| register.by_secret(secret.hash(), now).map(|token| token.id);
        assert_eq!(found(&register, NOW), Some(id(1)));
        assert_eq!(found(&register, NOW.plus_ms(10)), None);
        register.apply(id(2), NOW, &Change::TokenRevoked { id: id(1) });
        assert_eq!(found(&register, NOW), None);
        assert_eq!(register.check(&Change::TokenRevoked { id: id(1) }, NOW), Err(Refusal::Unknown(id(1))));
    }

    #[test]
    fn a_name_is_printable_and_belongs_to_one_living_token() {
        let hash = random_secret().unwrap().hash();
        let mut register = Register::default();
        for bad in ["", " x", "a\nb", &"長".repeat(65)] {
            assert_eq!(register.check(&created(bad, hash, None), NOW), Err(Refusal::Name(bad.to_owned())));
        }
        let change = created("张三", hash, Some(NOW.plus_ms(10)));
        assert_eq!(register.check(&change, NOW), Ok(()));
        register.apply(id(1), NOW, &change);
        assert_eq!(register.check(&change, NOW), Err(Refusal::NameTaken("张三".to_owned())));
        assert_eq!(register.check(&created("张三", hash, None), NOW.plus_ms(10)), Ok(()));
    }

    #[test]
    fn a_token_that_is_over_before_it_begins_is_refused() {
        let hash = random_secret().unwrap().hash();
        let refusal = Register::default().check(&created("a", hash, Some(NOW)), NOW);
        assert_eq!(refusal, Err(Refusal::Expired(NOW)));
    }
}
