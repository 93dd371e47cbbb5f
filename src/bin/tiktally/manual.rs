//! `tiktally completions` and `tiktally man`: what other programs read of the arguments.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{Cli, Failure};

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  tiktally completions bash > ~/.local/share/bash-completion/completions/tiktally
  tiktally completions zsh > \"${fpath[1]}/_tiktally\"
  tiktally completions fish > ~/.config/fish/completions/tiktally.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  tiktally man | man -l -
  tiktally man count > ~/.local/share/man/man1/tiktally-count.1";

/// Print the completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(crate) struct CompletionsArgs {
    shell: Shell,
}

/// Print the manual page of the command, or of a subcommand
#[derive(Debug, clap::Args)]
#[command(after_help = MAN_EXAMPLES)]
pub(crate) struct ManArgs {
    /// A subcommand [without it: the command as a whole]
    subcommand: Option<String>,
}

pub(crate) fn completions(args: &CompletionsArgs) -> Result<ExitCode, Failure> {
    let mut completions = Vec::new();
    let mut command = Cli::command();
    clap_complete::generate(args.shell, &mut command, "tiktally", &mut completions);
    print(&completions)
}

pub(crate) fn man(args: &ManArgs) -> Result<ExitCode, Failure> {
    let mut command = Cli::command();
    command.build();
    let command = match &args.subcommand {
        None => command,
        Some(name) => {
            let found = command.find_subcommand(name).cloned();
            let names: Vec<&str> = command
                .get_subcommands()
                .map(clap::Command::get_name)
                .collect();
            let found = found.ok_or_else(|| {
                format!(
                    "there is no subcommand {name:?}; there are {}",
                    names.join(", ")
                )
            })?;
            // `tiktally help count` finds it under this name
            found.display_name(format!("tiktally-{name}"))
        }
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    print(&page)
}

/// The whole at once: the generators panic if the reader goes away.
fn print(bytes: &[u8]) -> Result<ExitCode, Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
