//! The plain renderer: every YAML and JSON file below a path, as `kubectl apply --recursive` would read them.

use super::manifest::{self, Reading};
use crate::model::declared::RenderedObject;
use crate::model::gap::Gap;
use crate::ports::{SourceFile, SourceTree};
use crate::processors;

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

/// Files read at a time: enough to keep all processors busy, few enough to hold in memory.
const BATCH: usize = 256;

/// Renders a path of a tree.
///
/// # Errors
/// A gap if the path is not in the tree.
pub fn render(tree: &dyn SourceTree, path: &str, reading: &Reading<'_>) -> Result<Rendered, Gap> {
    let mut rendered = Rendered::default();
    let mut batch = Vec::with_capacity(BATCH);
    tree.walk(path, &mut |file| {
        batch.push(file);
        if batch.len() == BATCH {
            rendered.append(read_all(std::mem::take(&mut batch), reading));
        }
    })?;
    rendered.append(read_all(batch, reading));
    Ok(rendered)
}

/// Reads files on all processors; what comes back is in the order of the files.
fn read_all(mut files: Vec<SourceFile>, reading: &Reading<'_>) -> Rendered {
    let share = files.len().div_ceil(processors::count()).max(1);
    let mut shares = Vec::new();
    while !files.is_empty() {
        let rest = files.split_off(share.min(files.len()));
        shares.push(std::mem::replace(&mut files, rest));
    }
    let mut all = Rendered::default();
    let read = processors::on_each(shares, |files| {
        let mut rendered = Rendered::default();
        files.into_iter().for_each(|file| rendered.add(file, reading));
        rendered
    });
    read.into_iter().for_each(|rendered| all.append(rendered));
    all
}

impl Rendered {
    fn append(&mut self, more: Self) {
        self.objects.extend(more.objects);
        self.gaps.extend(more.gaps);
        self.passed_over += more.passed_over;
        self.duplicate_keys += more.duplicate_keys;
    }

    fn add(&mut self, file: SourceFile, reading: &Reading<'_>) {
        if file.is_file && !is_manifest_name(&file.path) {
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
pub fn is_manifest_name(path: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|ending| path.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gap::{GapKind, Hides};
    use crate::model::secret::{RedactionKey, RedactionRules};

    /// Files by path; `None` is a submodule.
    struct Files(Vec<(&'static str, Option<&'static str>)>);

    impl SourceTree for Files {
        fn walk(&self, _root: &str, visit: &mut dyn FnMut(SourceFile)) -> Result<(), Gap> {
            for (path, text) in &self.0 {
                let submodule = || Gap::new(GapKind::Render, "a submodule", Hides::File { file: (*path).to_owned() });
                let content = text.map(|text| text.as_bytes().to_vec()).ok_or_else(submodule);
                visit(SourceFile { path: (*path).to_owned(), is_file: text.is_some(), content });
            }
            Ok(())
        }

        fn read(&self, _path: &str) -> Option<Vec<u8>> {
            None
        }
    }

    #[test]
    fn other_files_are_passed_over_and_what_could_hold_manifests_is_a_gap() {
        let tree = Files(vec![
            ("README.md", Some("kind: [")),
            ("values.yaml", Some("replicas: 3\n")),
            ("a.yaml", Some("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")),
            ("vendor/base", None),
            ("b.json", Some("{\"apiVersion\": \"v1\"}")),
        ]);
        let key = RedactionKey::from_bytes([0; 32]);
        let rules = RedactionRules::default();
        let reading = Reading { limits: Default::default(), namespace: "default", key: &key, redaction: &rules };
        let rendered = render(&tree, "", &reading).unwrap();
        assert_eq!((rendered.objects.len(), rendered.passed_over), (1, 2));
        let many: Vec<_> = (0..600)
            .map(|n| {
                let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: n{n}}}\n").leak() as &str;
                ("f.yaml", Some(text))
            })
            .collect();
        let names: Vec<_> = render(&Files(many), "", &reading).unwrap().objects.into_iter().map(|o| o.name).collect();
        assert_eq!(names, (0..600).map(|n| format!("n{n}")).collect::<Vec<_>>(), "in the order of the files");
        let gaps: Vec<_> = rendered.gaps.iter().map(|gap| gap.message.as_str()).collect();
        assert_eq!(gaps, ["a submodule", "the document has `apiVersion` and no `kind`"]);
    }
}
