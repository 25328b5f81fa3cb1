//! Which commits are held against the change policies of their targets (DL012), and how that ended.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::changes::Changes;
use super::gather::TargetSource;
use crate::adapters::git::{HistoryBounds, Line, OpenedRepository};
use crate::config::{ChangePolicy, Config};
use crate::model::attribution::Origin;
use crate::model::canonical::Canonical;
use crate::model::finding::Finding;
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::{CommitId, RepositoryName, TargetName};
use crate::model::record::PriorState;
use crate::model::time::Timestamp;
use crate::stages::change_policy::{self, CommitStanding, commit_of};

/// The outcome for all targets.
#[derive(Default)]
pub struct Held {
    /// One for each commit that breaks a policy.
    pub findings: Vec<Finding>,
    /// How the commits of open findings stand that are no findings now.
    pub standings: BTreeMap<String, CommitStanding>,
    /// What could not be looked at.
    pub gaps: Vec<Gap>,
    /// The policies that commits were held against: subject and state, for the ledger.
    pub states: Vec<(String, String)>,
    /// By repository and commit: where its finding is.
    places: BTreeMap<(RepositoryName, CommitId), usize>,
}

/// Holds commits against the policies of their targets:
/// - those that came to the revision after the newest commit that this ledger has seen on it;
/// - where the policy is new or has changed, those since the policy's date;
/// - those of findings that are open or once were, as long as they are on the revision: a finding that an ignore rule covered comes back
///   with the rule's end.
///
/// Blocks.
pub fn hold(sources: &[TargetSource], prior: &PriorState, config: &Config, changes: &mut Changes) -> Held {
    let mut held = Held::default();
    for source in sources {
        let name = &source.config.name;
        let subject = format!("change policy of target {name}");
        let before = prior.config.get(&subject);
        let Some(policy) = &source.config.change_policy else {
            held.states.extend(before.map(|_| (subject, "none".to_owned())));
            continue;
        };
        let Some((tip, repository, _)) = &source.commit else { continue };
        let state = Canonical::new("driftledger/change-policy/v1").text(&policy.canonical()).finish_hex();
        let earlier = Earlier::of(source, prior);
        let target = Target { source, tip, repository, policy, is_known: before == Some(&state) };
        match target.commits(&earlier, prior, config) {
            Ok(commits) => {
                held.states.push((subject, state));
                held.gaps.extend(commits.gap.clone().map(|gap| target.of(gap)));
                held.judge(&target, &commits, &earlier, changes);
            }
            Err(gap) => {
                held.gaps.push(target.of(gap));
                earlier.open().for_each(|(_, print)| held.stands(print, CommitStanding::Unknown));
            }
        }
    }
    let found: BTreeSet<&String> = held.findings.iter().map(|finding| &finding.fingerprint).collect();
    held.standings.retain(|print, _| !found.contains(print));
    held
}

/// Commits of earlier findings that are held against a target's policy again, with the findings' fingerprints where they are open and
/// the target's own: nobody else says how these end.
struct Earlier(BTreeMap<CommitId, Option<String>>);

impl Earlier {
    /// Of the target itself, and of others that track the same revision: a commit is one finding for all of them.
    fn of(source: &TargetSource, prior: &PriorState) -> Self {
        let own = &source.config;
        let closed =
            prior.closed_commits.iter().filter(|of| of.repository == own.repository && of.revision == own.revision);
        let closed = closed.map(|of| (of.commit.clone(), None));
        let open = prior.open.values().filter_map(|open| {
            let (repository, commit) = commit_of(&open.finding)?;
            let origin = open.finding.origin.as_ref()?;
            let is_own = open.target.as_ref() == Some(&own.name);
            let print = is_own.then(|| open.finding.fingerprint.clone());
            let is_asked = *repository == own.repository && (is_own || origin.revision == own.revision);
            is_asked.then(|| (commit.clone(), print))
        });
        Self(closed.chain(open).collect())
    }

    /// The open ones.
    fn open(&self) -> impl Iterator<Item = (&CommitId, &String)> {
        self.0.iter().filter_map(|(commit, print)| Some((commit, print.as_ref()?)))
    }
}

struct Target<'a> {
    source: &'a TargetSource,
    tip: &'a CommitId,
    repository: &'a OpenedRepository,
    policy: &'a ChangePolicy,
    /// Whether an earlier scan held commits against the same policy.
    is_known: bool,
}

/// What is to be held against a policy, the newest first.
#[derive(Default)]
struct Commits {
    commits: Vec<CommitId>,
    /// Whether the walk came to the end of what it looked for.
    whole: bool,
    gap: Option<Gap>,
}

