//! Targets that are made out of their files, with the real programs: what they declare, where each finding comes from, and what hostile
//! repositories get.

mod by_command;
mod discovered_on_cluster_with_helm_and_with_kustomize;
mod discovered_with_helm_and_with_kustomize;
mod hostile_with_helm;
mod hostile_with_kustomize;
mod named_with_helm;
mod orphans;
mod place;
mod pulled_with_helm;
mod variables_with_kustomize;
mod with_helm;
mod with_kustomize;
