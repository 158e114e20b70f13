//! The interfaces of a device by ifIndex, to resolve what other tables point at.
//!
//! Invariant: it is kept as long as the device is polled, for each of thousands of devices, so it takes some 70 bytes an
//! interface and two allocations, whatever the device tells of it. It does not know counters.

use onenet_topology::MacAddr;

use super::interfaces::{IF_TABLE, InterfaceLabel, noted};
use crate::dropped::{DropReason, TableError, TableProblem};

/// The interfaces of a device by ifIndex.
#[derive(Debug, Clone, Default)]
pub struct InterfaceIndex {
    /// In the order of ifIndex.
    ports: Box<[Port]>,
    /// Names, aliases and descriptions of all ports, one behind the other.
    texts: Box<str>,
}

/// An interface that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KnownInterface<'a> {
    /// ifIndex.
    pub if_index: u32,
    /// The name, if it has one.
    pub name: Option<&'a str>,
    /// ifAlias, empty where there is none.
    pub alias: &'a str,
    /// ifDescr.
    pub description: Option<&'a str>,
    /// ifType as its number.
    pub type_number: Option<u64>,
    /// ifPhysAddress.
    pub mac: Option<MacAddr>,
    /// The speed in bits a second.
    pub speed_bps: Option<u64>,
    /// Whether it sends and receives at once (dot3StatsDuplexStatus), where the device knows.
    pub full_duplex: Option<bool>,
    /// How long the device had been up when the operational state last changed, in seconds; `None` where it does not tell, or
    /// when that was before it started.
    pub last_change_s: Option<u32>,
}

/// What is kept of an interface beside its texts.
#[derive(Debug, Clone)]
struct Port {
    speed_bps: u64,
    if_index: u32,
    /// Where its texts begin.
    start: u32,
    type_number: u32,
    /// 0 for none.
    last_change_s: u32,
    /// Lengths of the texts.
    name: u16,
    alias: u16,
    description: u16,
    mac: MacAddr,
    has: Has,
}

/// What an interface has, a bit each.
#[derive(Debug, Clone, Copy, Default)]
struct Has(u8);

impl Has {
    const NAME: u8 = 1;
    const DESCRIPTION: u8 = 1 << 1;
    /// ifDescr is the name, and not kept twice.
    const SAME_TEXT: u8 = 1 << 2;
    const TYPE: u8 = 1 << 3;
    const MAC: u8 = 1 << 4;
    const SPEED: u8 = 1 << 5;
    const HALF_DUPLEX: u8 = 1 << 6;
    const FULL_DUPLEX: u8 = 1 << 7;

    fn note(&mut self, what: u8, is: bool) {
        self.0 |= if is { what } else { 0 };
    }

    const fn has(self, what: u8) -> bool {
        self.0 & what != 0
    }
}

impl InterfaceIndex {
    /// Returns the index of `labels`.
    pub fn new(labels: impl IntoIterator<Item = InterfaceLabel>) -> Self {
        let mut labels: Vec<_> = labels.into_iter().collect();
        labels.sort_by_key(|label| label.if_index);
        labels.dedup_by_key(|label| label.if_index);
        let mut texts = String::new();
        let ports = labels.iter().map(|label| Port::new(label, &mut texts)).collect();
        Self { ports, texts: texts.into_boxed_str() }
    }

