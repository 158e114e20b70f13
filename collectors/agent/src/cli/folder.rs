//! Commands that tell what the agent wrote into its data folder.

use std::path::PathBuf;

use serde::Serialize;

use super::output::{self, OutputError};
use crate::{
    config::{CONFIG_FILE_DEFAULT, Config, DATA_DIR_DEFAULT},
    render::Language,
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

impl Arguments {
    /// Returns the data folder. A configuration that cannot be read does not keep anybody from asking.
    pub(super) fn data(&self) -> PathBuf {
        let configured =
            || Config::load(&self.config).map_or_else(|_| DATA_DIR_DEFAULT.into(), |config| config.data_dir);
        self.data.clone().unwrap_or_else(configured)
    }

    pub(super) fn language(&self) -> Language {
        self.lang.unwrap_or_else(|| Language::of_environment(|name| std::env::var(name).ok()))
    }

    /// Prints a document as it was asked for: itself, or in words.
    pub(super) fn print(
        &self,
        document: &impl Serialize,
        words: impl FnOnce(Language) -> String,
    ) -> Result<(), OutputError> {
        if self.json { output::json(document) } else { output::text(&words(self.language())) }
    }
}
