//! Reports for the tests of views: one that drifted in many ways, one in sync, one written by an enemy, one far too large.

use serde_json::{Value, json};

use crate::model::attribution::{Actor, ActorKind, Committer, DeclaredBy, LiveMatch, Origin, Trailer};
use crate::model::audit_event::Verb;
use crate::model::audited::{AuditedWrite, Matched, Reverted};
use crate::model::field_path::{FieldPath, Step};
use crate::model::finding::{Cause, Code, Finding, Severity};
use crate::model::fingerprint;
use crate::model::gap::{Exclusion, Gap, GapKind, Hides};
use crate::model::ids::{ClusterName, CommitId, LedgerId, RepositoryName, Revision, ScanId, TargetName};
use crate::model::report::{
    Changes, ClosedFinding, ClusterSummary, Counts, Coverage, IgnoreState, IgnoreSummary, SCAN_SCHEMA, ScanReport,
    ScanSummary, Seal, TargetSummary,
};
use crate::model::resource::{GroupKind, ObjectId};
use crate::model::time::Timestamp;

pub(super) fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

pub(super) fn coverage() -> Coverage {
    let kinds =
        ["ConfigMap", "Deployment.apps", "Role.rbac.authorization.k8s.io", "Service"].map(str::to_owned).to_vec();
    Coverage { live: 702, declared: 613, set_aside: 84, kinds }
}

pub(super) fn started() -> Timestamp {
    time("2026-03-02T14:03:09Z")
}

pub(super) fn path(text: &str) -> FieldPath {
    FieldPath::parse(text).expect("a path")
}

pub(super) fn actor(manager: &str, kind: ActorKind) -> Actor {
    Actor {
        manager: manager.into(),
        operation: if kind == ActorKind::Gitops { "Apply" } else { "Update" }.into(),
        subresource: None,
        time: Some(time("2026-03-02T13:51:20Z")),
        kind,
        user: None,
    }
}

pub(super) fn write(user: &str, matched: Matched, why: &str) -> AuditedWrite {
    AuditedWrite {
        time: time("2026-03-02T13:51:20Z"),
        verb: Verb::Patch,
        subresource: None,
        user: user.into(),
        impersonated: None,
        groups: vec!["platform".into(), "system:authenticated".into()],
        user_agent: Some("kubectl/v1.34.1 (linux/amd64) kubernetes/93248f9".into()),
        source_ips: None,
        code: 200,
        manager: Some("kubectl-edit".into()),
        matched,
        why: why.into(),
        contradicts: false,
    }
}

pub(super) fn commit(id: &str, author: &str, day: &str, subject: &str) -> DeclaredBy {
    DeclaredBy {
        commit: CommitId::new(format!("{id}{}", "0".repeat(40 - id.len()))),
        author: author.into(),
        email: "author@example.com".into(),
        time: time(&format!("{day}T09:30:00Z")),
        subject: subject.into(),
        reached_by: None,
        committer: None,
        trailers: Vec::new(),
        pull_request: None,
        signature: Some("none".into()),
        signature_detail: None,
        commit_url: None,
        pull_request_url: None,
    }
}

pub(super) fn origin(target: &str, file: &str, line: u32) -> Origin {
    Origin {
        target: TargetName::new(target),
        repository: RepositoryName::new("platform"),
        revision: Revision::new("main"),
        commit: CommitId::new(format!("8c1f3de{}", "5".repeat(33))),
        file: format!("clusters/prod/{target}/{file}"),
        line: Some(line),
        renderer: None,
    }
}

