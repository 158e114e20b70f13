//! Text from the network, made fit to be kept and shown.

use encoding_rs::GB18030;

/// The longest value that is kept, in bytes: what a DHCP option can hold.
pub(super) const OCTETS_MAX: usize = 255;

/// Returns the text in `value`, `None` when nothing is left of it.
///
/// Hosts with a Chinese code page send GB 18030 where the standards say UTF-8 or ASCII. Padding, white space around the
/// text and everything that could steer a terminal (control and direction characters) is taken out; the rest is cut at
/// 255 bytes.
pub fn printable(value: &[u8]) -> Option<String> {
    let value = value.get(..OCTETS_MAX.saturating_mul(2)).unwrap_or(value);
    let whole = match std::str::from_utf8(value) {
        Ok(text) => text.into(),
        Err(_) => GB18030.decode_without_bom_handling(value).0,
    };
    let mut text: String = whole.chars().filter(|c| !steers(*c)).collect();
    let end = (0..=OCTETS_MAX.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    text.truncate(end);
    let trimmed = text.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_and_the_chinese_code_page_read_alike() {
        assert_eq!(printable("财务-01".as_bytes()).as_deref(), Some("财务-01"));
        assert_eq!(printable(&[0xb2, 0xc6, 0xce, 0xf1, b'-', b'0', b'1']).as_deref(), Some("财务-01"));
    }

    #[test]
    fn nothing_that_steers_a_terminal_or_hides_is_left() {
        assert_eq!(printable(b"\x1b[31mpc\0\0").as_deref(), Some("[31mpc"));
        assert_eq!(printable("pc\u{202e}gnp.exe".as_bytes()).as_deref(), Some("pcgnp.exe"));
        assert_eq!(printable(b"\0\0 \t"), None);
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let text = printable("环".repeat(200).as_bytes()).unwrap();
        assert!(text.len() <= OCTETS_MAX && text.chars().all(|c| c == '环'));
    }
}
