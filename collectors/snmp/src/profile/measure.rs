//! Reads `[[sensors]]`, `[[stations]]` and `[[addresses]]` of a profile's text.
//!
//! Invariant: as in [`super::format`], of which this is the second half.

use onenet_config::{Found, Place, Scalar as Given, Section};
use onenet_topology::{SensorKind, SensorState};

use super::{
    addresses::{AddressSource, IpVersion},
    expression::Expression,
    format::{Declared, KEY_REMEDY, listed},
    intern,
    sensors::{Condition, Formula, Sensor, StateMap},
    stations::{Reach, StationSource},
    table::Key,
    template::{self, Piece, Raw, Template},
};

/// Reads a sensor.
pub(super) fn sensor(mut section: Section<'_>, declared: &Declared) -> Option<Sensor> {
    let kind = section.required_text("kind", "say what is measured, such as kind = \"temperature\"");
    let kind = kind.and_then(|found| kind_of(&section, &found));
    let value = section.text("value");
    let mut states = section.section("state");
    let state_column = states.text("column");
    if value.is_none() && !states.is_present() {
        let remedy =
            "add value = \"column\" or an expression, or state = { column = \"…\", normal = [1], critical = [2] }";
        section.log.note(&section.place(), "has neither value nor state", remedy);
    }
    let parsed = value.as_ref().and_then(|found| parsed(&section, found));
    let mut names = parsed
        .iter()
        .flat_map(|it| it.names().iter().map(String::as_str))
        .chain(state_column.iter().map(|it| it.value));
    let source = names.clone().find(|name| declared.table_of(name).is_some()).or_else(|| names.clone().next());
    let table = names.find_map(|name| declared.table_of(name));
    let source = intern::text(source.unwrap_or_default());
    let context = Context { declared, table, invalid: invalid(&mut section) };
    let state = state_map(&mut states, state_column, &context);
    states.finish();
    let value = value.zip(parsed).and_then(|(found, parsed)| context.formula(&section, &found.place, parsed));
    let limits = ["low_critical", "low_warning", "high_warning", "high_critical"]
        .map(|key| context.expression(&mut section, key));
    let range = section.range("range").map(|found| found.value);
    let mut conditions = context.conditions(&mut section, "when", true);
    conditions.extend(context.conditions(&mut section, "unless", false));
    let names = context.templates(&mut section, "name");
    section.finish();
    Some(Sensor { kind: kind?, table, value, state, names, conditions, range, limits, source })
}

/// Reads a source of stations.
pub(super) fn station(mut section: Section<'_>, declared: &Declared) -> Option<StationSource> {
    let table = section.required_text("table", "name the table that has a row a station");
    let place = table.as_ref().and_then(|found| table_called(&section, declared, found));
    let context = Context { declared, table: place, invalid: invalid(&mut section) };
    let mac = section.required_text("mac", "say where the station's address is: \"index\", a part of it, or a column");
    let mac = mac.and_then(|found| context.key(&section, &found));
    let ip = section.text("ip").and_then(|found| context.key(&section, &found));
    let access_point_mac = section.text("access_point_mac").and_then(|found| context.reach(&section, &found));
    let texts = ["access_point", "ssid", "radio", "user"].map(|key| context.templates(&mut section, key));
    let vlan = section.text("vlan").and_then(|found| {
        let operand = declared.operand(found.value, place);
        if operand.is_none() {
            declared.unknown(&section, &found.place, found.value, place);
        }
        operand
    });
    let [signal_dbm, receive_kbps, transmit_kbps] =
        ["signal_dbm", "receive_kbps", "transmit_kbps"].map(|key| context.expression(&mut section, key));
    let mut conditions = context.conditions(&mut section, "when", true);
    conditions.extend(context.conditions(&mut section, "unless", false));
    section.finish();
    Some(StationSource {
        table: place?,
        mac: mac?,
        ip,
        access_point_mac,
        texts,
        vlan,
        signal_dbm,
        receive_kbps,
        transmit_kbps,
        conditions,
    })
}