impl Target<'_> {
    fn of(&self, gap: Gap) -> Gap {
        gap.of_target(&self.source.config.name).of_cluster(&self.source.config.cluster)
    }

    fn commits(&self, earlier: &Earlier, prior: &PriorState, config: &Config) -> Result<Commits, Gap> {
        let own = &self.source.config;
        let mut tips: Vec<(Timestamp, &CommitId)> = prior
            .sightings
            .iter()
            .filter(|(sighting, _)| sighting.repository == own.repository && sighting.revision == own.revision)
            .map(|(sighting, time)| (*time, &sighting.commit))
            .collect();
        tips.sort_unstable();
        let sighted: BTreeSet<&CommitId> = tips.iter().map(|(_, commit)| *commit).collect();
        let since = self.policy.since.filter(|_| !self.is_known);
        let bounds = HistoryBounds {
            max_commits: config.limits.history_commits,
            deadline: Instant::now().checked_add(config.limits.history_time),
        };
        // A date is the committer's word, so one early date does not end the search for later ones.
        let mut left: BTreeSet<&CommitId> = earlier.0.keys().collect();
        let mut at_sighted = sighted.is_empty();
        let line = self.repository.line(
            self.tip,
            &mut |commit| {
                at_sighted |= sighted.contains(commit);
                let done = at_sighted && left.is_empty() && since.is_none();
                left.remove(commit);
                done
            },
            bounds,
        )?;
        let position = line.commits.iter().position(|(commit, _)| sighted.contains(commit));
        let (fresh, gap) = match (tips.last(), position) {
            (None, _) => (0, None),
            (_, Some(at)) => (at, None),
            (_, None) if at_sighted => (line.commits.len(), None),
            (Some((_, newest)), None) => self.without_sighting(&line, newest, bounds),
        };
        let oldest = line.commits.last().map(|(_, time)| *time);
        let cut =
            line.cut.filter(|_| gap.is_none() && since.is_some_and(|since| oldest.is_some_and(|time| time >= since)));
        let gap = gap.or_else(|| {
            cut.map(|cut| limit(format!("not every commit since the change policy's date was held against it: {cut}")))
        });
        let wanted = |(n, (commit, time)): (usize, &(CommitId, Timestamp))| {
            let is_wanted = n < fresh || since.is_some_and(|since| *time >= since) || earlier.0.contains_key(commit);
            is_wanted.then(|| commit.clone())
        };
        let commits = line.commits.iter().enumerate().filter_map(wanted).collect();
        Ok(Commits { commits, whole: line.cut.is_none(), gap })
    }

    /// How many of the newest commits are new, where none on the line was seen before.
    fn without_sighting(&self, line: &Line, newest: &CommitId, bounds: HistoryBounds) -> (usize, Option<Gap>) {
        let all = line.commits.len();
        if let Some(cut) = line.cut {
            return (
                all,
                Some(limit(format!("only the newest {all} commits were held against the change policy: {cut}"))),
            );
        }
        // The revision was rewritten: what it shares with the line that was seen is not new.
        let Ok(old) = self.repository.line(newest, &mut |_| false, bounds) else {
            let message = "the revision was rewritten and its former commits are gone: which commits are new is not known, and none \
                           was held against the change policy for being new";
            return (0, Some(limit(message.to_owned())));
        };
        let old: BTreeSet<&CommitId> = old.commits.iter().map(|(commit, _)| commit).collect();
        (line.commits.iter().position(|(commit, _)| old.contains(commit)).unwrap_or(all), None)
    }

    fn origin(&self) -> Origin {
        let own = &self.source.config;
        Origin {
            target: own.name.clone(),
            repository: own.repository.clone(),
            revision: own.revision.clone(),
            commit: self.tip.clone(),
            file: if own.path.is_empty() { ".".to_owned() } else { own.path.clone() },
            line: None,
            renderer: None,
        }
    }
}

fn limit(message: String) -> Gap {
    Gap::new(GapKind::Limit, message, Hides::Evidence)
}

impl Held {
    fn judge(&mut self, target: &Target<'_>, found: &Commits, earlier: &Earlier, changes: &mut Changes) {
        let own = &target.source.config;
        for commit in &found.commits {
            let print = earlier.0.get(commit).and_then(Option::as_ref);
            let Some(change) = changes.get(&own.repository, commit) else {
                print.into_iter().for_each(|print| self.stands(print, CommitStanding::Unknown));
                continue;
            };
            let broken = change_policy::broken(target.policy, change);
            if broken.is_empty() {
                let standing = if target.is_known { CommitStanding::Fulfils } else { CommitStanding::PolicyChanged };
                print.into_iter().for_each(|print| self.stands(print, standing));
                continue;
            }
            let key = (own.repository.clone(), commit.clone());
            match self.places.get(&key).map(|place| &mut self.findings[*place]) {
                Some(first) => add(first, &own.name, &broken),
                None => {
                    self.places.insert(key, self.findings.len());
                    self.findings.push(change_policy::finding(&own.cluster, target.origin(), change, &broken));
                }
            }
        }
        let standing = if found.whole { CommitStanding::Gone } else { CommitStanding::Unknown };
        let judged: BTreeSet<&CommitId> = found.commits.iter().collect();
        let gone = earlier.open().filter(|(commit, _)| !judged.contains(commit));
        gone.for_each(|(_, print)| self.stands(print, standing));
    }

    /// Of several targets' words the least certain counts.
    fn stands(&mut self, print: &str, standing: CommitStanding) {
        let known = self.standings.entry(print.to_owned()).or_insert(standing);
        if standing == CommitStanding::Unknown {
            *known = standing;
        }
    }
}

/// A commit that breaks the policies of several targets is one finding; what the first one's note does not say yet is added.
fn add(finding: &mut Finding, target: &TargetName, broken: &[String]) {
    let note = finding.note.clone().unwrap_or_default();
    let more: Vec<&str> = broken.iter().map(String::as_str).filter(|rule| !note.contains(rule)).collect();
    if !more.is_empty() {
        finding.note = Some(format!("{note}; for target {target}: {}", more.join("; ")));
    }
}
