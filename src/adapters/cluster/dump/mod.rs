//! A dump of a cluster, as `kubectl get -o yaml` or `-o json` writes it, serving as the cluster.
//!
//! A dump proves less than a server. A kind of which it holds nothing may exist all the same; an object that it holds only
//! at another version cannot be converted; and a document that cannot be read may be the very object that is looked for.
//! Each of these is a gap for exactly the objects it hides.

mod custom;
mod files;
mod inventory;
mod source;

#[cfg(test)]
mod tests;

pub use source::DumpCluster;
