//! What offices use, by bytes made after their specifications: web, mail, files, directories, discovery.

use onenet_capture::application::Detail;
use onenet_topology::application::Application;

use super::*;

/// Returns a client's hello in a record that asks for a name.
pub(crate) fn client_hello(name: &str) -> Vec<u8> {
    let counted = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    let named = counted(&[&[0][..], &counted(name.as_bytes())].concat());
    let extensions = [&[0, 0][..], &counted(&named), &hex("0010 0005 0003 02 6832 002b 0003 02 0304")].concat();
    let body = [&hex("0303")[..], &[9; 32], &[0], &hex("0002 1301 0100"), &counted(&extensions)].concat();
    let message = [&[1, 0][..], &counted(&body)].concat();
    [&hex("16 0301")[..], &counted(&message)].concat()
}

#[test]
fn the_name_asked_for_is_read_from_a_hello_in_small_segments() {
    let hello = client_hello("www.mee.example");
    let parts: Vec<_> = hello.chunks(20).map(out).collect();
    let told = is(Application::Tls, TCP, &parts);
    let details = told.details().unwrap();
    assert_eq!((details.name(), details.get(Detail::Alpn)), (Some("www.mee.example"), Some("h2")));
    assert!(details.get(Detail::Ja4).unwrap().starts_with("t13d0103h2_"), "{details:?}");
}

#[test]
fn mail_that_turns_to_tls_stays_mail_and_tells_both() {
    let told = is(
        Application::Smtp,
        TCP,
        &[
            back("220 mx.example ESMTP Postfix\r\n"),
            out("EHLO pc-17\r\n"),
            back("250-mx.example\r\n250 STARTTLS\r\n"),
            out("STARTTLS\r\n"),
            back("220 ready\r\n"),
            out(client_hello("mx.example")),
        ],
    );
    let details = told.details().unwrap();
    assert_eq!((details.get(Detail::Upgrade), details.get(Detail::Hostname)), (Some("tls"), Some("pc-17")));
    assert_eq!(details.get(Detail::Server), Some("mx.example ESMTP Postfix"));
}

#[test]
fn a_greeting_that_two_protocols_share_is_decided_by_the_clients_answer() {
    let greeting = back("220 host.example ready\r\n");
    is(Application::Ftp, TCP, &[greeting.clone(), out("USER li\r\n")]);
    is(Application::Smtp, TCP, &[greeting, out("EHLO pc\r\n")]);
    is(Application::Pop3, TCP, &[back("+OK hello\r\n"), out("USER li\r\n")]);
    is(Application::Imap, TCP, &[back("* OK hello\r\n"), out("a1 CAPABILITY\r\n")]);
    is(Application::Redis, TCP, &[out("PING\r\n"), back("+PONG\r\n")]);
}

