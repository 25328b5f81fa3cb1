//! The program as its users run it: in a folder of its own, with nothing of this machine in its environment.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use driftledger::adapters::git::{Content, RepositoryBuilder, Written};
use driftledger::model::ids::CommitId;
use driftledger::model::time::Timestamp;
use serde_json::Value;

/// A folder with a configuration, a repository and a ledger.
pub struct Workspace {
    folder: tempfile::TempDir,
    repository: RepositoryBuilder,
    commits: i64,
}

/// What the program said.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    /// Its output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}{}", self.out, self.err))
    }
}

impl Workspace {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let repository = RepositoryBuilder::create(&folder.path().join("repository")).expect("a repository");
        Self { folder, repository, commits: 0 }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).expect("a folder");
        }
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// Commits files to main; commits are a minute apart.
    pub fn commit(&mut self, message: &str, files: impl IntoIterator<Item = (String, Content)>) -> CommitId {
        self.commits += 1;
        let time = Timestamp::from_unix(1_770_000_000 + self.commits * 60);
        let written = Written { author: "Ada Adams", email: "ada@example.com", time, message };
        self.repository.commit_to("main", &written, files).expect("a commit")
    }

    /// Commits files on top of other commits; no branch is moved.
    pub fn commit_on(
        &mut self,
        parents: &[&CommitId],
        message: &str,
        files: impl IntoIterator<Item = (String, Content)>,
    ) -> CommitId {
        self.commits += 1;
        let time = Timestamp::from_unix(1_770_000_000 + self.commits * 60);
        let written = Written { author: "Ben Boole", email: "ben@example.com", time, message };
        self.repository.commit(parents, &written, files).expect("a commit")
    }

    /// Lets main point to a commit of before, as a forced push does.
    pub fn move_main(&self, commit: &CommitId) {
        self.repository.set_branch("main", commit).expect("a branch");
    }

    /// Writes a commit object as it is and lets main point to it, as a forced push does.
    pub fn push_object(&self, object: &[u8]) -> CommitId {
        self.repository.push_object("main", object).expect("a commit")
    }

    /// Runs the program here.
    pub fn run(&self, args: &[&str]) -> Said {
        let output = self.command(args).output().expect("the program runs");
        said(&output)
    }

    /// The program, ready to run here.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_driftledger"));
        command.args(args).current_dir(self.path()).env_clear().env("HOME", self.path());
        command
    }
}

pub fn said(output: &Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// `code path` or `code Kind name` of each finding, sorted.
pub fn findings(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut found: Vec<String> = report["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|f| {
            format!("{} {} {} {}", text(&f["code"]), text(&f["kind"]), text(&f["name"]), text(&f["path"]))
                .trim_end()
                .to_owned()
        })
        .collect();
    found.sort();
    found
}
