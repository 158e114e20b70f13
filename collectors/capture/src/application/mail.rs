//! Mail: SMTP (RFC 5321), IMAP (RFC 9051), POP3 (RFC 1939).
//!
//! Credentials follow the commands that are read here, and are never looked at.

use onenet_topology::application::Application;

use super::{
    Detail, GREETING, Look, Notes, Progress, Verdict, mark,
    reader::{begins, contains, line, split_once},
};

const POP3_GREETING: u32 = mark(Application::Pop3, 0);
const IMAP_GREETING: u32 = mark(Application::Imap, 0);

/// Returns whether the payload is a greeting of SMTP, or the client's answer to one.
pub(super) fn test_smtp(look: &Look<'_>) -> Verdict {
    let (first, _) = line(look.payload);
    if look.from_originator {
        return match () {
            () if begins(first, b"EHLO ") || begins(first, b"LHLO ") || begins(first, b"HELO ") => Verdict::Yes,
            () if begins(first, b"MAIL FROM:") || begins(first, b"RCPT TO:") => Verdict::Yes,
            () if begins(first, b"STARTTLS") || begins(first, b"QUIT") => Verdict::Weak(GREETING),
            () => Verdict::No,
        };
    }
    match first {
        [b'2', b'2', b'0', b' ' | b'-', ..] if contains(first, b"SMTP") || contains(first, b"smtp") => Verdict::Yes,
        [b'2', b'2', b'0', b' ' | b'-', ..] if contains(first, b"FTP") => Verdict::No,
        [b'2', b'2', b'0', b' ' | b'-', ..] | [b'5', b'5', b'4', b' ', ..] | [b'4', b'2', b'1', b' ', ..] => {
            Verdict::Weak(GREETING)
        }
        [b'2', b'5', b'0', b' ' | b'-', ..] => Verdict::Weak(GREETING),
        _ => Verdict::No,
    }
}

/// Notes what the two say they are.
pub(super) fn read_smtp(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let (first, _) = line(look.payload);
    match first {
        _ if look.from_originator && (begins(first, b"MAIL") || begins(first, b"AUTH")) => return Progress::Done,
        _ if look.from_originator => {
            if let Some((word, host)) = split_once(first, b' ')
                && matches!(word.to_ascii_uppercase().as_slice(), b"EHLO" | b"HELO" | b"LHLO")
            {
                notes.note(Detail::Hostname, host);
            }
        }
        [b'2', b'2', b'0', b' ' | b'-', said @ ..] => {
            notes.note(Detail::Server, said);
            notes.note(Detail::ServerName, said.split(|byte| *byte == b' ').next().unwrap_or_default());
        }
        _ => {}
    }
    Progress::More
}

/// Returns whether the payload is a greeting of IMAP, or a command with a tag.
pub(super) fn test_imap(look: &Look<'_>) -> Verdict {
    let (first, _) = line(look.payload);
    if !look.from_originator {
        let greets = begins(first, b"* OK") || begins(first, b"* PREAUTH") || begins(first, b"* BYE");
        return match greets {
            true if contains(first, b"IMAP") => Verdict::Yes,
            true => Verdict::Weak(IMAP_GREETING),
            false => Verdict::No,
        };
    }
    let Some((tag, command)) = split_once(first, b' ') else { return Verdict::No };
    let tagged = !tag.is_empty() && tag.len() <= 12 && tag.iter().all(u8::is_ascii_alphanumeric);
    let commands: [&[u8]; 8] =
        [b"CAPABILITY", b"LOGIN ", b"AUTHENTICATE ", b"STARTTLS", b"SELECT ", b"ID (", b"NOOP", b"LOGOUT"];
    let known = tagged && commands.iter().any(|word| begins(command, word));
    if known { Verdict::Weak(IMAP_GREETING) } else { Verdict::No }
}

/// Notes what the server says it is.
pub(super) fn read_imap(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let (first, _) = line(look.payload);
    if !look.from_originator {
        if begins(first, b"* OK ") {
            notes.note(Detail::Server, first.get(5..).unwrap_or_default());
        }
        return Progress::More;
    }
    let command = split_once(first, b' ').map_or(first, |(_, command)| command);
    if begins(command, b"LOGIN ") || begins(command, b"AUTHENTICATE PLAIN") || begins(command, b"AUTHENTICATE LOGIN") {
        notes.note(Detail::Login, b"login");
    }
    let ends = [&b"LOGIN"[..], b"AUTHENTICATE", b"SELECT"].iter().any(|word| begins(command, word));
    if ends { Progress::Done } else { Progress::More }
}

/// Returns whether the payload is a greeting of POP3, or a client's first command.
pub(super) fn test_pop3(look: &Look<'_>) -> Verdict {
    let (first, rest) = line(look.payload);
    let whole = rest.len() < look.payload.len() && look.payload.contains(&b'\n');
    if look.from_originator {
        let commands: [&[u8]; 6] = [b"CAPA", b"USER ", b"AUTH", b"STLS", b"APOP ", b"QUIT"];
        let known = whole && commands.iter().any(|word| begins(first, word));
        return if known { Verdict::Weak(POP3_GREETING) } else { Verdict::No };
    }
    match first {
        [b'+', b'O', b'K', b' ', said @ ..] if contains(said, b"POP") => Verdict::Yes,
        // Redis says `+OK` and no more.
        [b'+', b'O', b'K', ..] | [b'-', b'E', b'R', b'R', b' ', ..] => Verdict::Weak(POP3_GREETING),
        _ => Verdict::No,
    }
}

/// Notes what the server says it is.
pub(super) fn read_pop3(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let (first, _) = line(look.payload);
    if !look.from_originator {
        if begins(first, b"+OK ") {
            notes.note(Detail::Server, first.get(4..).unwrap_or_default());
        }
        return Progress::More;
    }
    if begins(first, b"PASS ") || begins(first, b"AUTH PLAIN") || begins(first, b"AUTH LOGIN") {
        notes.note(Detail::Login, b"pass");
    }
    if begins(first, b"PASS") || begins(first, b"APOP") { Progress::Done } else { Progress::More }
}
