//! What the GitOps operators say of what they applied: Argo CD's Applications and Flux's Kustomizations, read live. What they say is
//! evidence and no proof: it is held against Git and against the objects themselves (see [`runs`](super::runs)).

pub mod argo;
pub mod flux;
pub mod live;
pub mod says;

pub use live::Operators;
pub use says::{Deployer, Said, Source, Wanted};

#[cfg(test)]
mod tests;
