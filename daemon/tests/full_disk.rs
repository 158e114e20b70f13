//! A centre whose disk is full: one clear message, nothing acknowledged that is not there, and everything back with room.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it fails")]

use std::{fs, io::Write as _, path::Path, process::Command as Process, sync::Arc, time::Duration};

use axum::body::Body as HttpBody;
use http_body_util::BodyExt as _;
use hyper::{Request, StatusCode};
use onenet_topology::{
    Timestamp,
    division::Tier,
    incident::Severity,
    site::{SiteKind, SiteName},
};
use onenetd::{
    api::{self, App, LOCAL_ROLE_HEADER, Peer},
    centre::{Centre, Options},
    clock::Clock,
    ingest::{IntakeError, Outcome},
    record::{Body, Command, NewSite},
};
use tower::ServiceExt as _;

/// A small file system of its own, gone with the test.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new(megabytes: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let size = format!("size={megabytes}m");
        run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs"], directory.path());
        Self(directory)
    }

    fn grow(&self, megabytes: u32) {
        run("mount", &["-o", &format!("remount,size={megabytes}m")], self.0.path());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        run("umount", &["-l"], self.0.path());
    }
}

fn run(program: &str, arguments: &[&str], path: &Path) {
    assert!(Process::new(program).args(arguments).arg(path).status().unwrap().success());
}

fn command(command: Command) -> Body {
    Body::Command { by: "test".into(), command: Arc::new(command) }
}

fn add_site() -> Body {
    command(Command::AddSite(NewSite {
        tier: Tier::Ministry,
        kind: SiteKind::Division,
        code: "000000".into(),
        name: SiteName::new("部", "Ministry"),
        parents: Vec::new(),
        from: Timestamp::EPOCH,
    }))
}

/// Two kilobytes that tell their number.
fn configuration(number: u32) -> String {
    format!("# {number:08} ").repeat(190)
}

#[tokio::test]
#[ignore = "needs root: mounts a small file system"]
async fn a_full_disk_is_told_with_its_remedy_and_loses_nothing_that_was_acknowledged() {
    let disk = SmallDisk::new(6);
    let data = disk.0.path().join("data");
    let centre = Centre::open(&data, Options::default()).await.unwrap();
    let intake = centre.intake();
    let Ok(Outcome::SiteAdded(site)) = intake.submit(add_site()).await else { panic!("no site") };
    let configure = |number| command(Command::Configure { site, toml: configuration(number) });
    let mut acknowledged = 0;
    let error = loop {
        match intake.submit(configure(acknowledged + 1)).await {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 20_000, "the disk does not fill up");
    };
    let IntakeError::Store(message) = &error else { panic!("{error}") };
    assert!(message.contains("make room on the disk"), "{message}");
    assert!(centre.health().store_failure.is_some());
    assert!(intake.submit(configure(0)).await.is_err(), "nothing more is taken in");
    let toml = |centre: &Centre| centre.estate().configurations.get(&site).unwrap().toml.to_string();
    assert_eq!(toml(&centre), configuration(acknowledged), "what is not on disk is not shown either");
    centre.stop().await;
    drop((centre, intake));

    disk.grow(64);
    let again = Centre::open(&data, Options::default()).await.unwrap();
    // The last one may have reached the disk without its answer: then it is there, whole.
    let found = toml(&again);
    assert!([configuration(acknowledged), configuration(acknowledged + 1)].contains(&found), "{acknowledged}: {found}");
    again.intake().submit(configure(acknowledged + 2)).await.unwrap();
    assert_eq!(toml(&again), configuration(acknowledged + 2));
    again.stop().await;
}

