use super::*;

#[test]
fn a_reason_is_one_line_of_a_few_words() {
    for good in ["case", "排查外联", "  case 17  ", &"县".repeat(200)] {
        assert!(is_reason(good), "{good}");
    }
    for bad in ["", "abc", "a  b", "case\n17", &"县".repeat(201)] {
        assert!(!is_reason(bad), "{bad}");
    }
}
