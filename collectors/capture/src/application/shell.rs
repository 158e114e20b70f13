//! Remote shells: SSH (RFC 4253, section 4.2).

use super::{
    Detail, Look, Notes, Progress, Verdict,
    reader::{begins, line},
};

/// Returns whether the payload begins with an SSH identification, after other lines perhaps.
pub(super) fn test_ssh(look: &Look<'_>) -> Verdict {
    match identification(look.payload) {
        Some(_) => Verdict::Yes,
        None if look.payload.len() < 4 && b"SSH-".starts_with(look.payload) => Verdict::Short,
        None => Verdict::No,
    }
}

/// Notes what both sides say they are.
pub(super) fn read_ssh(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    if let Some(said) = identification(look.payload) {
        notes.note(if look.from_originator { Detail::Client } else { Detail::Server }, said);
    }
    if notes.has(Detail::Client) && notes.has(Detail::Server) { Progress::Done } else { Progress::More }
}

/// Returns the identification. A server may send other lines before.
fn identification(payload: &[u8]) -> Option<&[u8]> {
    let mut rest = payload;
    for _ in 0..8 {
        let (said, after) = line(rest);
        if begins(said, b"SSH-1.") || begins(said, b"SSH-2.") {
            return Some(said);
        }
        rest = after;
    }
    None
}
