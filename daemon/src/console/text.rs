//! Every text of the console, in Chinese and English.
//!
//! Invariant: a text has both languages or does not compile; nothing that a person reads in the console is written
//! anywhere else, except what devices and agents say themselves.

/// One text in both languages. `{}` stands for a value; see [`fill`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
}

impl Text {
    const fn new(zh: &'static str, en: &'static str) -> Self {
        assert!(!zh.is_empty() && !en.is_empty(), "a text needs both languages");
        Self { zh, en }
    }
}

/// Returns the text with its first `{}` replaced by `value`.
pub fn fill(text: &str, value: impl std::fmt::Display) -> String {
    text.replacen("{}", &value.to_string(), 1)
}

macro_rules! texts {
    ($($id:ident = $zh:literal, $en:literal;)*) => {
        $(
            // As code: a text may name a table of a configuration in brackets, which is no link.
            #[doc = concat!("`", $en, "`")]
            pub const $id: Text = Text::new($zh, $en);
        )*

        /// Every text with its name, for the tests.
        #[cfg(test)]
        pub(super) const ALL: &[(&str, Text)] = &[$((stringify!($id), $id)),*];
    };
}

mod acceptance;
mod availability;
mod cases;
mod contacts;
mod containment;
mod coverage;
mod drills;
mod evidence;
mod general;
mod incidents;
mod inspection;
mod inspections;
mod means;
mod suppressions;
mod troubles;

pub use acceptance::*;
pub use availability::*;
pub use cases::*;
pub use contacts::*;
pub use containment::*;
pub use coverage::*;
pub use drills::*;
pub use evidence::*;
pub use general::*;
pub use incidents::*;
pub use inspection::*;
pub use inspections::*;
pub use means::*;
pub use suppressions::*;
pub use troubles::*;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_in_its_language_and_takes_the_same_values_in_both() {
        let ideograph = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        let all = [
            general::ALL,
            troubles::ALL,
            coverage::ALL,
            incidents::ALL,
            availability::ALL,
            acceptance::ALL,
            cases::ALL,
            drills::ALL,
            evidence::ALL,
            inspection::ALL,
            inspections::ALL,
            means::ALL,
            suppressions::ALL,
            contacts::ALL,
            containment::ALL,
        ];
        for (id, text) in all.into_iter().flatten() {
            assert!(!text.en.chars().any(ideograph), "{id} has Chinese in English");
            assert!(
                text.zh.chars().any(ideograph) || text.zh == text.en || text.zh.contains("{}"),
                "{id}: {}",
                text.zh
            );
            assert_eq!(text.zh.matches("{}").count(), text.en.matches("{}").count(), "{id} takes different values");
        }
    }

    #[test]
    fn a_value_is_filled_in_once() {
        assert_eq!(fill(SECONDS.en, 5), "5 s");
        assert_eq!(fill(AGO.zh, "{}"), "{}前");
    }
}
