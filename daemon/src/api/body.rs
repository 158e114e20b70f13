//! What the API says: the shapes of version 1, and how they follow from a view.
//!
//! Invariant: fields are added, never changed or removed; the golden file of the OpenAPI document holds that still. Every
//! time is RFC 3339 in UTC, every name with a unit ends with it. What is not known is `null`, never zero.

mod acceptance;
mod account;
mod address_plan;
mod agent;
mod anomaly;
mod area;
mod asset;
mod availability;
mod case;
mod case_figures;
mod change;
mod classification;
mod contact;
mod containment;
mod detector;
mod device;
mod drill;
mod endpoint;
mod flow;
mod incident;
mod inspection;
mod path;
mod probe;
mod ruling;
mod site;
mod site_history;
mod subnet;
mod terminal;
pub(crate) mod told;
mod usage;

use onenet_topology::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use acceptance::subject as check_subject;
pub use acceptance::{AcceptanceBody, AcceptanceDetailBody, ThresholdsBody};
pub use address_plan::{LookupBody, PlannedBody, SpaceBody};
pub use agent::{
    AgentBody, CaptureBody, CertificateBody, ConditionBody, ConfigurationBody, FindingBody, RevocationBody, RolloutBody,
};
pub(crate) use agent::{agent_state, captures, loss_ratio};
pub use anomaly::{AnomalyBody, AnomalyEvidenceBody, DetectorBody};
pub use area::{AreaBody, MembersBody};
pub use asset::{
    AssetBody, AssetEntryBody, CoverageBody, CoverageDayBody, CoveragePartBody, CoverageReportBody, MonthlyReportBody,
};
pub use availability::{AvailabilityReportBody, FiguresBody, MonthFiguresBody, SiteAvailabilityBody};
pub(crate) use availability::{By, rows as availability_rows};
pub use case::{
    CaseBody, CaseDetailBody, CaseEvidenceBody, CaseFileBody, CaseStepBody, EscalationBody, IssuerBody,
    LostCaptureBody, NoticeAnswerBody, NoticeBody, NoticeDocumentBody, SilencingBody, SuppressionBody,
};
pub use case_figures::{CaseFiguresBody, CaseMonthBody, CaseStatisticsBody, NoticeFiguresBody};
pub use change::{ChangeBody, PictureBody, PictureDeviceBody, PictureEndpointBody, PictureLinkBody};
pub use classification::{ClassBody, ClassificationBody, GroundBody, NameBody, RecognitionBody};
pub use contact::{ContactBody, NoticeContactBody};
pub use containment::{CautionBody, ContainmentBody};
pub use detector::{CentreDetectorBody, CentreThresholdBody};
pub(crate) use device::link_end_name;
pub use device::{DeviceBody, EntityBody, InterfaceBody, LinkBody, LinkEndBody, LinkEvidenceBody};
pub use drill::DrillBody;
pub(crate) use endpoint::station;
pub use endpoint::{
    AddressBody, AttachmentBody, EndpointBody, EndpointDetailBody, PlaceBody, RejectedBody, WitnessBody,
};
pub use flow::{FlowAgentBody, FlowBody, FlowEndBody, FlowsBody, FlowsMissingBody, TcpBody};
pub use incident::{ClueBody, IncidentBody, IncidentDetailBody, MaintenanceBody, SubjectBody, VersionBody};
pub(crate) use inspection::known;
pub use inspection::{
    CheckItemBody, InspectionBody, InspectionDetailBody, InspectionEndBody, ObservationBody, SheetAnswerBody,
    SheetBody, SheetFindingBody, SheetItemBody, SheetStepBody, UnitBody,
};
pub use path::{HopBody, PathBody};
pub use probe::{MeasuredBody, MeasurementBody, ProbeBody, ProbeSampleBody};
pub(crate) use probe::{Shown, loss_ratio as probe_loss_ratio, probes};
pub use ruling::{RuleBody, RulingBody};
pub use site::{Counts, SiteBody, SiteNameBody, TreeBody, named};
pub use site_history::{DatedCodeBody, DatedNameBody, DatedParentsBody, EndedBody, SiteHistoryBody};
pub(crate) use subnet::of_site as subnets_of_site;
pub use subnet::{SubnetBody, SubnetDeviceBody};
pub use terminal::{CardBody, JointBody, TerminalBody};
pub use told::{DeviceDetailBody, OwnAddressBody, QuirkBody, VlanBody};
pub use usage::{
    EndpointApplicationBody, EndpointApplicationsBody, SiteApplicationBody, SiteApplicationsBody, TalkerBody,
    TalkersBody, TotalsBody,
};

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// What to give as `cursor` for the next page; `null` on the last one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Returns a list that is complete.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    /// Takes the first `limit` of `items`; `cursor` names the last one taken when there are more.
    pub fn take(items: impl Iterator<Item = T>, limit: usize, cursor: impl Fn(&T) -> String) -> Self {
        let mut items: Vec<T> = items.take(limit.saturating_add(1)).collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(cursor);
        Self { items, next }
    }
}

/// Returns a time as the API writes it.
pub(crate) fn time(time: Timestamp) -> String {
    time.to_string()
}

/// Returns a number of thousandths as JSON has it. Up to 2^53 it is exact to the last digit.
#[expect(clippy::cast_precision_loss, reason = "no sensor measures to more than fifteen digits")]
pub(crate) fn thousandths(value: i64) -> f64 {
    value as f64 / 1_000.0
}

/// Returns a text, `None` where the source left it blank.
fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_its_next_only_when_there_is_one() {
        let page = |limit| Page::take(1..=3, limit, u32::to_string);
        assert_eq!(page(2), Page { items: vec![1, 2], next: Some("2".into()) });
        assert_eq!(page(3), Page::whole(vec![1, 2, 3]));
    }
}
