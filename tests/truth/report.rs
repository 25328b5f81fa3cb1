//! What went wrong, for people and for programs.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::oracle::{Expectation, Expected, Named};
use crate::scan::{Finding, Id};

/// Where and how a round was played.
#[derive(Clone, Debug)]
pub struct Circumstances {
    pub seed: u64,
    pub way: &'static str,
}

/// One object about which the wrong thing was said.
#[derive(Clone, Debug)]
pub struct Failure {
    /// `truth`, `mutation`, `parity`, `dump`…
    pub part: &'static str,
    pub around: Circumstances,
    pub object: Id,
    /// What was done to it.
    pub what: String,
    pub missing: Vec<String>,
    pub extra: Vec<String>,
    pub wrong_writer: Vec<String>,
    pub declared: Value,
    pub before: Value,
    pub after: Value,
}

/// What was looked at and what was wrong with it.
#[derive(Default)]
pub struct Report {
    pub failures: Vec<Failure>,
    pub objects: usize,
    pub mutations: usize,
    /// Mutations after which something had to be said.
    pub drifts: usize,
    pub refused: usize,
}

impl Failure {
    pub fn new(part: &'static str, around: &Circumstances, object: &Id) -> Self {
        Self {
            part,
            around: around.clone(),
            object: object.clone(),
            what: String::new(),
            missing: Vec::new(),
            extra: Vec::new(),
            wrong_writer: Vec::new(),
            declared: Value::Null,
            before: Value::Null,
            after: Value::Null,
        }
    }

    fn json(&self) -> Value {
        json!({
            "part": self.part, "seed": self.around.seed, "way": self.around.way, "object": self.object, "what": self.what,
            "missing": self.missing, "extra": self.extra, "wrongWriter": self.wrong_writer,
            "declared": self.declared, "before": self.before, "after": self.after,
        })
    }

    fn is_one(&self) -> bool {
        !(self.missing.is_empty() && self.extra.is_empty() && self.wrong_writer.is_empty())
    }
}

impl Report {
    /// Compares what was said of an object with what had to be said.
    pub fn check(&mut self, expected: &Expectation, said: &[Finding], honest: &[(&str, String)], mut failure: Failure) {
        let open = |path: &str| expected.open.iter().any(|open| touches(&open.to_string(), path));
        let mut said: Vec<&Finding> = said
            .iter()
            .filter(|finding| finding.code != "DL006")
            .filter(|finding| !honest.iter().any(|(code, path)| finding.code == *code && finding.path == *path))
            .collect();
        for wanted in &expected.findings {
            match said.iter().position(|finding| finding.code == wanted.code && finding.path == wanted.path) {
                Some(at) => {
                    let finding = said.swap_remove(at);
                    if !names(wanted, finding) {
                        failure.wrong_writer.push(format!(
                            "{} {}: wanted {:?}, said {:?}",
                            finding.code, finding.path, wanted.named, finding.managers
                        ));
                    }
                }
                None => failure.missing.push(format!("{} {} by {:?}", wanted.code, wanted.path, wanted.named)),
            }
        }
        failure.extra = said
            .iter()
            .filter(|finding| !open(&finding.path))
            .map(|finding| format!("{} {} by {:?}", finding.code, finding.path, finding.managers))
            .collect();
        if failure.is_one() {
            self.failures.push(failure);
        }
    }

    pub fn push(&mut self, failure: Failure) {
        self.failures.push(failure);
    }

    /// Prints what is wrong, writes all of it to a file, and fails if there is anything.
    pub fn conclude(self, name: &str) {
        for failure in &self.failures {
            let (kind, namespace, name) = &failure.object;
            eprintln!(
                "\n{} seed {} {} {kind} {namespace}/{name}: {}",
                failure.part, failure.around.seed, failure.around.way, failure.what
            );
            for (word, lines) in
                [("missing", &failure.missing), ("extra", &failure.extra), ("writer", &failure.wrong_writer)]
            {
                lines.iter().for_each(|line| eprintln!("  {word}: {line}"));
            }
            let paths: Vec<&String> =
                failure.missing.iter().chain(&failure.extra).chain(&failure.wrong_writer).collect();
            for line in paths.into_iter().take(3) {
                let Some(path) = line.split(' ').find(|word| word.starts_with('.')) else { continue };
                for (side, tree) in
                    [("declared", &failure.declared), ("before", &failure.before), ("after", &failure.after)]
                {
                    eprintln!("  {side}: {}", excerpt(tree, path));
                }
            }
        }
        let file = match std::env::var_os("DRIFTLEDGER_TEST_FAILURES") {
            Some(folder) => PathBuf::from(folder).join(format!("{name}.json")),
            None => PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-failures.json")),
        };
        let all = Value::from(self.failures.iter().map(Failure::json).collect::<Vec<_>>());
        std::fs::create_dir_all(file.parent().expect("a file in a folder")).expect("the folder of failures");
        std::fs::write(&file, format!("{all:#}")).expect("the file of failures");
        eprintln!(
            "\n{name}: {} objects in sync or not, {} mutations ({} of them drift, {} more refused by the server): {} failures, in {}",
            self.objects,
            self.mutations,
            self.drifts,
            self.refused,
            self.failures.len(),
            file.display()
        );
        assert!(self.failures.is_empty(), "{} failures; see above", self.failures.len());
    }
}

fn names(wanted: &Expected, finding: &Finding) -> bool {
    match &wanted.named {
        Named::Anyone => true,
        Named::Manager(manager) => finding.managers.first() == Some(manager),
        Named::NobodyOr(manager) => finding.managers.first().is_none_or(|first| first == manager),
    }
}

fn touches(a: &str, b: &str) -> bool {
    let within = |outer: &str, inner: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    within(a, b) || within(b, a)
}

/// The deepest place of a written path that a tree has, shortened.
fn excerpt(tree: &Value, path: &str) -> String {
    let mut at = tree;
    let Ok(path) = driftledger::model::field_path::FieldPath::parse(path) else { return String::new() };
    let mut depth = 0;
    for step in path.steps() {
        use driftledger::model::field_path::Step;
        let next = match step {
            Step::Field(name) => at.get(name),
            Step::Key(keys) => at.as_array().and_then(|items| {
                items.iter().find(|item| keys.iter().all(|(name, value)| item.get(name).is_none_or(|v| v == value)))
            }),
            Step::Item(value) => at.as_array().and_then(|items| items.iter().find(|item| *item == value)),
            Step::Index(n) => at.get(n),
        };
        let Some(next) = next else { break };
        at = next;
        depth += 1;
    }
    let text: String = at.to_string().chars().take(300).collect();
    if depth == path.steps().len() { text } else { format!("(not there; {depth} steps deep) {text}") }
}
