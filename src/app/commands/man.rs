//! `man`: the manual, from the same source as `--help`.

use std::io;
use std::path::PathBuf;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::app::cli::Cli;
use crate::app::error::AppError;
use crate::app::outcome::Exit;
use crate::app::output;
use crate::views::words::counted;

/// What every rendered part begins with; once is enough for a page.
const SETTING_UP: [&str; 2] = [r".ie \n(.g .ds Aq \(aq", ".el .ds Aq '"];

/// Print the manual, or write it as one page for each command.
///
/// Without --out, one page with all commands goes to stdout: `driftledger man | man -l -` shows it.
#[derive(Debug, clap::Args)]
pub struct ManCommand {
    /// Write driftledger.1, driftledger-scan.1 and so on into this folder, in the place of those that are there.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl ManCommand {
    /// Prints or writes it. Reads no configuration.
    ///
    /// # Errors
    /// A page cannot be written.
    pub fn run(self) -> Result<Exit, AppError> {
        let mut root = Cli::command().disable_help_subcommand(true);
        root.build();
        let Some(folder) = self.out else {
            let page = one_page(&root).map_err(|error| AppError::new(error.to_string()))?;
            output::stdout(&String::from_utf8_lossy(&page));
            return Ok(Exit::InSync);
        };
        let mut pages = Vec::new();
        each(&root, &mut |command| pages.push(Man::new(command.clone())));
        for page in &pages {
            let mut text = Vec::new();
            page.render(&mut text).map_err(|error| AppError::new(error.to_string()))?;
            output::write_file(&folder.join(page.get_filename()), &text)?;
        }
        output::stdout(&format!("{}: {}\n", folder.display(), counted(pages.len() as u64, "page", "pages")));
        Ok(Exit::InSync)
    }
}

/// A command and all below it.
fn each(command: &Command, act: &mut impl FnMut(&Command)) {
    act(command);
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        each(below, act);
    }
}

/// The program's own page, and a section for each command in it.
fn one_page(root: &Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let whole = Man::new(root.clone());
    whole.render_title(&mut page)?;
    whole.render_name_section(&mut page)?;
    whole.render_synopsis_section(&mut page)?;
    whole.render_description_section(&mut page)?;
    whole.render_options_section(&mut page)?;
    let mut all = Vec::new();
    each(root, &mut |command| all.push(command.clone()));
    for command in &all[1..] {
        let heading = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_uppercase();
        page.extend(format!(".SH \"{heading}\"\n").bytes());
        page.extend(section(command)?);
    }
    whole.render_extra_section(&mut page)?;
    whole.render_version_section(&mut page)?;
    Ok(page)
}

/// A command's own page, one level down.
fn section(command: &Command) -> io::Result<Vec<u8>> {
    // The options of every command stand once, at the top.
    let own = command.clone().mut_args(|arg| if arg.is_global_set() { arg.hide(true) } else { arg });
    let page = Man::new(own);
    let mut text = Vec::new();
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    if command.get_after_help().is_some() || command.get_after_long_help().is_some() {
        page.render_extra_section(&mut text)?;
    }
    let text = String::from_utf8_lossy(&text);
    let mut below = String::new();
    for line in text.lines().filter(|line| !SETTING_UP.contains(line)) {
        match line.strip_prefix(".SH ") {
            Some("EXTRA") => below.push_str(".SS MORE"),
            Some(heading) => {
                below.push_str(".SS ");
                below.push_str(heading);
            }
            None => below.push_str(line),
        }
        below.push('\n');
    }
    Ok(below.into_bytes())
}
