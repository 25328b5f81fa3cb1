//! `-o FORMAT[=PATH]`: what is written, and where.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::error::AppError;
use crate::adapters::ledger::Ledger;
use crate::adapters::{mail, slack};
use crate::config::Config;
use crate::model::report::ScanReport;
use crate::views;
use crate::views::metrics::LedgerState;

/// A format of a scan's report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    Table,
    /// `driftledger/scan/v1`.
    Json,
    /// One self-contained page.
    Html,
    /// For a ticket or a pull request.
    Markdown,
    /// One line a finding.
    Csv,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML, for the test reports of CI.
    Junit,
    /// Prometheus' text, for the node exporter's textfile folder.
    Metrics,
    /// The e-mail, as a file.
    Eml,
    /// The Slack message, as the JSON that is posted.
    Slack,
}

impl Format {
    const ALL: &[(&'static str, Format)] = &[
        ("table", Self::Table),
        ("json", Self::Json),
        ("html", Self::Html),
        ("markdown", Self::Markdown),
        ("csv", Self::Csv),
        ("sarif", Self::Sarif),
        ("junit", Self::Junit),
        ("metrics", Self::Metrics),
        ("eml", Self::Eml),
        ("slack", Self::Slack),
    ];
}

/// One `-o`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// What.
    pub format: Format,
    /// Where; `None`: stdout.
    pub path: Option<PathBuf>,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, path) = match text.split_once('=') {
            Some((name, path)) => (name, Some(PathBuf::from(path)).filter(|p| !p.as_os_str().is_empty())),
            None => (text, None),
        };
        let format = Format::ALL.iter().find(|(known, _)| *known == name).map(|(_, format)| *format);
        let known = || Format::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        Ok(Self { format: format.ok_or_else(|| format!("unknown format `{name}`; known: {}", known()))?, path })
    }
}

/// What some formats tell besides a report.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside {
    /// How the ledger stands now.
    pub ledger: Option<LedgerState>,
}

impl Beside {
    /// What the outputs ask for, out of the ledger.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub fn of(config: &Config, outputs: &[Output]) -> Result<Self, AppError> {
        if outputs.iter().all(|output| output.format != Format::Metrics) {
            return Ok(Self::default());
        }
        Self::ledger(config)
    }

    /// How the ledger stands.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn ledger(config: &Config) -> Result<Self, AppError> {
        let ledger = Ledger::open_read_only(&config.ledger.path, config.ledger.key_file.as_deref())?;
        let (messages, intact) = (ledger.message_counts()?, ledger.verify(None)?.ok);
        Ok(Self { ledger: Some(LedgerState { messages, intact }) })
    }
}

/// Writes a report in every asked-for way.
///
/// # Errors
/// A file cannot be written. What was recorded stays recorded.
pub fn report(report: &ScanReport, outputs: &[Output], beside: &Beside) -> Result<(), AppError> {
    let table = [Output { format: Format::Table, path: None }];
    for output in if outputs.is_empty() { &table } else { outputs } {
        let text = render(report, output.format, output.path.is_none(), beside)?;
        match &output.path {
            Some(path) => write_file(path, text.as_bytes())?,
            None => stdout(&text),
        }
    }
    Ok(())
}

/// The report as text.
///
/// # Errors
/// A view failed: a defect of a template.
pub fn render(report: &ScanReport, format: Format, to_terminal: bool, beside: &Beside) -> Result<String, AppError> {
    Ok(match format {
        Format::Table => views::table::scan(report, style(to_terminal)),
        Format::Json => views::json::scan(report),
        Format::Html => views::html::scan(report).map_err(view_error)?,
        Format::Markdown => views::markdown::scan(report),
        Format::Csv => views::csv::findings(&report.findings),
        Format::Sarif => views::sarif::scan(report),
        Format::Junit => views::junit::scan(report),
        Format::Metrics => views::metrics::scan(report, beside.ledger.as_ref()),
        Format::Eml => eml(report)?,
        Format::Slack => slack::payload(&views::slack::scan(report), "(channel)")
            .map_err(|error| AppError::new(error.to_string()))?,
    })
}

/// The mail as a file. Who gets it is decided where it is sent; a file names nobody.
fn eml(report: &ScanReport) -> Result<String, AppError> {
    let content = views::mail::scan(report, views::mail::DEFAULT_DOMAIN).map_err(view_error)?;
    let parties = mail::Parties {
        from: format!("Driftledger <driftledger@{}>", views::mail::DEFAULT_DOMAIN),
        to: vec![format!("receivers@{}", views::mail::DEFAULT_DOMAIN)],
        reply_to: None,
    };
    let message = mail::message(&content, &parties).map_err(|error| AppError::new(super::error::chain(&error)))?;
    Ok(String::from_utf8_lossy(&message.formatted()).into_owned())
}

/// A view's own error, which is a defect.
pub fn view_error(error: views::ViewError) -> AppError {
    AppError::new(super::error::chain(&error)).hint("this is a defect in the program: please report it")
}

/// How a table looks: in colour and as wide as the terminal, or plain where it goes elsewhere.
pub fn style(to_terminal: bool) -> views::table::Style {
    let terminal = to_terminal && std::io::stdout().is_terminal();
    let width = comfy_table::Table::new().width().filter(|_| terminal).map_or(160, usize::from);
    views::table::Style { colour: terminal && std::env::var_os("NO_COLOR").is_none(), width }
}

/// Writes to stdout; a reader that went away, as `head` does, is no error.
pub fn stdout(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
    let _ = std::io::stdout().flush();
}

/// Writes a file whole: beside it first, then in its place. What is there and no regular file, as `/dev/null` or a pipe, is written to.
///
/// # Errors
/// The file or its folder cannot be written.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), AppError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| AppError::file("cannot write", path, &error);
    if is_special(path) {
        return std::fs::OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut to| to.write_all(bytes))
            .map_err(failed);
    }
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Writes a new file whole, and never in the place of another.
///
/// # Errors
/// There is one already, or the folder cannot be written.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), AppError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| AppError::file("cannot write", path, &error);
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist_noclobber(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Whether something is there that no file may be put in the place of.
pub fn is_special(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|there| !there.is_file())
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Read as _;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_file_is_replaced_and_a_pipe_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/report.html");
        write_file(&path, b"one").unwrap();
        write_file(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");

        let (mut read, write) = std::io::pipe().unwrap();
        let pipe = PathBuf::from(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&write)));
        write_file(&pipe, b"three").unwrap();
        drop(write);
        let mut text = String::new();
        read.read_to_string(&mut text).unwrap();
        assert_eq!(text, "three");

        let socket = folder.path().join("socket");
        let _listening = UnixListener::bind(&socket).unwrap();
        assert!(write_file(&socket, b"four").is_err() && is_special(&socket), "it is there still");
        assert!(write_file(folder.path(), b"five").is_err());
        assert!(write_new(&path, b"six").is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
    }
}
