//! Rules that silence cases.

use super::Text;

texts! {
    RULES = "屏蔽规则", "Rules that silence";
    RULES_HINT = "被屏蔽的发现照常保存并注明规则，可在此计数；规则到期后仍在持续的，自动立案。", "What a rule silences is kept, names the rule and is counted here; what still goes on when the rule is over becomes a case.";
    RULES_NONE = "没有生效的规则", "No rule is in force";
    RULES_OVER = "已失效的规则", "Rules that are over";
    RULE_SILENCES = "屏蔽内容", "What is silenced";
    RULE_SILENCED = "已屏蔽", "Silenced";
    RULE_OWNER = "负责人", "Who answers for it";
    RULE_REASON = "理由", "Why";
    RULE_UNTIL = "有效期至", "Until";
    RULE_UNTIL_FIELD = "有效期至（当日零时，最长一年）", "Until (the beginning of that day, within a year)";
    RULE_MADE_BY = "设立人", "Made by";
    RULE_ENDED_BY = "提前结束：", "ended by";
    RULE_END = "结束", "End it";
    RULE_MAKE = "设立规则", "Make a rule";
    RULE_MAKE_HINT = "各项同时满足才屏蔽；类型、对象、来源、目的、端口至少写一项。不写站点即对全网生效，需要全网权限。", "A finding is silenced where all of this is true of it; give at least a kind, a subject, a source, a destination or a port. Without a site the rule holds everywhere, which takes the right to review cases everywhere.";
    RULE_SUBJECT_FIELD = "对象（须与事件所示完全一致）", "Subject (word for word as the case shows it)";
    RULE_SITE_FIELD = "站点（编号或区划代码，含其下级）", "Site (id or division code), with everything below it";
    RULE_SOURCE = "来源", "Source";
    RULE_SOURCE_FIELD = "来源（地址或网段）", "Source (an address or a prefix)";
    RULE_DESTINATION = "目的", "Destination";
    RULE_DESTINATION_FIELD = "目的（地址或网段）", "Destination (an address or a prefix)";
    RULE_PORT = "目的端口", "Destination port";
    RULE_HOURS = "时段", "Hours";
    RULE_HOURS_FIELD = "时段（北京时间，如 22:00-06:00）", "Hours (China time, such as 22:00-06:00)";
    NO_CHOICE = "不选", "none";
    WRITE_NET = "请写 IP 地址或网段", "write an IP address or a prefix";
    WRITE_HOURS = "请写成 22:00-06:00 的形式", "write it as 22:00-06:00";
}