#[test]
#[ignore = "needs root: mounts a small file system"]
fn a_daemon_whose_disk_was_full_can_be_read_until_there_is_room_and_ends_then_to_be_started_again() {
    let disk = SmallDisk::new(24);
    let data = disk.0.path().join("data");
    let elsewhere = tempfile::tempdir().unwrap();
    let config = elsewhere.path().join("onenetd.toml");
    let text = format!(
        "data_dir = \"{}\"\n[collectors]\nlisten = \"127.0.0.1:0\"\n[api]\nlisten = \"127.0.0.1:0\"\nplain_http = true\n",
        data.display()
    );
    fs::write(&config, text).unwrap();
    let onenetd = |arguments: &[&str]| {
        let mut command = Process::new(env!("CARGO_BIN_EXE_onenetd"));
        command.args(arguments).arg("--config").arg(&config);
        command
    };
    let create = |name: &str| {
        onenetd(&["token", "create", name, "--role", "system-administrator"]).output().unwrap().status.success()
    };
    let log = elsewhere.path().join("log");
    let to_log = || fs::File::options().create(true).append(true).open(&log).unwrap();
    let mut daemon = onenetd(&["serve"]).stdout(to_log()).stderr(to_log()).spawn().unwrap();
    let mut wait = |what: &str, until: &mut dyn FnMut(&mut std::process::Child) -> bool| {
        for _ in 0..1_200 {
            if until(&mut daemon) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = daemon.kill();
        panic!("{what}: {}", fs::read_to_string(&log).unwrap_or_default());
    };
    wait("the daemon does not start", &mut |_| data.join("onenetd.sock").exists());
    assert!(create("before"));
    let fill = disk.0.path().join("fill");
    let mut file = fs::File::create(&fill).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    // As long as it is open its room is taken.
    drop(file);
    // What the store had set aside is used up first.
    let mut number = 0;
    wait("the store does not fail", &mut |_| {
        number += 1;
        !create(&format!("full-{number}")) && fs::read_to_string(&log).unwrap().contains("the store failed")
    });
    let read = onenetd(&["token", "list"]).output().unwrap();
    assert!(read.status.success(), "nobody can look: {}", String::from_utf8_lossy(&read.stderr));
    fs::remove_file(&fill).unwrap();
    let mut status = None;
    wait("the daemon does not end", &mut |daemon| {
        status = daemon.try_wait().unwrap();
        status.is_some()
    });
    assert_eq!(status.and_then(|status| status.code()), Some(1), "systemd starts again what fails");
    assert!(create("after"), "the store opened again takes records");
    let log = fs::read_to_string(&log).unwrap();
    assert!(log.matches("No space left on device").count() < 8, "it is said once, not each second: {log}");
}

#[tokio::test]
#[ignore = "needs root: mounts a small file system"]
async fn a_file_that_the_disk_has_no_room_for_is_refused_whole_and_attached_once_there_is() {
    let disk = SmallDisk::new(24);
    let data = disk.0.path().join("data");
    let centre = Centre::open(&data, Options::default()).await.unwrap();
    let Ok(Outcome::SiteAdded(site)) = centre.intake().submit(add_site()).await else { panic!("no site") };
    let drill = Command::Drill {
        site,
        kind: "port_scan".into(),
        subject: "host".into(),
        grade: Severity::General,
        began: Timestamp::EPOCH,
        text: "drill".into(),
        source: None,
        destination: None,
        port: None,
    };
    let Ok(Outcome::CaseOpened(case)) = centre.submit(drill, "test").await else { panic!("no case") };
    let app = Arc::new(App::new(centre.clone(), Clock::system(), 1 << 20, false));
    let router = api::router(app, Duration::from_secs(60));
    let attach = async || {
        let path = format!("/api/v1/cases/{case}/evidence?name=large.bin");
        let request = Request::builder().method("POST").uri(path).header(LOCAL_ROLE_HEADER, "security-reviewer");
        let mut request = request.body(HttpBody::from(vec![7; 6 << 20])).unwrap();
        request.extensions_mut().insert(Peer::Local);
        let answer = router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        (status, String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap())
    };
    // Room for the store, and not for the file: whether the disk ends while it comes, or is known to be short before.
    let fill = disk.0.path().join("fill");
    let free = |path: &Path| {
        let told = Process::new("df").args(["--output=avail", "-B1"]).arg(path).output().unwrap();
        String::from_utf8_lossy(&told.stdout).lines().nth(1).unwrap().trim().parse::<usize>().unwrap()
    };
    for left in [4 << 20, 512 << 10] {
        fs::write(&fill, vec![0; free(disk.0.path()) - left]).unwrap();
        let (status, told) = attach().await;
        assert_eq!(status, StatusCode::INSUFFICIENT_STORAGE, "{told}");
        assert!(told.contains("make room") && told.contains("nothing was attached"), "{told}");
        assert_eq!(fs::read_dir(data.join("files")).unwrap().count(), 0, "nothing half attached");
        assert!(centre.estate().cases.all[&case].files.is_empty() && centre.health().store_failure.is_none());
        fs::remove_file(&fill).unwrap();
    }
    let (status, told) = attach().await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_eq!(centre.estate().cases.all[&case].files.len(), 1);
    centre.stop().await;
}
