//! A centre whose disk is full: one clear message, nothing acknowledged that is not there, and everything back with room.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it fails")]

use std::{path::Path, process::Command as Process, sync::Arc};

use onenet_topology::{
    Timestamp,
    division::Tier,
    site::{SiteKind, SiteName},
};
use onenetd::{
    centre::{Centre, Options},
    ingest::{IntakeError, Outcome},
    record::{Body, Command, NewSite},
};

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
