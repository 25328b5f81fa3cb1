use serde_json::{Value, json};

use super::*;
use crate::config::render::Renderer;
use crate::config::render::{Beside, HelmOptions, Render, Substitution};
use crate::config::{ChartSource, Discovery, NamedBy, TargetConfig};
use crate::model::ids::{ClusterName, RepositoryName, Revision, TargetName};
use crate::model::secret::SOPS_TOKEN;

fn here() -> TargetConfig {
    TargetConfig {
        name: TargetName::new("apps"),
        repository: RepositoryName::new("platform"),
        revision: Revision::new("main"),
        path: "apps".into(),
        cluster: ClusterName::new("prod"),
        namespace: "argocd".into(),
        convergence: true,
        render: Render::default(),
        change_policy: None,
        named_by: NamedBy::Configuration,
    }
}

/// What an object says, where the repositories `platform` and `charts` and the clusters `prod` and `eu` are configured.
fn said(object: &Value) -> Option<Found> {
    said_in(object, &here())
}

fn said_in(object: &Value, here: &TargetConfig) -> Option<Found> {
    let (prod, eu) = (ClusterName::new("prod"), ClusterName::new("eu"));
    let repository = |url: &str| match url {
        "https://git.example.com/platform.git" => Some(RepositoryName::new("platform")),
        "https://git.example.com/charts.git" => Some(RepositoryName::new("charts")),
        _ => None,
    };
    let git_repository = |namespace: &str, name: &str| {
        let url = "https://git.example.com/platform.git".into();
        ((namespace, name) == ("flux-system", "platform"))
            .then(|| GitRepository { url, revision: Revision::new("main") })
    };
    let mapping = |text: &str| match text {
        "replicas: 3" => json!({"replicas": 3}).as_object().cloned(),
        "image: {name: a}" => json!({"image": {"name": "a"}}).as_object().cloned(),
        _ => None,
    };
    let chart_source = |kind: &str, _: &str, of: &str| {
        let (name, version) = if kind == "OCIRepository" { ("shop", "1.2.3") } else { ("", "") };
        let (name, version) = (name.to_owned(), version.to_owned());
        (of == "charts").then(|| ChartSource { repository: "https://charts.example.com".into(), name, version })
    };
    let config_map = |namespace: &str, name: &str| {
        let texts = [
            ("env", Some("prod")),
            ("n", Some("3")),
            ("token", None),
            ("values.yaml", Some("replicas: 3")),
            ("list", Some("{x,y}")),
            ("with-image.yaml", Some("image: {name: a}")),
        ];
        let text = |(key, text): (&str, Option<&str>)| (key.to_owned(), text.map(str::to_owned));
        ((namespace, name) == ("flux-system", "vars")).then(|| texts.map(text).into())
    };
    let known = Known {
        discovery: Discovery { argocd: true, flux: true, live: false },
        clusters: &[&prod, &eu],
        repository: &repository,
        git_repository: &git_repository,
        chart_source: &chart_source,
        config_map: &config_map,
        is_allowed: &|url| url.starts_with("https://charts.example.com"),
        mapping: &mapping,
    };
    targets(object, here, &known)
}

