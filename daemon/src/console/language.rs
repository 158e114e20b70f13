//! Which of the two languages a page is in.

use super::text::Text;

/// A language of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Chinese.
    Zh,
    /// English.
    En,
}

impl Language {
    /// Returns the tag for `lang=` (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// Returns the word for `?lang=` and the cookie.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// Returns the other language.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Zh => Self::En,
            Self::En => Self::Zh,
        }
    }

    /// Returns a text of the catalogue in this language.
    pub const fn of(self, text: Text) -> &'static str {
        match self {
            Self::Zh => text.zh,
            Self::En => text.en,
        }
    }

    /// Returns the language of a word such as `zh`, `zh-CN` or `en-GB`.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        match primary.to_ascii_lowercase().as_str() {
            "zh" => Some(Self::Zh),
            "en" => Some(Self::En),
            _ => None,
        }
    }
}

/// Chooses the language: what the address asks for, else the cookie, else what the browser prefers (RFC 9110, 12.5.4),
/// else Chinese.
pub fn negotiate(asked: Option<&str>, cookie: Option<&str>, accept_language: Option<&str>) -> Language {
    let chosen = asked.and_then(Language::from_tag).or_else(|| cookie.and_then(Language::from_tag));
    chosen.or_else(|| accept_language.and_then(preferred)).unwrap_or(Language::Zh)
}

/// Returns the known language of the greatest weight, the first among equals.
fn preferred(header: &str) -> Option<Language> {
    let mut best: Option<(f32, Language)> = None;
    for range in header.split(',').take(32) {
        let mut parts = range.split(';').map(str::trim);
        let Some(language) = parts.next().and_then(Language::from_tag) else { continue };
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0));
        if weight > 0.0 && best.is_none_or(|(known, _)| weight > known) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_wins_over_the_cookie_and_the_cookie_over_the_browser() {
        let accept = Some("en-GB,en;q=0.9,zh;q=0.8");
        assert_eq!(negotiate(None, None, accept), Language::En);
        assert_eq!(negotiate(None, Some("zh"), accept), Language::Zh);
        assert_eq!(negotiate(Some("en"), Some("zh"), None), Language::En);
        assert_eq!(negotiate(Some("fr"), None, Some("de, zh-TW;q=0.3, en;q=0.2")), Language::Zh);
        assert_eq!(negotiate(None, None, Some("fr;q=1, en;q=0")), Language::Zh);
    }
}
