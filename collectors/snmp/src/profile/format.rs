//! Reads the text of a profile: `profiles/README.md` describes the format for those who write one.
//!
//! Invariant: a [`Profile`] refers only to what it declares and uses all that it declares, so that nothing is asked of devices
//! in vain; every mistake in a text is told at once, with line, column, key and remedy. Any text gives a profile or problems.

use std::{cell::RefCell, collections::BTreeSet};

use onenet_config::{ConfigError, Found, NoEnvironment, Origin, Place, Scalar as Given, Section};
use onenet_topology::Role;
use regex::{Regex, RegexBuilder};

use super::{
    Profile,
    identify::{EntityValue, Field, ObjectIdPattern, Rule},
    intern, measure,
    notifications::{Concern, NotificationRule},
    table::{Join, Key, Operand, Scalar, TableSpec},
};
use crate::{oid::Oid, walk::Column};

/// The longest text of a profile, in bytes.
pub(super) const PROFILE_BYTES_MAX: usize = 256 << 10;

/// The most tables, sensors, rules or scalars of one profile.
const ENTRIES_MAX: usize = 128;

/// The most columns of one table.
const COLUMNS_MAX: usize = 32;

/// The most memory that a compiled regular expression may take, in bytes. Matching takes time linear in text and expression.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// The most names that a remedy lists.
const LISTED_MAX: usize = 20;

/// The least arcs of an object: `1.3.6.1.2.1` and something below.
const OBJECT_ARCS_MIN: usize = 7;

/// What a profile declares, while it is read.
pub(super) struct Declared {
    pub(super) scalars: Vec<Scalar>,
    pub(super) tables: Vec<TableSpec>,
    places: Vec<(&'static str, Place)>,
    used: RefCell<BTreeSet<&'static str>>,
}

/// Reads the profile called `name`.
///
/// # Errors
///
/// Something is wrong with the text; the error lists everything. `origin` is what it calls the text.
pub(super) fn read(text: &str, name: &str, origin: &str) -> Result<Profile, ConfigError> {
    onenet_config::read(text, origin, &NoEnvironment, Origin::File, |root| {
        if text.len() > PROFILE_BYTES_MAX {
            root.log.note(&root.place(), format_args!("has {} bytes", text.len()), "divide it: one file a vendor");
        }
        let vendor = root.required_text("vendor", "give the vendor's name, as people write it");
        let enterprises = enterprises(root);
        let declared = Declared::read(root);
        let recognise = bounded(root, "recognise").into_iter().map(|it| recognition(it, &declared)).collect();
        let identify = bounded(root, "identify").into_iter().map(|it| rule(it, &declared)).collect();
        let sensors = bounded(root, "sensors").into_iter().filter_map(|it| measure::sensor(it, &declared)).collect();
        let stations = bounded(root, "stations").into_iter().filter_map(|it| measure::station(it, &declared)).collect();
        let addresses =
            bounded(root, "addresses").into_iter().filter_map(|it| measure::addresses(it, &declared)).collect();
        let notifications = bounded(root, "notifications").into_iter().filter_map(notification).collect();
        declared.check_use(root);
        let Declared { scalars, tables, .. } = declared;
        Profile {
            name: intern::text(name),
            vendor: vendor.map(|found| found.value.to_owned()).unwrap_or_default(),
            enterprises,
            added: false,
            recognise,
            identify,
            scalars,
            tables,
            sensors,
            stations,
            addresses,
            notifications,
        }
    })
}

fn bounded<'t>(root: &mut Section<'t>, key: &'static str) -> Vec<Section<'t>> {
    let mut sections = root.sections(key);
    if sections.len() > ENTRIES_MAX {
        root.note(key, format_args!("has {} entries", sections.len()), format_args!("at most {ENTRIES_MAX} are read"));
        sections.truncate(ENTRIES_MAX);
    }
    sections
}

fn enterprises(root: &mut Section<'_>) -> Vec<u32> {
    let given = root.scalars("enterprises").unwrap_or_default();
    let number = |found: Found<Given<'_>>| {
        let number = match found.value {
            Given::Integer(number) => u32::try_from(number).ok().filter(|number| *number > 0),
            Given::Text(_) => None,
        };
        if number.is_none() {
            let remedy = "write the vendor's number in IANA's list of private enterprise numbers, such as 2011";
            root.log.note(&found.place, "is not an enterprise number", remedy);
        }
        number
    };
    given.into_iter().filter_map(number).collect()
}

