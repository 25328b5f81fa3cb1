//! What the GitOps operators of the clusters say of the targets. Their kinds are listed where they are served; what of them cannot be
//! read is said and hides nothing: it is evidence.

use std::collections::{BTreeMap, BTreeSet};

use super::audit::ByKind;
use super::gather::TargetSource;
use super::kind::{KindOutcome, Wanted};
use super::operator_rules;
use super::reading::ClusterReading;
use super::sightings;
use crate::config::Config;
use crate::model::discovery::{Discovery, preferred};
use crate::model::gap::{Exclusion, GapKind};
use crate::model::ids::{ClusterName, Revision, TargetName};
use crate::model::resource::{GroupKind, Gvk};
use crate::stages::operators::{self as says, Operators};
use crate::stages::runs::{self, Told};

/// What operators say of each target.
pub type ToldByTarget = BTreeMap<TargetName, Vec<Told>>;

/// Adds the operators' kinds to those that are read; returns the ones that nothing else asks for.
pub fn plan(discovery: &Discovery, by_kind: &mut ByKind) -> BTreeSet<Gvk> {
    let mut added = BTreeSet::new();
    for kind in Operators::kinds() {
        if by_kind.keys().any(|gvk| gvk.group_kind() == kind) {
            continue;
        }
        let served = discovery.versions_of(&kind).into_iter().filter(|served| served.listable);
        if let Some(served) = preferred(served) {
            by_kind.insert(served.gvk.clone(), (served.clone(), Wanted::new()));
            added.insert(served.gvk.clone());
        }
    }
    added
}

/// Takes in what the LIST of one kind says. What cannot be read of a kind that nothing else asks for is no gap.
pub fn take(outcome: &mut KindOutcome, only_told: &BTreeSet<Gvk>, reading: &mut ClusterReading) {
    let gvk = &outcome.kind.gvk;
    let Some(operator) = Operators::operator(&gvk.group_kind()) else { return };
    reading.operators.append(std::mem::take(&mut outcome.found.operators));
    let right = format!("{}.{}", outcome.kind.plural, gvk.gv.group);
    if only_told.contains(gvk) {
        for gap in std::mem::take(&mut outcome.gaps) {
            let needs = (gap.kind == GapKind::Forbidden).then(|| format!("; it takes the right to list {right}"));
            let reason = format!("it is not read: {}{}", gap.message, needs.unwrap_or_default());
            not_read(operator, &gvk.group_kind(), reason, reading);
        }
    } else if !outcome.everything && outcome.gaps.is_empty() {
        let reason = format!("only declared ones are read; it takes the right to list {right} in the whole cluster");
        not_read(operator, &gvk.group_kind(), reason, reading);
    }
}

/// A task that broke down.
pub fn broke_down(gvk: &Gvk, reading: &mut ClusterReading) {
    let kind = gvk.group_kind();
    let reason = "reading the kind broke down; this is a defect in the program: please report it".to_owned();
    not_read(Operators::operator(&kind).unwrap_or_default(), &kind, reason, reading);
}

fn not_read(operator: &str, kind: &GroupKind, reason: String, reading: &mut ClusterReading) {
    let what = match kind.kind.as_str() {
        "GitRepository" => format!("which repositories {operator}'s Kustomizations are of"),
        kind => format!("what {operator} says of its {kind}s"),
    };
    let scope = reading.summary.name.to_string();
    reading.exclusions.push(Exclusion { scope, what, reason, count: None });
}

/// What operators of all clusters say of the targets, held against the revisions' histories. Blocks.
pub fn of_targets(sources: &[TargetSource], readings: &[ClusterReading], config: &Config) -> ToldByTarget {
    let clusters: Vec<&ClusterName> = config.clusters.iter().map(|cluster| &cluster.name).collect();
    let deployers: Vec<(&ClusterName, says::Deployer)> = readings
        .iter()
        .flat_map(|reading| reading.operators.deployers().map(|deployer| (&reading.summary.name, deployer)))
        .collect();
    let mut told = ToldByTarget::new();
    for source in sources.iter().filter(|_| !deployers.is_empty()) {
        let root = source.folder().root;
        let target = says::Wanted {
            cluster: &source.config.cluster,
            namespace: &source.config.namespace,
            paths: [source.config.path.as_str(), root.trim_matches('/')],
            is_repository: &|url| {
                operator_rules::repository_of(config, url).is_some_and(|name| name == source.config.repository)
            },
            is_revision: &|revision| is_revision(source, revision),
        };
        let said = deployers.iter().filter_map(|(here, deployer)| deployer.says(&target, here, &clusters));
        let of_target: Vec<Told> = said
            .map(|said| {
                let index = source.versions.as_deref();
                Told { behind: index.and_then(|index| sightings::behind(index, &said.commit)), said }
            })
            .collect();
        if !of_target.is_empty() {
            told.insert(source.config.name.clone(), of_target);
        }
    }
    told
}