    /// Returns the interfaces in the order of ifIndex.
    pub fn labels(&self) -> impl Iterator<Item = KnownInterface<'_>> {
        self.ports.iter().map(|port| self.known(port))
    }

    /// Returns the interface of an ifIndex.
    pub fn get(&self, if_index: u32) -> Option<KnownInterface<'_>> {
        let place = self.ports.binary_search_by_key(&if_index, |port| port.if_index).ok()?;
        self.ports.get(place).map(|port| self.known(port))
    }

    /// Returns the name of an ifIndex.
    pub fn name(&self, if_index: u32) -> Option<&str> {
        self.name_of(if_index).ok().flatten()
    }

    /// Returns the name of an interface, if it has one.
    ///
    /// # Errors
    ///
    /// No interface has the ifIndex.
    pub(crate) fn name_of(&self, if_index: u32) -> Result<Option<&str>, DropReason> {
        let place = self.ports.binary_search_by_key(&if_index, |port| port.if_index).ok();
        let port = place.and_then(|place| self.ports.get(place)).ok_or(DropReason::InterfaceUnknown)?;
        let start = usize::try_from(port.start).unwrap_or(usize::MAX);
        Ok(self.texts.get(start..start.saturating_add(port.name.into())).filter(|_| port.has.has(Has::NAME)))
    }

    /// Returns the note that interfaces have other ifIndexes than `before`; `None` when those that were there and still are
    /// have kept theirs. Names that several interfaces share prove nothing.
    pub fn renumbered_since(&self, before: &Self) -> Option<TableError> {
        let moved = |known: &KnownInterface<'_>| {
            let Some(name) = known.name else { return false };
            let named = |other: &KnownInterface<'_>| other.name == Some(name);
            let old = before.only(named);
            old.is_some_and(|old| old.if_index != known.if_index) && self.only(named).is_some()
        };
        let rows = self.labels().filter(|known| before.get(known.if_index).is_none_or(|old| old.name != known.name));
        let count = rows.filter(moved).count();
        (count > 0).then(|| noted(IF_TABLE, "ifIndex", TableProblem::Renumbered, count))
    }

    /// Takes note of when the states of interfaces last changed, by ifIndex: how long the device had been up, in seconds.
    pub fn set_last_changes(&mut self, changes: &[(u32, u32)]) {
        for (if_index, seconds) in changes {
            if let Ok(place) = self.ports.binary_search_by_key(if_index, |port| port.if_index)
                && let Some(port) = self.ports.get_mut(place)
            {
                port.last_change_s = *seconds;
            }
        }
    }

    /// Returns whether an interface `matches`.
    pub fn any(&self, matches: impl Fn(&KnownInterface<'_>) -> bool) -> bool {
        self.labels().any(|known| matches(&known))
    }

    /// Returns whether the device told of no interface at all.
    pub fn is_empty(&self) -> bool {
        self.ports.is_empty()
    }

    /// Returns the one interface that `matches`; `None` when there is none, or several.
    pub fn only(&self, matches: impl Fn(&KnownInterface<'_>) -> bool) -> Option<KnownInterface<'_>> {
        let mut found = self.labels().filter(matches);
        found.next().filter(|_| found.next().is_none())
    }

    fn known(&self, port: &Port) -> KnownInterface<'_> {
        let mut rest = usize::try_from(port.start).ok().and_then(|start| self.texts.get(start..)).unwrap_or_default();
        let mut text = |length: u16| {
            let (text, behind) = rest.split_at_checked(length.into()).unwrap_or_default();
            rest = behind;
            text
        };
        let (name, alias, described) = (text(port.name), text(port.alias), text(port.description));
        let has = port.has;
        let description = if has.has(Has::SAME_TEXT) { name } else { described };
        KnownInterface {
            if_index: port.if_index,
            name: has.has(Has::NAME).then_some(name),
            alias,
            description: has.has(Has::DESCRIPTION).then_some(description),
            type_number: has.has(Has::TYPE).then_some(port.type_number.into()),
            mac: has.has(Has::MAC).then_some(port.mac),
            speed_bps: has.has(Has::SPEED).then_some(port.speed_bps),
            full_duplex: (has.has(Has::HALF_DUPLEX) || has.has(Has::FULL_DUPLEX)).then(|| has.has(Has::FULL_DUPLEX)),
            last_change_s: Some(port.last_change_s).filter(|seconds| *seconds > 0),
        }
    }
}

impl Port {
    /// Returns the port of a label, whose texts are added to `texts`.
    fn new(label: &InterfaceLabel, texts: &mut String) -> Self {
        let start = u32::try_from(texts.len()).unwrap_or(u32::MAX);
        let name = label.name.as_deref();
        let description = label.description.get().map(String::as_str);
        let is_same = name.is_some() && name == description;
        let mut add = |text: &str| {
            // SNMP texts are 255 octets at most; what an agent of another opinion says is cut.
            let end = (0..=usize::from(u16::MAX).min(text.len())).rev().find(|end| text.is_char_boundary(*end));
            let text = end.and_then(|end| text.get(..end)).unwrap_or_default();
            texts.push_str(text);
            u16::try_from(text.len()).unwrap_or_default()
        };
        let name_length = add(name.unwrap_or_default());
        let alias = add(label.alias.get().map_or("", String::as_str));
        let described = add(description.filter(|_| !is_same).unwrap_or_default());
        let type_number = label.type_number.get().and_then(|number| u32::try_from(*number).ok());
        let mut has = Has::default();
        has.note(Has::NAME, name.is_some());
        has.note(Has::DESCRIPTION, description.is_some());
        has.note(Has::SAME_TEXT, is_same);
        has.note(Has::TYPE, type_number.is_some());
        has.note(Has::MAC, label.mac.get().is_some());
        has.note(Has::SPEED, label.speed_bps.get().is_some());
        has.note(Has::HALF_DUPLEX, label.duplex.get() == Some(&"half"));
        has.note(Has::FULL_DUPLEX, label.duplex.get() == Some(&"full"));
        Self {
            speed_bps: label.speed_bps.get().copied().unwrap_or_default(),
            if_index: label.if_index,
            start,
            type_number: type_number.unwrap_or_default(),
            last_change_s: label
                .last_change_s
                .get()
                .and_then(|seconds| u32::try_from(*seconds).ok())
                .unwrap_or_default(),
            name: name_length,
            alias,
            description: described,
            mac: label.mac.get().copied().unwrap_or(MacAddr::ZERO),
            has,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mib::Reading;

    fn label(if_index: u32) -> InterfaceLabel {
        InterfaceLabel { if_index, ..InterfaceLabel::default() }
    }

    #[test]
    fn what_is_known_of_an_interface_is_what_its_label_said() {
        let mac = MacAddr::from_u64(0x0200_0000_0007);
        let whole = InterfaceLabel {
            name: Some("以太网 0/1".into()),
            description: Reading::Value("以太网 0/1".into()),
            alias: Reading::Value("uplink of 正定县".into()),
            type_number: Reading::Value(6),
            mac: mac.map_or(Reading::Missing, Reading::Value),
            speed_bps: Reading::Value(400_000_000_000),
            duplex: Reading::Value("half"),
            last_change_s: Reading::Value(90_000),
            ..label(9)
        };
        let other = InterfaceLabel {
            name: Some(String::new()),
            description: Reading::Value("Vlan-interface1".into()),
            alias: Reading::Malformed,
            last_change_s: Reading::Value(0),
            ..label(4)
        };
        let index = InterfaceIndex::new([whole, other, label(7)]);
        assert_eq!(
            index.labels().collect::<Vec<_>>(),
            [
                KnownInterface {
                    if_index: 4,
                    name: Some(""),
                    alias: "",
                    description: Some("Vlan-interface1"),
                    type_number: None,
                    mac: None,
                    speed_bps: None,
                    full_duplex: None,
                    last_change_s: None,
                },
                KnownInterface {
                    if_index: 7,
                    name: None,
                    alias: "",
                    description: None,
                    type_number: None,
                    mac: None,
                    speed_bps: None,
                    full_duplex: None,
                    last_change_s: None,
                },
                KnownInterface {
                    if_index: 9,
                    name: Some("以太网 0/1"),
                    alias: "uplink of 正定县",
                    description: Some("以太网 0/1"),
                    type_number: Some(6),
                    mac,
                    speed_bps: Some(400_000_000_000),
                    full_duplex: Some(false),
                    last_change_s: Some(90_000),
                },
            ]
        );
        assert_eq!((index.name(9), index.name(7), index.get(8)), (Some("以太网 0/1"), None, None));
        let mut index = index;
        index.set_last_changes(&[(9, 90_060), (8, 1), (7, 2)]);
        let changes: Vec<_> = index.labels().map(|known| known.last_change_s).collect();
        assert_eq!(changes, [None, Some(2), Some(90_060)]);
    }

    #[test]
    fn a_text_longer_than_any_that_snmp_has_is_cut_between_letters_and_leaves_the_others_alone() {
        let long = InterfaceLabel { name: Some("网".repeat(40_000)), ..label(1) };
        let index = InterfaceIndex::new([long, InterfaceLabel { name: Some("b".into()), ..label(2) }]);
        assert_eq!(index.name(1).map(str::len), Some(65_535));
        assert_eq!(index.name(2), Some("b"));
    }

    #[test]
    fn an_interface_takes_little() {
        assert!(size_of::<Port>() <= 40, "{} bytes", size_of::<Port>());
    }
}