impl Declared {
    fn read(root: &mut Section<'_>) -> Self {
        let mut declared =
            Self { scalars: Vec::new(), tables: Vec::new(), places: Vec::new(), used: RefCell::default() };
        for (name, value) in root.named_scalars("scalars") {
            let place = name.place.clone();
            if let ([found], true) = (value.as_slice(), declared.is_new(root, &name))
                && let Some(oid) = object(root, found)
            {
                let name = intern::text(name.value);
                declared.scalars.push(Scalar { name, oid });
                declared.places.push((name, place));
            }
        }
        let mut joins = Vec::new();
        for section in bounded(root, "tables") {
            joins.push(declared.table(section));
        }
        for (table, joins) in joins.into_iter().enumerate() {
            for (name, by) in joins {
                declared.join(root, table, &name, &by);
            }
        }
        declared
    }

    /// Reads a table. Returns its joins as they are written: the other table and the key.
    fn table<'t>(&mut self, mut section: Section<'t>) -> Vec<(Found<&'t str>, Vec<Found<Given<'t>>>)> {
        let name = section.required_text("name", "give the table's name in its MIB");
        let entry = section.text("entry").and_then(|found| object(&section, &found.map(Given::Text)));
        let mut columns: Vec<Column> = Vec::new();
        for (name, value) in section.named_scalars("columns") {
            let oid = match value.as_slice() {
                [found] => column(&section, entry.as_ref(), found),
                _ => None,
            };
            if let (Some(oid), true) = (oid, self.is_new(&section, &name)) {
                let kept = intern::text(name.value);
                columns.push(Column { name: kept, oid: intern::arcs(oid.arcs()) });
                self.places.push((kept, name.place));
            }
        }
        if columns.is_empty() {
            section.note("columns", "names no column", "write columns = { descriptorOfTheColumn = 3, … }");
        }
        if columns.len() > COLUMNS_MAX {
            section.note(
                "columns",
                format_args!("has {} columns", columns.len()),
                format_args!("at most {COLUMNS_MAX} are read"),
            );
        }
        let seldom = section.boolean("seldom").is_some_and(|found| found.value);
        let joins = section.named_scalars("join");
        if let Some(found) = &name
            && self.tables.iter().any(|table| table.name == found.value)
        {
            section.log.note(&found.place, format_args!("{} is there twice", found.value), "join the two");
        }
        section.finish();
        let name = intern::text(name.map_or("", |found| found.value));
        self.tables.push(TableSpec { name, columns, seldom, joins: Vec::new() });
        joins
    }

    fn join(&mut self, root: &Section<'_>, table: usize, name: &Found<&str>, by: &[Found<Given<'_>>]) {
        let Some(other) = self.tables.iter().position(|other| other.name == name.value) else {
            let tables: Vec<&str> = self.tables.iter().map(|table| table.name).collect();
            let remedy = format!("declare it with [[tables]]; {}", listed(&tables));
            return root.log.note(&name.place, format_args!("there is no table {}", name.value), remedy);
        };
        let Some(spec) = self.tables.get_mut(table) else { return };
        let key = match by {
            [Found { value: Given::Text(text), .. }] => Key::parse(text, &spec.columns),
            _ => None,
        };
        match key {
            Some(by) => {
                if let Key::Column(place) = by {
                    self.used.borrow_mut().extend(spec.columns.get(place).map(|column| column.name));
                }
                spec.joins.push(Join { table: other, by });
            }
            None => root.log.note(&name.place, "does not say what leads there", KEY_REMEDY),
        }
    }

    fn is_new(&self, section: &Section<'_>, name: &Found<&str>) -> bool {
        let is_name = name.value.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !["index", "entity", "interface", "log10"].contains(&name.value);
        if !is_name {
            let remedy = "write the object's descriptor in its MIB: letters and digits, such as hwEntityTemperature";
            section.log.note(&name.place, format_args!("{:?} cannot be a name", name.value), remedy);
        } else if self.places.iter().any(|(known, _)| *known == name.value) {
            section.log.note(
                &name.place,
                format_args!("{} is there twice", name.value),
                "give the other one another name",
            );
        } else {
            return true;
        }
        false
    }

    /// Returns the place of the table that has this column.
    pub(super) fn table_of(&self, name: &str) -> Option<usize> {
        self.tables.iter().position(|table| table.columns.iter().any(|column| column.name == name))
    }

    /// Returns what a name stands for in a row of `table`: a scalar, a column of it, or one that a join leads to.
    pub(super) fn operand(&self, name: &str, table: Option<usize>) -> Option<Operand> {
        let column_of = |table: usize| self.tables.get(table)?.columns.iter().position(|column| column.name == name);
        let scalar = self.scalars.iter().position(|scalar| scalar.name == name).map(Operand::Scalar);
        let own = || table.and_then(column_of).map(Operand::Own);
        let joined = || {
            let joins = &self.tables.get(table?)?.joins;
            joins.iter().enumerate().find_map(|(place, join)| Some(Operand::Joined(place, column_of(join.table)?)))
        };
        let found = scalar.or_else(own).or_else(joined)?;
        self.note_use(name);
        Some(found)
    }

    /// Returns the key that a text says for rows of `table`.
    pub(super) fn key(&self, text: &str, table: usize) -> Option<Key> {
        let key = Key::parse(text, &self.tables.get(table)?.columns)?;
        self.note_use(text);
        Some(key)
    }

    fn note_use(&self, name: &str) {
        if let Some((kept, _)) = self.places.iter().find(|(kept, _)| *kept == name) {
            self.used.borrow_mut().insert(kept);
        }
    }

    /// Notes a name that stands for nothing.
    pub(super) fn unknown(&self, section: &Section<'_>, place: &Place, name: &str, table: Option<usize>) {
        let scalars = self.scalars.iter().map(|scalar| scalar.name);
        let (what, known): (_, Vec<&str>) = match table.and_then(|table| self.tables.get(table)) {
            Some(spec) => (
                format!("{name} is no column of {} or of a table joined to it, and no scalar", spec.name),
                spec.columns.iter().map(|column| column.name).chain(scalars).collect(),
            ),
            None => (format!("{name} is not declared"), self.places.iter().map(|(name, _)| *name).collect()),
        };
        let remedy = format!("declare it under [scalars] or in the columns of its table; {}", listed(&known));
        section.log.note(place, what, remedy);
    }

    /// Notes the name of a scalar that stands for none.
    fn unknown_scalar(&self, section: &Section<'_>, found: &Found<&str>) {
        let known: Vec<&str> = self.scalars.iter().map(|scalar| scalar.name).collect();
        let remedy = format!("declare it under [scalars]; {}", listed(&known));
        section.log.note(&found.place, format_args!("{} is no scalar", found.value), remedy);
    }

    fn check_use(&self, root: &Section<'_>) {
        let used = self.used.borrow();
        for (name, place) in self.places.iter().filter(|(name, _)| !used.contains(name)) {
            root.log.note(
                place,
                format_args!("{name} is not used"),
                "say what it means, or remove it: devices would be asked for it in vain",
            );
        }
    }
}

