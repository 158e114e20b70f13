//! Contacts of sites, and how a notice gets to them.

use super::Text;

texts! {
    CONTACTS = "联系人", "Contacts";
    CONTACTS_NONE = "未登记联系人：通报不会以邮件送达任何人", "No contacts: nobody is mailed when this site is notified";
    CONTACTS_HINT = "向本站点发出的通报、退回的反馈，以及下级站点逾期上报的事件，均以邮件送达所列联系人。增减联系人记入审计。", "Notices to this site, answers given back to it, and cases that go up to it since a site below is late are mailed to its contacts. Changes are in the audit trail.";
    CONTACT_NAME = "姓名", "Name";
    CONTACT_ROLE = "职务", "Role";
    CONTACT_TELEPHONE = "电话", "Telephone";
    CONTACT_EMAIL = "电子邮箱", "E-mail";
    CONTACT_ADD = "增加联系人", "Add a contact";
    CONTACT_CHANGE = "修改", "Change";
    CONTACT_REMOVE = "删除", "Remove";
    NOTIFYING = "签发通报", "Issue a notice";
    NOTIFYING_HINT = "通报编号后发往责任单位，其联系人收到邮件，并由其在系统中签收、反馈。", "The notice gets a number and goes to the responsible site: its contacts are mailed, and the site receives and answers it here.";
    NOTIFYING_TO = "送达下列联系人", "It goes to these contacts";
    NOTIFYING_NO_CONTACTS = "该站点未登记联系人：通报只在系统内可见，请另行电话告知，并在站点页面登记联系人。", "This site has no contacts: the notice is seen here alone. Call them, and enter contacts on the page of the site.";
    NOTIFYING_NO_EMAIL = "所列联系人均无电子邮箱：通报不会以邮件送达，请电话告知。", "None of them has an address of mail: nobody is mailed, so call them.";
    NOTIFYING_NO_CHANNEL = "中心未配置邮件通道（[[notify]] kind = \"mail\"）：通报不会以邮件送达，请电话告知。", "The centre has no channel of mail ([[notify]] kind = \"mail\"): nobody is mailed, so call them.";
    NOTIFYING_CONTACTS_PAGE = "该站点的联系人", "Contacts of that site";
    NOTIFYING_OTHER = "改为通报其他站点", "Notify another site instead";
    NOTIFYING_NEXT = "下一步", "Go on";
    NOTIFYING_SEND = "签发", "Send it";
    NOTIFYING_PERSON = "签发人", "Issued by (person)";
    NOTIFYING_TELEPHONE = "联系电话", "Telephone to ask at";
    NOTIFYING_TEXT = "通报内容及要求", "What the site is told";
    NOTIFYING_DUE = "反馈期限（不填则按级别规定的时限）", "To be answered by (empty: as its grade wants)";
    NOTIFYING_NOT_NOW = "此事件现在不能通报：先受理并确认级别和分类。", "This case cannot be notified now: take it up, and confirm grade and category first.";
    NOTICES_SENT = "发出通报", "Notices sent";
    NOTICES_IN_TIME = "按期反馈", "Answered in time";
    NOTICES_LATE = "逾期反馈", "Answered late";
    NOTICES_UNANSWERED = "未反馈", "Unanswered";
    MONTH_CASES_HINT = "立案、办结、逾期按当月发生计；通报按发出月份和责任单位计，反馈情况为目前情况。演练和被规则屏蔽的事件不计入。", "Cases count where they were opened, closed or became overdue in the month; notices in the month in which they were sent, at the site that they went to, as they stand now. Drills, and what rules silence, are left out.";
    MONTH_CLOSED_TRUE = "办结：属实", "Closed as true";
    MONTH_CLOSED_BENIGN = "办结：正常行为", "Closed as benign";
    MONTH_CLOSED_FALSE = "办结：误报", "Closed as false";
    MONTH_CASES_OVERDUE = "发生逾期的事件", "Cases that became overdue";
    UNIT = "单位", "Unit";
    UNIT_MONTH = "单位和月份", "Unit and month";
    NOTICE_ANSWERS = "历次反馈", "All answers";
    NOTICE_ABOUT = "所涉事件", "The case";
    NOTICE_AWAITS = "待反馈", "waits for an answer";
    NOTICE_LATE = "逾期未反馈", "not answered in time";
    NOTICE_ENDED = "办结前未反馈", "never answered";
    NOTICE_ANSWERED = "已反馈，未整改", "answered, not mended";
    NOTICE_RECTIFIED = "已整改", "mended";
    NOTICE_RETURNED = "退回（时间、人员、理由）", "Given back (when, by whom, why)";
    NOTICE_WAS_LATE = "逾期", "late";
    NOTICE_NO_CONTACTS = "签发时该单位未登记联系人，未以邮件送达", "The site had no contacts when it was sent: nobody was mailed";
}
