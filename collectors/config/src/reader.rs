//! Reads a TOML text key by key, and notes everything that is wrong on the way.
//!
//! Why not serde: its derived readers stop at the first mistake, and whoever repairs a file over a bad line wants all of
//! them at once. Invariant: a key that nobody asked for is a problem; a value of the wrong type or outside its range is
//! a problem and reads as absent; nothing falls back to a default in silence.

use std::{borrow::Cow, cell::RefCell, fmt, ops::RangeInclusive};

use toml::{
    Spanned,
    de::{DeInteger, DeTable, DeValue},
};

use crate::{Environment, Origin, problem::Problem};

/// The longest text that a value may be, in bytes.
const TEXT_MAX: usize = 4096;
/// What a Chinese input method writes instead of quotes, colons and the like, and looks the same to whoever wrote it.
const FULL_WIDTH: [char; 12] = ['“', '”', '‘', '’', '：', '，', '＝', '．', '。', '［', '］', '\u{3000}'];

/// What all sections of one text share.
pub struct Log<'t> {
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
    /// Where secrets that are kept outside the text come from.
    pub environment: &'t dyn Environment,
    /// Who wrote the text.
    pub origin: Origin,
}

/// A table that is being read.
pub struct Section<'t> {
    /// Where problems are noted.
    pub log: &'t Log<'t>,
    /// The key path that leads here; empty for the root.
    path: String,
    offset: usize,
    /// `None` where the text does not have the table: everything in it is absent.
    table: Option<&'t DeTable<'t>>,
    asked: Vec<&'static str>,
}

/// Where a value is.
#[derive(Debug, Clone)]
pub struct Place {
    path: String,
    offset: usize,
}

/// A value and where it is.
#[derive(Debug, Clone)]
pub struct Found<T> {
    /// The value.
    pub value: T,
    /// Where it is.
    pub place: Place,
}

/// A text or a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar<'t> {
    /// A text.
    Text(&'t str),
    /// A whole number.
    Integer(i64),
}

impl<'t> Log<'t> {
    pub(crate) fn new(text: &'t str, environment: &'t dyn Environment, origin: Origin) -> Self {
        Self { text, problems: RefCell::default(), environment, origin }
    }

    /// Returns everything noted, in the order of the lines.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by(|a, b| (a.line, &a.key, &a.what).cmp(&(b.line, &b.key, &b.what)));
        problems.dedup();
        problems
    }

    /// Returns the line of an offset, from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.text.char_indices().take_while(|(at, _)| *at < offset).filter(|(_, c)| *c == '\n').count() + 1
    }

    /// Returns the column of an offset in its line, in characters, from 1.
    fn column(&self, offset: usize) -> usize {
        self.text
            .char_indices()
            .take_while(|(at, _)| *at < offset)
            .fold(1, |at, (_, c)| if c == '\n' { 1 } else { at + 1 })
    }

    /// Notes what is wrong at a place, and what to do about it.
    pub fn note(&self, place: &Place, what: impl fmt::Display, remedy: impl fmt::Display) {
        let what = what.to_string();
        let remedy = match full_width(&what) {
            Some(found) => {
                format!("{remedy}; {found} is full-width: switch the input method to English and write it anew")
            }
            None => remedy.to_string(),
        };
        let (line, column) = (self.line(place.offset), self.column(place.offset));
        self.problems.borrow_mut().push(Problem { line, column, key: place.path.clone(), what, remedy });
    }

    /// Notes a problem of the text as such.
    pub(crate) fn note_syntax(&self, offset: usize, what: &str) {
        let place = Place { path: String::new(), offset };
        let line = self.text.lines().nth(self.line(offset).saturating_sub(1)).unwrap_or_default();
        // Whoever wrote full-width quotes did write quotes, and needs no other advice.
        match full_width(line) {
            Some(found) => self.note(&place, format_args!("not TOML: here stands {found}"), "write it in ASCII"),
            None => self.note(
                &place,
                format_args!("not TOML: {what}"),
                "write text values in double quotes, one key = value a line",
            ),
        }
    }
}

