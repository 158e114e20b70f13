//! What is handed out for deployment: units, sample configurations, and the commands that the READMEs tell people to type.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use onenet_tests::lab::{process::product, product::Said};

/// The exposure that `systemd-analyze security` may find at most, times ten: a service on the network without rights ends
/// at about 1.2, one that captures packets at about 1.8; 10.0 is a service without any of it.
const EXPOSURE_MAX: u32 = 20;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(name: &str) -> Result<String> {
    fs::read_to_string(root().join(name)).with_context(|| format!("read {name}"))
}

#[test]
#[ignore = "needs systemd-analyze and the built programs"]
fn the_units_are_sound_and_leave_little_exposed() -> Result<()> {
    let dir = tempfile::tempdir()?;
    for program in ["onenetd", "onenet-agent"] {
        // The program is where it was built; everything else is as people install it.
        let built = product(program)?.display().to_string();
        let unit = read(&format!("deploy/{program}.service"))?.replace(&format!("/usr/bin/{program}"), &built);
        ensure!(unit.contains(&built), "{program}.service starts something else");
        let path = dir.path().join(format!("{program}.service"));
        fs::write(&path, unit)?;
        let mut verify = Command::new("systemd-analyze");
        verify.args(["verify", "--man=no"]).arg(&path);
        let said = Said::of(verify)?;
        ensure!(said.status == 0 && said.err.trim().is_empty(), "{program}.service: {said:?}");
        let mut security = Command::new("systemd-analyze");
        security
            .args(["security", "--offline=true", "--no-pager"])
            .arg(format!("--threshold={EXPOSURE_MAX}"))
            .arg(&path);
        let said = Said::of(security)?;
        ensure!(said.status == 0, "{program}.service is exposed: {}", said.out);
    }
    Ok(())
}

#[test]
#[ignore = "needs the built programs"]
fn the_sample_configurations_are_in_order() -> Result<()> {
    for (program, sample) in [("onenetd", "onenetd.toml"), ("onenetd", "compose.toml"), ("onenet-agent", "agent.toml")]
    {
        for option in [None, Some("--config")] {
            let mut command = Command::new(product(program)?);
            command.arg("check-config").args(option).arg(root().join("deploy").join(sample));
            let said = Said::of(command)?;
            ensure!(said.status == 0, "{sample}: {said:?}");
        }
    }
    Ok(())
}

fn help(program: &str, commands: &[&str]) -> Result<Said> {
    let mut command = Command::new(product(program)?);
    command.args(commands).arg("--help");
    Said::of(command)
}

#[test]
#[ignore = "needs the built programs"]
fn every_command_in_the_readmes_exists_with_its_options() -> Result<()> {
    let mut seen = 0;
    for readme in ["README.md", "README.zh.md", "collectors/agent/README.md"] {
        for line in read(readme)?.lines() {
            let line = line.split(" # ").next().unwrap_or_default().trim().trim_start_matches("sudo ");
            let words: Vec<&str> = line.split_whitespace().collect();
            let [program @ ("onenetd" | "onenet-agent"), command, rest @ ..] = words.as_slice() else { continue };
            seen += 1;
            let mut said = help(program, &[command])?;
            // `sites import` and its like.
            if let ([below, ..], true) = (rest, said.out.contains("<COMMAND>")) {
                said = help(program, &[command, below])?;
            }
            ensure!(said.status == 0, "{readme}: {line}: {said:?}");
            let options = rest.iter().map(|word| word.trim_start_matches('[')).filter(|word| word.starts_with("--"));
            for option in options.map(|word| word.trim_end_matches(']')) {
                ensure!(said.out.contains(option), "{readme}: {line}: no {option} in:\n{}", said.out);
            }
        }
    }
    ensure!(seen > 20, "only {seen} commands were found");
    Ok(())
}
