//! Ignore rules as they are used.

use std::collections::BTreeSet;

use wildmatch::WildMatch;

use super::jq::JqPath;
use super::labels::LabelSelector;
use super::place::PlacePattern;
use super::raw::{RawIgnoreRule, RawWriter};
use crate::config::actors::Operation;
use crate::model::attribution::Actor;
use crate::model::finding::Code;
use crate::model::ids::{RepositoryName, TargetName};
use crate::model::time::Timestamp;

/// A rule.
#[derive(Clone, Debug)]
pub struct IgnoreRule {
    /// What reports call it.
    pub id: String,
    /// Who says so: `configuration`, or an object that the targets declare.
    pub source: String,
    /// Why.
    pub reason: String,
    /// Until when; `None`: for ever.
    pub expires: Option<Expiry>,
    /// Which objects.
    pub select: Selection,
    /// What inside them.
    pub inside: Inside,
    /// What kept it from being taken over as it is stated.
    pub trouble: Option<String>,
    /// True if it ignores nothing for that reason.
    pub inert: bool,
    /// All of it as text: what a change of it is recognised by.
    pub written: String,
}

/// The end of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// The last day on which the rule works, as `2026-12-31`.
    pub last_day: String,
    /// The first moment after it, in UTC.
    pub end: Timestamp,
}

/// Which objects and findings a rule is about: all that fit everything that is not empty.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Kinds, alone or with their groups.
    pub kinds: Vec<WildMatch>,
    /// API groups.
    pub groups: Vec<WildMatch>,
    /// Namespaces.
    pub namespaces: Vec<WildMatch>,
    /// Whether cluster-scoped objects fit although namespaces are named.
    pub cluster_scoped: bool,
    /// Names.
    pub names: Vec<WildMatch>,
    /// Labels.
    pub labels: Option<LabelSelector>,
    /// Targets.
    pub targets: Vec<WildMatch>,
    /// Clusters.
    pub clusters: Vec<WildMatch>,
    /// Codes of findings.
    pub codes: Vec<Code>,
    /// Folders that the object is declared in.
    pub folders: Vec<SourceFolder>,
    /// Targets that are rendered from these folders, whatever file their objects come from.
    pub rendered_from_them: Vec<TargetName>,
}

/// A folder or file of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFolder {
    /// The repository.
    pub repository: RepositoryName,
    /// From its root, without slashes around; empty: the root.
    pub path: String,
}

/// What a rule ignores inside an object: the places, if there are any, and there only what the writers wrote, if there are any.
#[derive(Clone, Debug, Default)]
pub struct Inside {
    /// Places by pattern.
    pub places: Vec<PlacePattern>,
    /// Places by expression.
    pub jq: Vec<JqPath>,
    /// Writers.
    pub writers: Vec<WriterPattern>,
    /// Whether a writer counts that owns the field without having been the last.
    pub any_owner: bool,
}

/// A pattern of writers.
#[derive(Clone, Debug)]
pub struct WriterPattern {
    /// The field manager's name.
    pub manager: WildMatch,
    /// `None`: any.
    pub operation: Option<Operation>,
    /// `None`: any.
    pub subresource: Option<String>,
}

impl Inside {
    /// Whether it is about places, and not whole objects.
    pub fn has_places(&self) -> bool {
        !self.places.is_empty() || !self.jq.is_empty()
    }

    /// Whether a field with these writers, the newest first, is one that the rule ignores.
    pub fn fits_writers(&self, actors: &[Actor]) -> bool {
        let fits = |actor: &Actor| {
            self.writers.iter().any(|writer| {
                writer.manager.matches(&actor.manager)
                    && writer.operation.is_none_or(|o| format!("{o:?}") == actor.operation)
                    && writer.subresource.as_ref().is_none_or(|s| Some(s) == actor.subresource.as_ref())
            })
        };
        self.writers.is_empty()
            || if self.any_owner { actors.iter().any(fits) } else { actors.first().is_some_and(fits) }
    }
}

/// A problem of a rule: the key it is at, as `paths[0]`, and what is wrong.
pub type RuleProblem = (String, String);

/// The names that a configuration defines.
pub struct Names<'a> {
    /// Of targets.
    pub targets: Vec<&'a str>,
    /// Of clusters.
    pub clusters: Vec<&'a str>,
}

/// Reads rules; a rule with a problem is left out and the problem told, with the position of its rule.
pub fn read(raw: &[RawIgnoreRule], names: &Names<'_>, problem: &mut dyn FnMut(usize, RuleProblem)) -> Vec<IgnoreRule> {
    let mut rules: Vec<IgnoreRule> = Vec::new();
    let mut ids = BTreeSet::new();
    for (n, raw) in raw.iter().enumerate() {
        let mut reader = Reader { problems: Vec::new() };
        let rule = reader.rule(n, raw, names);
        if !ids.insert(rule.id.clone()) {
            reader.problems.push(("id".to_owned(), format!("`{}` is already taken", rule.id)));
        }
        if reader.problems.is_empty() {
            rules.push(rule);
        }
        reader.problems.into_iter().for_each(|found| problem(n, found));
    }
    rules
}

