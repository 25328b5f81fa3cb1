//! Charts.

use serde_json::{Value, json};

use super::place::{Place, declared, files, name, origin, tool, written};
use crate::program::findings;

const CHART: &str = "charts/shop";
const RENDER: &str = ", render: {releaseName: eu, valueFiles: [/env/prod.yaml], values: {extra: [limits]}, kubeVersion: '1.32', \
                      apiVersions: [monitoring.coreos.com/v1]}";

fn place() -> Place {
    Place::new(&[("helm", &tool("helm"))])
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn what_a_chart_declares_is_what_helm_template_writes_without_hooks() {
    let place = place();
    let source = place.source(CHART, RENDER);
    assert_eq!(source.gaps, []);
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/render");
    let values = tempfile::tempdir().expect("a folder");
    let inline = values.path().join("values.yaml");
    std::fs::write(&inline, "extra: [limits]\n").expect("a file");
    let arguments = [
        "template",
        "eu",
        ".",
        "--namespace",
        "shop",
        "--include-crds",
        "--values",
        "../../env/prod.yaml",
        "--values",
        inline.to_str().expect("UTF-8"),
        "--kube-version",
        "1.32",
        "--api-versions",
        "monitoring.coreos.com/v1",
    ];
    let mut expected = written(&tool("helm"), &arguments, &root.join(CHART));
    let hooks = ["Job eu-migrate", "Pod eu-smoke"].map(|hook| expected.remove(hook));
    assert!(hooks.iter().all(Option::is_some));
    assert_eq!(declared(&source), expected);
    assert_eq!(expected.len(), 6, "{:?}", expected.keys());
    let left_out = &source.left_out[0];
    assert_eq!((left_out.what.as_str(), left_out.count), ("hooks and tests of the chart", Some(2)));
    assert!(source.renderer.as_deref().is_some_and(|name| name.starts_with("helm v3.")), "{:?}", source.renderer);
    for (object, file) in [
        ("Deployment eu-shop", "charts/shop/templates/deployment.yaml"),
        ("ConfigMap eu-limits", "charts/shop/templates/config.yaml"),
        ("ConfigMap eu-cache", "charts/shop/charts/cache/templates/cache.yaml"),
        ("CustomResourceDefinition orders.shop.example.com", "charts/shop/crds/order.yaml"),
    ] {
        assert_eq!(files(&source).get(object).map(String::as_str), Some(file), "{object}");
    }
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn a_value_is_attributed_to_the_commit_that_gave_it_whatever_file_it_is_in() {
    let mut place = place();
    place.commit("Debug", "env/prod.yaml", "replicas: 3\nlevel: debug\n");
    place.commit("Elsewhere", "README.md", "x");
    place.commit("Error", "env/prod.yaml", "replicas: 3\nlevel: error\n");
    let template = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/render/charts/shop/templates/config.yaml"),
    );
    let template = template.expect("a template").replace("data:\n", "data:\n  region: eu\n");
    place.commit("Say where", "charts/shop/templates/config.yaml", &template);
    let mut live: Vec<Value> = declared(&place.source(CHART, RENDER)).into_values().collect();
    for object in &mut live {
        if object["kind"] != "CustomResourceDefinition" {
            object["metadata"]["namespace"] = json!("shop");
        }
        if name(object) == "ConfigMap eu-settings" {
            object["data"]["level"] = json!("debug");
            object["data"]["region"] = json!("us");
            object["metadata"]["managedFields"] = json!([{"manager": "argocd-controller", "operation": "Update",
                "apiVersion": "v1", "time": "2026-03-02T10:00:00Z", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:data": {"f:level": {}}}}]);
        }
    }
    for round in ["rendered anew", "from what is kept"] {
        let report = place.scan(CHART, RENDER, &live);
        assert_eq!(
            findings(&report),
            ["DL001 ConfigMap eu-settings .data.level", "DL001 ConfigMap eu-settings .data.region"],
            "{round}: {:#}",
            report["gaps"]
        );
        let of = |path: &str| report["findings"].as_array().expect("a list").iter().find(|f| f["path"] == path);
        let level = of(".data.level").expect("a finding");
        assert_eq!((&level["cause"], &level["declaredBy"]["subject"]), (&json!("behind"), &json!("Error")), "{round}");
        let matches = &level["liveMatches"];
        assert_eq!((&matches["matched"]["subject"], &matches["commitsBehind"]), (&json!("Elsewhere"), &json!(2)));
        assert_eq!(matches["given"]["subject"], "Debug");
        assert_eq!(origin(level), "env/prod.yaml:2", "{round}: the values file that goes before the chart's own");
        assert!(level["origin"]["renderer"].as_str().is_some_and(|name| name.starts_with("helm v3.")), "{level}");
        let region = of(".data.region").expect("a finding");
        assert_eq!((&region["cause"], &region["declaredBy"]["subject"]), (&json!("out-of-band"), &json!("Say where")));
        assert_eq!(origin(region), "charts/shop/templates/config.yaml:9", "{round}: it is written in the template");
    }
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn what_follows_from_a_version_that_is_not_known_accuses_nobody() {
    let place = place();
    let places = |more: &str| -> Vec<String> {
        place.source(CHART, more).unstable.iter().map(|place| format!("{} {}", place.name, place.pointer)).collect()
    };
    let settings = ["web-settings /data/kubernetes", "web-shop /spec/template/metadata/annotations/checksum~1config"];
    assert_eq!(places(""), settings);
    assert_eq!(places(", render: {kubeVersion: '1.33'}"), [""; 0]);
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn a_chart_sees_an_upgrade_and_finds_nothing_by_lookup() {
    let mut place = place();
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: release}\ndata:\n  upgrade: '{{ .Release.IsUpgrade }}'\n  \
                    install: '{{ .Release.IsInstall }}'\n  live: '{{ lookup \"v1\" \"ConfigMap\" \"shop\" \"\" | toJson }}'\n";
    place.commit("Release", "charts/shop/templates/release.yaml", template);
    let declared = declared(&place.source(CHART, RENDER)).remove("ConfigMap release").expect("a ConfigMap");
    assert_eq!(declared["data"], json!({"upgrade": "true", "install": "false", "live": "{}"}));
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn an_objects_history_and_its_fields_are_told_through_the_chart() {
    let mut place = place();
    place.commit("Debug", "env/prod.yaml", "replicas: 3\nlevel: debug\n");
    place.commit("Scale", "env/prod.yaml", "replicas: 5\nlevel: debug\n");
    place.commit("Elsewhere", "README.md", "x");
    let mut live: Vec<Value> = declared(&place.source(CHART, RENDER)).into_values().collect();
    live.iter_mut().for_each(|object| object["metadata"]["namespace"] = json!("shop"));
    place.scan(CHART, RENDER, &live);
    let told = place.work.run(&["history", "ConfigMap/shop/eu-settings", "-o", "json"]).json();
    let commits: Vec<(&Value, &Value)> = told["objects"][0]["entries"]
        .as_array()
        .unwrap_or_else(|| panic!("{told:#}"))
        .iter()
        .filter(|entry| entry["what"] == "commit")
        .map(|entry| (&entry["by"]["subject"], &entry["did"]))
        .collect();
    assert_eq!(commits, [(&json!("Begin"), &json!("declared")), (&json!("Debug"), &json!("changed"))], "{told:#}");
    let blamed = place.work.run(&["blame", "Deployment/shop/eu-shop", "-o", "json"]).json();
    let fields = blamed["objects"][0]["fields"].as_array().unwrap_or_else(|| panic!("{blamed:#}"));
    let replicas = fields.iter().find(|field| field["path"] == ".spec.replicas").expect("a field");
    assert_eq!((&replicas["file"], &replicas["line"]), (&json!("env/prod.yaml"), &json!(1)));
    assert_eq!(replicas["declaredBy"]["subject"], "Scale");
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn what_is_another_value_each_time_accuses_nobody_and_is_said() {
    let mut place = place();
    let template = "apiVersion: v1\nkind: Secret\nmetadata: {name: password}\nstringData:\n  user: shop\n  password: {{ randAlphaNum 20 }}\n---\n\
                    apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ printf \"job-%s\" (randAlphaNum 5 | lower) }}}\ndata: {a: b}\n---\n\
                    apiVersion: v1\nkind: ConfigMap\nmetadata: {name: build, annotations: {year: '{{ now | date \"2006\" }}'}}\ndata: {a: b}\n";
    place.commit("Random", "charts/shop/templates/password.yaml", template);
    let source = place.source(CHART, RENDER);
    assert_eq!(source.gaps, []);
    let pointers: Vec<&str> = source.unstable.iter().map(|place| place.pointer.as_str()).collect();
    assert_eq!(pointers, ["/data/password", "/metadata/annotations/year"], "in this year it is always the same");
    let left_out = source.left_out.iter().find(|exclusion| exclusion.what.contains("only some renderings have"));
    assert_eq!(left_out.and_then(|exclusion| exclusion.count), Some(1));
    let secret = |user: &str| {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "password", "namespace": "shop"},
            "data": {"user": user, "password": "Q0FOQVJZLWxpdmU="}})
    };
    let changed = |user: &str| {
        let report = place.scan(CHART, RENDER, &[secret(user)]);
        let ignored = report["scan"]["ignored"].to_string();
        assert!(ignored.contains("it is another value each time the target is rendered"), "{ignored}");
        findings(&report).into_iter().filter(|finding| finding.contains("Secret password")).collect::<Vec<_>>()
    };
    assert_eq!(changed("c2hvcA=="), [""; 0]);
    assert_eq!(changed("b3RoZXI="), ["DL001 Secret password .data.user"], "the rest counts");
    let without = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "password", "namespace": "shop"},
        "data": {"user": "c2hvcA=="}});
    let found = findings(&place.scan(CHART, RENDER, &[without]));
    assert!(
        found.contains(&"DL002 Secret password .data.password".to_owned()),
        "that it is there is compared: {found:?}"
    );
}