/// Reads a source of addresses.
pub(super) fn addresses(mut section: Section<'_>, declared: &Declared) -> Option<AddressSource> {
    let table = section.required_text("table", "name the table that has a row an address");
    let place = table.as_ref().and_then(|found| table_called(&section, declared, found));
    let context = Context { declared, table: place, invalid: Vec::new() };
    let remedy = "write version = 4 or version = 6: the table is read where the standard ones have no address of it";
    let version = match section.scalars("version").unwrap_or_default().as_slice() {
        [Found { value: Given::Integer(4), .. }] => Some(IpVersion::V4),
        [Found { value: Given::Integer(6), .. }] => Some(IpVersion::V6),
        [] => {
            section.note("version", "is missing", remedy);
            None
        }
        [other, ..] => {
            section.log.note(&other.place, "is no version of IP", remedy);
            None
        }
    };
    let ip =
        section.required_text("ip", "say where the address is: a part of the index such as \"index.2-5\", or a column");
    let ip = ip.and_then(|found| context.key(&section, &found));
    let mac = section.required_text("mac", "say where the card's address is: a column, or a part of the index");
    let mac = mac.and_then(|found| context.reach(&section, &found));
    let interface = section.required_text("interface", "say where the ifIndex is: \"index.1\", or a column");
    let interface = interface.and_then(|found| context.key(&section, &found));
    let mut conditions = context.conditions(&mut section, "when", true);
    conditions.extend(context.conditions(&mut section, "unless", false));
    section.finish();
    Some(AddressSource { table: place?, version: version?, ip: ip?, mac: mac?, interface: interface?, conditions })
}

/// Returns the place of the table of this name.
fn table_called(section: &Section<'_>, declared: &Declared, found: &Found<&str>) -> Option<usize> {
    let place = declared.tables.iter().position(|table| table.name == found.value);
    if place.is_none() {
        let known: Vec<&str> = declared.tables.iter().map(|table| table.name).collect();
        let what = format!("there is no table {}", found.value);
        section.log.note(&found.place, what, format_args!("declare it with [[tables]]; {}", listed(&known)));
    }
    place
}

/// What the keys of one entry refer to.
struct Context<'d> {
    declared: &'d Declared,
    table: Option<usize>,
    invalid: Vec<String>,
}

fn kind_of(section: &Section<'_>, found: &Found<&str>) -> Option<SensorKind> {
    let kind = SensorKind::of(found.value);
    if kind.is_none() {
        let known = SensorKind::ALL.map(SensorKind::name).join(", ");
        section.log.note(
            &found.place,
            format_args!("{:?} is no kind of sensor", found.value),
            format_args!("write one of {known}"),
        );
    }
    kind
}

fn parsed(section: &Section<'_>, found: &Found<&str>) -> Option<Expression> {
    let parsed = Expression::parse(found.value);
    let remedy = "write names of columns and numbers with + - * / ^ ( ) and log10( ), such as \"hwTemp / 10\"";
    parsed.map_err(|what| section.log.note(&found.place, what, remedy)).ok()
}

/// Reads the values that devices send where they have none.
fn invalid(section: &mut Section<'_>) -> Vec<String> {
    section.scalars("invalid").unwrap_or_default().iter().map(written).collect()
}

fn written(found: &Found<Given<'_>>) -> String {
    match found.value {
        Given::Text(text) => text.to_owned(),
        Given::Integer(number) => number.to_string(),
    }
}

fn state_map(states: &mut Section<'_>, column: Option<Found<&str>>, context: &Context<'_>) -> Option<StateMap> {
    let mut meanings = Vec::new();
    for state in SensorState::ALL {
        let values = states.scalars(state.name()).unwrap_or_default();
        meanings.extend(values.iter().map(|found| (written(found), state)));
    }
    if !states.is_present() {
        return None;
    }
    let Some(column) = column else {
        states.note("column", "is missing", "name the column or scalar that has the state");
        return None;
    };
    if meanings.is_empty() {
        states.log.note(&states.place(), "gives no value a meaning", "add normal = [1] and the like");
    }
    let operand = context.declared.operand(column.value, context.table);
    if operand.is_none() {
        context.declared.unknown(states, &column.place, column.value, context.table);
    }
    Some(StateMap { operand: operand?, states: meanings })
}

