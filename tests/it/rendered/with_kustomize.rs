//! Kustomizations.

use std::path::Path;

use serde_json::{Value, json};

use super::place::{Place, declared, files, gaps, name, origin, tool, written};
use crate::program::findings;

const OVERLAY: &str = "apps/prod";

fn place() -> Place {
    Place::new(&[("kustomize", &tool("kustomize"))])
}

#[test]
#[ignore = "needs Kustomize: run tests/run"]
fn what_an_overlay_declares_is_what_kustomize_build_writes() {
    let place = place();
    let source = place.source(OVERLAY, "");
    assert_eq!(source.gaps, []);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/render");
    let mut expected = written(&tool("kustomize"), &["build", "."], &root.join(OVERLAY));
    let mut declared = declared(&source);
    // Its value is hidden as it comes in.
    let secret = expected.keys().find(|name| name.starts_with("Secret")).cloned().expect("a Secret");
    let (hidden, plain) = (declared.remove(&secret).expect("a Secret"), expected.remove(&secret).expect("a Secret"));
    assert_eq!(hidden["metadata"], plain["metadata"]);
    assert!(hidden["data"]["token"].as_str().is_some_and(|text| text.starts_with("redacted:")), "{hidden}");
    assert_eq!(declared, expected);
    assert_eq!(expected.len(), 4, "{:?}", expected.keys());
    assert!(source.renderer.as_deref().is_some_and(|name| name.starts_with("kustomize v5.")), "{:?}", source.renderer);
    let files = files(&source);
    assert_eq!(files.get("Deployment prod-api").map(String::as_str), Some("apps/base/deployment.yaml"));
    assert_eq!(files.get("ResourceQuota prod-all").map(String::as_str), Some("apps/prod/quota.yaml"));
    assert_eq!(files.get(&secret).map(String::as_str), Some("apps/prod/kustomization.yaml"));
}

#[test]
#[ignore = "needs Kustomize: run tests/run"]
fn a_value_is_attributed_to_the_commit_that_gave_it_in_the_overlay_the_base_or_a_component() {
    let mut place = place();
    let text = |file: &str| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/render");
        std::fs::read_to_string(root.join(file)).expect("a file")
    };
    let overlay = text("apps/prod/kustomization.yaml");
    place.commit("Five", "apps/prod/kustomization.yaml", &overlay.replace("count: 3", "count: 5"));
    place.commit("Four", "apps/prod/kustomization.yaml", &overlay.replace("count: 3", "count: 4"));
    let probe = text("apps/components/probe/probe.yaml");
    place.commit("Probe", "apps/components/probe/probe.yaml", &probe.replace("/ready", "/healthz"));
    let base = text("apps/base/service.yaml");
    place.commit("Select", "apps/base/service.yaml", &base.replace("app: api", "app: api, tier: web"));
    place.commit("Elsewhere", "README.md", "x");
    let mut live: Vec<Value> = declared(&place.source(OVERLAY, "")).into_values().collect();
    live.retain(|object| object["kind"] != "Secret" && object["kind"] != "ConfigMap");
    live.push(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other", "namespace": "shop"}}));
    for object in &mut live {
        match name(object).as_str() {
            "Deployment prod-api" => {
                object["spec"]["replicas"] = json!(5);
                object["spec"]["template"]["spec"]["containers"][0]["image"] = json!("registry.example.com/api:2.1");
                object["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["httpGet"]["path"] = json!("/x");
                object["metadata"]["managedFields"] = json!([{"manager": "kustomize-controller", "operation": "Apply",
                    "apiVersion": "apps/v1", "time": "2026-03-02T10:00:00Z", "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:spec": {"f:replicas": {}}}}]);
            }
            "Service prod-api" => object["spec"]["selector"]["tier"] = json!("db"),
            _ => {}
        }
    }
    let report = place.scan(OVERLAY, "", &live);
    let image_path = ".spec.template.spec.containers[name=\"api\"].image";
    let probe_path = ".spec.template.spec.containers[name=\"api\"].readinessProbe.httpGet.path";
    assert_eq!(
        findings(&report)[..4],
        [
            "DL001 Deployment prod-api .spec.replicas".to_owned(),
            format!("DL001 Deployment prod-api {image_path}"),
            format!("DL001 Deployment prod-api {probe_path}"),
            "DL001 Service prod-api .spec.selector.tier".to_owned(),
        ],
        "{:#}",
        report["gaps"]
    );
    for (path, cause, by, from) in [
        (".spec.replicas", "behind", "Four", "apps/prod/kustomization.yaml:9"),
        (image_path, "out-of-band", "Begin", "apps/prod/kustomization.yaml:8"),
        (probe_path, "out-of-band", "Probe", "apps/components/probe/probe.yaml:7"),
        (".spec.selector.tier", "out-of-band", "Select", "apps/base/service.yaml:4"),
    ] {
        let finding = report["findings"].as_array().expect("a list").iter().find(|f| f["path"] == path);
        let finding = finding.unwrap_or_else(|| panic!("{path}"));
        assert_eq!((&finding["cause"], &finding["declaredBy"]["subject"]), (&json!(cause), &json!(by)), "{path}");
        assert_eq!(origin(finding), from, "{path}");
    }
    // The ConfigMap that the overlay generates is not live; its name has a hash.
    let missing = report["findings"].as_array().expect("a list").iter().find(|f| f["code"] == "DL004");
    assert_eq!(missing.expect("a finding")["declaredBy"]["subject"], "Begin");
}

