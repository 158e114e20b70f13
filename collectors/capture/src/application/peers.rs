//! BitTorrent: peers (BEP 3), the distributed table (BEP 5), trackers (BEP 15), discovery (BEP 14).

use super::{
    Detail, Look, Notes, Progress, Verdict,
    reader::{begins, contains},
};

const HANDSHAKE: &[u8] = b"\x13BitTorrent protocol";
/// What a request to a tracker begins with.
const TRACKER: [u8; 8] = [0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80];

/// Returns whether the payload is one of BitTorrent's.
pub(super) fn test_bittorrent(look: &Look<'_>) -> Verdict {
    let payload = look.payload;
    if look.tcp {
        return match () {
            () if payload.starts_with(HANDSHAKE) => Verdict::Yes,
            () if HANDSHAKE.starts_with(payload) => Verdict::Short,
            () => Verdict::No,
        };
    }
    let table = payload.starts_with(b"d1:ad2:id20:") || payload.starts_with(b"d1:rd2:id20:");
    let error = payload.starts_with(b"d1:el") && contains(payload, b"1:y1:e");
    // A compact answer names its asker first (BEP 42).
    let answer = payload.starts_with(b"d2:ip") && contains(payload, b"2:id20:");
    let tracker = payload.len() == 16 && payload.get(..8) == Some(&TRACKER);
    let inside = payload.get(20..).is_some_and(|inner| inner.starts_with(HANDSHAKE));
    if table || error || answer || tracker || inside || begins(payload, b"BT-SEARCH * HTTP/1.1") {
        Verdict::Yes
    } else {
        Verdict::No
    }
}

/// Notes the client, by the first letters of its peer's id (BEP 20).
pub(super) fn read_bittorrent(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    // Protocol, eight bytes of features, the hash, the peer's id.
    let id = look.payload.strip_prefix(HANDSHAKE).and_then(|rest| rest.get(28..36));
    if let Some([b'-', letters @ .., b'-']) = id {
        notes.note(if look.from_originator { Detail::Client } else { Detail::Server }, letters);
    }
    Progress::Done
}
