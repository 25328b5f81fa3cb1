//! What ignore rules did in a scan: counted for the report, and told to the lifecycle of findings.

use std::collections::BTreeMap;

use super::reading::ClusterReading;
use crate::model::canonical::Canonical;
use crate::model::finding::Finding;
use crate::model::fingerprint;
use crate::model::report::{IgnoreState, IgnoreSummary};
use crate::stages::ignore::{self, Subject};

/// Counts by rule, in the order of the rules.
#[derive(Default)]
pub struct Tally {
    rules: Vec<IgnoreSummary>,
    /// By source and id: clusters share the rules of the configuration.
    places: BTreeMap<(String, String), usize>,
    /// Why findings are not there although something differs, by fingerprint.
    reasons: BTreeMap<String, String>,
}

impl Tally {
    /// Counts what the comparison left out, and takes out of the findings those on objects as a whole that a rule covers.
    pub fn take(readings: &[ClusterReading], found: &mut Vec<Finding>) -> Self {
        let mut tally = Self::default();
        for reading in readings {
            tally.add(reading);
            found.retain(|finding| finding.cluster != reading.summary.name || !tally.covers(reading, finding));
        }
        tally
    }

    /// Why a finding that is no longer seen is not one: fingerprints and reasons.
    pub fn reasons(&self) -> &BTreeMap<String, String> {
        &self.reasons
    }

    /// For the report. Only a scan that saw everything can say that a rule is of no use.
    pub fn summaries(self, complete: bool) -> Vec<IgnoreSummary> {
        let mut rules = self.rules;
        for rule in &mut rules {
            rule.state = match rule.state {
                IgnoreState::Undetermined if rule.suppressed + rule.narrowed > 0 => IgnoreState::Used,
                IgnoreState::Undetermined if complete => IgnoreState::Unused,
                state => state,
            };
        }
        rules
    }

    fn add(&mut self, reading: &ClusterReading) {
        let ignores = &reading.ignores;
        let at: Vec<usize> = ignores
            .rules()
            .iter()
            .map(|rule| {
                let rules = &mut self.rules;
                *self.places.entry((rule.source.clone(), rule.id.clone())).or_insert_with(|| {
                    rules.push(IgnoreSummary {
                        id: rule.id.clone(),
                        source: rule.source.clone(),
                        reason: rule.reason.clone(),
                        expires: rule.expires.as_ref().map(|expiry| expiry.last_day.clone()),
                        suppressed: 0,
                        narrowed: 0,
                        by_code: BTreeMap::new(),
                        state: if ignores.is_expired(rule) { IgnoreState::Expired } else { IgnoreState::Undetermined },
                        note: rule.trouble.clone(),
                    });
                    rules.len() - 1
                })
            })
            .collect();
        for (id, ignored) in &reading.ignored {
            for gone in &ignored.suppressed {
                let print = fingerprint::of_object(&reading.summary.name, id, gone.path.as_ref());
                self.count(at[gone.rule], gone.code, print);
            }
            for rule in &ignored.narrowed {
                self.rules[at[*rule]].narrowed += 1;
            }
            for (rule, trouble) in &ignored.troubles {
                // The first tells enough; there may be one for every object.
                self.rules[at[*rule]].note.get_or_insert_with(|| format!("on {id}: {trouble}"));
            }
        }
    }

    fn count(&mut self, rule: usize, code: crate::model::finding::Code, print: String) {
        let rule = &mut self.rules[rule];
        rule.suppressed += 1;
        *rule.by_code.entry(code).or_default() += 1;
        self.reasons.insert(print, rule.reason.clone());
    }

    /// Whether a rule covers a finding on an object as a whole.
    fn covers(&mut self, reading: &ClusterReading, finding: &Finding) -> bool {
        if reading.ignores.rules().is_empty() {
            return false;
        }
        let id = finding.object();
        let tree = reading.objects.get(&id).and_then(|object| object.tree().ok());
        let labels = tree.as_ref().or(finding.live.as_ref()).and_then(ignore::labels);
        let subject = Subject { id: &id, origin: finding.origin.as_ref(), labels };
        let Some(rule) = reading.ignores.whole(subject, finding).map(|n| &reading.ignores.rules()[n]) else {
            return false;
        };
        if let Some(at) = self.places.get(&(rule.source.clone(), rule.id.clone())).copied() {
            self.count(at, finding.code, finding.fingerprint.clone());
        }
        true
    }
}

/// What a change of a cluster's rules is recognised by.
pub fn state(reading: &ClusterReading) -> (String, String) {
    let mut canonical = Canonical::new("driftledger/ignore/v1");
    for rule in reading.ignores.rules() {
        canonical = canonical.text(&rule.source).text(&rule.written);
    }
    (format!("ignore rules of cluster {}", reading.summary.name), canonical.finish_hex())
}
