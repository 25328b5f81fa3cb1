//! `verify`: the ledger's integrity.

use super::report;
use crate::app::cli::Global;
use crate::app::error::AppError;
use crate::app::outcome::Exit;
use crate::app::output;

/// Check that nothing in the ledger was changed after it was written.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// A seal from a report or message that was kept elsewhere: it must be in the chain.
    #[arg(long, value_name = "SEAL")]
    anchor: Option<String>,
}

impl Verify {
    /// Checks it.
    ///
    /// # Errors
    /// Configuration or ledger cannot be read.
    pub fn run(self, global: &Global) -> Result<Exit, AppError> {
        let found = report::open(global)?.verify(self.anchor.as_deref())?;
        let mut text = format!("{} scans, {} seals checked\n", found.scans, found.seals);
        if let Some(seal) = &found.last_seal {
            text.push_str(&format!("newest seal: {} {}\n", seal.sequence, seal.hash));
        }
        match found.anchor_found {
            Some(true) => text.push_str("the anchor is in the chain, and what it covers is as it was sealed\n"),
            Some(false) => {
                text.push_str("the anchor is NOT in the chain: the ledger was rewritten, or it is another ledger\n")
            }
            None => {
                text.push_str("no anchor given: a chain that is whole says nothing about a file rewritten as a whole\n")
            }
        }
        if found.unsealed_rows > 0 {
            text.push_str(&format!(
                "{} rows after the newest seal, which the next one will cover\n",
                found.unsealed_rows
            ));
        }
        for problem in &found.problems {
            text.push_str(&format!("PROBLEM: {problem}\n"));
        }
        text.push_str(if found.ok { "the ledger is whole\n" } else { "the ledger's integrity is BROKEN\n" });
        output::stdout(&text);
        Ok(if found.ok { Exit::InSync } else { Exit::Broken })
    }
}
