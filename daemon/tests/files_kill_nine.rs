//! A centre that is killed -9 while files are attached to a case, also between a file and the record that names it: what was acknowledged
//! is there, each file that a case names is whole, and nothing else lies beside the store.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it fails")]

#[path = "support/kill.rs"]
mod kill;

use std::{env, fs, path::Path, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use http_body_util::BodyExt as _;
use hyper::{Method, Request, StatusCode};
use onenet_topology::{
    CaseId, Timestamp,
    division::Tier,
    incident::Severity,
    site::{SiteKind, SiteName},
};
use onenetd::{
    api::{self, App, LOCAL_ROLE_HEADER, Peer},
    centre::{Centre, Options},
    clock::Clock,
    ingest::Outcome,
    record::{Command, NewSite},
};
use tower::ServiceExt as _;

const CHILD: &str = "ONENET_TEST_FILES_KILL_NINE_DATA";
const ROUNDS: usize = 24;
/// Files of a case before another one is opened: below what it may have.
const PER_CASE: usize = 50;

#[test]
fn files_survive_kill_nine_and_none_is_named_that_is_not_there() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Ok(data) = env::var(CHILD) {
        runtime.block_on(attach_for_ever(Path::new(&data)));
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut orphans) = (0_usize, 0);
    for round in 0..ROUNDS {
        let test = "files_survive_kill_nine_and_none_is_named_that_is_not_there";
        let moment = (3 + round % 3, Duration::from_micros(u64::try_from(round).unwrap() * 230));
        kill::after(test, (CHILD, data.path()), moment, |said| acknowledged = said.parse().unwrap());
        let left = there(data.path());
        let named = runtime.block_on(check(data.path()));
        assert!(named == acknowledged || named == acknowledged + 1, "{named} of {acknowledged} acknowledged are there");
        assert_eq!(there(data.path()), named, "nothing else lies there");
        orphans += left - named;
    }
    // Whether a kill hits that moment is chance; what it leaves is looked at by a test of the folder itself.
    eprintln!("{orphans} files were between the disk and their record");
}

fn there(data: &Path) -> usize {
    fs::read_dir(data.join("files")).unwrap().count()
}

async fn opened(data: &Path) -> (Centre, Router) {
    let centre = Centre::open(data, Options::default()).await.unwrap();
    let app = Arc::new(App::new(centre.clone(), Clock::system(), 1 << 20, false));
    (centre, api::router(app, Duration::from_secs(60)))
}

async fn ask(router: &Router, method: Method, path: &str, body: String) -> (StatusCode, Vec<u8>) {
    let request = Request::builder().method(method).uri(path).header(LOCAL_ROLE_HEADER, "security-reviewer");
    let mut request = request.body(Body::from(body)).unwrap();
    request.extensions_mut().insert(Peer::Local);
    let answer = router.clone().oneshot(request).await.unwrap();
    (answer.status(), answer.into_body().collect().await.unwrap().to_bytes().to_vec())
}

/// Reads every file that a case names. Returns how many there are.
async fn check(data: &Path) -> usize {
    let (centre, router) = opened(data).await;
    let estate = centre.estate();
    let mut count = 0;
    for case in estate.cases.all.values() {
        for it in &case.files {
            let path = format!("/api/v1/cases/{}/evidence/{}", case.id, it.file.hash);
            let (status, content) = ask(&router, Method::GET, &path, String::new()).await;
            assert_eq!(status, StatusCode::OK, "{}: {}", it.file.name, String::from_utf8_lossy(&content));
            assert_eq!(String::from_utf8(content).unwrap(), content_of(&it.file.name));
            count += 1;
        }
    }
    centre.stop().await;
    count
}

fn content_of(name: &str) -> String {
    format!("content of {name}\n").repeat(2_000)
}

/// The child: attaches one file after the other.
async fn attach_for_ever(data: &Path) {
    let (centre, router) = opened(data).await;
    loop {
        let estate = centre.estate();
        let done: usize = estate.cases.all.values().map(|case| case.files.len()).sum();
        let last = estate.cases.all.values().next_back().filter(|case| case.files.len() < PER_CASE).map(|case| case.id);
        let case = match last {
            Some(case) => case,
            None => another_case(&centre, done).await,
        };
        let name = format!("{done}.txt");
        let path = format!("/api/v1/cases/{case}/evidence?name={name}");
        let (status, answer) = ask(&router, Method::POST, &path, content_of(&name)).await;
        assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&answer));
        kill::acknowledge(format_args!("{}", done + 1));
    }
}

async fn another_case(centre: &Centre, number: usize) -> CaseId {
    let known = centre.estate().tree.iter().next().map(|site| site.id);
    let site = if let Some(site) = known {
        site
    } else {
        let (kind, name, from) = (SiteKind::Division, SiteName::new("部", ""), Timestamp::EPOCH);
        let site = NewSite { tier: Tier::Ministry, kind, code: "000000".into(), name, parents: Vec::new(), from };
        let added = centre.submit(Command::AddSite(site), "wang").await;
        let Ok(Outcome::SiteAdded(site)) = added else { panic!("no site") };
        site
    };
    let (source, destination, port) = (None, None, None);
    let (kind, subject, text) = ("port_scan".to_owned(), format!("host {number}"), "drill".to_owned());
    let (grade, began) = (Severity::General, Timestamp::EPOCH);
    let drill = Command::Drill { site, kind, subject, grade, began, text, source, destination, port };
    match centre.submit(drill, "wang").await.unwrap() {
        Outcome::CaseOpened(case) => case,
        other => panic!("{other:?}"),
    }
}
