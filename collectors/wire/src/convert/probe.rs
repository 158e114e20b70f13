//! Probes and what they measured.

use onenet_topology::{Probe, ProbeSample, ProbeTest, fact::ItemKey};

use super::check::{self, enumerated, name, text};
use crate::{
    Invalid, MeasureQuery,
    limits::{LAST_WALL_MS, TEXT_BYTES},
    v1,
};

/// Returns the probe.
pub(super) fn probe(it: v1::Probe) -> Result<Probe, Invalid> {
    Ok(Probe {
        name: name("name", it.name)?,
        target: name("target", it.target)?,
        kind: enumerated::<v1::ProbeKind, _>("kind", it.kind)?,
        role: enumerated::<v1::ProbeRole, _>("role", it.role)?,
        site: name("site", it.site)?,
        state: enumerated::<v1::ProbeState, _>("state", it.state)?,
        detail: text("detail", it.detail, TEXT_BYTES)?,
    })
}

/// Returns the key of a probe.
pub(super) fn key(it: v1::Probe) -> Result<ItemKey, Invalid> {
    name("name", it.name).map(|name| ItemKey::Probe { name })
}

/// Returns what a probe measured.
pub(super) fn sample(it: v1::ProbeSample) -> Result<ProbeSample, Invalid> {
    let ends = it.certificate_ends_ms;
    Ok(ProbeSample {
        name: name("name", it.name)?,
        test: test(it.test)?.unwrap_or_default(),
        interval_ms: it.interval_ms,
        sent: it.sent,
        lost: check::range("lost", it.lost, 0, it.sent)?,
        duplicated: it.duplicated,
        reordered: it.reordered,
        round_trip_min_us: it.round_trip_min_us,
        round_trip_median_us: it.round_trip_median_us,
        round_trip_p95_us: it.round_trip_p95_us,
        round_trip_max_us: it.round_trip_max_us,
        jitter_us: it.jitter_us,
        lost_out: it.lost_out,
        lost_back: it.lost_back,
        delay_out_us: it.delay_out_us,
        delay_back_us: it.delay_back_us,
        jitter_out_us: it.jitter_out_us,
        jitter_back_us: it.jitter_back_us,
        path_mtu: it.path_mtu,
        mos_centi: it.mos_centi,
        rate_sent_kbit: it.rate_sent_kbit,
        rate_out_kbit: it.rate_out_kbit,
        rate_back_kbit: it.rate_back_kbit,
        certificate_ends_ms: ends.map(|ms| check::range("certificate_ends_ms", ms, 0, LAST_WALL_MS)).transpose()?,
    })
}

/// Returns the sort of test; `None` where none is named.
fn test(it: i32) -> Result<Option<ProbeTest>, Invalid> {
    if it == 0 { Ok(None) } else { enumerated::<v1::ProbeTest, _>("test", it).map(Some) }
}

/// Returns the question for a test.
pub(super) fn measure(it: v1::MeasureQuery) -> Result<MeasureQuery, Invalid> {
    Ok(MeasureQuery {
        principal: name("principal", it.principal)?,
        probe: name("probe", it.probe)?,
        test: enumerated::<v1::ProbeTest, _>("test", it.test)?,
        kbit_per_s: it.kbit_per_s,
        seconds: it.seconds,
    })
}

impl From<&MeasureQuery> for v1::MeasureQuery {
    fn from(it: &MeasureQuery) -> Self {
        Self {
            principal: it.principal.clone(),
            probe: it.probe.clone(),
            test: v1::ProbeTest::from(it.test).into(),
            kbit_per_s: it.kbit_per_s,
            seconds: it.seconds,
        }
    }
}

impl From<&Probe> for v1::Probe {
    fn from(it: &Probe) -> Self {
        Self {
            name: it.name.clone(),
            target: it.target.clone(),
            kind: v1::ProbeKind::from(it.kind).into(),
            role: v1::ProbeRole::from(it.role).into(),
            site: it.site.clone(),
            state: v1::ProbeState::from(it.state).into(),
            detail: it.detail.clone(),
        }
    }
}

impl From<&ProbeSample> for v1::ProbeSample {
    fn from(it: &ProbeSample) -> Self {
        Self {
            name: it.name.clone(),
            interval_ms: it.interval_ms,
            sent: it.sent,
            lost: it.lost,
            duplicated: it.duplicated,
            reordered: it.reordered,
            round_trip_min_us: it.round_trip_min_us,
            round_trip_median_us: it.round_trip_median_us,
            round_trip_p95_us: it.round_trip_p95_us,
            round_trip_max_us: it.round_trip_max_us,
            jitter_us: it.jitter_us,
            lost_out: it.lost_out,
            lost_back: it.lost_back,
            delay_out_us: it.delay_out_us,
            delay_back_us: it.delay_back_us,
            jitter_out_us: it.jitter_out_us,
            jitter_back_us: it.jitter_back_us,
            path_mtu: it.path_mtu,
            mos_centi: it.mos_centi,
            certificate_ends_ms: it.certificate_ends_ms,
            test: if it.test == ProbeTest::Regular { 0 } else { v1::ProbeTest::from(it.test).into() },
            rate_sent_kbit: it.rate_sent_kbit,
            rate_out_kbit: it.rate_out_kbit,
            rate_back_kbit: it.rate_back_kbit,
        }
    }
}
