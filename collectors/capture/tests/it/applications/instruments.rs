//! Instruments, databases, cameras and telephones, by bytes made after their specifications.

use onenet_capture::application::Detail;
use onenet_topology::application::Application;

use super::*;

/// The example of HJ 212-2017, appendix C.
const HJ212: &str = "##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&1C80\r\n";

#[test]
fn a_monitor_of_the_environment_is_told_by_its_message_and_its_password_is_not_kept() {
    let told = is(Application::Hj212, TCP, &[out(HJ212)]);
    let expected = [
        (Detail::Device, "010000A8900016F000169DC0"),
        (Detail::System, "32"),
        (Detail::Command, "1062"),
        (Detail::Version, "HJ 212-2017"),
    ];
    tells(&told, &expected);
    assert!(!format!("{told:?}").contains("100000;"));
    let parts: Vec<_> = HJ212.as_bytes().chunks(9).map(out).collect();
    tells(&is(Application::Hj212, TCP, &parts), &expected);
}

#[test]
fn a_checksum_that_does_not_fit_is_said_and_the_edition_follows_from_the_flags() {
    let wrong = HJ212.replace("1C80", "1C81").replace("Flag=5", "Flag=9");
    let told = is(Application::Hj212, TCP, &[out(&wrong)]);
    let details = told.details().unwrap();
    assert_eq!((details.get(Detail::Fault), details.get(Detail::Version)), (Some("checksum"), Some("HJ 212-2025")));
}

#[test]
fn modbus_is_told_by_an_answer_to_its_request() {
    let request = hex("0001 0000 0006 11 03 006b 0003");
    let answer = hex("0001 0000 0009 11 03 06 022b 0000 0064");
    let told = is(Application::Modbus, TCP, &[out(&request), back(answer)]);
    tells(&told, &[(Detail::Device, "17"), (Detail::Command, "read holding registers")]);
    assert_eq!(named(&recognise(TCP, ANY, &[out(&request)])), None);
    assert_eq!(named(&recognise(TCP, [50_000, 502], &[out(&request)])), Some(Application::Modbus));
}

#[test]
fn iec_104_is_told_by_its_start_and_by_its_units() {
    let told = is(
        Application::Iec104,
        TCP,
        &[
            out(hex("68 04 07 00 00 00")),
            back(hex("68 04 0b 00 00 00")),
            out(hex("68 0e 00 00 00 00 64 01 06 00 01 00 00 00 00 14")),
        ],
    );
    tells(&told, &[(Detail::Device, "1"), (Detail::Command, "interrogation")]);
    is(Application::Iec104, TCP, &[back(hex("68 0e 00 00 00 00 64 01 07 00 01 00 00 00 00 14"))]);
}

#[test]
fn dnp3_is_told_by_its_checksum() {
    // Link status is asked for: destination 1, source 2.
    let head = [0x05, 0x64, 0x05, 0xc9, 0x01, 0x00, 0x02, 0x00];
    let frame = [&head[..], &[0x0e, 0x40]].concat();
    let found = recognise(TCP, ANY, &[out(&frame)]);
    // The checksum is computed here once more, bit by bit, from the polynomial.
    let mut rest: u16 = 0;
    for byte in head {
        for bit in 0..8 {
            let feedback = (rest ^ u16::from(byte >> bit)) & 1;
            rest = rest >> 1 ^ if feedback == 1 { 0xa6bc } else { 0 };
        }
    }
    let right = [&head[..], &(!rest).to_le_bytes()].concat();
    is(Application::Dnp3, TCP, &[out(&right)]);
    assert_eq!(named(&found).is_some(), frame == right);
}

#[test]
fn a_broker_is_told_by_its_client() {
    let connect = [&b"\x10\x16\0\x04MQTT\x04\x02\0\x3c\0\x0a"[..], b"station-01"].concat();
    let told = is(Application::Mqtt, TCP, &[out(connect)]);
    tells(&told, &[(Detail::Version, "MQTT 3.1.1"), (Detail::Client, "station-01")]);
}

