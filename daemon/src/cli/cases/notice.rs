//! A notice of a case, as `onenetd cases show` prints it.

use serde_json::Value;

use super::super::commands::text;

/// Returns a notice in lines: what was told to whom by whom, and what was answered.
pub(super) fn lines(notice: &Value) -> Vec<String> {
    let [number, to, due, sent] = ["/number", "/to", "/due", "/sent"].map(|key| text(notice, key));
    let list = |key: &str| notice.pointer(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let issuer = ["/issuer/unit_name", "/issuer/person", "/issuer/telephone"].map(|key| text(notice, key));
    let issuer: Vec<&str> = issuer.into_iter().filter(|it| !it.is_empty()).collect();
    let mut lines =
        vec![format!("  notice    {number} to {to} of {sent}, to be answered by {due}: {}", text(notice, "/text"))];
    let mut add = |what: &str, said: String| lines.push(format!("            {what:<9} {}", said.trim()));
    if !issuer.is_empty() {
        add("issued by", issuer.join(", "));
        let contacts = list("/contacts");
        for it in contacts {
            add("went to", ["/name", "/role", "/telephone", "/email"].map(|key| text(it, key)).join(" "));
        }
        if contacts.is_empty() {
            add("went to", "nobody: the site had no contacts".to_owned());
        }
    }
    if !text(notice, "/received").is_empty() {
        add("received", format!("{} {}", text(notice, "/received"), text(notice, "/received_by")));
    }
    for it in list("/answers") {
        let is = |key: &str| it.pointer(key) == Some(&Value::Bool(true));
        let late = if is("/late") { ", late" } else { "" };
        let mended = if is("/rectified") { ", mended" } else { "" };
        add("answered", format!("{} {}{mended}{late}: {}", text(it, "/time"), text(it, "/by"), text(it, "/text")));
        if !text(it, "/returned").is_empty() {
            let [time, by, why] = ["/returned", "/returned_by", "/return_reason"].map(|key| text(it, key));
            add("returned", format!("{time} {by}: {why}"));
        }
    }
    lines
}
