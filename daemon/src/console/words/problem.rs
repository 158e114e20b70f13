//! What is wrong with a request, in the reader's words.

use super::{
    Language,
    text::{self, Text, fill},
};
use crate::api::Problem;

/// Returns what a page calls a parameter, and what is to be written there.
fn field(parameter: &str) -> (Option<Text>, Text) {
    match parameter {
        "site" => (Some(text::FIELD_SITE), text::WRITE_SITE),
        "from" => (Some(text::FIELD_FROM), text::WRITE_DATE),
        "to" | "until" => (Some(text::FIELD_TO), text::WRITE_DATE),
        "at" | "day" => (Some(text::TIME), text::WRITE_DATE),
        "month" => (Some(text::MONTH), text::WRITE_MONTH),
        "endpoint" => (Some(text::ASK_ENDPOINT), text::WRITE_ADDRESS),
        "peer" => (Some(text::ASK_PEER), text::WRITE_ADDRESS),
        "port" => (Some(text::PORT), text::WRITE_PORT),
        "protocol" => (Some(text::PROTOCOL), text::WRITE_LISTED),
        "application" => (Some(text::APPLICATION), text::WRITE_LISTED),
        "class" => (Some(text::CLASS), text::WRITE_LISTED),
        "layer" => (Some(text::LAYER), text::WRITE_LISTED),
        "standing" | "state" => (Some(text::FIELD_STATE), text::WRITE_LISTED),
        "area" => (Some(text::FIELD_AREA), text::WRITE_AGAIN),
        "source" => (Some(text::RULE_SOURCE), text::WRITE_NET),
        "destination" => (Some(text::RULE_DESTINATION), text::WRITE_NET),
        "hours" => (Some(text::RULE_HOURS), text::WRITE_HOURS),
        "cursor" => (Some(text::FIELD_CURSOR), text::WRITE_AGAIN),
        _ => (None, text::WRITE_OTHERWISE),
    }
}

/// Says what is wrong with a request. The API's own words are English and exact; in Chinese its stable code is what
/// decides. A parameter is called what the page calls its field, with the form that it takes.
pub fn problem(language: Language, problem: &Problem) -> String {
    if let Some(parameter) = problem.parameter.as_deref() {
        let (name, form) = field(parameter);
        let name = name.map_or(parameter, |name| language.of(name));
        return match language {
            Language::Zh => fill(&fill(language.of(text::PROBLEM_PARAMETER), name), language.of(form)),
            Language::En => format!("{name}: {}", problem.detail),
        };
    }
    if language == Language::En {
        return problem.detail.clone();
    }
    let text = match problem.code() {
        "unauthorized" => text::PROBLEM_UNAUTHORIZED,
        "invalid-body" => text::PROBLEM_BODY,
        "conflict" => text::PROBLEM_CONFLICT,
        "too-large" => text::PROBLEM_TOO_LARGE,
        "file-too-large" => text::PROBLEM_FILE_TOO_LARGE,
        "no-room" => text::PROBLEM_NO_ROOM,
        "timed-out" => text::PROBLEM_TIMED_OUT,
        "unavailable" => text::PROBLEM_UNAVAILABLE,
        _ => text::PROBLEM_INTERNAL,
    };
    language.of(text).to_owned()
}
