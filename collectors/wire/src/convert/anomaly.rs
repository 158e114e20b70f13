//! What detectors found, and what they did.

use onenet_topology::{
    DrillId,
    anomaly::{AnomalyEvidence, AnomalyKey, AnomalyReport, DetectionSample, DetectorSample},
    incident::Severity,
};

use super::check::{self, FromWire, count, enumerated, name, range, text};
use crate::{
    Asker, DrillOrder, Invalid,
    limits::{AGE_MS, DETECTORS, EVIDENCE, NAME_BYTES, SUBJECT_BYTES, TEXT_BYTES, WORD_BYTES},
    v1,
};

/// Returns what a detector found.
pub(super) fn report(it: v1::Anomaly) -> Result<AnomalyReport, Invalid> {
    count("evidence", it.evidence.len(), EVIDENCE)?;
    let evidence = it.evidence.into_iter().enumerate().map(|(index, it)| {
        let is = text("is", it.is, WORD_BYTES).map_err(|e| e.within_element("evidence", index))?;
        let value = text("value", it.value, TEXT_BYTES).map_err(|e| e.within_element("evidence", index))?;
        Ok(AnomalyEvidence { is, value })
    });
    Ok(AnomalyReport {
        key: AnomalyKey {
            kind: text("kind", it.kind, WORD_BYTES)?,
            subject: text("subject", it.subject, SUBJECT_BYTES)?,
        },
        grade: enumerated::<v1::Grade, _>("grade", it.grade)?,
        confidence: u8::try_from(range("confidence", it.confidence, 0, 100)?).unwrap_or(100),
        lasted_ms: range("lasted_ms", it.lasted_ms, 0, AGE_MS)?,
        count: it.count,
        run: it.run,
        evidence: evidence.collect::<Result<_, Invalid>>()?,
        drill: (it.drill != 0).then(|| DrillId::from_raw(it.drill)),
    })
}

/// Returns a drill that the centre asks for.
pub(super) fn drill(it: v1::Drill) -> Result<DrillOrder, Invalid> {
    let asker = Asker {
        principal: text("principal", it.principal, NAME_BYTES)?,
        reason: text("reason", it.reason, TEXT_BYTES)?,
    };
    let report = report(check::required("anomaly", it.anomaly)?).map_err(|e| e.within("anomaly"))?;
    // What is not marked would be taken for found.
    check::required("anomaly.drill", report.drill)?;
    Ok(DrillOrder { asker, report })
}

impl From<&DrillOrder> for v1::Drill {
    fn from(it: &DrillOrder) -> Self {
        Self {
            principal: it.asker.principal.clone(),
            reason: it.asker.reason.clone(),
            anomaly: Some((&it.report).into()),
        }
    }
}

/// Returns what detectors did.
pub(super) fn sample(it: v1::DetectionSample) -> Result<DetectionSample, Invalid> {
    check::count("detectors", it.detectors.len(), DETECTORS)?;
    let detector = |it: v1::DetectorSample| {
        Ok(DetectorSample {
            kind: text("kind", it.kind, WORD_BYTES)?,
            off: name("off", it.off)?,
            last_run_age_ms: it.last_run_age_ms,
            inputs: it.inputs,
            found: it.found,
            evicted: it.evicted,
        })
    };
    let detectors = it.detectors.into_iter().enumerate();
    let detectors =
        detectors.map(|(index, it)| detector(it).map_err(|e: Invalid| e.within_element("detectors", index)));
    Ok(DetectionSample { detectors: detectors.collect::<Result<_, Invalid>>()?, dropped: it.dropped })
}

impl From<&AnomalyReport> for v1::Anomaly {
    fn from(it: &AnomalyReport) -> Self {
        let evidence = it.evidence.iter();
        Self {
            kind: it.key.kind.clone(),
            subject: it.key.subject.clone(),
            grade: v1::Grade::from(it.grade).into(),
            confidence: it.confidence.into(),
            lasted_ms: it.lasted_ms,
            count: it.count,
            run: it.run,
            evidence: evidence.map(|it| v1::AnomalyEvidence { is: it.is.clone(), value: it.value.clone() }).collect(),
            drill: it.drill.map_or(0, DrillId::raw),
        }
    }
}

impl From<&DetectionSample> for v1::DetectionSample {
    fn from(it: &DetectionSample) -> Self {
        let detector = |it: &DetectorSample| v1::DetectorSample {
            kind: it.kind.clone(),
            off: it.off.clone(),
            last_run_age_ms: it.last_run_age_ms,
            inputs: it.inputs,
            found: it.found,
            evicted: it.evicted,
        };
        Self { detectors: it.detectors.iter().map(detector).collect(), dropped: it.dropped }
    }
}

impl From<Severity> for v1::Grade {
    fn from(grade: Severity) -> Self {
        match grade {
            Severity::General => Self::General,
            Severity::Considerable => Self::Considerable,
            Severity::Major => Self::Major,
            Severity::Extraordinary => Self::Extraordinary,
        }
    }
}

impl FromWire<v1::Grade> for Severity {
    fn from_wire(wire: v1::Grade) -> Option<Self> {
        match wire {
            v1::Grade::Unspecified => None,
            v1::Grade::General => Some(Self::General),
            v1::Grade::Considerable => Some(Self::Considerable),
            v1::Grade::Major => Some(Self::Major),
            v1::Grade::Extraordinary => Some(Self::Extraordinary),
        }
    }
}
