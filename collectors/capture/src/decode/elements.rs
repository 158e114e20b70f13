//! Elements of XML, as far as discovery needs them: WS-Discovery (OASIS, version 1.1) and Hikvision's SADP.
//!
//! Not a parser: it finds elements by their local names, whatever prefix or namespace they stand in, and gives the text
//! directly inside. What is not well formed gives less, never more than is there.

/// The most tags of a message that are looked at.
const TAGS_MAX: usize = 256;

/// An element that begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    /// Its name without the prefix.
    pub name: &'a [u8],
    /// The text up to the next tag, without the white space around it.
    pub text: &'a [u8],
}

/// Returns the elements that begin in `xml`, in order.
pub fn elements(xml: &[u8]) -> impl Iterator<Item = Element<'_>> {
    let mut rest = xml;
    let mut tags = 0_usize..TAGS_MAX;
    std::iter::from_fn(move || {
        loop {
            tags.next()?;
            let (tag, after) = next_tag(rest)?;
            rest = after;
            if let Some(name) = local_name(tag) {
                let end = after.iter().position(|octet| *octet == b'<').unwrap_or(after.len());
                return Some(Element { name, text: after.get(..end).unwrap_or_default().trim_ascii() });
            }
        }
    })
}

/// Returns what stands between the next `<` and its `>`, and what follows.
fn next_tag(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let open = bytes.iter().position(|octet| *octet == b'<')?;
    let inside = bytes.get(open.checked_add(1)?..)?;
    let close = inside.iter().position(|octet| *octet == b'>')?;
    Some((inside.get(..close)?, inside.get(close.checked_add(1)?..)?))
}

/// Returns the name of the element that the tag begins, without prefix and attributes; `None` for all other tags.
fn local_name(tag: &[u8]) -> Option<&[u8]> {
    let first = *tag.first()?;
    if matches!(first, b'/' | b'?' | b'!') {
        return None;
    }
    let end = tag.iter().position(|octet| octet.is_ascii_whitespace() || *octet == b'/').unwrap_or(tag.len());
    let name = tag.get(..end)?;
    let name = name.rsplit(|octet| *octet == b':').next()?;
    Some(name).filter(|name| !name.is_empty())
}
