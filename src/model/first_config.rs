//! A first configuration, before anybody has written one.

/// A folder that may be a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// A name for it.
    pub name: String,
    /// From the repository's root; empty: the root.
    pub path: String,
    /// The one namespace that its objects name; `None`: none or several.
    pub namespace: Option<String>,
    /// Objects in it.
    pub objects: u64,
    /// Why it is proposed in a comment only.
    pub doubt: Option<&'static str>,
}

/// What a first configuration is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstConfig {
    /// The cluster's name.
    pub cluster: String,
    /// Its kubeconfig context; `None`: the program runs in the cluster.
    pub context: Option<String>,
    /// The kubeconfig, where it is not the one that `kubectl` uses.
    pub kubeconfig: Option<String>,
    /// Whether the context runs a program to get credentials, and whether it may.
    pub exec_plugin: Option<bool>,
    /// The repository's name.
    pub repository: String,
    /// Its URL without credentials, or its folder.
    pub url: String,
    /// The file with its token.
    pub token_file: Option<String>,
    /// The tracked revision.
    pub revision: String,
    /// Whether the revision is known to be the default branch.
    pub revision_found: bool,
    /// Targets.
    pub proposals: Vec<Proposal>,
}