/// Returns the first full-width character of a text that stands for one of the syntax.
fn full_width(text: &str) -> Option<char> {
    text.chars().find(|c| FULL_WIDTH.contains(c))
}

impl<'t> Section<'t> {
    /// Returns the root of a text.
    pub(crate) fn root(log: &'t Log<'t>, table: &'t DeTable<'t>) -> Self {
        Self { log, path: String::new(), offset: 0, table: Some(table), asked: Vec::new() }
    }

    /// Returns where the section begins.
    pub fn place(&self) -> Place {
        Place { path: self.path.clone(), offset: self.offset }
    }

    /// Returns whether the text has this section.
    pub fn is_present(&self) -> bool {
        self.table.is_some()
    }

    /// Returns whether the section has `key`.
    pub fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// Returns a text.
    pub fn text(&mut self, key: &'static str) -> Option<Found<&'t str>> {
        let found = self.value(key)?;
        self.as_text(found)
    }

    /// Returns a text that must be there.
    pub fn required_text(&mut self, key: &'static str, remedy: &str) -> Option<Found<&'t str>> {
        if !self.has(key) {
            self.asked.push(key);
            let place = Place { path: self.path_of(key), offset: self.offset };
            self.log.note(&place, "is missing", remedy);
            return None;
        }
        self.text(key)
    }

    /// Returns a list of texts; a single text counts as a list of one.
    pub fn texts(&mut self, key: &'static str) -> Option<Vec<Found<&'t str>>> {
        let found = self.value(key)?;
        let DeValue::Array(items) = found.value else {
            return Some(self.as_text(found).into_iter().collect());
        };
        let item = |(number, item): (usize, &'t Spanned<DeValue<'t>>)| {
            let place = Place { path: format!("{}[{}]", found.place.path, number + 1), offset: item.span().start };
            self.as_text(Found { value: item.get_ref(), place })
        };
        Some(items.iter().enumerate().filter_map(item).collect())
    }

    /// Returns a whole number within `range`.
    pub fn number(&mut self, key: &'static str, range: RangeInclusive<u64>, unit: &str) -> Option<Found<u64>> {
        let found = self.value(key)?;
        let allowed = || {
            let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
            format!("write a whole number from {} to {}{unit}, without quotes", range.start(), range.end())
        };
        let DeValue::Integer(number) = found.value else {
            self.log.note(&found.place, format_args!("is {}, not a whole number", kind(found.value)), allowed());
            return None;
        };
        let value =
            integer(number).and_then(|number| u64::try_from(number).ok()).filter(|number| range.contains(number));
        if value.is_none() {
            self.log.note(&found.place, format_args!("{number} is out of range"), allowed());
        }
        value.map(|value| Found { value, place: found.place })
    }

    /// Returns a truth value.
    pub fn boolean(&mut self, key: &'static str) -> Option<Found<bool>> {
        let found = self.value(key)?;
        let DeValue::Boolean(value) = found.value else {
            self.log.note(
                &found.place,
                format_args!("is {}", kind(found.value)),
                "write true or false, without quotes",
            );
            return None;
        };
        Some(Found { value: *value, place: found.place })
    }

    /// Returns a list of texts and whole numbers; a single one counts as a list of one.
    pub fn scalars(&mut self, key: &'static str) -> Option<Vec<Found<Scalar<'t>>>> {
        let found = self.value(key)?;
        Some(self.as_scalars(&found))
    }

    /// Returns two numbers, the first not above the second.
    pub fn range(&mut self, key: &'static str) -> Option<Found<(f64, f64)>> {
        const REMEDY: &str = "write two numbers, the lower one first, such as [-40, 125]";
        let found = self.value(key)?;
        let DeValue::Array(items) = found.value else {
            self.log.note(&found.place, format_args!("is {}, not a range", kind(found.value)), REMEDY);
            return None;
        };
        let numbers: Option<Vec<f64>> = items.iter().map(|item| decimal(item.get_ref())).collect();
        match numbers.as_deref() {
            Some([low, high]) if low <= high => Some(Found { value: (*low, *high), place: found.place }),
            _ => {
                self.log.note(&found.place, "is not a range", REMEDY);
                None
            }
        }
    }

    /// Returns what stands below this key by names that the text chooses: for each a text, a whole number or a list of
    /// them.
    pub fn named_scalars(&mut self, key: &'static str) -> Vec<(Found<&'t str>, Vec<Found<Scalar<'t>>>)> {
        let below = self.section(key);
        let Some(table) = below.table else { return Vec::new() };
        let named = table.iter().map(|(name, value)| {
            let place = Place { path: below.path_of(name.get_ref()), offset: name.span().start };
            let of_value = Place { offset: offset_of(name, value), ..place.clone() };
            let scalars = self.as_scalars(&Found { value: value.get_ref(), place: of_value });
            (Found { value: name.get_ref().as_ref(), place }, scalars)
        });
        named.collect()
    }

    /// Returns whether this key has a table.
    pub fn has_table(&self, key: &str) -> bool {
        self.table.and_then(|table| table.get(key)).is_some_and(|value| matches!(value.get_ref(), DeValue::Table(_)))
    }

    /// Returns the table of this key; what the text does not have reads as an empty one.
    #[must_use]
    pub fn section(&mut self, key: &'static str) -> Self {
        let path = self.path_of(key);
        match self.value(key) {
            Some(found) => self.as_section(found),
            None => Self { log: self.log, path, offset: self.offset, table: None, asked: Vec::new() },
        }
    }

    /// Returns the tables of an array of tables.
    pub fn sections(&mut self, key: &'static str) -> Vec<Self> {
        let Some(found) = self.value(key) else { return Vec::new() };
        let DeValue::Array(items) = found.value else {
            let remedy = format!("begin each with [[{key}]]");
            self.log.note(&found.place, format_args!("is {}, not a list of tables", kind(found.value)), remedy);
            return Vec::new();
        };
        let item = |(number, item): (usize, &'t Spanned<DeValue<'t>>)| {
            let place = Place { path: format!("{}[{}]", found.place.path, number + 1), offset: item.span().start };
            self.as_section(Found { value: item.get_ref(), place })
        };
        items.iter().enumerate().map(item).collect()
    }

    /// Returns the tables below this key by their names, which the text chooses.
    pub fn named_sections(&mut self, key: &'static str) -> Vec<(&'t str, Self)> {
        let below = self.section(key);
        let Some(table) = below.table else { return Vec::new() };
        let named = table.iter().map(|(name, value)| {
            let place = Place { path: format!("{key}.{}", name.get_ref()), offset: name.span().start };
            let name: &'t str = name.get_ref();
            (name, self.as_section(Found { value: value.get_ref(), place }))
        });
        named.collect()
    }

    /// Ends the reading: keys that nobody asked for are problems.
    pub fn finish(self) {
        let Some(table) = self.table else { return };
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if !self.asked.contains(&name) {
                let place = Place { path: self.path_of(name), offset: key.span().start };
                self.log.note(&place, "is not known", self.suggestion(name));
            }
        }
    }

    /// Notes a problem of `key`, or of the section where it does not have the key.
    pub fn note(&self, key: &str, what: impl fmt::Display, remedy: impl fmt::Display) {
        let at = self.table.and_then(|table| table.get_key_value(key)).map(|(key, _)| key.span().start);
        let place = Place { path: self.path_of(key), offset: at.unwrap_or(self.offset) };
        self.log.note(&place, what, remedy);
    }

    fn value(&mut self, key: &'static str) -> Option<Found<&'t DeValue<'t>>> {
        self.asked.push(key);
        let (name, value) = self.table?.get_key_value(key)?;
        Some(Found { value: value.get_ref(), place: Place { path: self.path_of(key), offset: offset_of(name, value) } })
    }

    fn as_scalars(&self, found: &Found<&'t DeValue<'t>>) -> Vec<Found<Scalar<'t>>> {
        let DeValue::Array(items) = found.value else {
            return self.as_scalar(found).into_iter().collect();
        };
        let item = |(number, item): (usize, &'t Spanned<DeValue<'t>>)| {
            let place = Place { path: format!("{}[{}]", found.place.path, number + 1), offset: item.span().start };
            self.as_scalar(&Found { value: item.get_ref(), place })
        };
        items.iter().enumerate().filter_map(item).collect()
    }

    fn as_scalar(&self, found: &Found<&'t DeValue<'t>>) -> Option<Found<Scalar<'t>>> {
        let place = found.place.clone();
        match found.value {
            DeValue::String(_) => self.as_text(found.clone()).map(|found| found.map(Scalar::Text)),
            DeValue::Integer(number) => {
                let value = integer(number);
                if value.is_none() {
                    self.log.note(
                        &place,
                        format_args!("{number} is out of range"),
                        "write a number of at most 63 bits",
                    );
                }
                value.map(|value| Found { value: Scalar::Integer(value), place })
            }
            other => {
                let what = format!("is {}, not a text or a whole number", kind(other));
                self.log.note(&place, what, "write a text in double quotes, or a whole number");
                None
            }
        }
    }

    fn as_text(&self, found: Found<&'t DeValue<'t>>) -> Option<Found<&'t str>> {
        let DeValue::String(text) = found.value else {
            let what = format!("is {}, not a text", kind(found.value));
            self.log.note(&found.place, what, "write it in double quotes");
            return None;
        };
        if text.is_empty() {
            self.log.note(&found.place, "is empty", "give a value, or remove the key");
            return None;
        }
        if text.len() > TEXT_MAX {
            let what = format!("has {} bytes", text.len());
            self.log.note(&found.place, what, format_args!("at most {TEXT_MAX} are allowed"));
            return None;
        }
        Some(Found { value: text, place: found.place })
    }