#[test]
fn oracle_is_told_by_its_connect_packet_and_names_the_service() {
    let descriptor = "(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=orcl)(CID=(PROGRAM=sqlplus)(HOST=pc-17)(USER=li)))(ADDRESS=(PROTOCOL=TCP)(HOST=10.0.0.1)(PORT=1521)))";
    let body = [&hex("013a 012c 0c41 2000 7fff 7f08 0000 0001")[..], &[0; 34], descriptor.as_bytes()].concat();
    let length = u16::try_from(body.len() + 8).unwrap().to_be_bytes();
    let connect = [&length[..], &[0, 0, 1, 0, 0, 0], &body].concat();
    let told = is(Application::OracleTns, TCP, &[out(connect)]);
    let expected =
        [(Detail::ServerName, "orcl"), (Detail::Client, "sqlplus"), (Detail::Hostname, "pc-17"), (Detail::User, "li")];
    tells(&told, &expected);
}

#[test]
fn sql_server_is_told_before_its_login_and_says_its_version() {
    let request = hex(
        "12 01 002f 0000 00 00 00 001a 0006 01 0020 0001 02 0021 0001 03 0022 0004 04 0026 0001 ff 110009000000 00 00 00000000 00",
    );
    let answer = hex("04 01 0013 0000 01 00 00 0006 0005 ff 10000fa100");
    let told = is(Application::Mssql, TCP, &[out(request), back(answer)]);
    assert_eq!(told.details().unwrap().get(Detail::Server), Some("16.0.4001"));
}

#[test]
fn redis_is_told_by_its_commands_and_what_they_are_given_is_not_kept() {
    let told = is(Application::Redis, TCP, &[out("*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n"), back("+OK\r\n")]);
    tells(&told, &[(Detail::Method, "AUTH")]);
}

#[test]
fn a_database_that_turns_to_tls_says_so() {
    let login = [&32_u32.to_be_bytes()[..], &hex("0003 0000"), b"user\0li\0database\0water\0\0"].concat();
    let told = is(Application::Postgresql, TCP, &[out(login)]);
    tells(&told, &[(Detail::User, "li"), (Detail::ServerName, "water")]);
    let hello = offices::client_hello("db.example");
    let told = is(Application::Postgresql, TCP, &[out(hex("0000 0008 04d2 162f")), back("S"), out(hello)]);
    let details = told.details().unwrap();
    assert_eq!((details.get(Detail::Upgrade), details.name()), (Some("tls"), Some("db.example")));
}

#[test]
fn a_camera_that_registers_is_gb_28181_with_its_number() {
    let register = "REGISTER sip:34020000002000000001@3402000000 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9:5060\r\n\
        From: <sip:34020000001320000001@3402000000>;tag=1\r\nTo: <sip:34020000001320000001@3402000000>\r\n\
        Call-ID: 1\r\nCSeq: 1 REGISTER\r\nUser-Agent: IP Camera\r\nContent-Length: 0\r\n\r\n";
    let told = is(Application::Gb28181, UDP, &[out(register)]);
    let details = told.details().unwrap();
    assert_eq!(details.get(Detail::Device), Some("34020000001320000001"));
    assert_eq!((details.get(Detail::Client), details.get(Detail::Method)), (Some("IP Camera"), Some("REGISTER")));
}

