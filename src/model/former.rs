//! What a target declared once and does not declare now.

use super::history::CommitInfo;
use super::resource::Gvk;

/// An object as an earlier commit declared it, by what names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerObject {
    /// Version and kind as last declared.
    pub gvk: Gvk,
    /// `metadata.namespace`, if one was written.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
    /// The file that last declared it, from the repository's root.
    pub file: String,
    /// First-parent commits between the one that took it away and the tracked one. Where it stood only inside of what a merge brought:
    /// between that merge and the tracked one.
    pub commits_behind: u64,
}

/// What a target's history at hand declared besides the present.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// Each object once, as its newest declaration names it; the newest first.
    pub objects: Vec<FormerObject>,
    /// Where the history at hand ends before its beginning; `None`: all of it was looked at.
    pub cut: Option<Cut>,
    /// Earlier versions of files that could not be read: what they declared is not known.
    pub unreadable: u64,
    /// Where only a part of what merges brought was looked at, though all of it counts: why.
    pub inside_cut: Option<&'static str>,
}

/// Where and why a history at hand ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The oldest commit that was looked at.
    pub back_to: Option<CommitInfo>,
    /// Why it goes no further, for people.
    pub why: &'static str,
}

impl Past {
    /// Whether everything that was ever declared is known.
    pub fn is_whole(&self) -> bool {
        self.cut.is_none() && self.unreadable == 0 && self.inside_cut.is_none()
    }
}
