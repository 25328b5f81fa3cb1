//! A role as the YAML that `kubectl apply` takes, with the reason for each right beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::escape::terminal;
use crate::model::role::{Grant, IDENTITY_NAMESPACE, NON_RESOURCE_URLS, NamedBy, Role, Why};

/// The account that a role is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its namespace.
    pub namespace: String,
    /// Its name; the roles have it, too.
    pub name: String,
}

/// The ClusterRole and its binding; Secrets in a ClusterRole of their own.
pub fn yaml(role: &Role, account: &Account) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "# The smallest role for a scan of cluster {}: get and list, and only what its targets declare and `audit` asks for.",
        terminal(role.cluster.as_str())
    );
    let _ = match &role.version {
        Some(version) => writeln!(out, "# Resources are named as the cluster ({}) serves them.", terminal(version)),
        None => writeln!(
            out,
            "# The cluster was not asked: resources are named as Kubernetes and definitions in Git name them."
        ),
    };
    out.push_str("# Print it again when targets begin to declare other kinds: a kind without a rule is a gap, never \"in sync\".\n");
    for note in &role.notes {
        let _ = writeln!(out, "# NOTE: {}", terminal(note));
    }
    for kind in &role.unnameable {
        let _ = writeln!(out, "# NOTE: no rule can name {}", terminal(&kind.to_string()));
    }
    head(&mut out, &account.name);
    rules(&mut out, role);
    binding(&mut out, &account.name, account);
    if let Some(why) = &role.secrets {
        let name = format!("{}-secrets", account.name);
        out.push_str("---\n# Whoever holds the account's token can read every Secret of the cluster with it. Values become keyed hashes as they are read.\n");
        head(&mut out, &name);
        let _ = writeln!(
            out,
            "  - apiGroups: [\"\"]\n    resources:\n      - secrets # {}\n    verbs: [get, list]",
            reasons(why)
        );
        binding(&mut out, &name, account);
    }
    out
}

fn head(out: &mut String, name: &str) {
    let _ = writeln!(
        out,
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: {name}\n  labels:\n    \
         app.kubernetes.io/name: driftledger\nrules:"
    );
}

fn rules(out: &mut String, role: &Role) {
    let mut groups: BTreeMap<&str, Vec<(&str, &Grant)>> = BTreeMap::new();
    for ((group, resource), grant) in &role.grants {
        groups.entry(group).or_default().push((resource, grant));
    }
    for (group, resources) in groups {
        let group = if group.is_empty() { "\"\"" } else { group };
        let _ = writeln!(out, "  - apiGroups: [{group}]\n    resources:");
        for (resource, grant) in resources {
            let _ = writeln!(out, "      - {resource} # {}", reason(grant, role.version.is_some()));
        }
        out.push_str("    verbs: [get, list]\n");
    }
    if !role.grants.contains_key(&(String::new(), "namespaces".to_owned())) {
        let _ = writeln!(
            out,
            "  # Its UID is the cluster's identity: another cluster behind the same name is noticed by it.\n  - apiGroups: [\"\"]\n    \
             resources: [namespaces]\n    resourceNames: [{IDENTITY_NAMESPACE}]\n    verbs: [get]"
        );
    }
    out.push_str("  # Discovery, schemas and the version. Most clusters grant these to everybody; a hardened one may not.\n  - nonResourceURLs:\n");
    for url in NON_RESOURCE_URLS {
        let _ = writeln!(out, "      - {url}");
    }
    out.push_str("    verbs: [get]\n");
}

fn binding(out: &mut String, role: &str, account: &Account) {
    let Account { namespace, name } = account;
    let _ = writeln!(
        out,
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: {role}\n  labels:\n    \
         app.kubernetes.io/name: driftledger\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: {role}\n\
         subjects:\n  - kind: ServiceAccount\n    name: {name}\n    namespace: {namespace}"
    );
}

fn reason(grant: &Grant, asked: bool) -> String {
    let named = match grant.named {
        NamedBy::Discovery => "",
        NamedBy::Kubernetes if !asked => "",
        NamedBy::Kubernetes => "; the cluster does not serve it now",
        NamedBy::Definition if !asked => "; named by its definition in Git",
        NamedBy::Definition => "; the cluster does not serve it now, named by its definition in Git",
        NamedBy::Guess => "; the resource's name is a guess",
    };
    format!("{}{named}", reasons(&grant.why))
}

/// `declared by shop and 3 other targets; audited by default`
fn reasons(why: &BTreeSet<Why>) -> String {
    let mut declared = Vec::new();
    let mut once = Vec::new();
    let mut others = Vec::new();
    for why in why {
        match why {
            Why::Declared(target) => declared.push(terminal(target.as_str())),
            Why::OnceDeclared(target) => once.push(terminal(target.as_str())),
            Why::AuditedByDefault => others.push("audited by default"),
            Why::AuditedByChoice => others.push("audited because `audit` asks for it"),
            Why::Open => others.push("a finding of it is open in the ledger"),
            Why::Pods => others.push("convergence: Pods say why a workload is stuck"),
            Why::Operators => others.push("says what a GitOps operator applied"),
        }
    }
    let by = |what: &str, targets: &[String]| match targets {
        [] => None,
        [one] => Some(format!("{what} by {one}")),
        [one, two] => Some(format!("{what} by {one} and {two}")),
        [one, two, rest @ ..] => Some(format!("{what} by {one}, {two} and {} more", rest.len())),
    };
    let parts = [by("declared", &declared), by("once declared", &once)].into_iter().flatten();
    parts.chain(others.into_iter().map(str::to_owned)).collect::<Vec<_>>().join("; ")
}