    fn as_section(&self, found: Found<&'t DeValue<'t>>) -> Self {
        let table = if let DeValue::Table(table) = found.value {
            Some(table)
        } else {
            let what = format!("is {}, not a table", kind(found.value));
            self.log.note(&found.place, what, format_args!("begin it with [{}]", found.place.path));
            None
        };
        Self { log: self.log, path: found.place.path, offset: found.place.offset, table, asked: Vec::new() }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn suggestion(&self, unknown: &str) -> String {
        let near = self.asked.iter().map(|key| (distance(unknown, key), key)).min();
        match near {
            Some((distance, key)) if distance <= 1 + unknown.len() / 4 => format!("did you mean {key}?"),
            _ => format!("remove it; known here are {}", self.asked.join(", ")),
        }
    }
}

impl<T> Found<T> {
    /// Returns another value at the same place.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Found<U> {
        Found { value: convert(self.value), place: self.place }
    }
}

/// Returns where a reader should look for what is wrong with a value: at the value; for tables, which begin anywhere, at
/// their name.
fn offset_of(name: &Spanned<Cow<'_, str>>, value: &Spanned<DeValue<'_>>) -> usize {
    match value.get_ref() {
        DeValue::Table(_) => name.span().start,
        _ => value.span().start,
    }
}

fn decimal(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Float(number) => number.as_str().parse().ok().filter(|number: &f64| number.is_finite()),
        // A limit is no place for more than 53 bits.
        DeValue::Integer(number) => integer(number).and_then(|number| i32::try_from(number).ok()).map(f64::from),
        _ => None,
    }
}

fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
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

/// Returns how many letters have to be put in, taken out or changed to turn `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (to, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let changed = diagonal + usize::from(from != *to);
            diagonal = *cell;
            left = changed.min(*cell + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn the_distance_counts_letters_put_in_taken_out_and_changed() {
        for (a, b, expected) in [("", "", 0), ("adress", "address", 1), ("kitten", "sitting", 3), ("abc", "", 3)] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
