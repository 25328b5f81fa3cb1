//! The plain renderer: every YAML and JSON file below a path, as `kubectl apply --recursive` would read them.

use super::manifest::{self, Reading};
use crate::model::declared::RenderedObject;
use crate::model::gap::Gap;
use crate::ports::{SourceFile, SourceTree};

/// What a target's commit renders.
#[derive(Debug, Default)]
pub struct Rendered {
    /// Objects in path order.
    pub objects: Vec<RenderedObject>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// Files that hold no manifests.
    pub passed_over: u64,
    /// Keys that stand twice in one mapping.
    pub duplicate_keys: u64,
}

/// Renders a path of a tree.
///
/// # Errors
/// A gap if the path is not in the tree.
pub fn render(tree: &dyn SourceTree, path: &str, reading: &Reading<'_>) -> Result<Rendered, Gap> {
    let mut rendered = Rendered::default();
    tree.walk(path, &mut |file| rendered.add(file, reading))?;
    Ok(rendered)
}

impl Rendered {
    fn add(&mut self, file: SourceFile, reading: &Reading<'_>) {
        if !is_manifest_name(&file.path) {
            self.passed_over += 1;
            return;
        }
        match file.content {
            Ok(content) => {
                let manifests = manifest::read(&file.path, &content, reading);
                if manifests.objects.is_empty() && manifests.gaps.is_empty() {
                    self.passed_over += 1;
                }
                self.objects.extend(manifests.objects);
                self.gaps.extend(manifests.gaps);
                self.duplicate_keys += manifests.duplicate_keys;
            }
            Err(gap) => self.gaps.push(gap),
        }
    }
}

/// The endings that `kubectl apply -f FOLDER` reads.
fn is_manifest_name(path: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|ending| path.ends_with(ending))
}
