//! What is secret besides Secrets' data: fields that the configuration names, and names that look like credentials.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::Regex;

use super::name::{MOST_NAME, NamePattern, NamePatterns, words};
use super::token;
use crate::model::field_path::FieldPath;
use crate::model::resource::GroupKind;

/// What is redacted besides Secrets' data. The default is nothing more; the shipped names are the configuration's.
#[derive(Clone, Debug, Default)]
pub struct RedactionRules {
    /// Fields that are secret as a whole, whatever they hold.
    pub fields: Vec<RedactionRule>,
    /// Names that look like credentials; `None`: switched off.
    pub names: Option<Arc<CredentialNames>>,
}

/// One such field: it and everything below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedactionRule {
    /// The kind it applies to.
    pub kind: GroupKind,
    /// The field; a step `["*"]` stands for any field, key or element.
    pub path: FieldPath,
}

/// A field that is shown whatever its name: it and everything below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownField {
    /// The kind it applies to; `None`: any.
    pub kind: Option<GroupKind>,
    /// The field; a step `["*"]` stands for any field, key or element.
    pub path: FieldPath,
}

/// The texts from which [`CredentialNames`] are made.
#[derive(Clone, Debug, Default)]
pub struct NameLists<'a> {
    /// Names of credentials.
    pub names: Vec<&'a str>,
    /// Names whose value is hidden only if it looks as if a machine had made it.
    pub by_value: Vec<&'a str>,
    /// The same, but only for fields of objects, annotations and labels: there, they mostly name a Secret.
    pub fields_by_value: Vec<&'a str>,
    /// Names that only speak of credentials.
    pub except: Vec<&'a str>,
    /// Names added by the configuration; they come before `except`.
    pub own_names: Vec<&'a str>,
    /// Exceptions added by the configuration; they come before everything.
    pub own_except: Vec<&'a str>,
    /// Credentials that are known by their shape: name, what they begin with, regular expression.
    pub shapes: Vec<(&'a str, &'a str, &'a str)>,
    /// Fields that are shown whatever their name.
    pub fields: Vec<ShownField>,
}

/// A pattern or expression that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no pattern of names: it needs a word of two letters at least, and no word that is `*` alone")]
pub struct BadPattern(pub String);

/// Where a name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// An environment variable, a key of a configuration, a flag.
    Setting,
    /// A field of an object, an annotation or a label.
    Field,
}

/// What a name says of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// Nothing.
    Plain,
    /// It is a credential if it looks like one.
    Doubtful,
    /// It is a credential; a small number may be none.
    Credential,
    /// It is a password: even a number is one.
    Password,
}

/// What was found where a text may hold something secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Candidate {
    /// Part of a name.
    Name,
    /// The `://` of a URL.
    Url,
    /// The `@tcp(` of a Go data source name.
    DataSource,
    /// The end of a PEM header.
    Pem,
    /// The beginning of what only this program writes.
    Token,
    /// The beginning of a shape.
    Shape(usize),
}

#[derive(Debug)]
pub(super) struct Shape {
    pub(super) name: String,
    pub(super) regex: Regex,
}

/// Names that look like credentials, and credentials that are known by their shape; compiled.
#[derive(Debug)]
pub struct CredentialNames {
    names: NamePatterns,
    by_value: NamePatterns,
    fields_by_value: NamePatterns,
    except: NamePatterns,
    own_names: NamePatterns,
    own_except: NamePatterns,
    passwords: NamePatterns,
    shapes: Vec<Shape>,
    fields: Vec<ShownField>,
    /// Finds what may be secret in one pass over a text.
    finder: AhoCorasick,
    candidates: Vec<Candidate>,
    /// Finds whether a name can be one of a credential.
    stems: AhoCorasick,
    /// What was said of names with such a stem: objects have the same few over and over.
    said: [RwLock<HashMap<Box<str>, Naming>>; 2],
}

/// Most names that are remembered for a place: those inside texts have no end.
const MOST_SAID: usize = 8_192;

/// Names whose value is secret even if it is a number.
const PASSWORDS: [&str; 10] =
    ["*password", "*passwd", "*passphrase", "*passcode", "*pwd", "pass", "pw", "pin", "requirepass", "masterauth"];

