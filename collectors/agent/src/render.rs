//! Results as tables for people. The JSON forms are the contract; these may change.

mod asked;
mod discovered;
mod flows;
mod inspection;
mod language;
mod probes;
mod replay;
mod status;
mod table;

pub(crate) use discovered::discovered;
pub(crate) use flows::flows;
pub(crate) use inspection::inspection;
pub(crate) use language::Language;
pub(crate) use replay::{anomalies, replay};
pub(crate) use status::{not_running, status};
pub(crate) use table::TextTable;

/// Returns a number of bytes with a binary unit, such as `3.4 MiB`.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let power = (number.ilog2() / 10).clamp(1, 6);
    // Tenths, in whole numbers: one digit behind the point is all that is shown.
    let tenths = (u128::from(number) * 10) >> (10 * power);
    let unit = UNITS.get(power as usize - 1).copied().unwrap_or("EiB");
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// Returns a speed in bits per second with a decimal unit, such as `1 Gbit/s`.
pub(crate) fn bits_per_second(number: u64) -> String {
    match number {
        n if n >= 1_000_000_000 && n % 100_000_000 == 0 => decimal(n / 100_000_000, "Gbit/s"),
        n if n >= 1_000_000 && n % 100_000 == 0 => decimal(n / 100_000, "Mbit/s"),
        n if n >= 1_000 && n % 100 == 0 => decimal(n / 100, "kbit/s"),
        n => format!("{n} bit/s"),
    }
}

/// Returns a span of seconds in its two largest units, such as `3 d 4 h`.
pub(crate) fn seconds(span_s: u64) -> String {
    let (days, hours, minutes, rest) = (span_s / 86_400, span_s / 3_600 % 24, span_s / 60 % 60, span_s % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest} s"),
        (0, 0, _) => format!("{minutes} min {rest} s"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

fn decimal(tenths: u64, unit: &str) -> String {
    if tenths.is_multiple_of(10) {
        format!("{} {unit}", tenths / 10)
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_with_units() {
        assert_eq!([bytes(0), bytes(1023), bytes(1024), bytes(3_580_000)], ["0 B", "1023 B", "1.0 KiB", "3.4 MiB"]);
        assert_eq!(bytes(u64::MAX), "15.9 EiB");
        assert_eq!(bits_per_second(1_000_000_000), "1 Gbit/s");
        assert_eq!(bits_per_second(2_500_000_000), "2.5 Gbit/s");
        assert_eq!(bits_per_second(10_000_000), "10 Mbit/s");
        assert_eq!(bits_per_second(56_123), "56123 bit/s");
        assert_eq!(
            [seconds(59), seconds(61), seconds(3_700), seconds(90_061)],
            ["59 s", "1 min 1 s", "1 h 1 min", "1 d 1 h"]
        );
    }
}
