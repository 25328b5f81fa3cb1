//! Severity rules: how much a finding matters. The shipped ones are `config/severity.yaml`.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;
use wildmatch::WildMatch;

use crate::model::field_path::{FieldPath, Step};
use crate::model::finding::{Cause, Code, Finding, Severity};

/// A severity, as written in configuration.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum RawSeverity {
    /// Reports only.
    Info,
    /// Summaries and reports.
    Low,
    /// Worth a message.
    Medium,
    /// Worth a message soon.
    High,
    /// Worth waking somebody.
    Critical,
}

impl From<RawSeverity> for Severity {
    fn from(raw: RawSeverity) -> Self {
        match raw {
            RawSeverity::Info => Self::Info,
            RawSeverity::Low => Self::Low,
            RawSeverity::Medium => Self::Medium,
            RawSeverity::High => Self::High,
            RawSeverity::Critical => Self::Critical,
        }
    }
}

/// One rule, as written. It fits if everything that it names fits.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawSeverityRule {
    /// The severity that it gives.
    pub severity: RawSeverity,
    /// Codes: `DL001`…
    #[serde(default)]
    pub codes: Vec<String>,
    /// Causes: `behind`, `out-of-band`…
    #[serde(default)]
    pub causes: Vec<String>,
    /// `Kind`, or `Kind.group`; `*` stands for any text. Without a point any group fits.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Namespaces; `*` stands for any text. Cluster-scoped objects have none and do not fit.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Names of objects; `*` stands for any text.
    #[serde(default)]
    pub names: Vec<String>,
    /// Names of targets; `*` stands for any text. What no target declares does not fit.
    #[serde(default)]
    pub targets: Vec<String>,
    /// Names of clusters; `*` stands for any text.
    #[serde(default)]
    pub clusters: Vec<String>,
    /// Field paths with list keys left out, as `.spec.template.spec.containers[].image`; `*` stands for any text.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Live values that are text; `*` stands for any text.
    #[serde(default)]
    pub live: Vec<String>,
    /// True: only what the audit log says somebody else wrote than the field manager's name does. False: only what it does not say that of.
    pub contradicted: Option<bool>,
}

#[derive(Clone, Debug)]
struct Rule {
    severity: Severity,
    codes: Vec<Code>,
    causes: Vec<Cause>,
    kinds: Vec<WildMatch>,
    namespaces: Vec<WildMatch>,
    names: Vec<WildMatch>,
    targets: Vec<WildMatch>,
    clusters: Vec<WildMatch>,
    paths: Vec<WildMatch>,
    live: Vec<WildMatch>,
    contradicted: Option<bool>,
}

/// The rules, in order.
#[derive(Clone, Debug)]
pub struct SeverityRules(Vec<Rule>);

impl Default for SeverityRules {
    /// The shipped rules.
    fn default() -> Self {
        #[derive(Deserialize)]
        struct File {
            rules: Vec<RawSeverityRule>,
        }
        static SHIPPED: LazyLock<Vec<Rule>> = LazyLock::new(|| {
            let file: File = super::shipped(include_str!("../../config/severity.yaml"));
            file.rules.iter().map(|raw| Rule::new(raw).expect("a test reads the shipped rules")).collect()
        });
        Self(SHIPPED.clone())
    }
}

impl SeverityRules {
    /// Rules of one's own before the shipped ones.
    ///
    /// # Errors
    /// Of each rule the first word that is no code or cause, with the rule's position.
    pub fn with_shipped(own: &[RawSeverityRule]) -> Result<Self, Vec<(usize, String)>> {
        let mut rules = Vec::new();
        let mut problems = Vec::new();
        for (n, raw) in own.iter().enumerate() {
            match Rule::new(raw) {
                Ok(rule) => rules.push(rule),
                Err(word) => problems.push((n, word)),
            }
        }
        rules.extend(Self::default().0);
        if problems.is_empty() { Ok(Self(rules)) } else { Err(problems) }
    }

    /// The severity of a finding.
    pub fn of(&self, finding: &Finding) -> Severity {
        let kind = finding.object().group_kind().to_string();
        let path = finding.path.as_ref().map(without_keys).unwrap_or_default();
        self.0.iter().find(|rule| rule.fits(finding, &kind, &path)).map_or(Severity::Low, |rule| rule.severity)
    }
}

impl Rule {
    fn new(raw: &RawSeverityRule) -> Result<Self, String> {
        let codes = raw.codes.iter().map(|text| Code::parse(text).ok_or_else(|| text.clone()));
        let causes = raw.causes.iter().map(|text| Cause::parse(text).ok_or_else(|| text.clone()));
        let patterns = |texts: &[String]| texts.iter().map(|text| WildMatch::new(text)).collect();
        Ok(Self {
            severity: raw.severity.into(),
            codes: codes.collect::<Result<_, _>>()?,
            causes: causes.collect::<Result<_, _>>()?,
            kinds: patterns(&raw.kinds),
            namespaces: patterns(&raw.namespaces),
            names: patterns(&raw.names),
            targets: patterns(&raw.targets),
            clusters: patterns(&raw.clusters),
            paths: patterns(&raw.paths),
            live: patterns(&raw.live),
            contradicted: raw.contradicted,
        })
    }

    fn fits(&self, finding: &Finding, kind: &str, path: &str) -> bool {
        let some = |patterns: &[WildMatch], text: Option<&str>| {
            patterns.is_empty() || text.is_some_and(|text| patterns.iter().any(|p| p.matches(text)))
        };
        let any = |patterns: &[WildMatch], text: &str| some(patterns, Some(text));
        self.contradicted.is_none_or(|wanted| wanted == finding.contradicted())
            && (self.codes.is_empty() || self.codes.contains(&finding.code))
            && (self.causes.is_empty() || finding.cause.is_some_and(|cause| self.causes.contains(&cause)))
            && (any(&self.kinds, kind) || any(&self.kinds, &finding.kind))
            && some(&self.namespaces, finding.namespace.as_deref())
            && any(&self.names, &finding.name)
            && some(&self.targets, finding.origin.as_ref().map(|origin| origin.target.as_str()))
            && any(&self.clusters, finding.cluster.as_str())
            && any(&self.paths, path)
            && any(&self.live, finding.live.as_ref().and_then(|live| live.as_str()).unwrap_or_default())
    }
}

/// The path with its list elements written `[]`.
fn without_keys(path: &FieldPath) -> String {
    path.steps()
        .iter()
        .map(|step| match step {
            Step::Field(_) => FieldPath::from(vec![step.clone()]).to_string(),
            Step::Key(_) | Step::Item(_) | Step::Index(_) => "[]".to_owned(),
        })
        .collect()
}

#[cfg(test)]
#[path = "severity_tests.rs"]
mod tests;
