//! `init`: a first configuration.

use std::path::{Path, PathBuf};

use crate::app::cli::Global;
use crate::app::error::AppError;
use crate::app::init::{self, Found, Wanted};
use crate::app::outcome::Exit;
use crate::app::output;
use crate::config;
use crate::model::gap::Gap;
use crate::views::escape::terminal;
use crate::views::first_config::yaml;
use crate::views::words::counted;

/// Write a first configuration from a kubeconfig context and a repository.
///
/// Reaches both where it can, takes the repository's default branch, and proposes its folders with manifests as targets; what it is
/// not sure of stands in comments. It asks nothing, writes to no cluster, and never overwrites a file. Credentials in the URL
/// are used and not written down.
///
/// Exit codes: 0 written, and both sides can be reached; 3 written, but something could not be reached; 2 error, and nothing was written.
#[derive(Debug, clap::Args)]
pub struct Init {
    /// The kubeconfig context [default: the current one].
    #[arg(long, value_name = "CTX")]
    context: Option<String>,
    /// The kubeconfig [default: what kubectl uses].
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Let the context run the program that gets its credentials.
    #[arg(long)]
    allow_exec_plugins: bool,
    /// The repository's URL, or its folder [default: the one around the working folder].
    #[arg(long, value_name = "URL")]
    repository: Option<String>,
    /// A file with the token that the repository asks for.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Only folders below this one of the repository.
    #[arg(long, value_name = "DIR", default_value = "")]
    path: String,
    /// The file to write; `-`: stdout [default: what --config says].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Init {
    /// Writes it.
    ///
    /// # Errors
    /// There is a file already, or the kubeconfig or the repository cannot be meant.
    pub async fn run(self, global: &Global) -> Result<Exit, AppError> {
        let output = self.output.unwrap_or_else(|| global.config.clone());
        let to_stdout = output == Path::new("-");
        if !to_stdout && std::fs::symlink_metadata(&output).is_ok() {
            return Err(AppError::new(format!("{} is there already", output.display()))
                .hint("give another path with -o; `-o -` prints what would be written"));
        }
        let path = self.path.trim_matches('/');
        if path.split('/').any(|segment| segment == "..") {
            return Err(AppError::new("--path is a path in the repository: it has no `..`"));
        }
        let progress = global.progress();
        progress.doing("looking at the cluster and the repository");
        let found = init::find(Wanted {
            context: self.context,
            kubeconfig: self.kubeconfig,
            allow_exec_plugins: self.allow_exec_plugins,
            repository: self.repository,
            token_file: self.token_file,
            path: path.trim_start_matches("./").to_owned(),
        })
        .await;
        progress.finish();
        let found = found?;
        let text = yaml(&found.config);
        let file = std::path::absolute(&output).map_err(|error| AppError::file("cannot find", &output, &error))?;
        if let Err(error) = config::read(&text, file.parent().unwrap_or(&file)) {
            return Err(AppError::config(&output, &error));
        }
        let said = summary(&found, &output);
        if to_stdout {
            output::stdout(&text);
            eprint!("{said}");
        } else {
            output::write_new(&output, text.as_bytes())?;
            output::stdout(&said);
        }
        Ok(if found.fails.is_empty() { Exit::InSync } else { Exit::Gaps })
    }
}

fn summary(found: &Found, output: &Path) -> String {
    let certain = found.config.proposals.iter().filter(|proposal| proposal.doubt.is_none()).count() as u64;
    let doubtful = found.config.proposals.len() as u64 - certain;
    let mut text = String::new();
    for works in &found.works {
        text.push_str(&format!("{}\n", terminal(works)));
    }
    for gap in &found.fails {
        text.push_str(&format!("NOT yet: {}\n", line(gap)));
    }
    if found.config.exec_plugin == Some(false) {
        text.push_str(
            "The cluster was not asked: the context runs a program to get credentials; --allow-exec-plugins lets it.\n",
        );
    }
    text.push_str(&match doubtful {
        0 => format!("{} proposed\n", counted(certain, "target", "targets")),
        more => format!(
            "{} proposed, {} in comments\n",
            counted(certain, "target", "targets"),
            counted(more, "folder", "folders")
        ),
    });
    if output != Path::new("-") {
        text.push_str(&format!("{}: written; look through it, then run `driftledger scan`\n", output.display()));
    }
    text
}

fn line(gap: &Gap) -> String {
    let hint = gap.hint.as_ref().map(|hint| format!(" ({})", terminal(hint))).unwrap_or_default();
    format!("{}{hint}", terminal(&gap.message))
}
