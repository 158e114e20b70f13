//! What people would say of speech over a way: the E-model (ITU-T G.107) with its default values.
//!
//! R = 93.2 - Idd - Ie,eff. 93.2 is what the defaults of G.107 leave before delay and loss. Idd is the impairment by delay alone
//! (G.107, 7.4): echo counts as cancelled. Ie,eff is that of codec and loss (7.5) with Ie 0 and Bpl 25.1, G.711 with concealment
//! (G.113, appendix I), and losses taken as random (BurstR 1). The mean opinion score follows from R (annex B).

/// R of the default values, without delay and loss.
const R_DEFAULT: f64 = 93.2;
/// Equipment impairment of G.711.
const IE: f64 = 0.0;
/// Its robustness against loss of packets, with concealment.
const BPL: f64 = 25.1;

/// Returns the mean opinion score in hundredths, 100 to 450; `delay_us` from mouth to ear, `loss` from 0 to 1.
pub fn mos_centi(delay_us: u64, loss: f64) -> u32 {
    let r = R_DEFAULT - by_delay(milliseconds(delay_us)) - by_loss(loss.clamp(0.0, 1.0) * 100.0);
    let mos = if r <= 0.0 {
        1.0
    } else if r >= 100.0 {
        4.5
    } else {
        1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped before")]
    let centi = (mos * 100.0).round().clamp(100.0, 450.0) as u32;
    centi
}

fn by_delay(ms: f64) -> f64 {
    if ms <= 100.0 {
        return 0.0;
    }
    let x = (ms / 100.0).log2();
    25.0 * ((1.0 + x.powi(6)).powf(1.0 / 6.0) - 3.0 * (1.0 + (x / 3.0).powi(6)).powf(1.0 / 6.0) + 2.0)
}

fn by_loss(percent: f64) -> f64 {
    IE + (95.0 - IE) * percent / (percent + BPL)
}

#[expect(clippy::cast_precision_loss, reason = "a delay is far below 2^53 microseconds")]
const fn milliseconds(us: u64) -> f64 {
    us as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_the_model() {
        // R 93.2; R 93.2 - 15.8 at 5 in a hundred lost; R 93.2 - 75.9 where everything is lost: 17.26, whose score is
        // 1 + 0.604 - 0.427. Idd is 8.92 at 250 ms (G.107, 7.4).
        assert_eq!(mos_centi(20_000, 0.0), 441);
        assert_eq!(mos_centi(20_000, 0.05), 392);
        assert!((by_delay(250.0) - 8.92).abs() < 0.02, "{}", by_delay(250.0));
        assert_eq!(mos_centi(20_000, 1.0), 118);
        assert_eq!(mos_centi(10_000_000, 1.0), 100);
    }

    #[test]
    fn more_delay_or_loss_is_never_better() {
        let mut last = 451;
        for step in 0..100_u32 {
            let score = mos_centi(u64::from(step) * 10_000, f64::from(step) / 200.0);
            assert!(score <= last, "{score} after {last}");
            last = score;
        }
    }
}