/// `object`: `apps/v1 Deployment shop/api`, or without a namespace.
pub(super) fn base(code: Code, severity: Severity, cause: Option<Cause>, object: &str, field: Option<&str>) -> Finding {
    let words: Vec<&str> = object.split(' ').collect();
    let (namespace, name) = match words[2].split_once('/') {
        Some((namespace, name)) => (Some(namespace.to_owned()), name),
        None => (None, words[2]),
    };
    let field = field.map(path);
    let mut finding = Finding {
        id: crate::model::ids::FindingId::new(""),
        code,
        class: code.class().into(),
        cause,
        severity,
        fingerprint: String::new(),
        cluster: ClusterName::new("prod"),
        api_version: words[0].into(),
        kind: words[1].into(),
        namespace,
        name: name.into(),
        path: field,
        declared: None,
        live: None,
        origin: None,
        declared_by: None,
        removed_by: None,
        live_matches: None,
        actors: vec![],
        writes: None,
        first_seen: Some(time("2026-03-02T13:58:09Z")),
        last_seen: Some(started()),
        scans: Some(2),
        waiver: None,
        method: "declared fields under the served schema".into(),
        note: None,
    };
    finding.fingerprint = fingerprint::of_object(&finding.cluster, &finding.object(), finding.path.as_ref());
    finding.id = fingerprint::finding_id(&finding.fingerprint);
    finding
}