#[test]
fn a_message_of_a_video_platform_over_tcp_is_read_when_its_body_is_whole() {
    let body = "<?xml version=\"1.0\"?>\r\n<Notify>\r\n<CmdType>Keepalive</CmdType>\r\n<SN>43</SN>\r\n\
        <DeviceID>34020000001110000001</DeviceID>\r\n<Status>OK</Status>\r\n</Notify>\r\n";
    let message = format!(
        "MESSAGE sip:platform@3402000000 SIP/2.0\r\nFrom: <sip:nvr@3402000000>;tag=2\r\nTo: <sip:platform@3402000000>\r\n\
        Content-Type: Application/MANSCDP+xml\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let parts: Vec<_> = message.as_bytes().chunks(100).map(out).collect();
    let told = is(Application::Gb28181, TCP, &parts);
    let details = told.details().unwrap();
    assert_eq!(details.get(Detail::Device), Some("34020000001110000001"));
    assert_eq!(details.get(Detail::Command), Some("Keepalive"));
}

#[test]
fn a_telephone_is_sip_and_no_camera() {
    let invite = "INVITE sip:200@pbx.example SIP/2.0\r\nFrom: <sip:100@pbx.example>\r\nTo: <sip:200@pbx.example>\r\n\
        User-Agent: Phone 1.0\r\n\r\n";
    let told = is(Application::Sip, UDP, &[out(invite), back("SIP/2.0 200 OK\r\nServer: PBX\r\n\r\n")]);
    let expected = [
        (Detail::Method, "INVITE"),
        (Detail::ServerName, "pbx.example"),
        (Detail::Client, "Phone 1.0"),
        (Detail::Server, "PBX"),
    ];
    tells(&told, &expected);
}

#[test]
fn a_video_terminal_is_told_by_its_signalling_registration_and_control() {
    let setup = hex("0300 0020 08 02 0001 05 04 03 8890a5 28 05 4d65657431 70 04 81 313031 7e 0001 05");
    let told = is(Application::H323, TCP, &[out(setup)]);
    tells(&told, &[(Detail::Method, "SETUP"), (Detail::Client, "Meet1"), (Detail::Query, "101")]);
    is(Application::H323, TCP, &[out(hex("0300 0010 0270 0106 0008 8175 000b 8000"))]);
    is(Application::H323, UDP, &[out(hex("0e80 0205 0600 0891 4a00 0501 0000"))]);
}

/// Returns a packet of RTP.
fn rtp(sequence: u16, source: u32) -> Vec<u8> {
    [&[0x80, 96][..], &sequence.to_be_bytes(), &[0, 0, 0, 1], &source.to_be_bytes(), &[7; 40]].concat()
}

#[test]
fn media_is_told_by_several_packets_of_one_source() {
    let packets: Vec<_> = (65_534..65_538_u32).map(|n| out(rtp((n & 0xffff) as u16, 0x1234_5678))).collect();
    is(Application::Rtp, UDP, &packets);
    assert_eq!(named(&recognise(UDP, ANY, &packets[..3])), None);
    let sources: Vec<_> = (1..8).map(|n| out(rtp(n, 0x100 + u32::from(n)))).collect();
    assert_eq!(named(&recognise(UDP, ANY, &sources)), None);
    let backwards: Vec<_> = (1..8).rev().map(|n| out(rtp(n, 0x1234_5678))).collect();
    assert_eq!(named(&recognise(UDP, ANY, &backwards)), None);
}

#[test]
fn control_of_media_is_told_by_its_compound_and_a_camera_by_its_stream() {
    let report = hex("80 c9 0001 12345678 81 ca 0003 12345678 01 04 61626364 00 00");
    is(Application::Rtcp, UDP, &[out(report)]);
    let describe = "DESCRIBE rtsp://10.0.0.9:554/ch1 RTSP/1.0\r\nCSeq: 2\r\nUser-Agent: Player\r\n\r\n";
    let told = is(Application::Rtsp, TCP, &[out(describe), back("RTSP/1.0 200 OK\r\nServer: Camera\r\n\r\n")]);
    let expected = [
        (Detail::Method, "DESCRIBE"),
        (Detail::ServerName, "10.0.0.9"),
        (Detail::Client, "Player"),
        (Detail::Server, "Camera"),
    ];
    tells(&told, &expected);
}