#[test]
fn passwords_are_never_kept() {
    let secret = "hunter2-secret";
    let talks: [&[(bool, Vec<u8>)]; 5] = [
        &[back("220 FTP\r\n"), out("USER li\r\n"), back("331\r\n"), out(format!("PASS {secret}\r\n"))],
        &[back("+OK POP3\r\n"), out("USER li\r\n"), back("+OK\r\n"), out(format!("PASS {secret}\r\n"))],
        &[back("* OK IMAP4\r\n"), out(format!("a LOGIN li {secret}\r\n"))],
        &[out(format!("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {secret}\r\n\r\n"))],
        &[out([&hex("30 1b 02 01 01 04 0e")[..], secret.as_bytes(), &hex("a0 06 02 01 01 02 01 00")].concat())],
    ];
    for talk in talks {
        for protocol in [TCP, UDP] {
            let told = recognise(protocol, ANY, talk);
            let shown = format!("{told:?}");
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
fn files_are_told_by_name_and_blocks() {
    let told = is(Application::Tftp, UDP, &[out(b"\0\x01boot.cfg\0octet\0")]);
    tells(&told, &[(Detail::Method, "read"), (Detail::Query, "boot.cfg")]);
    is(Application::Tftp, UDP, &[out([&[0, 3, 0, 1][..], &[b'x'; 512]].concat()), back([0, 4, 0, 1])]);
    let negotiate = [&hex("0000 0040 fe53 4d42 4000")[..], &[0; 58]].concat();
    is(Application::Smb, TCP, &[out(negotiate)]);
    let call = hex("00000001 00000000 00000002 000186a3 00000003 00000000 0000000000000000 0000000000000000");
    let told = is(Application::Nfs, UDP, &[out(call)]);
    tells(&told, &[(Detail::Version, "nfs v3")]);
}

#[test]
fn remote_control_is_told_by_its_first_words() {
    let asked =
        [&hex("0300 002f 2a e0 0000 0000 00")[..], b"Cookie: mstshash=li\r\n", &hex("01 00 0800 03000000")].concat();
    let told = is(Application::Rdp, TCP, &[out(asked)]);
    tells(&told, &[(Detail::User, "li")]);
    is(Application::Vnc, TCP, &[back("RFB 003.008\n"), out("RFB 003.008\n")]);
    let told =
        is(Application::Telnet, TCP, &[back(b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23"), back("\r\nHuawei login: ")]);
    tells(&told, &[(Detail::Server, "Huawei login:")]);
    let told = is(Application::Ssh, TCP, &[back("SSH-2.0-OpenSSH_9.6\r\n"), out("SSH-2.0-PuTTY\r\n")]);
    tells(&told, &[(Detail::Server, "SSH-2.0-OpenSSH_9.6"), (Detail::Client, "SSH-2.0-PuTTY")]);
}

#[test]
fn those_who_say_who_may_do_what_are_told_on_any_port() {
    let bind = hex("30 0c 02 01 01 60 07 02 01 03 04 00 80 00");
    is(Application::Ldap, TCP, &[out(bind)]);
    let access = [&hex("01 07 0026")[..], &[5; 16], &hex("01 04 6c69 20 0e"), b"switch-a-001"].concat();
    let told = is(Application::Radius, UDP, &[out(access)]);
    tells(&told, &[(Detail::User, "li"), (Detail::Client, "switch-a-001")]);
    is(Application::Tacacs, TCP, &[out([&hex("c0 01 01 00 12345678 0000 0010")[..], &[3; 16]].concat())]);
    let asked = hex(
        "6a 4e 30 4c a1 03 02 01 05 a2 03 02 01 0a a4 40 30 3e a0 07 03 05 00 40 81 00 10 a1 0f 30 0d a0 03 02 01 01 a1 06 30 04 \
         1b 02 6c 69 a2 09 1b 07 45 58 2e 54 45 53 54 a3 17 30 15 a0 03 02 01 02 a1 0e 30 0c 1b 06 6b 72 62 74 67 74 1b 02 45 58",
    );
    let told = is(Application::Kerberos, UDP, &[out(asked)]);
    let details = told.details().unwrap();
    assert_eq!((details.get(Detail::ServerName), details.get(Detail::Query)), (Some("EX.TEST"), Some("krbtgt/EX")));
}

#[test]
fn a_network_is_told_by_what_keeps_it_running() {
    let stamp = b"\xe8\0\0\x01abcd";
    let asked = [&[0x23][..], &[0; 39], stamp].concat();
    let answered = [&[0x24, 2, 6, 0xe9][..], &[0; 20], stamp, &[1; 16]].concat();
    is(Application::Ntp, UDP, &[out(&asked), back(answered)]);
    assert_eq!(named(&recognise(UDP, ANY, &[out(&asked)])), None);
    let told = is(Application::Syslog, UDP, &[out("<188>Apr 12 2023 10:00:00 core-1 %%01SHELL/5/LOGIN(l): by li")]);
    tells(&told, &[(Detail::Hostname, "core-1")]);
    let told = is(Application::Syslog, UDP, &[out("<34>1 2003-10-11T22:14:15.003Z host.example su - ID47 - failed")]);
    tells(&told, &[(Detail::Hostname, "host.example")]);
    let told = is(Application::Bgp, TCP, &[out([&[0xff; 16][..], &hex("001d 01 04 fde9 00b4 0a000001 00")].concat())]);
    tells(&told, &[(Detail::Client, "AS65001")]);
    let netflow = [&hex("0005 0001")[..], &[0; 20], &[0; 48]].concat();
    is(Application::FlowExport, UDP, &[out(netflow)]);
    let template = hex("000a 0020 00000000 00000001 00000000 0002 0010 0100 0002 0008 0004 000c 0004");
    let told = is(Application::FlowExport, UDP, &[out(template)]);
    tells(&told, &[(Detail::Version, "IPFIX")]);
}

#[test]
fn hosts_that_look_for_each_other_are_told() {
    let asked =
        [&hex("0001 0010 0001 0000 0000 0000 20")[..], b"FHEPFCELEHFCEPFFFACACACACACACABN", &hex("00 0020 0001")];
    let told = is(Application::Netbios, UDP, &[out(asked.concat())]);
    tells(&told, &[(Detail::Query, "WORKGROUP")]);
    let search = "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nST: ssdp:all\r\n\r\n";
    let told = is(Application::Ssdp, UDP, &[out(search)]);
    tells(&told, &[(Detail::Method, "M-SEARCH"), (Detail::Query, "ssdp:all")]);
    let probe = "<?xml version=\"1.0\"?><e:Envelope xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\"><e:Header><w:Action>\
        http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header><e:Body><d:Probe>\
        <d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>";
    let told = is(Application::WsDiscovery, UDP, &[out(probe)]);
    tells(&told, &[(Detail::Method, "Probe"), (Detail::Query, "dn:NetworkVideoTransmitter")]);
}
