//! Drills.

use super::Text;

texts! {
    DRILL_OPEN = "发起演练", "Open a drill";
    DRILL_HINT = "演练按真实事件的流程办理（含通报、邮件和逾期上报），处处标明“演练”，不计入统计。", "A drill goes the whole way of a case (notices, mail, what is overdue), says everywhere that it is one, and is in no statistics.";
    DRILL_SITE = "站点（代码）", "Site (its code)";
    DRILL_SUBJECT = "对象（不填则为源地址）", "About whom or what (empty: the source)";
    DRILL_SOURCE = "源地址（可不填）", "Source address (may be empty)";
    DRILL_DESTINATION = "目的地址（可不填）", "Destination address (may be empty)";
    DRILL_PORT = "端口（可不填）", "Port (may be empty)";
    DRILL_TEXT = "演练内容", "What is drilled";
}
