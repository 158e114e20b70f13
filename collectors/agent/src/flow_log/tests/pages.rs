//! Questions and pages.

use std::cell::Cell;

use onenet_topology::flow::FlowsMissingReason;

use super::*;

fn ip(prefix: &str) -> FlowParty {
    FlowParty::Ip(prefix.parse().unwrap())
}

fn mac(last: u8) -> FlowParty {
    FlowParty::Mac(MacAddr([2, 0, 0, 0, 0, last]))
}

fn filled(count: u64) -> (TempDir, Writer, Vec<Flow>) {
    let folder = TempDir::new().unwrap();
    let mut writer = open(&folder, 1, 0);
    let flows = flows(0..count);
    writer.append(flows.clone()).unwrap();
    writer.tick(at(10_000)).unwrap();
    (folder, writer, flows)
}

#[test]
fn flows_are_found_by_endpoint_peer_port_protocol_application_and_time() {
    let (folder, _writer, flows) = filled(500);
    let queries = [
        all(),
        FlowQuery { endpoint: Some(mac(7)), ..all() },
        FlowQuery { endpoint: Some(ip("10.0.0.7/32")), ..all() },
        FlowQuery { endpoint: Some(ip("10.0.2.0/24")), ..all() },
        FlowQuery { endpoint: Some(ip("10.0.0.0/22")), peer: Some(ip("10.0.12.101/32")), ..all() },
        FlowQuery { endpoint: Some(mac(102)), peer: Some(mac(14)), ..all() },
        FlowQuery { port: Some(53), ..all() },
        FlowQuery { port: Some(40_123), ..all() },
        FlowQuery { protocol: Some(17), ..all() },
        FlowQuery { application: Some(Application::Tls), port: Some(443), ..all() },
        FlowQuery { from: at(20_000), until: at(30_000), ..all() },
        FlowQuery { from: at(20_000), until: at(21_000), endpoint: Some(mac(103)), ..all() },
    ];
    for query in queries {
        let expected = latest_first(&flows, &query);
        assert!(!expected.is_empty(), "{query:?}");
        assert_eq!(found(&folder, &query, 10_000), expected, "{query:?}");
        assert_eq!(found(&folder, &query, 7), expected, "{query:?}, by pages");
    }
    for nothing in [
        FlowQuery { endpoint: Some(mac(99)), ..all() },
        FlowQuery { endpoint: Some(ip("10.9.0.0/16")), ..all() },
        FlowQuery { protocol: Some(1), ..all() },
        FlowQuery { application: Some(Application::Smb), ..all() },
        FlowQuery { port: Some(80), ..all() },
        FlowQuery { from: at(900_000), ..all() },
    ] {
        assert_eq!(found(&folder, &nothing, 10), [], "{nothing:?}");
    }
}

#[test]
fn a_page_says_how_far_back_the_log_reaches_and_what_lies_before_it() {
    let (folder, mut writer, _) = filled(100);
    writer.append(vec![flow(7, 3 * 86_400_000)]).unwrap();
    writer.tick(at(20_000)).unwrap();
    let page = page_of(&folder, &FlowQuery { limit: 3, ..all() }, None, 50);
    let oldest = flows(0..100).iter().map(|flow| flow.end).min();
    assert_eq!((page.flows.len(), page.ended, page.kept_from, page.days), (3, FlowPageEnd::Limit, oldest, 3));
    let [missing] = &page.missing[..] else { panic!("{:?}", page.missing) };
    assert_eq!(missing.reason, FlowsMissingReason::BeforeTheLog);
    assert_eq!((missing.from, Some(missing.until), missing.flows), (Timestamp::from_unix_ms(0), oldest, None));
    let page = page_of(&folder, &FlowQuery { from: at(5_000), ..all() }, None, 500);
    assert_eq!((page.ended, page.missing), (FlowPageEnd::All, vec![]));
}

#[test]
fn an_empty_log_says_that_it_is_empty_and_no_log_that_there_is_none() {
    let folder = TempDir::new().unwrap();
    let limits = PageLimits { flows: 10, fits: &|_| true, go: &|| Go::On };
    let error = page(&folder.path().join("flows"), &all(), None, &limits).unwrap_err();
    assert!(matches!(error, FlowLogError::NoLog { .. }) && error.to_string().contains("--data"), "{error}");
    let _writer = open(&folder, 1, 0);
    let page = page_of(&folder, &all(), None, 10);
    assert_eq!((page.flows.len(), page.kept_from, page.days, page.ended), (0, None, 0, FlowPageEnd::All));
    assert_eq!(page.missing[0].reason, FlowsMissingReason::BeforeTheLog);
}