fn application(spec: Value) -> Found {
    let metadata = json!({"name": "shop"});
    said(&json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": spec}))
        .unwrap()
}

fn flux(group: &str, kind: &str, spec: Value) -> Found {
    let metadata = json!({"name": "shop", "namespace": "flux-system"});
    said(&json!({"apiVersion": format!("{group}.toolkit.fluxcd.io/v1"), "kind": kind, "metadata": metadata, "spec": spec})).unwrap()
}

const PLATFORM: &str = "https://git.example.com/platform.git";

#[test]
fn an_application_is_a_target_for_its_destination() {
    let found = application(json!({
        "source": {"repoURL": PLATFORM, "path": "./clusters/eu/", "targetRevision": "release-1", "directory": {"include": "{*.yaml,*.yml}"}},
        "destination": {"name": "eu", "namespace": "shop"},
    }));
    let [target] = &found.targets[..] else { panic!("{found:?}") };
    assert_eq!(
        (target.name.as_str(), target.repository.as_str(), target.revision.as_str()),
        ("argocd/shop", "platform", "release-1")
    );
    assert_eq!(
        (target.path.as_str(), target.cluster.as_str(), target.namespace.as_str()),
        ("clusters/eu", "eu", "shop")
    );
    let plain = &target.render.plain;
    assert_eq!(target.render.renderer, Renderer::Auto);
    assert!(plain.takes("a.yml") && !plain.takes("a.json") && !plain.takes("below/a.yaml"), "Argo CD does not recurse");
    let anywhere = application(json!({"source": {"repoURL": PLATFORM, "path": ".", "targetRevision": "^1.2"}}));
    let target = &anywhere.targets[0];
    assert_eq!((target.path.as_str(), target.cluster.as_str(), target.namespace.as_str()), ("", "prod", "default"));
    assert_eq!(target.revision.as_str(), "semver:^1.2");
}

#[test]
fn sources_of_charts_take_their_values_from_one_another() {
    let chart = |files: Value| {
        json!({"repoURL": PLATFORM, "path": "charts/shop", "helm": {
            "valueFiles": files, "values": "replicas: 3", "ignoreMissingValueFiles": true,
            "fileParameters": [{"name": "motd", "path": "$env/motd.txt"}],
            "parameters": [{"name": "image.tag", "value": "1,2", "forceString": true}]}})
    };
    let env = json!({"repoURL": PLATFORM, "ref": "env"});
    let found = application(json!({"sources": [chart(json!(["values.yaml", "$env/env/prod.yaml"])), env]}));
    let [target] = &found.targets[..] else { panic!("{found:?}") };
    assert_eq!(target.name.as_str(), "argocd/shop/0");
    let expected = HelmOptions {
        release_name: Some("shop".into()),
        value_files: vec!["values.yaml".into(), "/env/prod.yaml".into()],
        values: json!({"replicas": 3}).as_object().cloned().unwrap(),
        file_parameters: vec![("motd".into(), "/motd.txt".into())],
        parameters: vec![("image.tag".into(), "1,2".into(), true)],
        may_lack_files: true,
        as_install: true,
        ..HelmOptions::default()
    };
    assert_eq!(target.render.helm, expected);
    let elsewhere = json!({"repoURL": "https://git.example.com/charts.git", "ref": "env"});
    let found = application(json!({"sources": [chart(json!(["$env/a.yaml"])), elsewhere]}));
    let [target] = &found.targets[..] else { panic!("{found:?}") };
    let beside = Beside { repository: RepositoryName::new("charts"), revision: Revision::new("HEAD") };
    let helm = &target.render.helm;
    assert_eq!(helm.value_files, [format!("/{}/a.yaml", beside.folder())]);
    assert_eq!((target.repository.as_str(), &helm.beside[..]), ("platform", &[beside][..]));
}

#[test]
fn charts_of_allowed_chart_repositories_are_targets_of_what_names_them() {
    let charts = "https://charts.example.com";
    let chart = |name: &str, version: &str| ChartSource {
        repository: charts.into(),
        name: name.into(),
        version: version.into(),
    };
    let source =
        json!({"repoURL": charts, "chart": "redis", "targetRevision": "19.*", "helm": {"values": "replicas: 3"}});
    let found = application(json!({"source": source}));
    let [target] = &found.targets[..] else { panic!("{found:?}") };
    assert_eq!((target.repository.as_str(), target.revision.as_str(), target.path.as_str()), ("platform", "main", ""));
    assert_eq!(target.render.helm.chart, Some(chart("redis", "19.*")));
    // Its files of values may be in a repository.
    let source = json!({"repoURL": charts, "chart": "redis", "targetRevision": "*", "helm": {"valueFiles": ["a.yaml", "$env/b.yaml"]}});
    let env = json!({"repoURL": "https://git.example.com/charts.git", "ref": "env", "targetRevision": "stable"});
    let found = application(json!({"sources": [source, env]}));
    let [target] = &found.targets[..] else { panic!("{found:?}") };
    assert_eq!((target.repository.as_str(), target.revision.as_str()), ("charts", "stable"));
    assert_eq!(target.render.helm.chart, Some(chart("redis", "")));
    assert_eq!(target.render.helm.value_files, ["a.yaml", "/b.yaml"]);

    let repository = json!({"kind": "HelmRepository", "name": "charts"});
    let spec =
        json!({"spec": {"chart": "redis", "version": "1.0.0", "sourceRef": repository, "valuesFiles": ["prod.yaml"]}});
    let helm = flux("helm", "HelmRelease", json!({"chart": spec})).targets[0].render.helm.clone();
    assert_eq!((helm.chart, &helm.value_files[0][..]), (Some(chart("redis", "1.0.0")), "prod.yaml"));
    let by_ref = json!({"chartRef": {"kind": "OCIRepository", "name": "charts"}});
    assert_eq!(flux("helm", "HelmRelease", by_ref).targets[0].render.helm.chart, Some(chart("shop", "1.2.3")));
    for (spec, trouble) in [
        (
            json!({"chartRef": {"kind": "HelmChart", "name": "a"}}),
            "its chart comes from a HelmChart, which is not read",
        ),
        (json!({"chartRef": {"kind": "OCIRepository", "name": "a"}}), "its OCIRepository flux-system/a was not found"),
    ] {
        assert_eq!(flux("helm", "HelmRelease", spec).troubles, [trouble]);
    }
}

#[test]
fn where_charts_are_is_known_by_kind_namespace_and_name() {
    let source = |kind: &str, spec: Value| {
        let object =
            json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": kind, "metadata": {"name": "a"}, "spec": spec});
        chart_source(&object, "flux-system")
            .map(|(key, source)| (key.0, source.repository, source.name, source.version))
    };
    let text = |texts: [&str; 4]| Some(texts.map(str::to_owned).into());
    let registry = "oci://registry.example.com";
    assert_eq!(
        source("HelmRepository", json!({"url": "https://charts.example.com/"})),
        text(["HelmRepository", "https://charts.example.com", "", ""])
    );
    for (reference, version) in
        [(json!({"tag": "1.0.0"}), "1.0.0"), (json!({"tag": "1.0.0", "semver": "1.x"}), "1.x"), (json!(null), "")]
    {
        let found = source("OCIRepository", json!({"url": format!("{registry}/acme/shop"), "ref": reference}));
        assert_eq!(found, text(["OCIRepository", "oci://registry.example.com/acme", "shop", version]));
    }
    assert_eq!(source("Bucket", json!({"url": "a"})), None);
}

#[test]
fn variables_of_flux_come_from_config_maps_and_from_the_kustomization_itself() {
    let source = json!({"kind": "GitRepository", "name": "platform"});
    let vars = json!({"kind": "ConfigMap", "name": "vars"});
    let missing = json!({"kind": "ConfigMap", "name": "others", "optional": true});
    let post_build = |post_build: Value| {
        let found = flux(
            "kustomize",
            "Kustomization",
            json!({"sourceRef": source, "path": "a", "components": ["../b"],
            "decryption": {"provider": "sops"}, "postBuild": post_build}),
        );
        let render = found.targets.first().map(|target| target.render.clone());
        (render.map(|render| (render.components, render.substitution)), found.troubles)
    };
    let variables = |all: &[(&str, &str)]| all.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let components = vec!["../b".to_owned()];
    for (written, names, unread) in [
        (json!({"substitute": {"a": "b\nc", "n": 5}}), variables(&[("a", "bc"), ("n", "5")]), vec![]),
        (
            json!({"substituteFrom": [{"kind": "Secret", "name": "s"}, missing], "substitute": {"a": "b"}}),
            variables(&[("a", "b")]),
            // An optional one that Git does not declare may be live.
            vec!["Secret s".to_owned(), "ConfigMap others".to_owned()],
        ),
    ] {
        let expected =
            Some((components.clone(), Some(Substitution { variables: names, unread, ..Substitution::default() })));
        assert_eq!(post_build(written), (expected, vec![]));
    }
    let always = Some((components, Some(Substitution::default())));
    assert_eq!(post_build(json!({"substituteStrategy": "Always"})), (always, vec![]));
    let (_, troubles) = post_build(json!({"substituteFrom": [vars], "substitute": {"env": "test"}}));
    assert_eq!(troubles, ["its `postBuild` has a variable values.yaml, which Flux refuses"]);
    let (_, troubles) = post_build(json!({"substituteFrom": [{"kind": "ConfigMap", "name": "others"}]}));
    assert_eq!(troubles, ["its ConfigMap others was not found in flux-system"]);
}

#[test]
fn values_of_a_helm_release_come_from_config_maps_first() {
    let source = json!({"kind": "GitRepository", "name": "platform"});
    let values = |from: Value| {
        let chart = json!({"spec": {"chart": "a", "sourceRef": source}});
        let found =
            flux("helm", "HelmRelease", json!({"chart": chart, "valuesFrom": from, "values": {"image": {"tag": "2"}}}));
        let values = found.targets.first().map(|target| Value::Object(target.render.helm.values.clone()));
        values.ok_or(found.troubles)
    };
    let one = |more: Value| {
        let mut from = json!({"kind": "ConfigMap", "name": "vars"});
        from.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        json!([from])
    };
    for (from, expected) in [
        (one(json!({})), Ok(json!({"replicas": 3, "image": {"tag": "2"}}))),
        (one(json!({"valuesKey": "n", "targetPath": "image.port"})), Ok(json!({"image": {"port": 3, "tag": "2"}}))),
        (one(json!({"valuesKey": "no", "optional": true})), Ok(json!({"image": {"tag": "2"}}))),
        (one(json!({"valuesKey": "no"})), Err("its ConfigMap vars has no `no`")),
        (one(json!({"valuesKey": "token"})), Err("its values come from ConfigMap vars, which is not read")),
        (
            json!([{"kind": "Secret", "name": "s", "targetPath": "db.password"}]),
            Ok(json!({"db": {"password": SOPS_TOKEN}, "image": {"tag": "2"}})),
        ),
        (one(json!({"valuesKey": "env"})), Err("the `env` of its ConfigMap vars is no YAML mapping")),
        (one(json!({"valuesKey": "n", "targetPath": "a[0]"})), Err("its `targetPath` a[0] is not understood")),
        // A mapping of the HelmRelease's own is written into, one that was merged is not.
        (one(json!({"valuesKey": "n", "targetPath": "image.tag"})), Ok(json!({"image": {"tag": 3}}))),
        (
            json!([{"kind": "ConfigMap", "name": "vars", "valuesKey": "with-image.yaml"},
                {"kind": "ConfigMap", "name": "vars", "valuesKey": "n", "targetPath": "image.tag"}]),
            Ok(json!({"image": {"tag": "2", "name": "a"}})),
        ),
        (one(json!({"valuesKey": "n", "targetPath": "a\\.b.c"})), Ok(json!({"a.b": {"c": 3}, "image": {"tag": "2"}}))),
        (
            one(json!({"valuesKey": "list", "targetPath": "a"})),
            Err("the `list` of its ConfigMap vars is not understood at a `targetPath`"),
        ),
        (
            one(json!({"valuesKey": "list", "targetPath": "a", "literal": true})),
            Ok(json!({"a": "{x,y}", "image": {"tag": "2"}})),
        ),
        (json!([{"kind": "Secret", "name": "s"}]), Err("its values come from Secret s, which is not read")),
    ] {
        assert_eq!(values(from.clone()), expected.map_err(|why: &str| vec![why.to_owned()]), "{from}");
    }
}

#[test]
fn the_build_environment_and_metadata_are_filled_in() {
    let helm = json!({"namespace": "other", "valueFiles": ["env/$ARGOCD_APP_NAMESPACE.yaml"],
        "parameters": [{"name": "app", "value": "$ARGOCD_APP_NAME"}, {"name": "price", "value": "5$$"}]});
    let spec = json!({"source": {"repoURL": PLATFORM, "path": "a", "helm": helm}, "destination": {"namespace": "web"}});
    let helm = application(spec).targets[0].render.helm.clone();
    assert_eq!((helm.value_files, helm.namespace.as_deref()), (vec!["env/web.yaml".to_owned()], Some("other")));
    let values: Vec<&str> = helm.parameters.iter().map(|(_, value, _)| value.as_str()).collect();
    assert_eq!(values, ["shop", "5$"]);
    let kustomize = json!({"images": ["api=$ARGOCD_APP_NAME:1"], "commonLabels": {"app": "$ARGOCD_APP_NAME"},
        "commonAnnotations": {"a": "$ARGOCD_APP_NAME"}});
    let found = application(json!({"source": {"repoURL": PLATFORM, "path": "k", "kustomize": kustomize}}));
    assert_eq!(
        Value::Object(found.targets[0].render.overlay.clone()),
        json!({"images": [{"name": "api", "newName": "shop", "newTag": "1"}], "commonLabels": {"app": "shop"},
            "commonAnnotations": {"a": "$ARGOCD_APP_NAME"}})
    );
    let chart = json!({"spec": {"chart": "a", "sourceRef": {"kind": "GitRepository", "name": "platform"}}});
    let release = json!({"chart": chart, "commonMetadata": {"labels": {"team": "web"}}, "upgrade": {"crds": "Skip"}});
    let helm = flux("helm", "HelmRelease", release).targets[0].render.helm.clone();
    assert_eq!((helm.common_metadata.labels.get("team"), helm.skip_crds), (Some(&json!("web")), true));
}

#[test]
fn the_same_object_in_another_cluster_is_another_target() {
    let there = TargetConfig { cluster: ClusterName::new("eu"), ..here() };
    let object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "shop"},
        "spec": {"source": {"repoURL": PLATFORM, "path": "a"}}});
    let names = [here(), there].map(|here| said_in(&object, &here).unwrap().targets[0].name.to_string());
    assert_eq!(names, ["argocd/shop", "argocd:eu/shop"]);
}

