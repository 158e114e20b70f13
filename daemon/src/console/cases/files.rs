//! Files of a case: the list, the form that brings one, and the list in a notice.

use std::{str::FromStr as _, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use onenet_topology::{
    CaseId,
    case::{Case, CaseFile, Notice, NoticeNumber, media_of},
};

use crate::{
    access::{Action, View},
    api::{App, Problem, attach_case_file, may_attach_case_file, named_case_file, pass_over},
    console::{
        Reader,
        multipart::Multipart,
        parts,
        text::{self, Text},
        trouble,
    },
};

/// What the case has, and the forms that bring more.
pub(super) fn section(app: &App, reader: &Reader, view: &View, case: &Case) -> Markup {
    let files: Vec<&CaseFile> = view.files(case).collect();
    let forms = forms(app, reader, view, case);
    let lost = if view.may(Action::ReadFlows, case.key.site) { &case.lost[..] } else { &[] };
    if files.is_empty() && lost.is_empty() && forms.0.is_empty() {
        return parts::nothing();
    }
    html! {
        h2 #files { (reader.say(text::CASE_FILES)) }
        (table(reader, case, &files, true))
        @if !lost.is_empty() {
            p.hint { (reader.say(text::CASE_LOST_CAPTURES)) }
            ul { @for it in lost { li { code { (it.name) } " · " (it.why) } } }
        }
        (forms)
    }
}

/// The files that are part of a notice: those that came with it, and those of the reviewers.
pub(super) fn of_notice(reader: &Reader, view: &View, case: &Case, notice: &Notice) -> Markup {
    let own = |it: &&CaseFile| it.notice.is_none_or(|number| number == notice.number);
    let files: Vec<&CaseFile> = view.files(case).filter(own).collect();
    html! {
        @if !files.is_empty() {
            h2 { (reader.say(text::CASE_FILES)) }
            (table(reader, case, &files, false))
        }
    }
}

/// The files; on paper a link leads nowhere.
fn table(reader: &Reader, case: &Case, files: &[&CaseFile], linked: bool) -> Markup {
    let columns = [
        text::CASE_FILE,
        text::CASE_FILE_SIZE,
        text::CASE_BY,
        text::CASE_FILE_TIME,
        text::CASE_NOTICE,
        text::CASE_FILE_HASH,
    ];
    html! {
        @if !files.is_empty() {
            div.scroll { table {
                (parts::head(reader, &columns, 0))
                tbody { @for it in files { (row(reader, case, it, linked)) } }
            } }
        }
    }
}

fn row(reader: &Reader, case: &Case, it: &CaseFile, linked: bool) -> Markup {
    let file = &it.file;
    html! {
        tr {
            th.words scope="row" {
                @if linked {
                    a href=(format!("/api/v1/cases/{}/evidence/{}", case.id, file.hash)) download { (file.name) }
                } @else { (file.name) }
                @if file.fetched { " " span.sub { (reader.say(text::CASE_FILE_FETCHED)) } }
            }
            td { (parts::bytes(file.bytes)) }
            td { @if file.fetched { (reader.say(text::CASE_BY_CENTRE)) } @else { (it.by) } }
            td { (parts::moment(it.time)) }
            td { (parts::or_dash(it.notice.map(|number| number.to_string()).as_deref())) }
            td.long { code { (file.hash) } }
        }
    }
}

/// A form for whoever reviews the case, and one for each notice of the reader's units that nobody has judged.
fn forms(app: &App, reader: &Reader, view: &View, case: &Case) -> Markup {
    let reviews = view.may(Action::ReviewCases, case.key.site);
    let own = |it: &&Notice| it.ended.is_none() && view.may(Action::AnswerCases, it.to);
    let own: Vec<&Notice> = case.notices.iter().filter(own).collect();
    if reader.form.is_empty() || !reviews && own.is_empty() {
        return parts::nothing();
    }
    if app.centre.replication().is_some() {
        return html! { p.hint { (reader.say(text::CASE_FILES_NOT_HERE)) } };
    }
    html! {
        div.sheet.acts {
            @if reviews { (form(reader, case, None)) }
            @for notice in own { (form(reader, case, Some(notice.number))) }
        }
        p.hint { (reader.say(text::CASE_FILES_HINT)) }
    }
}

fn form(reader: &Reader, case: &Case, notice: Option<NoticeNumber>) -> Markup {
    let name: Text = text::DID_ATTACH_FILE;
    let id = notice.map_or_else(|| "file".to_owned(), |number| format!("file-{number}"));
    html! {
        details.act {
            summary { (reader.say(name)) @if let Some(number) = notice { " " (number) } }
            // What is not the file stands in front of it: it is read while the file still comes.
            form.act method="post" action=(format!("/cases/{}/evidence", case.id)) enctype="multipart/form-data" {
                input type="hidden" name="form" value=(reader.form);
                @if let Some(number) = notice { input type="hidden" name="notice" value=(number); }
                label for=(id) { (reader.say(text::CASE_FILE_CHOOSE)) }
                input id=(id) type="file" name="file" required;
                button type="submit" { (reader.say(name)) }
            }
        }
    }
}

/// Takes a file that a form brings, and shows the case again.
pub(in crate::console) async fn attach(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(case): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let language = reader.language;
    let mut form = match Multipart::new(&headers, body.into_data_stream()) {
        Ok(form) => form,
        Err(problem) => return trouble(language, &problem),
    };
    match brought(&app, &reader, &case, &mut form).await {
        Ok(id) => Redirect::to(&format!("/cases/{id}#files")).into_response(),
        Err(problem) => {
            pass_over(form.rest()).await;
            trouble(language, &problem)
        }
    }
}

async fn brought(app: &Arc<App>, reader: &Reader, case: &str, form: &mut Multipart) -> Result<CaseId, Problem> {
    let (mut is_ours, mut notice) = (false, None);
    let file = loop {
        let field = form.field().await?;
        let field = field.ok_or_else(|| Problem::parameter("file", "is missing: choose one"))?;
        match (field.name.as_str(), field.file) {
            ("file", Some(name)) => break (name, field.media),
            ("form", None) => is_ours = !reader.form.is_empty() && form.text().await? == reader.form,
            ("notice", None) => {
                let number = NoticeNumber::from_str(&form.text().await?);
                notice = Some(number.map_err(|error| Problem::parameter("notice", error.to_string()))?);
            }
            _ => {}
        }
    };
    // Another site's form must not act in his name.
    if !is_ours {
        return Err(Problem::forbidden(reader.say(text::FORM_STALE)));
    }
    let (name, media) = file;
    let name = named_case_file(&name)?;
    let gate = reader.gate.clone().for_change();
    let bringing = may_attach_case_file(app, &gate, case, notice)?;
    let media = media_of(&media, &name);
    attach_case_file(app, &gate, bringing, (&name, media), form.file()).await
}
