//! What would isolate the endpoint of a case.

use super::Text;

texts! {
    CONTAINMENT = "隔离建议", "How it would be isolated";
    CONTAINMENT_HINT = "仅供人员核实后自行执行，本系统不向设备下发任何命令。执行前请与责任单位确认，并保留恢复命令。", "For people to review and carry out; onenet sends nothing to a device. Agree on it with the site first, and keep what undoes it.";
    CONTAINMENT_PLACE = "接入位置", "Plugged in at";
    CONTAINMENT_SYNTAX = "交换机命令格式", "Commands of";
    CONTAINMENT_COMMANDS = "查看命令", "Show the commands";
    CONTAINMENT_ISOLATE = "隔离", "To isolate it";
    CONTAINMENT_UNDO = "恢复", "To undo that";
    CAUTION_DRILL = "这是演练：不要执行。", "This is a drill: do not carry it out.";
    CAUTION_NO_PLACE = "不知道该终端接在哪台交换机上：交换机未被采集，或转发表中没有它。", "No table tells at which switch it is: the switch is not polled, or has forgotten it.";
    CAUTION_NO_PORT = "只知道在这台设备之后，端口无法确定。", "It is behind this device; at which port cannot be told.";
    CAUTION_LAST_KNOWN = "目前转发表中没有它：这是最后一次出现的位置。", "No table has it at present: this is where it was last.";
    CAUTION_UNSURE = "位置是推测，请先现场核实。", "Where it is is a guess: have a look first.";
    CAUTION_WIRELESS = "这是无线终端：请在无线控制器上将其列入黑名单。", "It is a wireless station: block it at its controller.";
    CAUTION_UPLINK = "该端口连接其他网络设备：关闭端口会中断其后所有终端。", "The port leads to other equipment: shutting it cuts off whoever is behind it.";
    CAUTION_SHARED = "同一端口之后还有 {} 个终端：只过滤该 MAC 地址，不关闭端口。", "{} others are behind the same port: drop the address, and do not shut the port.";
    CAUTION_NO_SYNTAX = "未识别出交换机厂商，无法给出命令。", "The maker of the switch was not recognised, so that there are no commands.";
}
