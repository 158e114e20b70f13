//! What `onenetd topology infer` prints for people.

use std::fmt::Write as _;

use onenet_topology::{
    DeviceId, InterfaceId,
    inference::{SiteInference, Where},
    inspection::Names,
};

use crate::console::{
    Language,
    text::{self, Text},
    words,
};

/// Returns attachments and links as tables.
pub(super) fn tables(language: Language, found: &SiteInference, names: &Names) -> String {
    let mut out = String::new();
    let title = |out: &mut String, text: Text, rows: usize| {
        let _ = writeln!(out, "{}: {rows}", language.of(text));
    };
    title(&mut out, text::ATTACHMENTS, found.attachments.len());
    out.push_str(&attachments(language, found, names));
    out.push('\n');
    title(&mut out, text::LINKS, found.links.len());
    out.push_str(&links(language, found, names));
    out
}

fn heads<const N: usize>(language: Language, texts: [Text; N]) -> Vec<String> {
    texts.iter().map(|text| language.of(*text).to_owned()).collect()
}

fn percent(confidence: u8) -> String {
    format!("{confidence} %")
}

fn port(names: &Names, device: DeviceId, interface: Option<InterfaceId>) -> String {
    let interface = interface.map_or("?", |interface| names.interface(device, interface));
    format!("{} {interface}", names.device(device))
}

fn attachments(language: Language, found: &SiteInference, names: &Names) -> String {
    let heads = [text::MAC, text::DEVICE, text::INTERFACE, text::VLAN, text::CONFIDENCE, text::ALSO, text::REASON];
    let mut rows = vec![self::heads(language, heads)];
    let name = |device: DeviceId| names.device(device).to_owned();
    for (mac, found) in &found.attachments {
        let (device, interface, vlan) = match found.at {
            Where::Port(at) => {
                (names.device(at.device), names.interface(at.device, at.interface), at.vlan.or_else(|| names.vlan(at)))
            }
            Where::Behind { device, vlan } => (names.device(device), "?", vlan),
            Where::Nowhere => ("-", "-", None),
        };
        let also: Vec<String> = found.also.iter().map(|at| port(names, at.device, Some(at.interface))).collect();
        rows.push(vec![
            mac.to_string(),
            device.to_owned(),
            interface.to_owned(),
            vlan.map_or_else(|| "-".to_owned(), |vlan| vlan.to_string()),
            percent(found.confidence),
            if also.is_empty() { "-".to_owned() } else { also.join(", ") },
            words::reason_named(language, name, found.reason).1,
        ]);
    }
    aligned(&rows)
}

fn links(language: Language, found: &SiteInference, names: &Names) -> String {
    let heads = [text::LINK_A, text::LINK_B, text::CONFIDENCE, text::REASON];
    let mut rows = vec![self::heads(language, heads)];
    for link in &found.links {
        rows.push(vec![
            port(names, link.a.device, link.a.interface),
            port(names, link.b.device, link.b.interface),
            percent(link.confidence),
            words::link_reason(language, link.reason).1,
        ]);
    }
    aligned(&rows)
}

/// Returns rows with their columns one below the other; the last column is not filled up.
fn aligned(rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = columns(cell).max(*width);
        }
    }
    let mut out = String::new();
    for row in rows {
        let mut line = String::from(" ");
        for (cell, width) in row.iter().zip(&widths) {
            // What a device says may hold anything; a control character would move what is beside it.
            line.extend(std::iter::once(' ').chain(cell.chars().filter(|c| !c.is_control())));
            line.extend(std::iter::repeat_n(' ', (width + 1).saturating_sub(columns(cell))));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Returns the columns that a text takes: Chinese characters and their punctuation take two.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}') { 2 } else { 1 }).sum()
}