struct Reader {
    problems: Vec<RuleProblem>,
}

impl Reader {
    fn rule(&mut self, n: usize, raw: &RawIgnoreRule, names: &Names<'_>) -> IgnoreRule {
        let id = raw.id.clone().unwrap_or_else(|| format!("ignore[{n}]"));
        if id.trim().is_empty() {
            self.problem("id", "is empty");
        }
        if raw.reason.trim().is_empty() {
            self.problem("reason", "is empty: say why these differences are accepted");
        }
        let codes = self.each("codes", &raw.codes, |code| {
            Code::parse(code).ok_or_else(|| format!("`{code}` is no code (DL001 to DL012)"))
        });
        let labels = raw
            .labels
            .as_deref()
            .and_then(|text| LabelSelector::parse(text).map_err(|error| self.problem("labels", error)).ok());
        let select = Selection {
            kinds: patterns(&raw.kinds),
            groups: patterns(&raw.groups),
            namespaces: patterns(&raw.namespaces),
            cluster_scoped: false,
            names: patterns(&raw.names),
            labels,
            targets: self.known("targets", &raw.targets, &names.targets),
            clusters: self.known("clusters", &raw.clusters, &names.clusters),
            codes,
            folders: Vec::new(),
            rendered_from_them: Vec::new(),
        };
        let mut places = self.each("jsonPointers", &raw.json_pointers, PlacePattern::pointer);
        places.extend(self.each("paths", &raw.paths, |text| match PlacePattern::field_path(text) {
            Ok(pattern) if pattern.0.is_empty() => Err("is the whole object: leave it out".to_owned()),
            read => read.map_err(|error| error.to_string()),
        }));
        let jq = self.each("jq", &raw.jq, JqPath::parse);
        let writers = raw.managers.iter().map(|writer| match writer {
            RawWriter::Manager(name) => {
                WriterPattern { manager: WildMatch::new(name), operation: None, subresource: None }
            }
            RawWriter::Full(full) => WriterPattern {
                manager: WildMatch::new(&full.manager),
                operation: full.operation,
                subresource: full.subresource.clone(),
            },
        });
        let inside = Inside { places, jq, writers: writers.collect(), any_owner: false };
        if selects_everything(raw) && self.problems.is_empty() {
            self.problem("", "would ignore every finding: name the objects, or what to ignore inside them");
        }
        let expires = raw.expires.as_deref().and_then(|text| self.expiry(text));
        IgnoreRule {
            id,
            source: "configuration".to_owned(),
            reason: raw.reason.trim().to_owned(),
            expires,
            select,
            inside,
            trouble: None,
            inert: false,
            written: format!("{raw:?}"),
        }
    }

    fn each<T, E: ToString>(&mut self, key: &str, texts: &[String], read: impl Fn(&str) -> Result<T, E>) -> Vec<T> {
        let mut done = Vec::new();
        for (n, text) in texts.iter().enumerate() {
            match read(text) {
                Ok(value) => done.push(value),
                Err(error) => self.problem(&format!("{key}[{n}]"), error.to_string()),
            }
        }
        done
    }

    /// Patterns of names that the configuration defines: one that fits none is a mistake.
    fn known(&mut self, key: &str, texts: &[String], names: &[&str]) -> Vec<WildMatch> {
        self.each(key, texts, |text| {
            let pattern = WildMatch::new(text);
            let fits = names.iter().any(|name| pattern.matches(name));
            if fits { Ok(pattern) } else { Err(format!("`{text}` fits none; known: {}", names.join(", "))) }
        })
    }

    fn expiry(&mut self, text: &str) -> Option<Expiry> {
        let date = text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == "2026-12-31".len());
        let end = date.and_then(|date| date.tomorrow().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok());
        let Some(end) = end else {
            self.problem("expires", "is no date; write the last day as `2026-12-31`");
            return None;
        };
        Some(Expiry { last_day: text.to_owned(), end: Timestamp::from_unix(end.timestamp().as_second()) })
    }

    fn problem(&mut self, key: &str, message: impl Into<String>) {
        self.problems.push((key.to_owned(), message.into()));
    }
}

fn patterns(texts: &[String]) -> Vec<WildMatch> {
    texts.iter().map(|text| WildMatch::new(text)).collect()
}

/// Whether a rule names neither objects nor anything inside them.
fn selects_everything(raw: &RawIgnoreRule) -> bool {
    let lists = [&raw.kinds, &raw.groups, &raw.namespaces, &raw.names, &raw.targets, &raw.clusters, &raw.codes];
    let forms = [&raw.json_pointers, &raw.paths, &raw.jq];
    lists.iter().chain(&forms).all(|list| list.is_empty()) && raw.managers.is_empty() && raw.labels.is_none()
}
