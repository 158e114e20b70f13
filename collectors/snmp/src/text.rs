//! Text as devices send it.
//!
//! Invariant: what is returned is one line of printable text without surrounding blanks. UTF-8 is tried first, then
//! GBK (GB 18030), in which Chinese equipment writes descriptions and aliases; what is neither is read as Latin-1.

/// Returns the text of an octet string: a DisplayString (RFC 2579), UTF-8 or GBK. Control characters and line ends
/// become single blanks; trailing zero bytes, which some agents pad with, are left out.
pub fn text_of(octets: &[u8]) -> String {
    let end = octets.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let octets = octets.get(..end).unwrap_or_default();
    let decoded = match std::str::from_utf8(octets) {
        Ok(text) => text.to_owned(),
        Err(_) => match encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(octets) {
            Some(text) => text.into_owned(),
            None => octets.iter().map(|byte| char::from(*byte)).collect(),
        },
    };
    one_line(&decoded)
}

/// Returns whether an octet string is a text in GBK and not in UTF-8.
pub(crate) fn is_gbk(octets: &[u8]) -> bool {
    std::str::from_utf8(octets).is_err()
        && encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(octets).is_some()
}

/// Returns whether every byte can be part of a text: no control characters but blanks and line ends.
pub(crate) fn looks_like_text(octets: &[u8]) -> bool {
    let trimmed = octets.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    octets.iter().take(trimmed).all(|byte| !byte.is_ascii_control() || byte.is_ascii_whitespace())
}

fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_control() || c == ' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn chinese_text_is_read_from_utf_8_and_from_gbk() {
        let gbk = [0xc9, 0xcf, 0xc1, 0xaa, 0xb6, 0xcb, 0xbf, 0xda, b'-', b'1'];
        assert_eq!(text_of(&gbk), "上联端口-1");
        assert_eq!(text_of("上联端口-1".as_bytes()), "上联端口-1");
    }

    #[test]
    fn line_ends_and_padding_do_not_reach_the_reader() {
        assert_eq!(
            text_of(b"S5720-36C-EI-AC \r\nHuawei\tVersatile  Routing\0\0"),
            "S5720-36C-EI-AC Huawei Versatile Routing"
        );
        assert_eq!(text_of(b""), "");
        assert_eq!(text_of(&[0, 0]), "");
    }

    #[test]
    fn bytes_of_no_encoding_are_still_shown() {
        assert_eq!(text_of(&[b'a', 0xff, b'b']), "aÿb");
    }

    proptest! {
        #[test]
        fn any_bytes_give_one_printable_line(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            let text = text_of(&octets);
            prop_assert!(!text.chars().any(char::is_control));
            prop_assert_eq!(text.trim_matches(' '), &text);
        }
    }
}
