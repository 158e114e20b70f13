//! Availability, the acceptance test, and what the monthly report says of incidents.

use super::Text;

texts! {
    AVAILABILITY = "可用率", "Availability";
    AVAILABILITY_HINT = "可用率 = 正常和劣化时间 ÷ 已知时间。无法判断的时间单列为未知，不算正常；计划维护时间不计。已知时间不足 95 % 的不给出可用率，写作“数据不足”并注明已知比例，也不与上月比较。", "Availability is up and degraded time as a part of the known time. What nobody could tell is unknown and never counts as up; planned maintenance is left out. Where less than 95 % of the time is known there is no figure but “too little known” with the known share, and no comparison.";
    LATE_HINT = "最近九天的数据可能因补传和补录而修正", "late measurements and maintenances revise the last nine days";
    NO_AVAILABILITY = "这段时间没有可用率数据。", "Nothing is known of these days.";
    DAYS_KNOWN = "天数", "Days";
    HOW_MANY = "数量", "Number";
    BY_DAY = "按天", "By day";
    DOWN_TIME = "中断时间", "Down";
    UNKNOWN_SHARE = "未知", "Unknown";
    TOO_LITTLE_KNOWN = "数据不足（已知 {}）", "too little known ({})";
    IN_MAINTENANCE = "计划维护", "Planned";
    LAYER = "层级", "Layer";
    LAYER_MINISTRY_PROVINCE = "部—省", "Ministry–province";
    LAYER_PROVINCE_CITY = "省—市", "Province–city";
    LAYER_CITY_COUNTY = "市—县", "City–county";
    WAY_UP = "上联链路", "Way up";
    THIS_SITE = "本站点", "This site";
    WORST_SITES = "可用率最低的站点", "Worst sites";
    NO_WORST_SITES = "没有站点中断过。", "No site was down.";
    TIME_BEFORE = "上月时长", "Time before";
    TIME_LOST = "本月时长", "Time lost";
    ALL_INCIDENTS = "全部故障", "All incidents";
    PLANNED_INCIDENTS = "计划维护期间", "Within planned maintenance";
    LONGEST_INCIDENT = "最长的故障", "The longest";
    MONTH_INCIDENTS_HINT = "故障计入其持续的每个月，时长只算当月部分；计划维护期间的单列。", "An incident counts in each month that it falls into, with its time in that month; those within planned maintenance are counted apart.";
    NOTHING_WATCHED = "没有数据", "nothing known";
}
