//! A first configuration as commented YAML.

use std::fmt::Write as _;

use super::escape::yaml as scalar;
use super::words::counted;
use crate::model::first_config::{FirstConfig, Proposal};

/// The file's text.
pub fn yaml(config: &FirstConfig) -> String {
    let mut out = String::from(
        "# Configuration of Driftledger, as `driftledger init` found things: look through it, then run `driftledger scan`.\n\
         # `driftledger config check` says what is wrong with it, `driftledger config example` shows every setting.\n\
         # Relative paths start at this file's folder. Secrets are named by file or environment variable, never written here.\n\n\
         # The record of every scan. Its key is made beside it: ledger.sqlite.key. Back up both.\n\
         ledger: ledger.sqlite\n\nclusters:\n",
    );
    cluster(&mut out, config);
    repository(&mut out, config);
    out.push_str("\n# A target is read with everything below its path.\ntargets:");
    let certain: Vec<&Proposal> = config.proposals.iter().filter(|proposal| proposal.doubt.is_none()).collect();
    if certain.is_empty() {
        out.push_str(" # No folder with manifests was found that can be read as it is: this is the place for yours.\n");
        let nothing =
            Proposal { name: config.repository.clone(), path: String::new(), namespace: None, objects: 0, doubt: None };
        target(&mut out, config, &nothing, "  ");
    } else {
        out.push('\n');
    }
    for proposal in certain {
        target(&mut out, config, proposal, "  ");
    }
    for proposal in config.proposals.iter().filter(|proposal| proposal.doubt.is_some()) {
        target(&mut out, config, proposal, "  # ");
    }
    out.push_str(
        "\n# For how long a pushed commit may stay unapplied before it counts as behind.\ngrace: 15m\n\n\
         # The least severity that makes `scan` exit with 1: info, low, medium, high, critical.\nfailOn: low\n",
    );
    out
}

fn cluster(out: &mut String, config: &FirstConfig) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "  - name: {}", scalar(&config.cluster));
    match &config.context {
        Some(context) => {
            let _ = writeln!(out, "    context: {}", scalar(context));
            let _ = match &config.kubeconfig {
                Some(file) => writeln!(out, "    kubeconfig: {}", scalar(file)),
                None => writeln!(out, "    # kubeconfig: the one that kubectl uses, unless another is named here"),
            };
        }
        None => out.push_str(
            "    # There was no kubeconfig: the service account of the Pod that it runs in. Elsewhere: `context` and `kubeconfig`.\n    \
             inCluster: true\n",
        ),
    }
    match config.exec_plugin {
        Some(true) => out.push_str("    allowExecPlugins: true   # the context runs a program to get credentials\n"),
        Some(false) => out.push_str(
            "    # The context runs a program to get credentials. Allow that, or name a kubeconfig with a token:\n    \
             # allowExecPlugins: true\n",
        ),
        None => {}
    }
    out.push_str(
        "    # secrets: true           compare Secrets too, by keyed hashes; the role must allow it\n    \
         # `driftledger rbac` prints the smallest role for this file.\n\n",
    );
}

fn repository(out: &mut String, config: &FirstConfig) {
    let _ = writeln!(out, "repositories:\n  - name: {}\n    url: {}", scalar(&config.repository), scalar(&config.url));
    let _ = match &config.token_file {
        Some(file) => writeln!(out, "    tokenFile: {}", scalar(file)),
        None => writeln!(out, "    # tokenFile: git-token      or tokenEnv; or username with passwordFile"),
    };
}

fn target(out: &mut String, config: &FirstConfig, proposal: &Proposal, indent: &str) {
    if let Some(doubt) = proposal.doubt {
        let _ = writeln!(out, "  # {doubt}:");
    }
    let mut line = |text: String| {
        let _ = writeln!(out, "{indent}{text}");
    };
    let objects = match proposal.objects {
        0 => String::new(),
        count => format!("   # {}", counted(count, "object", "objects")),
    };
    line(format!("- name: {}{objects}", scalar(&proposal.name)));
    line(format!("  repository: {}", scalar(&config.repository)));
    let found = match config.revision_found {
        false => "a guess: the default branch is not known",
        true if config.url.contains("://") => "the default branch",
        true => "the branch that HEAD names",
    };
    line(format!("  revision: {}   # {found}", scalar(&config.revision)));
    if !proposal.path.is_empty() {
        line(format!("  path: {}", scalar(&proposal.path)));
    }
    line(format!("  cluster: {}", scalar(&config.cluster)));
    match &proposal.namespace {
        Some(namespace) => line(format!("  namespace: {}   # for objects that name none", scalar(namespace))),
        None if proposal.doubt.is_none() => line("  # namespace: default   for objects that name none".to_owned()),
        None => {}
    }
}