#[test]
fn what_is_laid_over_a_kustomization_is_written_as_kustomize_has_it() {
    let images = json!(["registry.example.com:5000/shop:1.4", "api=example.com/api@sha256:ab", "web=web"]);
    let kustomize = json!({"namePrefix": "eu-", "images": images, "version": "v5.0.0"});
    let found = application(json!({"source": {"repoURL": PLATFORM, "path": "k", "kustomize": kustomize}}));
    let expected = json!({"namePrefix": "eu-", "images": [
        {"name": "registry.example.com:5000/shop", "newTag": "1.4"},
        {"name": "api", "newName": "example.com/api", "digest": "sha256:ab"},
        {"name": "web"},
    ]});
    assert_eq!(Value::Object(found.targets[0].render.overlay.clone()), expected);
    let kustomize = json!({"commonLabels": {"a": "b"}, "labelWithoutSelector": true, "components": ["../c"],
        "ignoreMissingComponents": true, "forceCommonLabels": true});
    let found = application(json!({"source": {"repoURL": PLATFORM, "path": "k", "kustomize": kustomize}}));
    let render = &found.targets[0].render;
    let expected = json!({"labels": [{"pairs": {"a": "b"}, "includeSelectors": false, "includeTemplates": false}]});
    assert_eq!((Value::Object(render.overlay.clone()), &render.components[0][..]), (expected, "../c"));
    assert!(render.may_lack_components);
}

