//! Runs programs that render: in a private folder, with nothing of this program's environment but the PATH
//! (and, where it may reach the network, the proxies and authorities), with limits of time, memory and
//! output, and, where Linux lets an ordinary user have namespaces, without a network and without a Pod's mounted secrets in sight.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::config::render::Tools;

/// Bytes of an error output that are kept.
const MOST_ERROR_BYTES: usize = 16 * 1024;
/// How often a running program is looked at.
const LOOK: Duration = Duration::from_millis(3);
/// Sets the memory limit (`$1`, in KiB) and hides what Pods have mounted, where `$2` says that this is a mount namespace; then the program.
const BEGIN: &str = r#"ulimit -v "$1" || exit 125
if [ "$2" = apart ]; then
  for folder in /var/run/secrets /run/secrets; do
    if [ -d "$folder" ]; then mount -t tmpfs none "$folder" || exit 125; fi
  done
fi
shift 2
exec "$@""#;

/// One run.
pub struct Run<'a> {
    /// The program.
    pub program: &'a Path,
    /// What it is called with.
    pub arguments: Vec<OsString>,
    /// Where it runs.
    pub folder: &'a Path,
    /// A folder of its own, for what it wants to keep.
    pub home: &'a Path,
    /// Whether it may reach the network.
    pub network: bool,
    /// Limits.
    pub tools: &'a Tools,
}

/// Why a run gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is no such program, or it cannot be run.
    #[error("could not be started: {0}")]
    NotStarted(#[source] io::Error),
    /// It was ended.
    #[error("was not done in {0:?} and was ended")]
    TooSlow(Duration),
    /// It was ended.
    #[error("wrote more than {0} bytes and was ended")]
    TooMuch(u64),
    /// It says so itself.
    #[error("{}", failed(.status, .error))]
    Failed {
        /// How it ended.
        status: ExitStatus,
        /// Its error output, perhaps cut off.
        error: String,
    },
}

fn failed(status: &ExitStatus, error: &str) -> String {
    if error.is_empty() { format!("failed ({status})") } else { format!("failed: {error}") }
}

/// Whether programs can be run apart: in namespaces of their own.
pub fn runs_apart() -> bool {
    static APART: OnceLock<bool> = OnceLock::new();
    *APART.get_or_init(|| {
        let mut command = Command::new(by_its_path("unshare"));
        command.args(APART_OPTIONS).arg("--net").arg("true");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let works = command.status().is_ok_and(|status| status.success());
        if !works {
            tracing::info!(
                "there are no user namespaces here: renderers run without one, and get nothing that needs the network"
            );
        }
        works
    })
}

const APART_OPTIONS: [&str; 6] = ["--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child"];

impl Run<'_> {
    /// What the program writes.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn output(&self) -> Result<Vec<u8>, Failure> {
        let mut child = self.command().spawn().map_err(Failure::NotStarted)?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let too_much = AtomicBool::new(false);
        let most = self.tools.output_bytes;
        let deadline = Instant::now().checked_add(self.tools.timeout);
        let (ended, out, err) = std::thread::scope(|scope| {
            let out = scope.spawn(|| read(out, most, Some(&too_much)));
            let err = scope.spawn(|| read(err, MOST_ERROR_BYTES as u64, None));
            let ended = loop {
                match child.try_wait() {
                    Ok(Some(status)) => break Ok(status),
                    Err(error) => break Err(Failure::NotStarted(error)),
                    Ok(None) if too_much.load(Ordering::Relaxed) => break Err(Failure::TooMuch(most)),
                    Ok(None) if deadline.is_some_and(|deadline| Instant::now() > deadline) => {
                        break Err(Failure::TooSlow(self.tools.timeout));
                    }
                    Ok(None) => std::thread::sleep(LOOK),
                }
            };
            // Whatever it started goes with it; only then do its outputs end.
            end(&mut child);
            (ended, out.join().unwrap_or_default(), err.join().unwrap_or_default())
        });
        let status = ended?;
        if too_much.load(Ordering::Relaxed) {
            return Err(Failure::TooMuch(most));
        }
        if status.success() {
            return Ok(out);
        }
        Err(Failure::Failed { status, error: words(&err) })
    }

    fn command(&self) -> Command {
        let apart = runs_apart();
        let mut command = Command::new(by_its_path(if apart { "unshare" } else { "sh" }));
        if apart {
            command.args(APART_OPTIONS);
            if !self.network {
                command.arg("--net");
            }
            command.arg("sh");
        }
        let memory = (self.tools.memory_bytes / 1024).to_string();
        command.args(["-c", BEGIN, "sh", memory.as_str(), if apart { "apart" } else { "here" }]);
        command.arg(self.program).args(&self.arguments);
        command.env_clear().current_dir(self.folder);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        let of_the_network: &[&str] = if self.network {
            &["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"]
        } else {
            &[]
        };
        for name in of_the_network.iter().flat_map(|name| [(*name).to_owned(), name.to_lowercase()]) {
            command.envs(std::env::var_os(&name).map(|value| (name, value)));
        }
        for name in ["HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            command.env(name, self.home);
        }
        command.env("LC_ALL", "C.UTF-8").env("GIT_TERMINAL_PROMPT", "0");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
    }
}

