//! ARCHITECTURE.md's rules that a machine can check: who may use whom, and what stays in one place.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns each workspace crate's dependencies: those that it is built with, those of its tests apart.
fn built_with() -> Result<BTreeMap<String, BTreeSet<String>>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let mut crates = BTreeMap::new();
    for package in metadata["packages"].as_array().context("no packages")? {
        let dependencies = package["dependencies"].as_array().context("no dependencies")?;
        let built = dependencies.iter().filter(|one| one["kind"].as_str() != Some("dev"));
        let names = built.filter_map(|one| one["name"].as_str()).map(str::to_owned).collect();
        crates.insert(package["name"].as_str().context("no name")?.to_owned(), names);
    }
    Ok(crates)
}

/// Returns the Rust sources below a folder of the repository with their text, by path relative to the root.
fn sources(folder: &str) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(dir) = folders.pop() {
        for entry in fs::read_dir(&dir).with_context(|| format!("read {}", dir.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root())?.to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path)?));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Returns the product's sources: everything but this crate.
fn product() -> Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    for folder in ["topology/src", "daemon/src"] {
        all.extend(sources(folder)?);
    }
    for library in ["config", "wire", "snmp", "capture", "probe", "detection", "agent"] {
        all.extend(sources(&format!("collectors/{library}/src"))?);
    }
    Ok(all)
}

fn files_that_name(sources: &[(String, String)], word: &str) -> BTreeSet<String> {
    let naming = |text: &str| text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(word));
    sources.iter().filter(|(_, text)| naming(text)).map(|(name, _)| name.clone()).collect()
}

#[test]
fn our_crates_use_each_other_in_one_direction_only() -> Result<()> {
    let allowed = BTreeMap::from([
        ("onenet-topology", BTreeSet::from([])),
        ("onenet-config", BTreeSet::from([])),
        ("onenet-wire", BTreeSet::from(["onenet-topology"])),
        ("onenet-snmp", BTreeSet::from(["onenet-topology", "onenet-wire", "onenet-config"])),
        ("onenet-capture", BTreeSet::from(["onenet-topology", "onenet-wire"])),
        ("onenet-probe", BTreeSet::from(["onenet-topology", "onenet-wire"])),
        ("onenet-detection", BTreeSet::from(["onenet-topology"])),
        (
            "onenet-agent",
            BTreeSet::from([
                "onenet-topology",
                "onenet-wire",
                "onenet-config",
                "onenet-snmp",
                "onenet-capture",
                "onenet-probe",
                "onenet-detection",
            ]),
        ),
        (
            "onenetd",
            BTreeSet::from(["onenet-topology", "onenet-wire", "onenet-config", "onenet-detection", "onenet-agent"]),
        ),
        ("onenet-country", BTreeSet::from(["onenet-topology", "onenet-wire"])),
    ]);
    let crates = built_with()?;
    for (name, allowed) in &allowed {
        let built_with = crates.get(*name).with_context(|| format!("{name} is not in the workspace"))?;
        let ours: BTreeSet<_> = built_with.iter().map(String::as_str).filter(|one| crates.contains_key(*one)).collect();
        ensure!(ours.is_subset(allowed), "{name} uses {:?}", ours.difference(allowed).collect::<Vec<_>>());
    }
    Ok(())
}

#[test]
fn topology_and_detection_are_pure() -> Result<()> {
    let crates = built_with()?;
    let pure = [("onenet-topology", "topology/src"), ("onenet-detection", "collectors/detection/src")];
    for (name, folder) in pure {
        let allowed = BTreeSet::from(["ipnetwork", "jiff", "onenet-topology", "serde", "thiserror"].map(String::from));
        let used = crates.get(name).with_context(|| format!("{name} is not in the workspace"))?;
        ensure!(used.is_subset(&allowed), "{name} uses {:?}", used.difference(&allowed).collect::<Vec<_>>());
        names_no_world(&sources(folder)?)?;
    }
    Ok(())
}

fn names_no_world(sources: &[(String, String)]) -> Result<()> {
    for word in ["std::net::Tcp", "std::net::Udp", "std::thread", "std::fs", "std::env::", "::now()"] {
        let found = files_that_name(sources, word);
        ensure!(found.is_empty(), "{word} in {found:?}");
    }
    Ok(())
}

