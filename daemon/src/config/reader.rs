//! Reads a TOML text key by key, and notes everything that is wrong on the way.
//!
//! Why not serde: its derived readers stop at the first mistake, and whoever repairs a file wants all of them at once.
//! Invariant: a key that nobody asked for is a problem; a value of the wrong type or outside its range is a problem and
//! reads as absent; nothing falls back to a default in silence. (The agent's configuration is read the same way; the two
//! share their habits and not their code, since neither program may depend on the other.)

use std::{cell::RefCell, fmt, ops::RangeInclusive};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::Problem;

/// What all sections of one text share.
pub(super) struct Log<'t> {
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
}

/// A table that is being read.
pub(super) struct Section<'t> {
    log: &'t Log<'t>,
    /// The key that leads here; empty for the root.
    path: String,
    /// `None` where the text does not have the table: everything in it is absent.
    table: Option<&'t DeTable<'t>>,
    asked: Vec<&'static str>,
}

impl<'t> Log<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, problems: RefCell::default() }
    }

    /// Returns everything noted, in the order of the lines.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by(|a, b| (a.line, &a.key).cmp(&(b.line, &b.key)));
        problems
    }

    pub(super) fn note(&self, offset: usize, key: String, what: impl fmt::Display, remedy: impl fmt::Display) {
        let line = self.text.char_indices().take_while(|(at, _)| *at < offset).filter(|(_, c)| *c == '\n').count() + 1;
        self.problems.borrow_mut().push(Problem { line, key, what: what.to_string(), remedy: remedy.to_string() });
    }
}

impl<'t> Section<'t> {
    /// Returns the root of a text.
    pub(super) fn root(log: &'t Log<'t>, table: &'t DeTable<'t>) -> Self {
        Self { log, path: String::new(), table: Some(table), asked: Vec::new() }
    }

    /// Returns the table of this key; what the text does not have reads as an empty one.
    pub(super) fn section(&mut self, key: &'static str) -> Self {
        let table = match self.value(key).map(Spanned::get_ref) {
            Some(DeValue::Table(table)) => Some(table),
            Some(other) => {
                self.note(key, format_args!("is {}, not a table", kind(other)), format_args!("begin it with [{key}]"));
                None
            }
            None => None,
        };
        Self { log: self.log, path: self.path_of(key), table, asked: Vec::new() }
    }

    /// Returns a text converted by `convert`, whose error says what is wrong.
    pub(super) fn text<T>(
        &mut self,
        key: &'static str,
        remedy: &str,
        convert: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(key)?;
        let text = self.as_text(key, value, remedy)?;
        let converted = convert(text);
        if converted.is_none() {
            self.note(key, format_args!("{text:?} cannot be used"), remedy);
        }
        converted
    }

    /// Returns a list of texts; a single text counts as a list of one.
    pub(super) fn texts(&mut self, key: &'static str, remedy: &str) -> Option<Vec<String>> {
        let value = self.value(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            return self.as_text(key, value, remedy).map(|text| vec![text.to_owned()]);
        };
        Some(items.iter().filter_map(|item| self.as_text(key, item, remedy).map(str::to_owned)).collect())
    }

    /// Returns a whole number within `range`.
    pub(super) fn number(&mut self, key: &'static str, range: RangeInclusive<u64>, unit: &str) -> Option<u64> {
        let value = self.value(key)?;
        let allowed = format!("write a whole number from {} to {} {unit}, without quotes", range.start(), range.end());
        let DeValue::Integer(number) = value.get_ref() else {
            self.note(key, format_args!("is {}, not a number", kind(value.get_ref())), allowed);
            return None;
        };
        let parsed = u64::from_str_radix(number.as_str(), number.radix()).ok().filter(|number| range.contains(number));
        if parsed.is_none() {
            self.note(key, format_args!("{number} is out of range"), allowed);
        }
        parsed
    }

    /// Returns true or false.
    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        let DeValue::Boolean(flag) = value.get_ref() else {
            let what = format!("is {}, not true or false", kind(value.get_ref()));
            self.note(key, what, "write true or false, without quotes");
            return None;
        };
        Some(*flag)
    }

    /// Notes a problem of `key`, or of the text's beginning where it does not have the key.
    pub(super) fn note(&self, key: &str, what: impl fmt::Display, remedy: impl fmt::Display) {
        let at = self.table.and_then(|table| table.get_key_value(key)).map_or(0, |(key, _)| key.span().start);
        self.log.note(at, self.path_of(key), what, remedy);
    }

    /// Ends the reading: keys that nobody asked for are problems.
    pub(super) fn finish(self) {
        for key in self.table.into_iter().flat_map(DeTable::keys) {
            let name = key.get_ref().as_ref();
            if !self.asked.contains(&name) {
                let remedy = format!("remove or correct it; known here are {}", self.asked.join(", "));
                self.log.note(key.span().start, self.path_of(name), "is not known", remedy);
            }
        }
    }

    fn value(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.push(key);
        self.table?.get(key)
    }

    fn as_text(&self, key: &str, value: &'t Spanned<DeValue<'t>>, remedy: &str) -> Option<&'t str> {
        match value.get_ref() {
            DeValue::String(text) if !text.is_empty() => return Some(text),
            DeValue::String(_) => self.note(key, "is empty", remedy),
            other => self.note(key, format_args!("is {}, not a text", kind(other)), "write it in double quotes"),
        }
        None
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// Returns what a value is, in words.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