#[test]
fn reading_on_shows_each_flow_once_while_the_log_grows_and_expires() {
    let (folder, mut writer, before) = filled(800);
    let mut left = latest_first(&before, &all());
    let (mut after, mut grown, mut expired) = (None, 800, 0);
    loop {
        let page = page_of(&folder, &all(), after, 23);
        for flow in &page.flows {
            // What came after the first question may be among those that are read later, since flows end late.
            if let Some(place) = left.iter().position(|it| it == flow) {
                let skipped = &left[..place];
                assert!(skipped.iter().all(|it| it.bytes_out < expired), "a flow was left out or came twice");
                left.remove(place);
            } else {
                assert!(!before.contains(flow), "a flow came twice");
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
        writer.append(flows(grown..grown + 60)).unwrap();
        grown += 60;
        writer.tick(at(i64::try_from(grown * 1_000).unwrap())).unwrap();
        if grown == 1_400 {
            let [oldest, next, ..] = &files(&folder, "flows")[..] else { panic!("one segment") };
            std::fs::remove_file(oldest).unwrap();
            expired = u64::from_str_radix(next.file_stem().unwrap().to_str().unwrap(), 16).unwrap() - 1;
        }
    }
    assert!(expired > 0 && left.iter().all(|flow| flow.bytes_out < expired), "only what expired is missing");
}

#[test]
fn a_question_whose_time_is_up_gets_a_page_and_gets_further_each_time() {
    let (folder, _writer, flows) = filled(600);
    let query = FlowQuery { endpoint: Some(mac(7)), ..all() };
    let limits = PageLimits { flows: 1_000, fits: &|_| true, go: &|| Go::EndPage };
    let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = page(&folder.path().join("flows"), &query, after, &limits).unwrap();
        pages += 1;
        found.extend(page.flows);
        match page.ended {
            FlowPageEnd::Time => assert!(after != page.next),
            ended => assert_eq!((ended, page.next), (FlowPageEnd::All, None)),
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert!(pages > 3, "{pages} pages");
    assert_eq!(found, latest_first(&flows, &query));
}

#[test]
fn a_question_that_nobody_waits_for_ends_at_the_next_block() {
    let (folder, _writer, _) = filled(600);
    let asked = Cell::new(0);
    let go = || {
        asked.set(asked.get() + 1);
        if asked.get() > 3 { Go::Stop } else { Go::On }
    };
    let limits = PageLimits { flows: 1_000, fits: &|_| true, go: &go };
    let error = page(&folder.path().join("flows"), &all(), None, &limits).unwrap_err();
    assert!(matches!(error, FlowLogError::Cancelled), "{error}");
    assert_eq!(asked.get(), 4);
}

#[test]
fn a_page_has_as_many_flows_as_fit_an_answer_and_one_at_the_least() {
    let (folder, _writer, flows) = filled(300);
    let expected = latest_first(&flows, &all());
    for most in [0, 1, 2, 37] {
        let fits = |page: &FlowPage| page.flows.len() <= most;
        let limits = PageLimits { flows: 100, fits: &fits, go: &|| Go::On };
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = page(&folder.path().join("flows"), &all(), after, &limits).unwrap();
            assert!(page.flows.len() <= most.max(1));
            found.extend(page.flows);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "at most {most}");
    }
}

#[test]
fn a_cursor_of_another_log_is_refused() {
    let (folder, writer, _) = filled(100);
    let cursor = page_of(&folder, &all(), None, 10).next.unwrap();
    drop(writer);
    std::fs::remove_dir_all(folder.path().join("flows")).unwrap();
    let mut writer = Writer::open_shaped(config(folder.path()), shape(), [78, 2], at(0)).unwrap();
    writer.append(flows(0..100)).unwrap();
    let limits = PageLimits { flows: 10, fits: &|_| true, go: &|| Go::On };
    let error = page(&folder.path().join("flows"), &all(), Some(cursor), &limits).unwrap_err();
    assert!(matches!(error, FlowLogError::AnotherLog), "{error}");
}

#[test]
fn times_are_those_of_the_centre_also_of_what_was_logged_before_the_centre_told_the_time() {
    const AHEAD_MS: i64 = -56 * 365 * 86_400_000;
    let folder = TempDir::new().unwrap();
    // A box whose clock begins in 1970: first a run that never reaches the centre, then one that does after a while.
    let wrong = |numbers| -> Vec<Flow> {
        let shift = |flow: Flow| Flow { start: flow.start.plus_ms(AHEAD_MS), end: flow.end.plus_ms(AHEAD_MS), ..flow };
        flows(numbers).into_iter().map(shift).collect()
    };
    let mut writer = open(&folder, 1, AHEAD_MS);
    writer.append(wrong(0..40)).unwrap();
    writer.close().unwrap();
    let mut writer = open(&folder, 2, AHEAD_MS);
    writer.append(wrong(100..1_500)).unwrap();
    writer.tick(at(AHEAD_MS + 5_000)).unwrap();
    let recent = FlowQuery { from: at(0), ..all() };
    assert_eq!(found(&folder, &recent, 5_000), [], "nobody knows better yet");
    writer.set_ahead(AHEAD_MS);
    writer.append(wrong(1_500..1_520)).unwrap();
    writer.tick(at(AHEAD_MS + 8_000)).unwrap();
    let expected = latest_first(&flows(100..1_520), &all());
    assert_eq!(found(&folder, &recent, 5_000), expected);
    assert_eq!(page_of(&folder, &all(), None, 1).kept_from, expected.iter().map(|flow| flow.end).min());
    drop(writer);
    drop(open(&folder, 3, AHEAD_MS));
    assert_eq!(found(&folder, &recent, 50), expected, "after a kill");
}
