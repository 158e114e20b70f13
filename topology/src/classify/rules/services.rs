//! Ports on which an endpoint answers. Anything may stand behind a number: one alone is a hint.

use super::{
    Pattern::{Is, OneOf},
    Rule,
    Says::{Class, Os},
    rule,
};
use crate::classify::{
    DeviceClass::{
        Camera, Controller, EnvironmentalMonitor, Media, NetworkDevice, Pc, Phone, Printer, Recorder, Server, Storage,
        VideoTerminal,
    },
    OsFamily::{Esxi, Ios, Windows},
};

pub(super) const TCP_SERVICE: &[Rule] = &[
    rule(OneOf(&["9100", "9101"]), &[Class(Printer, 40)]),
    rule(Is("515"), &[Class(Printer, 35)]),
    rule(Is("631"), &[Class(Printer, 25), Class(Server, 3)]),
    rule(Is("554"), &[Class(Camera, 30), Class(Recorder, 20), Class(Media, 5)]),
    // Hikvision, Dahua, Uniview.
    rule(Is("8000"), &[Class(Camera, 8), Class(Recorder, 8)]),
    rule(OneOf(&["37777", "37776"]), &[Class(Camera, 40), Class(Recorder, 30)]),
    rule(Is("1720"), &[Class(VideoTerminal, 40), Class(Phone, 5)]),
    rule(OneOf(&["5060", "5061"]), &[Class(Phone, 15), Class(VideoTerminal, 15), Class(Server, 5)]),
    rule(OneOf(&["135", "139", "445"]), &[Os(Windows, 12)]),
    rule(Is("3389"), &[Os(Windows, 25), Class(Pc, 5), Class(Server, 10)]),
    rule(OneOf(&["5985", "5986", "47001"]), &[Os(Windows, 25), Class(Server, 10)]),
    rule(OneOf(&["88", "389", "636", "3268", "464"]), &[Class(Server, 25)]),
    rule(OneOf(&["25", "110", "143", "465", "587", "993", "995"]), &[Class(Server, 25)]),
    rule(OneOf(&["1433", "1521", "3306", "5432", "6379", "27017", "50000", "5236", "54321"]), &[Class(Server, 30)]),
    rule(OneOf(&["80", "443", "8080", "8443"]), &[Class(Server, 4)]),
    rule(Is("22"), &[Class(Server, 4), Class(NetworkDevice, 2)]),
    rule(Is("23"), &[Class(NetworkDevice, 8)]),
    rule(Is("53"), &[Class(Server, 12), Class(NetworkDevice, 8)]),
    rule(Is("179"), &[Class(NetworkDevice, 40)]),
    rule(OneOf(&["548", "5000", "5001"]), &[Class(Storage, 8)]),
    rule(OneOf(&["2049", "3260"]), &[Class(Storage, 20), Class(Server, 10)]),
    rule(OneOf(&["902", "903"]), &[Class(Server, 20), Os(Esxi, 15)]),
    rule(OneOf(&["502", "102", "20000", "2404", "44818"]), &[Class(Controller, 35)]),
    // Bare habits of data loggers that HJ 212 is spoken with.
    rule(OneOf(&["5003", "9003"]), &[Class(EnvironmentalMonitor, 8)]),
    rule(OneOf(&["7000", "8008", "8009"]), &[Class(Media, 12)]),
    rule(Is("62078"), &[Os(Ios, 40)]),
];
