//! Writes to live objects: by hand and by programs, and decoys that are no drift.

mod additions;
mod commands;
mod edits;
mod transports;
mod tree;

use serde_json::Value;

use crate::cluster::{Cluster, Live};
use crate::generate::Object;
use crate::oracle::{Path, Writer, content, touched};
use crate::random::Random;
use crate::ways::Way;

/// A write, ready to be done.
pub struct Mutation {
    /// What it does, for people.
    pub what: String,
    pub writer: Writer,
    /// The places it means to change; `None`: all that changes.
    pub meant: Option<Vec<Path>>,
    /// Whether the server may have put its defaults in the place of what it wrote: those have no writer.
    pub leaves_defaults: bool,
    /// kubectl's arguments, input and environment.
    pub arguments: Vec<String>,
    pub input: String,
    pub editor: Option<String>,
}

/// An object that may be written to.
pub struct Subject<'a> {
    pub declared: &'a Object,
    pub live: &'a Live,
    pub namespace: &'a str,
    pub way: Way,
}

impl Subject<'_> {
    /// `deployment.v1.apps/api` and its namespace, as kubectl's arguments.
    fn named(&self) -> Vec<String> {
        let mut arguments = vec![format!("{}/{}", resource(self.declared), self.declared.name())];
        if self.declared.namespaced {
            arguments.push(format!("--namespace={}", self.namespace));
        }
        arguments
    }

    fn kind(&self) -> &str {
        self.declared.kind()
    }
}

/// A kind at its declared version, as kubectl names it.
pub fn resource(object: &Object) -> String {
    let kind = object.kind().to_lowercase();
    match object.api_version().split_once('/') {
        Some((group, version)) => format!("{kind}.{version}.{group}"),
        None => kind,
    }
}

/// Thinks of a write for an object; `None` where what came to mind does not fit it.
pub fn think(subject: &Subject<'_>, random: &mut Random) -> Option<Mutation> {
    match random.below(100) {
        0..55 => edits::edit(subject, random).and_then(|ops| transports::choose(subject, &ops, random)),
        55..75 => commands::command(subject, random),
        75..84 => commands::again(subject, random),
        84..94 => commands::decoy(subject, random),
        _ => commands::delete(subject, random),
    }
}

impl Mutation {
    fn new(what: String, writer: Writer, arguments: Vec<String>) -> Self {
        Self { what, writer, meant: None, leaves_defaults: false, arguments, input: String::new(), editor: None }
    }

    /// What it means to change, from the live object and what it should become.
    fn meaning(mut self, kind: &str, before: &Value, after: &Value) -> Self {
        self.meant = Some(touched(kind, &content(before), &content(after)));
        self
    }

    /// Does it; what kubectl said if the server or kubectl refused.
    pub fn perform(&self, cluster: &Cluster) -> Result<(), String> {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        match &self.editor {
            None => cluster.with_input(&arguments, &self.input, &[]).map(drop),
            Some(text) => {
                let folder = tempfile::tempdir().expect("a folder");
                let wanted = folder.path().join("wanted");
                std::fs::write(&wanted, text).expect("a file");
                // kubectl gives the file to edit as the last argument.
                let editor = format!("cp {}", wanted.display());
                cluster.with_input(&arguments, "", &[("KUBE_EDITOR", editor.as_str())]).map(drop)
            }
        }
    }
}