/// Ends a program with all that it started.
fn end(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        // There may be nothing left of it.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads so many bytes; what comes after them is thrown away, or noted.
fn read(from: Option<impl Read>, most: u64, too_much: Option<&AtomicBool>) -> Vec<u8> {
    let mut read = Vec::new();
    let Some(mut from) = from else { return read };
    // What was read until then is what there is.
    let _ = from.by_ref().take(most).read_to_end(&mut read);
    let rest = io::copy(&mut from.by_ref().take(1), &mut io::sink()).unwrap_or(0);
    if rest > 0 {
        match too_much {
            Some(too_much) => too_much.store(true, Ordering::Relaxed),
            None => _ = io::copy(&mut from, &mut io::sink()),
        }
    }
    read
}

/// An error output for people: without control characters and empty lines.
fn words(error: &[u8]) -> String {
    let text = String::from_utf8_lossy(error);
    let clean = |line: &str| line.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned();
    text.lines().map(clean).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

/// A program on the PATH.
pub fn on_path(name: &str) -> Option<std::path::PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = std::env::var_os("PATH")?;
    let is_program = |file: &std::path::PathBuf| {
        std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(is_program)
}

/// The same, or its name where it is not there. Named by its path, a program is started without a copy of this process being made first.
fn by_its_path(name: &str) -> std::path::PathBuf {
    on_path(name).unwrap_or_else(|| name.into())
}

/// An argument made of two parts, as `--values=FILE`.
pub fn option(name: &str, value: impl AsRef<OsStr>) -> OsString {
    let mut option = OsString::from(name);
    option.push("=");
    option.push(value);
    option
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, tools: &Tools) -> Result<Vec<u8>, Failure> {
        let home = tempfile::tempdir().unwrap();
        let arguments = ["-c", script].map(OsString::from).to_vec();
        let (program, folder) = (Path::new("/bin/sh"), home.path());
        Run { program, arguments, folder, home: folder, network: false, tools }.output()
    }

    fn said(script: &str, tools: &Tools) -> String {
        match run(script, tools) {
            Ok(output) => String::from_utf8(output).unwrap(),
            Err(failure) => failure.to_string(),
        }
    }

    #[test]
    fn a_run_is_bounded_and_what_it_started_ends_with_it() {
        let tools =
            Tools { timeout: Duration::from_secs(2), output_bytes: 1000, memory_bytes: 256 << 20, ..Tools::default() };
        assert_eq!(said("echo one; echo two >&2", &tools), "one\n");
        assert_eq!(said("echo 'no such chart' >&2; echo >&2; exit 3", &tools), "failed: no such chart");
        assert_eq!(said("exit 3", &tools), "failed (exit status: 3)");
        assert_eq!(said("yes", &tools), "wrote more than 1000 bytes and was ended");
        let begun = Instant::now();
        assert_eq!(said("sleep 60 & sleep 60", &tools), "was not done in 2s and was ended");
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing of it holds the outputs open");
        let fill = "a=x; while :; do a=$a$a; done";
        assert!(said(fill, &tools).starts_with("failed"), "{}", said(fill, &tools));
    }

    #[test]
    fn nothing_of_the_environment_but_the_path_is_in_sight() {
        let names = said("env | sed 's/=.*//' | sort | tr '\\n' ' '", &Tools::default());
        let own = "GIT_TERMINAL_PROMPT HOME LC_ALL PATH PWD TMPDIR XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME ";
        assert!(names.replace("OLDPWD ", "").replace("SHLVL ", "").replace("_ ", "") == own, "{names}");
    }

    #[test]
    fn there_is_no_network_and_no_mounted_secret_where_programs_run_apart() {
        if !runs_apart() || on_path("bash").is_none() {
            eprintln!("not run: there are no user namespaces here, or no bash");
            return;
        }
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let script = format!("exec 3<>/dev/tcp/127.0.0.1/{}", server.local_addr().unwrap().port());
        let home = tempfile::tempdir().unwrap();
        let reaches = |network| {
            let (program, arguments) = (on_path("bash").unwrap(), vec!["-c".into(), script.clone().into()]);
            let (folder, tools) = (home.path(), &Tools::default());
            Run { program: &program, arguments, folder, home: folder, network, tools }.output().is_ok()
        };
        assert!(reaches(true) && !reaches(false));
        assert_eq!(
            said("ls -A /run/secrets /var/run/secrets 2>/dev/null | grep -v : | wc -w", &Tools::default()).trim(),
            "0"
        );
    }
}
