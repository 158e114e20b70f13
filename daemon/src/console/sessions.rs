//! Sessions of the console: who signed in with which token.
//!
//! Invariant: a session is as good as its token and no better: each request looks the token up again, so that revoking it
//! ends the session too. Sessions live in memory, are bounded, and end with the process, with the browser, or when they
//! are idle for [`IDLE_MS`]. Of the cookie's secret only the hash is kept.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use onenet_topology::Timestamp;

use crate::access::{NoRandomness, Secret, SecretHash, TokenId, random_secret};

/// How long a session may be idle: a working day.
const IDLE_MS: i64 = 12 * 3_600_000;
/// Sessions at once; the one idle for longest gives way.
const SESSIONS_MAX: usize = 4096;

/// Who signed in.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<SecretHash, Session>>);

struct Session {
    token: TokenId,
    /// What a form of this session must carry, so that no other site's form is taken for one of ours.
    form: String,
    used: Timestamp,
}

impl Sessions {
    /// Begins a session for a token. Returns the secret for the cookie.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn begin(&self, token: TokenId, now: Timestamp) -> Result<Secret, NoRandomness> {
        let (secret, form) = (random_secret()?, random_secret()?);
        let mut sessions = self.lock();
        sessions.retain(|_, session| !session.is_over(now));
        if sessions.len() >= SESSIONS_MAX
            && let Some(oldest) = sessions.iter().min_by_key(|(_, session)| session.used).map(|(hash, _)| *hash)
        {
            sessions.remove(&oldest);
        }
        sessions.insert(secret.hash(), Session { token, form: form.expose().to_owned(), used: now });
        Ok(secret)
    }

    /// Returns the token of a living session, and takes note that it is used.
    pub fn token(&self, secret: &Secret, now: Timestamp) -> Option<TokenId> {
        let mut sessions = self.lock();
        let session = sessions.get_mut(&secret.hash()).filter(|session| !session.is_over(now))?;
        session.used = now;
        Some(session.token)
    }

    /// Returns what the forms of a session carry.
    pub fn form(&self, secret: &Secret) -> Option<String> {
        self.lock().get(&secret.hash()).map(|session| session.form.clone())
    }

    /// Ends a session, if the form is its own.
    pub fn end(&self, secret: &Secret, form: &str) -> bool {
        let mut sessions = self.lock();
        // Compared by hash: how long it takes then tells nothing of the secret.
        let mine = sessions
            .get(&secret.hash())
            .is_some_and(|session| Secret::presented(&session.form).hash() == Secret::presented(form).hash());
        mine && sessions.remove(&secret.hash()).is_some()
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SecretHash, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn is_over(&self, now: Timestamp) -> bool {
        now.ms_since(self.used) > IDLE_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_000_000);

    #[test]
    fn a_session_ends_when_idle_and_by_its_own_form_alone() {
        let sessions = Sessions::default();
        let secret = sessions.begin(TokenId::from_raw(1), NOW).unwrap();
        assert_eq!(sessions.token(&secret, NOW.plus_ms(IDLE_MS)), Some(TokenId::from_raw(1)));
        assert_eq!(sessions.token(&secret, NOW.plus_ms(2 * IDLE_MS + 1)), None);
        assert!(!sessions.end(&secret, "another's"));
        let form = sessions.form(&secret).unwrap();
        assert!(sessions.end(&secret, &form));
        assert_eq!(sessions.len(), 0);
    }

    #[test]
    fn sessions_are_bounded_and_the_idlest_gives_way() {
        let sessions = Sessions::default();
        let first = sessions.begin(TokenId::from_raw(1), NOW).unwrap();
        for n in 0..SESSIONS_MAX {
            sessions.begin(TokenId::from_raw(2), NOW.plus_ms(1 + i64::try_from(n).unwrap())).unwrap();
        }
        assert_eq!(sessions.len(), SESSIONS_MAX);
        assert_eq!(sessions.token(&first, NOW), None);
    }
}
