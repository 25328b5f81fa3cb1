//! `ledger`: what it is, and copies of it.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::adapters::ledger::{Journal, Ledger, LedgerInfo, LedgerReader, ScanEntry, ScanOutcome};
use crate::app::cli::Global;
use crate::app::error::AppError;
use crate::app::outcome::Exit;
use crate::app::output;
use crate::config::Config;
use crate::views::escape::terminal;
use crate::views::words::{counted, number, size};

/// Show what the ledger is and holds, or back it up.
#[derive(Debug, clap::Args)]
pub struct LedgerCommand {
    #[command(subcommand)]
    command: Which,
}

#[derive(Debug, clap::Subcommand)]
enum Which {
    /// Show path, size, schema, key, scans, findings, messages, the last seal, and the space that is left.
    Info,
    /// Copy it into a new file, also while a scan is running.
    ///
    /// The copy is one file of its own, and is verified before it has its name. A file that is there is never overwritten. Without
    /// its key file a ledger cannot be gone on with: back that up as well, best to another place.
    Backup(Backup),
}

#[derive(Debug, clap::Args)]
struct Backup {
    /// The file to make.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Copy the key, too, as FILE.key: whoever has both can try out guesses for secret values.
    #[arg(long)]
    with_key: bool,
}

impl LedgerCommand {
    /// Does it.
    ///
    /// # Errors
    /// Configuration or ledger cannot be read, or the copy cannot be made.
    pub fn run(self, global: &Global) -> Result<Exit, AppError> {
        let config = global.read_config()?;
        let ledger = Ledger::open_read_only(&config.ledger.path, None)?;
        let text = match self.command {
            Which::Info => info(&ledger, &config)?,
            Which::Backup(backup) => backup.run(&ledger, &config)?,
        };
        output::stdout(&text);
        Ok(Exit::InSync)
    }
}

fn key_file(ledger: &LedgerReader, config: &Config) -> PathBuf {
    config.ledger.key_file.clone().unwrap_or_else(|| {
        let mut name = ledger.path().as_os_str().to_owned();
        name.push(".key");
        name.into()
    })
}

impl Backup {
    fn run(self, ledger: &LedgerReader, config: &Config) -> Result<String, AppError> {
        let key_file = key_file(ledger, config);
        let (found, key) = ledger.backup(&self.file, self.with_key.then_some(key_file.as_path()))?;
        let mut text = format!(
            "{}: {} and {}, verified\n",
            self.file.display(),
            counted(found.scans, "scan", "scans"),
            counted(found.seals, "seal", "seals")
        );
        // Writing to a String cannot fail.
        if let Some(seal) = &found.last_seal {
            let _ = writeln!(text, "newest seal: {} {}", seal.sequence, seal.hash);
        }
        let _ = match key {
            Some(key) => writeln!(text, "{}: its key", key.display()),
            None => writeln!(
                text,
                "NOT in it: the key, {}. Without it no scan can go on with the copy: back it up as well, or use --with-key.",
                key_file.display()
            ),
        };
        Ok(text)
    }
}

fn info(ledger: &LedgerReader, config: &Config) -> Result<String, AppError> {
    let info = ledger.info()?;
    let key = match Ledger::redaction_key(&config.ledger.path, config.ledger.key_file.as_deref(), false) {
        Ok(_) => key_file(ledger, config).display().to_string(),
        Err(error) => format!("NOT usable: {error}"),
    };
    let log = match info.log_bytes {
        0 => String::new(),
        bytes => format!(", and {} in the log beside it", size(bytes)),
    };
    let journal = match info.journal {
        Journal::Wal => "write-ahead log",
        Journal::Delete => "rollback journal: readers and scans wait for one another",
    };
    let lines = [
        ("path", ledger.path().display().to_string()),
        ("id", info.id.to_string()),
        ("made", format!("{} by version {}", terminal(&info.created_at), terminal(&info.created_by))),
        ("size", format!("{}{log}", size(info.bytes))),
        ("free", info.free_bytes.map_or_else(|| "not known".to_owned(), size)),
        ("schema", info.schema.to_string()),
        ("key", format!("{}, {key}", terminal(&info.key_id))),
        ("journal", journal.to_owned()),
        ("scans", scans(&info)),
        ("oldest", info.oldest.as_ref().map_or_else(none, scan)),
        ("newest", info.newest.as_ref().map_or_else(none, scan)),
        ("findings", format!("{}, {} open", number(info.findings), number(info.open_findings))),
        ("messages", messages(&info)),
        ("last seal", info.last_seal.as_ref().map_or_else(none, |seal| format!("{} {}", seal.sequence, seal.hash))),
    ];
    Ok(lines.iter().map(|(name, value)| format!("{name:<10}{value}\n")).collect())
}

fn none() -> String {
    "none".to_owned()
}

fn scans(info: &LedgerInfo) -> String {
    match info.scans_ended_early {
        0 => number(info.scans),
        early => format!("{}, {} failed or interrupted", number(info.scans), number(early)),
    }
}

fn scan(scan: &ScanEntry) -> String {
    let outcome = match scan.outcome {
        Some(ScanOutcome::Finished) => "finished",
        Some(ScanOutcome::Failed) => "failed",
        Some(ScanOutcome::Interrupted) => "interrupted",
        None => "running, or killed",
    };
    format!("scan {} of {}, {outcome}", scan.id, scan.started_at.for_people())
}

fn messages(info: &LedgerInfo) -> String {
    let counts = &info.messages;
    format!(
        "{} waiting, {} dead, {} sent, {} dropped",
        number(counts.waiting),
        number(counts.dead),
        number(counts.sent),
        number(counts.dropped)
    )
}
