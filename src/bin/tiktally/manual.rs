//! `tiktally completions` and `tiktally man`: the arguments, described for shells and for `man`.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{Cli, ExitCode, Failure};

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  tiktally completions bash > ~/.local/share/bash-completion/completions/tiktally
  tiktally completions zsh > \"${fpath[1]}/_tiktally\"
  tiktally completions fish > ~/.config/fish/completions/tiktally.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  tiktally man | man -l -
  tiktally man count > ~/.local/share/man/man1/tiktally-count.1";

/// Print the completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// The shell to complete for
    shell: Shell,
}

/// Print the manual page of tiktally or of one of its subcommands
#[derive(Debug, clap::Args)]
#[command(after_help = MAN_EXAMPLES)]
pub(crate) struct ManArgs {
    /// A subcommand [default: the page of tiktally itself]
    subcommand: Option<String>,
}

/// Runs `tiktally completions`.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<ExitCode, Failure> {
    let mut completions = Vec::new();
    let mut command = Cli::command();
    clap_complete::generate(args.shell, &mut command, "tiktally", &mut completions);
    print(&completions)
}

/// Runs `tiktally man`.
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
                    "unknown subcommand {name:?}; the subcommands are {}",
                    names.join(", ")
                )
            })?;
            // `man` looks for pages of subcommands under this name
            found.display_name(format!("tiktally-{name}"))
        }
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    print(&page)
}

/// Prints a finished page. The generators write to memory first, because they panic on a closed pipe.
fn print(bytes: &[u8]) -> Result<ExitCode, Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
