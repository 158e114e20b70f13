//! `onenet-agent discovered`.

use std::path::PathBuf;

use super::output;
use crate::{
    config::{CONFIG_FILE_DEFAULT, Config, DATA_DIR_DEFAULT},
    discovery::Listing,
    render::{self, Language},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where the agent keeps its data [default: as the configuration says].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The agent's configuration.
    #[arg(long, value_name = "FILE", default_value = CONFIG_FILE_DEFAULT)]
    config: PathBuf,
    /// Language [default: as LC_ALL, LC_MESSAGES or LANG say].
    #[arg(long, value_enum)]
    lang: Option<Language>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<()> {
    let language = arguments.lang.unwrap_or_else(|| Language::of_environment(|name| std::env::var(name).ok()));
    let configured =
        || Config::load(&arguments.config).map_or_else(|_| DATA_DIR_DEFAULT.into(), |config| config.data_dir);
    let listing = Listing::read(&arguments.data.clone().unwrap_or_else(configured))?;
    if arguments.json {
        output::json(&listing)?;
    } else {
        output::text(&render::discovered(&listing, language))?;
    }
    Ok(())
}