impl CredentialNames {
    /// Compiles lists.
    ///
    /// # Errors
    /// The first text that is no pattern.
    pub fn new(lists: &NameLists<'_>) -> Result<Self, BadPattern> {
        let mut stems: Vec<String> = Vec::new();
        let mut read = |texts: &[&str], finds: bool| {
            let mut patterns = NamePatterns::default();
            for text in texts {
                let (pattern, stem) = NamePattern::parse(text).ok_or_else(|| BadPattern((*text).to_owned()))?;
                patterns.push(pattern);
                if finds && !stems.contains(&stem) {
                    stems.push(stem);
                }
            }
            Ok(patterns)
        };
        let names = read(&lists.names, true)?;
        let by_value = read(&lists.by_value, true)?;
        let fields_by_value = read(&lists.fields_by_value, true)?;
        let own_names = read(&lists.own_names, true)?;
        let except = read(&lists.except, false)?;
        let own_except = read(&lists.own_except, false)?;
        let passwords = read(&PASSWORDS, false)?;
        // A stem that another one is part of is found with that one.
        let all = stems.clone();
        stems.retain(|stem| !all.iter().any(|other| other != stem && stem.contains(other.as_str())));

        let mut shapes = Vec::new();
        let mut literals: Vec<(&str, Candidate)> = stems.iter().map(|stem| (stem.as_str(), Candidate::Name)).collect();
        literals.extend([
            ("://", Candidate::Url),
            ("@tcp(", Candidate::DataSource),
            ("PRIVATE KEY-----", Candidate::Pem),
            ("PRIVATE KEY BLOCK-----", Candidate::Pem),
            (token::PREFIX, Candidate::Token),
        ]);
        for (n, (name, begins, regex)) in lists.shapes.iter().enumerate() {
            let bad = || BadPattern((*regex).to_owned());
            let regex = Regex::new(&format!("^(?:{regex})")).map_err(|_| bad())?;
            shapes.push(Shape { name: (*name).to_owned(), regex });
            literals.push((begins, Candidate::Shape(n)));
        }
        let (texts, candidates): (Vec<&str>, Vec<Candidate>) = literals.into_iter().unzip();
        Ok(Self {
            names,
            by_value,
            fields_by_value,
            except,
            own_names,
            own_except,
            passwords,
            shapes,
            fields: lists.fields.clone(),
            finder: automaton(&texts),
            candidates,
            stems: automaton(&stems),
            said: Default::default(),
        })
    }

    /// Whether a text is a pattern of names.
    ///
    /// # Errors
    /// If it is none.
    pub fn check(text: &str) -> Result<(), BadPattern> {
        NamePattern::parse(text).map(|_| ()).ok_or_else(|| BadPattern(text.to_owned()))
    }

    /// What the known shapes are called.
    pub fn shape_names(&self) -> impl Iterator<Item = &str> {
        self.shapes.iter().map(|shape| shape.name.as_str())
    }

    /// What a name says of its value.
    pub(super) fn naming(&self, name: &str, place: Place) -> Naming {
        // What a name is about stands at its end.
        let from = (name.len().saturating_sub(MOST_NAME)..=name.len()).find(|n| name.is_char_boundary(*n));
        let name = &name[from.unwrap_or(0)..];
        if !self.stems.is_match(name) {
            return Naming::Plain;
        }
        let said = &self.said[usize::from(place == Place::Field)];
        if let Some(naming) = said.read().ok().and_then(|said| said.get(name).copied()) {
            return naming;
        }
        let naming = self.naming_of(name, place);
        if let Ok(mut said) = said.write()
            && said.len() < MOST_SAID
        {
            said.insert(name.into(), naming);
        }
        naming
    }

    fn naming_of(&self, name: &str, place: Place) -> Naming {
        let words = words(name);
        if self.own_except.fit(&words) > 0 {
            return Naming::Plain;
        }
        let own = self.own_names.fit(&words) > 0;
        if !own && self.except.fit(&words) > 0 {
            return Naming::Plain;
        }
        let certain = self.names.fit(&words);
        // Names in capitals are settings wherever they stand.
        let field = place == Place::Field && name.bytes().any(|b| b.is_ascii_lowercase());
        let in_fields = if field { self.fields_by_value.fit(&words) } else { 0 };
        if own || (certain > 0 && certain >= self.by_value.fit(&words) && certain > in_fields) {
            if self.passwords.fit(&words) > 0 { Naming::Password } else { Naming::Credential }
        } else if certain > 0 || self.by_value.fit(&words) > 0 || in_fields > 0 {
            Naming::Doubtful
        } else {
            Naming::Plain
        }
    }

    /// Whether anything in a text could be secret: a cheap look before a thorough one.
    pub(super) fn may_hold(&self, text: &str) -> bool {
        self.finder.is_match(text)
    }

    /// What could be secret in a text, with start and end, by its end.
    pub(super) fn candidates<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (Candidate, usize, usize)> + 'a {
        let found = self.finder.find_overlapping_iter(text);
        found.map(|m| (self.candidates[m.pattern().as_usize()], m.start(), m.end()))
    }

    pub(super) fn shape(&self, n: usize) -> &Shape {
        &self.shapes[n]
    }

    /// The shown fields of a kind.
    pub(super) fn shown_fields(&self, kind: &GroupKind) -> impl Iterator<Item = &ShownField> {
        self.fields.iter().filter(move |field| field.kind.as_ref().is_none_or(|k| k == kind))
    }
}

fn automaton<T: AsRef<[u8]>>(texts: &[T]) -> AhoCorasick {
    // Without patterns nothing is found; with the shipped ones this takes a megabyte at most.
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .build(texts)
        .expect("short patterns fit an automaton")
}
