//! Drills.

use super::Text;

texts! {
    DRILLS = "演练记录", "Drills";
    DRILL_OPEN = "发起演练", "Order a drill";
    DRILL_HINT = "异常由站点的采集器按演练上报，故障在中心标为演练，均按真实事件的流程办理（含通报、邮件和逾期上报），处处标明“演练”，不计入统计。采集器不在线时，一天之内待其恢复后上报。", "An anomaly is told of by the site's agent as a drill, an incident is marked as one at the centre. Both go the whole way of a case (notices, mail, what is overdue), say everywhere that they are drills, and are in no statistics. An agent that is not connected is asked when it is back, within a day.";
    DRILL_SITE = "站点（代码）", "Site (its code)";
    DRILL_SUBJECT = "对象（不填则为源地址；故障为上级站点、采集器、设备或服务）", "About whom or what (empty: the source; of an incident the upper site, agent, device or service)";
    DRILL_SOURCE = "源地址（可不填）", "Source address (may be empty)";
    DRILL_DESTINATION = "目的地址（可不填）", "Destination address (may be empty)";
    DRILL_PORT = "端口（可不填）", "Port (may be empty)";
    DRILL_MINUTES = "故障持续分钟数（不填则为 30）", "Minutes that an incident lasts (empty: 30)";
    DRILL_AT_CENTRE = "在中心模拟，不经采集器", "Put it in at the centre, not by the agent";
    DRILL_TEXT = "演练内容", "What is drilled";
    DRILL_TIMES = "演练用时", "How the drill went";
    DRILL_ORDERED = "下达", "Ordered";
    DRILL_INJECTED = "注入", "Put in";
    DRILL_FOUND_AT = "中心发现", "Found at the centre";
    DRILL_DETECTED = "发现用时", "Time to detect";
    DRILL_ACKNOWLEDGED = "受理时间", "Taken up at";
    DRILL_CLOSED = "办结时间", "Closed at";
    DRILL_BY_CENTRE = "中心", "the centre";
    DRILL_WAITING = "待采集器注入", "waits for the agent";
    DRILL_UNDER_WAY = "已注入，上报途中", "put in, on its way";
    DRILL_FOUND = "已发现，办理中", "found, its case is open";
    DRILL_OVER = "已结束", "over";
    DRILL_FAILED = "未执行", "nothing became of it";
}
