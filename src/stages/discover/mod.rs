//! Targets that objects of GitOps operators name: Argo CD's Applications, Flux's Kustomizations and HelmReleases.
//!
//! What of them is not understood is said, and makes no target: half of a declaration would accuse what it does not know.

mod argocd;
mod build_env;
mod flux;
mod flux_values;
mod known;
mod place;
mod sources;

pub use flux_values::config_maps;
pub use known::{Found, Known, kinds, targets};
pub use place::called;
pub use sources::{GitRepository, chart_source, git_repository};

#[cfg(test)]
mod tests;
