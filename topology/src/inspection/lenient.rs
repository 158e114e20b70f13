//! Reading what people and scripts write by hand: null for what is absent, numbers for names, times in several forms.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

use crate::Timestamp;

/// From this number on, a time counts milliseconds: as seconds it would be the year 5138.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// Reads null as what an absent key gives.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Reads a VLAN; 0 stands for none.
pub(super) fn vlan<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u16>, D::Error> {
    match Option::<u16>::deserialize(from)? {
        None | Some(0) => Ok(None),
        Some(vlan @ 1..=4094) => Ok(Some(vlan)),
        Some(other) => Err(de::Error::custom(format_args!("{other} is no VLAN: write 1 to 4094, or null"))),
    }
}

/// Reads a text; a number is one too.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    struct Text;

    impl de::Visitor<'_> for Text {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }

        fn visit_str<E>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }

        fn visit_u64<E>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }

        fn visit_i64<E>(self, number: i64) -> Result<String, E> {
            Ok(number.to_string())
        }

        fn visit_unit<E>(self) -> Result<String, E> {
            Ok(String::new())
        }
    }

    from.deserialize_any(Text)
}

/// Reads a time: RFC 3339, or seconds or milliseconds since 1970.
pub(super) fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    struct Time;

    impl de::Visitor<'_> for Time {
        type Value = Option<Timestamp>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a time after RFC 3339, such as 2026-11-23T08:00:00Z, or seconds or milliseconds since 1970")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            match text.parse() {
                Ok(number) => self.visit_i64(number),
                Err(_) => text.parse().map(Some).map_err(E::custom),
            }
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
            let whole_seconds = number.abs() < MILLISECONDS_FROM;
            let ms = if whole_seconds { number.saturating_mul(1_000) } else { number };
            Ok(Some(Timestamp::from_unix_ms(ms)))
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
            self.visit_i64(i64::try_from(number).unwrap_or(i64::MAX))
        }

        fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
            let seconds = std::time::Duration::try_from_secs_f64(number).map_err(E::custom)?;
            let ms = i64::try_from(seconds.as_millis()).map_err(E::custom)?;
            if ms / 1_000 < MILLISECONDS_FROM {
                return Ok(Some(Timestamp::from_unix_ms(ms)));
            }
            self.visit_i64(ms / 1_000)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }

    from.deserialize_any(Time)
}
