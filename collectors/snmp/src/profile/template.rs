//! How readings are named: `{entity} fan {index.2}`.
//!
//! Invariant: a name is made only when everything in it is there and not empty.

use super::table::{Key, Operand, PartNames, Row, text};

/// A template; the placeholders are resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(pub(super) Vec<Piece>);

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// As it stands.
    Text(String),
    /// A part of the index, its numbers joined by dots.
    Index(Key),
    /// What is in a column or scalar.
    Value(Operand),
    /// The part's entPhysicalName, or its entPhysicalDescr.
    Entity(Key),
    /// The interface's ifName.
    Interface(Key),
}

/// The pieces of a template's text before they are resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Raw<'t> {
    Text(&'t str),
    Placeholder(&'t str),
}

/// Splits a text at its placeholders in braces.
///
/// # Errors
///
/// A brace is alone.
pub(super) fn split(text: &str) -> Result<Vec<Raw<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, behind)) = after.split_once('}') else { return Err("has a { without its }".to_owned()) };
        if before.contains('}') || name.contains('{') {
            return Err("has a } without its {".to_owned());
        }
        if !before.is_empty() {
            pieces.push(Raw::Text(before));
        }
        pieces.push(Raw::Placeholder(name));
        rest = behind;
    }
    if rest.contains('}') {
        return Err("has a } without its {".to_owned());
    }
    if !rest.is_empty() {
        pieces.push(Raw::Text(rest));
    }
    Ok(pieces)
}

impl Template {
    /// Returns the values that the template needs.
    pub(super) fn operands(&self) -> impl Iterator<Item = &Operand> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Value(operand) => Some(operand),
            _ => None,
        })
    }

    /// Returns the text for a row; `None` where something in it is missing or empty.
    pub(super) fn text(&self, row: &Row<'_>, names: &PartNames<'_>) -> Option<String> {
        let mut out = String::new();
        for piece in &self.0 {
            let text = match piece {
                Piece::Text(text) => text.clone(),
                Piece::Index(key) => crate::oid::dotted(&row.arcs(*key)?),
                Piece::Value(operand) => text(row.value(*operand)?)?,
                Piece::Entity(key) => entity_name(names, row.number(*key)?)?,
                Piece::Interface(key) => names.interfaces.name(row.number(*key)?)?.to_owned(),
            };
            if text.is_empty() {
                return None;
            }
            out.push_str(&text);
        }
        Some(out)
    }
}

fn entity_name(names: &PartNames<'_>, index: u32) -> Option<String> {
    // entPhysicalTable is read in the order of its index.
    let place = names.entities.binary_search_by_key(&index, |entity| entity.index).ok()?;
    let entity = names.entities.get(place)?;
    entity.name.filled().or_else(|| entity.description.filled()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn placeholders_stand_in_braces() {
        let split = |text| split(text).unwrap();
        assert_eq!(split("{a} fan {b}"), [Raw::Placeholder("a"), Raw::Text(" fan "), Raw::Placeholder("b")]);
        assert_eq!(split("fan"), [Raw::Text("fan")]);
        assert!(super::split("{a").unwrap_err().contains("without its }"));
        assert!(super::split("a}").unwrap_err().contains("without its {"));
        assert!(super::split("} {a}").unwrap_err().contains("without its {"));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_splitter_panic(text in "[a{}\u{e9} ]{0,30}") {
            let _ = split(&text);
        }
    }
}