#[test]
fn only_quickstart_starts_an_agent_in_the_daemons_process() -> Result<()> {
    const QUICKSTART: &str = "daemon/src/bin/onenetd/quickstart";
    // It writes the manual of both programs from their command lines, and knows no more of an agent.
    const PAPERS: &str = "daemon/src/bin/onenetd/papers.rs";
    let sources = sources("daemon/src")?;
    // An import of the whole crate has no path behind its name.
    let naming = |krate: &str| {
        let mut found = files_that_name(&sources, &format!("{krate}::"));
        found.extend(files_that_name(&sources, &format!("use {krate}")));
        found
    };
    let found = naming("onenet_agent");
    ensure!(found.iter().any(|name| name.starts_with(QUICKSTART)), "the rule looks at the wrong place: {found:?}");
    let papers = sources.iter().find(|(name, _)| name == PAPERS).map(|(_, text)| text.as_str()).unwrap_or_default();
    let (all, command_line) = (papers.matches("onenet_agent::"), papers.matches("onenet_agent::cli::Cli"));
    ensure!(all.count() == command_line.count(), "{PAPERS} knows more of an agent than its command line");
    let elsewhere: Vec<_> = found.iter().filter(|name| !name.starts_with(QUICKSTART) && *name != PAPERS).collect();
    ensure!(elsewhere.is_empty(), "the agent is named outside quickstart: {elsewhere:?}");
    for library in ["onenet_snmp", "onenet_capture", "onenet_probe"] {
        let found = naming(library);
        ensure!(found.is_empty(), "the daemon knows how an agent finds its facts: {found:?}");
    }
    Ok(())
}

#[test]
fn a_clock_is_read_in_clock_rs_only() -> Result<()> {
    let sources = product()?;
    for word in ["SystemTime::now", "Instant::now", "Timestamp::now"] {
        let found = files_that_name(&sources, word);
        let elsewhere: Vec<_> = found.iter().filter(|name| !name.ends_with("clock.rs")).collect();
        ensure!(elsewhere.is_empty(), "{word} in {elsewhere:?}: time is a parameter");
    }
    Ok(())
}

#[test]
fn unsafe_code_lives_in_two_files_at_most_and_each_block_says_why_it_is_sound() -> Result<()> {
    let sources = product()?;
    let mut files = files_that_name(&sources, "unsafe {");
    files.extend(files_that_name(&sources, "unsafe fn"));
    files.extend(files_that_name(&sources, "unsafe impl"));
    let allowed = |name: &String| name.starts_with("collectors/capture/") || name.starts_with("collectors/snmp/");
    ensure!(files.iter().all(allowed) && files.len() <= 2, "unsafe code in {files:?}");
    for (name, text) in sources.iter().filter(|(name, _)| files.contains(name)) {
        let blocks = text.matches("unsafe {").count() + text.matches("unsafe impl").count();
        ensure!(text.matches("SAFETY:").count() >= blocks, "{name}: a block without its SAFETY line");
    }
    Ok(())
}

#[test]
fn each_foreign_engine_stays_behind_one_file_or_module() -> Result<()> {
    let sources = product()?;
    for (word, most, why) in [
        ("async_snmp::", 1, "the foreign SNMP library stays behind one file"),
        ("async_nats", 1, "the foreign client of NATS stays behind one file"),
        ("ring::default_provider", 1, "one file names the crypto provider; other files ask that one"),
        ("sled::open", 2, "the agent's spool and the centre's store"),
        ("sled::Config", 2, "the agent's spool and the centre's store"),
    ] {
        let found = files_that_name(&sources, word);
        ensure!(found.len() <= most, "{word} in {found:?}: {why}");
    }
    Ok(())
}

#[test]
fn every_source_file_opens_with_what_it_is() -> Result<()> {
    for (name, text) in product()?.into_iter().chain(sources("tests/src")?).chain(sources("tests/tests")?) {
        // A sibling tests.rs is part of the file that it tests.
        if name.ends_with("/tests.rs") {
            continue;
        }
        ensure!(text.starts_with("//!"), "{name} has no header");
    }
    Ok(())
}

#[test]
fn no_file_is_longer_than_six_hundred_lines_without_its_tests() -> Result<()> {
    const HARD_LIMIT: usize = 600;
    for (name, text) in product()?.into_iter().chain(sources("tests/src")?) {
        if name.ends_with("tests.rs") || name.contains("/tests/") {
            continue;
        }
        let lines = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
        ensure!(lines <= HARD_LIMIT, "{name} has {lines} lines");
    }
    Ok(())
}
