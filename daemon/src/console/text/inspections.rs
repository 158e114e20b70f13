//! Inspection campaigns.

use super::Text;

texts! {
    INSPECTION = "安全检查", "Inspection";
    INSPECTIONS = "安全检查", "Inspections";
    INSPECTIONS_HINT = "按清单逐单位检查：各单位以自己的账号回答并提供证据，检查人员记录发现的问题，整改后复查。系统已掌握的情况随答复一并留存。", "A checklist that each unit answers with its own credentials and evidence; what inspectors find is mended and checked again. What onenet knows goes with each answer.";
    INSPECTIONS_NONE = "没有进行中的检查", "No inspection is under way";
    INSPECTIONS_CLOSED = "已结束的检查", "Inspections that are over";
    INSPECTIONS_AWAIT = "有 {} 项安全检查待本单位答复或整改", "Inspections that wait for an answer of your units, or for something to be mended: {}";
    INSPECTION_BY_SITE = "检查单位", "Inspected by";
    INSPECTION_ANSWERED = "已答复", "Answered";
    INSPECTION_FINDINGS_OPEN = "未销号问题", "Findings open";
    INSPECTION_FINDINGS = "发现的问题", "Findings";
    INSPECTION_UNITS = "被检查单位", "Units";
    INSPECTION_CHECKLIST = "检查清单", "Checklist";
    INSPECTION_CSV = "下载全部答复（CSV）", "All answers as a table (CSV)";
    INSPECTION_OPENED = "发起时间", "Opened";
    INSPECTION_ENDED = "结束时间", "Closed";
    INSPECTION_UNANSWERED = "未答复", "Not answered";
    INSPECTION_TO_MEND = "待整改", "To be mended";
    INSPECTION_TO_RECHECK = "待复查", "To be checked again";
    INSPECTION_TO_ANSWER = "待答复", "To be answered";
    INSPECTION_COMPLETE = "已完成", "Complete";
    INSPECTION_PASSED = "复查通过", "In order";
    INSPECTION_NOT_PASSED = "复查未通过", "Not in order";
    INSPECTION_KNOWN = "系统掌握的情况", "What onenet knows";
    INSPECTION_KNOWN_THEN = "答复时系统掌握的情况", "What onenet knew at the answer";
    INSPECTION_KNOWN_HINT = "系统掌握的情况会随答复留存，可以不写说明。", "What onenet knows is kept with the answer; words can be left out.";
    INSPECTION_ANSWER = "单位答复", "The unit's answer";
    INSPECTION_UNDER_ITEM = "检查项 {}", "Item {}";
    INSPECTION_ITEM = "检查项", "Item";
    INSPECTION_VERDICT = "结论", "Verdict";
    INSPECTION_EVIDENCE_FIELD = "证据（每行一件，如文件名、记录编号）", "Evidence, one a line, such as the name of a document";
    INSPECTION_OPEN = "开展一次检查", "Open an inspection";
    INSPECTION_CLOSE = "结束检查", "Close the inspection";
    INSPECTION_TITLE_FIELD = "名称", "Title";
    INSPECTION_SITE_FIELD = "检查单位（区划代码或编号）", "Inspecting site (division code or id)";
    INSPECTION_UNITS_FIELD = "被检查单位（区划代码，每行一个；不填则为检查单位及其下属全部站点）", "Units (division codes, one a line; by default the site and all below it)";
    INSPECTION_STANDARD = "包含等级保护第三级的六项监测要求", "Ask the six monitoring requirements of the third grade";
    INSPECTION_ITEMS_FIELD = "其他检查项（每行一项）", "Further items, one a line";
    COMPLIANCE_FULFILLED = "符合", "Fulfilled";
    COMPLIANCE_PARTLY = "部分符合", "Partly";
    COMPLIANCE_NOT_FULFILLED = "不符合", "Not fulfilled";
    COMPLIANCE_NOT_APPLICABLE = "不适用", "Not applicable";
    DID_REPLY = "答复", "Answer";
    DID_FIND = "记录问题", "Note a finding";
    DID_MEND = "报告整改完成", "Say that it is mended";
    DID_RECHECK = "复查", "Check again";
}
