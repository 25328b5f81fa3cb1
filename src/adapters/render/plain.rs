//! The plain renderer: every YAML and JSON file below a path, as `kubectl apply --recursive` would read them.

use super::manifest::{self, Reading};
use super::renderer::{Job, Rendered, Renderer};
use crate::config::render::PlainFiles;
use crate::model::gap::{Gap, GapKind, Hides};
use crate::ports::SourceFile;
use crate::processors;

/// Files read at a time: enough to keep all processors busy, few enough to hold in memory.
const BATCH: usize = 256;

/// Takes the files of the target's path as they are.
pub struct Plain<'a> {
    /// Which of them.
    pub files: &'a PlainFiles,
}

impl Renderer for Plain<'_> {
    fn takes_files_as_they_are(&self) -> bool {
        true
    }

    fn render(&self, job: &Job<'_>) -> Result<Rendered, Gap> {
        let mut rendered = Rendered::default();
        let mut batch = Vec::with_capacity(BATCH);
        let below = |path: &str| -> bool {
            let path = path.strip_prefix(job.path).unwrap_or(path).trim_start_matches('/');
            path.is_empty() || self.files.takes(path)
        };
        job.tree.walk(job.path, &mut |file| {
            if !below(&file.path) {
                return;
            }
            if self.files.evaluates_jsonnet && file.is_file && file.path.ends_with(".jsonnet") {
                let why = "what it declares is not known: Jsonnet is not evaluated";
                let hides = Hides::File { file: file.path.clone() };
                rendered.gaps.push(Gap::new(GapKind::Render, why, hides).at(file.path.as_str()));
            }
            batch.push(file);
            if batch.len() == BATCH {
                rendered.append(read_all(std::mem::take(&mut batch), &job.reading));
            }
        })?;
        rendered.append(read_all(batch, &job.reading));
        Ok(rendered)
    }
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
    use crate::model::ids::TargetName;
    use crate::model::secret::{RedactionKey, RedactionRules};
    use crate::ports::SourceTree;
    use crate::yaml;

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

    fn plain(tree: &Files, files: &PlainFiles, reading: Reading<'_>) -> Rendered {
        let (target, checkout) = (TargetName::new("t"), || unreachable!("files are enough"));
        Plain { files }
            .render(&Job { target: &target, tree, path: "", reading, once: false, checkout: &checkout })
            .unwrap()
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
        let reading = Reading { limits: yaml::Limits::default(), namespace: "default", key: &key, redaction: &rules };
        let rendered = plain(&tree, &PlainFiles::default(), reading);
        assert_eq!((rendered.objects.len(), rendered.passed_over), (1, 2));
        let many: Vec<_> = (0..600)
            .map(|n| {
                let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: n{n}}}\n").leak() as &str;
                ("f.yaml", Some(text))
            })
            .collect();
        let names: Vec<_> =
            plain(&Files(many), &PlainFiles::default(), reading).objects.into_iter().map(|o| o.name).collect();
        assert_eq!(names, (0..600).map(|n| format!("n{n}")).collect::<Vec<_>>(), "in the order of the files");
        let gaps: Vec<_> = rendered.gaps.iter().map(|gap| gap.message.as_str()).collect();
        assert_eq!(gaps, ["a submodule", "the document has `apiVersion` and no `kind`"]);
        let flat = plain(&tree, &PlainFiles { recurse: false, ..PlainFiles::default() }, reading);
        assert_eq!((flat.objects.len(), flat.gaps.len(), flat.passed_over), (1, 1, 2), "what is below does not count");
    }
}
