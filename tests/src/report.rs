//! What a scenario or a benchmark tells people: notes, and measured values beside their bounds.
//!
//! Invariant: a value that is judged is printed with its bound; one that is printed without a bound is not judged.

use std::{
    fmt::{Display, Write as _},
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Result, ensure};

/// Whether something failed in this process; a test that returns its error does not panic.
static FAILED: AtomicBool = AtomicBool::new(false);

/// Notes that the test fails, so that programs that end from now on show what they said.
pub fn note_failure() {
    FAILED.store(true, Ordering::Relaxed);
}

/// Returns whether the test failed so far: by a panic, or as [`note_failure`] was told.
pub fn has_failed() -> bool {
    FAILED.load(Ordering::Relaxed) || std::thread::panicking()
}

/// Prints one line about a running scenario, shown by the runner when it fails or is asked for output.
#[expect(clippy::print_stderr, reason = "tests talk to people on standard error")]
pub fn note(line: impl Display) {
    eprintln!("{line}");
}

/// Measured values with their bounds.
#[derive(Debug, Default)]
pub struct Table {
    text: String,
    missed: Vec<String>,
}

impl Table {
    /// Adds a value that must stay below `bound`.
    pub fn below(&mut self, what: &str, measured: f64, bound: f64) {
        let _ = writeln!(self.text, "{what:<44} {measured:>12.0} {bound:>12.0}");
        if measured >= bound {
            self.missed.push(format!("{what}: {measured:.0}, bound {bound:.0}"));
        }
    }

    /// Adds a value that is only shown.
    pub fn shown(&mut self, what: &str, measured: f64) {
        let _ = writeln!(self.text, "{what:<44} {measured:>12.0}");
    }

    /// Prints the table.
    ///
    /// # Errors
    ///
    /// A bound is missed; the message names every one.
    pub fn judge(self) -> Result<()> {
        note(format_args!("{:<44} {:>12} {:>12}\n{}", "", "measured", "bound", self.text));
        ensure!(self.missed.is_empty(), "missed: {}", self.missed.join("; "));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_bound_fails_and_a_shown_value_does_not() {
        let mut table = Table::default();
        table.shown("wall clock (ms)", 1e9);
        table.below("size (bytes)", 10.0, 11.0);
        assert!(table.judge().is_ok());
        let mut table = Table::default();
        table.below("size (bytes)", 11.0, 11.0);
        assert!(table.judge().unwrap_err().to_string().contains("size (bytes): 11, bound 11"));
    }
}
