//! `onenetd cases containment`: what would isolate the endpoint of a case.

use hyper::Method;
use serde_json::Value;

use super::super::{
    DataArgs,
    commands::{CommandError, ask_as, empty, say, text},
};
use crate::access::Role;

/// Prints the proposals of a case.
pub(super) async fn run(case: &str, data: &DataArgs) -> Result<(), CommandError> {
    let path = format!("{}/containment", super::path(case));
    let found = ask_as(data, Role::SecurityReviewer, Method::GET, &path, empty()).await?;
    let found = found.as_array().map(Vec::as_slice).unwrap_or_default();
    if found.is_empty() {
        return say("the case is about no endpoint that is known at its site");
    }
    found.iter().flat_map(lines).try_for_each(|line| say(&line))
}

fn lines(it: &Value) -> Vec<String> {
    let [mac, name] = ["/endpoint/mac", "/endpoint/hostname"].map(|key| text(it, key));
    let place = ["/endpoint/attachment/device_name", "/endpoint/attachment/interface_name"].map(|key| text(it, key));
    let place = place.join(" ");
    let mut lines = vec![format!("{mac}  {name}  {}  {}", place.trim(), text(it, "/syntax"))];
    let list = |key: &str| it.pointer(key).and_then(Value::as_array).into_iter().flatten();
    lines.extend(list("/cautions").map(|caution| format!("  ! {}", text(caution, "/words"))));
    for (what, key) in [("isolate", "/commands"), ("undo", "/undo")] {
        lines.extend(list(key).filter_map(Value::as_str).map(|command| format!("  {what:<8}{command}")));
    }
    lines
}