impl Context<'_> {
    fn expression(&self, section: &mut Section<'_>, key: &'static str) -> Option<Formula> {
        let found = section.text(key)?;
        let parsed = parsed(section, &found)?;
        self.formula(section, &found.place, parsed)
    }

    fn formula(&self, section: &Section<'_>, place: &Place, expression: Expression) -> Option<Formula> {
        let mut operands = Vec::new();
        for name in expression.names() {
            match self.declared.operand(name, self.table) {
                Some(operand) => operands.push(operand),
                None => self.declared.unknown(section, place, name, self.table),
            }
        }
        let complete = operands.len() == expression.names().len();
        complete.then(|| Formula { expression, operands, invalid: self.invalid.clone() })
    }

    fn conditions(&self, section: &mut Section<'_>, key: &'static str, one_of: bool) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for (name, values) in section.named_scalars(key) {
            match self.declared.operand(name.value, self.table) {
                Some(operand) => {
                    conditions.push(Condition { operand, values: values.iter().map(written).collect(), one_of });
                }
                None => self.declared.unknown(section, &name.place, name.value, self.table),
            }
        }
        conditions
    }

    fn templates(&self, section: &mut Section<'_>, key: &'static str) -> Vec<Template> {
        let entity = self.part(section, key, "entity");
        let interface = self.part(section, key, "interface");
        let given = section.texts(key).unwrap_or_default();
        given.iter().filter_map(|found| self.template(section, found, (entity, interface))).collect()
    }

    /// Reads which part of the row tells the part or interface that names are taken from: the index where nothing is said.
    fn part(&self, section: &mut Section<'_>, key: &str, of: &'static str) -> Key {
        if key != "name" {
            return Key::Index;
        }
        let found = section.text(of);
        found.and_then(|found| self.key(section, &found)).unwrap_or(Key::Index)
    }

    fn template(
        &self,
        section: &Section<'_>,
        found: &Found<&str>,
        (entity, interface): (Key, Key),
    ) -> Option<Template> {
        let pieces = match template::split(found.value) {
            Ok(pieces) => pieces,
            Err(what) => {
                section.log.note(&found.place, what, "write {column}, {index}, {entity} or {interface} in braces");
                return None;
            }
        };
        let piece = |raw: Raw<'_>| {
            Some(match raw {
                Raw::Text(text) => Piece::Text(text.to_owned()),
                Raw::Placeholder("entity") => Piece::Entity(entity),
                Raw::Placeholder("interface") => Piece::Interface(interface),
                Raw::Placeholder(name) => {
                    if let Some(key) = Key::parse(name, &[]) {
                        return Some(Piece::Index(key));
                    }
                    let operand = self.declared.operand(name, self.table);
                    if operand.is_none() {
                        self.declared.unknown(section, &found.place, name, self.table);
                    }
                    Piece::Value(operand?)
                }
            })
        };
        pieces.into_iter().map(piece).collect::<Option<_>>().map(Template)
    }

    fn key(&self, section: &Section<'_>, found: &Found<&str>) -> Option<Key> {
        let key = self.table.and_then(|table| self.declared.key(found.value, table));
        if key.is_none() && self.table.is_some() {
            section.log.note(&found.place, format_args!("{:?} is not in this table", found.value), KEY_REMEDY);
        }
        key
    }

    fn reach(&self, section: &Section<'_>, found: &Found<&str>) -> Option<Reach> {
        let key = self.table.and_then(|table| self.declared.key(found.value, table)).map(Reach::Key);
        let reach = key.or_else(|| self.declared.operand(found.value, self.table).map(Reach::Operand));
        if reach.is_none() {
            self.declared.unknown(section, &found.place, found.value, self.table);
        }
        reach
    }
}
