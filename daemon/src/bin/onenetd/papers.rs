//! What packages carry beside the programs: manuals, and completions for shells, of both, from their command lines.
//!
//! Invariant: nothing is written by hand, so that no manual names what a program does not have.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::{Args, Command, CommandFactory as _};
use clap_complete::{Shell, generate_to};

/// Where they go.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The folder.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// They could not be written; some may be there.
#[derive(Debug, thiserror::Error)]
#[error("manuals and completions cannot be written into {}: name a folder that may be written to", dir.display())]
pub(crate) struct PapersError {
    dir: PathBuf,
    source: io::Error,
}

/// Writes the papers of both programs: completions into the folder, manuals into `man` below it.
pub(crate) fn run(arguments: &Arguments) -> Result<(), PapersError> {
    let programs = [crate::Cli::command(), onenet_agent::cli::Cli::command()];
    let failed = |source| PapersError { dir: arguments.dir.clone(), source };
    programs.into_iter().try_for_each(|program| write(program, &arguments.dir)).map_err(failed)
}

fn write(mut program: Command, dir: &Path) -> io::Result<()> {
    let manuals = dir.join("man");
    fs::create_dir_all(&manuals)?;
    let name = program.get_name().to_owned();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut program, &name, dir)?;
    }
    clap_mangen::generate_to(program, manuals)
}