/// Returns in words what is declared, as far as anybody reads on.
pub(super) fn listed(known: &[&str]) -> String {
    match known {
        [] => "nothing is declared yet".to_owned(),
        few if few.len() <= LISTED_MAX => format!("declared are {}", few.join(", ")),
        many => format!("declared are {} and others", many.get(..LISTED_MAX).unwrap_or_default().join(", ")),
    }
}

/// What a key may be.
pub(super) const KEY_REMEDY: &str =
    "write \"index\", a part of it such as \"index.2\" or \"index.1-6\", or the name of a column of this table";

/// Returns the identifier of an object.
fn object(section: &Section<'_>, found: &Found<Given<'_>>) -> Option<Oid> {
    let oid = match found.value {
        Given::Text(text) => text.parse::<Oid>().ok().filter(|oid| oid.arcs().len() >= OBJECT_ARCS_MIN),
        Given::Integer(_) => None,
    };
    if oid.is_none() {
        let remedy = "write numbers joined by dots, such as \"1.3.6.1.2.1.1.1.0\"; names of MIBs are not known here";
        section.log.note(&found.place, "is not an object identifier", remedy);
    }
    oid
}

/// Returns the identifier of a column: its number below the table's entry, or whole.
fn column(section: &Section<'_>, entry: Option<&Oid>, found: &Found<Given<'_>>) -> Option<Oid> {
    match (found.value, entry) {
        (Given::Integer(number), Some(entry)) => {
            let arc = u32::try_from(number).ok();
            if arc.is_none() {
                section.log.note(&found.place, format_args!("{number} is no column"), "write its number in the MIB");
            }
            arc.map(|arc| Oid::joined(entry.arcs(), &[arc]))
        }
        (Given::Integer(_), None) => {
            section.log.note(
                &found.place,
                "is below no entry",
                "add entry = \"…\", the identifier of the table's entry",
            );
            None
        }
        (Given::Text(_), _) => object(section, found),
    }
}

