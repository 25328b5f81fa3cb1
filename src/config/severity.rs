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
    /// `Kind`, or `Kind.group`; `*` stands for any text.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Field paths with list keys left out, as `.spec.template.spec.containers[].image`; `*` stands for any text.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Live values that are text; `*` stands for any text.
    #[serde(default)]
    pub live: Vec<String>,
}

#[derive(Clone, Debug)]
struct Rule {
    severity: Severity,
    codes: Vec<Code>,
    causes: Vec<Cause>,
    kinds: Vec<WildMatch>,
    paths: Vec<WildMatch>,
    live: Vec<WildMatch>,
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
    /// The first word that is no code or cause, with the position of its rule.
    pub fn with_shipped(own: &[RawSeverityRule]) -> Result<Self, (usize, String)> {
        let mut rules = Vec::new();
        for (n, raw) in own.iter().enumerate() {
            rules.push(Rule::new(raw).map_err(|word| (n, word))?);
        }
        rules.extend(Self::default().0);
        Ok(Self(rules))
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
            paths: patterns(&raw.paths),
            live: patterns(&raw.live),
        })
    }

    fn fits(&self, finding: &Finding, kind: &str, path: &str) -> bool {
        let any = |patterns: &[WildMatch], text: &str| patterns.is_empty() || patterns.iter().any(|p| p.matches(text));
        (self.codes.is_empty() || self.codes.contains(&finding.code))
            && (self.causes.is_empty() || finding.cause.is_some_and(|cause| self.causes.contains(&cause)))
            && any(&self.kinds, kind)
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
