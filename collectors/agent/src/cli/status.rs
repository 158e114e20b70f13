//! `onenet-agent status`.

use super::folder::Arguments;
use crate::{
    clock::Clock,
    render,
    status::{Liveness, Status},
};

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<()> {
    // The wall clock as it is now: the file's time is of the same clock.
    let now = Clock::start([0; 16]).timestamp();
    let (status, liveness) = Status::read(&arguments.data(), now)?;
    arguments.print(&status, |language| render::status(&status, &liveness, language))?;
    anyhow::ensure!(liveness == Liveness::Running, "{}", render::not_running(&liveness, arguments.language()));
    Ok(())
}