#[test]
fn flux_kustomizations_and_charts_in_git_are_targets() {
    let source = json!({"kind": "GitRepository", "name": "platform"});
    let patches = json!([{"patch": "[]"}]);
    let found = flux(
        "kustomize",
        "Kustomization",
        json!({
        "sourceRef": source, "path": "./apps/prod", "targetNamespace": "shop", "patches": patches,
        "commonMetadata": {"labels": {"a": "b"}}}),
    );
    let [target] = &found.targets[..] else { panic!("{found:?}") };
    assert_eq!(
        (target.name.as_str(), target.path.as_str(), target.namespace.as_str()),
        ("flux/flux-system/shop", "apps/prod", "shop")
    );
    let overlay = json!({"namespace": "shop", "patches": patches, "labels": [{"pairs": {"a": "b"}}]});
    assert_eq!(Value::Object(target.render.overlay.clone()), overlay);
    let chart =
        json!({"spec": {"chart": "./charts/shop", "sourceRef": source, "valuesFiles": ["charts/shop/values.yaml"]}});
    let found =
        flux("helm", "HelmRelease", json!({"chart": chart, "targetNamespace": "shop", "values": {"replicas": 3}}));
    let helm = &found.targets[0].render.helm;
    assert_eq!(
        (helm.release_name.as_deref(), helm.value_files[0].as_str()),
        (Some("shop-shop"), "/charts/shop/values.yaml")
    );
    assert_eq!(found.targets[0].namespace, "shop");
}

