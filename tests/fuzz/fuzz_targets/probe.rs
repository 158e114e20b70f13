//! What others answer to probes: test packets, echoes, and the first words of every kind of service.
//!
//! Input: a byte that selects the reader, and the bytes as they would come.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onenet_probe::{
    Key, echo,
    echo::Family,
    service::{
        certificate, dns, http, imap, ldap, ntp, sip, smtp,
        talk::{ANSWER_BYTES_MAX, Read},
    },
    stamp,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

/// An answer never takes more bytes than came.
fn bounded<T>(read: &Read<T>, bytes: &[u8]) {
    match read {
        Ok(Some((_, used))) => assert!(*used <= bytes.len()),
        Ok(None) => {}
        Err(why) => assert!(!why.is_empty() && why.len() <= 1_024 && bytes.len() <= ANSWER_BYTES_MAX),
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((select, bytes)) = data.split_first() else { return };
    match select % 12 {
        0 => bounded(&http::read(bytes), bytes),
        1 => bounded(&smtp::read(bytes), bytes),
        2 => bounded(&imap::read(bytes, b"*"), bytes),
        3 => bounded(&imap::read(bytes, b"a1"), bytes),
        4 => bounded(&ldap::read(bytes), bytes),
        5 | 6 => {
            let Some(question) = dns::Question::new(7, "portal.example", select % 12 == 6) else { return };
            if let Some(answer) = question.read(bytes) {
                assert!(answer.addresses.is_none_or(|count| usize::from(count) <= bytes.len()));
            }
            bounded(&question.read_stream(bytes), bytes);
        }
        7 => assert!(ntp::read(bytes, 7).is_none_or(|answer| answer.leap <= 3)),
        8 => assert!(sip::read(bytes, "abc").is_none_or(|status| (200..700).contains(&status.code))),
        9 => {
            let key = Key::new(b"a key for the fuzzer").ok();
            let plain = stamp::Answer::read(bytes, None);
            assert!(plain.is_none() || bytes.len() >= stamp::PLAIN_BYTES);
            let _ = stamp::Answer::read(bytes, key.as_ref());
            let _ = stamp::Question::read(bytes, None);
            let _ = stamp::Question::read(bytes, key.as_ref());
        }
        10 => {
            for family in [Family::V4, Family::V6] {
                let _ = echo::answer(family, *b"ourtoken", bytes);
            }
        }
        _ => {
            let Ok(name) = ServerName::try_from("portal.example") else { return };
            let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_798_761_600));
            let seen = certificate::judge(&[CertificateDer::from(bytes)], Some(&name), None, now, 14);
            assert!(seen.problems.len() <= 4);
        }
    }
});