/// Reads a rule of `[[recognise]]`, which must not hold for every device.
fn recognition(section: Section<'_>, declared: &Declared) -> Rule {
    let (log, place) = (section.log, section.place());
    // A condition that is wrong is told as such.
    let is_conditional = ["object_id", "description", "name", "answers"].iter().any(|key| section.has(key));
    let rule = rule(section, declared);
    if !is_conditional {
        log.note(&place, "would take every device for the vendor's", "add object_id, description, name or answers");
    }
    rule
}

/// Reads a rule of `[[recognise]]` or `[[identify]]`.
fn rule(mut section: Section<'_>, declared: &Declared) -> Rule {
    let object_ids = section.texts("object_id").unwrap_or_default();
    let object_ids = object_ids.into_iter().filter_map(|found| object_id(&section, &found)).collect();
    let description = pattern(&mut section, "description");
    let name = pattern(&mut section, "name");
    let answers = section.text("answers").and_then(|found| scalar(&section, declared, &found));
    let role = section.text("role").and_then(|found| {
        let role = Role::of(found.value);
        if role.is_none() {
            let known = Role::ALL.map(Role::name).join(", ");
            section.log.note(
                &found.place,
                format_args!("{:?} is no role", found.value),
                format_args!("write one of {known}"),
            );
        }
        role
    });
    let groups: Vec<String> = [&description, &name]
        .into_iter()
        .flatten()
        .flat_map(|it| it.capture_names().flatten().map(str::to_owned))
        .collect();
    let fields = ["vendor", "model", "os", "version", "serial"].map(|key| field(&mut section, key, declared, &groups));
    section.finish();
    Rule { object_ids, description, name, answers, role, fields }
}

/// Reads a rule of `[[notifications]]`.
fn notification(mut section: Section<'_>) -> Option<NotificationRule> {
    let name = section.required_text("name", "write the notification's descriptor in its MIB");
    let object_ids = section.texts("object_id");
    if object_ids.is_none() {
        let remedy = "write the notification's identifier, or \"1.3.….*\" for all below";
        section.note("object_id", "is missing", remedy);
    }
    let object_ids = object_ids.unwrap_or_default().iter().filter_map(|found| object_id(&section, found)).collect();
    let concern = section.required_text("concerns", "say what it tells of, such as concerns = \"parts\"");
    let concern = concern.and_then(|found| {
        let concern = Concern::of(found.value);
        if concern.is_none() {
            let known: Vec<&str> = Concern::ALL.iter().map(|concern| concern.as_str()).collect();
            let what = format!("{:?} is nothing that a notification concerns", found.value);
            section.log.note(&found.place, what, format_args!("write one of {}", known.join(", ")));
        }
        concern
    });
    section.finish();
    Some(NotificationRule { name: name?.value.to_owned(), object_ids, concern: concern? })
}