/// The commits that operators say they applied last, by target.
pub fn applied(told: &ToldByTarget) -> BTreeMap<TargetName, Vec<u64>> {
    told.iter().map(|(target, told)| (target.clone(), runs::applied(told))).collect()
}

/// Whether an operator's revision is the tracked one: by its name, or where one of both is the repository's default branch, by its commit.
fn is_revision(source: &TargetSource, revision: &str) -> bool {
    let name = |text: &str| {
        let short = text.strip_prefix("refs/heads/").or_else(|| text.strip_prefix("refs/tags/"));
        short.unwrap_or(text).to_owned()
    };
    let tracked = source.config.revision.as_str();
    name(tracked) == name(revision)
        || (tracked == "HEAD" || revision == "HEAD")
            && source.commit.as_ref().is_some_and(|(tip, repository, _)| {
                repository.resolve(&Revision::new(revision)).is_ok_and(|resolved| resolved.commit == *tip)
            })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::kind::Found;
    use crate::model::discovery::ServedKind;
    use crate::model::gap::{Gap, Hides};
    use crate::stages::declare;

    fn served(api_version: &str, kind: &str, plural: &str) -> ServedKind {
        ServedKind { gvk: Gvk::new(api_version, kind), plural: plural.into(), namespaced: true, listable: true }
    }

    #[test]
    fn what_may_not_be_listed_is_an_exclusion_that_names_the_right_and_no_gap() {
        let mut discovery = Discovery::default();
        discovery.insert(served("v1", "ConfigMap", "configmaps"));
        discovery.insert(served("kustomize.toolkit.fluxcd.io/v1beta2", "Kustomization", "kustomizations"));
        discovery.insert(served("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "kustomizations"));
        let application = served("argoproj.io/v1alpha1", "Application", "applications");
        discovery.insert(application.clone());
        // Applications are declared, and read for that.
        let mut by_kind = ByKind::from([(application.gvk.clone(), (application.clone(), Wanted::new()))]);
        let only_told = plan(&discovery, &mut by_kind);
        let kustomization = Gvk::new("kustomize.toolkit.fluxcd.io/v1", "Kustomization");
        assert_eq!(only_told, BTreeSet::from([kustomization.clone()]), "once, at its preferred version");
        assert_eq!(by_kind.len(), 2);

        let (cluster, declared) = (ClusterName::new("prod"), declare::place(Vec::new(), &discovery));
        let mut reading = ClusterReading::new(&cluster, "kubernetes API", &discovery, declared);
        let forbidden = |kind: GroupKind| {
            Gap::new(GapKind::Forbidden, "the role does not allow it", Hides::Kind { kind, namespace: None })
        };
        let mut outcome = |kind: ServedKind, gaps: Vec<Gap>| {
            let (wanted, found) = (Wanted::new(), Found::default());
            let mut outcome = KindOutcome { kind, wanted, found, gaps, watch: None, everything: false };
            take(&mut outcome, &only_told, &mut reading);
            (outcome.gaps.len(), reading.exclusions.pop().map(|exclusion| (exclusion.what, exclusion.reason)))
        };
        let kind = by_kind[&kustomization].0.clone();
        let reason = "it is not read: the role does not allow it; it takes the right to list \
                      kustomizations.kustomize.toolkit.fluxcd.io";
        let what = "what Flux says of its Kustomizations";
        let gap = forbidden(kustomization.group_kind());
        assert_eq!(outcome(kind, vec![gap]), (0, Some((what.to_owned(), reason.to_owned()))));

        // What hides declared objects stays a gap.
        let gap = forbidden(application.gvk.group_kind());
        assert_eq!(outcome(application.clone(), vec![gap]), (1, None));
        let (gaps, exclusion) = outcome(application, Vec::new());
        assert!(gaps == 0 && exclusion.is_some_and(|(_, reason)| reason.starts_with("only declared ones are read")));
    }
}