#[test]
#[ignore = "needs Kustomize: run tests/run"]
fn what_is_elsewhere_is_not_fetched_unless_that_is_allowed() {
    let place = place();
    for (path, what) in [
        (
            "apps/remote",
            "needs the network: `https://github.com/acme/platform//deploy?ref=v1` under `resources` in apps/remote/kustomization.yaml",
        ),
        ("apps/inflated", "needs the network: `helmCharts` in apps/inflated/kustomization.yaml"),
    ] {
        let source = place.source(path, "");
        let gaps = gaps(&source);
        assert!(gaps.len() == 1 && gaps[0].contains(what), "{path}: {gaps:?}");
        assert!(source.gaps[0].hint.as_deref().is_some_and(|hint| hint.contains("network: true")));
        assert_eq!(source.objects, []);
    }
}

#[test]
#[ignore = "needs Kustomize: run tests/run"]
fn what_a_kustomization_does_not_name_any_more_and_is_live_is_found_with_the_commit_that_took_it_away() {
    let mut place = place();
    let live: Vec<Value> =
        declared(&place.source(OVERLAY, "")).into_values().filter(|object| object["kind"] != "Secret").collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/render/apps/prod/kustomization.yaml");
    let overlay = std::fs::read_to_string(root).expect("a file");
    place.commit("Unlimited", "apps/prod/kustomization.yaml", &overlay.replace("../base, quota.yaml", "../base"));
    place.commit(
        "Label",
        "apps/prod/kustomization.yaml",
        &overlay.replace("../base, quota.yaml", "../base").replace("env: prod", "env: live"),
    );
    let report = place.scan(OVERLAY, "", &live);
    let all = report["findings"].as_array().expect("a list");
    let left: Vec<&Value> = all.iter().filter(|finding| finding["code"] == "DL005").collect();
    let [quota] = left[..] else { panic!("{:?} {:#}", findings(&report), report["exclusions"]) };
    assert_eq!((&quota["kind"], &quota["name"]), (&json!("ResourceQuota"), &json!("prod-all")));
    assert_eq!(quota["removedBy"]["subject"], "Unlimited", "{quota:#}");
    assert_eq!(quota["declaredBy"]["subject"], "Begin");
}

