//! `onenet-agent discovered`.

use super::folder::Arguments;
use crate::{discovery::Listing, render};

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<()> {
    let listing = Listing::read(&arguments.data())?;
    Ok(arguments.print(&listing, |language| render::discovered(&listing, language))?)
}
