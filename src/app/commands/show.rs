//! `show`: one finding with all its evidence.

use super::report;
use crate::app::cli::Global;
use crate::app::error::AppError;
use crate::app::outcome::Exit;
use crate::app::output;
use crate::app::pipeline;
use crate::model::time::Timestamp;
use crate::views;

/// Show one finding with all its evidence and its story, and a waiver to fill in.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The finding's id, as F-7f3a12c4, or the beginning of it.
    #[arg(value_name = "ID")]
    id: String,
    /// table or json.
    #[arg(long, short, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    output: String,
}

/// What a waiver lasts unless somebody writes another day into it.
fn accepted_until(now: Timestamp) -> Timestamp {
    Timestamp::from_unix(now.unix() + 30 * 86_400)
}

impl Show {
    /// Shows it.
    ///
    /// # Errors
    /// Configuration or ledger cannot be read, or the id names no finding or several.
    pub fn run(self, global: &Global) -> Result<Exit, AppError> {
        let stories = report::open(global)?.story(&self.id)?;
        let story = match stories.as_slice() {
            [story] => story,
            [] => {
                return Err(AppError::new(format!("no finding begins with `{}`", self.id))
                    .hint("`driftledger findings` lists what is open"));
            }
            several => {
                let ids: Vec<String> = several.iter().map(|s| s.finding.id.to_string()).collect();
                return Err(AppError::new(format!("`{}` is ambiguous: {}", self.id, ids.join(", "))));
            }
        };
        output::stdout(&match self.output.as_str() {
            "json" => views::json::finding(&story.finding),
            _ => {
                let mut text = views::table::show(&story.finding, None, output::style(true));
                text.push_str("\nStory\n");
                for event in &story.events {
                    let how = event.how.as_deref().map(|how| format!(": {how}")).unwrap_or_default();
                    text.push_str(&format!(
                        "  {}  scan {}  {}{how}\n",
                        event.time.for_people(),
                        event.scan,
                        views::words::event(event.kind)
                    ));
                }
                if story.events.last().is_some_and(|event| event.kind.leaves_open()) {
                    text.push_str(&format!(
                        "\nTo accept it for a while, have this reviewed into Git, below `ignore:` of the configuration\n{}",
                        views::waiver::rule(&story.finding, &accepted_until(pipeline::now()).date())
                    ));
                }
                text
            }
        });
        Ok(Exit::InSync)
    }
}