#[test]
#[ignore = "needs Kustomize: run tests/run"]
fn a_folder_of_flux_without_a_kustomization_is_one_of_all_that_is_in_it() {
    let mut place = place();
    let map = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");
    for (file, text) in [
        ("fleet/a.yaml", map("a")),
        ("fleet/below/b.yml", map("b")),
        (
            "fleet/below/c.json",
            "{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"c\"}}".to_owned(),
        ),
        ("fleet/Chart.yaml", map("chart")),
        ("fleet/app/kustomization.yaml", "namePrefix: x-\nresources: [d.yaml, ../../elsewhere]\n".to_owned()),
        ("fleet/app/d.yaml", map("d")),
        ("fleet/app/not-named.yaml", map("e")),
        ("elsewhere/kustomization.yaml", "resources: [f.yaml]\n".to_owned()),
        ("elsewhere/f.yaml", map("f")),
    ] {
        place.commit("Begin", file, &text);
    }
    let source = place.source("fleet", ", render: {as: flux}");
    assert_eq!(gaps(&source), [""; 0]);
    let names: Vec<String> = declared(&source).into_keys().collect();
    assert_eq!(names, ["ConfigMap a", "ConfigMap b", "ConfigMap chart", "ConfigMap x-d", "ConfigMap x-f"]);
    // Without one in it the files are what they are, and so is their history.
    let plain = place.source("fleet/below", ", render: {as: flux}");
    assert_eq!((plain.renderer, plain.toolbox.is_none()), (None, true));
}

#[test]
#[ignore = "needs Kustomize and Helm: run tests/run"]
fn a_chart_that_lies_in_the_repository_is_rendered_into_a_kustomization_with_helm() {
    let mut place = Place::new(&[("kustomize", &tool("kustomize")), ("helm", &tool("helm"))]);
    let text = "helmGlobals: {chartHome: .}\nhelmCharts: [{name: shop, releaseName: eu, namespace: shop, valuesInline: {replicas: 4}}]\n";
    place.commit("Inflate", "charts/kustomization.yaml", text);
    let source = place.source("charts", "");
    assert_eq!(gaps(&source), [""; 0]);
    let declared = declared(&source);
    assert_eq!(declared["Deployment eu-shop"]["spec"]["replicas"], 4);
    let by = source.renderer.as_deref().unwrap_or_default();
    assert!(by.starts_with("kustomize v5.") && by.contains(" with helm v3."), "{by}");
}

#[test]
#[ignore = "needs Kustomize: run tests/run"]
fn a_secret_that_is_generated_from_an_encrypted_file_accuses_nobody() {
    let mut place = Place::empty(&[("kustomize", &tool("kustomize"))]);
    let files = [
        ("kustomization.yaml", "resources: [api.yaml]\nsecretGenerator: [{name: token, envs: [token.env]}]\n"),
        ("token.env", "TOKEN=ENC[AES256_GCM,data:x,type:str]\nsops_version=3.9.0\nsops_mac=ENC[AES256_GCM,data:y]\n"),
        (
            "api.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: api}\nspec:\n  containers:\n    - name: api\n      image: a:1\n      \
             envFrom: [{secretRef: {name: token}}]\n",
        ),
    ];
    for (file, text) in files {
        place.commit("Begin", &format!("enc/{file}"), text);
    }
    let source = place.source("enc", "");
    assert_eq!(gaps(&source), [""; 0]);
    assert_eq!(declared(&source).keys().collect::<Vec<_>>(), ["Pod api"]);
    let left_out: Vec<&str> = source.left_out.iter().map(|exclusion| exclusion.what.as_str()).collect();
    assert_eq!(left_out, ["Secrets that are generated from encrypted files"]);
    let pointers: Vec<&str> = source.unstable.iter().map(|place| place.pointer.as_str()).collect();
    assert_eq!(pointers, ["/spec/containers/0/envFrom/0/secretRef/name"]);
}

