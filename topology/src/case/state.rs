//! How far a case is, how it ended, and what sort of event it was: the words.

use serde::{Deserialize, Serialize};

/// How far a case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// A rule says that nobody need look at it.
    Silenced,
    /// Nobody has taken it up.
    New,
    /// Somebody has.
    Acknowledged,
    /// Somebody finds out what it is.
    UnderReview,
    /// The responsible unit was told.
    Notified,
    /// The responsible unit says that it has mended it.
    Rectified,
    /// It is over.
    Closed(CaseVerdict),
}

/// What a case was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseVerdict {
    /// What was found was there, and should not have been.
    True,
    /// What was found was there, and is as it should be.
    Benign,
    /// What was found was not there.
    False,
    /// It was a drill.
    Drill,
}

/// What sort of event it is, after GB/T 20986-2023.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// 恶意程序.
    MaliciousProgram,
    /// 网络攻击.
    NetworkAttack,
    /// 数据安全.
    DataSecurity,
    /// 信息内容安全.
    ContentSecurity,
    /// 设备设施故障.
    EquipmentFailure,
    /// 违规操作.
    ViolationOfRules,
    /// 安全隐患.
    HiddenDanger,
    /// 异常行为.
    AbnormalBehaviour,
    /// 不可抗力.
    ForceMajeure,
    /// 其他.
    Other,
}

impl CaseState {
    /// The states, the closed ones as one.
    pub const NAMES: [&str; 7] = ["silenced", "new", "acknowledged", "under_review", "notified", "rectified", "closed"];

    /// Returns the name used in the API and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Silenced => "silenced",
            Self::New => "new",
            Self::Acknowledged => "acknowledged",
            Self::UnderReview => "under_review",
            Self::Notified => "notified",
            Self::Rectified => "rectified",
            Self::Closed(_) => "closed",
        }
    }

    /// Returns whether somebody still has to do something.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Silenced | Self::Closed(_))
    }

    /// Returns what it was found to be, once it is closed.
    pub const fn verdict(self) -> Option<CaseVerdict> {
        match self {
            Self::Closed(verdict) => Some(verdict),
            _ => None,
        }
    }
}

impl CaseVerdict {
    /// Every verdict.
    pub const ALL: [Self; 4] = [Self::True, Self::Benign, Self::False, Self::Drill];

    /// Returns the name used in the API and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::Benign => "benign",
            Self::False => "false",
            Self::Drill => "drill",
        }
    }
}

impl Category {
    /// Every category, in the order of the standard.
    pub const ALL: [Self; 10] = [
        Self::MaliciousProgram,
        Self::NetworkAttack,
        Self::DataSecurity,
        Self::ContentSecurity,
        Self::EquipmentFailure,
        Self::ViolationOfRules,
        Self::HiddenDanger,
        Self::AbnormalBehaviour,
        Self::ForceMajeure,
        Self::Other,
    ];

    /// Returns the name used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MaliciousProgram => "malicious_program",
            Self::NetworkAttack => "network_attack",
            Self::DataSecurity => "data_security",
            Self::ContentSecurity => "content_security",
            Self::EquipmentFailure => "equipment_failure",
            Self::ViolationOfRules => "violation_of_rules",
            Self::HiddenDanger => "hidden_danger",
            Self::AbnormalBehaviour => "abnormal_behaviour",
            Self::ForceMajeure => "force_majeure",
            Self::Other => "other",
        }
    }
}