fn object_id(section: &Section<'_>, found: &Found<&str>) -> Option<ObjectIdPattern> {
    let (text, and_below) = found.value.strip_suffix(".*").map_or((found.value, false), |text| (text, true));
    let oid = text.parse::<Oid>().ok();
    if oid.is_none() {
        let remedy =
            "write a sysObjectID such as \"1.3.6.1.4.1.2011.2.23.276\", or \"1.3.6.1.4.1.2011.2.23.*\" for all below";
        section.log.note(&found.place, format_args!("{:?} is not an object identifier", found.value), remedy);
    }
    oid.map(|oid| ObjectIdPattern { oid, and_below })
}

fn scalar(section: &Section<'_>, declared: &Declared, found: &Found<&str>) -> Option<usize> {
    if let Some(Operand::Scalar(place)) = declared.operand(found.value, None) {
        return Some(place);
    }
    declared.unknown_scalar(section, found);
    None
}

/// Reads where a value of an identification comes from; `groups` are the named groups of the rule's expressions.
fn field(section: &mut Section<'_>, key: &'static str, declared: &Declared, groups: &[String]) -> Option<Field> {
    if !section.has_table(key) {
        let found = section.text(key)?;
        check_groups(section, &found, groups);
        return Some(Field::Text(found.value.to_owned()));
    }
    let mut below = section.section(key);
    let object = below.text("object");
    let entity = below.text("entity");
    let pattern = pattern(&mut below, "pattern");
    let field = match (&object, &entity) {
        (Some(found), None) => scalar(&below, declared, found).map(|place| Field::Object { place, pattern }),
        (None, Some(found)) => {
            let value = EntityValue::ALL.iter().find(|(_, name, _)| *name == found.value);
            if value.is_none() {
                let known = EntityValue::ALL.map(|(_, name, _)| name).join(", ");
                let remedy = format!("write one of {known}");
                below.log.note(&found.place, format_args!("a part has no {:?}", found.value), remedy);
            }
            value.map(|(of, ..)| Field::Entity { of: *of, pattern })
        }
        _ => {
            let remedy = "write { object = \"nameOfAScalar\" } or { entity = \"model\" }, and pattern = '…' to take a part of it";
            below.log.note(&below.place(), "does not say where the value is", remedy);
            None
        }
    };
    below.finish();
    field
}

fn check_groups(section: &Section<'_>, found: &Found<&str>, groups: &[String]) {
    match super::template::split(found.value) {
        Err(what) => {
            section.log.note(&found.place, what, "write {group} for what a named group of the expression found");
        }
        Ok(pieces) => {
            for piece in pieces {
                if let super::template::Raw::Placeholder(name) = piece
                    && !groups.iter().any(|group| group == name)
                {
                    let remedy = format!("name a group of description or name so: (?P<{name}>…)");
                    section.log.note(&found.place, format_args!("there is no group {name}"), remedy);
                }
            }
        }
    }
}

/// Reads a regular expression.
fn pattern(section: &mut Section<'_>, key: &'static str) -> Option<Regex> {
    let found = section.text(key)?;
    match RegexBuilder::new(found.value).size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX).build() {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            // The last line says what; those before it draw the place.
            let said = error.to_string();
            let said = said.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
            let remedy = "write it in 'single quotes', so that backslashes stay as they are";
            section.log.note(&found.place, format_args!("is not a regular expression: {said}"), remedy);
            None
        }
    }
}