#[test]
#[ignore = "needs Kustomize: run tests/run"]
fn two_environments_and_two_revisions_are_compared_without_a_cluster() {
    let mut place = place();
    let overlay = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/render/apps/prod/kustomization.yaml"),
    );
    let overlay = overlay.expect("a file");
    let stage = overlay
        .replace("namespace: shop", "namespace: stage")
        .replace("\"2.0\"", "\"2.1\"")
        .replace("count: 3", "count: 1");
    let stage = stage
        .replace("resources: [../base, quota.yaml]", "resources: [../base]")
        .replace("files: [app.properties], ", "");
    place.commit("Stage", "apps/stage/kustomization.yaml", &stage);
    let config = format!(
        "ledger: ledger.sqlite\ncache: cache\ntools: {{kustomize: '{}'}}\nclusters: [{{name: prod, dump: live.json}}]\n\
         repositories: [{{name: r, url: repository}}]\ntargets:\n\
         - {{name: prod, repository: r, revision: main, path: apps/prod, cluster: prod, namespace: shop}}\n\
         - {{name: stage, repository: r, revision: main, path: apps/stage, cluster: prod, namespace: stage}}\n",
        tool("kustomize")
    );
    place.work.file("driftledger.yaml", &config);
    let said = place.work.run(&["compare-revisions", "stage", "prod", "-o", "json"]);
    assert_eq!(said.code, 1, "{}", said.err);
    let compared = said.json();
    assert_eq!(compared["gaps"], json!([]));
    let fields: Vec<(&str, &Value)> = compared["fields"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|field| (field["path"].as_str().expect("a path"), &field["values"]))
        .collect();
    let image = json!(["registry.example.com/api:2.1", "registry.example.com/api:2.0"]);
    assert_eq!(fields[0], (".spec.template.spec.containers[name=\"api\"].image", &image));
    assert!(fields.contains(&(".spec.replicas", &json!([1, 3]))), "{fields:?}");
    assert!(
        fields.iter().any(|(path, _)| path.starts_with(".data")),
        "the generated ConfigMaps are the same: {fields:?}"
    );
    assert!(
        !said.out.contains("CANARY") && !fields.iter().any(|(_, values)| values.to_string().contains("redacted:")),
        "{fields:?}"
    );
    assert_eq!(compared["only"][0], json!([]));
    assert!(compared["only"][1][0].as_str().is_some_and(|only| only.contains("ResourceQuota")), "{compared:#}");
    let table = place.work.run(&["compare-revisions", "stage", "prod"]).out;
    let image = "Images\nDeployment.apps stage/prod-api\n  .spec.template.spec.containers[name=\"api\"].image: \
                 registry.example.com/api:2.1 → registry.example.com/api:2.0\n";
    assert!(table.contains(image), "{table}");

    // What is live in one of them is what the other declares.
    let mut api = declared(&place.source(OVERLAY, "")).remove("Deployment prod-api").expect("a Deployment");
    api["spec"]["template"]["spec"]["containers"][0]["image"] = json!("registry.example.com/api:2.1");
    api["metadata"]["managedFields"] = json!([{"manager": "argocd-controller", "operation": "Update", "apiVersion": "apps/v1",
        "time": "2026-03-02T10:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:template": {"f:spec": {
            "f:containers": {"k:{\"name\":\"api\"}": {"f:image": {}}}}}}}}]);
    place.work.file("live.json", &json!({"apiVersion": "v1", "kind": "List", "items": [api]}).to_string());
    let report = place.work.run(&["scan", "-o", "json"]).json();
    let all = report["findings"].as_array().expect("a list");
    let image = all.iter().find(|f| f["path"] == ".spec.template.spec.containers[name=\"api\"].image");
    let image = image.expect("a finding");
    assert_eq!((&image["origin"]["target"], &image["cause"]), (&json!("prod"), &json!("ahead")));
    assert!(image["note"].as_str().is_some_and(|note| note.contains("what target stage declares")), "{image:#}");

    let first = place
        .work
        .commit("Three", [("apps/prod/app.properties".to_owned(), driftledger::adapters::git::Content::from("a=c\n"))]);
    let same = place.work.run(&["compare-revisions", "prod", &format!("prod@{first}")]);
    assert_eq!((same.code, same.out.contains("0 fields differ")), (0, true), "{}{}", same.out, same.err);
    let unknown = place.work.run(&["compare-revisions", "prod", "shop"]);
    assert!(unknown.code == 2 && unknown.err.contains("there is no target `shop`"), "{}", unknown.err);
}
