//! Files of a case: who attaches them when, their bounds, and how they are written.

use super::*;
use crate::case::{
    CASE_FILES_MAX, CaseFile, FILE_BYTES_MAX, FileHash, LostCapture, NOTICE_FILES_MAX, file_name, media_of,
};

fn attach(case: &Case, file: NewFile, of_unit: bool) -> Result<Case, ActError> {
    act(case, 200, CaseAction::AttachFile { file, of_unit })
}

#[test]
fn a_file_is_attached_once_with_its_hash_and_the_story_tells_it() {
    let case = attach(&opened(), file(1), false).unwrap();
    let CaseFile { file: kept, by, notice, .. } = &case.files[0];
    assert_eq!((kept, by.as_str(), *notice), (&file(1), "li.wei", None));
    let step = case.steps.last().unwrap();
    assert_eq!((step.did.as_str(), step.state), ("attach_file", CaseState::New));
    assert!(step.text.contains("photo.jpg") && step.text.contains(&"01".repeat(32)), "{}", step.text);
    let renamed = NewFile { name: "again.jpg".into(), ..file(1) };
    assert_eq!(attach(&case, renamed, false), Err(ActError::FileThere("photo.jpg".into())));
    let closed = act(&case, 300, close(CaseVerdict::Benign)).unwrap();
    assert_eq!(attach(&closed, file(2), false).unwrap().files.len(), 2, "what comes late still belongs to it");
}

#[test]
fn a_unit_attaches_to_its_notice_until_the_case_is_closed_and_not_before_it_has_one() {
    assert!(matches!(attach(&opened(), file(1), true), Err(ActError::State { .. })));
    let case = attach(&notified(), file(1), true).unwrap();
    assert_eq!(case.files[0].notice, Some(case.notices[0].number));
    assert_eq!(case.due, notified().due, "it is no answer");
    let both = attach(&case, file(1), false).unwrap();
    assert_eq!(both.files.len(), 2, "what the reviewers have tells a unit nothing");
    let rectified = act(&both, 300, answer(true)).unwrap();
    let shown = attach(&rectified, file(3), true).unwrap();
    let closed = act(&shown, 400, close(CaseVerdict::True)).unwrap();
    assert!(matches!(attach(&closed, file(4), true), Err(ActError::State { .. })));
}

#[test]
fn files_are_bounded_those_of_a_unit_apart() {
    let mut case = notified();
    for n in 0..u8::try_from(NOTICE_FILES_MAX).unwrap() {
        case = attach(&case, file(n), true).unwrap();
    }
    assert_eq!(attach(&case, file(99), true), Err(ActError::FilesFull));
    for n in 0..u8::try_from(CASE_FILES_MAX - NOTICE_FILES_MAX).unwrap() {
        case = attach(&case, file(n), false).unwrap();
    }
    assert_eq!(attach(&case, file(200), false), Err(ActError::FilesFull));
    let large = |n| NewFile { bytes: FILE_BYTES_MAX, ..file(n) };
    let full = (0..8).fold(opened(), |case, n| attach(&case, large(n), false).unwrap());
    assert_eq!(attach(&full, file(9), false), Err(ActError::FilesFull));
    let too_large = NewFile { bytes: FILE_BYTES_MAX + 1, ..file(1) };
    assert_eq!(attach(&opened(), too_large, false), Err(ActError::FilesFull));
}

#[test]
fn a_file_has_a_plain_name_and_a_content_type_of_the_list() {
    for (given, kept) in [
        ("C:\\Users\\li\\照片.JPG", Some("照片.JPG")),
        ("../../etc/passwd", Some("passwd")),
        ("a\u{202e}gpj.exe\r\n", Some("agpj.exe")),
        ("..", None),
        (" \t", None),
    ] {
        assert_eq!(file_name(given).as_deref(), kept, "{given:?}");
    }
    let long = format!("{}.pcapng", "长".repeat(300));
    assert!(file_name(&long).is_some_and(|name| name.ends_with(".pcapng") && name.chars().count() == 120));
    assert_eq!(media_of("image/JPEG; q=1", "x"), "image/jpeg");
    assert_eq!(media_of("text/html", "x.html"), UNKNOWN_MEDIA);
    assert_eq!(media_of("", "trace.PCAPNG"), "application/vnd.tcpdump.pcap");
    for wrong in [NewFile { name: "a/b".into(), ..file(1) }, NewFile { media: "text/html".into(), ..file(1) }] {
        assert_eq!(attach(&opened(), wrong, false), Err(ActError::FileName));
    }
}

#[test]
fn a_row_of_an_older_version_has_no_files_and_reads_back_as_it_was() {
    let text = serde_json::to_string(&opened()).unwrap();
    assert!(!text.contains("files") && !text.contains("lost"), "{text}");
    assert_eq!(serde_json::from_str::<Case>(&text).unwrap(), opened());
    let case = attach(&notified(), file(1), true).unwrap();
    let lost = LostCapture { name: "a.pcapng".into(), why: "gone".into() };
    let case = act(&case, 300, CaseAction::MissCapture { lost }).unwrap();
    assert_eq!(serde_json::from_str::<Case>(&serde_json::to_string(&case).unwrap()).unwrap(), case);
    assert!("00".repeat(32).parse::<FileHash>().is_ok() && "0g".repeat(32).parse::<FileHash>().is_err());
}