/// The finding that most tests bend: a container image changed by hand.
pub(super) fn finding() -> Finding {
    Finding {
        declared: Some(json!("registry.example.com/shop/api:1.4.2")),
        live: Some(json!("registry.example.com/shop/api:1.4.3-hotfix")),
        writes: Some(vec![write("sam@example.com", Matched::Field, "it changed the field to its live value")]),
        origin: Some(origin("shop", "api.yaml", 31)),
        declared_by: Some(DeclaredBy {
            reached_by: Some(CommitId::new(format!("77aa01b{}", "0".repeat(33)))),
            committer: Some(Committer {
                name: "GitHub".into(),
                email: "noreply@github.com".into(),
                time: time("2026-02-26T09:38:40Z"),
            }),
            trailers: vec![Trailer { name: "Reviewed-by".into(), value: "Priya Raman <priya@example.com>".into() }],
            pull_request: Some("PR #418".into()),
            pull_request_url: Some("https://github.com/acme/shop/pull/418".into()),
            commit_url: Some(format!("https://github.com/acme/shop/commit/4be07d2{}", "0".repeat(33))),
            signature: Some("verified".into()),
            signature_detail: Some("jane@example.com, key SHA256:1vYrfTnnNFjnZ7XA5iBOC9Q0xQ0hSXhpbFzM8mX2mQk".into()),
            ..commit("4be07d2", "Jane Doe", "2026-02-26", "Release api 1.4.2")
        }),
        actors: vec![
            Actor { user: Some("sam@example.com".into()), ..actor("kubectl-edit", ActorKind::Interactive) },
            Actor { time: Some(time("2026-02-26T09:41:02Z")), ..actor("argocd-controller", ActorKind::Gitops) },
        ],
        ..base(
            Code::Changed,
            Severity::Critical,
            Some(Cause::OutOfBand),
            "apps/v1 Deployment shop/api",
            Some(r#".spec.template.spec.containers[name="api"].image"#),
        )
    }
}

fn token(hex: &str) -> Value {
    json!(format!("redacted:0badcafe:{hex}{}", "0".repeat(32 - hex.len())))
}

const NGINX: &str = "worker_processes auto;\nevents {\n  worker_connections 1024;\n}\nhttp {\n  sendfile on;\n  \
    keepalive_timeout 65;\n  client_max_body_size 1m;\n  server {\n    listen 8080;\n    location / {\n      \
    proxy_pass http://api:8080;\n    }\n    location /healthz {\n      return 200;\n    }\n  }\n}\n";

fn worst() -> Vec<Finding> {
    vec![
        finding(),
        Finding {
            live: Some(json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch"]})),
            origin: Some(origin("platform", "rbac/node-reader.yaml", 8)),
            declared_by: Some(commit("b31c9aa", "Priya Raman", "2025-11-04", "Take the Secrets from node-reader")),
            actors: vec![Actor {
                time: Some(time("2026-03-01T22:14:55Z")),
                ..actor("kubectl-patch", ActorKind::Interactive)
            }],
            ..base(
                Code::Undeclared,
                Severity::Critical,
                Some(Cause::OutOfBand),
                "rbac.authorization.k8s.io/v1 ClusterRole node-reader",
                Some(".rules[1]"),
            )
        },
        Finding {
            declared: Some(token("c4d1e90a77b2")),
            live: Some(token("1a2b3c4d5e6f")),
            origin: Some(origin("shop", "payments-db.sops.yaml", 12)),
            declared_by: Some(commit("e07f4c1", "Tomás Ortega", "2026-02-28", "Rotate the payments database password")),
            live_matches: Some(LiveMatch {
                commits_behind: Some(7),
                since: Some(time("2026-02-28T09:30:00Z")),
                given_by: None,
                ..LiveMatch::of(CommitId::new(format!("2d99f00{}", "0".repeat(33))), &Revision::new("main"))
            }),
            actors: vec![Actor { time: Some(time("2026-03-02T08:02:11Z")), ..actor("k9s", ActorKind::Interactive) }],
            first_seen: Some(time("2026-03-02T08:03:09Z")),
            scans: Some(73),
            ..base(
                Code::Changed,
                Severity::Critical,
                Some(Cause::HandRollback),
                "v1 Secret shop/payments-db",
                Some(".data.password"),
            )
        },
        Finding {
            declared: Some(json!(3)),
            live: Some(json!(12)),
            origin: Some(origin("shop", "api.yaml", 9)),
            declared_by: Some(commit("19d2e8b", "Jane Doe", "2026-01-15", "Run three replicas of api")),
            actors: vec![Actor { subresource: Some("scale".into()), ..actor("kubectl", ActorKind::Interactive) }],
            ..base(
                Code::Changed,
                Severity::High,
                Some(Cause::OutOfBand),
                "apps/v1 Deployment shop/api",
                Some(".spec.replicas"),
            )
        },
        Finding {
            declared: Some(json!({"name": "PAYMENTS_TIMEOUT", "value": "2500ms"})),
            origin: Some(origin("shop", "worker.yaml", 44)),
            declared_by: Some(commit("f6a0b57", "Linnéa Åkerström", "2026-02-11", "Give payments a timeout")),
            actors: vec![actor("kubectl-edit", ActorKind::Interactive)],
            ..base(
                Code::Absent,
                Severity::High,
                Some(Cause::OutOfBand),
                "apps/v1 Deployment shop/worker",
                Some(r#".spec.template.spec.containers[name="worker"].env[name="PAYMENTS_TIMEOUT"]"#),
            )
        },
    ]
}

fn middling() -> Vec<Finding> {
    let live = NGINX.replace("client_max_body_size 1m;", "client_max_body_size 64m;").replace(
        "      proxy_pass http://api:8080;\n",
        "      proxy_pass http://api:8080;\n      proxy_read_timeout 300s;\n",
    );
    vec![
        Finding {
            declared: Some(json!(NGINX)),
            live: Some(json!(live)),
            origin: Some(origin("shop", "edge/nginx.yaml", 7)),
            declared_by: Some(commit("0c5d7aa", "Jane Doe", "2025-12-09", "Serve the health check from the edge")),
            actors: vec![Actor { time: Some(time("2026-03-02T13:40:00Z")), ..actor("Mozilla", ActorKind::Unknown) }],
            note: Some("No rollout was triggered: the pods may still run with the old configuration.".into()),
            ..base(
                Code::Changed,
                Severity::High,
                Some(Cause::OutOfBand),
                "v1 ConfigMap shop/edge",
                Some(r#".data["nginx.conf"]"#),
            )
        },
        Finding {
            declared: Some(json!([
                "--config=/etc/prometheus/prometheus.yml",
                "--storage.tsdb.retention.time=30d",
                "--web.enable-lifecycle"
            ])),
            live: Some(json!([
                "--config=/etc/prometheus/prometheus.yml",
                "--storage.tsdb.retention.time=7d",
                "--web.enable-lifecycle",
                "--web.enable-admin-api"
            ])),
            origin: Some(origin("monitoring", "prometheus.yaml", 58)),
            declared_by: Some(commit("5ee1b02", "Priya Raman", "2026-01-20", "Keep metrics for thirty days")),
            actors: vec![actor("lens", ActorKind::Interactive)],
            ..base(
                Code::Changed,
                Severity::High,
                Some(Cause::OutOfBand),
                "apps/v1 StatefulSet monitoring/prometheus",
                Some(r#".spec.template.spec.containers[name="prometheus"].args"#),
            )
        },
        Finding {
            declared: Some(json!({
                "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
                "metadata": {"name": "api", "namespace": "shop", "labels": {"app": "api"}},
                "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "api"}}},
            })),
            origin: Some(origin("shop", "pdb.yaml", 1)),
            declared_by: Some(commit("a81c30f", "Jane Doe", "2025-10-02", "Keep two api pods through drains")),
            note: Some("Seen live by earlier scans, so it was deleted.".into()),
            ..base(
                Code::Missing,
                Severity::Medium,
                Some(Cause::OutOfBand),
                "policy/v1 PodDisruptionBudget shop/api",
                None,
            )
        },
        Finding {
            declared: Some(json!("grafana/grafana:11.5.1")),
            live: Some(json!("grafana/grafana:11.4.0")),
            origin: Some(origin("monitoring", "grafana.yaml", 22)),
            declared_by: Some(commit("d4470c9", "renovate[bot]", "2026-02-27", "Update grafana/grafana to 11.5.1")),
            live_matches: Some(LiveMatch {
                commits_behind: Some(3),
                since: Some(time("2026-02-27T09:30:00Z")),
                given_by: None,
                matched: Some(Box::new(DeclaredBy {
                    pull_request: Some("PR #377".into()),
                    pull_request_url: Some("https://github.com/acme/shop/pull/377".into()),
                    commit_url: Some(format!("https://github.com/acme/shop/commit/61be2f3{}", "0".repeat(33))),
                    signature: Some("verified".into()),
                    ..commit("61be2f3", "renovate[bot]", "2026-01-30", "Update grafana/grafana to 11.4.0")
                })),
                ..LiveMatch::of(CommitId::new(format!("61be2f3{}", "0".repeat(33))), &Revision::new("main"))
            }),
            actors: vec![Actor {
                time: Some(time("2026-01-30T10:00:00Z")),
                ..actor("argocd-controller", ActorKind::Gitops)
            }],
            first_seen: Some(time("2026-02-27T09:48:09Z")),
            scans: Some(842),
            ..base(
                Code::Changed,
                Severity::Medium,
                Some(Cause::Behind),
                "apps/v1 Deployment monitoring/grafana",
                Some(r#".spec.template.spec.containers[name="grafana"].image"#),
            )
        },
        Finding {
            declared: Some(json!("0 2 * * *")),
            live: Some(json!("*/5 * * * *")),
            origin: Some(origin("shop", "cron/reports.yaml", 6)),
            declared_by: Some(commit("7b90e2d", "Tomás Ortega", "2026-02-02", "Run reports at night")),
            actors: vec![actor("kubectl-edit", ActorKind::Interactive)],
            last_seen: Some(time("2026-03-02T13:58:09Z")),
            ..base(
                Code::Changed,
                Severity::Medium,
                Some(Cause::OutOfBand),
                "batch/v1 CronJob shop/reports",
                Some(".spec.schedule"),
            )
        },
    ]
}

fn least() -> Vec<Finding> {
    let policy = |effect: &str| {
        let rules: Vec<Value> =
            (0..40).map(|n| json!({"id": format!("rule-{n}"), "allow": n % 3 != 0, "effect": if n == 33 { effect } else { "audit" }})).collect();
        json!(json!({"version": 2, "rules": rules}).to_string())
    };
    vec![
        Finding {
            declared: Some(json!("Zahlungsdienst für Größen über 5 €, 支払い 👩\u{200d}🚀")),
            live: Some(json!("Zahlungsdienst für Größen über 9 €, 支払い 👩\u{200d}🚀")),
            origin: Some(origin("shop", "worker.yaml", 5)),
            declared_by: Some(commit("c0ffee1", "Linnéa Åkerström", "2026-02-12", "Describe the payment worker")),
            actors: vec![actor("kubectl-annotate", ActorKind::Interactive)],
            ..base(
                Code::Changed,
                Severity::Low,
                Some(Cause::OutOfBand),
                "apps/v1 Deployment shop/worker",
                Some(r#".metadata.annotations["example.com/description"]"#),
            )
        },
        Finding {
            declared: Some(policy("audit")),
            live: Some(policy("deny")),
            origin: Some(origin("platform", "policies/baseline.yaml", 4)),
            actors: vec![actor("policy-controller", ActorKind::Controller)],
            method: "literal: no schema is served for this kind".into(),
            note: Some("History could not be read past a shallow boundary.".into()),
            ..base(
                Code::Changed,
                Severity::Low,
                Some(Cause::Undetermined),
                "v1 ConfigMap platform/baseline",
                Some(r#".data["policy.json"]"#),
            )
        },
        Finding {
            origin: Some(origin("shop", "gateway/route.yaml", 1)),
            declared_by: Some(commit("ee20d41", "Priya Raman", "2026-02-20", "Route shop through the gateway")),
            note: Some("The cluster serves gateway.networking.k8s.io/v1; declared is v1beta1.".into()),
            method: "complete discovery".into(),
            ..base(
                Code::UnservedKind,
                Severity::Low,
                None,
                "gateway.networking.k8s.io/v1beta1 HTTPRoute shop/shop",
                None,
            )
        },
        Finding {
            declared: Some(json!("info")),
            live: Some(json!("debug")),
            origin: Some(origin("platform", "common/logging.yaml", 6)),
            declared_by: Some(commit("3f21a9c", "Priya Raman", "2026-02-25", "Log at info everywhere")),
            note: Some(
                "Target monitoring declares the same object otherwise, in clusters/prod/monitoring/logging.yaml:6."
                    .into(),
            ),
            method: "declarations of the cluster's targets".into(),
            ..base(Code::Conflict, Severity::Low, None, "v1 ConfigMap monitoring/logging", Some(".data.level"))
        },
        Finding {
            declared: Some(json!("512Mi")),
            live: Some(json!("256Mi")),
            origin: Some(origin("monitoring", "loki.yaml", 40)),
            declared_by: Some(commit("8c1f3de", "Jane Doe", "2026-03-02", "Give loki more memory")),
            live_matches: Some(LiveMatch {
                commits_behind: Some(1),
                since: Some(time("2026-03-02T14:00:00Z")),
                given_by: None,
                ..LiveMatch::of(CommitId::new(format!("0be1a40{}", "0".repeat(33))), &Revision::new("main"))
            }),
            actors: vec![Actor {
                time: Some(time("2026-02-14T10:00:00Z")),
                ..actor("argocd-controller", ActorKind::Gitops)
            }],
            first_seen: Some(started()),
            scans: Some(1),
            ..base(
                Code::Changed,
                Severity::Info,
                Some(Cause::Pending),
                "apps/v1 StatefulSet monitoring/loki",
                Some(r#".spec.template.spec.containers[name="loki"].resources.limits.memory"#),
            )
        },
    ]
}

fn target(name: &str, declared: u64, compared: u64, findings: u64, passed_over: u64) -> TargetSummary {
    TargetSummary {
        disagreement: None,
        name: TargetName::new(name),
        cluster: ClusterName::new("prod"),
        repository: RepositoryName::new("platform"),
        revision: Revision::new("main"),
        commit: Some(CommitId::new(format!("8c1f3de{}", "5".repeat(33)))),
        tag: None,
        path: format!("clusters/prod/{name}"),
        declared,
        compared,
        findings,
        files_passed_over: passed_over,
        stale: false,
        rewritten: None,
        runs: None,
        repository_url: None,
    }
}

fn count(report: &mut ScanReport) {
    let counts = &mut report.scan.counts;
    (counts.by_severity, counts.by_class) = Default::default();
    for finding in &report.findings {
        *counts.by_severity.entry(finding.severity).or_default() += 1;
        *counts.by_class.entry(finding.class.clone()).or_default() += 1;
    }
    counts.findings = report.findings.len() as u64;
    counts.gaps = report.gaps.len() as u64;
}

fn ignored() -> Vec<IgnoreSummary> {
    let rule = |id: &str, reason: &str, expires: Option<&str>, state| IgnoreSummary {
        id: id.into(),
        source: "configuration".into(),
        reason: reason.into(),
        expires: expires.map(str::to_owned),
        suppressed: 0,
        narrowed: 0,
        by_code: [].into(),
        state,
        note: None,
    };
    vec![
        IgnoreSummary {
            suppressed: 3,
            narrowed: 1,
            by_code: [(Code::Changed, 2), (Code::Undeclared, 1)].into(),
            ..rule("scaled-by-hpa", "the autoscaler sets replicas", None, IgnoreState::Used)
        },
        rule("ignore[1]", "made on demand during the migration", Some("2026-06-30"), IgnoreState::Undetermined),
        rule("ca-bundles", "cert-manager injects them", Some("2026-01-31"), IgnoreState::Expired),
        IgnoreSummary {
            source: "Application argocd/shop".into(),
            note: Some("`def f: f; f` cannot be used here".into()),
            ..rule("Application argocd/shop #1", "declared in Application argocd/shop", None, IgnoreState::Undetermined)
        },
    ]
}

/// A scan with fifteen findings of many sorts, two gaps and three exclusions.
pub(super) fn drifted() -> ScanReport {
    let mut report = in_sync();
    report.findings = worst().into_iter().chain(middling()).chain(least()).collect();
    report.gaps = vec![
        Gap::new(
            GapKind::Forbidden,
            "the role may not list cronjobs.batch in namespace shop",
            Hides::Kind { kind: GroupKind::new("batch", "CronJob"), namespace: Some("shop".into()) },
        )
        .at("CronJob.batch in shop")
        .hint("run `driftledger rbac` and apply what it prints")
        .of_cluster(&ClusterName::new("prod")),
        Gap::new(
            GapKind::Parse,
            "a mapping value stands where none is allowed",
            Hides::Objects {
                objects: vec![ObjectId {
                    group: String::new(),
                    kind: "Service".into(),
                    namespace: Some("monitoring".into()),
                    name: "tempo".into(),
                }],
            },
        )
        .at("clusters/prod/monitoring/tempo.yaml:14:9")
        .of_target(&TargetName::new("monitoring")),
    ];
    let new = [0, 4, 14].map(|n: usize| report.findings[n].id.clone());
    report.scan.ignored = ignored();
    report.scan.reverted = vec![Reverted {
        cluster: ClusterName::new("prod"),
        object: ObjectId {
            group: "apps".into(),
            kind: "Deployment".into(),
            namespace: Some("shop".into()),
            name: "web".into(),
        },
        target: TargetName::new("shop"),
        writes: vec![AuditedWrite {
            subresource: Some("scale".into()),
            impersonated: Some("oncall".into()),
            source_ips: Some(vec!["192.0.2.7".into()]),
            ..write(
                "robin@example.com",
                Matched::Candidate,
                "the object was last looked at 2026-03-02 13:58:09 UTC, and is in sync now",
            )
        }],
    }];
    report.scan.complete = false;
    report.scan.last_complete = Some(time("2026-03-02T13:58:09Z"));
    report.scan.targets =
        vec![target("shop", 88, 86, 9, 2), target("monitoring", 71, 70, 4, 0), target("platform", 55, 55, 3, 1)];
    report.scan.targets[2].stale = false;
    report.scan.changes = Changes {
        first_scan: false,
        new: new.to_vec(),
        reopened: vec![report.findings[2].id.clone()],
        changed: vec![report.findings[3].id.clone()],
        resolved: vec![ClosedFinding {
            id: crate::model::ids::FindingId::new("F-77c0a1de"),
            title: "prod Ingress.networking.k8s.io shop/web .spec.rules".into(),
            how: "live equals Git again".into(),
        }],
        out_of_scope: vec![],
    };
    report.scan.counts.compared = 211;
    report.scan.counts.in_sync = 198;
    report.scan.counts.unknown = 1;
    count(&mut report);
    report
}

/// A complete scan in which nothing differs.
pub(super) fn in_sync() -> ScanReport {
    ScanReport {
        schema: SCAN_SCHEMA.into(),
        scan: ScanSummary {
            id: ScanId(1_204),
            ledger: LedgerId::new("5f0c2a9e7d3b41868a1be2c4d7f09361"),
            started_at: started(),
            finished_at: time("2026-03-02T14:03:41Z"),
            complete: true,
            tool_version: "0.1.0".into(),
            clusters: vec![ClusterSummary {
                name: ClusterName::new("prod"),
                uid: Some("6f1c0d1e-8f5b-4b0a-9a50-2b7f5c1f3a77".into()),
                version: Some("v1.34.1".into()),
                source: "kubernetes API".into(),
                taken_at: None,
                live_objects: 1_873,
                clock_skew_seconds: Some(0),
                coverage: Some(coverage()),
                audit_log_until: Some(time("2026-03-02T14:03:05Z")),
            }],
            targets: vec![
                target("shop", 88, 88, 0, 2),
                target("monitoring", 71, 71, 0, 0),
                target("platform", 55, 55, 0, 1),
            ],
            counts: Counts {
                declared: 214,
                compared: 214,
                in_sync: 214,
                coverage: Some(coverage()),
                normalised: [
                    ("defaulted by the server".to_owned(), 3_120),
                    ("quantity written otherwise".to_owned(), 41),
                    ("empty map".to_owned(), 17),
                ]
                .into(),
                ..Counts::default()
            },
            changes: Changes::default(),
            ignored: Vec::new(),
            reverted: Vec::new(),
            undelivered: Vec::new(),
            last_complete: Some(time("2026-03-02T13:58:09Z")),
            seal: Some(Seal {
                sequence: 42,
                hash: "9f3ab4d2c17e5086a1d3f47b92c6e80d5a7713fe2b94c8061de5a3b7f0c24d19".into(),
            }),
        },
        gaps: vec![],
        exclusions: vec![
            Exclusion {
                scope: "prod".into(),
                what: "status of every object".into(),
                reason: "written by controllers".into(),
                count: None,
            },
            Exclusion {
                scope: "shop".into(),
                what: "Job.batch shop/migrate".into(),
                reason: "annotation driftledger.io/ignore in Git".into(),
                count: Some(1),
            },
            Exclusion {
                scope: "platform".into(),
                what: "files without manifests".into(),
                reason: "README and values files".into(),
                count: Some(3),
            },
        ],
        findings: vec![],
    }
}

/// Texts that try to act wherever they are shown.
pub(super) const ATTACKS: [&str; 8] = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\u{1b}[31mred\u{1b}]0;title\u{7}\u{9b}2J",
    "abc\u{202e}gpj.exe\u{2066}",
    "<!channel> <@U123> <https://evil.example|click>",
    "*bold* _it_ `code` ~gone~ :tada:",
    "=HYPERLINK(\"http://evil.example\")",
    "| a | b |\n\n# h\n![x](http://evil.example/p.png) [l](javascript:alert(1)) ``` @everyone",
    "\"'>{{ 7 * 7 }}{% raw %}\r\nBcc: evil@example.com",
];

/// A report whose every text from outside is one of [`ATTACKS`], joined.
pub(super) fn hostile() -> ScanReport {
    let mut report = drifted();
    let evil = ATTACKS.join(" ");
    for finding in &mut report.findings {
        finding.name = evil.clone();
        finding.namespace = Some(evil.clone());
        finding.kind = evil.clone();
        finding.api_version = evil.clone();
        finding.cluster = ClusterName::new(evil.clone());
        finding.path = Some(FieldPath::from(vec![
            Step::Field(evil.clone()),
            Step::Key(vec![("name".into(), json!(evil))]),
            Step::Item(json!(evil)),
        ]));
        finding.note = Some(evil.clone());
        finding.method = evil.clone();
        if let Some(by) = &mut finding.declared_by {
            (by.author, by.email, by.subject) = (evil.clone(), evil.clone(), evil.clone());
            (by.pull_request, by.signature) = (Some(evil.clone()), Some(evil.clone()));
            by.signature_detail = Some(evil.clone());
            by.trailers = vec![Trailer { name: evil.clone(), value: evil.clone() }];
            let time = Timestamp::from_unix(0);
            by.committer = Some(Committer { name: evil.clone(), email: evil.clone(), time });
            (by.commit_url, by.pull_request_url) = (Some(evil.clone()), Some(format!("https://{evil}")));
        }
        finding.removed_by.clone_from(&finding.declared_by);
        if let Some(origin) = &mut finding.origin {
            (origin.file, origin.revision) = (evil.clone(), Revision::new(evil.clone()));
            (origin.target, origin.repository) = (TargetName::new(evil.clone()), RepositoryName::new(evil.clone()));
            origin.commit = CommitId::new(evil.clone());
        }
        for actor in &mut finding.actors {
            (actor.manager, actor.operation, actor.user) = (evil.clone(), evil.clone(), Some(evil.clone()));
            actor.subresource = Some(evil.clone());
        }
        for write in finding.writes.iter_mut().flatten() {
            hostile_write(write, &evil);
        }
        if let Some(found) = &mut finding.live_matches {
            found.revision = Revision::new(evil.clone());
            found.matched = finding.declared_by.clone().map(Box::new);
            found.reached_by = Some(CommitId::new(evil.clone()));
        }
    }
    for (n, attack) in ATTACKS.into_iter().enumerate() {
        let finding = &mut report.findings[n];
        finding.declared = Some(match n % 4 {
            0 => json!(attack),
            1 => json!({attack: [attack, {attack: attack}]}),
            2 => json!(format!("{attack}\nsecond line\n")),
            _ => json!(format!("redacted:{attack}")),
        });
        finding.live = Some(match n % 3 {
            0 => json!(format!("{attack} {}", evil.replace('a', "b"))),
            1 => json!([evil, attack]),
            _ => json!(format!("other\n{evil}\n")),
        });
    }
    for reverted in &mut report.scan.reverted {
        reverted.object.name.clone_from(&evil);
        reverted.writes.iter_mut().for_each(|write| hostile_write(write, &evil));
    }
    for gap in &mut report.gaps {
        (gap.place, gap.message, gap.hint) = (Some(evil.clone()), evil.clone(), Some(evil.clone()));
        gap.cluster = Some(ClusterName::new(evil.clone()));
        gap.hides = Hides::File { file: evil.clone() };
    }
    for exclusion in &mut report.exclusions {
        (exclusion.scope, exclusion.what, exclusion.reason) = (evil.clone(), evil.clone(), evil.clone());
    }
    for rule in &mut report.scan.ignored {
        (rule.id, rule.reason, rule.note) = (evil.clone(), evil.clone(), Some(evil.clone()));
        (rule.source, rule.expires) = (evil.clone(), Some(evil.clone()));
    }
    for target in &mut report.scan.targets {
        (target.name, target.revision) = (TargetName::new(evil.clone()), Revision::new(evil.clone()));
        (target.path, target.repository, target.cluster) =
            (evil.clone(), RepositoryName::new(evil.clone()), ClusterName::new(evil.clone()));
    }
    for cluster in &mut report.scan.clusters {
        (cluster.name, cluster.version, cluster.source) =
            (ClusterName::new(evil.clone()), Some(evil.clone()), evil.clone());
    }
    for closed in &mut report.scan.changes.resolved {
        (closed.title, closed.how) = (evil.clone(), evil.clone());
    }
    report.scan.counts.normalised.insert(evil, 3);
    report
}

fn hostile_write(write: &mut AuditedWrite, evil: &str) {
    let text = || Some(evil.to_owned());
    (write.user, write.impersonated, write.user_agent) = (evil.to_owned(), text(), text());
    (write.subresource, write.manager, write.why) = (text(), text(), evil.to_owned());
    (write.groups, write.source_ips) = (vec![evil.to_owned()], Some(vec![evil.to_owned()]));
}

/// A report with `count` findings.
pub(super) fn huge(count: usize) -> ScanReport {
    let mut report = drifted();
    let kinds = report.findings.clone();
    report.findings = (0..count)
        .map(|n| {
            let mut finding = kinds[n * kinds.len() / count].clone();
            finding.name = format!("{}-{n}", finding.name);
            finding.fingerprint = fingerprint::of_object(&finding.cluster, &finding.object(), finding.path.as_ref());
            finding.id = fingerprint::finding_id(&finding.fingerprint);
            finding
        })
        .collect();
    self::count(&mut report);
    report
}

/// Compares with a reviewed file in `tests/golden/views`, or rewrites it where `UPDATE_GOLDEN=1`.
pub(super) fn golden(name: &str, text: &str) {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/views").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|v| v == "1") {
        std::fs::write(&file, text).expect("the golden file can be written");
    }
    let wanted = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    assert_eq!(text, wanted, "{} differs; run with UPDATE_GOLDEN=1 and review", file.display());
}
