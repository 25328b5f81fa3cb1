//! Targets that Applications, Kustomizations and HelmReleases name, declared ones and live ones. They are found before anything else is done,
//! and are afterwards what written ones are.

mod declared;
mod effective;
mod live;
mod orphans;
mod said;
mod troubles;

pub use effective::of;
pub use said::{mapping, texts};
pub use troubles::tell_troubles;
