//! Charts that want what is not theirs.

use super::place::{Place, declared, gaps, tool};

const CHART: &str = "apiVersion: v2\nname: c\nversion: 1.0.0\n";

/// What comes of a chart with one template.
fn rendered(template: &str, more: &str) -> (Vec<String>, String) {
    let mut place = Place::empty(&[("helm", &tool("helm"))]);
    place.commit("Begin", "c/Chart.yaml", CHART);
    place.commit("Template", "c/templates/a.yaml", template);
    let source = place.source("c", more);
    (gaps(&source), format!("{:?}", declared(&source)))
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn a_chart_gets_no_secret_of_its_surroundings() {
    let map = |value: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{x: {value}}}\n");
    for value in [
        "'{{ .Files.Get \"/etc/passwd\" }}'",
        "'{{ .Files.Get \"../../../../etc/passwd\" }}'",
        "'{{ .Files.Glob \"/var/run/secrets/**\" | toJson | b64enc }}'",
        "'{{ (lookup \"v1\" \"Secret\" \"\" \"\") | toJson | b64enc }}'",
    ] {
        let (gaps, objects) = rendered(&map(value), "");
        assert!(!objects.contains("root:"), "{value}: {objects}");
        assert!(gaps.is_empty() || objects == "{}", "{value}: {gaps:?}");
    }
    let (gaps, objects) = rendered(&map("'{{ env \"HOME\" }}'"), "");
    assert!(gaps[0].contains("function \"env\" not defined") && objects == "{}", "{gaps:?}");
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn a_chart_without_an_end_or_of_any_size_is_bounded() {
    for (template, what) in [
        (
            "{{- define \"x\" }}{{ include \"x\" . }}{{ end }}{{ include \"x\" . }}",
            ["failed: ", "was not done in 20s and was ended"],
        ),
        (
            "{{ range until 2000000 }}# {{ repeat 100 \"x\" }}\n{{ end }}",
            ["wrote more than 1000000 bytes and was ended"; 2],
        ),
    ] {
        let (gaps, objects) = rendered(template, "");
        assert!(
            gaps.len() == 1 && what.iter().any(|what| gaps[0].contains(what)) && objects == "{}",
            "{template}: {gaps:?}"
        );
    }
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn files_of_values_outside_of_the_repository_are_refused() {
    for file in ["../../../etc/passwd", "/../etc/passwd", "no-such-file.yaml"] {
        let more = format!(", render: {{valueFiles: ['{file}']}}");
        let (gaps, _) = rendered("", &more);
        assert_eq!(gaps, [format!("there is no file of values `{file}` in the commit")]);
    }
    let missing = "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies: [{name: cache, version: 1.0.0, repository: 'https://charts.example.com'}]\n";
    let mut place = Place::empty(&[("helm", &tool("helm"))]);
    place.commit("Begin", "c/Chart.yaml", missing);
    let source = place.source("c", "");
    let gap = &source.gaps[0];
    assert!(gap.message.contains("is in a chart repository that is not allowed"), "{gap:?}");
    assert!(gap.hint.as_deref().is_some_and(|hint| hint.contains("`charts`")), "{gap:?}");
}

#[test]
fn where_there_is_no_helm_the_gap_says_how_to_get_it() {
    let mut place = Place::empty(&[("helm", "/no/such/helm")]);
    place.commit("Begin", "c/Chart.yaml", CHART);
    let source = place.source("c", "");
    let gap = &source.gaps[0];
    assert!(gap.message.contains("/no/such/helm") && gap.hint.is_some(), "{gap:?}");
}