#[test]
fn what_is_not_understood_makes_no_target_and_says_why() {
    let source = |more: Value| {
        let mut source = json!({"repoURL": PLATFORM, "path": "a"});
        source.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        json!({"source": source})
    };
    for (spec, trouble) in [
        (
            json!({"source": {"repoURL": "https://user:CANARY@example.com/a.git", "path": "a"}}),
            "its repository https://example.com/a.git is none of the configured ones",
        ),
        (
            json!({"source": {"repoURL": PLATFORM, "chart": "redis", "targetRevision": "1.0.0"}}),
            "its chart redis is in the chart repository https://git.example.com/platform.git, which `charts` does not allow",
        ),
        (
            json!({"source": {"repoURL": PLATFORM, "path": "a"}, "destination": {"name": "us"}}),
            "its destination is none of the configured clusters",
        ),
        (source(json!({"plugin": {"name": "x"}})), "it is rendered by a plugin of Argo CD"),
        (source(json!({"directory": {"jsonnet": {"tlas": [{}]}}})), "its directory is Jsonnet"),
        (source(json!({"tagPrefix": "shop/"})), "its field `tagPrefix` is not understood"),
        (source(json!({"kustomize": {"new": ["a"]}})), "its Kustomize option `new` is not understood"),
        (
            source(json!({"helm": {"fileParameters": [{"name": "a", "path": "$env/a"}]}})),
            "no source of it is called env",
        ),
        (source(json!({"helm": {"values": "- a"}})), "its Helm values are no YAML mapping"),
        (source(json!({"helm": {"new": true}})), "its Helm option `new` is not understood"),
        (
            source(json!({"helm": {"parameters": [{"name": "a", "value": "$ARGOCD_APP_REVISION"}]}})),
            "its `$ARGOCD_APP_REVISION` hangs on ARGOCD_APP_REVISION, which is not understood",
        ),
        (json!({}), "it names no source"),
    ] {
        let found = application(spec);
        assert_eq!((found.targets.len(), &found.troubles[..]), (0, &[trouble.to_owned()][..]));
    }
    for (kind, spec, trouble) in [
        (
            "Kustomization",
            json!({"sourceRef": {"kind": "OCIRepository", "name": "a"}}),
            "it comes from a OCIRepository, which is not read",
        ),
        (
            "Kustomization",
            json!({"sourceRef": {"kind": "GitRepository", "name": "a"}}),
            "no target declares its GitRepository flux-system/a",
        ),
        ("Kustomization", json!({"kubeConfig": {"a": "b"}}), "its field `kubeConfig` is not understood"),
        ("HelmRelease", json!({"postRenderers": [{"kustomize": {}}]}), "its field `postRenderers` is not understood"),
    ] {
        let group = if kind == "HelmRelease" { "helm" } else { "kustomize" };
        assert_eq!(flux(group, kind, spec).troubles, [trouble]);
    }
    let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "spec": {}});
    assert_eq!(said(&other), None);
}

#[test]
fn a_git_repository_is_known_by_its_namespace_and_name() {
    let object = |reference: Value| {
        json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": {"name": "a"},
            "spec": {"url": PLATFORM, "ref": reference}})
    };
    for (reference, revision) in [
        (json!({"branch": "main", "tag": "v1"}), "v1"),
        (json!({"semver": ">=1.2", "tag": "v1"}), "semver:>=1.2"),
        (json!({"commit": "abc", "branch": "main"}), "abc"),
        (json!({}), "master"),
    ] {
        let (name, found) = git_repository(&object(reference), "flux-system").unwrap();
        assert_eq!((name.0.as_str(), name.1.as_str(), found.revision.as_str()), ("flux-system", "a", revision));
    }
}
