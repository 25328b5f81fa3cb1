//! `completions`: what a shell needs to complete the command line.

use clap::CommandFactory as _;

use crate::app::cli::Cli;
use crate::app::error::AppError;
use crate::app::outcome::Exit;
use crate::app::output;

const WHERE: &str = "\
Where shells look for it:
  bash        driftledger completions bash > ~/.local/share/bash-completion/completions/driftledger
  zsh         driftledger completions zsh > \"${fpath[1]}/_driftledger\"
  fish        driftledger completions fish > ~/.config/fish/completions/driftledger.fish
  elvish      driftledger completions elvish >> ~/.config/elvish/rc.elv
  powershell  driftledger completions powershell >> $PROFILE";

/// Print the completions for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = WHERE)]
pub struct Completions {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: clap_complete::Shell,
}

impl Completions {
    /// Prints them. Reads no configuration.
    ///
    /// # Errors
    /// None so far.
    pub fn run(self) -> Result<Exit, AppError> {
        let mut command = Cli::command();
        let name = command.get_name().to_owned();
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut text);
        output::stdout(&String::from_utf8_lossy(&text));
        Ok(Exit::InSync)
    }
}
